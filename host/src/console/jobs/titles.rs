//! What jobs are called.

use std::collections::BTreeMap;

use crate::console::visit::{At, Fault};
use crate::ledger::StoredJob;
use crate::model::ids::JobName;
use crate::run::Hub;

/// The titles of a partner's jobs, which its people know them by.
pub(in crate::console) struct Titles {
    titles: BTreeMap<JobName, String>,
}

impl Titles {
    /// Of every job of the partner.
    pub(in crate::console) async fn of(hub: &Hub, at: &At) -> Result<Self, Fault> {
        Ok(Self::from(hub.ledger().jobs(at.scope()).await?.as_slice()))
    }

    /// A job's title; its name where it is declared no more.
    pub(in crate::console) fn of_job<'a>(&'a self, job: &'a JobName) -> &'a str {
        self.titles.get(job).map_or(job.as_str(), String::as_str)
    }
}

impl From<&[StoredJob]> for Titles {
    fn from(jobs: &[StoredJob]) -> Self {
        Self { titles: jobs.iter().map(|job| (job.name.clone(), job.title.clone())).collect() }
    }
}
