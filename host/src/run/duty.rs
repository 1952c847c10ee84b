//! A hub's duties: put what is due in the queue, take up what waits, until told to stop.
//!
//! What is due is worked out from stored state each time; no run ever depends on the one before having happened.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

use super::Hub;
use super::failure::RunError as Error;
use crate::config;
use crate::ledger::{By, Due, DueSlot, LedgerError, NewRun, Queued, Reason, RunState, StoredJob, Trigger};
use crate::model::ids::{JobName, PartnerName, RunId};
use crate::model::job::{Job, Schedule};
use crate::schedule::{self, Calendar, ScheduleError};

/// How often a hub looks at what may have been put in the queue or become due without a word to it.
const TICK: Duration = Duration::from_millis(250);

/// Jobs whose slots are put in the queue by one commit: not so many that others would wait for it.
const DUE_TOGETHER: usize = 256;

const DAY_MS: i64 = 86_400_000;

/// Longer than any run.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3_600);

/// How long a hub that stops waits for those who are being told something.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a hub is at.
struct Work {
    /// A place for each run that it may be at.
    places: Arc<Semaphore>,
    tasks: Vec<JoinHandle<()>>,
}

/// A run that somebody asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose job.
    pub partner: PartnerName,
    /// Which.
    pub job: JobName,
    /// Everything but delivery.
    pub dry_run: bool,
    /// A key under which the job has one run at most, so that a request may be repeated.
    pub key: Option<String>,
}

impl Hub {
    /// Puts a run in the queue.
    ///
    /// # Errors
    /// [`super::RunError::Ledger`] if there is no such job.
    pub async fn request(&self, request: &Request, by: &By) -> Result<Queued, Error> {
        let new = NewRun {
            partner: request.partner.clone(),
            job: request.job.clone(),
            trigger: Trigger::Request,
            slot: request.key.as_ref().map(|key| format!("request:{key}")),
            logical_ms: self.clock().now_ms(),
            calendar: Calendar::england_and_wales().version().to_owned(),
            dry_run: request.dry_run,
            release: None,
        };
        Ok(self.ledger().enqueue(&new, by).await?)
    }

    /// Puts every slot in the queue that has become due, records those that are skipped, and of runs that should be done by now that
    /// they are overdue; once an hour, gives up what is older than it is kept. Answers the new runs.
    ///
    /// # Errors
    /// [`super::RunError`] if a job's definition cannot be read, or the ledger fails. Other jobs have had their turn then.
    pub async fn tick(&self) -> Result<Vec<RunId>, Error> {
        let now_ms = self.clock().now_ms();
        if let Err(error) = self.say_present().await {
            tracing::warn!(%error, "that this hub is there could not be written down");
        }
        for run in self.ledger().record_overdue(&By::hub(self.id(), now_ms)).await? {
            tracing::warn!(%run, "a run is overdue");
        }
        if let Err(error) = self.retain_in_time().await {
            tracing::error!(%error, "retention could not be applied; it goes on the next time");
        }
        let (mut due, mut failed) = (Vec::new(), None);
        let (now, mut known) = (self.clock().now(), HashMap::new());
        for job in self.ledger().jobs_due(now_ms).await? {
            match self.due(&job, now, &mut known).await {
                Ok(stretch) => due.extend(stretch),
                Err(error) => {
                    tracing::error!(job = %job.name, partner = %job.partner, %error, "what is due could not be worked out");
                    failed = Some(error);
                }
            }
        }
        let mut runs = Vec::new();
        for some in due.chunks(DUE_TOGETHER) {
            match self.put_in_queue(some).await {
                Ok(new) => runs.extend(new),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(runs), Err)
    }

    /// Puts what is due in the queue: together, and where that fails, each job alone, so that none holds up the others.
    async fn put_in_queue(&self, due: &[Due]) -> Result<Vec<RunId>, Error> {
        let by = By::hub(self.id(), self.clock().now_ms());
        if let Ok(runs) = self.ledger().record_all_due(due, &by).await {
            return Ok(runs.into_iter().flatten().flatten().collect());
        }
        let (mut runs, mut failed) = (Vec::new(), None);
        for due in due {
            match self.ledger().record_due(due, &by).await {
                Ok(new) => runs.extend(new.into_iter().flatten()),
                Err(error) => {
                    tracing::error!(job = %due.job, partner = %due.partner, %error, "what is due could not be put in the queue");
                    failed = Some(error.into());
                }
            }
        }
        failed.map_or(Ok(runs), Err)
    }

    /// What is due of a job; none if nothing can be. Many jobs have the same schedule, which is worked out once.
    async fn due(&self, job: &StoredJob, now: Timestamp, known: &mut HashMap<(Schedule, i64), Stretch>) -> Result<Option<Due>, Error> {
        let Some(schedule) = self.schedule_of(job).await? else { return Ok(None) };
        let since = Timestamp::from_millisecond(job.scheduled_through_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        if since >= now {
            return Ok(None);
        }
        let stretch = match known.entry((schedule, job.scheduled_through_ms)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let stretch = Stretch::of(&new.key().0, since, now);
                new.insert(stretch.map_err(|error| Error::Schedule { job: job.name.to_string(), why: error.to_string() })?)
            }
        };
        Ok(Some(Due {
            partner: job.partner.clone(),
            job: job.name.clone(),
            since_ms: job.scheduled_through_ms,
            through_ms: now.as_millisecond(),
            next_ms: stretch.next_ms,
            calendar: Calendar::england_and_wales().version().to_owned(),
            slots: stretch.slots.clone(),
        }))
    }

    /// A job's schedule, read from the file that declares it.
    ///
    /// # Errors
    /// [`super::RunError::Configuration`] if the stored file cannot be read.
    pub async fn schedule_of(&self, job: &StoredJob) -> Result<Option<Schedule>, Error> {
        let known = self.shared.schedules.lock().expect("nobody panics while holding the schedules").get(&job.definition).cloned();
        if let Some(schedule) = known {
            return Ok(schedule);
        }
        let sources = self.ledger().sources(&job.partner).await?;
        let mut texts: BTreeMap<String, String> =
            sources.into_iter().filter(|source| !source.name.starts_with("jobs/")).map(|source| (source.name, source.text)).collect();
        let text = self.ledger().definition(&job.partner, job.definition).await?.unwrap_or_default();
        texts.insert("jobs/this.toml".to_owned(), text);
        let configuration = config::reload(&texts)?;
        let schedule = configuration.jobs.into_iter().next().and_then(|job| job.schedule);
        self.shared.schedules.lock().expect("nobody panics while holding the schedules").insert(job.definition, schedule.clone());
        Ok(schedule)
    }

    /// A job as the file in force declares it.
    ///
    /// # Errors
    /// [`super::RunError::Configuration`] if the stored file cannot be read.
    pub async fn declared(&self, job: &StoredJob) -> Result<Job, Error> {
        let configuration = self.configuration_with(&job.partner, job.definition).await?;
        let missing = || LedgerError::NoSuchJob { partner: job.partner.clone(), job: job.name.clone() };
        Ok(configuration.jobs.into_iter().next().ok_or_else(missing)?)
    }

    /// When a job runs next by itself; none for a job that runs by hand only, or is paused.
    ///
    /// # Errors
    /// [`super::RunError::Configuration`] if the stored file cannot be read.
    pub async fn next_time(&self, job: &StoredJob) -> Result<Option<Timestamp>, Error> {
        if job.schedule.is_none() || job.paused.is_some() {
            return Ok(None);
        }
        let Some(schedule) = self.schedule_of(job).await? else { return Ok(None) };
        let next = schedule::next(&schedule, Calendar::england_and_wales(), self.clock().now(), 1);
        Ok(next.unwrap_or_default().first().map(|slot| slot.instant))
    }

    /// The next times of a job's schedule, as they would come if it were not paused.
    ///
    /// # Errors
    /// [`super::RunError::Configuration`] if the stored file cannot be read.
    pub async fn next_times(&self, job: &StoredJob, count: usize) -> Result<Vec<schedule::Slot>, Error> {
        let Some(schedule) = self.schedule_of(job).await? else { return Ok(Vec::new()) };
        Ok(schedule::next(&schedule, Calendar::england_and_wales(), self.clock().now(), count).unwrap_or_default())
    }

    /// Takes up the run that has waited longest and takes it to its end; none if none waits.
    ///
    /// # Errors
    /// [`LedgerError`]; the run is then taken up again when its lease has run out.
    pub async fn work_once(&self) -> Result<Option<(RunId, RunState)>, LedgerError> {
        let Some(claim) = self.ledger().claim(self.id(), self.clock().now_ms(), self.shared.sharing.lease_ms()).await? else {
            return Ok(None);
        };
        let run = claim.lease.run;
        self.conduct(claim).await.map(|state| Some((run, state)))
    }

    /// Does the hub's duties until `stop` is notified; then finishes what is under way, however long that takes.
    pub async fn serve(&self, stop: Arc<Notify>) {
        self.serve_and_drain(stop, FOR_EVER).await;
    }

    /// Does the hub's duties until `stop` is notified; then takes nothing up any more, and finishes what is under way if that does not
    /// take too long. What is not finished then is left to whoever claims it next, at once.
    pub async fn serve_and_drain(&self, stop: Arc<Notify>, drain: Duration) {
        tokio::select! {
            () = self.ledger().listen() => {}
            () = self.do_duties(&stop, drain) => {}
        }
        if let Err(error) = self.checkpoint().await {
            tracing::error!(%error, "the end of the audit trail could not be signed");
        }
    }

    async fn do_duties(&self, stop: &Notify, drain: Duration) {
        let mut work = Work { places: Arc::new(Semaphore::new(self.shared.runs_at_once)), tasks: Vec::new() };
        let (mut telling, mut keeping): (Option<JoinHandle<()>>, Option<JoinHandle<()>>) = (None, None);
        loop {
            self.turn();
            // Beside the runs, as a mail server may be slow; one at a time, and waited for when the hub stops.
            if telling.as_ref().is_none_or(JoinHandle::is_finished) {
                let hub = self.clone();
                telling = Some(tokio::spawn(async move {
                    if let Err(error) = hub.send_notices().await {
                        tracing::error!(%error, "notices could not be sent");
                    }
                }));
            }
            if keeping.as_ref().is_none_or(JoinHandle::is_finished) {
                let hub = self.clone();
                keeping = Some(tokio::spawn(async move {
                    hub.checkpoint_in_time().await;
                    hub.look_for_drift().await;
                }));
            }
            if let Err(error) = self.send_webhooks(&mut work.tasks).await {
                tracing::error!(%error, "webhooks could not be sent");
            }
            if let Err(error) = self.tick().await {
                tracing::error!(%error, "a tick of the schedule failed");
            }
            if let Err(error) = self.take_up(&mut work).await {
                tracing::error!(%error, "no run could be claimed");
            }
            tokio::select! {
                () = tokio::time::sleep(self.rest().await) => {}
                () = self.ledger().work_arrived() => {}
                () = stop.notified() => break,
            }
        }
        let until = Instant::now() + drain;
        self.finish(work, drain).await;
        for beside in [telling, keeping].into_iter().flatten() {
            // What is not told by then is told by the next hub.
            drop(tokio::time::timeout(until.saturating_duration_since(Instant::now()), beside).await);
        }
    }

    /// Waits for what is under way, if it ends in time; else drops it, and says that it may be claimed.
    async fn finish(&self, work: Work, drain: Duration) {
        let all = u32::try_from(self.shared.runs_at_once).unwrap_or(u32::MAX);
        if tokio::time::timeout(drain, work.places.acquire_many(all)).await.is_ok() {
            // Partners' own addresses that are being told something have their answers, or are told by the next hub.
            let until = tokio::time::Instant::now() + LAST_WORDS.min(drain);
            for task in work.tasks {
                let abort = task.abort_handle();
                if tokio::time::timeout_at(until, task).await.is_err() {
                    abort.abort();
                }
            }
            return;
        }
        for task in work.tasks {
            task.abort();
            // Nothing of it is written after this: not even that it failed of being stopped.
            drop(task.await);
        }
        for (_, progress) in self.shared.progress.lock().expect("nobody panics while holding the progress").drain() {
            progress.stop();
        }
        match self.ledger().forget_leases(self.id(), self.clock().now_ms()).await {
            Ok(left) => tracing::info!(runs = left, "runs under way are left to whoever claims them next"),
            Err(error) => tracing::error!(%error, "runs under way could not be left; they are taken over when their leases run out"),
        }
    }

    /// Takes up as many runs as there are places free.
    async fn take_up(&self, work: &mut Work) -> Result<(), LedgerError> {
        work.tasks.retain(|task| !task.is_finished());
        let lease_ms = self.shared.sharing.lease_ms();
        let claims = self.ledger().claim_some(self.id(), self.clock().now_ms(), lease_ms, work.places.available_permits()).await?;
        for claim in claims {
            let place = Arc::clone(&work.places).try_acquire_owned().expect("only this function takes places");
            let (hub, run) = (self.clone(), claim.lease.run);
            let (partner, job) = (claim.run.partner().clone(), claim.run.job().clone());
            // Bounded by the places, and waited for when the hub stops.
            work.tasks.push(tokio::spawn(async move {
                match hub.conduct(claim).await {
                    Ok(state) => tracing::info!(%run, %partner, %job, %state, "run ended"),
                    Err(error) => tracing::error!(%run, %partner, %job, %error, "run dropped"),
                }
                drop(place);
                hub.ledger().wake();
            }));
        }
        self.take_part(work).await
    }

    /// Takes up partitions of runs that are under way, here or on another hub, with the places that no run has taken.
    async fn take_part(&self, work: &mut Work) -> Result<(), LedgerError> {
        let lease_ms = self.shared.sharing.lease_ms();
        while let Ok(place) = Arc::clone(&work.places).try_acquire_owned() {
            let Some(partition) = self.ledger().claim_partition(self.id(), self.clock().now_ms(), lease_ms, None).await? else { break };
            let (hub, run) = (self.clone(), partition.lease.run);
            // Bounded by the places, and waited for when the hub stops.
            work.tasks.push(tokio::spawn(async move {
                if let Err(error) = hub.conduct_partition(partition).await {
                    tracing::error!(%run, %error, "partition dropped");
                }
                drop(place);
                hub.ledger().wake();
            }));
        }
        Ok(())
    }

    /// How long there is nothing to do, as far as is known here.
    async fn rest(&self) -> Duration {
        let next = self.ledger().next_due_ms().await.ok().flatten();
        let until = next.map(|next| next.saturating_sub(self.clock().now_ms())).and_then(|ms| u64::try_from(ms).ok());
        until.map_or(TICK, |ms| Duration::from_millis(ms.max(1)).min(TICK))
    }
}

/// What a schedule makes of the time since it was last looked at.
struct Stretch {
    slots: Vec<DueSlot>,
    /// When to look again.
    next_ms: i64,
}

impl Stretch {
    fn of(schedule: &Schedule, since: Timestamp, now: Timestamp) -> Result<Self, ScheduleError> {
        let calendar = Calendar::england_and_wales();
        let due = schedule::due(schedule, calendar, since, now)?;
        // Where the calendar ends: tomorrow the hub may have another.
        let next = schedule::next_due(schedule, calendar, now).ok().flatten();
        let slot = |slot: &schedule::Slot, skip: Option<Reason>| DueSlot {
            key: slot.key.clone(),
            logical_ms: slot.instant.as_millisecond(),
            trigger: if now.duration_since(slot.instant) > schedule::ON_TIME { Trigger::CatchUp } else { Trigger::Schedule },
            skip,
        };
        let mut slots: Vec<DueSlot> = due.slots.iter().map(|due| slot(due, None)).collect();
        slots.extend(due.skipped.iter().map(|skipped| {
            let code = match skipped.reason {
                schedule::SkipReason::NoWorkingDay => "no-working-day",
                schedule::SkipReason::SameMoment => "same-moment",
                schedule::SkipReason::Missed => "missed",
            };
            slot(&skipped.slot, Some(Reason { code: code.to_owned(), sentence: skipped.reason.to_string() }))
        }));
        slots.sort_by(|one, other| (one.logical_ms, &one.key).cmp(&(other.logical_ms, &other.key)));
        Ok(Self { slots, next_ms: next.map_or(now.as_millisecond() + DAY_MS, |next| next.as_millisecond()) })
    }
}
