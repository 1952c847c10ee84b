//! `cargo xtask fuzz`: libFuzzer against what reaches the hub from outside, for a bounded time.
//!
//! The hub alone is compiled with coverage, by the compiler that everything is built with: see `tests/fuzz/rustc.sh`.
//! There is no sanitiser in it, as none of them links with a stable standard library. The hub forbids unsafe code but for
//! one place, so what is looked for is panics, overflow, broken invariants, time and memory.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::prerequisites;
use crate::tools::{cargo, command, root, succeed, target};

/// How long each target runs within `cargo xtask test`.
const TEST_SECONDS: u32 = 10;

/// Where each target begins within `cargo xtask test`: two runs of one tree try the same inputs in the same order.
const TEST_SEED: u32 = 20_260_401;

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
    /// Where to begin; somewhere else each time unless said.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
}

/// Runs one target or all.
pub(crate) fn run(options: &Options) -> Result<()> {
    let all = targets()?;
    let wanted: Vec<&String> = all.iter().filter(|name| options.target.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    if wanted.is_empty() {
        bail!("there is no such target; the targets are: {}", all.join(", "));
    }
    build()?;
    wanted.iter().try_for_each(|name| fuzz(name, options))
}

/// Runs every target for a moment, as a test.
pub(crate) fn test() -> Result<()> {
    run(&Options { target: None, seconds: TEST_SECONDS, seed: Some(TEST_SEED) })
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

fn fuzz(name: &str, options: &Options) -> Result<()> {
    let Options { seconds, seed, .. } = *options;
    // What was found worth keeping is kept between runs, but not in the tree: the corpus there stays small.
    let learnt = target().join("fuzz").join(name);
    std::fs::create_dir_all(&learnt)?;
    let seeds = corpus().join(name);
    let before = cases(&seeds)?;
    let mut fuzzer = command(target().join("debug").join(name), &[]);
    let flags = [
        ("max_total_time", seconds),
        // libFuzzer takes 0 for "somewhere else each time".
        ("seed", seed.unwrap_or(0)),
        ("max_len", INPUT_BYTES_MAX),
        ("rss_limit_mb", MEMORY_MIB_MAX),
        ("timeout", INPUT_SECONDS_MAX),
        ("print_final_stats", 1),
    ];
    fuzzer.args(flags.map(|(flag, value)| format!("-{flag}={value}")));
    let dictionary = folder().join("dictionaries").join(name).with_extension("txt");
    if dictionary.is_file() {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    fuzzer.arg(format!("-artifact_prefix={}/found-", seeds.display())).arg(&learnt).arg(&seeds);
    let said = fuzzer.output().with_context(|| format!("{name} cannot be started"))?;
    let told = String::from_utf8_lossy(&said.stderr);
    let found: Vec<_> = cases(&seeds)?.into_iter().filter(|case| !before.contains(case)).collect();
    if found.is_empty() && said.status.success() {
        let tried = statistic(&told, "number_of_executed_units").filter(|tried| *tried > 0);
        let tried = tried.with_context(|| format!("{name} says nothing of what it tried:\n{}", ending(&told)))?;
        println!("{name:>12}  {tried:>9} inputs in {seconds} s, {} MiB of memory", statistic(&told, "peak_rss_mb").unwrap_or_default());
        return Ok(());
    }
    println!("{}", ending(&told));
    let [first, ..] = &found[..] else { bail!("{name} ended with {}", said.status) };
    let shown = first.strip_prefix(root()).unwrap_or(first);
    bail!("{name}: an input breaks what must hold. It lies in {}, where the suite tries it from now on: mend the hub", shown.display())
}

/// A figure that libFuzzer prints at the end.
fn statistic(told: &str, name: &str) -> Option<u64> {
    told.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok())
}

/// What a person wants to see of a failure: the panic, and all after it.
fn ending(told: &str) -> String {
    let lines: Vec<&str> = told.lines().collect();
    let start = lines.iter().position(|line| line.contains("panicked at")).unwrap_or(lines.len().saturating_sub(20));
    lines[start..].join("\n")
}

fn cases(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))?;
    Ok(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_says_is_read() {
        let told = "#1 INITED\nstat::number_of_executed_units: 1234\nstat::peak_rss_mb:              46\n";
        assert_eq!((statistic(told, "number_of_executed_units"), statistic(told, "peak_rss_mb")), (Some(1_234), Some(46)));
        assert_eq!(statistic(told, "new_units_added"), None);
        assert_eq!(
            ending("#1 NEW\nthread 'x' panicked at a.rs:1\nbecause\n==1== ERROR"),
            "thread 'x' panicked at a.rs:1\nbecause\n==1== ERROR"
        );
    }

    #[test]
    fn every_target_has_seeds_and_a_program() {
        let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).expect("it can be read");
        let names = targets().expect("the corpus can be listed");
        for name in &names {
            assert!(manifest.contains(&format!("[[bin]]\nname = {name:?}\n")), "{name} has a corpus and no program");
        }
        assert_eq!(names.len(), manifest.matches("[[bin]]").count(), "each program has a folder of the corpus");
    }
}
