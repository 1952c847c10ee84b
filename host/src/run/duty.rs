//! A hub's duties: put what is due in the queue, take up what waits, until told to stop.
//!
//! What is due is worked out from stored state each time; no run ever depends on the one before having happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};

use super::Hub;
use super::conduct::LEASE_MS;
use super::failure::RunError as Error;
use crate::config;
use crate::ledger::{By, Due, DueSlot, LedgerError, NewRun, Queued, Reason, RunState, Scope, StoredJob, Trigger};
use crate::model::ids::{JobName, PartnerName, RunId};
use crate::model::job::Schedule;
use crate::schedule::{self, Calendar};

/// How often schedules are looked at.
const TICK: Duration = Duration::from_millis(250);

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

    /// Puts every slot in the queue that has become due, and records those that are skipped. Answers the new runs.
    ///
    /// # Errors
    /// [`super::RunError`] if a job's definition cannot be read, or the ledger fails. Other jobs have had their turn then.
    pub async fn tick(&self) -> Result<Vec<RunId>, Error> {
        let mut runs = Vec::new();
        let mut failed = None;
        for job in self.ledger().jobs(Scope::Hub).await? {
            if job.schedule.is_none() || job.paused.is_some() {
                continue;
            }
            match self.due(&job).await {
                Ok(new) => runs.extend(new),
                Err(error) => {
                    tracing::error!(job = %job.name, partner = %job.partner, %error, "what is due could not be worked out");
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(runs), Err)
    }

    async fn due(&self, job: &StoredJob) -> Result<Vec<RunId>, Error> {
        let Some(schedule) = self.schedule_of(job).await? else { return Ok(Vec::new()) };
        let now = self.clock().now();
        let since = Timestamp::from_millisecond(job.scheduled_through_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        if since >= now {
            return Ok(Vec::new());
        }
        let calendar = Calendar::england_and_wales();
        let due = schedule::due(&schedule, calendar, since, now)
            .map_err(|error| Error::Schedule { job: job.name.to_string(), why: error.to_string() })?;
        if due.slots.is_empty() && due.skipped.is_empty() {
            return Ok(Vec::new());
        }
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
        let stretch = Due {
            partner: job.partner.clone(),
            job: job.name.clone(),
            since_ms: job.scheduled_through_ms,
            through_ms: now.as_millisecond(),
            calendar: calendar.version().to_owned(),
            slots,
        };
        let by = By::hub(self.id(), self.clock().now_ms());
        Ok(self.ledger().record_due(&stretch, &by).await?.unwrap_or_default())
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
        let configuration = config::reload(&texts).map_err(|error| match error {
            config::ConfigError::Wrong(problems) => Error::Configuration(problems),
            config::ConfigError::Unreadable { path, why } => Error::ConfigurationUnreadable { path, why },
        })?;
        let schedule = configuration.jobs.into_iter().next().and_then(|job| job.schedule);
        self.shared.schedules.lock().expect("nobody panics while holding the schedules").insert(job.definition, schedule.clone());
        Ok(schedule)
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

    /// Takes up the run that has waited longest and takes it to its end; none if none waits.
    ///
    /// # Errors
    /// [`LedgerError`]; the run is then taken up again when its lease has run out.
    pub async fn work_once(&self) -> Result<Option<(RunId, RunState)>, LedgerError> {
        let Some(claim) = self.ledger().claim(self.id(), self.clock().now_ms(), LEASE_MS).await? else { return Ok(None) };
        let run = claim.lease.run;
        self.conduct(claim).await.map(|state| Some((run, state)))
    }

    /// Does the hub's duties until `stop` is notified; then finishes what is under way.
    pub async fn serve(&self, stop: Arc<Notify>) {
        let places = Arc::new(Semaphore::new(self.shared.runs_at_once));
        loop {
            if let Err(error) = self.tick().await {
                tracing::error!(%error, "a tick of the schedule failed");
            }
            while let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                let claimed = self.ledger().claim(self.id(), self.clock().now_ms(), LEASE_MS).await;
                match claimed {
                    Ok(Some(claim)) => {
                        let hub = self.clone();
                        let run = claim.lease.run;
                        // Bounded by the semaphore, and waited for below.
                        tokio::spawn(async move {
                            match hub.conduct(claim).await {
                                Ok(state) => tracing::info!(%run, %state, "run ended"),
                                Err(error) => tracing::error!(%run, %error, "run dropped"),
                            }
                            drop(place);
                        });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::error!(%error, "no run could be claimed");
                        break;
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = stop.notified() => break,
            }
        }
        let all = u32::try_from(self.shared.runs_at_once).unwrap_or(u32::MAX);
        drop(places.acquire_many(all).await);
    }
}
