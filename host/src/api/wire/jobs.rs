//! The JSON of jobs.

use serde::Serialize;
use utoipa::ToSchema;

use super::{RunJson, moment};
use crate::ledger::{Run, StoredJob};
use crate::model::job::{CatchUp, Schedule, WorkingDay};
use crate::schedule::Slot;

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct JobJson {
    partner: String,
    name: String,
    title: String,
    plugin: String,
    schedule: Option<String>,
    paused: bool,
    next: Option<String>,
    last_run: Option<RunJson>,
}

impl JobJson {
    /// A job with its last run and its next time.
    #[must_use]
    pub fn new(job: &StoredJob, last: Option<&Run>, next: Option<jiff::Timestamp>) -> Self {
        Self {
            partner: job.partner.to_string(),
            name: job.name.to_string(),
            title: job.title.clone(),
            plugin: job.plugin.to_string(),
            schedule: job.schedule.clone(),
            paused: job.paused.is_some(),
            next: next.map(|next| next.to_string()),
            last_run: last.map(RunJson::new),
        }
    }
}

/// A job with its schedule, and the times that come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct JobDetailJson {
    #[serde(flatten)]
    job: JobJson,
    /// Who stopped its schedule, when and why.
    paused_by: Option<PausedJson>,
    /// When it runs by itself; none for a job that runs when it is told to.
    runs: Option<ScheduleJson>,
    /// The next times, as they would come if it were not paused.
    next_times: Vec<TimeJson>,
    /// The digest of the file that declares it.
    definition: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct PausedJson {
    at: String,
    by: String,
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct ScheduleJson {
    /// Minute, hour, day of month, month, day of week.
    cron: String,
    /// The zone in which they are read.
    zone: String,
    /// What happens on a day that is no working day: any, before, after or skip.
    working_day: &'static str,
    /// What happens to times that passed while no hub was running: skip, once or all.
    catch_up: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct TimeJson {
    /// The moment.
    at: String,
    /// The same on the clocks of the schedule's zone.
    local: String,
}

impl JobDetailJson {
    /// A job with its last run, and with its schedule and the times that come of it.
    #[must_use]
    pub fn new(job: &StoredJob, last: Option<&Run>, (schedule, times): (Option<&Schedule>, &[Slot])) -> Self {
        let next = times.first().filter(|_| job.paused.is_none()).map(|slot| slot.instant);
        let local = |slot: &Slot| {
            let zoned = schedule.and_then(|schedule| slot.instant.in_tz(&schedule.zone).ok());
            TimeJson { at: slot.instant.to_string(), local: zoned.map_or_else(String::new, |zoned| zoned.to_string()) }
        };
        Self {
            job: JobJson::new(job, last, next),
            paused_by: job.paused.as_ref().map(|paused| PausedJson {
                at: moment(paused.at_ms),
                by: paused.by.to_string(),
                reason: paused.why.clone(),
            }),
            runs: schedule.map(ScheduleJson::new),
            next_times: times.iter().map(local).collect(),
            definition: job.definition.to_string(),
        }
    }
}

impl ScheduleJson {
    fn new(schedule: &Schedule) -> Self {
        Self {
            cron: schedule.cron.clone(),
            zone: schedule.zone.clone(),
            working_day: match schedule.working_day {
                WorkingDay::Any => "any",
                WorkingDay::Before => "before",
                WorkingDay::After => "after",
                WorkingDay::Skip => "skip",
            },
            catch_up: match schedule.catch_up {
                CatchUp::Skip => "skip",
                CatchUp::Once => "once",
                CatchUp::All { .. } => "all",
            },
        }
    }
}
