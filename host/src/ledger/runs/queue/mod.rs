//! The queue: how runs come into it, from a schedule or by request, each slot once.

mod arrive;

use std::collections::{HashMap, HashSet};

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act};
use crate::ledger::error::LedgerError;
use crate::ledger::outside::begun::may_have_sent;
use crate::ledger::store::{Transaction, parsed, query, query_scalar};
use crate::ledger::who::By;
use crate::model::ids::{Digest, JobName, PartnerName, RunId};
use crate::model::job::Overlap;

use super::event::{Enqueued, Overdue, Reason, RunEvent, Trigger, Word};
use super::lease::covered;
use super::record::{begin, record};
use super::row::{load, priority};

pub(in crate::ledger) use arrive::{Arrivals, arrivals};

/// Jobs, and slots, of one statement.
const DUE_TOGETHER: usize = 256;

/// What a schedule makes of a stretch of time: slots, and how far they reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose job.
    pub partner: PartnerName,
    /// Which job.
    pub job: JobName,
    /// Where the stretch begins: the cursor that the slots were worked out from.
    pub since_ms: i64,
    /// Where it ends: the cursor from now on.
    pub through_ms: i64,
    /// When to look again: no slot is due between the end and this moment.
    pub next_ms: i64,
    /// Version of the bank holidays that were used.
    pub calendar: String,
    /// The slots, oldest first.
    pub slots: Vec<DueSlot>,
}

/// One slot of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSlot {
    /// What names it within its job, the same whenever it is worked out: `2026-11-19T06:00+00:00`.
    pub key: String,
    /// The time that the plugin is told.
    pub logical_ms: i64,
    /// [`Trigger::Schedule`] or [`Trigger::CatchUp`].
    pub trigger: Trigger,
    /// Why it does not run; it is recorded all the same.
    pub skip: Option<Reason>,
}

/// A run that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Whose job.
    pub partner: PartnerName,
    /// Which job.
    pub job: JobName,
    /// Why. A replay takes its time, seed, calendar and pins from its origin.
    pub trigger: Trigger,
    /// A key under which the job has one run at most: an Idempotency-Key, the slot of a backfill. None to run whatever was before.
    pub slot: Option<String>,
    /// The time that the plugin is told.
    pub logical_ms: i64,
    /// Version of the bank holidays in use.
    pub calendar: String,
    /// Everything but delivery.
    pub dry_run: bool,
    /// A release to use in place of the active one.
    pub release: Option<Digest>,
}

/// A run that is in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// Its id.
    pub run: RunId,
    /// Whether it was put there now; otherwise the slot had this run already.
    pub new: bool,
}

impl Ledger {
    /// Writes down what has become due: the job's cursor moves on, and each slot gets its run, in one transaction.
    ///
    /// Answers the new runs, in the order of their slots; a slot that has its run already is passed over. Answers none, and writes
    /// nothing, if the cursor no longer stands at `since_ms`, or the job was paused or removed: somebody else was faster.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchJob`], or what the database failed of.
    pub async fn record_due(&self, due: &Due, by: &By) -> Result<Option<Vec<RunId>>, LedgerError> {
        Ok(self.record_all_due(std::slice::from_ref(due), by).await?.pop().flatten())
    }

    /// The same of many jobs, in one transaction: an answer for each.
    ///
    /// # Errors
    /// What the database failed of; nothing is written then.
    pub async fn record_all_due(&self, due: &[Due], by: &By) -> Result<Vec<Option<Vec<RunId>>>, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut runs = Vec::with_capacity(due.len());
                for some in due.chunks(DUE_TOGETHER) {
                    runs.extend(put_due(&mut transaction, some, by).await?);
                }
                transaction.commit().await?;
                if runs.iter().flatten().any(|runs| !runs.is_empty()) {
                    self.store.bell().ring();
                }
                Ok(runs)
            })
            .await
    }

    /// Writes down of every run that should be done by now, and is not, that it is overdue. Answers which these are.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn record_overdue(&self, by: &By) -> Result<Vec<RunId>, LedgerError> {
        let late = query_scalar(
            "SELECT run FROM runs WHERE overdue = 0 AND claimable_at_ms IS NOT NULL AND overdue_at_ms <= $1 ORDER BY overdue_at_ms, run LIMIT 100",
        );
        let late: Vec<String> = late.bind(by.now_ms).fetch_all(&self.store).await?;
        if late.is_empty() {
            return Ok(Vec::new());
        }
        let late = &late;
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut recorded = Vec::new();
                for id in late {
                    let Some(mut run) = load(&mut transaction, parsed(id, "run id")?).await? else { continue };
                    // Another hub may have written it down, or the run may have ended.
                    let Some(due_ms) = run.enqueued.overdue_at_ms.filter(|_| !run.overdue && run.claimable_at_ms.is_some()) else {
                        continue;
                    };
                    record(&mut transaction, &mut run, RunEvent::Overdue(Overdue { due_ms }), by).await?;
                    recorded.push(run.id);
                }
                transaction.commit().await?;
                Ok(recorded)
            })
            .await
    }
}

/// A job whose cursor was moved on.
#[derive(sqlx::FromRow)]
struct MovedJob {
    partner: String,
    job: String,
    #[sqlx(flatten)]
    waits: JobWaits,
}

/// How a job's runs wait for their turn, as it is stored.
#[derive(Clone, sqlx::FromRow)]
struct JobWaits {
    priority: String,
    overlap: String,
    overdue_after_ms: Option<i64>,
}

impl JobWaits {
    fn overdue_at_ms(&self, now_ms: i64) -> Option<i64> {
        self.overdue_after_ms.map(|after_ms| now_ms.saturating_add(after_ms))
    }
}

/// Moves the cursors of some jobs on, and gives their slots their runs.
async fn put_due(transaction: &mut Transaction, due: &[Due], by: &By) -> Result<Vec<Option<Vec<RunId>>>, LedgerError> {
    let mut moving = query("WITH due (of_partner, of_job, since_ms, through_ms, next_ms) AS (");
    moving.push_rows(due, |due| {
        [due.partner.as_str().into(), due.job.as_str().into(), due.since_ms.into(), due.through_ms.into(), due.next_ms.into()]
    });
    moving.push(
        ") UPDATE jobs SET scheduled_through_ms = through_ms, next_due_ms = next_ms FROM due
         WHERE partner = of_partner AND job = of_job AND scheduled_through_ms = since_ms AND paused_at_ms IS NULL AND removed_at_ms IS NULL
         RETURNING partner, job, priority, overlap, overdue_after_ms",
    );
    let moved: Vec<MovedJob> = moving.fetch_all(&mut *transaction).await?;
    let moved: HashMap<(String, String), JobWaits> = moved.into_iter().map(|job| ((job.partner, job.job), job.waits)).collect();
    let had = slots_with_runs(transaction, due).await?;
    let mut runs = Vec::with_capacity(due.len());
    for due in due {
        runs.push(match moved.get(&(due.partner.to_string(), due.job.to_string())) {
            Some(waits) => Some(put_slots(transaction, (due, waits), &had, by).await?),
            None => None,
        });
    }
    Ok(runs)
}

/// Which of the slots have their run already.
async fn slots_with_runs(transaction: &mut Transaction, due: &[Due]) -> Result<HashSet<(String, String, String)>, LedgerError> {
    let slots: Vec<(&Due, &DueSlot)> = due.iter().flat_map(|due| due.slots.iter().map(move |slot| (due, slot))).collect();
    let mut had = HashSet::new();
    for some in slots.chunks(DUE_TOGETHER) {
        let mut asked = query("WITH slots (of_partner, of_job, of_slot) AS (");
        asked.push_rows(some, |(due, slot)| [due.partner.as_str().into(), due.job.as_str().into(), slot.key.as_str().into()]);
        // The order of the two is told to SQLite by the words: each slot is looked up.
        asked.push(") SELECT partner, job, slot FROM slots CROSS JOIN runs WHERE partner = of_partner AND job = of_job AND slot = of_slot");
        had.extend(asked.fetch_all::<(String, String, String)>(&mut *transaction).await?);
    }
    Ok(had)
}

/// Gives each slot its run. What the overlap rule says holds towards runs that were there before; of slots that are due together,
/// the catch-up rule has said which of them run.
async fn put_slots(
    transaction: &mut Transaction,
    (due, waits): (&Due, &JobWaits),
    had: &HashSet<(String, String, String)>,
    by: &By,
) -> Result<Vec<RunId>, LedgerError> {
    if due.slots.is_empty() {
        return Ok(Vec::new());
    }
    let earlier = make_way(transaction, due, &waits.overlap, by).await?;
    let mut runs = Vec::new();
    for slot in &due.slots {
        if had.contains(&(due.partner.to_string(), due.job.to_string(), slot.key.clone())) {
            continue;
        }
        let id = id_at(by.now_ms);
        let mut run = begin(transaction, id, enqueued_by_schedule(due, slot, (waits, by.now_ms), id)?, by)?;
        if let Some(reason) = slot.skip.as_ref().or(earlier.as_ref()) {
            record(transaction, &mut run, RunEvent::Skipped(reason.clone()), by).await?;
        }
        runs.push(id);
    }
    Ok(runs)
}

/// Does to the job's earlier runs what its overlap rule says. Answers why the new ones are skipped, if they are.
async fn make_way(transaction: &mut Transaction, due: &Due, overlap: &str, by: &By) -> Result<Option<Reason>, LedgerError> {
    if overlap == Overlap::Queue.as_str() || due.slots.iter().all(|slot| slot.skip.is_some()) {
        return Ok(None);
    }
    let earlier: Vec<String> = query_scalar(
        "SELECT run FROM runs WHERE partner = $1 AND job = $2 AND trigger_kind IN ('schedule', 'catch-up')
           AND state IN ('queued', 'running', 'staged', 'delivering') ORDER BY run",
    )
    .bind(due.partner.as_str())
    .bind(due.job.as_str())
    .fetch_all(&mut *transaction)
    .await?;
    if overlap == Overlap::Skip.as_str() {
        let sentence =
            |run: &String| format!("Run {run} of the same job was not done when the time of this one came, and the job skips then.");
        return Ok(earlier.first().map(|run| Reason { code: "overlap".to_owned(), sentence: sentence(run) }));
    }
    for id in earlier {
        let Some(mut run) = load(transaction, parsed(&id, "run id")?).await? else { continue };
        // It may have ended since it was listed; and what has begun to be delivered is brought to its end.
        if run.claimable_at_ms.is_none() || run.deliveries() > 0 || may_have_sent(transaction, &run).await? {
            continue;
        }
        let why = "the time of the job's next run came before this one was done, and the job cancels the older one then".to_owned();
        let before = serde_json::json!({ "state": run.state.as_str() });
        record(transaction, &mut run, RunEvent::Cancelled(Word { why: why.clone() }), by).await?;
        let after = serde_json::json!({ "state": run.state.as_str(), "why": why });
        let (partner, subject) = (Some(&due.partner), format!("run:{}", run.id));
        let act = Act { partner, action: "run.cancel", subject, before: Some(before), after: Some(after) };
        audit::append_over(transaction, act, &covered(&run, false), by).await?;
    }
    Ok(None)
}

fn enqueued_by_schedule(due: &Due, slot: &DueSlot, (waits, now_ms): (&JobWaits, i64), id: RunId) -> Result<Enqueued, LedgerError> {
    Ok(Enqueued {
        partner: due.partner.clone(),
        job: due.job.clone(),
        slot: Some(slot.key.clone()),
        trigger: slot.trigger,
        dry_run: false,
        logical_ms: slot.logical_ms,
        seed: seed_of(id),
        calendar: due.calendar.clone(),
        release: None,
        pins: None,
        priority: priority(&waits.priority)?,
        // Where nothing else is said, before its job's time comes again.
        overdue_at_ms: waits.overdue_at_ms(now_ms).or(Some(due.next_ms)),
    })
}

pub(in crate::ledger) async fn run_of_slot(
    transaction: &mut Transaction,
    partner: &PartnerName,
    job: &JobName,
    slot: &str,
) -> Result<Option<RunId>, LedgerError> {
    let run: Option<String> = query_scalar("SELECT run FROM runs WHERE partner = $1 AND job = $2 AND slot = $3")
        .bind(partner.as_str())
        .bind(job.as_str())
        .bind(slot)
        .fetch_optional(transaction)
        .await?;
    run.map(|run| parsed(&run, "run id")).transpose()
}

pub(in crate::ledger) fn id_at(now_ms: i64) -> RunId {
    RunId::at(u64::try_from(now_ms).unwrap_or(0))
}

/// A run's seed follows from its id, most of which is random.
pub(super) fn seed_of(id: RunId) -> u64 {
    let digest = Digest::of(id.to_string().as_bytes());
    let (first, _) = digest.bytes().split_first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}
