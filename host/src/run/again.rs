//! What is done again, or late: replays of runs, and the slots of a time gone by.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Hub;
use super::failure::RunError;
use crate::ledger::{By, NewRun, Pulled, Run, RunEvent, RunFilter, RunState, Scope, StoredJob, Trigger};
use crate::model::ids::RunId;
use crate::schedule::{self, CATCH_UP_SLOTS_MAX, Calendar, Slot};

/// Runs that are read at once while a job's past is looked through.
const PAGE: u32 = 200;

/// Days that can be asked for at once: a year and a month. All their times are worked out before any is counted.
const DAYS_MAX: i32 = 400;

/// A slot of a time gone by, and what came of asking for it.
#[derive(Debug, Clone)]
pub struct Backfilled {
    /// The slot.
    pub slot: Slot,
    /// Its run.
    pub run: RunId,
    /// Whether it was put in the queue now; otherwise it has run, or waits, already.
    pub new: bool,
}

/// The state of a job's plugin, by key.
pub(super) type State = std::collections::BTreeMap<String, Vec<u8>>;

impl Hub {
    /// Puts a run in the queue that does another again: from its stored inputs, with its job file, release, tables, seed, time and
    /// state. It delivers nothing; it closes if every output has the same bytes and every total the same sum, and is held if not.
    ///
    /// # Errors
    /// [`RunError::NothingToReplay`] if the run's rows were never processed.
    pub async fn replay(&self, scope: Scope<'_>, origin: RunId, by: &By) -> Result<RunId, RunError> {
        let missing = || crate::ledger::LedgerError::NotFound { what: "run", name: origin.to_string() };
        let run = self.ledger().run(scope, origin).await?.ok_or_else(missing)?;
        if let Trigger::Replay(first) = run.trigger() {
            return Box::pin(self.replay(scope, first, by)).await;
        }
        if run.standing.is_none() {
            return Err(RunError::NothingToReplay { run: origin.to_string(), state: run.state });
        }
        self.refuse_expired(scope, origin).await?;
        let new = NewRun {
            partner: run.partner().clone(),
            job: run.job().clone(),
            trigger: Trigger::Replay(origin),
            slot: None,
            logical_ms: run.enqueued.logical_ms,
            calendar: run.enqueued.calendar.clone(),
            dry_run: true,
            release: None,
        };
        Ok(self.ledger().enqueue(&new, by).await?.run)
    }

    /// Puts every slot of some days in the queue that has not run: those that a paused job or a stopped hub missed, and those
    /// from before the job was declared. Days are of the schedule's own zone, both ends included.
    ///
    /// # Errors
    /// [`RunError::NotBackfilled`] if the job has no schedule, or the days make no sense.
    pub async fn backfill(&self, job: &StoredJob, days: (Date, Date), dry_run: bool, by: &By) -> Result<Vec<Backfilled>, RunError> {
        let calendar = Calendar::england_and_wales();
        let mut backfilled = Vec::new();
        for slot in self.slots_of_days(job, days).await? {
            let (run, new) = self.backfill_slot(job, &slot, (calendar.version(), dry_run), by).await?;
            backfilled.push(Backfilled { slot, run, new });
        }
        Ok(backfilled)
    }

    /// The times of some days that have come, whether they have run or not: what [`Hub::backfill`] puts in the queue.
    ///
    /// # Errors
    /// As for [`Hub::backfill`].
    pub async fn slots_of_days(&self, job: &StoredJob, days: (Date, Date)) -> Result<Vec<Slot>, RunError> {
        let refused = |why: String| RunError::NotBackfilled { job: job.name.clone(), why };
        let schedule =
            self.schedule_of(job).await?.ok_or_else(|| refused(format!("it has no schedule: use `bailiwick run {}`", job.name)))?;
        let moment = |date: Date| date.in_tz(&schedule.zone).map(|zoned| zoned.timestamp()).map_err(|error| refused(error.to_string()));
        let (first, end) = (moment(days.0)?, moment(days.1.tomorrow().map_err(|error| refused(error.to_string()))?)?);
        if days.1 < days.0 {
            return Err(refused(format!("{} is after {}", days.0, days.1)));
        }
        if days.0.checked_add(jiff::Span::new().days(DAYS_MAX)).is_ok_and(|last| days.1 > last) {
            return Err(refused(format!("{} to {} is more than {DAYS_MAX} days: ask for them in parts", days.0, days.1)));
        }
        let by_now = end.min(self.clock().now());
        let calendar = Calendar::england_and_wales();
        let just_before = first.saturating_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN);
        let slots = schedule::between(&schedule, calendar, just_before, by_now)
            .map_err(|error| RunError::Schedule { job: job.name.to_string(), why: error.to_string() })?;
        if slots.len() > CATCH_UP_SLOTS_MAX as usize {
            return Err(refused(format!("these days have {} times, and {CATCH_UP_SLOTS_MAX} can be asked for at once", slots.len())));
        }
        Ok(slots.into_iter().filter(|slot| slot.instant < end).collect())
    }

    async fn backfill_slot(
        &self,
        job: &StoredJob,
        slot: &Slot,
        (calendar, dry_run): (&str, bool),
        by: &By,
    ) -> Result<(RunId, bool), RunError> {
        let asked = |key: String| NewRun {
            partner: job.partner.clone(),
            job: job.name.clone(),
            trigger: Trigger::Backfill,
            slot: Some(key),
            logical_ms: slot.instant.as_millisecond(),
            calendar: calendar.to_owned(),
            dry_run,
            release: None,
        };
        let key = if dry_run { format!("dry-run:{}", slot.key) } else { slot.key.clone() };
        let queued = self.ledger().enqueue(&asked(key), by).await?;
        if queued.new {
            return Ok((queued.run, true));
        }
        // The record that a slot was missed has its key; the run that makes up for it has one of its own, so that it too is made once.
        let found = self.ledger().run(Scope::Partner(&job.partner), queued.run).await?;
        if found.is_some_and(|run| run.state == RunState::Skipped && run.lease == 0) {
            let queued = self.ledger().enqueue(&asked(format!("backfill:{}", slot.key)), by).await?;
            return Ok((queued.run, queued.new));
        }
        Ok((queued.run, false))
    }

    /// Refuses to do anything with files that retention has given up.
    pub(super) async fn refuse_expired(&self, scope: Scope<'_>, run: RunId) -> Result<(), RunError> {
        let Some(at_ms) = self.ledger().expired_at_ms(scope, run).await? else { return Ok(()) };
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        Err(RunError::Expired { run: run.to_string(), on: at.to_zoned(jiff::tz::TimeZone::UTC).date() })
    }

    /// The stored inputs of a run that is done again.
    pub(super) async fn stored_inputs(&self, run: &Run, origin: RunId) -> Result<Pulled, RunError> {
        self.refuse_expired(Scope::Partner(run.partner()), origin).await?;
        let events = self.ledger().events(Scope::Partner(run.partner()), origin, 0).await?;
        let standing = self.standing_event(run, origin).await?;
        let before = events.into_iter().take_while(|event| event.seq < standing);
        let mut pulled = before
            .filter_map(|event| match event.event {
                RunEvent::Pulled(pulled) => Some(pulled),
                _ => None,
            })
            .last()
            .unwrap_or_else(|| Pulled { inputs: Vec::new(), formats: Vec::new() });
        for file in &mut pulled.inputs {
            file.taken = false;
            file.duplicate_of = None;
            if !self.has(run.partner(), file.digest).await? {
                return Err(RunError::InputGone { run: origin.to_string(), input: file.port.clone(), file: file.path.clone() });
            }
        }
        Ok(pulled)
    }

    /// What the job's plugin remembered when a run's rows were processed: what all runs that had closed by then left.
    pub(super) async fn state_before(&self, run: &Run, origin: RunId) -> Result<State, RunError> {
        let scope = Scope::Partner(run.partner());
        let standing = self.standing_event(run, origin).await?;
        let processed = self.ledger().events(scope, origin, standing.saturating_sub(1)).await?;
        let by_ms = processed.first().map_or(0, |event| event.at_ms);
        let mut filter = RunFilter { job: Some(run.job().clone()), state: Some(RunState::Closed), before: None };
        let mut closed = Vec::new();
        loop {
            let page = self.ledger().runs(scope, &filter, PAGE).await?;
            closed
                .extend(page.items.into_iter().filter(|other| other.id != origin && other.ended_at_ms.is_some_and(|ended| ended <= by_ms)));
            match page.next {
                Some(next) => filter.before = Some(next),
                None => break,
            }
        }
        closed.sort_by_key(|run| (run.ended_at_ms, run.id));
        let mut state = State::new();
        for earlier in closed.iter().filter(|earlier| !earlier.enqueued.dry_run) {
            for change in self.ledger().processed(scope, earlier.id).await?.map(|processed| processed.state).unwrap_or_default() {
                match change.value {
                    Some(value) => state.insert(change.key, value),
                    None => state.remove(&change.key),
                };
            }
        }
        Ok(state)
    }

    async fn standing_event(&self, run: &Run, origin: RunId) -> Result<u64, RunError> {
        let origin_run = self.ledger().run(Scope::Partner(run.partner()), origin).await?;
        let standing = origin_run.as_ref().and_then(|run| run.standing).map(|standing| standing.event);
        let state = origin_run.map_or(RunState::Failed, |run| run.state);
        standing.ok_or_else(|| RunError::NothingToReplay { run: origin.to_string(), state })
    }
}
