//! `cargo xtask fuzz`: libFuzzer against what reaches the hub from outside, for a bounded time.
//!
//! The hub alone is compiled with coverage, by the compiler that everything is built with: see `tests/fuzz/rustc.sh`.
//! There is no sanitiser in it, as none of them links with a stable standard library. The hub forbids unsafe code but for
//! one place, so what is looked for is panics, overflow, broken invariants, time and memory.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::prerequisites;
use crate::tools::{cargo, command, root, succeed, target};

/// How long each target runs within `cargo xtask test`.
const TEST_SECONDS: u32 = 10;

/// Longest input that is tried. The limits that lie above it have tests of their own.
const INPUT_BYTES_MAX: u32 = 8 << 10;

/// Memory that a target may have. It needs about a tenth.
const MEMORY_MIB_MAX: u32 = 1_024;

/// What one input may take. It takes less than a thousandth.
const INPUT_SECONDS_MAX: u32 = 5;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The target; all of them unless said.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
}

/// Runs one target or all.
pub(crate) fn run(options: &Options) -> Result<()> {
    let all = targets()?;
    let wanted: Vec<&String> = all.iter().filter(|name| options.target.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    if wanted.is_empty() {
        bail!("there is no such target; the targets are: {}", all.join(", "));
    }
    build()?;
    wanted.iter().try_for_each(|name| fuzz(name, options.seconds))
}

/// Runs every target for a moment, as a test.
pub(crate) fn test() -> Result<()> {
    run(&Options { target: None, seconds: TEST_SECONDS })
}

/// Every target has a folder of the corpus, named as the target is.
fn targets() -> Result<Vec<String>> {
    let corpus = corpus();
    let entries = std::fs::read_dir(&corpus).with_context(|| format!("{} cannot be listed", corpus.display()))?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn folder() -> PathBuf {
    root().join("tests/fuzz")
}

fn corpus() -> PathBuf {
    folder().join("corpus")
}

fn build() -> Result<()> {
    prerequisites::debian(&[("c++", "g++")])?;
    println!("coverage of the hub's own code, no sanitiser: what is built with the stable compiler links with none");
    let began = Instant::now();
    let mut build = cargo(&["build", "--locked", "--bins", "--manifest-path", "tests/fuzz/Cargo.toml"]);
    build.arg("--target-dir").arg(target()).env("RUSTC_WRAPPER", folder().join("rustc.sh"));
    succeed(build)?;
    println!("built in {} s", began.elapsed().as_secs());
    Ok(())
}

fn fuzz(name: &str, seconds: u32) -> Result<()> {
    // What was found worth keeping is kept between runs, but not in the tree: the corpus there stays small.
    let learnt = target().join("fuzz").join(name);
    std::fs::create_dir_all(&learnt)?;
    let seeds = corpus().join(name);
    let before = cases(&seeds)?;
    let mut fuzzer = command(target().join("debug").join(name), &[]);
    let flags = [
        ("max_total_time", seconds),
        ("max_len", INPUT_BYTES_MAX),
        ("rss_limit_mb", MEMORY_MIB_MAX),
        ("timeout", INPUT_SECONDS_MAX),
        ("print_final_stats", 1),
        ("verbosity", 0),
    ];
    fuzzer.args(flags.map(|(flag, value)| format!("-{flag}={value}")));
    let dictionary = folder().join("dictionaries").join(name).with_extension("txt");
    if dictionary.is_file() {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    fuzzer.arg(format!("-artifact_prefix={}/found-", seeds.display())).arg(&learnt).arg(&seeds);
    let began = Instant::now();
    let done = succeed(fuzzer);
    let found: Vec<_> = cases(&seeds)?.into_iter().filter(|case| !before.contains(case)).collect();
    if let [first, ..] = &found[..] {
        let shown = first.strip_prefix(root()).unwrap_or(first);
        bail!("{name}: an input breaks what must hold. It lies in {}, where the suite tries it from now on: mend the hub", shown.display());
    }
    done?;
    let least = Duration::from_secs(u64::from(seconds) / 2);
    ensure!(began.elapsed() >= least, "{name} ended before its time was up");
    Ok(())
}

fn cases(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))?;
    Ok(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
}
