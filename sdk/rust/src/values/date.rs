//! Civil dates, counted in days as they cross the boundary.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{Month, Weekday};

/// Julian day number of 1970-01-01.
const EPOCH: i32 = 2_440_588;

/// A civil date of the years 1 to 9999, as the hub has them. It has no time of day and no zone.
///
/// It counts days, so comparing and adding days costs nothing; year, month and day are worked out when asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    days: i32,
}

impl Date {
    /// A date that the author knows to exist, such as `Date::new(2026, 4, 1)`.
    ///
    /// # Panics
    /// If there is no such date. For dates from data see [`from_ymd`](Date::from_ymd).
    #[must_use]
    pub const fn new(year: i32, month: u8, day: u8) -> Self {
        match Self::from_ymd(year, month, day) {
            Some(date) => date,
            None => panic!("there is no such date"),
        }
    }

    /// A date, if there is such a date.
    #[must_use]
    pub const fn from_ymd(year: i32, month: u8, day: u8) -> Option<Self> {
        let Some(month) = month_of(month) else { return None };
        match time::Date::from_calendar_date(year, month, day) {
            Ok(date) => Self::from_days(date.to_julian_day() - EPOCH),
            Err(_) => None,
        }
    }

    /// The date so many days after 1970-01-01, if it is within the years 1 to 9999.
    #[must_use]
    #[inline]
    pub const fn from_days(days: i32) -> Option<Self> {
        // 0001-01-01: files have four digits for a year, and no sign.
        const FIRST: i32 = -719_162;
        const LAST: i32 = time::Date::MAX.to_julian_day() - EPOCH;
        if days < FIRST || days > LAST { None } else { Some(Self { days }) }
    }

    /// Reads `2026-03-31`.
    ///
    /// # Errors
    /// [`NotADate`] for any other form, and for dates that do not exist.
    pub fn parse(text: &str) -> Result<Self, NotADate> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(NotADate);
        }
        let number = |places: std::ops::Range<usize>| {
            bytes[places].iter().try_fold(0_i32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i32::from(byte - b'0')))
        };
        let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else { return Err(NotADate) };
        Self::from_ymd(year, month as u8, day as u8).ok_or(NotADate)
    }

    /// Days since 1970-01-01.
    #[must_use]
    #[inline]
    pub const fn days(self) -> i32 {
        self.days
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.civil().year()
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.civil().month().into()
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.civil().day()
    }

    /// The day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        self.civil().weekday()
    }

    /// Whether it is a Saturday or a Sunday. It does not know of bank holidays: those are a reference table.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        matches!(self.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// The date so many days later, or earlier where negative, if it is within the years 1 to 9999.
    #[must_use]
    pub const fn checked_add_days(self, days: i32) -> Option<Self> {
        match self.days.checked_add(days) {
            Some(days) => Self::from_days(days),
            None => None,
        }
    }

    /// The same day so many months later, or earlier where negative; the last day of that month where it has no such day.
    ///
    /// One month after 31 January is 28 or 29 February.
    ///
    /// # Panics
    /// If it would leave the years 1 to 9999.
    #[must_use]
    pub fn add_months(self, months: i32) -> Self {
        let count = self.year() * 12 + i32::from(self.month()) - 1;
        let count = count.checked_add(months).expect(BEYOND);
        let first = Self::from_ymd(count.div_euclid(12), count.rem_euclid(12) as u8 + 1, 1).expect(BEYOND);
        first + (i32::from(self.day()) - 1).min(i32::from(first.days_in_month()) - 1)
    }

    /// The first day of its month.
    #[must_use]
    pub fn month_start(self) -> Self {
        self - (i32::from(self.day()) - 1)
    }

    /// The last day of its month.
    #[must_use]
    pub fn month_end(self) -> Self {
        self.month_start() + (i32::from(self.days_in_month()) - 1)
    }

    /// How many days its month has.
    #[must_use]
    pub fn days_in_month(self) -> u8 {
        let date = self.civil();
        date.month().length(date.year())
    }

    /// How many birthdays somebody born on `self` has had by `on`; born on 29 February, they have it on 1 March in other years.
    #[must_use]
    pub fn full_years_until(self, on: Self) -> i32 {
        let before_birthday = (on.month(), on.day()) < (self.month(), self.day());
        on.year() - self.year() - i32::from(before_birthday)
    }

    fn civil(self) -> time::Date {
        time::Date::from_julian_day(self.days + EPOCH).expect("every Date is within the years of the calendar")
    }
}

const BEYOND: &str = "a date is beyond the years 1 to 9999";

const fn month_of(number: u8) -> Option<Month> {
    Some(match number {
        1 => Month::January,
        2 => Month::February,
        3 => Month::March,
        4 => Month::April,
        5 => Month::May,
        6 => Month::June,
        7 => Month::July,
        8 => Month::August,
        9 => Month::September,
        10 => Month::October,
        11 => Month::November,
        12 => Month::December,
        _ => return None,
    })
}

/// So many days later.
impl Add<i32> for Date {
    type Output = Self;

    fn add(self, days: i32) -> Self {
        self.checked_add_days(days).expect(BEYOND)
    }
}

/// So many days earlier.
impl Sub<i32> for Date {
    type Output = Self;

    fn sub(self, days: i32) -> Self {
        days.checked_neg().and_then(|days| self.checked_add_days(days)).expect(BEYOND)
    }
}

/// The number of days from the other date to this one.
impl Sub for Date {
    type Output = i32;

    fn sub(self, other: Self) -> i32 {
        self.days - other.days
    }
}

/// A text that is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADate;

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date: write year, month and day as in 2026-03-31")
    }
}

impl std::error::Error for NotADate {}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        Self::parse(text)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.civil();
        f.pad(&format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
    }
}

/// The name under which a date passes between a row's struct and its columns, as a number of days.
pub(crate) const DATE: &str = "bailiwick_sdk::Date";

/// In JSON, a date is text: `"2026-03-31"`.
impl Serialize for Date {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_newtype_struct(DATE, &self.days) }
    }
}

impl<'de> Deserialize<'de> for Date {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(DateVisitor)
        } else {
            deserializer.deserialize_newtype_struct(DATE, DateVisitor)
        }
    }
}

struct DateVisitor;

impl de::Visitor<'_> for DateVisitor {
    type Value = Date;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date, such as 2026-03-31")
    }

    #[inline]
    fn visit_i32<E: de::Error>(self, days: i32) -> Result<Date, E> {
        Date::from_days(days).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(i64::from(days)), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Date, E> {
        Date::parse(text).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}
