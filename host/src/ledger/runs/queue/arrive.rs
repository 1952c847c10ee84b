//! Runs that somebody asks for: put into the queue together when they come together, each slot once.

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act};
use crate::ledger::declared::tried_with;
use crate::ledger::error::LedgerError;
use crate::ledger::runs::event::{Enqueued, Trigger};
use crate::ledger::runs::record::begin;
use crate::ledger::runs::row::{load, priority};
use crate::ledger::runs::run::Run;
use crate::ledger::store::{Query, Store, Transaction, query};
use crate::ledger::together::Together;
use crate::ledger::who::{Actor, By};
use crate::model::ids::RunId;

use super::{JobWaits, NewRun, Queued, id_at, run_of_slot, seed_of};

impl Ledger {
    /// Puts a run in the queue, unless its slot has one. Runs that come at the same time share a transaction.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchJob`]; [`LedgerError::NotFound`] if there is no origin to replay; or what the database failed of.
    pub async fn enqueue(&self, new: &NewRun, by: &By) -> Result<Queued, LedgerError> {
        let together = match new.trigger.origin() {
            None => self.arrivals.ask((new.clone(), by.clone())).await,
            Some(_) => None,
        };
        let queued = match together {
            Some(queued) => queued,
            None => self.enqueue_alone(new, by).await?,
        };
        if queued.new {
            self.store.bell().ring();
        }
        Ok(queued)
    }

    async fn enqueue_alone(&self, new: &NewRun, by: &By) -> Result<Queued, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                // Keeps the job from being taken away before its run is in the queue.
                let waits = job_waits(new).locked_with_others().fetch_optional(&mut transaction).await?;
                let missing = || LedgerError::NoSuchJob { partner: new.partner.clone(), job: new.job.clone() };
                let queued = put(&mut transaction, (new, &waits.ok_or_else(missing)?), by).await?;
                if queued.new {
                    transaction.commit().await?;
                }
                Ok(queued)
            })
            .await
    }
}

/// Puts runs into the queue together that come at the same time.
pub(in crate::ledger) type Arrivals = Together<(NewRun, By), Queued>;

pub(in crate::ledger) fn arrivals(store: &Store) -> Arrivals {
    let store = store.clone();
    Together::new(move |some| {
        let store = store.clone();
        async move {
            let runs = some.len();
            enqueue_together(&store, &some).await.unwrap_or_else(|error| {
                tracing::debug!(%error, runs, "runs could not be put in the queue together; each is put there alone");
                vec![None; runs]
            })
        }
    })
}

/// A run in the queue for each; none for one whose job is not there, or is being changed.
async fn enqueue_together(store: &Store, some: &[(NewRun, By)]) -> Result<Vec<Option<Queued>>, LedgerError> {
    let mut transaction = store.begin_soon().await?;
    let mut queued = Vec::with_capacity(some.len());
    for (new, by) in some {
        let waits = job_waits(new).locked_with_others_unless_taken().fetch_known::<JobWaits>(&mut transaction).await?;
        queued.push(match waits.first() {
            Some(waits) => Some(put(&mut transaction, (new, waits), by).await?),
            None => None,
        });
    }
    transaction.commit().await?;
    Ok(queued)
}

fn job_waits(new: &NewRun) -> Query {
    query("SELECT priority, overlap, overdue_after_ms FROM jobs WHERE partner = $1 AND job = $2 AND removed_at_ms IS NULL")
        .bind(new.partner.as_str())
        .bind(new.job.as_str())
}

async fn put(transaction: &mut Transaction, (new, waits): (&NewRun, &JobWaits), by: &By) -> Result<Queued, LedgerError> {
    if let Some(slot) = &new.slot
        && let Some(run) = run_of_slot(transaction, &new.partner, &new.job, slot).await?
    {
        return Ok(Queued { run, new: false });
    }
    let id = id_at(by.now_ms);
    let enqueued = enqueued_by_request(transaction, new, (waits, by.now_ms), id).await?;
    begin(transaction, id, enqueued, by)?;
    if by.actor != Actor::hub(&by.hub) {
        let after = serde_json::json!({ "job": new.job.as_str(), "trigger": new.trigger.kind(), "dry-run": new.dry_run });
        let (partner, subject) = (Some(&new.partner), format!("run:{id}"));
        audit::append(transaction, Act { partner, action: "run.request", subject, before: None, after: Some(after) }, by);
    }
    Ok(Queued { run: id, new: true })
}

async fn enqueued_by_request(
    transaction: &mut Transaction,
    new: &NewRun,
    (waits, now_ms): (&JobWaits, i64),
    id: RunId,
) -> Result<Enqueued, LedgerError> {
    let mut enqueued = Enqueued {
        partner: new.partner.clone(),
        job: new.job.clone(),
        slot: new.slot.clone(),
        trigger: new.trigger,
        dry_run: new.dry_run,
        logical_ms: new.logical_ms,
        seed: seed_of(id),
        calendar: new.calendar.clone(),
        release: new.release,
        pins: None,
        priority: priority(&waits.priority)?,
        overdue_at_ms: waits.overdue_at_ms(now_ms),
    };
    if let Some(origin) = new.trigger.origin() {
        let of_this_job = |origin: &Run| *origin.partner() == new.partner && *origin.job() == new.job;
        let missing = || LedgerError::NotFound { what: "run of this job", name: origin.to_string() };
        let origin = load(transaction, origin).await?.filter(of_this_job).ok_or_else(missing)?;
        if matches!(new.trigger, Trigger::Replay(_)) {
            enqueued.logical_ms = origin.enqueued.logical_ms;
            enqueued.seed = origin.enqueued.seed;
            enqueued.calendar = origin.enqueued.calendar;
            // A release is tried on what another read: all else is as it was.
            enqueued.pins = match (origin.pins, new.release) {
                (Some(pins), Some(tried)) => Some(tried_with(transaction, &new.partner, (pins, tried)).await?),
                (pins, _) => pins,
            };
        }
    }
    Ok(enqueued)
}
