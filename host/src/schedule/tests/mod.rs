//! Schedules across clock changes, working days and outages, against answers that were counted in another way.
#![allow(clippy::unwrap_used)]

mod clock_changes;
mod properties;
mod working_days;

use jiff::Timestamp;

use super::*;
use crate::model::job::{CatchUp, Schedule, WorkingDay};

pub(super) fn schedule(cron: &str, working_day: WorkingDay, catch_up: CatchUp) -> Schedule {
    Schedule { cron: cron.to_owned(), zone: "Europe/London".to_owned(), working_day, catch_up }
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What is due in a span, all of it: the keys with their moments.
pub(super) fn all_due(schedule: &Schedule, since: &str, now: &str) -> Vec<String> {
    let due = due(schedule, Calendar::england_and_wales(), at(since), at(now)).unwrap();
    due.slots.iter().map(|slot| format!("{} {}", slot.key, slot.instant)).collect()
}

pub(super) const EVERY: CatchUp = CatchUp::All { slots_max: u32::MAX };

#[test]
fn expressions_and_zones_are_judged() {
    for bad in ["", "* * * *", "* * * * * *", "61 * * * *", "0 7 * * 8", "0 0 30 2 *", "@daily", "@reboot", "a b c d e", "0 7 31 4,6 *"] {
        let error = Cron::parse(bad, "Europe/London").unwrap_err();
        assert!(matches!(&error, ScheduleError::NotCron { expression, .. } if expression == bad), "{bad}: {error}");
    }
    for bad in ["", "London", "europe/london", "Europe/Lond0n", "+01:00", "../UTC"] {
        assert!(matches!(Cron::parse("0 7 * * *", bad), Err(ScheduleError::NoSuchZone { .. })), "{bad}");
    }
    for (good, pace) in
        [("0 7 19 * *", false), ("*/15 * * * *", true), ("0 0-23 * * *", true), ("*/15 1 * * *", false), ("0 7 L * FRI#2", false)]
    {
        assert_eq!(Cron::parse(good, "UTC").unwrap().is_pace(), pace, "{good}");
    }
}

#[test]
fn senseless_schedules_are_refused() {
    let calendar = Calendar::england_and_wales();
    for (cron, rule, sense) in [
        ("*/15 * * * *", WorkingDay::Before, false),
        ("*/15 * * * *", WorkingDay::Skip, true),
        ("0 7 * * 0", WorkingDay::Skip, false),
        ("0 7 25 12 *", WorkingDay::Skip, false),
        ("0 7 * * 0", WorkingDay::After, true),
        ("0 7 1 5 *", WorkingDay::Skip, true),
        ("0 7 19 * *", WorkingDay::Before, true),
    ] {
        let checked = check(&schedule(cron, rule, EVERY), calendar);
        assert!(
            matches!((&checked, sense), (Ok(()), true) | (Err(ScheduleError::Senseless { .. }), false)),
            "{cron} {rule:?}: {checked:?}"
        );
    }
}

#[test]
fn schedules_read_in_words() {
    let words = describe(&schedule("0 7 19 * *", WorkingDay::Before, EVERY)).unwrap();
    assert_eq!(words, "At 07:00, on day 19 (Europe/London); on a weekend or bank holiday, the working day before");
}

#[test]
fn late_slots_follow_the_catch_up_rule() {
    let hourly = |catch_up, now: &str| {
        let due =
            due(&schedule("0 * * * *", WorkingDay::Any, catch_up), Calendar::england_and_wales(), at("2026-01-05T00:30:00Z"), at(now))
                .unwrap();
        assert!(due.skipped.iter().all(|skipped| skipped.reason == SkipReason::Missed));
        let hours = |slots: Vec<&Slot>| slots.iter().map(|slot| slot.wall.hour()).collect::<Vec<_>>();
        (hours(due.slots.iter().collect()), hours(due.skipped.iter().map(|skipped| &skipped.slot).collect()))
    };
    for (catch_up, now, run, skipped) in [
        (CatchUp::Skip, "2026-01-05T04:30:00Z", vec![], vec![1, 2, 3, 4]),
        (CatchUp::Skip, "2026-01-05T04:01:00Z", vec![4], vec![1, 2, 3]),
        (CatchUp::Skip, "2026-01-05T04:01:01Z", vec![], vec![1, 2, 3, 4]),
        (CatchUp::Once, "2026-01-05T04:30:00Z", vec![4], vec![1, 2, 3]),
        (CatchUp::Once, "2026-01-05T04:00:00Z", vec![4], vec![1, 2, 3]),
        (CatchUp::All { slots_max: 2 }, "2026-01-05T04:30:00Z", vec![3, 4], vec![1, 2]),
        (CatchUp::All { slots_max: 2 }, "2026-01-05T04:00:00Z", vec![2, 3, 4], vec![1]),
        (CatchUp::All { slots_max: 9 }, "2026-01-05T04:30:00Z", vec![1, 2, 3, 4], vec![]),
        (CatchUp::Once, "2026-01-05T00:59:59Z", vec![], vec![]),
    ] {
        assert_eq!(hourly(catch_up, now), (run, skipped), "{catch_up:?} {now}");
    }
}

#[test]
fn the_next_times_are_shown() {
    let shown = |cron: &str, rule, after: &str, count| {
        let slots = next(&schedule(cron, rule, EVERY), Calendar::england_and_wales(), at(after), count).unwrap();
        slots.iter().map(|slot| slot.instant.to_string()).collect::<Vec<_>>()
    };
    let monthly = shown("0 7 19 * *", WorkingDay::Before, "2026-01-01T00:00:00Z", 4);
    assert_eq!(monthly, ["2026-01-19T07:00:00Z", "2026-02-19T07:00:00Z", "2026-03-19T07:00:00Z", "2026-04-17T06:00:00Z"]);
    assert_eq!(shown("0 0 29 2 *", WorkingDay::Any, "2096-03-01T00:00:00Z", 1), ["2104-02-29T00:00:00Z"]);
    assert_eq!(shown("* * * * *", WorkingDay::Any, "2026-01-01T00:00:30Z", 2), ["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"]);
    // Ten months are asked for and the calendar knows two more.
    assert_eq!(shown("0 7 19 * *", WorkingDay::After, "2028-11-01T00:00:00Z", 10).len(), 2);
    let beyond = next(&schedule("0 7 * * *", WorkingDay::Skip, EVERY), Calendar::england_and_wales(), at("2029-01-01T00:00:00Z"), 1);
    assert!(matches!(beyond, Err(ScheduleError::OutsideCalendar { .. })));
}
