//! What is read of many runs at once, so that a page about a day asks a few questions however many runs it had. Nothing here writes.

use crate::ledger::Ledger;
use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::store::{count, parsed, parsed_option, query};
use crate::ledger::who::{Scope, page_items};
use crate::model::ids::{Digest, JobName, PartnerName, RunId};

use super::event::{Processed, RunEvent};
use super::row::RunRow;
use super::run::Run;
use super::state::RunState;

/// Runs in one state, enqueued since a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCount {
    /// Whose.
    pub partner: PartnerName,
    /// How they stand.
    pub state: RunState,
    /// How many.
    pub runs: u64,
    /// Rows that they read.
    pub rows_read: u64,
    /// Of those, refused.
    pub rows_rejected: u64,
}

/// What a run of a job came to.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTotals {
    /// The run.
    pub run: RunId,
    /// Its job.
    pub job: JobName,
    /// The release that it was pinned to.
    pub release: Option<Digest>,
    /// Its totals, and all else that its processing came to.
    pub processed: Processed,
}

impl Ledger {
    /// Runs enqueued since a moment, counted by partner and state.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn counts_since(&self, scope: Scope<'_>, since_ms: i64) -> Result<Vec<StateCount>, LedgerError> {
        let rows: Vec<(String, String, i64, i64, i64)> = query(
            "SELECT partner, state, CAST(COUNT(*) AS BIGINT), CAST(SUM(rows_read) AS BIGINT), CAST(SUM(rows_rejected) AS BIGINT)
             FROM runs WHERE run >= $1 AND ($2 = '' OR partner = $2) GROUP BY partner, state ORDER BY partner, state",
        )
        .bind(first_id(since_ms))
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        let counted = |(partner, state, runs, read, rejected): (String, String, i64, i64, i64)| {
            Ok(StateCount {
                partner: parsed(&partner, "partner")?,
                state: parsed(&state, "state of a run")?,
                runs: count(runs),
                rows_read: count(read),
                rows_rejected: count(rejected),
            })
        };
        rows.into_iter().map(counted).collect()
    }

    /// Runs that wait for a person, newest first: held or failed, and those that are overdue.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn runs_that_need_somebody(&self, scope: Scope<'_>, limit: u32) -> Result<Vec<Run>, LedgerError> {
        // One after the other, as each finds its own index.
        let mut runs: Vec<Run> = Vec::new();
        for wanted in ["state = 'held'", "state = 'failed'", "overdue = 1 AND claimable_at_ms IS NOT NULL"] {
            let mut query = query("SELECT * FROM runs WHERE ");
            query.push(wanted);
            if let Scope::Partner(partner) = scope {
                query.push(" AND partner = ").push_bind(partner.as_str());
            }
            query.push(" ORDER BY run DESC LIMIT ").push_bind(i64::from(page_items(limit)));
            let rows: Vec<RunRow> = query.fetch_all(&self.store).await?;
            runs.extend(rows.into_iter().map(Run::try_from).collect::<Result<Vec<_>, _>>()?);
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        Ok(runs)
    }

    /// What a partner's runs came to that were enqueued since a moment and delivered everything, newest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn delivered_since(&self, partner: &PartnerName, since_ms: i64, limit: u32) -> Result<Vec<RunTotals>, LedgerError> {
        let rows: Vec<(String, String, Option<String>, String, String)> = query(
            "SELECT runs.run, runs.job, runs.release_digest, run_events.kind, run_events.body FROM runs
             JOIN run_events ON run_events.run = runs.run AND run_events.seq = runs.processed_event
             WHERE runs.partner = $1 AND runs.state = 'closed' AND runs.outcome = 'delivered' AND runs.run >= $2
             ORDER BY runs.run DESC LIMIT $3",
        )
        .bind(partner.as_str())
        .bind(first_id(since_ms))
        .bind(i64::from(page_items(limit)))
        .fetch_all(&self.store)
        .await?;
        let totals = |(run, job, release, kind, body): (String, String, Option<String>, String, String)| {
            let event = RunEvent::read(&kind, &body).map_err(|why| corrupt(format!("an event of run {run}"), &why))?;
            let RunEvent::Processed(processed) = event else { return Ok(None) };
            let release = parsed_option(release.as_deref(), "digest of a release")?;
            Ok(Some(RunTotals { run: parsed(&run, "run id")?, job: parsed(&job, "job")?, release, processed: *processed }))
        };
        rows.into_iter().filter_map(|row| totals(row).transpose()).collect()
    }

    /// Outputs of a run that somebody began to deliver and of whose end nothing is known.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn begun_outputs(&self, scope: Scope<'_>, run: RunId) -> Result<Vec<String>, LedgerError> {
        let rows: Vec<(String,)> = query("SELECT port FROM begun_deliveries WHERE run = $1 AND ($2 = '' OR partner = $2) ORDER BY port")
            .bind(run.to_string())
            .bind(scope.text())
            .fetch_all(&self.store)
            .await?;
        Ok(rows.into_iter().map(|(port,)| port).collect())
    }

    /// The runs that do a run again or bring its rejects back, oldest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn runs_of_origin(&self, scope: Scope<'_>, origin: RunId) -> Result<Vec<Run>, LedgerError> {
        let rows: Vec<RunRow> = query("SELECT * FROM runs WHERE origin_run = $1 AND ($2 = '' OR partner = $2) ORDER BY run LIMIT 100")
            .bind(origin.to_string())
            .bind(scope.text())
            .fetch_all(&self.store)
            .await?;
        rows.into_iter().map(Run::try_from).collect()
    }
}

/// The least id that a run enqueued at a moment could have: ids begin with their time.
fn first_id(ms: i64) -> String {
    format!("{:012x}{}", ms.max(0), "0".repeat(20))
}
