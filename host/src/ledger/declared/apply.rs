//! Making a partner's declaration the one in force: what is new, what changed, what is gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Transaction;
use crate::ledger::who::By;
use crate::model::ids::{ConnectionName, Digest, JobName, PluginName, RunId, WebhookName};
use crate::model::job::{Job, Partner, Queue, ReleaseChoice, Told, WebhookEvent, WorkingDay};

use super::put::put_in_force;
use super::whole::Whole;

/// All that a partner declares. What is in the ledger and not in here is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The partner.
    pub partner: Partner,
    /// The files that declare it all.
    pub sources: Vec<Source>,
    /// Its connections.
    pub connections: Vec<DeclaredConnection>,
    /// Its addresses that are told what happens.
    pub webhooks: Vec<DeclaredWebhook>,
    /// Its jobs.
    pub jobs: Vec<DeclaredJob>,
}

/// A file that declares something, named by SHA-256 of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path within the configuration: `jobs/lgps-return.toml`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A connection, and the file that says what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredConnection {
    /// Its name.
    pub name: ConnectionName,
    /// The file, by SHA-256 of its text. It must be among the sources.
    pub definition: Digest,
    /// How many runs may use it at one time.
    pub runs_at_once: Option<u32>,
}

/// An address that is told what happens, and the file that says where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredWebhook {
    /// Its name.
    pub name: WebhookName,
    /// What it is told.
    pub events: Vec<WebhookEvent>,
    /// The file, by SHA-256 of its text. It must be among the sources.
    pub definition: Digest,
}

/// A job, and the file that says what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredJob {
    /// Its name.
    pub name: JobName,
    /// What people call it.
    pub title: String,
    /// The plugin that it runs.
    pub plugin: PluginName,
    /// Which release of it.
    pub release: ReleaseChoice,
    /// When it runs by itself, in one line. When this changes, slots are worked out from the moment of the change on.
    pub schedule: Option<String>,
    /// How its runs wait for their turn.
    pub queue: Queue,
    /// What people are told of its runs.
    pub notices: Vec<Told>,
    /// The connections that its runs use, each once.
    pub connections: BTreeSet<ConnectionName>,
    /// How many days its rejects may wait before they are overdue.
    pub rejects_overdue_days: u32,
    /// The file, by SHA-256 of its text. It must be among the sources.
    pub definition: Digest,
}

impl From<&Job> for DeclaredJob {
    fn from(job: &Job) -> Self {
        let schedule = job.schedule.as_ref().map(|schedule| {
            let day = match schedule.working_day {
                WorkingDay::Any => "",
                WorkingDay::Before => ", or the working day before",
                WorkingDay::After => ", or the working day after",
                WorkingDay::Skip => ", on working days only",
            };
            format!("{} ({}){day}", schedule.cron, schedule.zone)
        });
        let connections = job.inputs.iter().map(|input| &input.connection).chain(job.outputs.iter().map(|output| &output.connection));
        Self {
            name: job.name.clone(),
            title: job.title.clone(),
            plugin: job.plugin.clone(),
            release: job.release.clone(),
            schedule,
            queue: job.queue,
            notices: job.notify.as_ref().map(|notify| notify.on.clone()).unwrap_or_default(),
            connections: connections.cloned().collect(),
            rejects_overdue_days: job.rejects_overdue_days,
            definition: job.definition,
        }
    }
}

/// What an application changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// What is new, changed or gone; nothing if all was as declared.
    pub changes: Vec<Change>,
    /// Runs that waited for a job that is gone, and are cancelled.
    pub cancelled: Vec<RunId>,
}

/// One difference between what is declared and what is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `partner`, `source`, `connection`, `webhook` or `job`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// In which way.
    pub how: Changed,
}

/// In which way something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It was not there.
    Added,
    /// It was otherwise.
    Changed,
    /// It is no longer declared.
    Removed,
}

impl Changed {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

impl Ledger {
    /// Makes a declaration the one in force. Where all is as declared, nothing is written.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if a definition is not among the sources; or what the database failed of.
    pub async fn apply(&self, declaration: &Declaration, by: &By) -> Result<Applied, LedgerError> {
        let whole = Whole { declaration, releases: &[], activate: &[], tables: &[] };
        let applied = self.apply_all(&[whole], by).await?.pop();
        Ok(applied.expect("one is answered for each").declared)
    }
}

/// Makes a declaration the one in force within a transaction, and notes it in the audit trail if anything changes by it.
pub(super) async fn declare(transaction: &mut Transaction, declaration: &Declaration, by: &By) -> Result<Applied, LedgerError> {
    let applied = put_in_force(transaction, declaration, by).await?;
    if applied.changes.is_empty() {
        return Ok(applied);
    }
    let lines = |change: &Change| format!("{} {} {}", change.what, change.name, change.how.as_str());
    let digests = declaration.sources.iter().map(|source| (source.name.clone(), Digest::of(source.text.as_bytes()).to_string()));
    let after = serde_json::json!({
        "changes": applied.changes.iter().map(lines).collect::<Vec<_>>(),
        "sources": digests.collect::<BTreeMap<_, _>>(),
    });
    let partner = &declaration.partner.name;
    let act =
        Act { partner: Some(partner), action: "partner.apply", subject: format!("partner:{partner}"), before: None, after: Some(after) };
    let covered = [CoveredKind::Declared, CoveredKind::Definitions].map(|kind| Covered::partner(kind, partner));
    audit::append_over(transaction, act, &covered, by).await?;
    Ok(applied)
}
