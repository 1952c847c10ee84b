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
        ours: impl FnMut() -> Result<f64>,
        theirs: impl FnMut() -> Result<f64>,
        ratio: impl Fn(f64, f64) -> f64,
    ) -> Result<Vec<f64>> {
        let (mut ours, mut theirs) = (ours, theirs);
        let rounds = self.in_turns(&mut [&mut ours, &mut theirs])?;
        let runs: Vec<f64> = rounds.iter().map(|round| ratio(round[0], round[1])).collect();
        println!("  {}", told(&runs));
        Ok(runs)
    }

    /// Runs some things in turns: what each came to, round by round. A first round only warms up.
    pub(super) fn in_turns(&self, things: &mut [Thing<'_>]) -> Result<Vec<Vec<f64>>> {
        let mut rounds = Vec::with_capacity(self.count);
        for round in 0..=self.count {
            let came_to: Vec<f64> = things.iter_mut().map(|thing| thing()).collect::<Result<_>>()?;
            if round > 0 {
                println!("  round {round}: {}", told(&came_to));
                rounds.push(came_to);
            }
        }
        Ok(rounds)
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
}

/// Something that is measured: it runs once and says what it came to.
pub(super) type Thing<'t> = &'t mut dyn FnMut() -> Result<f64>;

fn told(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(" ")
}

/// Runs a program and reads its answer.
pub(super) fn answer(program: Command) -> Result<Value> {
    let said = output(program)?;
    let line = said.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("it did not answer with a line of JSON: {line:?}"))
}

/// Runs some programs at the same time and reads their answers.
pub(super) fn answers_together(programs: Vec<Command>) -> Result<Vec<Value>> {
    std::thread::scope(|scope| {
        let running: Vec<_> = programs.into_iter().map(|program| scope.spawn(move || answer(program))).collect();
        running.into_iter().map(|thread| thread.join().expect("reading an answer does not panic")).collect()
    })
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
