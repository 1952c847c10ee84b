//! Rejected rows that come back corrected, as a run of their own. Each comes back once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::ledger::Ledger;
use crate::ledger::audit::{Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::runs::event::{Enqueued, Outcome, Trigger};
use crate::ledger::runs::found::FindingId;
use crate::ledger::runs::queue::{id_at, seed_of};
use crate::ledger::runs::record::begin;
use crate::ledger::runs::run::Run;
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::{By, Scope};
use crate::model::ids::{Digest, RunId};

use super::deliveries::{note, seen};
use super::retain::use_artefacts;

/// Rows of one statement.
const ROWS_AT_ONCE: usize = 500;

/// Corrected rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResubmission {
    /// The run that rejected them.
    pub origin: RunId,
    /// The input.
    pub port: String,
    /// The rows in the input's own format.
    pub artefact: Digest,
    /// How many bytes.
    pub size_bytes: u64,
    /// Of each row the reject that it corrects, and where its record begins in the artefact, in bytes.
    pub rows: Vec<(u64, u64)>,
    /// Whether it runs with the job, release and tables in force now, and not with those of its origin.
    pub afresh: bool,
}

/// What a run reads that brings rows back corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resubmitted {
    /// The run that rejected them.
    pub origin: RunId,
    /// The input.
    pub port: String,
    /// The rows in the input's own format.
    pub artefact: Digest,
    /// How many bytes.
    pub size_bytes: u64,
    /// How many rows.
    pub rows: u64,
    /// Of each record the reject that it corrects, by where it begins in the artefact.
    pub supersedes: BTreeMap<u64, FindingId>,
}

impl Ledger {
    /// The inputs of a run of which rejects wait that are in nobody's hands.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn ports_waiting(&self, scope: Scope<'_>, run: RunId) -> Result<BTreeSet<String>, LedgerError> {
        let ports: Vec<(String,)> = query(
            "SELECT DISTINCT port FROM findings WHERE run = $1 AND ($2 = '' OR partner = $2)
             AND waiting_since_ms IS NOT NULL AND left_how IS NULL AND resubmitted_by IS NULL",
        )
        .bind(run.to_string())
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        Ok(ports.into_iter().map(|(port,)| port).collect())
    }

    /// Whether rows may come back, as things stand: each names a reject of an input, and where its record begins.
    ///
    /// # Errors
    /// As for [`Ledger::resubmit`].
    pub async fn may_resubmit(&self, scope: Scope<'_>, origin: RunId, (port, rows): (&str, &[(u64, u64)])) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let origin = seen(&mut transaction, scope, origin).await?;
                may_come_back(&mut transaction, &origin, (port, rows)).await
            })
            .await
    }

    /// Puts a run in the queue that brings rejected rows back corrected. From now on they are in its hands, until it closes and they
    /// leave quarantine, or until it is cancelled and has sent nothing.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::WrongState`] if the origin has not closed;
    /// [`LedgerError::NotResubmitted`] names the first row that is no reject of the origin's that waits.
    pub async fn resubmit(&self, scope: Scope<'_>, new: &NewResubmission, by: &By) -> Result<RunId, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                // Locked, so that of two people with the same rows one waits for the other.
                let origin = seen(&mut transaction, scope, new.origin).await?;
                let fates = Covered::run(CoveredKind::Fates, origin.id).found_before(&mut transaction).await?;
                may_come_back(&mut transaction, &origin, (&new.port, &new.rows)).await?;
                let id = id_at(by.now_ms);
                let enqueued = enqueued(&mut transaction, &origin, new, id).await?;
                let run = begin(&mut transaction, id, enqueued, by)?;
                keep(&mut transaction, &origin, (id, new)).await?;
                let after = json!({
                    "job": origin.job().as_str(), "origin": origin.id.to_string(), "rows": new.rows.len(), "afresh": new.afresh,
                    "digest": new.artefact.to_string(),
                });
                let covered = vec![fates, Covered::run(CoveredKind::Resubmission, id)];
                note(&mut transaction, &run, ("run.resubmit", after), (covered, by)).await?;
                transaction.commit().await?;
                self.store.bell().ring();
                Ok(id)
            })
            .await
    }

    /// What a run reads that brings rows back corrected; none for any other run.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn resubmitted(&self, scope: Scope<'_>, run: RunId) -> Result<Option<Resubmitted>, LedgerError> {
        let row: Option<(String, String, String, i64, i64)> = query(
            "SELECT origin_run, port, artefact, size_bytes, row_count FROM resubmissions WHERE run = $1 AND ($2 = '' OR partner = $2)",
        )
        .bind(run.to_string())
        .bind(scope.text())
        .fetch_optional(&self.store)
        .await?;
        let Some((origin, port, artefact, size_bytes, rows)) = row else { return Ok(None) };
        let origin: RunId = parsed(&origin, "run id")?;
        let corrected: Vec<(i64, i64, i64)> =
            query("SELECT resubmitted_offset, lease, number FROM findings WHERE run = $1 AND resubmitted_by = $2")
                .bind(origin.to_string())
                .bind(run.to_string())
                .fetch_all(&self.store)
                .await?;
        let reject = |(offset, lease, number): (i64, i64, i64)| {
            (count(offset), FindingId { run: origin, lease: count(lease), number: count(number) })
        };
        Ok(Some(Resubmitted {
            origin,
            port,
            artefact: parsed(&artefact, "digest of corrected rows")?,
            size_bytes: count(size_bytes),
            rows: count(rows),
            supersedes: corrected.into_iter().map(reject).collect(),
        }))
    }

    /// The runs that brought rows of a run back corrected, oldest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn resubmissions_of(&self, scope: Scope<'_>, origin: RunId) -> Result<Vec<RunId>, LedgerError> {
        let runs: Vec<String> =
            query_scalar("SELECT run FROM resubmissions WHERE origin_run = $1 AND ($2 = '' OR partner = $2) ORDER BY run")
                .bind(origin.to_string())
                .bind(scope.text())
                .fetch_all(&self.store)
                .await?;
        runs.iter().map(|run| parsed(run, "run id")).collect()
    }
}

/// Refuses rows that are no rejects of the run, or do not wait any more, or have come back already.
async fn may_come_back(transaction: &mut Transaction, origin: &Run, (port, of): (&str, &[(u64, u64)])) -> Result<(), LedgerError> {
    let Some(standing) = origin.standing.filter(|_| origin.outcome == Some(Outcome::Delivered)) else {
        let wanted = "its rejects are resubmitted once it has closed: until then it waits as a whole".to_owned();
        return Err(LedgerError::WrongState { run: origin.id, state: origin.state, wanted });
    };
    let rows: Vec<(i64, Option<String>, Option<String>)> =
        query("SELECT number, left_how, resubmitted_by FROM findings WHERE run = $1 AND lease = $2 AND port = $3 AND effect = 'reject'")
            .bind(origin.id.to_string())
            .bind(to_stored(standing.lease))
            .bind(port)
            .fetch_all(transaction)
            .await?;
    let mut waiting: BTreeMap<u64, Option<String>> = rows
        .into_iter()
        .map(|(number, left, by)| {
            let why = match (left, by) {
                (Some(how), Some(by)) => Some(format!("it was {how} by a row of run {by}")),
                (Some(how), None) => Some(format!("it was {how}")),
                (None, Some(by)) => Some(format!("run {by} is bringing it back: see `bailiwick show {by}`")),
                (None, None) => None,
            };
            (count(number), why)
        })
        .collect();
    for (number, _) in of {
        let unknown = || Some(format!("input {port} has no reject of that number, or the file has it twice"));
        if let Some(why) = waiting.remove(number).unwrap_or_else(unknown) {
            return Err(LedgerError::NotResubmitted { run: origin.id, number: *number, why });
        }
    }
    if of.is_empty() {
        return Err(LedgerError::NotFound { what: "row to resubmit to the job of run", name: origin.id.to_string() });
    }
    Ok(())
}

/// A run of the origin's job, for the origin's time, with what its origin was pinned to unless that is not wanted.
async fn enqueued(transaction: &mut Transaction, origin: &Run, new: &NewResubmission, id: RunId) -> Result<Enqueued, LedgerError> {
    let before: i64 = query_scalar("SELECT CAST(COUNT(*) AS BIGINT) FROM resubmissions WHERE origin_run = $1")
        .bind(origin.id.to_string())
        .fetch_one(transaction)
        .await?;
    Ok(Enqueued {
        slot: Some(format!("resubmission:{}:{}", origin.id, before + 1)),
        trigger: Trigger::Resubmission(origin.id),
        dry_run: false,
        seed: seed_of(id),
        release: None,
        pins: if new.afresh { None } else { origin.pins.clone() },
        overdue_at_ms: None,
        ..origin.enqueued.clone()
    })
}

/// Keeps what the run reads, and which reject each of its rows corrects.
async fn keep(transaction: &mut Transaction, origin: &Run, (id, new): (RunId, &NewResubmission)) -> Result<(), LedgerError> {
    query(
        "INSERT INTO resubmissions (partner, run, origin_run, port, artefact, size_bytes, row_count) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(origin.partner().as_str())
    .bind(id.to_string())
    .bind(origin.id.to_string())
    .bind(new.port.as_str())
    .bind(new.artefact.to_string())
    .bind(to_stored(new.size_bytes))
    .bind(to_stored(new.rows.len() as u64))
    .execute(&mut *transaction)
    .await?;
    use_artefacts(transaction, (origin.partner(), id), &[new.artefact]).await?;
    let lease = origin.standing.map_or(0, |standing| standing.lease);
    for some in new.rows.chunks(ROWS_AT_ONCE) {
        let mut update = query("UPDATE findings SET resubmitted_by = ");
        update.push_bind(id.to_string()).push(", resubmitted_offset = corrected.column2 FROM (");
        update.push_rows(some, |(number, offset)| [to_stored(*number).into(), to_stored(*offset).into()]);
        update.push(") AS corrected WHERE findings.number = corrected.column1 AND findings.run = ");
        update.push_bind(origin.id.to_string()).push(" AND findings.lease = ").push_bind(to_stored(lease));
        update.execute(&mut *transaction).await?;
    }
    Ok(())
}
