//! The machine that was measured on, as far as it explains the figures.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::python;
use crate::tools::{command, output, root, target};

/// How long the disk is asked to make bytes durable, over and over.
const FSYNC: Duration = Duration::from_secs(1);

/// The lock file of the peers.
const PEERS: &str = "tests/bench/peers/Cargo.lock";

/// What is known of the machine. Nothing in it names one.
pub(super) struct Environment {
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) commit: String,
}

impl Environment {
    pub(super) fn look() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let commit = told_by("git", &["describe", "--always", "--dirty"]);
        let facts = vec![
            ("CPU", first_value("/proc/cpuinfo", "model name")),
            ("cores", cores.to_string()),
            ("memory", first_value("/proc/meminfo", "MemTotal")),
            ("kernel", told_by("uname", &["-sr"])),
            ("rustc", told_by("rustc", &["--version"])),
            ("wasmtime", locked("Cargo.lock", "wasmtime", "")),
            ("wasmtime of bare", locked(PEERS, "wasmtime", "48")),
            ("Extism", format!("{} on wasmtime {}", locked(PEERS, "extism", ""), locked(PEERS, "wasmtime", "43"))),
            ("Python", told_by("python3", &["--version"])),
            ("DuckDB", python::pinned("duckdb")),
            ("commit", commit.clone()),
            ("load before", load()),
            ("fdatasync of 4 KiB", format!("{:.0} a second", fsync_per_second()?)),
        ];
        Ok(Self { facts, commit })
    }

    pub(super) fn told(&self) -> String {
        self.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
    }
}

/// How busy the machine is: over one, five and fifteen minutes.
pub(super) fn load() -> String {
    fs::read_to_string("/proc/loadavg").map_or_else(|_| "unknown".to_owned(), |load| first_words(&load, 3))
}

fn told_by(program: &str, arguments: &[&str]) -> String {
    output(command(program, arguments)).map_or_else(|_| "unknown".to_owned(), |said| said.trim().to_owned())
}

fn first_value(file: &str, key: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'));
    value.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
}

fn first_words(text: &str, count: usize) -> String {
    text.split_whitespace().take(count).collect::<Vec<_>>().join(" ")
}

/// The version of a crate in a lock file: the one that begins as said, where there are several.
fn locked(file: &str, name: &str, beginning: &str) -> String {
    let lock: toml::Table = fs::read_to_string(root().join(file)).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let mut versions = packages.filter(|package| package["name"].as_str() == Some(name)).filter_map(|package| package["version"].as_str());
    versions.find(|version| version.starts_with(beginning)).unwrap_or("unknown").to_owned()
}

/// How often in a second four kilobytes more are durable, at this moment.
pub(super) fn fsync_per_second() -> Result<f64> {
    let path = target().join("bench/fsync");
    let mut file = File::create(&path)?;
    let (began, mut done) = (Instant::now(), 0_u32);
    while began.elapsed() < FSYNC {
        file.write_all(&[0x5a; 4096])?;
        file.sync_data()?;
        done += 1;
    }
    let per_second = f64::from(done) / began.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    Ok(per_second)
}
