//! A connection tried step by step, with the credentials and for the jobs that are in force.

use std::collections::BTreeMap;

use crate::config::{self, ConfigError, Configuration};
use crate::connection::{self, Checked, ConnectionError, Outside, Trial};
use crate::model::ids::{ConnectionName, PartnerName};
use crate::run::Hub;
use crate::run::failure::RunError;

/// What came of trying a connection.
#[derive(Debug)]
pub struct Checkup {
    /// The steps that succeeded, in order.
    pub steps: Vec<Checked>,
    /// What failed after them, if anything.
    pub failed: Option<ConnectionError>,
    /// Whether a job delivers there, so that writing was tried.
    pub writes: bool,
}

impl Hub {
    /// Tries a connection that is in force. Where a job delivers to it, a small hidden file is written and removed.
    ///
    /// # Errors
    /// [`RunError::NoConnection`] if it is not declared; [`RunError::NoSecret`] and [`RunError::Vault`] if its credentials cannot be had.
    pub async fn check_connection(&self, partner: &PartnerName, name: &ConnectionName) -> Result<Checkup, RunError> {
        let configuration = self.in_force(partner).await?;
        let declared = configuration.connections.iter().find(|connection| connection.name == *name);
        let declared = declared.ok_or_else(|| RunError::NoConnection { connection: name.clone() })?;
        let writes = configuration.jobs.iter().any(|job| job.outputs.iter().any(|output| output.connection == *name));
        let outside: Outside = self.outside(declared).await?;
        let trial = Trial { writes, now_ms: self.clock().now_ms() };
        let checked = tokio::task::spawn_blocking(move || connection::check(&outside, trial)).await.expect("checking does not panic");
        let (steps, failed) = checked;
        Ok(Checkup { steps, failed, writes })
    }

    /// What a partner has declared, as it is kept.
    pub(in crate::run) async fn in_force(&self, partner: &PartnerName) -> Result<Configuration, RunError> {
        let texts: BTreeMap<String, String> =
            self.ledger().sources(partner).await?.into_iter().map(|source| (source.name, source.text)).collect();
        if texts.is_empty() {
            return Ok(Configuration::default());
        }
        config::reload(&texts).map_err(|error| match error {
            ConfigError::Wrong(problems) => RunError::Configuration(problems),
            ConfigError::Unreadable { path, why } => RunError::ConfigurationUnreadable { path, why },
        })
    }
}
