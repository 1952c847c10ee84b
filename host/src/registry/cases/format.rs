//! Cases of formats: rows and the file that must come of them, a file and the rows that must come of it, or both ways.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::model::manifest::FormatShape;
use crate::model::outcome::{PluginFailure, Reason};
use crate::model::table::Table;
use crate::registry::source::{Problems, Source};
use crate::registry::tables;

use super::compare::{Difference, failure, lines_apart};
use super::load::{bytes, listed, name_of, own_tables, shown, text};
use super::{CaseError, FailureKind};

/// First line of `unwritable.csv`.
const UNWRITABLE: &str = "row,column,code\n";

/// First line of `refused.csv`.
const REFUSED: &str = "line,column,code\n";

/// A case of a format.
#[derive(Debug)]
pub struct FormatCase {
    /// The folder's name.
    pub name: String,
    /// What it shows, for people.
    pub about: String,
    /// The day on which it runs.
    pub today: Date,
    /// Settings: a JSON object.
    pub settings: serde_json::Value,
    /// The ways that it goes.
    pub ways: Vec<FormatWay>,
    /// Versions of tables that it adds to the plugin's own.
    pub tables: Vec<Table>,
    /// Its rows, where it has any: `rows.csv`.
    pub rows: PathBuf,
    /// The file of the format, if it has one.
    pub file: Option<Vec<u8>>,
    expected: Expected,
}

/// A way that a case goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatWay {
    /// Rows into a file.
    Write,
    /// A file into rows.
    Read,
}

#[derive(Debug)]
struct Expected {
    failure: Option<FailureKind>,
    rows: Option<Vec<u8>>,
    unwritable: Option<String>,
    refused: Option<String>,
}

/// What running one way of a case came to.
#[derive(Debug, Default)]
pub struct FormatHappened {
    /// What was written: the file, or the rows as CSV with its first line.
    pub bytes: Vec<u8>,
    /// What was refused: row or line, and the reasons.
    pub refused: Vec<(u64, Vec<Reason>)>,
    /// The failure, where there was one.
    pub failure: Option<PluginFailure>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenCase {
    today: Spanned<Datetime>,
    #[serde(default)]
    about: String,
    ways: Option<Vec<FormatWay>>,
    #[serde(default)]
    settings: toml::Table,
    expect_failure: Option<FailureKind>,
}

/// Reads the cases of a format: every folder in the plugin's `cases/`, by name. A plugin without that folder has none.
///
/// # Errors
/// [`CaseError`], with everything that is wrong in all cases.
pub fn format_cases(plugin: &Path, shape: &FormatShape) -> Result<Vec<FormatCase>, CaseError> {
    let mut problems = Problems::default();
    let mut cases = Vec::new();
    for folder in listed(&plugin.join("cases"))?.into_iter().filter(|path| path.is_dir()) {
        cases.extend(format_case(&folder, shape, &mut problems)?);
    }
    Ok(problems.or(Some(cases))?)
}

/// Reads one case of a format.
///
/// # Errors
/// [`CaseError`], with everything that is wrong in it.
pub fn format_case_folder(folder: &Path, shape: &FormatShape) -> Result<FormatCase, CaseError> {
    let mut problems = Problems::default();
    let case = format_case(folder, shape, &mut problems)?;
    Ok(problems.or(case)?)
}

fn format_case(folder: &Path, shape: &FormatShape, problems: &mut Problems) -> Result<Option<FormatCase>, CaseError> {
    let source = Source::new(format!("{}/case.toml", shown(folder)), text(&folder.join("case.toml"))?);
    let Some(written) = problems.note(source.toml::<WrittenCase>()) else { return Ok(None) };
    let today = problems.note(tables::date(&source, &written.today));
    let settings = source.settings("settings", written.settings, problems);
    let all = [(FormatWay::Write, shape.writes), (FormatWay::Read, shape.reads)];
    let ways = written.ways.unwrap_or_else(|| all.iter().filter(|(_, goes)| *goes).map(|(way, _)| *way).collect());
    if ways.is_empty() || ways.iter().any(|way| !all.contains(&(*way, true))) {
        problems.add(source.problem(None, "the case goes a way that the format does not", "name what plugin.toml declares in its ways"));
    }
    let is_file = |path: &PathBuf| path.is_file() && !path.extension().is_some_and(|end| end == "csv" || end == "toml");
    let files: Vec<PathBuf> = listed(folder)?.into_iter().filter(is_file).collect();
    if files.len() > 1 {
        problems.add(source.problem(None, format!("the case has {} files of the format", files.len()), "leave one, such as file.txt"));
    }
    let if_there = |name: &str| {
        let path = folder.join(name);
        if path.exists() { text(&path).map(Some) } else { Ok(None) }
    };
    let rows = folder.join("rows.csv");
    let expected = Expected {
        failure: written.expect_failure,
        rows: if rows.exists() { Some(bytes(&rows)?) } else { None },
        unwritable: if_there("unwritable.csv")?,
        refused: if_there("refused.csv")?,
    };
    let file = files.first().map(|path| bytes(path)).transpose()?;
    for (way, wanted, there) in [(FormatWay::Write, "rows.csv", rows.exists()), (FormatWay::Read, "file", file.is_some())] {
        if ways.contains(&way) && !there {
            problems.add(source.problem(None, format!("the case has no {wanted}"), "write one, or leave the way out in ways"));
        }
    }
    let tables = own_tables(&folder.join("tables"), problems)?;
    let (name, about) = (name_of(folder), written.about);
    Ok(today.map(|today| FormatCase { name, about, today, settings, ways, tables, rows, file, expected }))
}

/// Compares what a format did one way with its case. Nothing in the answer means that the case passed.
#[must_use]
pub fn compare_format(case: &FormatCase, way: FormatWay, happened: &FormatHappened) -> Vec<Difference> {
    let expected = &case.expected;
    if expected.failure.is_some() || happened.failure.is_some() {
        return failure(expected.failure, happened.failure.as_ref()).into_iter().collect();
    }
    let mut differences = Vec::new();
    let mut compare = |place: &str, expected: &[u8], got: &[u8]| {
        if expected != got {
            differences.push(Difference { place: place.to_owned(), text: lines_apart(expected, got) });
        }
    };
    let refused = |header: &str| {
        let lines = happened.refused.iter().flat_map(|(number, reasons)| {
            reasons.iter().map(move |reason| format!("{number},{},{}\n", reason.column.as_deref().unwrap_or(""), reason.code))
        });
        lines.fold(header.to_owned(), |text, line| text + &line)
    };
    match way {
        FormatWay::Write => {
            compare("unwritable.csv", expected.unwritable.as_deref().unwrap_or(UNWRITABLE).as_bytes(), refused(UNWRITABLE).as_bytes());
            if expected.unwritable.is_none() {
                compare("the file", case.file.as_deref().unwrap_or_default(), &happened.bytes);
            }
        }
        FormatWay::Read => {
            let first_line = || happened.bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
            compare("rows.csv", &expected.rows.clone().unwrap_or_else(first_line), &happened.bytes);
            compare("refused.csv", expected.refused.as_deref().unwrap_or(REFUSED).as_bytes(), refused(REFUSED).as_bytes());
        }
    }
    differences
}
