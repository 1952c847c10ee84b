//! The one way in which something happens to a run: an event is written, folded into the run's row, and followed by what hangs on it.

use crate::ledger::declared;
use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::outside::{self, begun};
use crate::ledger::store::{Insert, Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::{Actor, By, HubId};
use crate::model::ids::RunId;

use super::amend;
use super::event::{Closed, Delivered, DuplicateOf, Enqueued, LoggedEvent, Outcome, Pulled, PulledFile, RunEvent, Settled, Trigger};
use super::partition::follow;
use super::row::save;
use super::run::Run;
use super::state::RunState;

/// Puts a run into the log and the queue.
pub(in crate::ledger) fn begin(transaction: &mut Transaction, id: RunId, enqueued: Enqueued, by: &By) -> Result<Run, LedgerError> {
    let event = RunEvent::Enqueued(Box::new(enqueued));
    let first = LoggedEvent { seq: 1, at_ms: by.now_ms, actor: by.actor.clone(), hub: by.hub.clone(), lease: 0, event };
    let run = Run::begin(id, &first)?;
    write(transaction, &run, &first);
    save(transaction, &run);
    Ok(run)
}

/// Lets something happen to a run, or refuses it.
pub(in crate::ledger) async fn record(
    transaction: &mut Transaction,
    run: &mut Run,
    event: RunEvent,
    by: &By,
) -> Result<LoggedEvent, LedgerError> {
    let lease = run.lease + u64::from(matches!(event, RunEvent::Claimed(_)));
    let seq = run.last_event + 1;
    let logged = LoggedEvent { seq, at_ms: by.now_ms, actor: by.actor.clone(), hub: by.hub.clone(), lease, event };
    let asked = run.is_uncertain();
    run.apply(&logged)?;
    write(transaction, run, &logged);
    files_and_receipts(transaction, run, &logged).await?;
    state_changes(transaction, run, &logged).await?;
    quarantine(transaction, run, &logged).await?;
    amend::uses(transaction, run, &logged).await?;
    follow(transaction, run, &logged).await?;
    // Of a run with an uncertain delivery, whoever sends it on its way has asked the receiver.
    if asked && run.state == RunState::Queued {
        begun::settled_by_word(transaction, run).await?;
    }
    outside::note(transaction, run, &logged).await?;
    outside::tell_of_run(transaction, run, &logged).await?;
    save(transaction, run);
    declared::follow(transaction, run, &logged, by).await?;
    Ok(logged)
}

/// Moves rejects into quarantine and out of it, as an event demands.
async fn quarantine(transaction: &mut Transaction, run: &Run, logged: &LoggedEvent) -> Result<(), LedgerError> {
    match &logged.event {
        RunEvent::Closed(Closed { outcome: Outcome::Delivered, .. }) => amend::closes(transaction, run, logged.at_ms, &logged.actor).await,
        RunEvent::Cancelled(_)
            if matches!(run.trigger(), Trigger::Resubmission(_))
                && run.deliveries() == 0
                && !begun::may_have_sent(transaction, run).await? =>
        {
            amend::gives_back(transaction, run).await
        }
        _ => Ok(()),
    }
}

static WRITE: Insert =
    Insert { head: "INSERT INTO run_events (partner, run, seq, kind, at_ms, actor, hub, lease, body)", tail: "", keyed: false };

/// Writes an event, with others that are written at the same time.
pub(super) fn write(transaction: &mut Transaction, run: &Run, logged: &LoggedEvent) {
    let row = vec![
        run.partner().as_str().into(),
        run.id.to_string().into(),
        to_stored(logged.seq).into(),
        logged.event.kind().into(),
        logged.at_ms.into(),
        logged.actor.as_str().into(),
        logged.hub.as_str().into(),
        to_stored(logged.lease).into(),
        logged.event.body().into(),
    ];
    transaction.insert(&WRITE, row);
}

#[derive(sqlx::FromRow)]
pub(super) struct EventRow {
    seq: i64,
    kind: String,
    at_ms: i64,
    actor: String,
    hub: String,
    lease: i64,
    body: String,
}

impl TryFrom<EventRow> for LoggedEvent {
    type Error = LedgerError;

    fn try_from(row: EventRow) -> Result<Self, LedgerError> {
        let event =
            RunEvent::read(&row.kind, &row.body).map_err(|why| corrupt(format!("event {} ({}) of a run", row.seq, row.kind), &why))?;
        Ok(Self {
            seq: count(row.seq),
            at_ms: row.at_ms,
            actor: Actor::stored(row.actor),
            hub: HubId::new(row.hub),
            lease: count(row.lease),
            event,
        })
    }
}

/// The whole log of a run, oldest first.
pub(in crate::ledger) async fn events_of(transaction: &mut Transaction, run: RunId) -> Result<Vec<LoggedEvent>, LedgerError> {
    let rows: Vec<EventRow> = query("SELECT seq, kind, at_ms, actor, hub, lease, body FROM run_events WHERE run = $1 ORDER BY seq")
        .bind(run.to_string())
        .fetch_all(transaction)
        .await?;
    rows.into_iter().map(LoggedEvent::try_from).collect()
}

/// Writes the files that an event took and the receipt that it brought.
pub(in crate::ledger) async fn files_and_receipts(
    transaction: &mut Transaction,
    run: &Run,
    logged: &LoggedEvent,
) -> Result<(), LedgerError> {
    match &logged.event {
        RunEvent::Pulled(Pulled { inputs, .. }) => {
            for file in inputs.iter().filter(|file| file.taken) {
                take(transaction, run, file, logged.at_ms).await?;
            }
            Ok(())
        }
        RunEvent::Delivered(delivered) | RunEvent::Settled(Settled { arrived: Some(delivered), .. }) => {
            receive(transaction, run, delivered, logged.at_ms).await
        }
        // What was cancelled before anything can have been sent has used no file up: the next run may take them.
        RunEvent::Cancelled(_) if run.deliveries() == 0 && !begun::may_have_sent(transaction, run).await? => {
            query("DELETE FROM taken_files WHERE run = $1").bind(run.id.to_string()).execute(transaction).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn take(transaction: &mut Transaction, run: &Run, file: &PulledFile, at_ms: i64) -> Result<(), LedgerError> {
    let taken = query(
        "INSERT INTO taken_files (partner, job, connection, path, size_bytes, modified_ms, digest, run, taken_at_ms, duplicate_of)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(run.partner().as_str())
    .bind(run.job().as_str())
    .bind(file.connection.as_str())
    .bind(file.path.as_str())
    .bind(to_stored(file.size_bytes))
    .bind(file.modified_ms)
    .bind(file.digest.to_string())
    .bind(run.id.to_string())
    .bind(at_ms)
    .bind(file.duplicate_of.as_ref().map(|earlier| earlier.run.to_string()))
    .execute(&mut *transaction)
    .await?;
    if taken == 1 {
        return Ok(());
    }
    let owner: String = query_scalar(
        "SELECT run FROM taken_files
         WHERE partner = $1 AND job = $2 AND connection = $3 AND path = $4 AND size_bytes = $5 AND digest = $6",
    )
    .bind(run.partner().as_str())
    .bind(run.job().as_str())
    .bind(file.connection.as_str())
    .bind(file.path.as_str())
    .bind(to_stored(file.size_bytes))
    .bind(file.digest.to_string())
    .fetch_one(&mut *transaction)
    .await?;
    let owner: RunId = parsed(&owner, "run id")?;
    if owner != run.id {
        return Err(LedgerError::FileTaken { path: file.path.clone(), run: owner });
    }
    // It is taken once more by a run that was begun afresh, and judged once more.
    query("UPDATE taken_files SET duplicate_of = $1 WHERE partner = $2 AND run = $3 AND path = $4 AND digest = $5")
        .bind(file.duplicate_of.as_ref().map(|earlier| earlier.run.to_string()))
        .bind(run.partner().as_str())
        .bind(run.id.to_string())
        .bind(file.path.as_str())
        .bind(file.digest.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Keeps other hubs from taking files for the same job until this transaction ends. Asked before anything is known of the run.
pub(super) async fn alone_in_job(transaction: &mut Transaction, run: RunId) -> Result<(), LedgerError> {
    let job = query_scalar("SELECT job FROM jobs WHERE (partner, job) = (SELECT partner, job FROM runs WHERE run = $1)");
    let _: Option<String> = job.bind(run.to_string()).locked().fetch_optional(transaction).await?;
    Ok(())
}

/// What was fetched, each file with the run that had taken the same content first: one that is no duplicate itself. What a run
/// took before it was begun afresh is its own.
pub(super) async fn judged(transaction: &mut Transaction, run: &Run, mut pulled: Pulled) -> Result<Pulled, LedgerError> {
    for file in pulled.inputs.iter_mut().filter(|file| file.taken) {
        let earlier: Option<(String, String)> = query(
            "SELECT run, path FROM taken_files
             WHERE partner = $1 AND job = $2 AND connection = $3 AND digest = $4 AND run <> $5 AND duplicate_of IS NULL
             ORDER BY taken_at_ms, run LIMIT 1",
        )
        .bind(run.partner().as_str())
        .bind(run.job().as_str())
        .bind(file.connection.as_str())
        .bind(file.digest.to_string())
        .bind(run.id.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
        let judged = |(run, path): (String, String)| Ok::<_, LedgerError>(DuplicateOf { run: parsed(&run, "run id")?, path });
        file.duplicate_of = earlier.map(judged).transpose()?;
    }
    Ok(pulled)
}

async fn receive(transaction: &mut Transaction, run: &Run, delivered: &Delivered, at_ms: i64) -> Result<(), LedgerError> {
    let written = query(
        "INSERT INTO receipts (partner, run, port, connection, target, digest, size_bytes, receipt, already_there, delivered_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(run.partner().as_str())
    .bind(run.id.to_string())
    .bind(delivered.port.as_str())
    .bind(delivered.connection.as_str())
    .bind(delivered.target.as_str())
    .bind(delivered.digest.to_string())
    .bind(to_stored(delivered.size_bytes))
    .bind(delivered.receipt.as_str())
    .bind(i64::from(delivered.already_there))
    .bind(at_ms)
    .execute(&mut *transaction)
    .await?;
    if written == 1 {
        return begun::forget(transaction, run, &delivered.port).await;
    }
    let wanted = format!("its output {} has been delivered already", delivered.port);
    Err(LedgerError::WrongState { run: run.id, state: run.state, wanted })
}

/// Writes what a closing run wants to be remembered.
pub(in crate::ledger) async fn state_changes(transaction: &mut Transaction, run: &Run, logged: &LoggedEvent) -> Result<(), LedgerError> {
    let RunEvent::Closed(Closed { state, .. }) = &logged.event else { return Ok(()) };
    for change in state {
        query("DELETE FROM job_state WHERE partner = $1 AND job = $2 AND entry = $3")
            .bind(run.partner().as_str())
            .bind(run.job().as_str())
            .bind(change.key.as_str())
            .execute(&mut *transaction)
            .await?;
        let Some(value) = &change.value else { continue };
        query("INSERT INTO job_state (partner, job, entry, content, written_by_run) VALUES ($1, $2, $3, $4, $5)")
            .bind(run.partner().as_str())
            .bind(run.job().as_str())
            .bind(change.key.as_str())
            .bind(value.as_slice())
            .bind(run.id.to_string())
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}
