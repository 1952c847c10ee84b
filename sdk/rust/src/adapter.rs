//! What an adapter is, and how its calls are run: the same in the sandbox and natively.

use std::any::TypeId;
use std::cell::RefCell;
use std::fmt;

use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::hub::Hub;
use crate::rows::{Findings, Out, OutputWriter, Rows};
use crate::wire;

/// A plugin that turns rows into rows. One value lives for one run, or for one partition of a run.
///
/// The hub calls [`open`](Adapter::open) once; then for each input in declared order [`push`](Adapter::push) for each batch
/// of its rows and [`end`](Adapter::end) once; then [`finish`](Adapter::finish) until it answers [`Done::Yes`].
pub trait Adapter: Sized + 'static {
    /// The job's settings, read from JSON that the hub has validated against the schema in the manifest; `()` where there are none.
    type Settings: DeserializeOwned + 'static;

    /// Begins a run.
    ///
    /// `hub` can be cloned and kept, where rows are looked up in tables by dates of their own.
    ///
    /// # Errors
    /// Whatever makes the whole run senseless: [`Failure::settings`] if settings contradict each other, or a missing table.
    fn open(context: &Context, settings: Self::Settings, hub: &Hub) -> Result<Self, Failure>;

    /// Takes some rows of an input. A row that is wrong is no error: give it to [`Out::reject`].
    ///
    /// # Errors
    /// Only what must end the run.
    fn push(&mut self, input: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure>;

    /// An input has come to its end. Called for an absent optional input too, without rows before it.
    ///
    /// # Errors
    /// Only what must end the run.
    fn end(&mut self, input: &str, out: &mut Out<'_>) -> Result<(), Failure> {
        let _ = (input, out);
        Ok(())
    }

    /// Writes what is left, once all inputs have ended. An adapter with much left answers [`Done::No`]
    /// as soon as [`Out::is_full`], and is called again.
    ///
    /// # Errors
    /// Only what must end the run.
    fn finish(&mut self, out: &mut Out<'_>) -> Result<Done, Failure> {
        let _ = out;
        Ok(Done::Yes)
    }
}

/// Whether a [`finish`](Adapter::finish) was the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Everything is written.
    Yes,
    /// There is more: call again.
    No,
}

/// What a run is about.
#[derive(Debug)]
pub struct Context {
    wire: wire::Context,
}

impl Context {
    /// The partner that owns the job.
    #[must_use]
    pub fn partner(&self) -> &str {
        &self.wire.partner
    }

    /// The job's name.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.wire.job
    }

    /// Whether this run has an input. Only one that the manifest calls optional can be absent.
    #[must_use]
    pub fn has_input(&self, name: &str) -> bool {
        self.wire.inputs.iter().any(|port| port.name == name && port.present)
    }
}

/// A run of an adapter: what stands between the contract's calls and the plugin's methods.
pub(crate) struct AdapterRun<A> {
    adapter: A,
    inputs: Vec<wire::Port>,
    outputs: Vec<OutputWriter>,
    findings: RefCell<Findings>,
}

impl<A: Adapter> AdapterRun<A> {
    pub(crate) fn open(context: wire::Context, settings: impl FnOnce() -> String, hub: &Hub) -> Result<Self, Failure> {
        let context = Context { wire: context };
        let adapter = A::open(&context, read_settings(settings)?, hub)?;
        let outputs = context.wire.outputs.iter().map(OutputWriter::new).collect();
        Ok(Self { adapter, inputs: context.wire.inputs, outputs, findings: RefCell::default() })
    }

    pub(crate) fn push(&mut self, input: u32, batch: &wire::Batch) -> Result<wire::Outcome, Failure> {
        let port = self.inputs.get(input as usize).ok_or_else(no_input)?;
        let sources: Vec<&str> = batch.columns.iter().filter_map(text_of).collect();
        let rows = Rows::new(batch, input, port, &self.findings);
        let mut out = Out::new(&mut self.outputs, &sources, &self.inputs, input, &self.findings);
        let answer = self.adapter.push(&port.name, &rows, &mut out);
        self.settle(&sources);
        answer?;
        self.outcome()
    }

    pub(crate) fn end(&mut self, input: u32) -> Result<wire::Outcome, Failure> {
        let port = self.inputs.get(input as usize).ok_or_else(no_input)?;
        let mut out = Out::new(&mut self.outputs, &[], &self.inputs, input, &self.findings);
        let answer = self.adapter.end(&port.name, &mut out);
        self.settle(&[]);
        answer?;
        self.outcome()
    }

    pub(crate) fn finish(&mut self) -> Result<wire::FinalOutcome, Failure> {
        let last = self.inputs.len().saturating_sub(1) as u32;
        let mut out = Out::new(&mut self.outputs, &[], &self.inputs, last, &self.findings);
        let answer = self.adapter.finish(&mut out);
        self.settle(&[]);
        let done = answer?;
        Ok(wire::FinalOutcome { outcome: self.outcome()?, done: done == Done::Yes })
    }

    fn settle(&mut self, sources: &[&str]) {
        self.outputs.iter_mut().for_each(|output| output.settle(sources));
    }

    fn outcome(&mut self) -> Result<wire::Outcome, Failure> {
        let findings = std::mem::take(self.findings.get_mut());
        if let Some(defect) = findings.defect {
            return Err(defect);
        }
        let outputs = (0..).zip(&mut self.outputs);
        let outputs = outputs.filter_map(|(output, writer)| writer.take().map(|rows| wire::OutputBatch { output, rows }));
        Ok(wire::Outcome { outputs: outputs.collect(), findings: findings.list })
    }
}

impl<A> fmt::Debug for AdapterRun<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterRun").finish_non_exhaustive()
    }
}

/// Reads settings. A plugin whose settings are `()` does not ask for them, and so does not import the interface.
pub(crate) fn read_settings<S: DeserializeOwned + 'static>(text: impl FnOnce() -> String) -> Result<S, Failure> {
    let read = if TypeId::of::<S>() == TypeId::of::<()>() { serde_json::from_str("null") } else { serde_json::from_str(&text()) };
    read.map_err(|error| Failure::settings("settings-unreadable", format!("The settings cannot be read: {error}.")))
}

fn text_of(column: &wire::Column) -> Option<&str> {
    if let wire::ColumnData::Text(text) = &column.data { Some(&text.content) } else { None }
}

fn no_input() -> Failure {
    Failure::defect("input-unknown", "The hub names an input that this run does not have.")
}
