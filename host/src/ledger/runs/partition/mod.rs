//! Partitions of a run: parts of its last input that any hub may claim, each with a lease, a heartbeat and a fence of its own.
//!
//! Where they lie is in the run's log; here is who is at each of them and what came of it. Whoever writes takes the run's row first and
//! the partition's after it, so that nobody waits for each other.

mod claim;

use crate::ledger::Ledger;
use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::store::{Transaction, count, parsed_option, query, to_stored};
use crate::ledger::who::{HubId, Scope};
use crate::model::ids::{Digest, RunId};

use super::event::{Failed, LoggedEvent, Partitioned, Pins, Pulled, Retried, RunEvent};
use super::run::Run;

/// Number of the first event that can follow a claim: one for the queue and one for the claim go before it.
const FIRST_AFTER_CLAIM: u64 = 3;

/// How a run's last input was cut, by its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutting {
    /// The event; a run that begins afresh is cut anew.
    pub event: u64,
    /// Where.
    pub at: Partitioned,
}

/// The right to say what came of a partition, until another hub has claimed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionLease {
    /// The run.
    pub run: RunId,
    /// The event that cut it.
    pub cutting: u64,
    /// Which of its partitions, from 1.
    pub partition: u64,
    /// Rises with every claim; what is written under an older one is refused.
    pub number: u64,
    /// The hub that holds it.
    pub hub: HubId,
}

/// A partition that a hub has taken up, with all that its run is done with.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionClaim {
    /// The right to say what came of it.
    pub lease: PartitionLease,
    /// Claims in this attempt of the run, this one included.
    pub claims: u64,
    /// The run. Nothing but the partition may be written by who claimed only that.
    pub run: Run,
    /// What the run works with.
    pub pins: Pins,
    /// The run's inputs.
    pub pulled: Pulled,
    /// Where the partitions lie.
    pub cutting: Cutting,
}

/// What came of a partition.
#[derive(Debug, Clone, PartialEq)]
pub enum PartitionEnd {
    /// Its rows are processed.
    Done {
        /// How many records it had.
        rows_read: u64,
        /// The file that says what it came to.
        result: Digest,
    },
    /// It failed, and so does the run's attempt. A time of the next one says that it may go better then.
    Failed(Failed),
}

/// How a partition stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// Which, from 1 in the order of the input.
    pub number: u64,
    /// Who is at it, or was last; none while it waits for the first time.
    pub hub: Option<HubId>,
    /// Claims in this attempt of the run.
    pub claims: u64,
    /// When it was last claimed.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// Records of one that is done.
    pub rows_read: u64,
    /// What one that is done came to.
    pub result: Option<Digest>,
    /// Why it failed.
    pub failed: Option<Failed>,
}

impl Partition {
    /// The word for how it stands, as shown.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match (&self.result, &self.failed, self.started_at_ms) {
            (Some(_), ..) => "done",
            (None, Some(_), _) => "failed",
            (None, None, Some(_)) => "running",
            (None, None, None) => "waiting",
        }
    }
}

#[derive(sqlx::FromRow)]
struct PartitionRow {
    number: i64,
    hub: Option<String>,
    claims: i64,
    started_at_ms: Option<i64>,
    ended_at_ms: Option<i64>,
    rows_read: i64,
    result: Option<String>,
    failed: Option<String>,
}

impl Ledger {
    /// The partitions of a run, in the order of its input; none if it was not cut.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn partitions(&self, scope: Scope<'_>, run: RunId) -> Result<Vec<Partition>, LedgerError> {
        let rows: Vec<PartitionRow> = query(
            "SELECT number, hub, claims, started_at_ms, ended_at_ms, rows_read, result, failed FROM partitions
             WHERE run = $1 AND ($2 = '' OR partner = $2) ORDER BY number",
        )
        .bind(run.to_string())
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(Partition::try_from).collect()
    }
}

impl TryFrom<PartitionRow> for Partition {
    type Error = LedgerError;

    fn try_from(row: PartitionRow) -> Result<Self, LedgerError> {
        let failed = row.failed.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            number: count(row.number),
            hub: row.hub.map(HubId::new),
            claims: count(row.claims),
            started_at_ms: row.started_at_ms,
            ended_at_ms: row.ended_at_ms,
            rows_read: count(row.rows_read),
            result: parsed_option(row.result.as_deref(), "digest of a result")?,
            failed: failed.map_err(|why| corrupt(format!("the failure of partition {}", row.number), &why))?,
        })
    }
}

/// Lets partitions wait that an event has cut, and takes them out of the way where it has done with them.
pub(in crate::ledger) async fn follow(transaction: &mut Transaction, run: &Run, logged: &LoggedEvent) -> Result<(), LedgerError> {
    match &logged.event {
        RunEvent::Partitioned(partitioned) => {
            forget(transaction, run.id).await?;
            for number in 1..=partitioned.cuts.len() as u64 {
                query(
                    "INSERT INTO partitions (partner, run, cutting, number, state, lease, claims, claimable_at_ms, rows_read)
                     VALUES ($1, $2, $3, $4, 'waiting', 0, 0, $5, 0)",
                )
                .bind(run.partner().as_str())
                .bind(run.id.to_string())
                .bind(to_stored(logged.seq))
                .bind(to_stored(number))
                .bind(logged.at_ms)
                .execute(&mut *transaction)
                .await?;
            }
            Ok(())
        }
        RunEvent::Retried(Retried { afresh: true, .. }) => forget(transaction, run.id).await,
        // Of what only came into the queue and was claimed, nothing has been cut yet.
        RunEvent::Failed(_) | RunEvent::Held(_) | RunEvent::Skipped(_) | RunEvent::Cancelled(_) if logged.seq <= FIRST_AFTER_CLAIM => {
            Ok(())
        }
        // Nobody is to look at them again and again; the run's next attempt, if there is one, goes on with them.
        RunEvent::Failed(_) | RunEvent::Held(_) | RunEvent::Skipped(_) | RunEvent::Cancelled(_) => {
            query("UPDATE partitions SET claimable_at_ms = NULL WHERE run = $1 AND claimable_at_ms IS NOT NULL")
                .bind(run.id.to_string())
                .execute(transaction)
                .await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Takes the partitions of a run away.
pub(in crate::ledger) async fn forget(transaction: &mut Transaction, run: RunId) -> Result<(), LedgerError> {
    query("DELETE FROM partitions WHERE run = $1").bind(run.to_string()).execute(transaction).await?;
    Ok(())
}

/// How the input was cut last, for who goes on with it.
pub(super) fn cut_last(events: &[LoggedEvent]) -> Option<Cutting> {
    let last = events.iter().rev().find_map(|logged| match &logged.event {
        RunEvent::Partitioned(at) => Some(Some(Cutting { event: logged.seq, at: at.clone() })),
        RunEvent::Retried(Retried { afresh: true, .. }) => Some(None),
        _ => None,
    });
    last.flatten()
}
