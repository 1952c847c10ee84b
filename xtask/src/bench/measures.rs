//! The measurements, by the names under which their marks stand.

use std::process::Command;

use anyhow::{Result, bail};

use super::figures::Figures;
use super::rounds::{Rounds, answers_together, median, number};
use super::{decisions, http, jobs, queue, start};
use crate::tools::root;

/// How often the rows of a process go through; the least counts.
const PASSES: &str = "3";

/// Rows of a batch, as the hub has them.
const BATCH: &str = "1024";

/// Rows of a batch, for people to see what it matters.
const BATCHES: [&str; 5] = ["64", "256", "1024", "4096", "8192"];

/// Rounds of what has no mark.
const SIDE_ROUNDS: usize = 3;

/// Measures one thing; one value for each round.
pub(super) fn measure(name: &str, rounds: &Rounds<'_>) -> Result<Figures> {
    println!("{name}");
    match name {
        "decision_fresh_vs_wasmtime" => decisions::against_bare(rounds),
        "decision_fresh_vs_extism_fresh" => decisions::against_extism_fresh(rounds),
        "decision_fresh_vs_extism_warm" => decisions::against_extism_warm(rounds),
        "decisions_two_core_scaling" => decisions::two_cores(rounds),
        "rows_sandbox_vs_native" => rows(rounds),
        "load_1000_releases_ms" => start::load(rounds),
        "cold_first_decision_ms" => start::first_decision(rounds),
        "http_decisions_vs_wasmtime_serve" => http::against_wasmtime_serve(rounds),
        "rss_10m_rows_mib" => jobs::long_run(rounds),
        "job_vs_native_program" => jobs::against_program(rounds),
        "job_two_cores_vs_native_program" => jobs::two_cores_against_program(rounds),
        "job_vs_duckdb" => jobs::against_duckdb(rounds),
        "job_vs_python" => jobs::against_python(rounds),
        "durable_sqlite_vs_limit" => queue::sqlite_against_the_disk(rounds),
        "durable_pg_vs_awa" => queue::postgres_against_awa(rounds),
        "durable_pg_vs_graphile" => queue::postgres_against_graphile(rounds),
        "due_1000_p99_ms" => queue::due(rounds),
        "idle_100k_schedules_cpu_pct" => queue::idle(rounds),
        "takeover_s" => queue::takeover(rounds),
        other => bail!("tests/bench/marks.toml names {other}, which nothing here measures"),
    }
}

fn rows(rounds: &Rounds<'_>) -> Result<Figures> {
    let count = rounds.rows.to_string();
    let ours = || number(sandboxed(rounds, &count, BATCH), "cpu_ns");
    let theirs = || {
        let mut native = rounds.peer(&rounds.built.native);
        native.arg(root().join("plugins/lgps-return")).args([count.as_str(), PASSES]);
        number(native, "cpu_ns")
    };
    // Nanoseconds a row: the inverse of rows a second.
    let mut figures = Figures::from(rounds.pairs(ours, theirs, |ours, native| native / ours)?);
    let count = (rounds.rows / 4).max(1).to_string();
    for batch in BATCHES {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for _ in 0..SIDE_ROUNDS {
            one.push(1e9 / number(sandboxed(rounds, &count, batch), "wall_ns")?);
            let together = answers_together(vec![sandboxed(rounds, &count, batch), sandboxed(rounds, &count, batch)])?;
            two.push(together.iter().filter_map(|answer| answer["wall_ns"].as_f64()).map(|wall_ns| 1e9 / wall_ns).sum());
        }
        figures = figures.also(format!("batches of {batch} rows, one core"), median(&one), "rows a second");
        figures = figures.also(format!("batches of {batch} rows, two cores"), median(&two), "rows a second");
    }
    Ok(figures)
}

/// Rows through the sandbox, in batches of some rows.
fn sandboxed(rounds: &Rounds<'_>, count: &str, batch: &str) -> Command {
    let mut rows = rounds.measure("rows");
    rows.arg(rounds.built.component("lgps-return")).args([count, PASSES, batch]);
    rows
}
