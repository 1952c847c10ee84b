//! The ledger as a queue against its disk and against other queues; what schedules cost, due and at rest; how long a takeover takes.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::environment::fsync_per_second;
use super::figures::Figures;
use super::rounds::{Rounds, median, number};
use crate::demo;
use crate::postgres::Server;
use crate::prerequisites;
use crate::tools::{cargo, command, root, succeed, target};

/// Runs of a round.
const RUNS: &str = "10000";

/// Jobs of a round of a peer that is slower by far, and only told.
const FEWER: &str = "2000";

/// Runs in flight.
const IN_FLIGHT: &str = "64";

/// Runs a second that are enough on any disk.
const ENOUGH: f64 = 5_000.0;

/// What is told to the server on both sides: it makes every commit durable, as it does where nothing is said.
const SETTINGS: [&str; 2] = ["shared_buffers=256MB", "max_wal_size=2GB"];

/// Rounds of what takes a minute each.
const LONG_ROUNDS: usize = 3;

/// Runs a second on SQLite over what the disk lets expect.
pub(super) fn sqlite_against_the_disk(rounds: &Rounds<'_>) -> Result<Figures> {
    let program = built("apalis")?;
    let apalis = || {
        let mut peer = rounds.peer(&program);
        peer.arg(fresh(rounds, "apalis")?.join("jobs.sqlite")).args([FEWER, IN_FLIGHT]);
        number(peer, "per_second")
    };
    let ours = || {
        let mut queue = rounds.measure("queue");
        queue.arg(fresh(rounds, "queue")?).args([RUNS, IN_FLIGHT]);
        number(queue, "per_second")
    };
    let (mut ours, mut apalis) = (ours, apalis);
    let measured = rounds.in_turns(&mut [&mut fsync_per_second, &mut ours, &mut apalis])?;
    let of = |place: usize| measured.iter().map(|round| round[place]).collect::<Vec<_>>();
    let ratios: Vec<f64> = measured.iter().map(|round| round[1] / (5.0 * round[0]).min(ENOUGH)).collect();
    let figures = Figures::from(ratios).also("fdatasync of 4 KiB, before each round", median(&of(0)), "a second");
    let figures = figures.also("ours", median(&of(1)), "runs a second");
    Ok(figures.also(format!("apalis-sqlite 1.0, of {FEWER} jobs, a job counted when its handler has run"), median(&of(2)), "jobs a second"))
}

/// Runs a second on PostgreSQL over awa's.
pub(super) fn postgres_against_awa(rounds: &Rounds<'_>) -> Result<Figures> {
    let program = built("awa")?;
    against(rounds, "awa", |address| {
        let mut peer = rounds.peer(&program);
        peer.args([address, RUNS, IN_FLIGHT]);
        number(peer, "per_second")
    })
}

/// Runs a second on PostgreSQL over graphile-worker's.
pub(super) fn postgres_against_graphile(rounds: &Rounds<'_>) -> Result<Figures> {
    prerequisites::debian(&[("node", "nodejs"), ("npm", "npm")])?;
    let folder = target().join("bench/graphile");
    fs::create_dir_all(&folder)?;
    for file in ["package.json", "package-lock.json", "main.mjs"] {
        fs::copy(root().join("tests/bench/peers/queues/graphile").join(file), folder.join(file))?;
    }
    let mut install = command("npm", &["ci", "--silent", "--no-audit", "--no-fund"]);
    install.current_dir(&folder);
    succeed(install)?;
    against(rounds, "graphile-worker", |address| {
        let mut peer = command("node", &["main.mjs", address, RUNS, IN_FLIGHT]);
        peer.current_dir(&folder);
        number(peer, "per_second")
    })
}

/// Ours and theirs in turns, each round in databases of its own on one server.
fn against(rounds: &Rounds<'_>, name: &str, theirs: impl Fn(&str) -> Result<f64>) -> Result<Figures> {
    let server = Server::start(&SETTINGS)?;
    let (mut of_ours, mut of_theirs) = (0, 0);
    let mut ours = || {
        of_ours += 1;
        let mut queue = rounds.measure("queue");
        queue.args([server.database(&format!("ours_{of_ours}"))?.as_str(), RUNS, IN_FLIGHT]);
        number(queue, "per_second")
    };
    let mut theirs = || {
        of_theirs += 1;
        theirs(&server.database(&format!("theirs_{of_theirs}"))?)
    };
    let measured = rounds.in_turns(&mut [&mut ours, &mut theirs])?;
    let of = |place: usize| measured.iter().map(|round| round[place]).collect::<Vec<_>>();
    let figures = Figures::from(measured.iter().map(|round| round[0] / round[1]).collect::<Vec<_>>());
    let figures = figures.also("ours", median(&of(0)), "runs a second").also(name, median(&of(1)), "jobs a second");
    Ok(figures.also(format!("fdatasync of 4 KiB, beside {}", server.version()?), fsync_per_second()?, "a second"))
}

/// Milliseconds from the moment of 1,000 schedules until the last hundredth of them is claimed.
pub(super) fn due(rounds: &Rounds<'_>) -> Result<Figures> {
    let (mut runs, mut middle) = (Vec::new(), Vec::new());
    for round in 1..=rounds.count.min(LONG_ROUNDS) {
        let mut due = rounds.measure("due");
        due.arg(fresh(rounds, "due")?).arg("1000");
        let answer = super::rounds::answer(due)?;
        let of = |name: &str| answer[name].as_f64().with_context(|| format!("the answer has no {name}: {answer}"));
        println!("  round {round}: {answer}");
        runs.push(of("p99_ms")?);
        middle.push(of("p50_ms")?);
    }
    Ok(Figures::from(runs).also("half of them", median(&middle), "ms"))
}

/// Per cent of a processor that a hub takes with 100,000 schedules of which none is due.
pub(super) fn idle(rounds: &Rounds<'_>) -> Result<Figures> {
    let mut runs = Vec::new();
    for round in 1..=rounds.count.min(LONG_ROUNDS) {
        let mut idle = rounds.measure("idle");
        idle.arg(fresh(rounds, "idle")?).args(["100000", "20"]);
        runs.push(number(idle, "percent")?);
        println!("  round {round}: {:.3}", runs[runs.len() - 1]);
    }
    Ok(Figures::from(runs))
}

/// Seconds from kill -9 of a hub until another has its run.
pub(super) fn takeover(rounds: &Rounds<'_>) -> Result<Figures> {
    // The example names its plugins where a build for development puts them.
    for entry in fs::read_dir(&rounds.built.folder)? {
        let component = entry?.path();
        if component.extension().is_some_and(|extension| extension == "wasm") {
            let to = root().join("target/plugins");
            fs::create_dir_all(&to)?;
            fs::copy(&component, to.join(component.file_name().context("a file has a name")?))?;
        }
    }
    let runs = (0..rounds.count.min(LONG_ROUNDS)).map(|_| demo::takeover_of(&rounds.built.bailiwick)).collect::<Result<Vec<_>>>()?;
    Ok(Figures::from(runs))
}

/// A peer that has a lock file of its own, built when it is asked for: it brings a whole runtime with it.
fn built(name: &str) -> Result<PathBuf> {
    let manifest = root().join("tests/bench/peers/queues").join(name).join("Cargo.toml");
    let mut build = cargo(&["build", "--locked", "--release", "--manifest-path"]);
    // A folder of its own: `ring` is compiled otherwise for each workspace, and would have the hub compiled anew each time.
    let folder = target().join("peers");
    build.arg(manifest).arg("--target-dir").arg(&folder);
    succeed(build)?;
    Ok(folder.join("release").join(format!("{name}-peer")))
}

/// A folder with nothing in it.
fn fresh(rounds: &Rounds<'_>, name: &str) -> Result<PathBuf> {
    let folder = rounds.built.folder.join(name);
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
