//! From wall times to moments: the working-day rule, then the clock changes of the zone.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::model::job::WorkingDay;

use super::calendar::DAYS_OFF_IN_A_ROW_MAX;
use super::{Calendar, Cron, ScheduleError};

/// No zone has moved its clock by more at once: Samoa left out a day.
const CLOCK_CHANGE_MAX: SignedDuration = SignedDuration::from_hours(26);

/// One time that a schedule names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The moment at which it is due.
    pub instant: Timestamp,
    /// The wall time that the expression names, before the working-day rule and the clock had their say.
    pub wall: DateTime,
    /// Names the slot for ever, within its job: `2026-03-29T01:30[Europe/London]`.
    pub key: String,
    /// The working day that it moved to, where the one that the expression names is none.
    pub moved_to: Option<Date>,
    /// What the clock did at that time.
    pub clock: ClockFact,
}

/// What the clock did at a slot's wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockFact {
    /// Nothing.
    Steady,
    /// It passed over the wall time, so the slot is due at the first moment after.
    PassedOver,
    /// It showed the wall time twice; this is the first.
    FirstOfTwo,
    /// It showed the wall time twice; this is the second.
    SecondOfTwo,
}

/// A slot, and whether something other than lateness keeps it from running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub slot: Slot,
    pub kept: Kept,
}

/// Whether a slot runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Runs,
    NoWorkingDay,
    SameMoment,
}

/// A schedule, ready to be worked out.
pub(super) struct Plan<'a> {
    pub cron: Cron,
    pub working_day: WorkingDay,
    pub calendar: &'a Calendar,
}

impl Plan<'_> {
    /// Every slot due after one moment and by another, in the order in which they are due.
    ///
    /// It loses and repeats none, however a span of time is cut.
    pub(super) fn between(&self, after: Timestamp, by: Timestamp) -> Result<Vec<Named>, ScheduleError> {
        let mut found = Vec::new();
        if after >= by {
            return Ok(found);
        }
        let (first, last) = self.walls(after, by)?;
        for wall in self.cron.walls_from(first).take_while(|wall| *wall <= last) {
            self.resolve(wall, &mut found)?;
        }
        found.retain(|named: &Named| after < named.slot.instant && named.slot.instant <= by);
        found.sort_by(|one, other| one.slot.cmp(&other.slot));
        Ok(found)
    }

    /// The first and last wall time that could be due in a span of time.
    fn walls(&self, after: Timestamp, by: Timestamp) -> Result<(DateTime, DateTime), ScheduleError> {
        let zone = self.cron.zone();
        let reach = |moment: Timestamp, way: SignedDuration| {
            let steady = zone.to_offset(earlier(moment)) == zone.to_offset(later(moment));
            zone.to_datetime(if steady { moment } else { moment.saturating_add(way).unwrap_or(moment) })
        };
        let (first, last) = (reach(after, -CLOCK_CHANGE_MAX), reach(by, CLOCK_CHANGE_MAX));
        Ok(match self.working_day {
            WorkingDay::Any | WorkingDay::Skip => (first, last),
            WorkingDay::Before => (first, self.end_of_days_off(last.date())),
            WorkingDay::After => (first.date().saturating_sub(days(DAYS_OFF_IN_A_ROW_MAX)).to_datetime(jiff::civil::Time::MIN), last),
        })
    }

    /// The end of the days off that follow a date: a slot on one of them may have moved back to the date.
    ///
    /// Where the calendar ends, so does the look ahead, one day after; a slot there is refused when it is worked out.
    fn end_of_days_off(&self, date: Date) -> DateTime {
        let mut end = date;
        for _ in 0..=DAYS_OFF_IN_A_ROW_MAX {
            let next = end.saturating_add(1.day());
            match self.calendar.is_working_day(next) {
                Ok(true) => break,
                Ok(false) => end = next,
                Err(_) => {
                    end = next;
                    break;
                }
            }
        }
        end.to_datetime(jiff::civil::Time::MAX)
    }

    fn resolve(&self, wall: DateTime, found: &mut Vec<Named>) -> Result<(), ScheduleError> {
        let day = match self.working_day {
            WorkingDay::Any => wall.date(),
            WorkingDay::Before => self.calendar.working_day_by(wall.date())?,
            WorkingDay::After => self.calendar.working_day_from(wall.date())?,
            WorkingDay::Skip if self.calendar.is_working_day(wall.date())? => wall.date(),
            WorkingDay::Skip => {
                self.place(wall, wall.date(), Kept::NoWorkingDay, found);
                return Ok(());
            }
        };
        self.place(wall, day, Kept::Runs, found);
        Ok(())
    }

    /// Finds the moment, or the moments, of a wall time on the day that it moved to.
    fn place(&self, wall: DateTime, day: Date, kept: Kept, found: &mut Vec<Named>) {
        let zone = self.cron.zone();
        let there = day.to_datetime(wall.time());
        let mut add = |instant, offset, clock, kept| {
            let moved_to = (day != wall.date()).then_some(day);
            found.push(Named { slot: Slot { instant, wall, key: self.key(wall, offset), moved_to, clock }, kept });
        };
        match zone.to_ambiguous_timestamp(there).offset() {
            AmbiguousOffset::Unambiguous { offset } => add(moment(there, offset), None, ClockFact::Steady, kept),
            AmbiguousOffset::Fold { before, after } if self.cron.is_pace() => {
                add(moment(there, before), Some(before), ClockFact::FirstOfTwo, kept);
                add(moment(there, after), Some(after), ClockFact::SecondOfTwo, kept);
            }
            AmbiguousOffset::Fold { before, .. } => add(moment(there, before), None, ClockFact::FirstOfTwo, kept),
            AmbiguousOffset::Gap { before, after } => {
                let change = change_before(zone, moment(there, before));
                if day != wall.date() {
                    add(change, None, ClockFact::PassedOver, kept);
                } else if !self.cron.is_pace() {
                    let (starts, ends) = (before.to_datetime(change), after.to_datetime(change));
                    let alone = !self.cron.names(ends) && self.cron.walls_from(starts).next() == Some(wall);
                    add(change, None, ClockFact::PassedOver, if alone || kept != Kept::Runs { kept } else { Kept::SameMoment });
                }
            }
        }
    }

    /// The key: the wall time and zone, and the offset where one wall time is two slots.
    fn key(&self, wall: DateTime, offset: Option<Offset>) -> String {
        let zone = self.cron.zone().iana_name().expect("a schedule's zone has a name, as it was found by it");
        let offset = offset.map(|offset| {
            jiff::fmt::strtime::format(
                "%:z",
                &wall.to_zoned(offset.to_time_zone()).expect("a wall time of a schedule is within jiff's years"),
            )
        });
        let offset = offset.map(|text| text.expect("an offset can always be written")).unwrap_or_default();
        format!("{}T{:02}:{:02}{offset}[{zone}]", wall.date(), wall.hour(), wall.minute())
    }
}

fn moment(wall: DateTime, offset: Offset) -> Timestamp {
    offset.to_timestamp(wall).expect("a wall time of a schedule is within jiff's years")
}

/// The clock change at or before a moment.
fn change_before(zone: &jiff::tz::TimeZone, moment: Timestamp) -> Timestamp {
    let just_after = moment.saturating_add(SignedDuration::from_secs(1)).unwrap_or(moment);
    zone.preceding(just_after).next().map_or(moment, |change| change.timestamp())
}

fn earlier(moment: Timestamp) -> Timestamp {
    moment.saturating_sub(CLOCK_CHANGE_MAX).unwrap_or(Timestamp::MIN)
}

fn later(moment: Timestamp) -> Timestamp {
    moment.saturating_add(CLOCK_CHANGE_MAX).unwrap_or(Timestamp::MAX)
}

fn days(count: usize) -> jiff::Span {
    i32::try_from(count).expect("a few days").days()
}
