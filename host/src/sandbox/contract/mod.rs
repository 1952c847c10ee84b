//! The contract between hub and plugins, from the hub's side: model values in, checked model values out.
//!
//! Versions of the contract differ in here only. Nothing outside this folder sees bindgen's types, and nothing in here
//! keeps time or counts limits.

pub(super) mod answers;
mod file;
mod lift;
mod lower;
pub(super) mod text;
mod v0_1;
mod v0_2;

use wasmtime::component::{Component, HasSelf, Linker, ResourceAny};
use wasmtime::{Engine, Store};

pub(super) use file::{OpenFetching, OpenReader, OpenSending, OpenWriter, ReadSoFar};
pub(super) use lift::PushedRows;
pub(super) use v0_1::adapter::bailiwick::plugin as lent;
pub(super) use v0_2::connector::bailiwick::plugin0_2_0::http as lent_http;

use super::inspect::World;
use super::worker::{InstanceState, Setup};
use crate::model::manifest::{AdapterShape, RuleSetShape};
use crate::model::outcome::{Decision, Outcome, PluginFailure};
use crate::model::rows::Batch;

/// The versions of the contract that are served, oldest first.
pub const CONTRACTS: [&str; 2] = ["0.1.0", "0.2.0"];

/// The version of the contract in which an interface stands that the hub lends.
pub(super) fn served(interface: &str) -> &'static str {
    if interface == "http" { "0.2.0" } else { "0.1.0" }
}

/// Why a call gave no answer that the hub can use.
pub(super) enum CallFault {
    /// The instance trapped, or what it returned could not be read.
    Wasm(wasmtime::Error),
    /// It answered that the call failed.
    Failed(PluginFailure),
    /// What it answered cannot be.
    Unsound(String),
    /// The hub itself failed.
    Hub(String),
}

impl From<wasmtime::Error> for CallFault {
    fn from(error: wasmtime::Error) -> Self {
        Self::Wasm(error)
    }
}

/// What the hub lends, ready to be linked to any plugin. A plugin gets only what it imports.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    v0_1::adapter::Adapter::add_to_linker::<_, HasSelf<InstanceState>>(&mut linker, |state| state)?;
    lent_http::add_to_linker::<_, HasSelf<InstanceState>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// A component with its imports linked and its exports found: what instances are made from.
pub(super) enum Linked {
    /// An adapter.
    Adapter(v0_1::adapter::AdapterPre<InstanceState>),
    /// A rule set.
    RuleSet(v0_1::rule_set::RuleSetPre<InstanceState>),
    /// A format.
    Format(v0_2::format::FormatPre<InstanceState>),
    /// A connector.
    Connector(v0_2::connector::ConnectorPre<InstanceState>),
}

impl Linked {
    /// Links a component as a plugin of a kind.
    pub(super) fn new(linker: &Linker<InstanceState>, component: &Component, world: World) -> wasmtime::Result<Self> {
        let linked = linker.instantiate_pre(component)?;
        Ok(match world {
            World::Adapter => Self::Adapter(v0_1::adapter::AdapterPre::new(linked)?),
            World::RuleSet => Self::RuleSet(v0_1::rule_set::RuleSetPre::new(linked)?),
            World::Format => Self::Format(v0_2::format::FormatPre::new(linked)?),
            World::Connector => Self::Connector(v0_2::connector::ConnectorPre::new(linked)?),
        })
    }

    /// Makes an instance and finds its exports, to see whether that can be done.
    pub(super) fn instantiate(&self, store: &mut Store<InstanceState>) -> Result<(), CallFault> {
        match self {
            Self::Adapter(linked) => linked.instantiate(store).map(|_| ()),
            Self::RuleSet(linked) => linked.instantiate(store).map(|_| ()),
            Self::Format(linked) => linked.instantiate(store).map(|_| ()),
            Self::Connector(linked) => linked.instantiate(store).map(|_| ()),
        }
        .map_err(CallFault::Wasm)
    }
}

/// Decides a case in a fresh instance.
pub(super) fn decide(
    linked: &v0_1::rule_set::RuleSetPre<InstanceState>,
    store: &mut Store<InstanceState>,
    shape: &RuleSetShape,
    case: &str,
) -> Result<Decision, CallFault> {
    let instance = linked.instantiate(&mut *store)?;
    let answer = instance.bailiwick_plugin_decisions().call_decide(&mut *store, case)?;
    let stripped = &mut store.data_mut().stripped;
    lift::decision(answer.map_err(|failure| CallFault::Failed(lift::failure(failure, stripped)))?, shape, stripped)
}

/// One run of an adapter inside its instance.
pub(super) struct OpenRun {
    exports: v0_1::adapter::Adapter,
    run: ResourceAny,
}

impl OpenRun {
    /// Makes the instance and begins the run.
    pub(super) fn open(
        linked: &v0_1::adapter::AdapterPre<InstanceState>,
        store: &mut Store<InstanceState>,
        setup: &Setup,
        shape: &AdapterShape,
    ) -> Result<Self, CallFault> {
        let exports = linked.instantiate(&mut *store)?;
        let answer = lower::with_context(setup, shape, |context| exports.bailiwick_plugin_rows().run().call_open(&mut *store, context))?;
        let run = answer.map_err(|failure| CallFault::Failed(lift::failure(failure, &mut store.data_mut().stripped)))?;
        Ok(Self { exports, run })
    }

    /// Gives it rows of an input.
    pub(super) fn push(
        &self,
        store: &mut Store<InstanceState>,
        input: usize,
        rows: &Batch,
        known: PushedRows<'_>,
    ) -> Result<Outcome, CallFault> {
        let columns = lower::columns(rows);
        let batch = lower::batch(rows, &columns);
        let answer = self.exports.bailiwick_plugin_rows().run().call_push(&mut *store, self.run, lower::place(input), batch)?;
        let stripped = &mut store.data_mut().stripped;
        lift::outcome(answer.map_err(|failure| CallFault::Failed(lift::failure(failure, stripped)))?, known, stripped)
    }

    /// Says that an input has come to its end.
    pub(super) fn end(&self, store: &mut Store<InstanceState>, input: usize, known: PushedRows<'_>) -> Result<Outcome, CallFault> {
        let answer = self.exports.bailiwick_plugin_rows().run().call_end(&mut *store, self.run, lower::place(input))?;
        let stripped = &mut store.data_mut().stripped;
        lift::outcome(answer.map_err(|failure| CallFault::Failed(lift::failure(failure, stripped)))?, known, stripped)
    }

    /// Asks for what is left, and whether that was all.
    pub(super) fn finish(&self, store: &mut Store<InstanceState>, known: PushedRows<'_>) -> Result<(Outcome, bool), CallFault> {
        let answer = self.exports.bailiwick_plugin_rows().run().call_finish(&mut *store, self.run)?;
        let stripped = &mut store.data_mut().stripped;
        let last = answer.map_err(|failure| CallFault::Failed(lift::failure(failure, stripped)))?;
        Ok((lift::outcome(last.outcome, known, stripped)?, last.done))
    }
}
