//! Reads case files.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::model::manifest::{AdapterShape, RuleSetShape};
use crate::model::rows::PortShape;
use crate::model::table::Table;
use crate::registry::schema::Schema;
use crate::registry::source::{Problems, Source};
use crate::registry::tables;

use super::{AdapterCase, CaseError, Expected, FailureKind, RuleCase, RuleSetCase};

/// First line of `findings.csv`.
pub(super) const FINDINGS_HEADER: &str = "input,row,effect,column,code";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenCase {
    today: Spanned<Datetime>,
    #[serde(default)]
    about: String,
    #[serde(default)]
    settings: toml::Table,
    expect_failure: Option<FailureKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRules {
    today: jiff::civil::Date,
    #[serde(default)]
    about: String,
    #[serde(default)]
    settings: serde_json::Map<String, serde_json::Value>,
    cases: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenRule {
    name: String,
    case: serde_json::Value,
    expect: Option<serde_json::Value>,
    absent: Option<serde_json::Value>,
    expect_failure: Option<FailureKind>,
}

/// Reads the cases of an adapter: every folder in the plugin's `cases/`, by name. A plugin without that folder has none.
///
/// # Errors
/// [`CaseError`], with everything that is wrong in all cases.
pub fn adapter_cases(plugin: &Path, shape: &AdapterShape) -> Result<Vec<AdapterCase>, CaseError> {
    let mut problems = Problems::default();
    let mut cases = Vec::new();
    for folder in listed(&plugin.join("cases"))?.into_iter().filter(|path| path.is_dir()) {
        cases.extend(adapter_case(&folder, shape, &mut problems)?);
    }
    Ok(problems.or(Some(cases))?)
}

/// Reads the cases of a rule set: every JSON file in the plugin's `cases/`, by name. A plugin without that folder has none.
///
/// A case that must be decided has to fit the schema of cases, as nothing else would ever reach the plugin.
///
/// # Errors
/// [`CaseError`], with everything that is wrong in all files.
pub fn rule_set_cases(plugin: &Path, shape: &RuleSetShape) -> Result<Vec<RuleSetCase>, CaseError> {
    let mut problems = Problems::default();
    let mut cases = Vec::new();
    for path in listed(&plugin.join("cases"))?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let source = Source::new(shown(&path), text(&path)?);
        cases.extend(rule_set_case(&path, &source, shape, &mut problems));
    }
    Ok(problems.or(Some(cases))?)
}

/// Reads one case of an adapter.
///
/// # Errors
/// [`CaseError`], with everything that is wrong in it.
pub fn adapter_case_folder(folder: &Path, shape: &AdapterShape) -> Result<AdapterCase, CaseError> {
    let mut problems = Problems::default();
    let case = adapter_case(folder, shape, &mut problems)?;
    Ok(problems.or(case)?)
}

/// A case of files that are named after an adapter's inputs, of which nothing is expected.
///
/// # Errors
/// [`CaseError`], with every file that is none of the adapter's inputs and every input that is missing.
pub fn adapter_files(
    files: &[PathBuf],
    shape: &AdapterShape,
    (settings, today): (&serde_json::Value, jiff::civil::Date),
) -> Result<AdapterCase, CaseError> {
    let mut problems = Problems::default();
    let inputs = ports(files, &shape.inputs, &mut problems);
    let source = Source::new("the files".to_owned(), "");
    required(&source, &inputs, shape, &mut problems);
    let case = AdapterCase {
        name: "files".to_owned(),
        about: String::new(),
        today,
        settings: settings.clone(),
        inputs,
        outputs: Vec::new(),
        findings: Vec::new(),
        expect_failure: None,
        tables: Vec::new(),
    };
    Ok(problems.or(Some(case))?)
}

/// Reads one file of cases of a rule set.
///
/// # Errors
/// [`CaseError`], with everything that is wrong in it.
pub fn rule_set_file(path: &Path, shape: &RuleSetShape) -> Result<RuleSetCase, CaseError> {
    let mut problems = Problems::default();
    let source = Source::new(shown(path), text(path)?);
    let case = rule_set_case(path, &source, shape, &mut problems);
    Ok(problems.or(case)?)
}

fn adapter_case(folder: &Path, shape: &AdapterShape, problems: &mut Problems) -> Result<Option<AdapterCase>, CaseError> {
    let source = Source::new(format!("{}/case.toml", shown(folder)), text(&folder.join("case.toml"))?);
    let Some(written) = problems.note(source.toml::<WrittenCase>()) else { return Ok(None) };
    let today = problems.note(tables::date(&source, &written.today));
    let settings = source.settings("settings", written.settings, problems);
    let inputs = ports(&listed(&folder.join("in"))?, &shape.inputs, problems);
    required(&source, &inputs, shape, problems);
    let expected = folder.join("expected");
    let outputs = ports(&listed(&expected)?, &shape.outputs, problems);
    let outputs = outputs.into_iter().map(|(name, path)| Ok((name, bytes(&path)?))).collect::<Result<Vec<_>, CaseError>>()?;
    let findings = findings(&expected.join("findings.csv"), problems)?;
    let tables = own_tables(&folder.join("tables"), problems)?;
    Ok(today.map(|today| AdapterCase {
        name: name_of(folder),
        about: written.about,
        today,
        settings,
        inputs,
        outputs,
        findings,
        expect_failure: written.expect_failure,
        tables,
    }))
}

/// Notes every input that a run needs and a case lacks.
fn required(source: &Source, inputs: &[(String, PathBuf)], shape: &AdapterShape, problems: &mut Problems) {
    for missing in shape.inputs.iter().filter(|port| !port.optional && !inputs.iter().any(|(name, _)| *name == port.name)) {
        problems.add(source.problem(
            None,
            format!("the case has no in/{}.csv", missing.name),
            "write one; a first line alone is an input without rows",
        ));
    }
}

/// The CSV files that stand for ports, in the ports' order. Others are refused, but for findings.
fn ports(paths: &[PathBuf], shapes: &[PortShape], problems: &mut Problems) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for path in paths {
        let name = name_of(path);
        let port = shapes.iter().position(|shape| path.extension().is_some_and(|end| end == "csv") && shape.name == name);
        match port {
            Some(place) => found.push((place, (name, path.clone()))),
            None if path.ends_with("expected/findings.csv") => {}
            None => {
                let names: Vec<_> = shapes.iter().map(|shape| format!("{}.csv", shape.name)).collect();
                problems.add(Source::new(shown(path), "").problem(
                    None,
                    "no port of the plugin has this name",
                    format!("the files here are {}", names.join(", ")),
                ));
            }
        }
    }
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, port)| port).collect()
}

fn findings(path: &Path, problems: &mut Problems) -> Result<Vec<String>, CaseError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let source = Source::new(shown(path), text(path)?);
    let mut lines = source.text.lines();
    if lines.next() != Some(FINDINGS_HEADER) {
        problems.add(source.problem(
            Some(0..source.text.find('\n').unwrap_or(0)),
            "this is not the first line of findings",
            format!("write {FINDINGS_HEADER}"),
        ));
    }
    Ok(lines.map(ToOwned::to_owned).collect())
}

pub(super) fn own_tables(folder: &Path, problems: &mut Problems) -> Result<Vec<Table>, CaseError> {
    let mut read = Vec::new();
    for path in listed(folder)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "toml")) {
        let source = Source::new(shown(&path), text(&path)?);
        let rows_of = &mut |name: &str| {
            let path = folder.join(name);
            text(&path).map(|text| Source::new(shown(&path), text)).map_err(|error| error.to_string())
        };
        match tables::read(&source, rows_of) {
            Ok(file) => read.extend(file.versions),
            Err(found) => problems.join(found),
        }
    }
    Ok(read)
}

fn rule_set_case(path: &Path, source: &Source, shape: &RuleSetShape, problems: &mut Problems) -> Option<RuleSetCase> {
    problems.note(source.json())?;
    let written: Result<WrittenRules, _> = serde_json::from_str(&source.text);
    let written = problems.note(
        written.map_err(|error| source.problem(None, format!("this is no file of cases: {error}"), "write today, settings and cases")),
    )?;
    if written.cases.is_empty() {
        problems.add(source.problem(None, "the file has no case", "write at least one"));
    }
    let schema = Schema::compile(&shape.case_schema).ok();
    let mut cases = Vec::new();
    for rule in written.cases {
        let wrong = schema.iter().flat_map(|schema| schema.violations(&rule.case)).next();
        if let Some(violation) = wrong {
            let what = format!("case {:?} does not fit the schema of cases at {:?}: {}", rule.name, violation.pointer, violation.message);
            problems.add(source.problem(None, what, "mend the case, or the schema"));
        }
        let expected = match (rule.expect, rule.absent, rule.expect_failure) {
            (None, None, Some(kind)) => Expected::Failure(kind),
            (subset, absent, None) if subset.is_some() || absent.is_some() => Expected::Decision { subset, absent },
            _ => {
                let what = format!("case {:?} must say what is expected", rule.name);
                problems.add(source.problem(None, what, "write expect, absent or both, or expect-failure alone"));
                continue;
            }
        };
        cases.push(RuleCase { name: rule.name, case: rule.case, expected });
    }
    Some(RuleSetCase { name: name_of(path), about: written.about, today: written.today, settings: written.settings.into(), cases })
}

/// The entries of a folder by name, hidden ones apart; none where there is no folder.
pub(super) fn listed(folder: &Path) -> Result<Vec<PathBuf>, CaseError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let paths = entries.map_err(|error| unreadable(folder, &error))?.into_iter().map(|entry| entry.path());
    let mut paths: Vec<_> = paths.filter(|path| !name_of(path).starts_with('.')).collect();
    paths.sort();
    Ok(paths)
}

pub(super) fn name_of(path: &Path) -> String {
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A path as the plugin's author would name it: from `cases/` on.
pub(super) fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let from = parts.iter().rposition(|part| part == "cases").unwrap_or(0);
    parts[from..].join("/")
}

pub(super) fn text(path: &Path) -> Result<String, CaseError> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, CaseError> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> CaseError {
    CaseError::Unreadable { path: path.display().to_string(), why: error.to_string() }
}
