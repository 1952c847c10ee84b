//! `cargo xtask chaos`: the chaos suite in its long form, and the table of what it came to.

mod table;

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::plugins;
use crate::tools::{cargo, command, output, target};
pub(crate) use table::section;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Chooses the moments at which things break. The same seed tries the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times as often each fault is tried as in the suite.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    times: u64,
    /// Only faults whose test has this in its name.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Write the table into tests/bench/results.json and results.md.
    #[arg(long, conflicts_with = "only")]
    record: bool,
}

/// Runs it and prints the table; an error if anything was lost, or came twice.
pub(crate) fn run(options: &Options) -> Result<()> {
    plugins::build_hub()?;
    let lines = target().join("chaos.jsonl");
    if lines.is_file() {
        fs::remove_file(&lines)?;
    }
    // One fault at a time, so that the times of recovery say something.
    let only = format!("chaos::{}", options.only);
    let mut tests = cargo(&["test", "--package", "bailiwick", "--test", "suite", "--", only.trim_end_matches(':'), "--test-threads", "1"]);
    tests.env("BAILIWICK_CHAOS_SEED", options.seed.to_string()).env("BAILIWICK_CHAOS_TIMES", (options.times * 100).to_string());
    let status = tests.env("BAILIWICK_CHAOS_TABLE", &lines).status().context("cargo does not start")?;
    let said = fs::read_to_string(&lines).context("no fault was tried")?;
    let faults: Vec<Value> = said.lines().map(fault).collect::<Result<_>>()?;
    let commit = output(command("git", &["describe", "--always", "--dirty"])).unwrap_or_default();
    let came_to = json!({ "commit": commit.trim(), "seed": options.seed, "times": options.times, "faults": faults });
    println!("{}", section(&came_to));
    if !status.success() {
        bail!("something was lost, or came twice, or did not come to an end: see above; again with --seed {}", options.seed);
    }
    ensure!(faults.iter().all(|fault| fault["lost"] == 0 && fault["doubled"] == 0), "the tests passed, and the table says otherwise");
    if options.record {
        table::record(&came_to)?;
        println!("written: tests/bench/results.json and results.md");
    }
    Ok(())
}

/// One fault's line, with its times of recovery in short.
fn fault(line: &str) -> Result<Value> {
    let mut fault: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let times: Vec<f64> = fault["recovery_ms"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let at = |share: usize| times.get((times.len().saturating_sub(1) * share).div_ceil(100)).copied();
    fault["recovery_p50_ms"] = json!(at(50).map(f64::round));
    fault["recovery_p99_ms"] = json!(at(99).map(f64::round));
    let known = fault.as_object_mut().context("a line is an object")?;
    known.remove("recovery_ms");
    known.remove("seed");
    Ok(fault)
}
