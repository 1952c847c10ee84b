//! What the holder of a lease writes down, each step in one transaction; small steps of several runs share one.

use std::collections::HashMap;

use super::{Lease, Step, covered, ending, held, what_stands};
use crate::ledger::Ledger;
use crate::ledger::audit;
use crate::ledger::error::LedgerError;
use crate::ledger::runs::event::{Delivered, RunEvent, StagedOutput};
use crate::ledger::runs::found::{self, Found};
use crate::ledger::runs::record::{alone_in_job, events_of, judged, record};
use crate::ledger::runs::row::RunRow;
use crate::ledger::runs::run::Run;
use crate::ledger::runs::state::RunState;
use crate::ledger::store::{Store, Transaction, query};
use crate::ledger::together::Together;
use crate::ledger::who::By;

impl Ledger {
    /// Writes down the next step of a run, with all that hangs on it, in one transaction. Answers how the run stands then.
    ///
    /// # Errors
    /// [`LedgerError::LeaseLost`] if the run has been claimed anew or ended since; [`LedgerError::WrongState`] if the step does not
    /// follow from how the run stands; [`LedgerError::FileTaken`] if another run of the job has the file. Nothing is written then.
    pub async fn append(&self, lease: &Lease, now_ms: i64, step: Step) -> Result<Run, LedgerError> {
        let together = match step.is_small() {
            true => self.steps.ask(Small { lease: lease.clone(), now_ms, step: step.clone() }).await,
            false => None,
        };
        let run = match together {
            Some(run) => run?,
            None => self.append_alone(lease, now_ms, &step).await?,
        };
        if !run.state.is_leased() || matches!(step, Step::Partitioned(_)) {
            // Another run of the job may go on; another hub may take a partition.
            self.store.bell().ring();
        }
        Ok(run)
    }

    async fn append_alone(&self, lease: &Lease, now_ms: i64, step: &Step) -> Result<Run, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                // What the job remembers is digested as a whole, so no other run of it changes it meanwhile.
                if step.remembers() || matches!(step, Step::Pulled(pulled) if pulled.inputs.iter().any(|file| file.taken)) {
                    alone_in_job(&mut transaction, lease.run).await?;
                }
                let mut run = super::fenced(&mut transaction, lease).await?;
                write(&mut transaction, &mut run, step, &By::hub(&lease.hub, now_ms)).await?;
                transaction.commit().await?;
                Ok(run)
            })
            .await
    }
}

/// A step that needs nothing but its run, and can share a transaction with others.
#[derive(Debug)]
pub(in crate::ledger) struct Small {
    lease: Lease,
    now_ms: i64,
    step: Step,
}

/// Writes small steps of several runs together.
pub(in crate::ledger) type Steps = Together<Small, Result<Run, LedgerError>>;

pub(in crate::ledger) fn steps(store: &Store) -> Steps {
    let store = store.clone();
    Together::new(move |some| {
        let store = store.clone();
        async move {
            append_together(&store, &some).await.unwrap_or_else(|error| {
                tracing::debug!(%error, steps = some.len(), "steps could not be written together; each is written alone");
                some.iter().map(|_| None).collect()
            })
        }
    })
}

/// How each run stands after its step, or that its lease is lost; none for one that somebody else is writing to.
async fn append_together(store: &Store, some: &[Small]) -> Result<Vec<Option<Result<Run, LedgerError>>>, LedgerError> {
    let mut transaction = store.begin_soon().await?;
    let mut runs = kept(&mut transaction, some).await?;
    let mut came = Vec::with_capacity(some.len());
    for Small { lease, now_ms, step } in some {
        // A second step of the same run is written after the first is answered.
        let Some(run) = runs.remove(&lease.run.to_string()) else {
            came.push(None);
            continue;
        };
        came.push(Some(match held(run, lease) {
            Ok(mut run) => {
                write(&mut transaction, &mut run, step, &By::hub(&lease.hub, *now_ms)).await?;
                Ok(run)
            }
            Err(lost) => Err(lost),
        }));
    }
    transaction.commit().await?;
    Ok(came)
}

/// The runs that nobody else is writing to, kept from others until the transaction ends.
async fn kept(transaction: &mut Transaction, some: &[Small]) -> Result<HashMap<String, Run>, LedgerError> {
    let mut ids: Vec<Option<String>> = some.iter().map(|small| Some(small.lease.run.to_string())).collect();
    // No run has no id. There are few such numbers of them, as each is a statement of its own to the database.
    ids.resize(ids.len().next_power_of_two(), None);
    let mut asked = query("WITH asked (id) AS (");
    asked.push_rows(&ids, |id| [id.clone().into()]);
    // The order of the two is told to SQLite by the words: each run is looked up.
    asked.push(") SELECT runs.* FROM asked CROSS JOIN runs WHERE runs.run = asked.id");
    let rows: Vec<RunRow> = asked.locked_unless_taken().fetch_all(transaction).await?;
    let runs = rows.into_iter().map(|row| Run::try_from(row).map(|run| (run.id.to_string(), run)));
    runs.collect()
}

impl Step {
    /// Whether it needs no other row to be kept from others than its run's, and is of a few lines.
    fn is_small(&self) -> bool {
        match self {
            Self::Closed(_) => !self.remembers(),
            Self::Delivered(_) | Self::Held(_) | Self::Failed(_) | Self::Skipped(_) => true,
            Self::Pulled(_) | Self::Partitioned(_) | Self::Processed(..) => false,
        }
    }

    /// Whether it changes what the job remembers.
    fn remembers(&self) -> bool {
        matches!(self, Self::Closed(closed) if !closed.state.is_empty())
    }
}

/// Lets the step happen, and what hangs on it.
async fn write(transaction: &mut Transaction, run: &mut Run, step: &Step, by: &By) -> Result<(), LedgerError> {
    let (event, found): (RunEvent, Option<&Found>) = match step {
        Step::Pulled(pulled) => (RunEvent::Pulled(judged(transaction, run, pulled.clone()).await?), None),
        Step::Partitioned(partitioned) => (RunEvent::Partitioned(partitioned.clone()), None),
        Step::Processed(processed, found) => (RunEvent::Processed(processed.clone()), Some(found)),
        Step::Delivered(delivered) => {
            permit_delivery(transaction, run, delivered).await?;
            (RunEvent::Delivered(delivered.clone()), None)
        }
        Step::Closed(closed) => (RunEvent::Closed(closed.clone()), None),
        Step::Held(reason) => (RunEvent::Held(reason.clone()), None),
        Step::Failed(failed) => (RunEvent::Failed(failed.clone()), None),
        Step::Skipped(reason) => (RunEvent::Skipped(reason.clone()), None),
    };
    record(transaction, run, event, by).await?;
    if let Some(found) = found {
        found::insert(transaction, run, found).await?;
    }
    if matches!(run.state, RunState::Closed | RunState::Held | RunState::Failed) {
        audit::append_over(transaction, ending(run), &covered(run, step.remembers()), by).await?;
    }
    Ok(())
}

/// What is delivered must be what was staged.
async fn permit_delivery(transaction: &mut Transaction, run: &Run, delivered: &Delivered) -> Result<(), LedgerError> {
    let staged = what_stands(run, events_of(transaction, run.id).await?).1;
    let same = |output: &StagedOutput| {
        (&output.port, &output.connection, &output.target) == (&delivered.port, &delivered.connection, &delivered.target)
            && output.artefact == delivered.digest
    };
    if staged.is_some_and(|processed| processed.outputs.iter().any(same)) {
        return Ok(());
    }
    let digest = delivered.digest.short();
    let wanted =
        format!("nothing is staged for output {} as {} at {} with digest {digest}", delivered.port, delivered.target, delivered.connection);
    Err(LedgerError::WrongState { run: run.id, state: run.state, wanted })
}
