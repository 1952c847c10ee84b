//! Europe/London in 2027: at 01:00Z on 28 March the clock passes over 01:00 to 02:00; on 31 October it shows it twice.

use jiff::{SignedDuration, Timestamp};

use super::*;

const SPRING: (&str, &str) = ("2027-03-27T23:30:00Z", "2027-03-28T12:00:00Z");
const AUTUMN: (&str, &str) = ("2027-10-30T23:30:00Z", "2027-10-31T12:00:00Z");

#[test]
fn a_time_that_the_clock_passes_over_runs_at_the_first_moment_after() {
    for (cron, expected) in [
        ("30 1 * * *", vec!["2027-03-28T01:30[Europe/London] 2027-03-28T01:00:00Z"]),
        ("0 1 * * *", vec!["2027-03-28T01:00[Europe/London] 2027-03-28T01:00:00Z"]),
        ("0 2 * * *", vec!["2027-03-28T02:00[Europe/London] 2027-03-28T01:00:00Z"]),
        ("30 0 * * *", vec!["2027-03-28T00:30[Europe/London] 2027-03-28T00:30:00Z"]),
        // Two times of day: the one in the gap is not lost.
        (
            "30 1,9 * * *",
            vec!["2027-03-28T01:30[Europe/London] 2027-03-28T01:00:00Z", "2027-03-28T09:30[Europe/London] 2027-03-28T08:30:00Z"],
        ),
        ("30 1 28 3 *", vec!["2027-03-28T01:30[Europe/London] 2027-03-28T01:00:00Z"]),
    ] {
        assert_eq!(all_due(&schedule(cron, WorkingDay::Any, EVERY), SPRING.0, SPRING.1), expected, "{cron}");
    }
}

#[test]
fn several_times_in_the_gap_run_once_and_the_others_are_told() {
    let spring = |cron| {
        let due = due(&schedule(cron, WorkingDay::Any, EVERY), Calendar::england_and_wales(), at(SPRING.0), at(SPRING.1)).unwrap();
        assert!(due.skipped.iter().all(|skipped| skipped.reason == SkipReason::SameMoment));
        let walls = |slots: Vec<&Slot>| slots.iter().map(|slot| slot.wall.time().to_string()[..5].to_owned()).collect::<Vec<_>>().join(" ");
        (walls(due.slots.iter().collect()), walls(due.skipped.iter().map(|skipped| &skipped.slot).collect()))
    };
    assert_eq!(spring("*/20 1 * * *"), ("01:00".to_owned(), "01:20 01:40".to_owned()));
    assert_eq!(spring("0,30 1-2 * * *"), ("02:00 02:30".to_owned(), "01:00 01:30".to_owned()));
}

#[test]
fn a_time_that_the_clock_shows_twice_runs_once() {
    for (cron, expected) in [
        ("30 1 * * *", vec!["2027-10-31T01:30[Europe/London] 2027-10-31T00:30:00Z"]),
        (
            "30 1,9 * * *",
            vec!["2027-10-31T01:30[Europe/London] 2027-10-31T00:30:00Z", "2027-10-31T09:30[Europe/London] 2027-10-31T09:30:00Z"],
        ),
        ("0 2 * * *", vec!["2027-10-31T02:00[Europe/London] 2027-10-31T02:00:00Z"]),
    ] {
        assert_eq!(all_due(&schedule(cron, WorkingDay::Any, EVERY), AUTUMN.0, AUTUMN.1), expected, "{cron}");
    }
}

#[test]
fn a_pace_is_kept_through_both_changes() {
    for (cron, minutes) in [("*/15 * * * *", 15), ("0 * * * *", 60), ("5-59/10 * * * *", 10)] {
        for (since, now) in [SPRING, AUTUMN] {
            let due = due(&schedule(cron, WorkingDay::Any, EVERY), Calendar::england_and_wales(), at(since), at(now)).unwrap();
            assert!(due.skipped.is_empty());
            let gaps: Vec<_> = due.slots.windows(2).map(|pair| pair[1].instant.duration_since(pair[0].instant)).collect();
            assert!(gaps.iter().all(|gap| *gap == SignedDuration::from_mins(minutes)), "{cron} {since}: {gaps:?}");
            let mut keys: Vec<_> = due.slots.iter().map(|slot| &slot.key).collect();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), due.slots.len(), "keys are stable and different");
        }
    }
    let twice = all_due(&schedule("30 * * * *", WorkingDay::Any, EVERY), "2027-10-31T00:00:00Z", "2027-10-31T02:00:00Z");
    assert_eq!(
        twice,
        ["2027-10-31T01:30+01:00[Europe/London] 2027-10-31T00:30:00Z", "2027-10-31T01:30+00:00[Europe/London] 2027-10-31T01:30:00Z"]
    );
}

#[test]
fn what_the_clock_did_is_told() {
    let fact = |cron, span: (&str, &str)| {
        let due = due(&schedule(cron, WorkingDay::Any, EVERY), Calendar::england_and_wales(), at(span.0), at(span.1)).unwrap();
        due.slots.iter().map(|slot| slot.clock).collect::<Vec<_>>()
    };
    assert_eq!(fact("30 1 * * *", SPRING), [ClockFact::PassedOver]);
    assert_eq!(fact("30 1 * * *", AUTUMN), [ClockFact::FirstOfTwo]);
    assert_eq!(fact("30 7 * * *", AUTUMN), [ClockFact::Steady]);
    let hourly = fact("30 * * * *", AUTUMN)[..3].to_vec();
    assert_eq!(hourly, [ClockFact::FirstOfTwo, ClockFact::SecondOfTwo, ClockFact::Steady]);
}

#[test]
fn zones_of_another_kind() {
    // Samoa left out the whole of 30 December 2011; Lord Howe moves by half an hour.
    for (zone, cron, since, now, expected) in [
        (
            "Pacific/Apia",
            "0 9 30 12 *",
            "2011-12-28T00:00:00Z",
            "2012-01-02T00:00:00Z",
            "2011-12-30T09:00[Pacific/Apia] 2011-12-30T10:00:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T12:00:00Z",
            "2026-10-04T06:00:00Z",
            "2026-10-04T02:15[Australia/Lord_Howe] 2026-10-03T15:30:00Z",
        ),
        ("UTC", "30 1 * * *", "2027-03-28T00:00:00Z", "2027-03-28T12:00:00Z", "2027-03-28T01:30[UTC] 2027-03-28T01:30:00Z"),
    ] {
        let schedule = Schedule { zone: zone.to_owned(), ..schedule(cron, WorkingDay::Any, EVERY) };
        assert_eq!(all_due(&schedule, since, now), [expected]);
    }
}

/// What the crate `cron` does at the same changes: why this room does not use it.
mod the_crate_cron {
    use super::*;
    use chrono::TimeZone;
    use std::str::FromStr;

    fn fires(expression: &str, from: (i32, u32, u32), hours: i64) -> Vec<String> {
        let schedule = ::cron::Schedule::from_str(&format!("0 {expression}")).unwrap();
        let from = chrono_tz::Europe::London.with_ymd_and_hms(from.0, from.1, from.2, 0, 0, 0).unwrap();
        let end = from + chrono::TimeDelta::hours(hours);
        let utc = |moment: chrono::DateTime<chrono_tz::Tz>| moment.with_timezone(&chrono::Utc).format("%dT%H:%MZ").to_string();
        schedule.after(&from).take(100).take_while(|moment| *moment < end).map(utc).collect()
    }

    #[test]
    fn loses_a_day_in_spring() {
        assert_eq!(fires("30 1 * * *", (2027, 3, 28), 24), Vec::<String>::new());
        assert_eq!(all_due(&schedule("30 1 * * *", WorkingDay::Any, EVERY), "2027-03-28T00:00:00Z", "2027-03-28T23:00:00Z").len(), 1);
    }

    #[test]
    fn fires_twice_in_autumn() {
        assert_eq!(fires("30 1 * * *", (2027, 10, 31), 24), ["31T00:30Z", "31T01:30Z"]);
        assert_eq!(all_due(&schedule("30 1 * * *", WorkingDay::Any, EVERY), "2027-10-30T23:00:00Z", "2027-10-31T23:00:00Z").len(), 1);
    }

    #[test]
    fn yields_times_backwards() {
        let fired = fires("*/15 * * * *", (2027, 10, 31), 4);
        assert!(!fired.is_sorted(), "{fired:?}");
    }

    #[test]
    fn is_silent_for_an_hour_when_stepped() {
        let schedule = ::cron::Schedule::from_str("0 */15 * * * *").unwrap();
        let mut moment = chrono_tz::Europe::London.with_ymd_and_hms(2027, 10, 31, 0, 50, 0).unwrap();
        let mut fired = Vec::new();
        for _ in 0..8 {
            moment = schedule.after(&moment).next().unwrap();
            fired.push(moment.with_timezone(&chrono::Utc).timestamp());
        }
        let longest = fired.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert_eq!(longest, Some(75 * 60), "{fired:?}");
    }

    #[test]
    fn counts_a_naive_test_into_safety() {
        // A year has 365 fires all the same, so counting alone would show nothing: one is lost and one is doubled.
        assert_eq!(fires_in_year(), 365);
    }

    fn fires_in_year() -> usize {
        let schedule = ::cron::Schedule::from_str("0 30 1 * * *").unwrap();
        let from = chrono_tz::Europe::London.with_ymd_and_hms(2027, 1, 1, 0, 0, 0).unwrap();
        let end = chrono_tz::Europe::London.with_ymd_and_hms(2028, 1, 1, 0, 0, 0).unwrap();
        schedule.after(&from).take(400).take_while(|moment| *moment < end).count()
    }

    #[test]
    fn takes_sunday_for_monday() {
        // In five-field cron, `1` is Monday. 5 July 2027 is a Monday.
        assert_eq!(fires("0 7 * * 1", (2027, 7, 1), 24 * 6), ["04T06:00Z"]);
        let monday = all_due(&schedule("0 7 * * 1", WorkingDay::Any, EVERY), "2027-07-01T00:00:00Z", "2027-07-07T00:00:00Z");
        assert_eq!(monday, ["2027-07-05T07:00[Europe/London] 2027-07-05T06:00:00Z"]);
    }
}

#[test]
fn either_day_field_will_do() {
    let fired = all_due(&schedule("0 7 19 * 1", WorkingDay::Any, EVERY), "2027-05-31T12:00:00Z", "2027-06-22T12:00:00Z");
    let days: Vec<_> = fired.iter().map(|key| key[8..10].to_owned()).collect();
    assert_eq!(days, ["07", "14", "19", "21"]);
}

#[test]
fn nothing_is_due_in_no_time() {
    let moment: Timestamp = at("2027-03-28T01:00:00Z");
    let due = |since, now| due(&schedule("* * * * *", WorkingDay::Any, EVERY), Calendar::england_and_wales(), since, now).unwrap();
    assert_eq!(due(moment, moment), Due::default());
    assert_eq!(due(moment, moment - SignedDuration::from_hours(1)), Due::default());
}
