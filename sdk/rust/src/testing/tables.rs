//! Reads the reference tables of a folder: a TOML file names the versions of one, and a CSV file holds the rows of each.

use std::path::Path;
use std::rc::Rc;

use serde::Deserialize;
use toml::value::Datetime;

use crate::hub::TableData;
use crate::values::Date;
use crate::wire;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    table: String,
    #[serde(default, rename = "about")]
    _about: String,
    versions: Vec<WrittenVersion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenVersion {
    version: String,
    effective_from: Datetime,
    effective_to: Option<Datetime>,
    published: Option<Datetime>,
    #[serde(rename = "source")]
    _source: String,
    rows: String,
}

/// Every version of every table in a folder; none if there is no such folder.
pub(super) fn read(folder: &Path) -> Result<Vec<Rc<TableData>>, String> {
    let mut tables = Vec::new();
    for path in super::case_files::listed(folder)? {
        if path.extension().is_some_and(|extension| extension == "toml") {
            tables.extend(versions(folder, &path)?);
        }
    }
    Ok(tables)
}

fn versions(folder: &Path, path: &Path) -> Result<Vec<Rc<TableData>>, String> {
    let text = super::case_files::text(path)?;
    let written: Written = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let version = |version: &WrittenVersion| {
        let (columns, rows) = rows(&folder.join(&version.rows))?;
        let days = |date: &Datetime| day(date).map(Date::days).map_err(|error| format!("{}: {error}", path.display()));
        let which = wire::TableVersion {
            table: written.table.clone(),
            version: version.version.clone(),
            effective_from: days(&version.effective_from)?,
            effective_to: version.effective_to.as_ref().map(days).transpose()?,
            published: version.published.as_ref().map(days).transpose()?,
        };
        Ok(Rc::new(TableData { version: which, columns, rows }))
    };
    written.versions.iter().map(version).collect()
}

fn rows(path: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), String> {
    let wrong = |error: csv::Error| format!("{}: {error}", path.display());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).map_err(wrong)?;
    let mut records = reader.records().map(|record| record.map(|record| record.iter().map(ToOwned::to_owned).collect()));
    let mut columns: Vec<String> = records.next().ok_or_else(|| format!("{} is empty", path.display()))?.map_err(wrong)?;
    if let Some(first) = columns.first_mut() {
        *first = first.trim_start_matches('\u{feff}').to_owned();
    }
    Ok((columns, records.collect::<Result<_, _>>().map_err(wrong)?))
}

/// A date of TOML, without a time.
pub(super) fn day(written: &Datetime) -> Result<Date, String> {
    Date::parse(&written.to_string()).map_err(|_| format!("{written} is no date: write one without a time, such as 2026-04-01"))
}
