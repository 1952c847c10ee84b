//! Where a plugin puts what it makes of rows.

use std::cell::RefCell;

use serde::Serialize;

use super::findings::{Findings, Reason, Reject};
use super::write::OutputWriter;
use crate::failure::Failure;
use crate::wire;

/// Rows of one answer after which [`Out::is_full`] says so.
const FULL_ROWS: u32 = 4_096;

/// Takes rows for outputs, and what was found about rows of inputs.
#[derive(Debug)]
pub struct Out<'c> {
    outputs: &'c mut [OutputWriter],
    /// The texts of the batch that this call is about: what is passed on of them is copied once and not by the piece.
    sources: &'c [&'c str],
    inputs: &'c [wire::Port],
    /// Place of the input that this call is about.
    input: u32,
    findings: &'c RefCell<Findings>,
}

impl<'c> Out<'c> {
    pub(crate) fn new(
        outputs: &'c mut [OutputWriter],
        sources: &'c [&'c str],
        inputs: &'c [wire::Port],
        input: u32,
        findings: &'c RefCell<Findings>,
    ) -> Self {
        Self { outputs, sources, inputs, input, findings }
    }

    /// Writes a row to an output: a struct with a field for each declared column, in any order, `Option` for values that may be absent.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such output, if the struct lacks a column or has a field that is none,
    /// or if a value does not fit its column, such as money with more digits than declared. Pass it on with `?`.
    #[inline]
    pub fn write<T: Serialize>(&mut self, output: &str, row: &T) -> Result<(), Failure> {
        match self.outputs.iter_mut().find(|writer| same(writer.name(), output)) {
            Some(writer) => writer.write(row, self.sources),
            None => Err(no_output(output)),
        }
    }

    /// Refuses a row of the input of this call: it waits in quarantine and appears in no output.
    ///
    /// In [`finish`](crate::Adapter::finish) the input is the last one that is declared.
    #[cold]
    pub fn reject(&mut self, row: u64, reject: impl Into<Reject>) {
        self.note(self.input, row, wire::Effect::Reject, reject.into());
    }

    /// Passes over a row of the input of this call: it is in order, but not of this job's concern, and appears in no output.
    pub fn skip(&mut self, row: u64, reason: impl Into<Reject>) {
        self.note(self.input, row, wire::Effect::Skip, reason.into());
    }

    /// Accepts a row of the input of this call, and asks somebody to look at it.
    pub fn warn(&mut self, row: u64, reason: impl Into<Reject>) {
        self.note(self.input, row, wire::Effect::Warn, reason.into());
    }

    /// As [`reject`](Out::reject), for a row of an input by name.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such input.
    pub fn reject_of(&mut self, input: &str, row: u64, reject: impl Into<Reject>) -> Result<(), Failure> {
        self.note(self.place(input)?, row, wire::Effect::Reject, reject.into());
        Ok(())
    }

    /// As [`skip`](Out::skip), for a row of an input by name.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such input.
    pub fn skip_of(&mut self, input: &str, row: u64, reason: impl Into<Reject>) -> Result<(), Failure> {
        self.note(self.place(input)?, row, wire::Effect::Skip, reason.into());
        Ok(())
    }

    /// As [`warn`](Out::warn), for a row of an input by name.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such input.
    pub fn warn_of(&mut self, input: &str, row: u64, reason: impl Into<Reject>) -> Result<(), Failure> {
        self.note(self.place(input)?, row, wire::Effect::Warn, reason.into());
        Ok(())
    }

    /// Whether this answer holds enough: a [`finish`](crate::Adapter::finish) with more to write
    /// answers [`Done::No`](crate::Done::No) then, and is called again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.outputs.iter().map(OutputWriter::rows).sum::<u32>() >= FULL_ROWS
    }

    fn place(&self, input: &str) -> Result<u32, Failure> {
        let found = (0..).zip(self.inputs).find(|(_, port)| port.name == input);
        found.map(|(place, _)| place).ok_or_else(|| Failure::defect("input-unknown", format!("The plugin declares no input {input}.")))
    }

    #[cold]
    fn note(&self, input: u32, row: u64, effect: wire::Effect, reject: Reject) {
        let reasons: Vec<Reason> = reject.into_reasons();
        let mut findings = self.findings.borrow_mut();
        match self.inputs.get(input as usize) {
            Some(port) => findings.add((input, port), row, effect, reasons),
            None => findings.defect(Failure::defect("input-unknown", "The plugin finds something about a row, and declares no input.")),
        }
    }
}

/// Whether two names are the same. Comparing memory is a call in WebAssembly, and a name is short and mostly known beforehand.
#[inline(always)]
fn same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).all(|(left, right)| left == right)
}

#[cold]
fn no_output(name: &str) -> Failure {
    Failure::defect("output-unknown", format!("The plugin declares no output {name}."))
}
