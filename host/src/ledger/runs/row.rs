//! A run's row: how a run is written to the table `runs` and read from it.

use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::store::{Insert, Transaction, count, parsed, parsed_option, query, to_stored};
use crate::ledger::who::HubId;
use crate::model::ids::RunId;
use crate::model::job::Priority;

use super::event::{Enqueued, Outcome, Pins, Reason, Trigger};
use super::run::{Run, RunRows, Standing};

#[derive(sqlx::FromRow)]
pub(super) struct RunRow {
    run: String,
    partner: String,
    job: String,
    slot: Option<String>,
    trigger_kind: String,
    origin_run: Option<String>,
    dry_run: i64,
    logical_ms: i64,
    seed: String,
    calendar: String,
    asked_release: Option<String>,
    first_pins: Option<String>,
    definition: Option<String>,
    release_digest: Option<String>,
    tables_through: Option<i64>,
    state: String,
    attempt: i64,
    lease: i64,
    hub: Option<String>,
    claimable_at_ms: Option<i64>,
    enqueued_at_ms: i64,
    started_at_ms: Option<i64>,
    ended_at_ms: Option<i64>,
    rows_read: i64,
    rows_accepted: i64,
    rows_rejected: i64,
    rows_skipped: i64,
    rows_written: i64,
    warnings: i64,
    processed_event: Option<i64>,
    processed_lease: Option<i64>,
    outputs: i64,
    deliveries: i64,
    released: i64,
    outcome: Option<String>,
    reason_code: Option<String>,
    reason: Option<String>,
    last_event: i64,
    priority: String,
    overdue_at_ms: Option<i64>,
    overdue: i64,
}

impl TryFrom<RunRow> for Run {
    type Error = LedgerError;

    fn try_from(row: RunRow) -> Result<Self, LedgerError> {
        let standing = row.processed_event.zip(row.processed_lease).map(|(event, lease)| Standing {
            event: count(event),
            lease: count(lease),
            outputs: count(row.outputs),
            deliveries: count(row.deliveries),
        });
        Ok(Self {
            id: parsed(&row.run, "run id")?,
            pins: row.pins()?,
            state: parsed(&row.state, "state of a run")?,
            attempt: count(row.attempt),
            lease: count(row.lease),
            hub: row.hub.clone().map(HubId::new),
            claimable_at_ms: row.claimable_at_ms,
            enqueued_at_ms: row.enqueued_at_ms,
            started_at_ms: row.started_at_ms,
            ended_at_ms: row.ended_at_ms,
            rows: RunRows {
                read: count(row.rows_read),
                accepted: count(row.rows_accepted),
                rejected: count(row.rows_rejected),
                skipped: count(row.rows_skipped),
                written: count(row.rows_written),
            },
            warnings: count(row.warnings),
            standing,
            released: row.released != 0,
            outcome: row.outcome.as_deref().map(outcome).transpose()?,
            reason: row.reason_code.clone().zip(row.reason.clone()).map(|(code, sentence)| Reason { code, sentence }),
            overdue: row.overdue != 0,
            last_event: count(row.last_event),
            enqueued: row.enqueued()?,
        })
    }
}

impl RunRow {
    /// Whose run it is, and of which job.
    pub(super) fn of(&self) -> (String, String) {
        (self.partner.clone(), self.job.clone())
    }

    /// Whether a hub is at it, or was until its lease ran out.
    pub(super) fn is_under_way(&self) -> bool {
        ["running", "staged", "delivering"].contains(&self.state.as_str())
    }

    fn enqueued(self) -> Result<Enqueued, LedgerError> {
        let origin: Option<RunId> = parsed_option(self.origin_run.as_deref(), "run id")?;
        let first_pins = self.first_pins.as_deref().map(serde_json::from_str).transpose();
        Ok(Enqueued {
            partner: parsed(&self.partner, "partner")?,
            job: parsed(&self.job, "job")?,
            trigger: Trigger::read(&self.trigger_kind, origin).ok_or_else(|| corrupt("a trigger", &self.trigger_kind))?,
            dry_run: self.dry_run != 0,
            logical_ms: self.logical_ms,
            seed: u64::from_str_radix(&self.seed, 16).map_err(|why| corrupt("a seed", &why))?,
            release: parsed_option(self.asked_release.as_deref(), "digest of a release")?,
            pins: first_pins.map_err(|why| corrupt(format!("the pins of run {}", self.run), &why))?,
            priority: priority(&self.priority)?,
            overdue_at_ms: self.overdue_at_ms,
            slot: self.slot,
            calendar: self.calendar,
        })
    }

    fn pins(&self) -> Result<Option<Pins>, LedgerError> {
        let Some((definition, through)) = self.definition.as_deref().zip(self.tables_through) else { return Ok(None) };
        Ok(Some(Pins {
            definition: parsed(definition, "digest of a definition")?,
            release: parsed_option(self.release_digest.as_deref(), "digest of a release")?,
            tables_through: count(through),
        }))
    }
}

fn outcome(text: &str) -> Result<Outcome, LedgerError> {
    [Outcome::Delivered, Outcome::DryRun].into_iter().find(|outcome| outcome.as_str() == text).ok_or_else(|| corrupt("an outcome", text))
}

/// The run as its row has it; none if there is no such run.
pub(in crate::ledger) async fn load(transaction: &mut Transaction, run: RunId) -> Result<Option<Run>, LedgerError> {
    let row: Option<RunRow> = query("SELECT * FROM runs WHERE run = $1").bind(run.to_string()).locked().fetch_optional(transaction).await?;
    row.map(Run::try_from).transpose()
}

/// Of the rows of one run that wait to be written, the last stands.
static SAVE: Insert = Insert {
    head: "
INSERT INTO runs (run, partner, job, slot, trigger_kind, origin_run, dry_run, logical_ms, seed, calendar, asked_release, first_pins,
    definition, release_digest, tables_through, state, attempt, lease, hub, claimable_at_ms, enqueued_at_ms, started_at_ms, ended_at_ms,
    rows_read, rows_accepted, rows_rejected, rows_skipped, rows_written, warnings, processed_event, processed_lease, outputs, deliveries,
    released, outcome, reason_code, reason, last_event, priority, rank_ms, overdue_at_ms, overdue)",
    tail: "
ON CONFLICT (run) DO UPDATE SET definition = excluded.definition, release_digest = excluded.release_digest,
    tables_through = excluded.tables_through, state = excluded.state, attempt = excluded.attempt, lease = excluded.lease, hub = excluded.hub,
    claimable_at_ms = excluded.claimable_at_ms, started_at_ms = excluded.started_at_ms, ended_at_ms = excluded.ended_at_ms,
    rows_read = excluded.rows_read, rows_accepted = excluded.rows_accepted, rows_rejected = excluded.rows_rejected,
    rows_skipped = excluded.rows_skipped, rows_written = excluded.rows_written, warnings = excluded.warnings,
    processed_event = excluded.processed_event, processed_lease = excluded.processed_lease, outputs = excluded.outputs,
    deliveries = excluded.deliveries, released = excluded.released, outcome = excluded.outcome, reason_code = excluded.reason_code,
    reason = excluded.reason, last_event = excluded.last_event, rank_ms = excluded.rank_ms, overdue = excluded.overdue",
    keyed: true,
};

/// A priority as it was stored.
pub(super) fn priority(word: &str) -> Result<Priority, LedgerError> {
    Priority::ALL.into_iter().find(|priority| priority.as_str() == word).ok_or_else(|| corrupt("a priority", word))
}

/// Writes the run's row, with others that are written at the same time.
pub(in crate::ledger) fn save(transaction: &mut Transaction, run: &Run) {
    let enqueued = &run.enqueued;
    let pins = run.pins.as_ref();
    let standing = run.standing.unwrap_or_default();
    let stands = |value: u64| run.standing.is_some().then(|| to_stored(value));
    let first_pins = enqueued.pins.as_ref().map(|pins| serde_json::to_string(pins).expect("pins have only text keys"));
    let row = vec![
        run.id.to_string().into(),
        enqueued.partner.as_str().into(),
        enqueued.job.as_str().into(),
        enqueued.slot.as_deref().into(),
        enqueued.trigger.kind().into(),
        enqueued.trigger.origin().map(|run| run.to_string()).into(),
        i64::from(enqueued.dry_run).into(),
        enqueued.logical_ms.into(),
        format!("{:016x}", enqueued.seed).into(),
        enqueued.calendar.as_str().into(),
        enqueued.release.map(|digest| digest.to_string()).into(),
        first_pins.into(),
        pins.map(|pins| pins.definition.to_string()).into(),
        pins.and_then(|pins| pins.release).map(|digest| digest.to_string()).into(),
        pins.map(|pins| to_stored(pins.tables_through)).into(),
        run.state.as_str().into(),
        to_stored(run.attempt).into(),
        to_stored(run.lease).into(),
        run.hub.as_ref().map(HubId::as_str).into(),
        run.claimable_at_ms.into(),
        run.enqueued_at_ms.into(),
        run.started_at_ms.into(),
        run.ended_at_ms.into(),
        to_stored(run.rows.read).into(),
        to_stored(run.rows.accepted).into(),
        to_stored(run.rows.rejected).into(),
        to_stored(run.rows.skipped).into(),
        to_stored(run.rows.written).into(),
        to_stored(run.warnings).into(),
        stands(standing.event).into(),
        stands(standing.lease).into(),
        to_stored(standing.outputs).into(),
        to_stored(standing.deliveries).into(),
        i64::from(run.released).into(),
        run.outcome.map(Outcome::as_str).into(),
        run.reason.as_ref().map(|reason| reason.code.as_str()).into(),
        run.reason.as_ref().map(|reason| reason.sentence.as_str()).into(),
        to_stored(run.last_event).into(),
        enqueued.priority.as_str().into(),
        run.claimable_at_ms.map(|at_ms| at_ms.saturating_sub(enqueued.priority.head_start_ms())).into(),
        enqueued.overdue_at_ms.into(),
        i64::from(run.overdue).into(),
    ];
    transaction.insert(&SAVE, row);
}
