//! What is due: the slots of a span of time, and which of those that are late still run.

use jiff::{SignedDuration, Timestamp};

use crate::model::job::{CatchUp, Schedule, WorkingDay};

use super::slots::{Kept, Named, Plan};
use super::{Calendar, Cron, ScheduleError, Slot};

/// A slot that is found within this time is on time and runs whatever the catch-up rule: cron's own step is a minute.
pub const ON_TIME: SignedDuration = SignedDuration::from_mins(1);

/// Most slots that a catch-up may be told to run.
pub const CATCH_UP_SLOTS_MAX: u32 = 1_000;

/// The first stretch that is looked through for what comes next: a job may run every minute. Each one after it is twice as long.
const SPAN_MIN: SignedDuration = SignedDuration::from_mins(4);

/// How far ahead [`next`] looks: the longest that a 29 February is away, and a year.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24 * 366 * 9);

/// What a schedule names in a span of time. Every slot is in one of the two lists, once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// To be run, in the order in which they were due.
    pub slots: Vec<Slot>,
    /// To be recorded as skipped, in the same order.
    pub skipped: Vec<SkippedSlot>,
}

/// A slot that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedSlot {
    /// Which.
    pub slot: Slot,
    /// Why.
    pub reason: SkipReason,
}

/// Why a slot does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// The schedule leaves out weekends and bank holidays.
    #[error("not a working day")]
    NoWorkingDay,
    /// The clock passed over it, and the job runs at the first moment after anyway.
    #[error("the clock passed over this time, and the job ran once for all such times")]
    SameMoment,
    /// No hub was running, or the job was paused, and the catch-up rule does not make up for it.
    #[error("its time passed while no hub was running or the job was paused, and the schedule does not catch up with it")]
    Missed,
}

/// What is due after one moment and by another, itself included.
///
/// `since` is the `now` of the call before, or the moment at which the job was declared.
/// However the time is cut, each slot is answered once.
///
/// # Errors
/// [`ScheduleError`]: the schedule cannot be read, or needs a day that the calendar does not know.
pub fn due(schedule: &Schedule, calendar: &Calendar, since: Timestamp, now: Timestamp) -> Result<Due, ScheduleError> {
    let named = plan(schedule, calendar)?.between(since, now)?;
    let late = |slot: &Slot| now.duration_since(slot.instant) > ON_TIME;
    let run = named.iter().filter(|named| named.kept == Kept::Runs);
    let late_count = run.clone().filter(|named| late(&named.slot)).count();
    let run_count = run.count();
    let missed = match schedule.catch_up {
        CatchUp::Skip => late_count,
        CatchUp::Once => late_count.min(run_count.saturating_sub(1)),
        CatchUp::All { slots_max } => late_count.saturating_sub(usize::try_from(slots_max).unwrap_or(usize::MAX)),
    };
    let mut due = Due::default();
    let mut place = 0;
    for Named { slot, kept } in named {
        let reason = match kept {
            Kept::NoWorkingDay => Some(SkipReason::NoWorkingDay),
            Kept::SameMoment => Some(SkipReason::SameMoment),
            Kept::Runs => {
                place += 1;
                (place <= missed).then_some(SkipReason::Missed)
            }
        };
        match reason {
            Some(reason) => due.skipped.push(SkippedSlot { slot, reason }),
            None => due.slots.push(slot),
        }
    }
    Ok(due)
}

/// Every slot that runs after one moment and by another, however late it is now.
///
/// # Errors
/// [`ScheduleError`]: the schedule cannot be read, or needs a day that the calendar does not know.
pub fn between(schedule: &Schedule, calendar: &Calendar, after: Timestamp, by: Timestamp) -> Result<Vec<Slot>, ScheduleError> {
    let named = plan(schedule, calendar)?.between(after, by)?;
    Ok(named.into_iter().filter(|named| named.kept == Kept::Runs).map(|named| named.slot).collect())
}

/// The next slots that will run after a moment, at most `count`; fewer where the calendar ends, or nine years on.
///
/// # Errors
/// [`ScheduleError`]: the schedule cannot be read, or the calendar ends before the first of them.
pub fn next(schedule: &Schedule, calendar: &Calendar, after: Timestamp, count: usize) -> Result<Vec<Slot>, ScheduleError> {
    ahead(schedule, calendar, (after, count), |named| named.kept == Kept::Runs)
}

/// The first moment after another at which a slot is due, to be run or to be recorded as skipped; none where the calendar ends, or
/// nine years on.
///
/// # Errors
/// As for [`next`].
pub fn next_due(schedule: &Schedule, calendar: &Calendar, after: Timestamp) -> Result<Option<Timestamp>, ScheduleError> {
    Ok(ahead(schedule, calendar, (after, 1), |_| true)?.first().map(|slot| slot.instant))
}

fn ahead(
    schedule: &Schedule,
    calendar: &Calendar,
    (after, count): (Timestamp, usize),
    wanted: impl Fn(&Named) -> bool,
) -> Result<Vec<Slot>, ScheduleError> {
    let plan = plan(schedule, calendar)?;
    let mut found = Vec::new();
    let (mut from, mut span) = (after, SPAN_MIN);
    let end = after.saturating_add(AHEAD_MAX).unwrap_or(Timestamp::MAX);
    while found.len() < count && from < end {
        let by = from.saturating_add(span).unwrap_or(Timestamp::MAX).min(end);
        match plan.between(from, by) {
            Ok(named) => found.extend(named.into_iter().filter(&wanted).map(|named| named.slot)),
            // The end of the calendar may lie behind the slots that are asked for, so it is come up to in ever smaller steps.
            Err(_) if span > SPAN_MIN => {
                span = SignedDuration::from_secs(span.as_secs() / 2);
                continue;
            }
            Err(error) if found.is_empty() => return Err(error),
            Err(_) => break,
        }
        (from, span) = (by, SignedDuration::from_secs(span.as_secs() * 2));
    }
    found.truncate(count);
    Ok(found)
}

/// Judges a schedule before it is put in force.
///
/// # Errors
/// [`ScheduleError::NotCron`], [`ScheduleError::NoSuchZone`], or [`ScheduleError::Senseless`] where the working-day rule
/// and the expression make no sense together.
pub fn check(schedule: &Schedule, calendar: &Calendar) -> Result<(), ScheduleError> {
    let cron = Cron::parse(&schedule.cron, &schedule.zone)?;
    let senseless = |why: &str| Err(ScheduleError::Senseless { expression: schedule.cron.clone(), why: why.to_owned() });
    match schedule.working_day {
        WorkingDay::Before | WorkingDay::After if cron.is_pace() => {
            senseless("it runs every hour, and all runs of a weekend would move to one day; write working-day = \"skip\" or \"any\"")
        }
        WorkingDay::Skip if next(schedule, calendar, calendar.first_moment(), 1).unwrap_or_default().is_empty() => senseless(
            "it names no working day in any year of the calendar, so it would never run; write working-day = \"before\" or \"after\"",
        ),
        _ => Ok(()),
    }
}

/// A schedule in words: `At 07:00, on day 19 (Europe/London); on a weekend or bank holiday, the working day before`.
///
/// # Errors
/// [`ScheduleError`] if it cannot be read.
pub fn describe(schedule: &Schedule) -> Result<String, ScheduleError> {
    let cron = Cron::parse(&schedule.cron, &schedule.zone)?;
    let days_off = match schedule.working_day {
        WorkingDay::Any => "",
        WorkingDay::Before => "; on a weekend or bank holiday, the working day before",
        WorkingDay::After => "; on a weekend or bank holiday, the working day after",
        WorkingDay::Skip => "; not on weekends and bank holidays",
    };
    Ok(format!("{} ({}){days_off}", cron.words(), schedule.zone))
}

fn plan<'a>(schedule: &Schedule, calendar: &'a Calendar) -> Result<Plan<'a>, ScheduleError> {
    let cron = Cron::parse(&schedule.cron, &schedule.zone)?;
    Ok(Plan { cron, working_day: schedule.working_day, calendar })
}
