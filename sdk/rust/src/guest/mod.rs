//! Inside the sandbox: what the contract's exports call. Only here do the worlds' bindings meet the traits.

mod connector;
mod format;

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::adapter::{Adapter, AdapterRun};
use crate::bindings::adapter::Guest as AdapterWorld;
use crate::bindings::adapter::bailiwick::plugin::settings;
use crate::bindings::adapter::exports::bailiwick::plugin::rows;
use crate::bindings::rule_set::Guest as RuleSetWorld;
use crate::bindings::rule_set::exports::bailiwick::plugin::decisions;
use crate::hub::Hub;
use crate::rule_set::{Decision, RuleSet, Verdict, decide};
use crate::{hub, wire};

pub use connector::{ConnectorGuest, Fetch, Send};
pub use format::{FormatGuest, Reading, Writing};

/// What an adapter's first batch takes of memory, more or less: 1,024 rows in and out.
const ADAPTER_BYTES: usize = 1 << 20;

/// What a decision takes of memory, more or less.
const RULE_SET_BYTES: usize = 128 << 10;

/// Grows the memory now, before the snapshot, so that no call has to: growing costs more than a whole small decision.
fn grow(bytes: usize) {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(bytes)));
}

/// The exports of an adapter.
#[derive(Debug)]
pub struct AdapterGuest<A>(PhantomData<A>);

impl<A: Adapter> AdapterWorld for AdapterGuest<A> {
    fn initialize() {
        grow(ADAPTER_BYTES);
    }
}

impl<A: Adapter> rows::Guest for AdapterGuest<A> {
    type Run = Running<A>;
}

/// A run that the hub holds by a handle.
#[derive(Debug)]
pub struct Running<A>(RefCell<AdapterRun<A>>);

impl<A: Adapter> rows::GuestRun for Running<A> {
    fn open(context: wire::Context) -> Result<rows::Run, wire::Failure> {
        let run = AdapterRun::<A>::open(context, settings::get, &Hub::of_guest())?;
        Ok(rows::Run::new(Self(RefCell::new(run))))
    }

    fn push(&self, input: u32, batch: wire::Batch) -> Result<wire::Outcome, wire::Failure> {
        Ok(self.0.borrow_mut().push(input, &batch)?)
    }

    fn end(&self, input: u32) -> Result<wire::Outcome, wire::Failure> {
        Ok(self.0.borrow_mut().end(input)?)
    }

    fn finish(&self) -> Result<wire::FinalOutcome, wire::Failure> {
        Ok(self.0.borrow_mut().finish()?)
    }
}

/// The exports of a rule set.
#[derive(Debug)]
pub struct RuleSetGuest<R>(PhantomData<R>);

impl<R: RuleSet> RuleSetWorld for RuleSetGuest<R> {
    fn initialize() {
        grow(RULE_SET_BYTES);
    }
}

impl<R: RuleSet> decisions::Guest for RuleSetGuest<R> {
    fn decide(case: String) -> Result<decisions::Decision, wire::Failure> {
        let (decision, tables) = decide::<R>(&case, settings::get, &Hub::of_guest())?;
        Ok(lower(decision, tables))
    }
}

fn lower(decision: Decision, tables: Vec<hub::TableVersion>) -> decisions::Decision {
    let reasons = decision.reasons.into_iter().map(|reason| decisions::Reason {
        rule: reason.rule.into_owned(),
        verdict: match reason.verdict {
            Verdict::Pass => decisions::Verdict::Pass,
            Verdict::Refer => decisions::Verdict::Refer,
            Verdict::Fail => decisions::Verdict::Fail,
            Verdict::CannotCheck => decisions::Verdict::CannotCheck,
            Verdict::Applies => decisions::Verdict::Applies,
        },
        text: reason.text.into_owned(),
        evidence: reason.evidence.into_iter().map(Into::into).collect(),
    });
    let actions = decision.actions.into_iter().map(|action| decisions::Action {
        kind: action.kind.into_owned(),
        party: action.party.into_owned(),
        text: action.text.into_owned(),
        due: action.due.map(|date| date.days()),
    });
    let figures = decision.figures.into_iter().map(|(name, amount)| decisions::Figure {
        name: name.into_owned(),
        amount: decisions::Decimal { coefficient: amount.coefficient(), scale: amount.scale() },
    });
    decisions::Decision {
        outcome: decision.outcome.into_owned(),
        reasons: reasons.collect(),
        actions: actions.collect(),
        figures: figures.collect(),
        tables: tables.into_iter().map(Into::into).collect(),
    }
}
