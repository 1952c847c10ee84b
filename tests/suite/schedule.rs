//! Schedules through the hub on a clock that stands until it is moved: each slot once, whoever ticks, and what was missed is written down.

use bailiwick::clock::Clock;
use bailiwick::ledger::{Run, RunState, Scope};
use bailiwick::run::Hub;
use jiff::{SignedDuration, Timestamp};

use crate::support::*;

const CLAIMS: &str = "claim-routing";

async fn tick(hub: &Hub) -> usize {
    hub.tick().await.expect("schedules can be worked out").len()
}

fn advance_to(clock: &Clock, moment: &str) {
    let to: Timestamp = moment.parse().expect("a moment");
    clock.advance(to.duration_since(clock.now()));
}

/// Slot, state and reason of each run of a job.
fn told(runs: &[Run]) -> Vec<(String, RunState, &str)> {
    runs.iter().map(|run| (run.enqueued.slot.clone().unwrap_or_default(), run.state, reason(run).0)).collect()
}

fn logical(runs: &[Run]) -> Vec<String> {
    runs.iter().map(|run| Timestamp::from_millisecond(run.enqueued.logical_ms).unwrap().to_string()).collect()
}

/// A site on which only one job has a schedule.
pub(crate) fn only(job: &str, catch_up: &str) -> Site {
    let site = Site::staffordshire();
    for name in ["claim-routing", LGPS, "shared-services-apportionment", "supplier-onboarding"] {
        let file = format!("jobs/{name}.toml");
        if name == job {
            site.edit(&file, "catch-up = \"once\"", &format!("catch-up = {catch_up}"));
        } else {
            let text = String::from_utf8(site.read(&file)).unwrap();
            let (before, rest) = text.split_once("[schedule]").expect("it has a schedule");
            let rest = &rest[rest.find("\n[").expect("more follows")..];
            site.write(&file, format!("{before}{rest}"));
        }
    }
    site
}

#[test]
fn a_slot_has_one_run_however_often_the_hub_looks() {
    let site = only(LGPS, "\"once\"");
    wait(async {
        let clock = clock_at("2026-10-19T05:59:59Z");
        let hub = site.hub(&clock).await;
        assert_eq!(tick(&hub).await, 0);
        // 19 October 2026 is a Monday; 07:00 in London is 06:00 in Greenwich.
        advance_to(&clock, "2026-10-19T06:00:00Z");
        let (one, other) = tokio::join!(hub.tick(), hub.tick());
        assert_eq!(one.unwrap().len() + other.unwrap().len(), 1, "two looks at the same moment make one run");
        for _ in 0..5 {
            assert_eq!(tick(&hub).await, 0);
            clock.advance(SignedDuration::from_secs(7));
        }
        drain(&hub).await;
        let runs = runs_of(&hub, LGPS).await;
        assert_eq!(logical(&runs), ["2026-10-19T06:00:00Z"]);
        assert_eq!((runs[0].state, runs[0].trigger().kind()), (RunState::Closed, "schedule"));
        assert_eq!(site.names("out/pension-fund"), ["ctr1-2026-10.csv", "lgps-return-2026-10.csv"], "named for the time that it was due");
    });
}

#[test]
fn a_day_off_moves_the_run_to_the_working_day_before() {
    let site = only(LGPS, "\"once\"");
    wait(async {
        // 19 September and 19 December 2026 are Saturdays.
        let clock = clock_at("2026-09-17T12:00:00Z");
        let hub = site.hub(&clock).await;
        let next = hub.next_time(&hub.ledger().job(&partner(POLICE), &job(LGPS)).await.unwrap()).await.unwrap();
        assert_eq!(next.unwrap().to_string(), "2026-09-18T06:00:00Z");
        for (at, new) in
            [("2026-09-18T05:59:00Z", 0), ("2026-09-18T06:00:30Z", 1), ("2026-09-19T06:00:30Z", 0), ("2026-09-21T06:00:30Z", 0)]
        {
            advance_to(&clock, at);
            assert_eq!(tick(&hub).await, new, "{at}");
        }
        advance_to(&clock, "2026-12-18T07:00:30Z");
        assert_eq!(tick(&hub).await, 3, "October, November and December");
        let runs = runs_of(&hub, LGPS).await;
        assert_eq!(logical(&runs), ["2026-09-18T06:00:00Z", "2026-10-19T06:00:00Z", "2026-11-19T07:00:00Z", "2026-12-18T07:00:00Z"]);
        let states: Vec<_> = runs.iter().map(|run| (run.state, reason(run).0)).collect();
        let missed = (RunState::Skipped, "missed");
        assert_eq!(states, [(RunState::Queued, ""), missed, missed, (RunState::Queued, "")]);
    });
}

/// What a hub does that was off from Friday noon to the Friday after: five slots have passed.
fn after_a_week_off(catch_up: &str) -> Vec<(String, RunState, String)> {
    let site = only(CLAIMS, catch_up);
    wait(async {
        let clock = clock_at("2026-10-16T12:00:00Z");
        let hub = site.hub(&clock).await;
        assert_eq!(tick(&hub).await, 0);
        hub.ledger().close().await;
        advance_to(&clock, "2026-10-23T12:00:00Z");
        let hub = site.reopen(&clock).await;
        assert_eq!(tick(&hub).await, 5);
        assert_eq!(tick(&hub).await, 0);
        let runs = runs_of(&hub, CLAIMS).await;
        let late = runs.iter().filter(|run| run.state == RunState::Queued);
        assert!(late.clone().all(|run| run.trigger().kind() == "catch-up"));
        let missed = runs.iter().filter(|run| run.state == RunState::Skipped);
        assert!(missed.clone().all(|run| reason(run).1.contains("no hub was running")));
        told(&runs).into_iter().map(|(slot, state, code)| (slot, state, code.to_owned())).collect()
    })
}

#[test]
fn what_was_missed_is_made_up_for_as_the_job_says_and_written_down() {
    let states = |catch_up| after_a_week_off(catch_up).into_iter().map(|(_, state, code)| (state, code)).collect::<Vec<_>>();
    for (catch_up, missed) in [("\"once\"", 4), ("\"skip\"", 5), ("{ all = 3 }", 2), ("{ all = 10 }", 0)] {
        let wanted: Vec<(RunState, String)> = (0..5)
            .map(|slot| if slot < missed { (RunState::Skipped, "missed".to_owned()) } else { (RunState::Queued, String::new()) })
            .collect();
        assert_eq!(states(catch_up), wanted, "{catch_up}");
    }
}

#[test]
fn the_slots_are_the_same_whether_the_hub_was_on_or_off() {
    let off: Vec<String> = after_a_week_off("\"once\"").into_iter().map(|(slot, _, _)| slot).collect();
    let site = only(CLAIMS, "\"once\"");
    let on = wait(async {
        let clock = clock_at("2026-10-16T12:00:00Z");
        let hub = site.hub(&clock).await;
        while clock.now() < "2026-10-23T12:00:00Z".parse().unwrap() {
            clock.advance(SignedDuration::from_secs(53));
            tick(&hub).await;
        }
        let runs = runs_of(&hub, CLAIMS).await;
        // A weekend between them: nobody works, and that is no run either.
        assert!(runs.iter().all(|run| run.trigger().kind() == "schedule"), "{:?}", told(&runs));
        runs.into_iter().filter_map(|run| run.enqueued.slot).collect::<Vec<_>>()
    });
    assert_eq!(on, off);
    assert_eq!(on.len(), 5);
}

#[test]
fn a_bank_holiday_is_no_working_day() {
    let site = only(CLAIMS, "\"once\"");
    wait(async {
        // Friday 25 December, and Monday 28 December for Boxing Day on a Saturday.
        let clock = clock_at("2026-12-24T12:00:00Z");
        let hub = site.hub(&clock).await;
        advance_to(&clock, "2026-12-29T06:00:10Z");
        tick(&hub).await;
        let runs = runs_of(&hub, CLAIMS).await;
        let told: Vec<_> = runs.iter().map(|run| (run.state, reason(run).0)).collect();
        let off = (RunState::Skipped, "no-working-day");
        assert_eq!(told, [off, off, (RunState::Queued, "")], "{:?}", logical(&runs));
    });
}

#[test]
fn a_paused_job_stands_still_until_it_is_resumed() {
    let site = only(CLAIMS, "\"once\"");
    wait(async {
        let clock = clock_at("2026-10-19T12:00:00Z");
        let hub = site.hub(&clock).await;
        let (owner, name) = (partner(POLICE), job(CLAIMS));
        assert!(hub.ledger().pause((&owner, &name), "the insurer moves house", &operator(&hub)).await.unwrap());
        advance_to(&clock, "2026-10-22T12:00:00Z");
        assert_eq!(tick(&hub).await, 0);
        let paused = hub.ledger().job(&owner, &name).await.unwrap();
        assert_eq!(paused.paused.as_ref().unwrap().why, "the insurer moves house");
        assert_eq!(hub.next_time(&paused).await.unwrap(), None);
        // By hand it can be run all the same.
        assert_eq!(finished(&hub, POLICE, CLAIMS).await.state, RunState::Closed);
        assert!(hub.ledger().resume((&owner, &name), &operator(&hub)).await.unwrap());
        tick(&hub).await;
        let states: Vec<_> = runs_of(&hub, CLAIMS).await.iter().filter(|run| run.enqueued.slot.is_some()).map(|run| run.state).collect();
        assert_eq!(states, [RunState::Skipped, RunState::Skipped, RunState::Queued], "three slots passed, and one is made up for");
        let acts: Vec<String> =
            hub.ledger().audit(Scope::Hub, None, 100).await.unwrap().items.into_iter().map(|entry| entry.action).collect();
        assert!(acts.contains(&"job.pause".to_owned()) && acts.contains(&"job.resume".to_owned()), "{acts:?}");
    });
}
