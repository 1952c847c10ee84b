//! Working days of England and Wales: Monday to Friday, except bank holidays, which are data with a version.
//!
//! A date outside the years of the table is refused, never guessed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan};

use super::ScheduleError;

const ENGLAND_AND_WALES: &str = include_str!("../../data/bank-holidays-england-and-wales.csv");

/// Most days off in a row, so that nobody searches for a working day without end. Christmas and Easter have four;
/// a table with more is refused.
pub(super) const DAYS_OFF_IN_A_ROW_MAX: usize = 10;

/// Which days are working days, for some years.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    version: String,
    first_year: i16,
    last_year: i16,
    holidays: BTreeMap<Date, String>,
}

impl Calendar {
    /// The table that comes with the hub.
    #[must_use]
    pub fn england_and_wales() -> &'static Self {
        static TABLE: LazyLock<Calendar> =
            LazyLock::new(|| Calendar::parse(ENGLAND_AND_WALES).expect("the table that comes with the hub is read in a test"));
        &TABLE
    }

    /// Reads a table: notes `# version: 2026-11` and `# years: 2018 to 2028`, the line `date,name`, then one line a day.
    ///
    /// # Errors
    /// [`ScheduleError::BadCalendar`].
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let bad = |why: String| ScheduleError::BadCalendar { why };
        let note = |name: &str| text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(": "));
        let version = note("version").ok_or_else(|| bad("it has no version".to_owned()))?.trim().to_owned();
        let years = note("years").and_then(|years| years.split_once(" to "));
        let years = years.and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
        let (first_year, last_year) = years.filter(|(first, last)| first <= last).ok_or_else(|| bad("it has no years".to_owned()))?;
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        if lines.next() != Some("date,name") {
            return Err(bad("its first line is not date,name".to_owned()));
        }
        let mut holidays = BTreeMap::new();
        for line in lines {
            let day = line.split_once(',').and_then(|(date, name)| Some((date.parse::<Date>().ok()?, name)));
            let (date, name) = day.ok_or_else(|| bad(format!("{line:?} is not a date and a name")))?;
            if !(first_year..=last_year).contains(&date.year()) {
                return Err(bad(format!("{date} is outside its years")));
            }
            if holidays.insert(date, name.to_owned()).is_some() {
                return Err(bad(format!("{date} stands there twice")));
            }
        }
        let calendar = Self { version, first_year, last_year, holidays };
        calendar.check()?;
        Ok(calendar)
    }

    /// What names the table in the record of a run.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The last day that it knows.
    #[must_use]
    pub fn last_day(&self) -> Date {
        jiff::civil::date(self.last_year, 12, 31)
    }

    /// A moment in its first days, wherever one is.
    pub(super) fn first_moment(&self) -> Timestamp {
        let day = jiff::civil::date(self.first_year, 1, 3);
        jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).expect("a year of a calendar is within jiff's years")
    }

    /// The name of the bank holiday on a date.
    #[must_use]
    pub fn holiday(&self, date: Date) -> Option<&str> {
        self.holidays.get(&date).map(String::as_str)
    }

    /// Whether a date is a working day.
    ///
    /// # Errors
    /// [`ScheduleError::OutsideCalendar`].
    pub fn is_working_day(&self, date: Date) -> Result<bool, ScheduleError> {
        if !(self.first_year..=self.last_year).contains(&date.year()) {
            let version = self.version.clone();
            return Err(ScheduleError::OutsideCalendar { date, first_year: self.first_year, last_year: self.last_year, version });
        }
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        Ok(!weekend && !self.holidays.contains_key(&date))
    }

    /// The date, or the last working day before it.
    ///
    /// # Errors
    /// [`ScheduleError::OutsideCalendar`].
    pub fn working_day_by(&self, date: Date) -> Result<Date, ScheduleError> {
        self.nearest(date, -1)
    }

    /// The date, or the first working day after it.
    ///
    /// # Errors
    /// [`ScheduleError::OutsideCalendar`].
    pub fn working_day_from(&self, date: Date) -> Result<Date, ScheduleError> {
        self.nearest(date, 1)
    }

    fn nearest(&self, mut date: Date, step: i32) -> Result<Date, ScheduleError> {
        while !self.is_working_day(date)? {
            date = date.saturating_add(step.days());
        }
        Ok(date)
    }

    fn check(&self) -> Result<(), ScheduleError> {
        let mut date = jiff::civil::date(self.first_year, 1, 1);
        let mut off = 0;
        while date <= self.last_day() {
            off = if self.is_working_day(date)? { 0 } else { off + 1 };
            if off > DAYS_OFF_IN_A_ROW_MAX {
                return Err(ScheduleError::BadCalendar {
                    why: format!("more than {DAYS_OFF_IN_A_ROW_MAX} days off in a row, up to {date}"),
                });
            }
            date = date.saturating_add(1.day());
        }
        Ok(())
    }
}
