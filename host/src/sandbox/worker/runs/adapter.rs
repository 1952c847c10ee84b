//! One run of an adapter, from its first row to its last, in one instance.

use std::sync::Arc;

use wasmtime::Store;

use super::super::instance::InstanceState;
use super::super::report::{Report, Setup};
use super::super::{begin_call, guarded};
use crate::model::limits::Usage;
use crate::model::manifest::{AdapterShape, Kind};
use crate::model::outcome::Outcome;
use crate::model::rows::Batch;
use crate::sandbox::contract::{CallFault, OpenRun, PushedRows};
use crate::sandbox::error::CallError;

/// An adapter at work. After a call that failed it answers nothing more, and its report tells how far it came.
pub struct AdapterRun {
    setup: Arc<Setup>,
    store: Store<InstanceState>,
    open: OpenRun,
    /// For each input the first row that was pushed and the one after the last.
    pushed: Vec<(u64, u64)>,
    spent: bool,
}

impl AdapterRun {
    pub(in crate::sandbox::worker) fn new(setup: Arc<Setup>, store: Store<InstanceState>, open: OpenRun) -> Self {
        let pushed = vec![(0, 0); shape(&setup).inputs.len()];
        Self { setup, store, open, pushed, spent: false }
    }

    /// Gives it some rows of an input. Inputs come in declared order, and the rows of each in theirs.
    /// The batch must hold what the manifest declares of the input.
    ///
    /// What it answers has been checked against the manifest: sound batches, findings about rows that it was given,
    /// columns and outputs that exist. Whether it decides a row twice is for the caller to see.
    ///
    /// # Errors
    /// Why the run cannot go on.
    pub fn push(&mut self, input: usize, rows: &Batch) -> Result<Outcome, CallError> {
        let end = rows.first_row + rows.rows as u64;
        if let Some(known) = self.pushed.get_mut(input) {
            *known = if known.0 == known.1 { (rows.first_row, end) } else { (known.0.min(rows.first_row), known.1.max(end)) };
        }
        self.call(|open, store, known| {
            let outcome = open.push(store, input, rows, known)?;
            count(store, &outcome)?;
            Ok(outcome)
        })
    }

    /// Says that an input has come to its end. An absent input has an end too.
    ///
    /// # Errors
    /// Why the run cannot go on.
    pub fn end(&mut self, input: usize) -> Result<Outcome, CallError> {
        self.call(|open, store, known| {
            let outcome = open.end(store, input, known)?;
            count(store, &outcome)?;
            Ok(outcome)
        })
    }

    /// Asks for what is left, and whether that was all: to be called until it was.
    ///
    /// # Errors
    /// Why the run cannot go on.
    pub fn finish(&mut self) -> Result<(Outcome, bool), CallError> {
        self.call(|open, store, known| {
            let (outcome, done) = open.finish(store, known)?;
            count(store, &outcome)?;
            Ok((outcome, done))
        })
    }

    /// What the instance has used so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.store.data().usage()
    }

    /// Ends the instance and tells what it used, logged and left behind, whether its calls succeeded or not.
    #[must_use]
    pub fn close(self) -> Report {
        self.store.into_data().into_report()
    }

    fn call<R>(
        &mut self,
        call: impl FnOnce(&OpenRun, &mut Store<InstanceState>, PushedRows<'_>) -> Result<R, CallFault>,
    ) -> Result<R, CallError> {
        if self.spent {
            return Err(CallError::Spent { plugin: self.setup.release.manifest.name.clone() });
        }
        let Self { setup, store, open, pushed, .. } = self;
        let known = PushedRows { shape: shape(setup), rows: pushed };
        let answer = begin_call(store).and_then(|()| guarded(|| call(open, store, known)));
        answer.map_err(|fault| {
            self.spent = true;
            self.store.data_mut().judge(fault)
        })
    }
}

fn count(store: &mut Store<InstanceState>, outcome: &Outcome) -> Result<(), CallFault> {
    let rows = outcome.outputs.iter().map(|(_, batch)| batch.rows as u64).sum();
    let bytes = outcome.outputs.iter().map(|(_, batch)| batch.bytes() as u64).sum();
    store.data_mut().count_output(rows, bytes)
}

fn shape(setup: &Setup) -> &AdapterShape {
    match &setup.release.manifest.kind {
        Kind::Adapter(shape) => shape,
        Kind::RuleSet(_) | Kind::Format(_) | Kind::Connector(_) => unreachable!("only an adapter was opened"),
    }
}
