//! Whether a hub can do what it is for, one thing after the other.

use std::time::{Duration, Instant};

use crate::model::limits::serving::{DATABASE_ANSWER_MS_MAX, DISK_FREE_BYTES_MIN, DUTIES_SILENT_MS_MAX};
use crate::run::Hub;

/// One thing that a hub needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// What.
    pub what: &'static str,
    /// Why the hub does not have it; none if it has. It tells nobody where or how anything is kept.
    pub why_not: Option<String>,
}

impl Hub {
    /// Looks at all that the hub needs.
    pub async fn readiness(&self) -> Vec<Readiness> {
        let within = Duration::from_millis(DATABASE_ANSWER_MS_MAX);
        let (database, tables, name) = match tokio::time::timeout(within, self.of_database()).await {
            Ok(found) => found,
            Err(_) => (Some(format!("it did not answer within {} s", within.as_secs())), unknown(), unknown()),
        };
        [("database", database), ("tables", tables), ("name", name), ("duties", self.silent_duties()), ("disk", self.full_disk())]
            .map(|(what, why_not)| Readiness { what, why_not })
            .into()
    }

    /// What is wrong with the database, its tables, and the hub's name.
    async fn of_database(&self) -> (Option<String>, Option<String>, Option<String>) {
        let (found, known) = match self.ledger().steps().await {
            Ok(steps) => steps,
            Err(error) => {
                tracing::error!(%error, "the database was asked whether it is there");
                return (Some("it cannot be asked".to_owned()), unknown(), unknown());
            }
        };
        let tables = (found != known).then(|| format!("they are at step {found}, and this hub knows step {known}"));
        let name = match &self.shared.lock {
            None => Some("another process works under the hub's name".to_owned()),
            Some((_, held)) => match self.ledger().still_holds(held).await {
                Ok(true) => None,
                Ok(false) => Some("the hub has lost its name: another may have taken it".to_owned()),
                Err(_) => unknown(),
            },
        };
        (None, tables, name)
    }

    fn silent_duties(&self) -> Option<String> {
        let turned = *self.shared.turned.lock().expect("nobody panics while holding the time of the last turn");
        let silent = turned.map(|turned| turned.elapsed());
        match silent {
            None => Some("they have not begun".to_owned()),
            Some(silent) if silent > Duration::from_millis(DUTIES_SILENT_MS_MAX) => {
                Some(format!("they have been silent for {} s", silent.as_secs()))
            }
            Some(_) => None,
        }
    }

    /// Notes that the hub's duties go on.
    pub(in crate::run) fn turn(&self) {
        *self.shared.turned.lock().expect("nobody panics while holding the time of the last turn") = Some(Instant::now());
    }

    fn full_disk(&self) -> Option<String> {
        match self.disk_free_bytes() {
            Some(free) if free < DISK_FREE_BYTES_MIN => {
                Some(format!("{} MiB are free, and the hub wants {} MiB", free >> 20, DISK_FREE_BYTES_MIN >> 20))
            }
            Some(_) => None,
            None => Some("it cannot be asked how much is free".to_owned()),
        }
    }

    /// Room on the disk of the hub's folder.
    #[must_use]
    pub fn disk_free_bytes(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.shared.data).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

fn unknown() -> Option<String> {
    Some("it is not known, as the database does not answer".to_owned())
}
