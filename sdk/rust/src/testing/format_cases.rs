//! Cases of formats: each folder in `cases/` holds rows and the file that is expected of them, or a file and its rows, or both ways.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::value::Datetime;

use super::case_files::{bytes, difference, json_of, listed, name, text};
use super::csv_rows;
use super::manifest::{Manifest, Port, Way};
use super::native_format::NativeFormat;
use super::{TestHub, report, tables};
use crate::failure::Failure;
use crate::format::{Format, Unwritten};

/// First line of `unwritable.csv`.
const UNWRITABLE: &str = "row,column,code\n";

/// First line of `refused.csv`.
const REFUSED: &str = "line,column,code\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseFile {
    today: Datetime,
    #[serde(default, rename = "about")]
    _about: String,
    /// Every way that the format goes, unless told.
    ways: Option<Vec<Way>>,
    #[serde(default)]
    settings: toml::Table,
    expect_failure: Option<String>,
}

/// Runs every case in `cases/` of a format's folder, `env!("CARGO_MANIFEST_DIR")`.
///
/// # Panics
/// If any case comes out otherwise than expected, with every difference; and if there is no case.
pub fn run_format_cases<F: Format>(folder: &str) {
    let folder = Path::new(folder);
    let manifest = Manifest::read(folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(manifest.kind == "format", "plugin.toml says kind = {:?}, and a format is registered", manifest.kind);
    let cases: Vec<PathBuf> = listed(&folder.join("cases")).unwrap_or_else(|error| panic!("{error}"));
    let cases: Vec<PathBuf> = cases.into_iter().filter(|path| path.is_dir()).collect();
    let mut wrong = Vec::new();
    for case in &cases {
        match run_case::<F>(folder, case) {
            Ok(differences) if differences.is_empty() => {}
            Ok(differences) => wrong.push((name(case), differences)),
            Err(error) => wrong.push((name(case), error)),
        }
    }
    report(folder, cases.len(), &wrong);
}

/// What is different from what is expected.
fn run_case<F: Format>(folder: &Path, case: &Path) -> Result<String, String> {
    let manifest = Manifest::read(folder)?;
    let path = case.join("case.toml");
    let file: CaseFile = toml::from_str(&text(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    let hub = TestHub::of(&manifest, folder)?.today(tables::day(&file.today)?).try_tables_from(&case.join("tables"))?;
    let (port, ways) = (manifest.rows(), file.ways.unwrap_or_else(|| manifest.ways.clone()));
    if ways.is_empty() || ways.iter().any(|way| !manifest.ways.contains(way)) {
        return Err("ways: name what plugin.toml declares in its ways".to_owned());
    }
    let format = NativeFormat::of(manifest, hub, json_of(toml::Value::Table(file.settings)).to_string());
    let mut differences = String::new();
    for way in ways {
        let came = match way {
            Way::Write => written::<F>(&format, &port, case)?,
            Way::Read => read::<F>(&format, &port, case)?,
            Way::Pull | Way::Push => return Err("a format writes and reads; connectors pull and push".to_owned()),
        };
        differences += &match (came, &file.expect_failure) {
            (Ok(differences), None) => differences,
            (Ok(_), Some(kind)) => format!("expected the failure {kind}, and it did not fail\n"),
            (Err(failure), Some(kind)) if failure.kind() == kind => String::new(),
            (Err(failure), Some(kind)) => format!("expected the failure {kind}, and it failed otherwise: {failure}\n"),
            (Err(failure), None) => format!("it failed: {failure}\n"),
        };
    }
    Ok(differences)
}

/// Writes `rows.csv`: the file, or `unwritable.csv` where rows cannot be written.
fn written<F: Format>(format: &NativeFormat, port: &Port, case: &Path) -> Result<Result<String, Failure>, String> {
    let records = csv_rows::read(&case.join("rows.csv"), port)?;
    let batches = csv_rows::batches(port, &records)?;
    let (file, unwritable) = match format.write_batches::<F>(&batches, &format.hub()) {
        Ok(file) => (file, UNWRITABLE.to_owned()),
        Err(Unwritten::Failed(failure)) => return Ok(Err(failure)),
        Err(Unwritten::Rows(rows)) => {
            let mut told = UNWRITABLE.to_owned();
            for row in rows {
                for reason in row.reasons {
                    told += &format!("{},{},{}\n", row.row, format.column(reason.column).unwrap_or_default(), reason.code);
                }
            }
            (Vec::new(), told)
        }
    };
    let expected = case.join("unwritable.csv");
    let mut differences = compared("unwritable.csv", &optional(&expected, UNWRITABLE)?, &unwritable);
    if !expected.exists() {
        let path = the_file(case)?;
        differences += &compared(&name(&path), &latin(&bytes(&path)?), &latin(&file));
    }
    Ok(Ok(differences))
}

/// Reads the file: `rows.csv`, and `refused.csv` where records are no rows.
fn read<F: Format>(format: &NativeFormat, port: &Port, case: &Path) -> Result<Result<String, Failure>, String> {
    let found = match format.read_records::<F>(&bytes(&the_file(case)?)?, &format.hub()) {
        Ok(found) => found,
        Err(failure) => return Ok(Err(failure)),
    };
    let (mut rows, mut refused) = (csv_rows::header(port), REFUSED.to_owned());
    for records in found {
        if records.places.len() != records.rows.rows as usize {
            return Err(format!("{} rows have {} places", records.rows.rows, records.places.len()));
        }
        csv_rows::write(port, &records.rows, &mut rows)?;
        for one in records.refused {
            for fault in one.faults {
                refused += &format!("{},{},{}\n", one.place.line, format.column(fault.column).unwrap_or_default(), fault.code);
            }
        }
    }
    let expected = optional(&case.join("rows.csv"), &csv_rows::header(port))?;
    let differences = compared("rows.csv", &expected, &rows);
    Ok(Ok(differences + &compared("refused.csv", &optional(&case.join("refused.csv"), REFUSED)?, &refused)))
}

/// The one file of a case that is neither CSV nor TOML.
fn the_file(case: &Path) -> Result<PathBuf, String> {
    let is_file = |path: &PathBuf| path.is_file() && !path.extension().is_some_and(|end| end == "csv" || end == "toml");
    let files: Vec<PathBuf> = listed(case)?.into_iter().filter(is_file).collect();
    match <[PathBuf; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) => Err(format!("{} has {} files of the format, and a case has one, such as file.txt", case.display(), files.len())),
    }
}

fn optional(path: &Path, otherwise: &str) -> Result<String, String> {
    if path.exists() { text(path) } else { Ok(otherwise.to_owned()) }
}

fn compared(of: &str, expected: &str, found: &str) -> String {
    difference(expected, found).map_or_else(String::new, |difference| format!("{of}\n{difference}"))
}

/// Bytes as text, each its own character, so that files of any encoding can be shown and compared.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
