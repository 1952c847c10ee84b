//! The measurements, by the names under which their marks stand.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::rounds::{Rounds, number};
use crate::prerequisites;
use crate::tools::{root, succeed};

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
        "job_vs_native_program" => job_vs_program(rounds),
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

fn decide(rounds: &Rounds<'_>, threads: &str) -> Command {
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
    let folder = payroll_folder(rounds, LONG_ROWS)?;
    Ok(vec![number(job(rounds, &folder), "peak_mib")?])
}

fn job_vs_program(rounds: &Rounds<'_>) -> Result<Vec<f64>> {
    prerequisites::debian(&[("taskset", "util-linux")])?;
    let folder = payroll_folder(rounds, rounds.rows)?;
    let theirs_to = folder.join("by-program");
    std::fs::create_dir_all(&theirs_to)?;
    let ours = || number(rounds.pinned(&job(rounds, &folder)), "wall_ms");
    let theirs = || {
        let mut program = rounds.peer(&rounds.built.program);
        program.arg(root().join("plugins/lgps-return")).arg(folder.join("drop/payroll.csv")).arg(&theirs_to);
        number(rounds.pinned(&program), "wall_ms")
    };
    // Milliseconds for the same rows: the inverse of rows a second.
    let runs = rounds.pairs(ours, theirs, |ours, program| program / ours)?;
    for file in ["return.csv", "ctr1.csv"] {
        let (ours, theirs) = (std::fs::read(folder.join("out").join(file))?, std::fs::read(theirs_to.join(file))?);
        ensure!(ours == theirs, "the hub and the program did not write the same {file}");
    }
    Ok(runs)
}

fn job(rounds: &Rounds<'_>, folder: &Path) -> Command {
    let mut job = rounds.measure("job");
    job.arg(rounds.built.component("lgps-return")).arg(folder);
    job
}

/// A folder with a payroll of some rows in `drop`, made the first time.
fn payroll_folder(rounds: &Rounds<'_>, rows: usize) -> Result<PathBuf> {
    let folder = rounds.built.folder.join(format!("job-{rows}"));
    let file = folder.join("drop/payroll.csv");
    if !file.is_file() {
        std::fs::create_dir_all(folder.join("drop"))?;
        let unfinished = folder.join("payroll.csv");
        let mut payroll = rounds.measure("payroll");
        payroll.arg(rows.to_string()).arg(&unfinished);
        succeed(payroll)?;
        std::fs::rename(unfinished, &file)?;
    }
    Ok(folder)
}
