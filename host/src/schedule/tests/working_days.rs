//! The working-day rule: a slot that moves is due before or after the day that the expression names.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::*;

/// Working days of each year, counted outside of this program, with another calendar library.
const WORKING_DAYS: [(i16, usize); 11] = [
    (2018, 253),
    (2019, 253),
    (2020, 254),
    (2021, 253),
    (2022, 250),
    (2023, 251),
    (2024, 254),
    (2025, 253),
    (2026, 253),
    (2027, 253),
    (2028, 252),
];

#[test]
fn every_year_has_its_working_days() {
    let calendar = Calendar::england_and_wales();
    for (year, count) in WORKING_DAYS {
        let days = (0..366).map(|day| date(year, 1, 1).saturating_add(day.days())).filter(|day| day.year() == year);
        assert_eq!(days.filter(|day| calendar.is_working_day(*day).unwrap()).count(), count, "{year}");
    }
    assert_eq!((calendar.version(), calendar.last_day()), ("2026-11", date(2028, 12, 31)));
    assert_eq!(calendar.holiday(date(2022, 9, 19)), Some("State Funeral of Queen Elizabeth II"));
}

#[test]
fn dates_outside_the_table_are_refused() {
    let calendar = Calendar::england_and_wales();
    for outside in [date(2017, 12, 31), date(2029, 1, 1)] {
        assert!(matches!(calendar.is_working_day(outside), Err(ScheduleError::OutsideCalendar { date, .. }) if date == outside));
    }
    assert!(calendar.working_day_by(date(2018, 1, 1)).is_err(), "the day before the table is needed");
    let due_in = |cron, since, now| due(&schedule(cron, WorkingDay::Before, EVERY), calendar, at(since), at(now));
    // A daily job on 29 December 2028, a Friday, cannot know whether Monday 1 January is a working day, and a job of the 19th need not.
    assert!(due_in("0 7 * * *", "2028-12-29T00:00:00Z", "2028-12-29T12:00:00Z").is_err());
    assert!(due_in("0 7 19 * *", "2028-12-29T00:00:00Z", "2028-12-29T12:00:00Z").unwrap().slots.is_empty());
    assert_eq!(due_in("0 7 * * *", "2028-12-28T00:00:00Z", "2028-12-28T12:00:00Z").unwrap().slots.len(), 1);
}

#[test]
fn tables_that_cannot_be_used_are_refused() {
    let good = "# version: 1\n# years: 2026 to 2026\ndate,name\n2026-12-25,Christmas Day\n";
    assert_eq!(Calendar::parse(good).unwrap().version(), "1");
    let long: String = (1..=20).map(|day| format!("2026-05-{day:02},Long\n")).collect();
    for (bad, told) in [
        (good.replace("# version: 1\n", ""), "no version"),
        (good.replace("2026 to 2026", "2026"), "no years"),
        (good.replace("2026 to 2026", "2026 to 2025"), "no years"),
        (good.replace("date,name\n", ""), "first line"),
        (good.replace("2026-12-25", "25/12/2026"), "not a date"),
        (good.replace("2026-12-25", "2027-12-25"), "outside its years"),
        (format!("{good}2026-12-25,Again\n"), "twice"),
        (format!("{good}{long}"), "days off in a row"),
    ] {
        let error = Calendar::parse(&bad).unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
}

#[test]
fn slots_move_to_working_days() {
    use WorkingDay::{After, Any, Before};
    for (cron, rule, since, now, named, instant) in [
        // 19 April 2026 is a Sunday.
        ("0 7 19 * *", Before, "2026-04-10", "2026-04-30", "2026-04-19T07:00", "2026-04-17T06:00:00Z"),
        ("0 7 19 * *", After, "2026-04-10", "2026-04-30", "2026-04-19T07:00", "2026-04-20T06:00:00Z"),
        ("0 7 19 * *", Any, "2026-04-10", "2026-04-30", "2026-04-19T07:00", "2026-04-19T06:00:00Z"),
        // Easter 2026: Friday 3 to Monday 6 April.
        ("0 7 6 * *", Before, "2026-04-02", "2026-04-03", "2026-04-06T07:00", "2026-04-02T06:00:00Z"),
        ("0 7 3 * *", After, "2026-04-07", "2026-04-08", "2026-04-03T07:00", "2026-04-07T06:00:00Z"),
        // Sunday 28 March 2027, at a time that the clock passes over, with Good Friday and Easter Monday round it.
        ("30 1 28 * *", Before, "2027-03-20", "2027-03-31", "2027-03-28T01:30", "2027-03-25T01:30:00Z"),
        ("30 1 28 * *", After, "2027-03-20", "2027-03-31", "2027-03-28T01:30", "2027-03-30T00:30:00Z"),
        // Christmas 2027 is at a weekend, so Monday and Tuesday are off too.
        ("0 7 25 12 *", After, "2027-12-20", "2027-12-31", "2027-12-25T07:00", "2027-12-29T07:00:00Z"),
        // A new year's day moves into the old year.
        ("0 7 1 1 *", Before, "2026-12-30", "2027-01-05", "2027-01-01T07:00", "2026-12-31T07:00:00Z"),
    ] {
        let found = all_due(&schedule(cron, rule, EVERY), &format!("{since}T00:00:00Z"), &format!("{now}T00:00:00Z"));
        assert_eq!(found, [format!("{named}[Europe/London] {instant}")], "{cron} {rule:?}");
    }
}

#[test]
fn two_slots_that_move_to_one_day_stay_two() {
    let fired = all_due(&schedule("0 7 * * *", WorkingDay::Before, EVERY), "2026-04-17T00:00:00Z", "2026-04-17T12:00:00Z");
    let expected: Vec<_> = ["17", "18", "19"].map(|day| format!("2026-04-{day}T07:00[Europe/London] 2026-04-17T06:00:00Z")).to_vec();
    assert_eq!(fired, expected);
    assert_eq!(
        all_due(&schedule("0 7 * * *", WorkingDay::Before, EVERY), "2026-04-17T12:00:00Z", "2026-04-20T00:00:00Z"),
        Vec::<String>::new()
    );
}

#[test]
fn a_skipped_day_is_told() {
    let due = due(
        &schedule("0 7 * * *", WorkingDay::Skip, CatchUp::Once),
        Calendar::england_and_wales(),
        at("2026-12-24T12:00:00Z"),
        at("2026-12-29T07:00:00Z"),
    );
    let due = due.unwrap();
    let days: Vec<_> = due.skipped.iter().map(|skipped| (skipped.slot.wall.day(), skipped.reason)).collect();
    assert_eq!(days, [25, 26, 27, 28].map(|day| (day, SkipReason::NoWorkingDay)));
    assert_eq!(due.slots.len(), 1);
}

/// Every slot of a year, worked out here with nothing but the list of days.
#[test]
fn a_year_of_moves_is_what_a_list_of_days_gives() {
    let calendar = Calendar::england_and_wales();
    let off = |day: Date| {
        matches!(day.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday) || calendar.holiday(day).is_some()
    };
    for (rule, step) in [(WorkingDay::Before, -1), (WorkingDay::After, 1)] {
        let mut expected: Vec<(Date, Date)> = Vec::new();
        for place in -15..380 {
            let named = date(2027, 1, 1).saturating_add(place.days());
            let mut day = named;
            while off(day) {
                day = day.saturating_add(step.days());
            }
            if day.year() == 2027 {
                expected.push((day, named));
            }
        }
        expected.sort();
        let due = due(&schedule("0 12 * * *", rule, EVERY), calendar, at("2026-12-31T23:59:59Z"), at("2027-12-31T23:59:59Z")).unwrap();
        let found: Vec<_> = due.slots.iter().map(|slot| (slot.moved_to.unwrap_or(slot.wall.date()), slot.wall.date())).collect();
        assert_eq!(found, expected, "{rule:?}");
    }
}
