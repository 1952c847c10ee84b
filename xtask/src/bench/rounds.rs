//! Runs the programs of a round, and reads the line of JSON that each answers with.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::built::Built;
use crate::tools::{command, output};

/// How much is measured, and with what.
pub(super) struct Rounds<'a> {
    pub(super) built: &'a Built,
    pub(super) count: usize,
    pub(super) rows: usize,
}

impl Rounds<'_> {
    /// Runs two things in turns, and gives what is made of each pair. A first pair only warms up.
    pub(super) fn pairs(
        &self,
        mut ours: impl FnMut() -> Result<f64>,
        mut theirs: impl FnMut() -> Result<f64>,
        ratio: impl Fn(f64, f64) -> f64,
    ) -> Result<Vec<f64>> {
        let mut runs = Vec::with_capacity(self.count);
        for round in 0..=self.count {
            let (our, their) = (ours()?, theirs()?);
            if round > 0 {
                println!("  round {round}: {our:.1} and {their:.1}, {:.3}", ratio(our, their));
                runs.push(ratio(our, their));
            }
        }
        Ok(runs)
    }

    /// A command of the hub's side.
    pub(super) fn measure(&self, subcommand: &str) -> Command {
        let mut measure = command(&self.built.measure, &[subcommand]);
        measure.env("BENCH_CACHE", self.built.folder.join("compiled"));
        measure
    }

    /// A command of a peer.
    pub(super) fn peer(&self, program: &Path) -> Command {
        command(program, &[])
    }

    /// The same command held to the first core.
    pub(super) fn pinned(&self, program: &Command) -> Command {
        let mut pinned = command("taskset", &["-c", "0"]);
        pinned.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            value.map(|value| pinned.env(name, value));
        }
        pinned
    }
}

/// Runs a program and reads its answer.
pub(super) fn answer(program: Command) -> Result<Value> {
    let said = output(program)?;
    let line = said.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("it did not answer with a line of JSON: {line:?}"))
}

/// One number of a program's answer.
pub(super) fn number(program: Command, name: &str) -> Result<f64> {
    let answer = answer(program)?;
    answer[name].as_f64().with_context(|| format!("the answer has no number {name}: {answer}"))
}

/// The one in the middle; of an even number, the lower of the two.
pub(super) fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}
