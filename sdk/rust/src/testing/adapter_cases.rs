//! Cases of adapters: each folder in `cases/` holds inputs, and the outputs and findings that are expected of them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::value::Datetime;

use super::case_files::{difference, json_of, listed, name, text};
use super::csv_rows;
use super::manifest::Manifest;
use super::{Native, TestHub, report, sums, tables};
use crate::adapter::Adapter;
use crate::failure::Failure;
use crate::hub::Hub;
use crate::wire;

/// First line of `findings.csv`.
const FINDINGS: &str = "input,row,effect,column,code\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseFile {
    today: Datetime,
    #[serde(default, rename = "about")]
    _about: String,
    #[serde(default)]
    settings: toml::Table,
    expect_failure: Option<String>,
}

/// What a run over a case's inputs came to.
struct Found {
    /// One file for each output.
    outputs: Vec<String>,
    findings: String,
}

/// Why a case did not come to its end.
enum Stopped {
    /// The plugin failed, which can be what is expected.
    Failed(Failure),
    /// The case or the plugin is wrong.
    Wrong(String),
}

impl From<String> for Stopped {
    fn from(what: String) -> Self {
        Self::Wrong(what)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Runs every case in `cases/` of an adapter's folder, `env!("CARGO_MANIFEST_DIR")`.
///
/// # Panics
/// If any case comes out otherwise than expected, with every difference; and if there is no case.
pub fn run_adapter_cases<A: Adapter>(folder: &str) {
    let folder = Path::new(folder);
    let manifest = Manifest::read(folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(manifest.kind == "adapter", "plugin.toml says kind = {:?}, and an adapter is registered", manifest.kind);
    let cases: Vec<PathBuf> = listed(&folder.join("cases")).unwrap_or_else(|error| panic!("{error}"));
    let cases: Vec<PathBuf> = cases.into_iter().filter(|path| path.is_dir()).collect();
    let mut wrong = Vec::new();
    for case in &cases {
        match run_case::<A>(folder, &manifest, case) {
            Ok(differences) if differences.is_empty() => {}
            Ok(differences) => wrong.push((name(case), differences)),
            Err(error) => wrong.push((name(case), error)),
        }
    }
    report(folder, cases.len(), &wrong);
}

/// What is different from what is expected.
fn run_case<A: Adapter>(folder: &Path, manifest: &Manifest, case: &Path) -> Result<String, String> {
    let path = case.join("case.toml");
    let file: CaseFile = toml::from_str(&text(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    let hub = TestHub::of(manifest, folder)?.today(tables::day(&file.today)?).try_tables_from(&case.join("tables"))?.hub();
    let settings = json_of(toml::Value::Table(file.settings)).to_string();
    match (run::<A>(manifest, case, &settings, &hub), file.expect_failure) {
        (Ok(found), None) => compare(manifest, case, &found),
        (Ok(_), Some(kind)) => Ok(format!("expected the failure {kind}, and it did not fail")),
        (Err(Stopped::Failed(failure)), Some(kind)) if failure.kind() == kind => Ok(String::new()),
        (Err(Stopped::Failed(failure)), Some(kind)) => Ok(format!("expected the failure {kind}, and it failed otherwise: {failure}")),
        (Err(Stopped::Failed(failure)), None) => Ok(format!("it failed: {failure}")),
        (Err(Stopped::Wrong(what)), _) => Err(what),
    }
}

/// An output without a file must have no rows, and findings without a file must be none: only their first line is expected.
fn compare(manifest: &Manifest, case: &Path, found: &Found) -> Result<String, String> {
    let mut differences = String::new();
    let outputs = manifest.outputs.iter().zip(&found.outputs).map(|(port, found)| (port.name.as_str(), csv_rows::header(port), found));
    for (name, header, found) in outputs.chain([("findings", FINDINGS.to_owned(), &found.findings)]) {
        let path = expected(case, name);
        let expected = if path.exists() { text(&path)? } else { header };
        if let Some(difference) = difference(&expected, found) {
            differences += &format!("expected/{name}.csv\n{difference}");
        }
    }
    for path in listed(&case.join("expected"))? {
        let known = manifest.outputs.iter().map(|port| port.name.as_str()).chain(["findings"]).any(|name| path == expected(case, name));
        if !known {
            differences += &format!("expected/{}: plugin.toml declares no such output\n", name(&path));
        }
    }
    Ok(differences)
}

fn expected(case: &Path, name: &str) -> PathBuf {
    case.join("expected").join(name).with_extension("csv")
}

fn run<A: Adapter>(manifest: &Manifest, case: &Path, settings: &str, hub: &Hub) -> Result<Found, Stopped> {
    let path = |input: &str| case.join("in").join(input).with_extension("csv");
    for listed in listed(&case.join("in"))? {
        let known = manifest.inputs.iter().any(|input| path(&input.name) == listed);
        if !known {
            return Err(Stopped::Wrong(format!("in/{}: plugin.toml declares no such input", name(&listed))));
        }
    }
    if let Some(missing) = manifest.inputs.iter().find(|input| !input.optional && !path(&input.name).exists()) {
        return Err(Stopped::Wrong(format!("in/{}.csv is missing, and plugin.toml does not call the input optional", missing.name)));
    }
    let mut native = Native::<A>::open(manifest.context(|input| path(input).exists()), settings, hub)?;
    let mut gathered = Gathered {
        manifest,
        batches: manifest.outputs.iter().map(|_| Vec::new()).collect(),
        findings: FINDINGS.to_owned(),
        settled: HashSet::new(),
    };
    for (place, input) in (0..).zip(&manifest.inputs) {
        if path(&input.name).exists() {
            let records = csv_rows::read(&path(&input.name), input)?;
            for batch in csv_rows::batches(input, &records)? {
                gathered.add(native.push(place, &batch)?)?;
            }
        }
        gathered.add(native.end(place)?)?;
    }
    loop {
        let last = native.finish()?;
        gathered.add(last.outcome)?;
        if last.done {
            return Ok(gathered.found()?);
        }
    }
}

/// What the calls of a run answered.
struct Gathered<'m> {
    manifest: &'m Manifest,
    /// For each output.
    batches: Vec<Vec<wire::Batch>>,
    findings: String,
    /// Rows that are rejected or skipped, by input.
    settled: HashSet<(u32, u64)>,
}

impl Gathered<'_> {
    fn add(&mut self, outcome: wire::Outcome) -> Result<(), String> {
        for output in outcome.outputs {
            self.batches[output.output as usize].push(output.rows);
        }
        for finding in outcome.findings {
            let input = &self.manifest.inputs[finding.input as usize];
            let effect = match finding.effect {
                wire::Effect::Reject => "reject",
                wire::Effect::Skip => "skip",
                wire::Effect::Warn => "warn",
            };
            if finding.effect != wire::Effect::Warn && !self.settled.insert((finding.input, finding.row)) {
                return Err(format!("row {} of {} is rejected or skipped twice: give all its reasons at once", finding.row, input.name));
            }
            for reason in finding.reasons {
                let column = reason.column.map_or("", |place| input.columns[place as usize].name.as_str());
                self.findings += &format!("{},{},{effect},{column},{}\n", input.name, finding.row, reason.code);
            }
        }
        Ok(())
    }

    fn found(self) -> Result<Found, String> {
        let mut outputs = Vec::new();
        for (port, batches) in self.manifest.outputs.iter().zip(self.batches) {
            let batches = match &port.aggregate_by {
                Some(by) if !batches.is_empty() => sums::added_up(port, by, &batches)?,
                _ => batches,
            };
            let mut file = csv_rows::header(port);
            for batch in &batches {
                csv_rows::write(port, batch, &mut file)?;
            }
            outputs.push(file);
        }
        Ok(Found { outputs, findings: self.findings })
    }
}
