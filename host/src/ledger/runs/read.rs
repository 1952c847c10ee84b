//! What can be read of runs: lists, one with its log, files, receipts, state, counts. Nothing here writes.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{count, parsed, query, to_stored};
use crate::ledger::who::{Page, Scope, page_items};
use crate::model::ids::{ConnectionName, Digest, JobName, PartnerName, RunId};

use super::event::{Delivered, LoggedEvent, Processed, RunEvent};
use super::record::EventRow;
use super::row::RunRow;
use super::run::Run;
use super::state::RunState;

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of one job.
    pub job: Option<JobName>,
    /// In one state.
    pub state: Option<RunState>,
    /// Older than this one: where the page before ended.
    pub before: Option<RunId>,
}

/// What is asked about files that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileQuestion<'a> {
    /// Under this name.
    Path(&'a str),
    /// With this content, whatever their names.
    Digest(Digest),
}

/// A file that a run took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenFile {
    /// Where it lay.
    pub connection: ConnectionName,
    /// Its name there.
    pub path: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// When it was last written, by the other side's clock.
    pub modified_ms: i64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The run that took it.
    pub run: RunId,
    /// When.
    pub taken_at_ms: i64,
}

/// What was sent, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The run that sent it.
    pub run: RunId,
    /// What was sent, and where to.
    pub delivered: Delivered,
    /// When.
    pub delivered_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    connection: String,
    path: String,
    size_bytes: i64,
    modified_ms: i64,
    digest: String,
    run: String,
    taken_at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct ReceiptRow {
    run: String,
    port: String,
    connection: String,
    target: String,
    digest: String,
    size_bytes: i64,
    receipt: String,
    already_there: i64,
    delivered_at_ms: i64,
}

impl Ledger {
    /// Runs, newest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn runs(&self, scope: Scope<'_>, filter: &RunFilter, limit: u32) -> Result<Page<Run, RunId>, LedgerError> {
        let limit = page_items(limit);
        // Put together from fixed pieces, so that each combination finds its index.
        let mut query = query("SELECT * FROM runs WHERE 1 = 1");
        if let Scope::Partner(partner) = scope {
            query.push(" AND partner = ").push_bind(partner.as_str());
        }
        if let Some(job) = &filter.job {
            query.push(" AND job = ").push_bind(job.as_str());
        }
        if let Some(state) = filter.state {
            query.push(" AND state = ").push_bind(state.as_str());
        }
        if let Some(before) = filter.before {
            query.push(" AND run < ").push_bind(before.to_string());
        }
        query.push(" ORDER BY run DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let rows: Vec<RunRow> = query.fetch_all(&self.store).await?;
        let runs: Vec<Run> = rows.into_iter().map(Run::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(runs, limit, |last| last.id))
    }

    /// The runs whose ids begin with some digits, however old; no more than two, as one is meant.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn runs_beginning(&self, scope: Scope<'_>, digits: &str) -> Result<Vec<RunId>, LedgerError> {
        let Some((first, last)) = RunId::beginning(digits) else { return Ok(Vec::new()) };
        let rows: Vec<(String,)> =
            query("SELECT run FROM runs WHERE run >= $1 AND run <= $2 AND ($3 = '' OR partner = $3) ORDER BY run LIMIT 2")
                .bind(first.to_string())
                .bind(last.to_string())
                .bind(scope.text())
                .fetch_all(&self.store)
                .await?;
        rows.iter().map(|(run,)| parsed(run, "run id")).collect()
    }

    /// The newest run of every job.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn last_runs(&self, scope: Scope<'_>) -> Result<Vec<Run>, LedgerError> {
        let rows: Vec<RunRow> = query(
            "SELECT runs.* FROM jobs
             JOIN runs ON runs.run = (SELECT MAX(newest.run) FROM runs AS newest WHERE newest.partner = jobs.partner AND newest.job = jobs.job)
             WHERE $1 = '' OR jobs.partner = $1
             ORDER BY runs.partner, runs.job",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(Run::try_from).collect()
    }

    /// How many runs there are in each state that has any.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn run_counts(&self, scope: Scope<'_>) -> Result<Vec<(RunState, u64)>, LedgerError> {
        let rows: Vec<(String, i64)> =
            query("SELECT state, CAST(COUNT(*) AS BIGINT) FROM runs WHERE $1 = '' OR partner = $1 GROUP BY state ORDER BY state")
                .bind(scope.text())
                .fetch_all(&self.store)
                .await?;
        rows.iter().map(|(state, runs)| Ok((parsed(state, "state of a run")?, count(*runs)))).collect()
    }

    /// One run; none if there is none that may be seen.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn run(&self, scope: Scope<'_>, run: RunId) -> Result<Option<Run>, LedgerError> {
        let row: Option<RunRow> = query("SELECT * FROM runs WHERE run = $1 AND ($2 = '' OR partner = $2)")
            .bind(run.to_string())
            .bind(scope.text())
            .fetch_optional(&self.store)
            .await?;
        row.map(Run::try_from).transpose()
    }

    /// What happened to a run after an event, oldest first; from the beginning after 0.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn events(&self, scope: Scope<'_>, run: RunId, after: u64) -> Result<Vec<LoggedEvent>, LedgerError> {
        let rows: Vec<EventRow> = query(
            "SELECT seq, kind, at_ms, actor, hub, lease, body FROM run_events
             WHERE run = $1 AND ($2 = '' OR partner = $2) AND seq > $3 ORDER BY seq",
        )
        .bind(run.to_string())
        .bind(scope.text())
        .bind(to_stored(after))
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(LoggedEvent::try_from).collect()
    }

    /// The processing of a run that stands: control totals, balances, outputs, limits, tables; none before it was processed.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn processed(&self, scope: Scope<'_>, run: RunId) -> Result<Option<Processed>, LedgerError> {
        let row: Option<EventRow> = query(
            "SELECT seq, kind, at_ms, run_events.actor, run_events.hub, run_events.lease, body FROM run_events
             JOIN runs ON runs.run = run_events.run AND runs.processed_event = run_events.seq
             WHERE run_events.run = $1 AND ($2 = '' OR run_events.partner = $2)",
        )
        .bind(run.to_string())
        .bind(scope.text())
        .fetch_optional(&self.store)
        .await?;
        Ok(match row.map(LoggedEvent::try_from).transpose()?.map(|logged| logged.event) {
            Some(RunEvent::Processed(processed)) => Some(*processed),
            _ => None,
        })
    }

    /// What a run has sent, in the order in which it was sent.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn receipts(&self, scope: Scope<'_>, run: RunId) -> Result<Vec<Receipt>, LedgerError> {
        self.receipts_by("run", run.to_string(), scope).await
    }

    /// Every time that the same bytes were sent, oldest first: what was sent to whom, and when.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn receipts_of_content(&self, scope: Scope<'_>, digest: Digest) -> Result<Vec<Receipt>, LedgerError> {
        self.receipts_by("digest", digest.to_string(), scope).await
    }

    async fn receipts_by(&self, column: &'static str, value: String, scope: Scope<'_>) -> Result<Vec<Receipt>, LedgerError> {
        let mut query =
            query("SELECT run, port, connection, target, digest, size_bytes, receipt, already_there, delivered_at_ms FROM receipts WHERE ");
        query.push(column).push(" = ").push_bind(value);
        if let Scope::Partner(partner) = scope {
            query.push(" AND partner = ").push_bind(partner.as_str());
        }
        query.push(" ORDER BY delivered_at_ms, run, port");
        let rows: Vec<ReceiptRow> = query.fetch_all(&self.store).await?;
        rows.into_iter().map(Receipt::try_from).collect()
    }

    /// Files that a job has taken from a connection, under a name or with a content. A file with a known name and another size,
    /// or with a known content and another name, is for the caller to judge.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn taken_files(
        &self,
        job: (&PartnerName, &JobName),
        connection: &ConnectionName,
        question: FileQuestion<'_>,
    ) -> Result<Vec<TakenFile>, LedgerError> {
        let (column, value) = match question {
            FileQuestion::Path(path) => ("path", path.to_owned()),
            FileQuestion::Digest(digest) => ("digest", digest.to_string()),
        };
        let mut query =
            query("SELECT connection, path, size_bytes, modified_ms, digest, run, taken_at_ms FROM taken_files WHERE partner = ");
        query.push_bind(job.0.as_str()).push(" AND job = ").push_bind(job.1.as_str());
        query.push(" AND connection = ").push_bind(connection.as_str());
        query.push(" AND ").push(column).push(" = ").push_bind(value);
        query.push(" ORDER BY taken_at_ms, run, path");
        let rows: Vec<TakenRow> = query.fetch_all(&self.store).await?;
        rows.into_iter().map(TakenFile::try_from).collect()
    }

    /// The state that a job's plugin keeps, by key.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn job_state(&self, partner: &PartnerName, job: &JobName) -> Result<Vec<(String, Vec<u8>)>, LedgerError> {
        let rows = query("SELECT entry, content FROM job_state WHERE partner = $1 AND job = $2 ORDER BY entry")
            .bind(partner.as_str())
            .bind(job.as_str())
            .fetch_all(&self.store)
            .await?;
        Ok(rows)
    }
}

impl TryFrom<TakenRow> for TakenFile {
    type Error = LedgerError;

    fn try_from(row: TakenRow) -> Result<Self, LedgerError> {
        Ok(Self {
            connection: parsed(&row.connection, "connection")?,
            path: row.path,
            size_bytes: count(row.size_bytes),
            modified_ms: row.modified_ms,
            digest: parsed(&row.digest, "digest")?,
            run: parsed(&row.run, "run id")?,
            taken_at_ms: row.taken_at_ms,
        })
    }
}

impl TryFrom<ReceiptRow> for Receipt {
    type Error = LedgerError;

    fn try_from(row: ReceiptRow) -> Result<Self, LedgerError> {
        let delivered = Delivered {
            port: row.port,
            connection: parsed(&row.connection, "connection")?,
            target: row.target,
            digest: parsed(&row.digest, "digest")?,
            size_bytes: count(row.size_bytes),
            receipt: row.receipt,
            already_there: row.already_there != 0,
            session: None,
        };
        Ok(Self { run: parsed(&row.run, "run id")?, delivered, delivered_at_ms: row.delivered_at_ms })
    }
}
