//! A cron expression in a zone: which wall times it names.

use croner::parser::{CronParser, Seconds, Year};
use jiff::ToSpan;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::ScheduleError;

/// Hours of a day: an hour field that takes all of them names a pace, not times of day.
const HOURS: usize = 24;

/// A cron expression in a zone.
///
/// Five fields. Day of month and day of week: where both are restricted, either will do. `L`, `W` and `#` are understood.
#[derive(Debug, Clone)]
pub struct Cron {
    pattern: croner::Cron,
    zone: TimeZone,
}

impl Cron {
    /// Reads an expression and a zone.
    ///
    /// # Errors
    /// [`ScheduleError::NotCron`], also where no date ever fits, and [`ScheduleError::NoSuchZone`].
    pub fn parse(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let no_such_zone = || ScheduleError::NoSuchZone { zone: zone.to_owned() };
        let found = TimeZone::get(zone).map_err(|_| no_such_zone())?;
        if found.iana_name() != Some(zone) {
            return Err(no_such_zone());
        }
        let not_cron = |why: &str| ScheduleError::NotCron { expression: expression.to_owned(), why: why.to_owned() };
        if expression.contains('@') {
            return Err(not_cron("names such as @daily do not show what they mean"));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let pattern = parser.parse(expression).map_err(|error| not_cron(error.to_string().trim_end_matches('.')))?;
        let cron = Self { pattern, zone: found };
        let leap_years_around = jiff::civil::date(2000, 1, 1).at(0, 0, 0, 0);
        if cron.next_wall(leap_years_around).is_none() {
            return Err(not_cron("there is no such day in any year"));
        }
        Ok(cron)
    }

    /// Its zone.
    pub(super) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether it names a pace that goes on through clock changes, rather than times of day.
    #[must_use]
    pub fn is_pace(&self) -> bool {
        self.pattern.pattern.hours.values().len() == HOURS
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        self.pattern.describe().trim_end_matches('.').to_owned()
    }

    /// Whether it names a wall time.
    pub(super) fn names(&self, wall: DateTime) -> bool {
        self.pattern.is_time_matching(&wall).unwrap_or(false)
    }

    /// The wall times from one on, itself included, in order.
    pub(super) fn walls_from(&self, first: DateTime) -> impl Iterator<Item = DateTime> + '_ {
        std::iter::successors(self.next_wall(first), |wall| self.next_wall(wall.saturating_add(1.minute())))
    }

    fn next_wall(&self, from: DateTime) -> Option<DateTime> {
        self.pattern.find_next_occurrence(&from, true).ok()
    }
}
