//! A connection tried step by step, with the credentials and for the jobs that are in force.

use std::collections::BTreeMap;

use crate::config::{self, Configuration};
use crate::connection::{self, Checked, ConnectionError, Outside, Trial};
use crate::ledger::Scope;
use crate::model::ids::{ConnectionName, JobName, PartnerName, SecretName};
use crate::model::job::{Job, Place, SqlDatabase};
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

/// What failed of a connection that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFailure {
    /// The step, by its name, where one can be named.
    pub step: Option<&'static str>,
    /// Why.
    pub why: String,
    /// What may help.
    pub to_do: Option<&'static str>,
}

impl Checkup {
    /// What failed, in words; none if nothing did.
    #[must_use]
    pub fn failure(&self) -> Option<CheckFailure> {
        let error = self.failed.as_ref()?;
        Some(CheckFailure { step: error.step().map(connection::Step::name), why: error.to_string(), to_do: connection::advice(error) })
    }
}

/// A connection in force, and what uses it. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionUse {
    /// Its name.
    pub name: ConnectionName,
    /// Its kind, for people.
    pub kind: &'static str,
    /// Where it leads, for people.
    pub place: String,
    /// The credentials that it names, and whether each is kept.
    pub secrets: Vec<(SecretName, bool)>,
    /// Runs that may use it at one time.
    pub runs_at_once: Option<u32>,
    /// Jobs that take files from it.
    pub taken_by: Vec<JobName>,
    /// Jobs that deliver to it.
    pub delivered_by: Vec<JobName>,
    /// Jobs that tell people by it.
    pub told_by: Vec<JobName>,
}

impl Hub {
    /// The connections that a partner has in force, by name, each with the jobs that use it.
    ///
    /// # Errors
    /// [`RunError`]: the ledger, or the configuration in force, cannot be read.
    pub async fn connections(&self, partner: &PartnerName) -> Result<Vec<ConnectionUse>, RunError> {
        let Configuration { connections, jobs, .. } = self.in_force(partner).await?;
        let kept = self.ledger().secrets(Scope::Partner(partner)).await?;
        let using = |uses: &dyn Fn(&Job) -> bool| jobs.iter().filter(|job| uses(job)).map(|job| job.name.clone()).collect();
        let mut found: Vec<ConnectionUse> = connections
            .iter()
            .map(|connection| ConnectionUse {
                kind: kind_of(&connection.place),
                place: place_of(&connection.place),
                secrets: connection
                    .place
                    .secrets()
                    .into_iter()
                    .map(|name| (name.clone(), kept.iter().any(|secret| secret.name == *name)))
                    .collect(),
                runs_at_once: connection.runs_at_once,
                taken_by: using(&|job| job.inputs.iter().any(|input| input.connection == connection.name)),
                delivered_by: using(&|job| job.outputs.iter().any(|output| output.connection == connection.name)),
                told_by: using(&|job| job.notify.as_ref().is_some_and(|notify| notify.connection == connection.name)),
                name: connection.name.clone(),
            })
            .collect();
        found.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
        Ok(found)
    }

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
        Ok(config::reload(&texts)?)
    }
}

const fn kind_of(place: &Place) -> &'static str {
    match place {
        Place::Folder { .. } => "Folder",
        Place::Sftp(_) => "SFTP server",
        Place::Https(_) => "Web server",
        Place::Api(_) => "Provider’s API",
        Place::S3(_) => "Object store (S3)",
        Place::Sql(_) => "Database query",
        Place::Smtp(_) => "Mail server",
    }
}

fn place_of(place: &Place) -> String {
    match place {
        Place::Folder { path, .. } => path.display().to_string(),
        Place::Sftp(sftp) => format!("{}@{}:{} {}", sftp.user, sftp.host, sftp.port, sftp.folder),
        Place::Https(https) => https.url.clone(),
        Place::Api(api) => api.url.clone(),
        Place::S3(s3) => format!("{} {}/{}", s3.url, s3.bucket, s3.prefix),
        Place::Sql(sql) => match &sql.database {
            SqlDatabase::Postgres(server) => format!("{}@{}:{}/{}", server.user, server.host, server.port, server.database),
            SqlDatabase::Sqlite(path) => path.display().to_string(),
        },
        Place::Smtp(smtp) => format!("{}:{}", smtp.host, smtp.port),
    }
}
