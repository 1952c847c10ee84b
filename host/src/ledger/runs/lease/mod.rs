//! Leases: how a hub takes a run up, keeps it, works on it, and loses it; and what a person may do to a run in between.

mod claim;
mod step;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::outside::begun::{may_have_sent, not_while_begun};
use crate::ledger::store::Transaction;
use crate::ledger::who::{By, HubId, Scope};
use crate::model::ids::RunId;

use super::event::{
    Closed, Delivered, Failed, LoggedEvent, Partitioned, Pins, Processed, Pulled, Reason, Retried, RunEvent, Settled, Trigger, Word,
};
use super::found::Found;
use super::partition::{Cutting, cut_last};
use super::record::record;
use super::row::load;
use super::run::Run;
use super::state::RunState;

pub(in crate::ledger) use step::{Steps, steps};

/// The right to write to a run, until another hub has claimed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// Rises with every claim; what is written under an older one is refused.
    pub number: u64,
    /// The hub that holds it.
    pub hub: HubId,
}

/// A run that a hub has taken up, with what earlier attempts left.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The right to write to it.
    pub lease: Lease,
    /// The run.
    pub run: Run,
    /// What the attempt works with.
    pub pins: Pins,
    /// When the lease runs out, unless it is renewed.
    pub until_ms: i64,
    /// The inputs that an earlier attempt fetched last.
    pub pulled: Option<Pulled>,
    /// How an earlier attempt cut the last of them, if it did.
    pub cutting: Option<Cutting>,
    /// The processing that stands: the attempt goes on with delivery.
    pub processed: Option<Processed>,
    /// Outputs of that processing that have been delivered.
    pub delivered: Vec<Delivered>,
}

/// What the holder of a lease writes down.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The inputs are fetched and stored.
    Pulled(Pulled),
    /// The last input is cut into partitions, which any hub may claim from now on.
    Partitioned(Partitioned),
    /// All rows are processed and the outputs stored, with what was found about single rows.
    Processed(Box<Processed>, Found),
    /// An output was sent.
    Delivered(Delivered),
    /// The run is done.
    Closed(Closed),
    /// The run waits for a person.
    Held(Reason),
    /// The attempt failed.
    Failed(Failed),
    /// There is nothing to run for.
    Skipped(Reason),
}

/// What a person does to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// A held run goes on as it stands.
    Release {
        /// The person's reason.
        why: String,
    },
    /// A held or failed run is sent on its way again.
    Retry {
        /// Whether from the beginning, with the job, release and tables in force now; otherwise from where it stopped.
        afresh: bool,
        /// The person's reason.
        why: String,
    },
    /// A run is ended. A hub that is at it loses its lease.
    Cancel {
        /// The person's reason.
        why: String,
    },
}

impl Ledger {
    /// Writes down what was fetched, and answers it with what the ledger says of each file: whether its content had been taken before.
    ///
    /// # Errors
    /// As for [`Ledger::append`].
    pub async fn take(&self, lease: &Lease, now_ms: i64, pulled: Pulled) -> Result<Pulled, LedgerError> {
        let run = self.append(lease, now_ms, Step::Pulled(pulled)).await?;
        let written = self.events(Scope::Partner(run.partner()), run.id, run.last_event - 1).await?.into_iter().next();
        match written.map(|logged| logged.event) {
            Some(RunEvent::Pulled(pulled)) => Ok(pulled),
            _ => Err(corrupt(format!("the log of run {}", run.id), "what was fetched is not in it")),
        }
    }

    /// Does to a run what a person says, and notes it in the audit trail. Answers how the run stands then.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::WrongState`] if that cannot be done to a run that stands as this one does.
    pub async fn instruct(&self, scope: Scope<'_>, run: RunId, instruction: Instruction, by: &By) -> Result<Run, LedgerError> {
        let instruction = &instruction;
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let missing = || LedgerError::NotFound { what: "run", name: run.to_string() };
                let visible = |run: &Run| scope.covers(run.partner());
                let mut run = load(&mut transaction, run).await?.filter(visible).ok_or_else(missing)?;
                let before = serde_json::json!({ "state": run.state.as_str() });
                let (action, event, why) = match instruction.clone() {
                    Instruction::Release { why } => ("run.release", RunEvent::Released(Word { why: why.clone() }), why),
                    Instruction::Retry { afresh, why } => ("run.retry", RunEvent::Retried(Retried { afresh, why: why.clone() }), why),
                    Instruction::Cancel { why } => ("run.cancel", RunEvent::Cancelled(Word { why: why.clone() }), why),
                };
                let afresh = matches!(event, RunEvent::Retried(Retried { afresh: true, .. }));
                if (afresh || matches!(event, RunEvent::Cancelled(_))) && may_have_sent(&mut transaction, &run).await? {
                    not_while_begun(&run, afresh)?;
                }
                record(&mut transaction, &mut run, event, by).await?;
                let after = serde_json::json!({ "state": run.state.as_str(), "why": why });
                let subject = format!("run:{}", run.id);
                let act = Act { partner: Some(run.partner()), action, subject, before: Some(before), after: Some(after) };
                audit::append_over(&mut transaction, act, &covered(&run, false), by).await?;
                transaction.commit().await?;
                self.store.bell().ring();
                Ok(run)
            })
            .await
    }
}

/// The run of a lease, if the lease is the one in force.
pub(in crate::ledger) async fn fenced(transaction: &mut Transaction, lease: &Lease) -> Result<Run, LedgerError> {
    let missing = || LedgerError::NotFound { what: "run", name: lease.run.to_string() };
    held(load(transaction, lease.run).await?.ok_or_else(missing)?, lease)
}

/// The same, once the run is read.
fn held(run: Run, lease: &Lease) -> Result<Run, LedgerError> {
    if run.lease == lease.number && run.state.is_leased() && run.hub.as_ref() == Some(&lease.hub) {
        return Ok(run);
    }
    Err(LedgerError::LeaseLost { run: run.id, lease: lease.number, current: run.lease, state: run.state })
}

pub(super) fn what_stands(run: &Run, events: Vec<LoggedEvent>) -> (Option<Pulled>, Option<Processed>, Vec<Delivered>) {
    let (mut pulled, mut processed, mut delivered) = (None, None, Vec::new());
    let standing = run.standing.map_or(u64::MAX, |standing| standing.event);
    for logged in events {
        match logged.event {
            RunEvent::Pulled(files) => pulled = Some(files),
            // From the beginning means with whatever lies there now.
            RunEvent::Retried(Retried { afresh: true, .. }) => pulled = None,
            RunEvent::Processed(rows) if logged.seq == standing => processed = Some(*rows),
            RunEvent::Delivered(output) | RunEvent::Settled(Settled { arrived: Some(output), .. }) if logged.seq > standing => {
                delivered.push(output);
            }
            _ => {}
        }
    }
    (pulled, processed, delivered)
}

/// What of a run an act leaves as it is to stay: its log up to here; once it has ended, its totals, its receipts and its rejects too.
pub(in crate::ledger) fn covered(run: &Run, changes_state: bool) -> Vec<Covered> {
    let mut all = vec![Covered::log(run.id, run.last_event)];
    if run.state.is_final() {
        all.push(Covered::run(CoveredKind::Run, run.id));
        if run.rows.rejected > 0 {
            all.push(Covered::run(CoveredKind::Rejects, run.id));
        }
        if let Trigger::Resubmission(origin) = run.trigger() {
            all.extend([run.id, origin].map(|run| Covered::run(CoveredKind::Fates, run)));
        }
    }
    // Of what goes on it is known when that ends.
    if matches!(run.state, RunState::Held | RunState::Failed | RunState::Cancelled) {
        all.push(Covered::run(CoveredKind::Begun, run.id));
    }
    if matches!(run.state, RunState::Held | RunState::Failed) {
        all.push(Covered::run(CoveredKind::Reason, run.id));
    }
    if changes_state {
        all.push(Covered::named(CoveredKind::State, run.partner(), run.job().as_str()));
    }
    all
}

fn ending(run: &Run) -> Act<'_> {
    let action = match run.state {
        RunState::Closed => "run.close",
        RunState::Held => "run.hold",
        _ => "run.fail",
    };
    let after = serde_json::json!({
        "job": run.job().as_str(),
        "state": run.state.as_str(),
        "rows-read": run.rows.read,
        "rows-accepted": run.rows.accepted,
        "rows-rejected": run.rows.rejected,
        "rows-skipped": run.rows.skipped,
        "rows-written": run.rows.written,
        "deliveries": run.deliveries(),
        "reason": run.reason.as_ref().map(|reason| reason.code.as_str()),
    });
    Act { partner: Some(run.partner()), action, subject: format!("run:{}", run.id), before: None, after: Some(after) }
}
