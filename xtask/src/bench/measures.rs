//! The measurements, by the names under which their marks stand.

use anyhow::{Result, bail};

use super::rounds::{Rounds, number};
use crate::tools::{command, root, succeed};

/// How long a round of decisions takes.
const ROUND_MS: &str = "1000";

/// Releases that are taken up.
const RELEASES: &str = "1000";

/// Rows of the run whose memory is watched.
const LONG_ROWS: usize = 10_000_000;

/// Measures one thing; one value for each round.
pub(super) fn measure(name: &str, rounds: &Rounds<'_>) -> Result<Vec<f64>> {
    println!("{name}");
    match name {
        "decision_fresh_vs_wasmtime" => decision_fresh(rounds),
        "decisions_two_core_scaling" => two_cores(rounds),
        "rows_sandbox_vs_native" => rows(rounds),
        "load_1000_releases_ms" => load(rounds),
        "rss_10m_rows_mib" => long_run(rounds),
        other => bail!("tests/bench/marks.toml names {other}, which nothing here measures"),
    }
}

fn decision_fresh(rounds: &Rounds<'_>) -> Result<Vec<f64>> {
    let ours = || number(decide(rounds, "1"), "cpu_ns");
    let theirs = || {
        let mut bare = rounds.peer(&rounds.built.bare);
        bare.arg(rounds.built.started()).arg(root().join("plugins/claim-routing/tables")).arg(rounds.built.case()).arg(ROUND_MS);
        number(bare, "cpu_ns")
    };
    rounds.pairs(ours, theirs, |ours, bare| ours / bare)
}

fn two_cores(rounds: &Rounds<'_>) -> Result<Vec<f64>> {
    let a_second = |threads| number(decide(rounds, threads), "per_second");
    rounds.pairs(|| a_second("2"), || a_second("1"), |two, one| two / one)
}

fn decide(rounds: &Rounds<'_>, threads: &str) -> std::process::Command {
    let mut decide = rounds.measure("decide");
    decide.arg(rounds.built.component("claim-routing")).arg(rounds.built.case()).args([ROUND_MS, threads]);
    decide
}

fn rows(rounds: &Rounds<'_>) -> Result<Vec<f64>> {
    const PASSES: &str = "3";
    let count = rounds.rows.to_string();
    let ours = || {
        let mut rows = rounds.measure("rows");
        rows.arg(rounds.built.component("lgps-return")).args([count.as_str(), PASSES]);
        number(rows, "cpu_ns")
    };
    let theirs = || {
        let mut native = rounds.peer(&rounds.built.native);
        native.arg(root().join("plugins/lgps-return")).args([count.as_str(), PASSES]);
        number(native, "cpu_ns")
    };
    // Nanoseconds a row: the inverse of rows a second.
    rounds.pairs(ours, theirs, |ours, native| native / ours)
}

fn load(rounds: &Rounds<'_>) -> Result<Vec<f64>> {
    let load = || {
        let mut load = rounds.measure("load");
        load.arg(rounds.built.component("claim-routing")).arg(RELEASES).env("BENCH_CACHE", rounds.built.folder.join("releases"));
        number(load, "ms")
    };
    load()?;
    (0..rounds.count).map(|_| load()).collect()
}

/// Long runs differ little: one is enough.
fn long_run(rounds: &Rounds<'_>) -> Result<Vec<f64>> {
    let folder = rounds.built.folder.join("job-10m");
    let drop = folder.join("drop");
    let file = drop.join("payroll.csv");
    if !file.is_file() {
        std::fs::create_dir_all(&drop)?;
        let unfinished = folder.join("payroll.csv");
        let mut payroll = command(&rounds.built.measure, &["payroll", &LONG_ROWS.to_string()]);
        payroll.arg(&unfinished);
        succeed(payroll)?;
        std::fs::rename(unfinished, &file)?;
    }
    let mut job = rounds.measure("job");
    job.arg(rounds.built.component("lgps-return")).arg(&folder);
    Ok(vec![number(job, "peak_mib")?])
}
