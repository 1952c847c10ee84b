//! However time is cut, each slot is answered once: by ticks, by pauses, by restarts.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;

const CRONS: &[&str] = &[
    "30 1 * * *",
    "0 7 19 * *",
    "*/15 * * * *",
    "0,30 1-2 * * *",
    "0 9 * * 1-5",
    "45 23 L * *",
    "0 0 1 * *",
    "5 */6 * * 0",
    "15 1,2,13 * * 6,0",
    "20 4 13 * FRI",
];

const ZONES: &[&str] = &["Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"];

fn schedules() -> impl Strategy<Value = Schedule> {
    let rules = prop::sample::select(vec![WorkingDay::Any, WorkingDay::Before, WorkingDay::After, WorkingDay::Skip]);
    let catch_ups = prop::sample::select(vec![CatchUp::Skip, CatchUp::Once, CatchUp::All { slots_max: 3 }, EVERY]);
    (prop::sample::select(CRONS), prop::sample::select(ZONES), rules, catch_ups).prop_map(|(cron, zone, working_day, catch_up)| Schedule {
        cron: cron.to_owned(),
        zone: zone.to_owned(),
        working_day,
        catch_up,
    })
}

/// Moments near the clock changes and long weekends of 2026 and 2027, and anywhere else in the years of the table.
fn moments() -> impl Strategy<Value = Timestamp> {
    let notable = [
        "2027-03-28T01:00:00Z",
        "2027-10-31T01:00:00Z",
        "2026-04-03T07:00:00Z",
        "2027-12-25T00:00:00Z",
        "2026-10-03T15:30:00Z",
        "2027-11-07T06:00:00Z",
    ];
    let near = (prop::sample::select(notable.to_vec()), -300_000_i64..300_000)
        .prop_map(|(moment, off)| at(moment) + SignedDuration::from_secs(off));
    let anywhere = (at("2018-02-01T00:00:00Z").as_second()..at("2028-10-01T00:00:00Z").as_second())
        .prop_map(|second| Timestamp::from_second(second).unwrap());
    prop_oneof![3 => near, 1 => anywhere]
}

fn keys(due: &Due) -> Vec<(Timestamp, String)> {
    let skipped = due.skipped.iter().map(|skipped| &skipped.slot);
    let mut keys: Vec<_> = due.slots.iter().chain(skipped).map(|slot| (slot.instant, slot.key.clone())).collect();
    keys.sort();
    keys
}

fn due_in(schedule: &Schedule, since: Timestamp, now: Timestamp) -> Due {
    due(schedule, Calendar::england_and_wales(), since, now).unwrap()
}

/// Ticks that fall on the very moments of slots, and inside the hour that the clock shows twice.
#[test]
fn a_tick_every_five_minutes_finds_each_slot_once() {
    for (cron, zone) in CRONS.iter().flat_map(|cron| ZONES.iter().map(move |zone| (cron, zone))) {
        for change in ["2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z", "2026-10-03T15:30:00Z", "2027-11-07T06:00:00Z"] {
            let schedule = Schedule { zone: (*zone).to_owned(), ..schedule(cron, WorkingDay::Any, EVERY) };
            let (start, five) = (at(change) - SignedDuration::from_hours(3), SignedDuration::from_mins(5));
            let mut ticks: Vec<_> =
                (0..72).flat_map(|tick| keys(&due_in(&schedule, start + five * tick, start + five * (tick + 1)))).collect();
            ticks.sort();
            assert_eq!(ticks, keys(&due_in(&schedule, start, start + five * 72)), "{cron} {zone} {change}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cutting_loses_and_repeats_nothing(schedule in schedules(), start in moments(), hours in 0_i64..500, cuts in prop::collection::vec(0_i64..1_800_000, 0..6)) {
        let end = start + SignedDuration::from_hours(hours);
        let mut cuts: Vec<_> = cuts.into_iter().map(|second| (start + SignedDuration::from_secs(second)).min(end)).collect();
        cuts.extend([start, end]);
        cuts.sort();
        let mut pieces: Vec<_> = cuts.windows(2).flat_map(|piece| keys(&due_in(&schedule, piece[0], piece[1]))).collect();
        pieces.sort();
        prop_assert_eq!(&pieces, &keys(&due_in(&schedule, start, end)));
        let mut names: Vec<_> = pieces.iter().map(|(_, key)| key).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), pieces.len(), "a key names one slot");
    }

    #[test]
    fn a_pause_loses_nothing(schedule in schedules(), start in moments(), before in 0_i64..200_000, pause in 0_i64..400_000, after in 0_i64..200_000) {
        let (paused, resumed) = (start + SignedDuration::from_secs(before), start + SignedDuration::from_secs(before + pause));
        let end = resumed + SignedDuration::from_secs(after);
        // While paused nobody asks. On resuming, the span since the last answer is asked for.
        let (first, second) = (due_in(&schedule, start, paused), due_in(&schedule, paused, resumed));
        let third = due_in(&schedule, resumed, end);
        let mut all: Vec<_> = [&first, &second, &third].into_iter().flat_map(keys).collect();
        all.sort();
        prop_assert_eq!(all, keys(&due_in(&schedule, start, end)));
        let late = |slot: &Slot| resumed.duration_since(slot.instant) > ON_TIME;
        let late_run = second.slots.iter().filter(|slot| late(slot)).count();
        match schedule.catch_up {
            CatchUp::Skip => prop_assert_eq!(late_run, 0),
            CatchUp::Once => prop_assert!(late_run <= 1 && (late_run == 0 || second.slots.len() == 1)),
            CatchUp::All { slots_max } => prop_assert!(late_run <= slots_max as usize),
        }
        let missed: Vec<_> = second.skipped.iter().filter(|skipped| skipped.reason == SkipReason::Missed).collect();
        prop_assert!(missed.iter().all(|skipped| second.slots.iter().all(|slot| skipped.slot.instant <= slot.instant)), "what runs is the newest");
    }

    #[test]
    fn what_moves_lands_on_the_nearest_working_day(schedule in schedules(), start in moments()) {
        let calendar = Calendar::england_and_wales();
        for slot in due_in(&schedule, start, start + SignedDuration::from_hours(200)).slots {
            let day = slot.moved_to.unwrap_or(slot.wall.date());
            match schedule.working_day {
                WorkingDay::Any => prop_assert_eq!(slot.moved_to, None),
                rule => {
                    prop_assert!(calendar.is_working_day(day).unwrap());
                    let (first, last) = if day < slot.wall.date() { (day.tomorrow().unwrap(), slot.wall.date()) } else { (slot.wall.date(), day.yesterday().unwrap()) };
                    let between = first.series(jiff::ToSpan::day(1)).take_while(|date| *date <= last);
                    prop_assert!(between.into_iter().all(|date| slot.moved_to.is_none() || !calendar.is_working_day(date).unwrap()));
                    let right_way = match rule {
                        WorkingDay::Before => day <= slot.wall.date(),
                        WorkingDay::After => day >= slot.wall.date(),
                        WorkingDay::Any | WorkingDay::Skip => slot.moved_to.is_none(),
                    };
                    prop_assert!(right_way);
                }
            }
        }
    }

    #[test]
    fn the_next_times_are_those_that_fall_due(schedule in schedules(), start in moments()) {
        let calendar = Calendar::england_and_wales();
        let never = schedule.working_day == WorkingDay::Skip && schedule.cron.ends_with('0');
        let shown = next(&schedule, calendar, start, 5).unwrap_or_default();
        if shown.is_empty() {
            prop_assert!(never, "weekends alone are no working days");
            return Ok(());
        }
        prop_assert!(shown.is_sorted_by_key(|slot| slot.instant));
        let everything = Schedule { catch_up: EVERY, ..schedule };
        let due = due_in(&everything, start, shown[shown.len() - 1].instant);
        prop_assert_eq!(&shown[..], &due.slots[..shown.len()]);
    }

    /// Minute by minute: which minutes of real time a watch in the zone would call, without any cron library.
    #[test]
    fn a_pace_is_what_a_watch_says(start in moments(), hours in 1_i64..60, step in prop::sample::select(vec![5_i8, 15, 20, 30])) {
        let (mut expected, mut moment) = (Vec::new(), Timestamp::from_second(start.as_second().div_euclid(60) * 60).unwrap());
        let end = start + SignedDuration::from_hours(hours);
        let zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
        while moment <= end {
            if moment > start && zone.to_datetime(moment).minute() % step == 0 {
                expected.push(moment);
            }
            moment += SignedDuration::from_mins(1);
        }
        let steps = schedule(&format!("*/{step} * * * *"), WorkingDay::Any, EVERY);
        let found: Vec<_> = due_in(&steps, start, end).slots.iter().map(|slot| slot.instant).collect();
        prop_assert_eq!(found, expected);
    }

    /// A time of day has one slot for each date, on whatever days the clock changes.
    #[test]
    fn a_time_of_day_comes_once_a_day(start in moments(), days in 1_i32..300, hour in 0_i8..24, minute in 0_i8..60) {
        let zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
        let first = zone.to_datetime(start).date();
        let noon = |date: Date| date.at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp();
        let last = first.saturating_add(jiff::ToSpan::days(days));
        let steps = schedule(&format!("{minute} {hour} * * *"), WorkingDay::Any, EVERY);
        let due = due_in(&steps, noon(first), noon(last));
        prop_assert_eq!(due.slots.len(), usize::try_from(days).unwrap());
        prop_assert!(due.skipped.is_empty());
    }
}
