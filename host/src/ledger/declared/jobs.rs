//! Reading what is declared, and pausing a job's schedule.

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{parsed, query, query_scalar};
use crate::ledger::who::{Actor, By, PAGE_ITEMS_MAX, Scope};
use crate::model::ids::{ConnectionName, Digest, JobName, PartnerName, PluginName};
use crate::model::job::{Partner, ReleaseChoice, Retention};

use super::apply::Source;
use super::releases::proofs_of;

/// A connection in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConnection {
    /// Its owner.
    pub partner: PartnerName,
    /// Its name.
    pub name: ConnectionName,
    /// The file that says what it is.
    pub definition: Digest,
}

/// A job, and how far its schedule has been followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// Its owner.
    pub partner: PartnerName,
    /// Its name.
    pub name: JobName,
    /// What people call it.
    pub title: String,
    /// The plugin that it runs.
    pub plugin: PluginName,
    /// Which release of it.
    pub release: ReleaseChoice,
    /// The file that says what it does.
    pub definition: Digest,
    /// When it runs by itself, in one line.
    pub schedule: Option<String>,
    /// Every slot up to this moment has its run. Where [`super::super::Due::since_ms`] comes from.
    pub scheduled_through_ms: i64,
    /// Whether its schedule stands still.
    pub paused: Option<Paused>,
}

/// Who paused a job's schedule, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub why: String,
}

#[derive(sqlx::FromRow)]
struct JobRow {
    partner: String,
    job: String,
    title: String,
    plugin: String,
    release_choice: String,
    definition: String,
    schedule: Option<String>,
    scheduled_through_ms: i64,
    paused_at_ms: Option<i64>,
    paused_by: Option<String>,
    paused_why: Option<String>,
}

impl TryFrom<JobRow> for StoredJob {
    type Error = LedgerError;

    fn try_from(row: JobRow) -> Result<Self, LedgerError> {
        let paused = row.paused_at_ms.map(|at_ms| Paused {
            at_ms,
            by: Actor::stored(row.paused_by.unwrap_or_default()),
            why: row.paused_why.unwrap_or_default(),
        });
        Ok(Self {
            partner: parsed(&row.partner, "partner")?,
            name: parsed(&row.job, "job")?,
            title: row.title,
            plugin: parsed(&row.plugin, "plugin")?,
            release: parsed(&row.release_choice, "choice of a release")?,
            definition: parsed(&row.definition, "digest of a definition")?,
            schedule: row.schedule,
            scheduled_through_ms: row.scheduled_through_ms,
            paused,
        })
    }
}

impl Ledger {
    /// Partners, by name.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn partners(&self, scope: Scope<'_>) -> Result<Vec<Partner>, LedgerError> {
        type Row = (String, String, Option<i64>, String, String, Option<i64>, Option<i64>, Option<i64>, Option<String>);
        let rows: Vec<Row> = query(
            "SELECT partner, title, runs_max, releases, changes, keep_artefacts_days, keep_rejects_days, keep_events_days, proofs FROM partners
             WHERE $1 = '' OR partner = $1 ORDER BY partner",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        let partner = |(name, title, runs_max, releases, changes, artefacts, rejects, events, proofs): Row| {
            let number = |stored: Option<i64>| stored.and_then(|number| u32::try_from(number).ok());
            let (artefacts_days, rejects_days, events_days) = (number(artefacts), number(rejects), number(events));
            let retention = Retention { artefacts_days, rejects_days, events_days };
            let (releases, changes) = (parsed(&releases, "rule for releases")?, parsed(&changes, "rule for changes")?);
            let proofs = proofs_of(proofs.as_deref())?;
            Ok(Partner { name: parsed(&name, "partner")?, title, runs_at_once: number(runs_max), releases, proofs, changes, retention })
        };
        rows.into_iter().map(partner).collect()
    }

    /// The files in force that declare a partner's connections and jobs, by name.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn sources(&self, partner: &PartnerName) -> Result<Vec<Source>, LedgerError> {
        let rows: Vec<(String, String)> = query(
            "SELECT sources.source, definitions.content FROM sources
             JOIN definitions ON definitions.partner = sources.partner AND definitions.digest = sources.definition
             WHERE sources.partner = $1 ORDER BY sources.source",
        )
        .bind(partner.as_str())
        .fetch_all(&self.store)
        .await?;
        Ok(rows.into_iter().map(|(name, text)| Source { name, text }).collect())
    }

    /// The text of one of them; none if there is none of the name.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn source(&self, partner: &PartnerName, name: &str) -> Result<Option<String>, LedgerError> {
        let text = query_scalar(
            "SELECT definitions.content FROM sources
             JOIN definitions ON definitions.partner = sources.partner AND definitions.digest = sources.definition
             WHERE sources.partner = $1 AND sources.source = $2",
        );
        Ok(text.bind(partner.as_str()).bind(name).fetch_optional(&self.store).await?)
    }

    /// The text of a file that declares something, or once did.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn definition(&self, partner: &PartnerName, digest: Digest) -> Result<Option<String>, LedgerError> {
        let text = query_scalar("SELECT content FROM definitions WHERE partner = $1 AND digest = $2")
            .bind(partner.as_str())
            .bind(digest.to_string())
            .fetch_optional(&self.store)
            .await?;
        Ok(text)
    }

    /// Connections in force, by partner and name.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn connections(&self, scope: Scope<'_>) -> Result<Vec<StoredConnection>, LedgerError> {
        let rows: Vec<(String, String, String)> = query(
            "SELECT partner, connection, definition FROM connections
             WHERE removed_at_ms IS NULL AND ($1 = '' OR partner = $1) ORDER BY partner, connection",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        let stored = |(partner, name, definition): (String, String, String)| {
            Ok(StoredConnection {
                partner: parsed(&partner, "partner")?,
                name: parsed(&name, "connection")?,
                definition: parsed(&definition, "digest of a definition")?,
            })
        };
        rows.into_iter().map(stored).collect()
    }

    /// Jobs in force, by partner and name.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn jobs(&self, scope: Scope<'_>) -> Result<Vec<StoredJob>, LedgerError> {
        let rows: Vec<JobRow> = query(
            "SELECT partner, job, title, plugin, release_choice, definition, schedule, scheduled_through_ms, paused_at_ms, paused_by, paused_why FROM jobs
             WHERE removed_at_ms IS NULL AND ($1 = '' OR partner = $1) ORDER BY partner, job",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(StoredJob::try_from).collect()
    }

    /// Jobs in force of which a slot may be due by a moment, those that have waited longest first; at most a page of them.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn jobs_due(&self, now_ms: i64) -> Result<Vec<StoredJob>, LedgerError> {
        let rows: Vec<JobRow> = query(
            "SELECT partner, job, title, plugin, release_choice, definition, schedule, scheduled_through_ms, paused_at_ms, paused_by, paused_why FROM jobs
             WHERE schedule IS NOT NULL AND paused_at_ms IS NULL AND removed_at_ms IS NULL AND next_due_ms <= $1
             ORDER BY next_due_ms, partner, job LIMIT CAST($2 AS BIGINT)",
        )
        .bind(now_ms)
        .bind(i64::from(PAGE_ITEMS_MAX))
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(StoredJob::try_from).collect()
    }

    /// The first moment at which a slot of any job may be due.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn next_due_ms(&self) -> Result<Option<i64>, LedgerError> {
        let next =
            query_scalar("SELECT MIN(next_due_ms) FROM jobs WHERE schedule IS NOT NULL AND paused_at_ms IS NULL AND removed_at_ms IS NULL");
        Ok(next.fetch_one(&self.store).await?)
    }

    /// One job in force.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchJob`], or what the database failed of.
    pub async fn job(&self, partner: &PartnerName, job: &JobName) -> Result<StoredJob, LedgerError> {
        let row: Option<JobRow> = query(
            "SELECT partner, job, title, plugin, release_choice, definition, schedule, scheduled_through_ms, paused_at_ms, paused_by, paused_why FROM jobs
             WHERE removed_at_ms IS NULL AND partner = $1 AND job = $2",
        )
        .bind(partner.as_str())
        .bind(job.as_str())
        .fetch_optional(&self.store)
        .await?;
        let missing = || LedgerError::NoSuchJob { partner: partner.clone(), job: job.clone() };
        row.map(StoredJob::try_from).transpose()?.ok_or_else(missing)
    }

    /// Lets a job's schedule stand still. What is in the queue runs, and so does what is asked for.
    /// Answers false if it stood still already.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchJob`], or what the database failed of.
    pub async fn pause(&self, job: (&PartnerName, &JobName), why: &str, by: &By) -> Result<bool, LedgerError> {
        self.set_paused(job, Some(why), by).await
    }

    /// Lets a job's schedule go on from where it stood still: its catch-up policy says what happens to the slots in between.
    /// Answers false if it did not stand still.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchJob`], or what the database failed of.
    pub async fn resume(&self, job: (&PartnerName, &JobName), by: &By) -> Result<bool, LedgerError> {
        self.set_paused(job, None, by).await
    }

    async fn set_paused(&self, (partner, job): (&PartnerName, &JobName), why: Option<&str>, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let paused: Option<Option<i64>> =
                    query_scalar("SELECT paused_at_ms FROM jobs WHERE partner = $1 AND job = $2 AND removed_at_ms IS NULL")
                        .bind(partner.as_str())
                        .bind(job.as_str())
                        .locked()
                        .fetch_optional(&mut transaction)
                        .await?;
                let paused = paused.ok_or_else(|| LedgerError::NoSuchJob { partner: partner.clone(), job: job.clone() })?.is_some();
                if paused == why.is_some() {
                    return Ok(false);
                }
                let covered = Covered::named(CoveredKind::Paused, partner, job.as_str()).found_before(&mut transaction).await?;
                query("UPDATE jobs SET paused_at_ms = $3, paused_by = $4, paused_why = $5 WHERE partner = $1 AND job = $2")
                    .bind(partner.as_str())
                    .bind(job.as_str())
                    .bind(why.map(|_| by.now_ms))
                    .bind(why.map(|_| by.actor.as_str()))
                    .bind(why)
                    .execute(&mut transaction)
                    .await?;
                let action = if why.is_some() { "job.pause" } else { "job.resume" };
                let after = why.map(|why| serde_json::json!({ "why": why }));
                let act = Act { partner: Some(partner), action, subject: format!("job:{job}"), before: None, after };
                audit::append_over(&mut transaction, act, &[covered], by).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }
}
