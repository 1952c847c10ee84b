//! How the ledger itself stands: whether it answers, and how much waits in it. For whoever watches a hub, over all partners.

mod hubs;

pub use hubs::{DatabaseFacts, StoredHub};

use super::Ledger;
use super::error::LedgerError;
use super::store::{HeldName, query, query_scalar};

/// A job's runs in one state, or its rejects that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfJob {
    /// The partner.
    pub partner: String,
    /// The job.
    pub job: String,
    /// The state; empty for rejects.
    pub state: String,
    /// How many.
    pub runs: i64,
    /// Of them, those of which nobody knows whether something was delivered.
    pub uncertain: i64,
    /// Of them, those that should be done by now.
    pub overdue: i64,
    /// Since when the first of them is there.
    pub since_ms: i64,
}

/// How the queue stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueStanding {
    /// Runs that have not ended.
    pub open: Vec<OfJob>,
    /// Runs that wait and may be claimed.
    pub claimable: i64,
    /// Since when the first of them may be.
    pub claimable_since_ms: Option<i64>,
    /// How many runs each hub is at.
    pub leases: Vec<(String, i64)>,
    /// Of them, those whose lease has run out.
    pub leases_expired: i64,
}

/// Runs that have not ended. The words are those of an index (migration 0016).
const OPEN: &str = "
SELECT partner, job, state, COUNT(*),
  CAST(SUM(CASE WHEN reason_code = 'delivery-uncertain' AND state IN ('held', 'failed') THEN 1 ELSE 0 END) AS BIGINT),
  CAST(SUM(overdue) AS BIGINT), MIN(enqueued_at_ms)
FROM runs WHERE state IN ('queued', 'running', 'staged', 'delivering', 'held', 'failed')
GROUP BY partner, job, state ORDER BY partner, job, state";

const WAITING: &str = "
SELECT findings.partner, runs.job, COUNT(*), MIN(findings.waiting_since_ms)
FROM findings JOIN runs ON runs.run = findings.run
WHERE findings.waiting_since_ms IS NOT NULL AND findings.left_how IS NULL
GROUP BY findings.partner, runs.job ORDER BY findings.partner, runs.job";

impl Ledger {
    /// The step to which the tables were brought, and the one that this program knows.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn steps(&self) -> Result<(i64, i64), LedgerError> {
        let found = query_scalar("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations").fetch_one(&self.store).await?;
        Ok((found, self.store.step_known()))
    }

    /// Whether a hub still has the name that it took. On a server the name falls with the connection that holds it.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn still_holds(&self, name: &HeldName) -> Result<bool, LedgerError> {
        let Some(holder) = name.holder() else { return Ok(true) };
        let locks: i64 = query_scalar("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = $1")
            .bind(holder)
            .fetch_one(&self.store)
            .await?;
        Ok(locks > 0)
    }

    /// How the queue stands.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn standing(&self, now_ms: i64) -> Result<QueueStanding, LedgerError> {
        type Row = (String, String, String, i64, i64, i64, i64);
        let rows: Vec<Row> = query(OPEN).fetch_all(&self.store).await?;
        let open = rows.into_iter().map(|(partner, job, state, runs, uncertain, overdue, since_ms)| OfJob {
            partner,
            job,
            state,
            runs,
            uncertain,
            overdue,
            since_ms,
        });
        let (claimable, claimable_since_ms) = query(
            "SELECT COUNT(*), MIN(claimable_at_ms) FROM runs
             WHERE claimable_at_ms IS NOT NULL AND claimable_at_ms <= $1 AND state = 'queued'",
        )
        .bind(now_ms)
        .fetch_one(&self.store)
        .await?;
        let leases: Vec<(String, i64, i64)> = query(
            "SELECT hub, COUNT(*), CAST(SUM(CASE WHEN claimable_at_ms <= $1 THEN 1 ELSE 0 END) AS BIGINT) FROM runs
             WHERE claimable_at_ms IS NOT NULL AND state IN ('running', 'staged', 'delivering') AND hub IS NOT NULL
             GROUP BY hub ORDER BY hub",
        )
        .bind(now_ms)
        .fetch_all(&self.store)
        .await?;
        let leases_expired = leases.iter().map(|(.., expired)| expired).sum();
        let leases = leases.into_iter().map(|(hub, runs, _)| (hub, runs)).collect();
        Ok(QueueStanding { open: open.collect(), claimable, claimable_since_ms, leases, leases_expired })
    }

    /// The rejects of each job that wait.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn rejects_waiting(&self) -> Result<Vec<OfJob>, LedgerError> {
        let rows: Vec<(String, String, i64, i64)> = query(WAITING).fetch_all(&self.store).await?;
        let of = |(partner, job, runs, since_ms)| OfJob { partner, job, state: String::new(), runs, uncertain: 0, overdue: 0, since_ms };
        Ok(rows.into_iter().map(of).collect())
    }

    /// Connections to the database: at work, and idle.
    #[must_use]
    pub fn connections_open(&self) -> (i64, i64) {
        self.store.connections_open()
    }
}
