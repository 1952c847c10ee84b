//! Connectors at work: a file fetched from a provider before a run, a file sent to one after it, and both told again from the record.
//!
//! ```text
//! fetch   connector ⇄ line ⇄ the provider      pages → artefact; every exchange kept before the connector sees its answer
//! send    artefact → connector ⇄ line          what an earlier attempt had a yes to is answered from the record, and not sent again
//! again   connector ⇄ the record               calls nobody; what is asked otherwise is told
//! ```
//!
//! A credential is in the line and nowhere else: neither the connector nor the record, the log or an error has it.

mod again;
mod fetch;
mod line;
mod record;
mod sealed;
mod send;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Hub;
use super::conduct::{Pinned, PinnedFormat, limits};
use super::failure::RunError;
use crate::connection::{Api, TokenSlot};
use crate::ledger::{Claim, LimitUse, LogLine, Session, SessionOf};
use crate::model::ids::{ConnectionName, Digest, PartnerName};
use crate::model::job::{Connection, FilePlugin, Job};
use crate::model::limits::Limits;
use crate::sandbox::{CallError, FailedCall, HttpLine, Report, Setup};

/// What a session works with, as the run is pinned.
#[derive(Clone, Copy)]
pub(in crate::run) struct SessionWith<'a> {
    pub(in crate::run) claim: &'a Claim,
    pub(in crate::run) pinned: &'a Pinned,
    pub(in crate::run) connector: &'a FilePlugin,
    /// The plugin's input or output.
    pub(in crate::run) port: &'a str,
}

/// How a session's blocking part ended.
struct Ended<T> {
    result: Result<T, CallError>,
    report: Report,
}

impl<T> Ended<T> {
    /// It did not even begin.
    fn unopened(failed: FailedCall) -> Self {
        Self { result: Err(failed.error), report: failed.report }
    }
}

impl Hub {
    /// The provider's API as a connection has it, with its credentials.
    async fn api(&self, connection: &Connection) -> Result<Api, RunError> {
        let failed = |error| RunError::Connection { connection: connection.name.clone(), error };
        let outside = self.outside(connection).await?;
        let slot = self.token_slot(&connection.partner, &connection.name);
        let api = Api::new(&outside, slot).map_err(failed)?;
        Ok(api.expect("the configuration names connectors for APIs and nothing else"))
    }

    /// Where a connection's token is kept from one session to the next.
    fn token_slot(&self, partner: &PartnerName, connection: &ConnectionName) -> TokenSlot {
        let mut slots = self.shared.tokens.lock().expect("nobody panics while holding the tokens");
        slots.entry((partner.clone(), connection.clone())).or_default().clone()
    }
}

impl SessionWith<'_> {
    /// All that the connector may know, and the line that it may use.
    fn setup(self, line: Arc<dyn HttpLine>) -> Arc<Setup> {
        let PinnedFormat { plugin, grant, .. } = self.connector();
        let (job, run) = (&self.pinned.job, &self.claim.run);
        let (now, today) = moment(job, run.enqueued.logical_ms);
        Arc::new(Setup {
            release: plugin.release.clone(),
            lent: grant.lend(&plugin.manifest.wants),
            partner: job.partner.clone(),
            job: job.name.clone(),
            inputs_present: Vec::new(),
            outputs_present: Vec::new(),
            settings: self.connector.settings.to_string(),
            now,
            today,
            seed: *Digest::of(&run.enqueued.seed.to_be_bytes()).bytes(),
            tables: Arc::default(),
            state: std::collections::BTreeMap::new(),
            http: Some(line),
            limits: self.limits(),
        })
    }

    fn limits(self) -> Limits {
        let PinnedFormat { plugin, grant, .. } = self.connector();
        limits(&plugin.manifest, &self.pinned.job.limits, grant)
    }

    fn connector(&self) -> &PinnedFormat {
        self.pinned.formats.get(&self.connector.plugin).expect("every plugin that the job names is pinned")
    }

    /// The session as its exchanges are kept.
    fn of(self, way: &str) -> SessionOf {
        let partner = self.pinned.job.partner.clone();
        SessionOf { partner, run: self.claim.lease.run, session: format!("{way}:{}", self.port) }
    }

    /// What is written down of the session.
    fn told(self, report: &Report, cursor: Option<String>) -> Session {
        Session {
            lease: self.claim.lease.number,
            cursor,
            limits: LimitUse::all(&self.limits(), &report.usage),
            log: report.log.iter().map(|note| LogLine { level: note.level.as_str().to_owned(), message: note.message.clone() }).collect(),
        }
    }

    fn failed(self, error: CallError) -> RunError {
        RunError::Through { port: self.port.to_owned(), plugin: self.connector.plugin.clone(), error }
    }
}

/// The moment for which a run was due, and its date in the job's zone.
pub(in crate::run) fn moment(job: &Job, logical_ms: i64) -> (Timestamp, Date) {
    let now = Timestamp::from_millisecond(logical_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let today = now.in_tz(&job.zone).map_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC).date(), |zoned| zoned.date());
    (now, today)
}
