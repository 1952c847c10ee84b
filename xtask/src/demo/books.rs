//! Whether every row and every penny is accounted for, and every file was delivered once: read from what the hubs say, and held
//! against the files themselves.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::hubs::word;
use super::site::Site;
use crate::tools::{command, output};

/// Says it in a few lines, and fails unless it is so. `taken_over` is the run that two hubs were at.
pub(super) fn check(site: &Site, taken_over: &str) -> Result<()> {
    let mut delivered = BTreeSet::new();
    let runs = site.ask(&["runs", "--json"])?;
    for run in runs.as_array().into_iter().flatten() {
        let shown = site.ask(&["show", &word(run, "id")?, "--json"])?;
        check_run(site, &shown, &mut delivered)?;
    }
    let events = site.ask(&["show", taken_over, "--json"])?;
    let hubs: Vec<&str> = events["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|event| event["kind"] == "claimed")
        .filter_map(|event| event["hub"].as_str())
        .collect();
    ensure!(hubs.len() == 2 && hubs[0] != hubs[1], "two hubs should have been at the run, and these were: {hubs:?}");
    let there = files(&site.config().join("out"))?;
    ensure!(there == delivered, "these files are there: {there:?}; these were delivered: {delivered:?}");
    println!("  {} files are there, each delivered once, each with the digest in its receipt; no other file is", there.len());
    Ok(())
}

fn check_run(site: &Site, run: &Value, delivered: &mut BTreeSet<PathBuf>) -> Result<()> {
    let job = word(run, "job")?;
    ensure!(run["state"] == "closed", "the run of {job} is {}", run["state"]);
    let rows = |port: &Value, of: &str| port["rows"][of].as_u64().with_context(|| format!("no {of} in {port}"));
    let (mut read, mut rejected) = (0, 0);
    for input in run["inputs"].as_array().into_iter().flatten() {
        let sum = rows(input, "accepted")? + rows(input, "rejected")? + rows(input, "skipped")?;
        ensure!(rows(input, "read")? == sum, "rows of {job} are lost: {input}");
        read += sum;
        rejected += rows(input, "rejected")?;
    }
    let balances = run["balances"].as_array().context("a run has balances")?;
    ensure!(balances.iter().all(|balance| balance["holds"] == true), "a balance of {job} does not hold: {balances:?}");
    let deliveries = run["deliveries"].as_array().context("a run has deliveries")?;
    let sent = run["events"].as_array().into_iter().flatten().filter(|event| event["kind"] == "delivered").count();
    ensure!(
        sent == deliveries.len() && sent == run["outputs"].as_array().map_or(0, Vec::len),
        "{job} has {sent} deliveries of {deliveries:?}"
    );
    for delivery in deliveries {
        let name = word(delivery, "target")?;
        let path = find(&site.config().join("out"), &name)?;
        let digest = output(command("sha256sum", &[&path.to_string_lossy()]))?;
        ensure!(digest.starts_with(&word(delivery, "digest")?), "{name} is not what was sent");
        ensure!(delivered.insert(path), "{name} was delivered twice");
    }
    println!(
        "  {job}: {read} rows read, each accepted, skipped or one of {rejected} rejects; {} balances hold; {sent} files",
        balances.len()
    );
    Ok(())
}

fn find(below: &Path, name: &str) -> Result<PathBuf> {
    let found = files(below)?.into_iter().find(|path| path.file_name().is_some_and(|found| found == name));
    found.with_context(|| format!("{name} was delivered, and is not there"))
}

/// Every file in the folders of a folder, but those that keep the folders in the repository.
fn files(below: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for folder in fs::read_dir(below)? {
        let folder = folder?.path();
        for file in fs::read_dir(&folder)? {
            let file = file?.path();
            if file.file_name().is_none_or(|name| name != ".about") {
                found.insert(file);
            }
        }
    }
    Ok(found)
}
