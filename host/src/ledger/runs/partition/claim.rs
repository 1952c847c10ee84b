//! Who takes a partition up, keeps it, and says what came of it.

use super::{Cutting, PartitionClaim, PartitionEnd, PartitionLease, cut_last};
use crate::ledger::Ledger;
use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::runs::lease::{Lease, fenced, what_stands};
use crate::ledger::runs::record::events_of;
use crate::ledger::runs::row::load;
use crate::ledger::runs::run::Run;
use crate::ledger::runs::state::RunState;
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::HubId;
use crate::model::ids::RunId;

/// The first partition that may be claimed: of the run that has been in the queue longest, in the order of its input.
/// It waits for no lock: whether it may still be claimed is asked again when it is.
const CLAIMABLE: &str = "
SELECT partitions.run, partitions.cutting, partitions.number, partitions.lease, partitions.claims FROM partitions
JOIN runs ON runs.run = partitions.run
WHERE partitions.claimable_at_ms IS NOT NULL AND partitions.claimable_at_ms <= $1
  AND runs.state = 'running' AND ($2 = '' OR partitions.run = $2)
ORDER BY partitions.run, partitions.number
LIMIT 1";

#[derive(sqlx::FromRow)]
struct Claimable {
    run: String,
    cutting: i64,
    number: i64,
    lease: i64,
    claims: i64,
}

impl Ledger {
    /// Takes up the first partition that waits, or whose holder's lease has run out: of any run that is under way, or of one.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn claim_partition(
        &self,
        hub: &HubId,
        now_ms: i64,
        lease_for_ms: i64,
        of: Option<RunId>,
    ) -> Result<Option<PartitionClaim>, LedgerError> {
        let of = of.map(|run| run.to_string()).unwrap_or_default();
        let of = of.as_str();
        let until_ms = now_ms.saturating_add(lease_for_ms);
        loop {
            let first: Option<Claimable> = query(CLAIMABLE).bind(now_ms).bind(of).fetch_optional(&self.store).await?;
            let Some(first) = first else { return Ok(None) };
            let first = &first;
            let claimed = self
                .store
                .again(|| async move {
                    let mut transaction = self.store.begin().await?;
                    let claimed = take_up(&mut transaction, first, (hub, now_ms, until_ms)).await?;
                    transaction.commit().await?;
                    Ok(claimed)
                })
                .await?;
            // Another hub may have been faster: then the next one is looked for.
            if claimed.is_some() {
                return Ok(claimed);
            }
        }
    }

    /// Renews the lease on a partition. Answers false if it is lost, or its run is not under way any more: the holder stops at once.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn keep_partition(&self, lease: &PartitionLease, now_ms: i64, lease_for_ms: i64) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let renewed = query(
                    "UPDATE partitions SET claimable_at_ms = $6
                     WHERE run = $1 AND cutting = $2 AND number = $3 AND lease = $4 AND hub = $5 AND state = 'running'
                       AND EXISTS (SELECT 1 FROM runs WHERE runs.run = partitions.run AND runs.state = 'running')",
                )
                .bind(lease.run.to_string())
                .bind(to_stored(lease.cutting))
                .bind(to_stored(lease.partition))
                .bind(to_stored(lease.number))
                .bind(lease.hub.as_str())
                .bind(now_ms.saturating_add(lease_for_ms))
                .execute(&mut transaction)
                .await?;
                transaction.commit().await?;
                Ok(renewed == 1)
            })
            .await
    }

    /// Writes down what came of a partition.
    ///
    /// # Errors
    /// [`LedgerError::LeaseLost`] if it has been claimed anew since, or its run is not under way any more. Nothing is written then.
    pub async fn end_partition(&self, lease: &PartitionLease, now_ms: i64, end: &PartitionEnd) -> Result<(), LedgerError> {
        let (state, rows_read, result, failed) = match end {
            PartitionEnd::Done { rows_read, result } => ("done", *rows_read, Some(result.to_string()), None),
            PartitionEnd::Failed(failed) => ("failed", 0, None, Some(serde_json::to_string(failed).expect("a failure has only text keys"))),
        };
        let (result, failed) = (&result, &failed);
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let run = load(&mut transaction, lease.run).await?;
                let mut written = 0;
                if run.as_ref().is_some_and(|run| run.state == RunState::Running) {
                    written = query(
                        "UPDATE partitions SET state = $6, claimable_at_ms = NULL, ended_at_ms = $7, rows_read = $8, result = $9, failed = $10
                         WHERE run = $1 AND cutting = $2 AND number = $3 AND lease = $4 AND hub = $5 AND state = 'running'",
                    )
                    .bind(lease.run.to_string())
                    .bind(to_stored(lease.cutting))
                    .bind(to_stored(lease.partition))
                    .bind(to_stored(lease.number))
                    .bind(lease.hub.as_str())
                    .bind(state)
                    .bind(now_ms)
                    .bind(to_stored(rows_read))
                    .bind(result.clone())
                    .bind(failed.clone())
                    .execute(&mut transaction)
                    .await?;
                }
                if written == 0 {
                    return Err(lost(&mut transaction, lease, run).await?);
                }
                transaction.commit().await
            })
            .await
    }

    /// For an attempt of a run that goes on with what was cut by an earlier one: lets partitions wait again that failed, or that no hub
    /// went on with when that attempt ended. Those that hubs are at are theirs.
    ///
    /// # Errors
    /// [`LedgerError::LeaseLost`] if the run has been claimed anew or ended since.
    pub async fn go_on_with_partitions(&self, lease: &Lease, now_ms: i64) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                fenced(&mut transaction, lease).await?;
                query("UPDATE partitions SET claims = 0 WHERE run = $1 AND state <> 'done'")
                    .bind(lease.run.to_string())
                    .execute(&mut transaction)
                    .await?;
                query(
                    "UPDATE partitions SET state = 'waiting', failed = NULL, ended_at_ms = NULL, claimable_at_ms = $2
                     WHERE run = $1 AND (state = 'failed' OR (state <> 'done' AND claimable_at_ms IS NULL))",
                )
                .bind(lease.run.to_string())
                .bind(now_ms)
                .execute(&mut transaction)
                .await?;
                transaction.commit().await
            })
            .await
    }
}

/// Claims a partition that was found; none if it is not to be had any more.
async fn take_up(
    transaction: &mut Transaction,
    first: &Claimable,
    (hub, now_ms, until_ms): (&HubId, i64, i64),
) -> Result<Option<PartitionClaim>, LedgerError> {
    let id: RunId = parsed(&first.run, "run id")?;
    let Some(run) = load(transaction, id).await?.filter(|run| run.state == RunState::Running) else { return Ok(None) };
    let claimed = query(
        "UPDATE partitions SET state = 'running', lease = lease + 1, claims = claims + 1, hub = $5, claimable_at_ms = $6, started_at_ms = $7
         WHERE run = $1 AND cutting = $2 AND number = $3 AND lease = $4 AND claimable_at_ms <= $7",
    )
    .bind(first.run.as_str())
    .bind(first.cutting)
    .bind(first.number)
    .bind(first.lease)
    .bind(hub.as_str())
    .bind(until_ms)
    .bind(now_ms)
    .execute(&mut *transaction)
    .await?;
    if claimed == 0 {
        return Ok(None);
    }
    let lease = PartitionLease {
        run: id,
        cutting: count(first.cutting),
        partition: count(first.number),
        number: count(first.lease) + 1,
        hub: hub.clone(),
    };
    let events = events_of(transaction, id).await?;
    let cutting = cut_last(&events).filter(|cutting: &Cutting| cutting.event == lease.cutting);
    let (pulled, _, _) = what_stands(&run, events);
    let missing = || corrupt(format!("the log of run {id}"), "it has partitions, and does not say of what");
    let pins = run.pins.clone().ok_or_else(missing)?;
    let (pulled, cutting) = pulled.zip(cutting).ok_or_else(missing)?;
    Ok(Some(PartitionClaim { lease, claims: count(first.claims) + 1, run, pins, pulled, cutting }))
}

async fn lost(transaction: &mut Transaction, lease: &PartitionLease, run: Option<Run>) -> Result<LedgerError, LedgerError> {
    let current: Option<i64> = query_scalar("SELECT lease FROM partitions WHERE run = $1 AND cutting = $2 AND number = $3")
        .bind(lease.run.to_string())
        .bind(to_stored(lease.cutting))
        .bind(to_stored(lease.partition))
        .fetch_optional(transaction)
        .await?;
    let state = run.map_or(RunState::Cancelled, |run| run.state);
    Ok(LedgerError::LeaseLost { run: lease.run, lease: lease.number, current: count(current.unwrap_or_default()), state })
}
