//! Time that misbehaves: clocks that jump both ways, days on which clocks change, and six hours of a schedule in as many seconds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::run::Hub;
use bailiwick::schedule::{self, Calendar};
use jiff::{SignedDuration, Timestamp};

use super::books::Books;
use super::trial::Trial;
use super::world::{Ends, FLOW, PARTNER, World, all_runs, to_rest};
use crate::support::*;

/// Rows of a file.
const ROWS: u64 = 40;

/// How long a run stays with a hub that gives no word, by the clock of the test.
const LEASE: Duration = Duration::from_secs(10);

/// Two hubs with clocks of their own, and when the schedule began.
struct Night {
    world: World,
    clocks: [Clock; 2],
    hubs: [Hub; 2],
    begun: Timestamp,
}

impl Night {
    async fn begin(world: World, moment: &str) -> Self {
        let clocks = [clock_at(moment), clock_at(moment)];
        let first = world.hub("first", &clocks[0]).await;
        let second = world.reopen("second", &clocks[1], LEASE).await;
        Self { world, begun: clocks[0].now(), hubs: [first, second], clocks }
    }

    /// One of the hubs looks at the schedule; now and then it takes a run up of which nothing is heard again; and works.
    async fn look(&self, trial: &mut Trial) {
        let hub = &self.hubs[usize::try_from(trial.below(2)).expect("it is 0 or 1")];
        hub.tick().await.expect("schedules can be worked out");
        if trial.once_in(6) {
            drop(hub.ledger().claim(hub.id(), hub.clock().now_ms(), 10_000).await.expect("the ledger answers"));
        }
        if !trial.once_in(3) {
            let began = Instant::now();
            if !drain(hub).await.is_empty() {
                trial.recovered(began.elapsed());
            }
        }
    }

    async fn end(self, trial: Trial) {
        trial.end(&self.close().await.0);
    }

    /// Every slot from the beginning until now has one run, and every row its place: where, and the moments of the slots.
    async fn close(self) -> (Books, Vec<i64>) {
        let hub = &self.hubs[0];
        // Both see the time at which either was furthest.
        let latest = self.clocks.iter().map(Clock::now).max().expect("there are two");
        self.clocks.iter().for_each(|clock| clock.advance(latest.duration_since(clock.now()) + SignedDuration::from_mins(30)));
        hub.tick().await.unwrap();
        to_rest(hub).await;
        let stored = hub.ledger().job(&partner(PARTNER), &job(FLOW)).await.unwrap();
        let through = Timestamp::from_millisecond(stored.scheduled_through_ms).unwrap();
        let declared = hub.schedule_of(&stored).await.unwrap().unwrap();
        let due = schedule::due(&declared, Calendar::england_and_wales(), self.begun, through).unwrap();
        let mut wanted: Vec<String> =
            due.slots.into_iter().chain(due.skipped.into_iter().map(|skipped| skipped.slot)).map(|slot| slot.key).collect();
        wanted.sort();
        let (mut slots, mut moments): (BTreeMap<String, u32>, _) = (BTreeMap::new(), Vec::new());
        for run in all_runs(hub).await {
            if let Some(slot) = run.enqueued.slot {
                *slots.entry(slot).or_default() += 1;
                moments.push(run.enqueued.logical_ms);
            }
        }
        moments.sort_unstable();
        assert!(slots.values().all(|times| *times == 1), "a slot ran twice: {slots:?}");
        assert_eq!(slots.into_keys().collect::<Vec<_>>(), wanted);
        let books = Books::ask(&self.world, hub).await;
        for hub in &self.hubs {
            hub.ledger().close().await;
        }
        (books, moments)
    }
}

#[test]
fn clocks_jump_both_ways() {
    let mut trial = Trial::of("clocks of two hubs jump up to a day ahead and two hours back");
    wait(async {
        let night = Night::begin(World::new(&Ends::scheduled("*/15 * * * *")), "2026-11-20T22:07:00Z").await;
        for round in 0..trial.times(24) {
            if trial.once_in(2) {
                night.world.place(&format!("jump-{round}"), ROWS, trial.once_in(10));
            }
            let ahead = if trial.once_in(6) { 1_440 } else { 60 };
            let minutes = if trial.once_in(3) { -(trial.below(120) as i64) } else { trial.below(ahead) as i64 };
            night.clocks[usize::try_from(trial.below(2)).unwrap()].advance(SignedDuration::from_mins(minutes));
            trial.tried();
            night.look(&mut trial).await;
        }
        night.end(trial).await;
    });
}

#[test]
fn days_on_which_clocks_change() {
    let mut trial = Trial::of("days on which clocks change, spring and autumn");
    wait(async {
        let mut books = Books::default();
        for moment in ["2027-03-27T12:00:00Z", "2027-10-30T12:00:00Z"] {
            for cron in ["30 1 * * *", "*/15 * * * *"] {
                let night = Night::begin(World::new(&Ends::scheduled(cron)), moment).await;
                for hour in 0..36 {
                    night.world.place(&format!("{hour:02}"), 5, false);
                    night.clocks.iter().for_each(|clock| clock.advance(SignedDuration::from_hours(1)));
                    night.look(&mut trial).await;
                    trial.tried();
                }
                let (of_night, moments) = night.close().await;
                books = books.and(of_night);
                // Real time goes on as ever; of the clock's 01:30 there is one each day, though the clock shows it never or twice.
                let days: Vec<_> =
                    moments.iter().map(|ms| Timestamp::from_millisecond(*ms).unwrap().in_tz("Europe/London").unwrap().date()).collect();
                if cron.starts_with("30") {
                    assert!(!days.is_empty() && days.windows(2).all(|pair| pair[0] < pair[1]), "{days:?}");
                } else {
                    assert!(moments.len() >= 4 * 36 && moments.windows(2).all(|pair| pair[1] - pair[0] == 900_000), "{moments:?}");
                }
            }
        }
        trial.end(&books);
    });
}

#[test]
fn six_hours_of_a_schedule_on_sqlite() {
    six_hours(World::new(&Ends::scheduled("*/5 * * * *")), "six hours of a schedule and its faults, SQLite");
}

#[test]
fn six_hours_of_a_schedule_on_postgres() {
    let world = World::on_postgres(&Ends::scheduled("*/5 * * * *"), Postgres::shared());
    six_hours(world, "six hours of a schedule and its faults, PostgreSQL");
}

fn six_hours(world: World, fault: &str) {
    let mut trial = Trial::of(fault);
    wait(async {
        let night = Night::begin(world, "2026-11-20T22:02:30Z").await;
        for minute in 0..360 {
            if trial.once_in(9) {
                night.world.place(&format!("{minute:03}"), ROWS, trial.once_in(10));
            }
            // Clocks of two machines are never the same.
            let seconds = 60 + trial.below(9) as i64 - 4;
            night.clocks[0].advance(SignedDuration::from_secs(seconds));
            night.clocks[1].advance(SignedDuration::from_secs(120 - seconds));
            if trial.once_in(2) {
                trial.tried();
                night.look(&mut trial).await;
            }
        }
        night.end(trial).await;
    });
}
