//! Deliveries of which nobody could tell whether they arrived, settled by a person; and outputs sent again.

use serde_json::json;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered};
use crate::ledger::error::LedgerError;
use crate::ledger::runs::event::{Delivered, ResendBegun, Resent, RunEvent, Settled, StagedOutput};
use crate::ledger::runs::lease::{covered, what_stands};
use crate::ledger::runs::record::{events_of, record};
use crate::ledger::runs::row::load;
use crate::ledger::runs::run::Run;
use crate::ledger::store::Transaction;
use crate::ledger::who::{By, Scope};
use crate::model::ids::RunId;

/// What a person wants to be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResendAsk {
    /// The plugin's output.
    pub port: String,
    /// The name that it is to have, where that is not the one that it had.
    pub target: Option<String>,
    /// Whether the receiver is to take it for another delivery than the first.
    pub new_key: bool,
    /// What the person gave as reason.
    pub why: String,
}

impl Ledger {
    /// Notes what a person heard from the receiver of an uncertain delivery, and sends the run on its way: to its end if the output
    /// arrived, and to sending it again if not.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::WrongState`] if no delivery of the run is uncertain, or it is another's.
    pub async fn settle_delivery(
        &self,
        scope: Scope<'_>,
        (run, port): (RunId, &str),
        (arrived, why): (bool, &str),
        by: &By,
    ) -> Result<Run, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut run = seen(&mut transaction, scope, run).await?;
                let output = uncertain_output(&mut transaction, &run, port).await?;
                let on_word = format!("arrived on the word of {}: {why}", by.actor);
                let delivered = arrived.then(|| of_staged(&output, on_word));
                let settled = Settled { port: output.port.clone(), arrived: delivered, why: why.to_owned() };
                record(&mut transaction, &mut run, RunEvent::Settled(settled), by).await?;
                let after = json!({ "output": output.port, "target": output.target, "digest": output.artefact.to_string(), "why": why });
                let action = if arrived { "delivery.arrived" } else { "delivery.missing" };
                note(&mut transaction, &run, (action, after), (Vec::new(), by)).await?;
                transaction.commit().await?;
                self.store.bell().ring();
                Ok(run)
            })
            .await
    }

    /// Notes, before anything is sent, that a person has a delivered output sent again. Answers what is to be sent, and the event.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::WrongState`] if the output was never delivered, or somebody is at work on the run.
    pub async fn begin_resend(
        &self,
        scope: Scope<'_>,
        run: RunId,
        ask: &ResendAsk,
        by: &By,
    ) -> Result<(Run, u64, ResendBegun), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut run = seen(&mut transaction, scope, run).await?;
                let begun = resend_of(&mut transaction, &run, ask).await?;
                let logged = record(&mut transaction, &mut run, RunEvent::ResendBegun(begun.clone()), by).await?;
                let after = json!({
                    "output": begun.port, "target": begun.target, "digest": begun.digest.to_string(), "new-key": ask.new_key, "why": ask.why,
                });
                note(&mut transaction, &run, ("delivery.resend", after), (Vec::new(), by)).await?;
                transaction.commit().await?;
                Ok((run, logged.seq, begun))
            })
            .await
    }

    /// Notes what came of sending an output again.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn end_resend(&self, run: RunId, resent: &Resent, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut run = seen(&mut transaction, Scope::Hub, run).await?;
                record(&mut transaction, &mut run, RunEvent::Resent(resent.clone()), by).await?;
                let after = json!({
                    "output": resent.delivered.as_ref().map(|delivered| delivered.port.as_str()),
                    "delivered": resent.delivered.is_some(), "reason": resent.failed.as_ref().map(|failed| failed.code.as_str()),
                });
                note(&mut transaction, &run, ("delivery.resent", after), (Vec::new(), by)).await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }
}

/// A run that may be seen.
pub(super) async fn seen(transaction: &mut Transaction, scope: Scope<'_>, run: RunId) -> Result<Run, LedgerError> {
    let missing = || LedgerError::NotFound { what: "run", name: run.to_string() };
    load(transaction, run).await?.filter(|run| scope.covers(run.partner())).ok_or_else(missing)
}

/// Puts what was done to a run into the audit trail, over its own rows and some more.
pub(super) async fn note(
    transaction: &mut Transaction,
    run: &Run,
    (action, after): (&str, serde_json::Value),
    (more, by): (Vec<Covered>, &By),
) -> Result<(), LedgerError> {
    let mut all = covered(run, false);
    all.retain(|one| !more.iter().any(|better| better.is_of_the_same(one)));
    all.extend(more);
    let act = Act { partner: Some(run.partner()), action, subject: format!("run:{}", run.id), before: None, after: Some(after) };
    audit::append_over(transaction, act, &all, by).await
}

/// The output whose delivery is uncertain: the first that was not delivered, as they are sent one after the other.
async fn uncertain_output(transaction: &mut Transaction, run: &Run, port: &str) -> Result<StagedOutput, LedgerError> {
    let (_, processed, delivered) = what_stands(run, events_of(transaction, run.id).await?);
    let outputs = processed.map(|processed| processed.outputs).unwrap_or_default();
    let refused = |wanted: String| LedgerError::WrongState { run: run.id, state: run.state, wanted };
    let sent = |output: &StagedOutput| delivered.iter().any(|delivered| delivered.port == output.port);
    let named = outputs.iter().find(|output| output.port == port).ok_or_else(|| no_output(run, port))?;
    if sent(named) {
        return Err(refused(format!("its output {port} has been delivered")));
    }
    match outputs.iter().find(|output| !sent(output)) {
        Some(first) if first.port != port => Err(refused(format!("the delivery that is uncertain is that of {}", first.port))),
        _ => Ok(named.clone()),
    }
}

async fn resend_of(transaction: &mut Transaction, run: &Run, ask: &ResendAsk) -> Result<ResendBegun, LedgerError> {
    let events = events_of(transaction, run.id).await?;
    let before = events.iter().filter(|logged| matches!(&logged.event, RunEvent::ResendBegun(begun) if begun.port == ask.port)).count();
    let (_, processed, delivered) = what_stands(run, events);
    if !processed.is_some_and(|processed| processed.outputs.iter().any(|output| output.port == ask.port)) {
        return Err(no_output(run, &ask.port));
    }
    let Some(first) = delivered.into_iter().find(|delivered| delivered.port == ask.port) else {
        let wanted = format!("its output {} has not been delivered: `bailiwick retry` sends what is not yet sent", ask.port);
        return Err(LedgerError::WrongState { run: run.id, state: run.state, wanted });
    };
    Ok(ResendBegun {
        port: first.port,
        connection: first.connection,
        target: ask.target.clone().unwrap_or(first.target),
        digest: first.digest,
        size_bytes: first.size_bytes,
        new_key: ask.new_key.then_some(before as u64 + 1),
        why: ask.why.clone(),
    })
}

fn no_output(run: &Run, port: &str) -> LedgerError {
    LedgerError::NotFound { what: "output of this run", name: format!("{port} ({})", run.id) }
}

fn of_staged(output: &StagedOutput, receipt: String) -> Delivered {
    Delivered {
        port: output.port.clone(),
        connection: output.connection.clone(),
        target: output.target.clone(),
        digest: output.artefact,
        size_bytes: output.size_bytes,
        receipt,
        already_there: true,
        session: None,
    }
}
