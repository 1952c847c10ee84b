//! Sets right every run whose row does not agree with its log, by folding the log again.
//!
//! Rows and events are written in one transaction, so that a crash cannot part them; a restored backup, a damaged file or
//! a careless hand can.

use super::error::LedgerError;
use super::runs::{Run, events_of, files_and_receipts, follow, forget, load, save, state_changes, uses};
use super::store::{Store, Transaction, parsed, query, query_scalar};
use crate::model::ids::{JobName, PartnerName, RunId};

/// Runs whose row knows of another last event than the log has, and logs without a row. Of a log that was trimmed, retention has kept
/// too little to work the row out again.
const DISAGREEING: &str = "
SELECT run FROM runs
WHERE log_trimmed_at_ms IS NULL AND last_event <> COALESCE((SELECT MAX(run_events.seq) FROM run_events WHERE run_events.run = runs.run), 0)
UNION
SELECT run FROM run_events
WHERE seq = 1 AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.run = run_events.run)";

/// Repairs what disagrees, and answers which runs that were.
pub(super) async fn repair(store: &Store) -> Result<Vec<RunId>, LedgerError> {
    let disagreeing: Vec<String> = query_scalar(DISAGREEING).fetch_all(store).await?;
    if disagreeing.is_empty() {
        return Ok(Vec::new());
    }
    store
        .again(|| async move {
            let mut transaction = store.begin().await?;
            // Asked again: another hub may have gone on in between.
            let disagreeing: Vec<String> = query_scalar(DISAGREEING).fetch_all(&mut transaction).await?;
            let mut repaired = Vec::new();
            for run in disagreeing {
                let run = parsed(&run, "run id")?;
                rebuild(&mut transaction, run).await?;
                repaired.push(run);
            }
            transaction.commit().await?;
            Ok(repaired)
        })
        .await
}

async fn rebuild(transaction: &mut Transaction, id: RunId) -> Result<(), LedgerError> {
    let events = events_of(transaction, id).await?;
    let before = load(transaction, id).await?;
    for follows in [
        "DELETE FROM receipts WHERE run = $1",
        "DELETE FROM taken_files WHERE run = $1",
        // Of what never happened nobody is told.
        "DELETE FROM notices WHERE run = $1 AND seq > (SELECT COALESCE(MAX(seq), 0) FROM run_events WHERE run = $1)",
    ] {
        query(follows).bind(id.to_string()).execute(&mut *transaction).await?;
    }
    forget(transaction, id).await?;
    let run = Run::fold(id, &events)?;
    match &run {
        Some(run) => {
            save(transaction, run);
            for logged in &events {
                files_and_receipts(transaction, run, logged).await?;
                uses(transaction, run, logged).await?;
                follow(transaction, run, logged).await?;
            }
        }
        None => {
            // Nothing happened to it, so it never was.
            for trace in [
                "DELETE FROM job_state WHERE written_by_run = $1",
                "DELETE FROM findings WHERE run = $1",
                "DELETE FROM log_lines WHERE run = $1",
                "DELETE FROM artefacts_used WHERE run = $1",
                "DELETE FROM resubmissions WHERE run = $1",
                "DELETE FROM begun_deliveries WHERE run = $1",
                "DELETE FROM runs WHERE run = $1",
            ] {
                query(trace).bind(id.to_string()).execute(&mut *transaction).await?;
            }
        }
    }
    if let Some(run) = run.or(before) {
        rebuild_state(transaction, run.partner(), run.job()).await?;
    }
    Ok(())
}

/// A job's state is what its closed runs made of it, one after the other.
async fn rebuild_state(transaction: &mut Transaction, partner: &PartnerName, job: &JobName) -> Result<(), LedgerError> {
    query("DELETE FROM job_state WHERE partner = $1 AND job = $2")
        .bind(partner.as_str())
        .bind(job.as_str())
        .execute(&mut *transaction)
        .await?;
    let closed: Vec<String> = query_scalar(
        "SELECT run_events.run FROM run_events JOIN runs ON runs.run = run_events.run
         WHERE runs.partner = $1 AND runs.job = $2 AND run_events.kind = 'closed' ORDER BY run_events.at_ms, run_events.run",
    )
    .bind(partner.as_str())
    .bind(job.as_str())
    .fetch_all(&mut *transaction)
    .await?;
    for run in closed {
        let id = parsed(&run, "run id")?;
        let Some(run) = load(transaction, id).await? else { continue };
        for logged in events_of(transaction, id).await? {
            state_changes(transaction, &run, &logged).await?;
        }
    }
    Ok(())
}
