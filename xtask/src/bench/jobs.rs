//! Whole jobs, file to file: the hub, with everything that it keeps, against programs that keep nothing. All write the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::figures::Figures;
use super::python;
use super::rounds::{Rounds, Thing, median, number};
use crate::prerequisites;
use crate::tools::{command, root, succeed};

/// Rows of the run whose memory is watched.
const LONG_ROWS: usize = 10_000_000;

/// Python has one row where the others have so many, so that a round ends.
const PYTHON_SHARE: usize = 5;

/// Peak memory of a long run. Long runs differ little: one is enough.
pub(super) fn long_run(rounds: &Rounds<'_>) -> Result<Figures> {
    let folder = payroll_folder(rounds, LONG_ROWS)?;
    Ok(vec![number(job(rounds, &folder, "1"), "peak_mib")?].into())
}

/// The hub on one core against the native program on one core.
pub(super) fn against_program(rounds: &Rounds<'_>) -> Result<Figures> {
    let folder = payroll_folder(rounds, rounds.rows)?;
    let mut ours = || number(pinned(&job(rounds, &folder, "1"))?, "wall_ms");
    let mut theirs = || number(pinned(&program(rounds, &folder)?)?, "wall_ms");
    against(rounds, (&folder, rounds.rows), (&mut ours, &mut theirs))
}

/// The hub on two cores against the native program, which has one thread.
pub(super) fn two_cores_against_program(rounds: &Rounds<'_>) -> Result<Figures> {
    let folder = payroll_folder(rounds, rounds.rows)?;
    let mut ours = || number(job(rounds, &folder, "2"), "wall_ms");
    let mut theirs = || number(pinned(&program(rounds, &folder)?)?, "wall_ms");
    against(rounds, (&folder, rounds.rows), (&mut ours, &mut theirs))
}

/// The hub on two cores against DuckDB on two threads.
pub(super) fn against_duckdb(rounds: &Rounds<'_>) -> Result<Figures> {
    against_script(rounds, "job_duckdb.py", rounds.rows)
}

/// The hub on two cores against two processes of Python.
pub(super) fn against_python(rounds: &Rounds<'_>) -> Result<Figures> {
    against_script(rounds, "job_python.py", (rounds.rows / PYTHON_SHARE).max(1))
}

fn against_script(rounds: &Rounds<'_>, script: &str, rows: usize) -> Result<Figures> {
    let (interpreter, folder) = (python::interpreter()?, payroll_folder(rounds, rows)?);
    let mut ours = || number(job(rounds, &folder, "2"), "wall_ms");
    let mut theirs = || {
        let mut program = rounds.peer(&interpreter);
        program.arg(python::program(script)).arg(root().join("plugins/lgps-return")).arg(payroll(&folder)).arg(theirs_to(&folder)?);
        number(program, "wall_ms")
    };
    against(rounds, (&folder, rows), (&mut ours, &mut theirs))
}

/// Milliseconds for the same rows: the inverse of rows a second.
fn against(rounds: &Rounds<'_>, (folder, rows): (&Path, usize), (ours, theirs): (Thing<'_>, Thing<'_>)) -> Result<Figures> {
    let came_to = rounds.in_turns(&mut [ours, theirs])?;
    same_bytes(folder)?;
    let a_second = |place: usize| median(&came_to.iter().map(|round| rows as f64 / round[place] * 1e3).collect::<Vec<_>>());
    let runs: Vec<f64> = came_to.iter().map(|round| round[1] / round[0]).collect();
    Ok(Figures::from(runs).also(format!("ours, of {rows} rows"), a_second(0), "rows a second").also(
        format!("theirs, of {rows} rows"),
        a_second(1),
        "rows a second",
    ))
}

fn same_bytes(folder: &Path) -> Result<()> {
    for file in ["return.csv", "ctr1.csv"] {
        let (ours, theirs) = (fs::read(folder.join("out").join(file))?, fs::read(theirs_to(folder)?.join(file))?);
        ensure!(ours == theirs, "the hub and the program did not write the same {file}");
    }
    Ok(())
}

fn job(rounds: &Rounds<'_>, folder: &Path, threads: &str) -> Command {
    let mut job = rounds.measure("job");
    job.arg(rounds.built.component("lgps-return")).arg(folder).arg(threads);
    job
}

fn program(rounds: &Rounds<'_>, folder: &Path) -> Result<Command> {
    let mut program = rounds.peer(&rounds.built.program);
    program.arg(root().join("plugins/lgps-return")).arg(payroll(folder)).arg(theirs_to(folder)?);
    Ok(program)
}

fn payroll(folder: &Path) -> PathBuf {
    folder.join("drop/payroll.csv")
}

/// Where a peer writes.
fn theirs_to(folder: &Path) -> Result<PathBuf> {
    let to = folder.join("by-program");
    fs::create_dir_all(&to)?;
    Ok(to)
}

/// A folder with a payroll of some rows in `drop`, made the first time.
fn payroll_folder(rounds: &Rounds<'_>, rows: usize) -> Result<PathBuf> {
    let folder = rounds.built.folder.join(format!("job-{rows}"));
    let file = payroll(&folder);
    if !file.is_file() {
        fs::create_dir_all(folder.join("drop"))?;
        let unfinished = folder.join("payroll.csv");
        let mut payroll = rounds.measure("payroll");
        payroll.arg(rows.to_string()).arg(&unfinished);
        succeed(payroll)?;
        fs::rename(unfinished, &file)?;
    }
    Ok(folder)
}

/// The same command held to the first core.
fn pinned(program: &Command) -> Result<Command> {
    prerequisites::debian(&[("taskset", "util-linux")])?;
    let mut pinned = command("taskset", &["-c", "0"]);
    pinned.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        value.map(|value| pinned.env(name, value));
    }
    Ok(pinned)
}
