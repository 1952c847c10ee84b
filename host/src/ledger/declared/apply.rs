//! Making a partner's declaration the one in force: what is new, what changed, what is gone.

use std::collections::BTreeMap;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act};
use crate::ledger::error::LedgerError;
use crate::ledger::runs::{RunEvent, Word, load, record};
use crate::ledger::store::{Transaction, parsed, query, query_scalar};
use crate::ledger::who::By;
use crate::model::ids::{ConnectionName, Digest, JobName, PluginName, RunId};
use crate::model::job::{Job, Partner, WorkingDay};

/// All that a partner declares. What is in the ledger and not in here is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The partner.
    pub partner: Partner,
    /// The files that declare it all.
    pub sources: Vec<Source>,
    /// Its connections.
    pub connections: Vec<DeclaredConnection>,
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
    /// When it runs by itself, in one line. When this changes, slots are worked out from the moment of the change on.
    pub schedule: Option<String>,
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
        Self { name: job.name.clone(), title: job.title.clone(), plugin: job.plugin.clone(), schedule, definition: job.definition }
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
    /// `partner`, `source`, `connection` or `job`.
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
        self.store.again(|| async move {
            let mut transaction = self.store.begin().await?;
        let applied = put_in_force(&mut transaction, declaration, by).await?;
        if applied.changes.is_empty() {
            return Ok(applied);
        }
        let lines = |change: &Change| format!("{} {} {}", change.what, change.name, change.how.as_str());
        let after = serde_json::json!({
            "changes": applied.changes.iter().map(lines).collect::<Vec<_>>(),
            "sources": declaration.sources.iter().map(|s| (s.name.clone(), Digest::of(s.text.as_bytes()).to_string())).collect::<BTreeMap<_, _>>(),
        });
        let partner = &declaration.partner.name;
        let act = Act {
            partner: Some(partner),
            action: "partner.apply",
            subject: format!("partner:{partner}"),
            before: None,
            after: Some(after),
        };
        audit::append(&mut transaction, act, by);
transaction.commit().await?;
        Ok(applied)
        }).await
    }

    /// What an application would change. It is done and taken back, so that it cannot differ from the application itself.
    ///
    /// # Errors
    /// As for [`Ledger::apply`].
    pub async fn plan(&self, declaration: &Declaration, by: &By) -> Result<Applied, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let applied = put_in_force(&mut transaction, declaration, by).await?;
                transaction.rollback().await?;
                Ok(applied)
            })
            .await
    }
}

async fn put_in_force(transaction: &mut Transaction, declaration: &Declaration, by: &By) -> Result<Applied, LedgerError> {
    let digests: Vec<Digest> = declaration.sources.iter().map(|source| Digest::of(source.text.as_bytes())).collect();
    let connections = declaration.connections.iter().map(|connection| (connection.name.as_str(), connection.definition));
    let jobs = declaration.jobs.iter().map(|job| (job.name.as_str(), job.definition));
    if let Some((name, _)) = connections.chain(jobs).find(|(_, definition)| !digests.contains(definition)) {
        return Err(LedgerError::NotFound { what: "source file that declares", name: name.to_owned() });
    }
    let mut applied = Applied::default();
    put_partner(transaction, &declaration.partner, by, &mut applied).await?;
    let mut writing = Writing { transaction, partner: declaration.partner.name.as_str(), by, applied: &mut applied };
    writing.sources(&declaration.sources).await?;
    writing.connections(&declaration.connections).await?;
    let gone = writing.jobs(&declaration.jobs).await?;
    for job in gone {
        writing.cancel_waiting(&job).await?;
    }
    Ok(applied)
}

async fn put_partner(transaction: &mut Transaction, partner: &Partner, by: &By, applied: &mut Applied) -> Result<(), LedgerError> {
    let title: Option<String> =
        query_scalar("SELECT title FROM partners WHERE partner = $1").bind(partner.name.as_str()).fetch_optional(&mut *transaction).await?;
    if title.as_deref() == Some(partner.title.as_str()) {
        return Ok(());
    }
    let how = if title.is_none() { Changed::Added } else { Changed::Changed };
    applied.changes.push(Change { what: "partner", name: partner.name.to_string(), how });
    query(
        "INSERT INTO partners (partner, title, applied_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (partner) DO UPDATE SET title = excluded.title, applied_at_ms = excluded.applied_at_ms",
    )
    .bind(partner.name.as_str())
    .bind(partner.title.as_str())
    .bind(by.now_ms)
    .execute(transaction)
    .await?;
    Ok(())
}

/// An application under way.
struct Writing<'a> {
    transaction: &'a mut Transaction,
    partner: &'a str,
    by: &'a By,
    applied: &'a mut Applied,
}

impl Writing<'_> {
    /// Notes how a thing differs from what is in force, and answers whether it does.
    fn note<T: PartialEq>(&mut self, what: &'static str, name: &str, (declared, stored): (&T, Option<&T>)) -> bool {
        let how = match stored {
            None => Changed::Added,
            Some(stored) if stored != declared => Changed::Changed,
            Some(_) => return false,
        };
        self.applied.changes.push(Change { what, name: name.to_owned(), how });
        true
    }

    fn gone(&mut self, what: &'static str, name: &str) {
        self.applied.changes.push(Change { what, name: name.to_owned(), how: Changed::Removed });
    }

    async fn sources(&mut self, declared: &[Source]) -> Result<(), LedgerError> {
        let rows: Vec<(String, String)> =
            query("SELECT source, definition FROM sources WHERE partner = $1").bind(self.partner).fetch_all(&mut *self.transaction).await?;
        let mut stored: BTreeMap<_, _> = rows.into_iter().collect();
        for source in declared {
            let digest = Digest::of(source.text.as_bytes()).to_string();
            if !self.note("source", &source.name, (&digest, stored.remove(&source.name).as_ref())) {
                continue;
            }
            query("INSERT INTO definitions (partner, digest, content, stored_at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                .bind(self.partner)
                .bind(digest.as_str())
                .bind(source.text.as_str())
                .bind(self.by.now_ms)
                .execute(&mut *self.transaction)
                .await?;
            query(
                "INSERT INTO sources (partner, source, definition) VALUES ($1, $2, $3)
                 ON CONFLICT (partner, source) DO UPDATE SET definition = excluded.definition",
            )
            .bind(self.partner)
            .bind(source.name.as_str())
            .bind(digest)
            .execute(&mut *self.transaction)
            .await?;
        }
        for name in stored.keys() {
            self.gone("source", name);
            query("DELETE FROM sources WHERE partner = $1 AND source = $2")
                .bind(self.partner)
                .bind(name.as_str())
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    async fn connections(&mut self, declared: &[DeclaredConnection]) -> Result<(), LedgerError> {
        let rows: Vec<(String, String)> =
            query("SELECT connection, definition FROM connections WHERE partner = $1 AND removed_at_ms IS NULL")
                .bind(self.partner)
                .fetch_all(&mut *self.transaction)
                .await?;
        let mut stored: BTreeMap<_, _> = rows.into_iter().collect();
        for connection in declared {
            let (name, digest) = (connection.name.as_str(), connection.definition.to_string());
            if !self.note("connection", name, (&digest, stored.remove(name).as_ref())) {
                continue;
            }
            query(
                "INSERT INTO connections (partner, connection, definition, applied_at_ms) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (partner, connection) DO UPDATE
                 SET definition = excluded.definition, applied_at_ms = excluded.applied_at_ms, removed_at_ms = NULL",
            )
            .bind(self.partner)
            .bind(name)
            .bind(digest)
            .bind(self.by.now_ms)
            .execute(&mut *self.transaction)
            .await?;
        }
        for name in stored.keys() {
            self.gone("connection", name);
            query("UPDATE connections SET removed_at_ms = $3 WHERE partner = $1 AND connection = $2")
                .bind(self.partner)
                .bind(name.as_str())
                .bind(self.by.now_ms)
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    /// Answers the jobs that are gone.
    async fn jobs(&mut self, declared: &[DeclaredJob]) -> Result<Vec<String>, LedgerError> {
        type Particulars = (String, String, String, Option<String>);
        let rows: Vec<(String, String, String, String, Option<String>)> =
            query("SELECT job, title, plugin, definition, schedule FROM jobs WHERE partner = $1 AND removed_at_ms IS NULL")
                .bind(self.partner)
                .fetch_all(&mut *self.transaction)
                .await?;
        let mut stored: BTreeMap<String, Particulars> =
            rows.into_iter().map(|(job, title, plugin, definition, schedule)| (job, (title, plugin, definition, schedule))).collect();
        for job in declared {
            let particulars: Particulars = (job.title.clone(), job.plugin.to_string(), job.definition.to_string(), job.schedule.clone());
            let before = stored.remove(job.name.as_str());
            if self.note("job", job.name.as_str(), (&particulars, before.as_ref())) {
                let same_schedule = before.is_some_and(|before| before.3 == job.schedule);
                self.job(job, same_schedule).await?;
            }
        }
        for name in stored.keys() {
            self.gone("job", name);
            query("UPDATE jobs SET removed_at_ms = $3 WHERE partner = $1 AND job = $2")
                .bind(self.partner)
                .bind(name.as_str())
                .bind(self.by.now_ms)
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(stored.into_keys().collect())
    }

    async fn job(&mut self, job: &DeclaredJob, same_schedule: bool) -> Result<(), LedgerError> {
        query(
            "INSERT INTO jobs (partner, job, title, plugin, definition, schedule, scheduled_through_ms, applied_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
             ON CONFLICT (partner, job) DO UPDATE SET title = excluded.title, plugin = excluded.plugin, definition = excluded.definition,
               schedule = excluded.schedule, applied_at_ms = excluded.applied_at_ms, removed_at_ms = NULL,
               scheduled_through_ms = CASE WHEN $8 = 1 THEN jobs.scheduled_through_ms ELSE excluded.scheduled_through_ms END",
        )
        .bind(self.partner)
        .bind(job.name.as_str())
        .bind(job.title.as_str())
        .bind(job.plugin.as_str())
        .bind(job.definition.to_string())
        .bind(job.schedule.as_deref())
        .bind(self.by.now_ms)
        .bind(i64::from(same_schedule))
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// What has begun is brought to its end by what it is pinned to; what only waits has lost its purpose.
    async fn cancel_waiting(&mut self, job: &str) -> Result<(), LedgerError> {
        let waiting: Vec<String> = query_scalar("SELECT run FROM runs WHERE partner = $1 AND job = $2 AND state = 'queued' ORDER BY run")
            .bind(self.partner)
            .bind(job)
            .fetch_all(&mut *self.transaction)
            .await?;
        for run in waiting {
            let id: RunId = parsed(&run, "run id")?;
            if let Some(mut run) = load(self.transaction, id).await? {
                let word = Word { why: "its job is no longer declared".to_owned() };
                record(self.transaction, &mut run, RunEvent::Cancelled(word), self.by).await?;
                self.applied.cancelled.push(id);
            }
        }
        Ok(())
    }
}
