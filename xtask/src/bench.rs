//! `cargo xtask bench`: measures the hub against its peers in turns, and writes down what came out.
//!
//! The programs that it runs are `tests/bench/measure` (the hub's side) and those in `tests/bench/peers`. It only starts them,
//! works out ratios of rounds that ran next to each other, and takes medians. What it did not run it does not write.
#![allow(clippy::float_arithmetic, reason = "times are divided, money is not")]

mod built;
mod environment;
mod marks;
mod measures;
mod report;
mod rounds;

use anyhow::{Result, ensure};

use crate::prerequisites;
use built::Built;
use environment::Environment;
use rounds::Rounds;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Rounds of each measurement; the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Payroll rows of a round.
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// Only this measurement, which is printed and not written down. Can be given again.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Builds, measures, writes `tests/bench/results.json` and `results.md`.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.rounds > 0 && options.rows > 0, "there is nothing to measure in no rounds or no rows");
    prerequisites::wasm_target()?;
    let marks = marks::read()?;
    if let Some(unknown) = options.only.iter().find(|name| !marks.iter().any(|mark| mark.name == **name)) {
        let names: Vec<&str> = marks.iter().map(|mark| mark.name.as_str()).collect();
        anyhow::bail!("there is no measurement {unknown}; there are {}", names.join(", "));
    }
    let built = Built::new()?;
    let before = Environment::look()?;
    println!("{}", before.told());
    let rounds = Rounds { built: &built, count: options.rounds, rows: options.rows };
    let mut results = Vec::new();
    for mark in marks {
        if options.only.is_empty() || options.only.contains(&mark.name) {
            let runs = measures::measure(&mark.name, &rounds)?;
            let result = report::Measured { mark, runs };
            println!("{}", result.told());
            results.push(result);
        }
    }
    if options.only.is_empty() { report::write(&results, &before, options.rounds) } else { Ok(()) }
}
