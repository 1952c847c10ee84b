//! Dates beside the crate `time`, and the month ends where adding months goes wrong.

#![allow(clippy::unwrap_used, missing_docs)]

use bailiwick_sdk::{Date, Weekday};
use proptest::prelude::*;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn months_are_clamped_to_their_end() {
    for (from, months, expected) in [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", -13, "2024-12-15"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-05-31", 0, "2026-05-31"),
    ] {
        assert_eq!(date(from).add_months(months), date(expected), "{from} + {months}");
    }
    assert_eq!(date("2028-02-10").month_end(), date("2028-02-29"));
    assert_eq!(date("2100-02-10").days_in_month(), 28);
    assert_eq!(date("2026-10-19").month_start(), date("2026-10-01"));
}

#[test]
fn birthdays_count_from_the_day_itself() {
    for (born, on, years) in [
        ("2000-10-19", "2026-10-18", 25),
        ("2000-10-19", "2026-10-19", 26),
        ("2004-02-29", "2026-02-28", 21),
        ("2004-02-29", "2026-03-01", 22),
        ("2004-02-29", "2028-02-29", 24),
    ] {
        assert_eq!(date(born).full_years_until(date(on)), years, "{born} to {on}");
    }
}

#[test]
fn only_real_dates_in_one_form_are_read() {
    for text in
        ["2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "26-01-01", "2026/01/01", "2026-1-01", "2026-01-01 ", "+026-01-01", ""]
    {
        assert!(text.parse::<Date>().is_err(), "{text}");
    }
    assert_eq!(Date::from_days(0), Some(Date::new(1970, 1, 1)));
    assert_eq!((Date::from_days(i32::MAX), Date::from_days(i32::MIN)), (None, None));
    let (first, last) = (Date::new(1, 1, 1), Date::new(9999, 12, 31));
    assert_eq!((Date::from_days(first.days()), Date::from_days(last.days())), (Some(first), Some(last)));
    assert_eq!((Date::from_days(first.days() - 1), Date::from_days(last.days() + 1)), (None, None), "the hub has no such years");
    assert_eq!((Date::from_ymd(0, 12, 31), Date::from_ymd(-1, 1, 1), Date::parse("0000-12-31").ok()), (None, None, None));
    assert_eq!((first.checked_add_days(-1), first.to_string().as_str()), (None, "0001-01-01"));
    assert_eq!(Date::new(2026, 11, 2).weekday(), Weekday::Monday);
    assert!(Date::new(2026, 11, 1).is_weekend() && !Date::new(2026, 11, 2).is_weekend());
    assert_eq!(serde_json::to_string(&Date::new(2026, 4, 1)).unwrap(), "\"2026-04-01\"");
    assert_eq!(serde_json::from_str::<Date>("\"2026-04-01\"").unwrap(), Date::new(2026, 4, 1));
}

proptest! {
    #[test]
    fn days_are_those_of_the_calendar(days in -200_000_i32..200_000, more in -100_000_i32..100_000) {
        let ours = Date::from_days(days).unwrap();
        let theirs = time::Date::from_ordinal_date(1970, 1).unwrap() + time::Duration::days(i64::from(days));
        prop_assert_eq!((ours.year(), ours.month(), ours.day()), (theirs.year(), u8::from(theirs.month()), theirs.day()));
        prop_assert_eq!(ours.to_string().parse::<Date>().ok(), (ours.year() >= 0).then_some(ours));
        prop_assert_eq!((ours + more) - ours, more);
        prop_assert_eq!(Date::from_ymd(ours.year(), ours.month(), ours.day()), Some(ours));
    }

    #[test]
    fn adding_months_lands_in_that_month(days in -200_000_i32..200_000, months in -600_i32..600) {
        let from = Date::from_days(days).unwrap();
        let to = from.add_months(months);
        prop_assert_eq!(to.year() * 12 + i32::from(to.month()), from.year() * 12 + i32::from(from.month()) + months);
        prop_assert_eq!(to.day(), from.day().min(to.days_in_month()));
    }
}
