//! A plugin driven natively with the contract's own batches: what a benchmark compares the sandbox with.

use std::path::Path;

use super::manifest::Manifest;
use crate::adapter::{Adapter, AdapterRun};
use crate::failure::Failure;
use crate::hub::{Hub, TableVersion};
use crate::rule_set::{self, Decision, RuleSet};
use crate::wire;

/// A run of an adapter, driven as the hub drives it, without a sandbox and without copies of batches.
#[derive(Debug)]
pub struct Native<A>(AdapterRun<A>);

impl<A: Adapter> Native<A> {
    /// Begins a run. For the ports of a plugin's folder see [`context`]; `settings` is a JSON object.
    ///
    /// # Errors
    /// What the adapter answers.
    pub fn open(context: wire::Context, settings: &str, hub: &Hub) -> Result<Self, Failure> {
        AdapterRun::open(context, || settings.to_owned(), hub).map(Self)
    }

    /// Takes some rows of the input at a place in the context.
    ///
    /// # Errors
    /// What the adapter answers, or a defect that the SDK found in it.
    pub fn push(&mut self, input: u32, batch: &wire::Batch) -> Result<wire::Outcome, Failure> {
        self.0.push(input, batch)
    }

    /// Says that an input has come to its end.
    ///
    /// # Errors
    /// What the adapter answers, or a defect that the SDK found in it.
    pub fn end(&mut self, input: u32) -> Result<wire::Outcome, Failure> {
        self.0.end(input)
    }

    /// Asks for what is left, until `done`.
    ///
    /// # Errors
    /// What the adapter answers, or a defect that the SDK found in it.
    pub fn finish(&mut self) -> Result<wire::FinalOutcome, Failure> {
        self.0.finish()
    }
}

/// The context of a run of the adapter in a folder, with every input present.
///
/// # Panics
/// If its `plugin.toml` cannot be read, with what is wrong.
#[must_use]
pub fn context(folder: impl AsRef<Path>) -> wire::Context {
    Manifest::read(folder.as_ref()).unwrap_or_else(|error| panic!("{error}")).context(|_| true)
}

/// Decides a case natively, given as JSON like the settings; with the tables that were opened.
///
/// # Errors
/// What the rule set answers.
pub fn decide<R: RuleSet>(case: &str, settings: &str, hub: &Hub) -> Result<(Decision, Vec<TableVersion>), Failure> {
    rule_set::decide::<R>(case, || settings.to_owned(), hub)
}
