//! When jobs run: pure functions of time.
//!
//! Cron expressions are read in an IANA zone, clock changes and working days have defined answers, and each slot has a key
//! that never changes, so that a repeated tick is harmless. It must not know the present time, jobs' names or the ledger.
//!
//! ```text
//! cron + zone → wall times → working-day rule → moments → catch-up rule → slots to run, slots skipped and why
//! ```
//!
//! Clock changes. An expression whose hour field leaves an hour out names times of day, and each runs once a day: one that
//! the clock passes over runs at the first moment after, one that happens twice runs the first time.
//! An expression whose hour field takes every hour names a pace, and keeps it through both changes.

mod calendar;
mod cron;
mod due;
mod slots;

use jiff::civil::Date;

pub use calendar::Calendar;
pub use cron::Cron;
pub use due::{CATCH_UP_SLOTS_MAX, Due, ON_TIME, SkipReason, SkippedSlot, between, check, describe, due, next, next_due};
pub use slots::{ClockFact, Slot};

/// Why a schedule cannot be read or worked out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The operator mends the expression.
    #[error(
        "{expression:?} is not a cron expression: {why}. Write five fields: minute, hour, day of month, month, day of week, such as \"0 7 19 * *\""
    )]
    NotCron {
        /// What was given.
        expression: String,
        /// What is wrong with it.
        why: String,
    },
    /// The operator mends the zone's name.
    #[error("{zone:?} is not a time zone: write a name of the IANA database as it stands there, such as \"Europe/London\"")]
    NoSuchZone {
        /// What was given.
        zone: String,
    },
    /// The operator mends the schedule.
    #[error("the schedule {expression:?} makes no sense: {why}")]
    Senseless {
        /// The expression.
        expression: String,
        /// What is wrong, and what to write.
        why: String,
    },
    /// The hub needs a newer table of bank holidays.
    #[error(
        "bank holidays are known from {first_year} to {last_year} (table {version}), so it is not known whether {date} is a working day: give the hub a newer table"
    )]
    OutsideCalendar {
        /// The day that was asked for.
        date: Date,
        /// First year of the table.
        first_year: i16,
        /// Last year of the table.
        last_year: i16,
        /// The table's version.
        version: String,
    },
    /// The table of bank holidays is mended.
    #[error("the table of bank holidays cannot be used: {why}")]
    BadCalendar {
        /// What is wrong with it.
        why: String,
    },
}

#[cfg(test)]
mod tests;
