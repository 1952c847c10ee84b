//! `cargo xtask bench`: measures the hub against its peers in turns, and writes down what came out.
//!
//! The programs that it runs are `tests/bench/measure` (the hub's side) and those in `tests/bench/peers`. It only starts them,
//! works out ratios of rounds that ran next to each other, and takes medians. What it did not run it does not write.
#![allow(clippy::float_arithmetic, reason = "times are divided, money is not")]

mod built;
mod decisions;
mod environment;
mod figures;
mod http;
mod jobs;
mod marks;
mod measures;
mod python;
mod queue;
mod record;
mod report;
mod rounds;
mod start;

use anyhow::{Result, ensure};

use crate::prerequisites;
use built::Built;
use environment::Environment;
use record::{Entry, Record};
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
    /// Write down what --only measured; everything else stays as it was.
    #[arg(long, requires = "only")]
    record: bool,
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
    let built = Built::new(marks.iter().any(|mark| mark.name.contains("extism") && options.wants(&mark.name)))?;
    let before = Environment::look()?;
    println!("{}", before.told());
    let rounds = Rounds { built: &built, count: options.rounds, rows: options.rows };
    let measured: Vec<String> = marks.iter().map(|mark| mark.name.clone()).filter(|name| options.wants(name)).collect();
    let mut record = Record::read(marks)?;
    for name in measured {
        let load = environment::load();
        let figures = measures::measure(&name, &rounds)?;
        let mark = record.mark(&name);
        let entry = Entry::new(mark, &figures, &before.commit, &load);
        println!("{}", report::told(mark, &entry));
        record.put(&name, entry);
        if options.writes() {
            // After each, so that what was measured is not lost if a later one fails.
            record.write()?;
            report::write(&record, &before)?;
        }
    }
    if options.writes() {
        println!("written: tests/bench/results.json and results.md");
    }
    Ok(())
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    fn writes(&self) -> bool {
        self.only.is_empty() || self.record
    }
}
