//! CSV into batches and back, as the hub does it for cases: comma, LF, ISO dates, quotation marks only where needed.

use std::collections::HashMap;
use std::path::Path;

use super::manifest::{Column, Port, Type};
use crate::values::{Date, decimal_text};
use crate::wire::{self, ColumnData};

/// Rows of a batch, as in the hub.
const BATCH_ROWS: usize = 1_024;

/// A row as it was read: the text of each declared column, trimmed.
pub(super) type Record = Vec<String>;

/// Reads a file whose header names the declared columns, in any order.
///
/// The hub refuses a row that cannot be read before a plugin sees it, so a case that holds one tests nothing of the plugin:
/// here it is an error.
pub(super) fn read(path: &Path, port: &Port) -> Result<Vec<Record>, String> {
    let wrong = |error: csv::Error| format!("{}: {error}", path.display());
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(wrong)?;
    let header: HashMap<String, usize> = {
        let names = reader.headers().map_err(wrong)?.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned());
        names.zip(0..).collect()
    };
    let unknown = header.keys().find(|name| !port.columns.iter().any(|column| column.name == **name));
    if let Some(unknown) = unknown {
        return Err(format!("{}: plugin.toml declares no column {unknown} of {}", path.display(), port.name));
    }
    let place =
        |column: &Column| header.get(&column.name).copied().ok_or_else(|| format!("{}: the header lacks {}", path.display(), column.name));
    let places = port.columns.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        records.push(places.iter().map(|place| record[*place].to_owned()).collect());
    }
    Ok(records)
}

/// Rows as batches of as many rows as the hub's.
pub(super) fn batches(port: &Port, records: &[Record]) -> Result<Vec<wire::Batch>, String> {
    let batch = |(first_row, some): (u64, &[Record])| {
        let column = |(place, column): (usize, &Column)| {
            let values: Vec<&str> = some.iter().map(|record| record[place].as_str()).collect();
            let wrong =
                |(row, why): (usize, String)| format!("row {} of {}, column {}: {why}", first_row + row as u64, port.name, column.name);
            parse(column, &values).map_err(wrong)
        };
        let columns = port.columns.iter().enumerate().map(column).collect::<Result<Vec<_>, _>>()?;
        Ok(wire::Batch { first_row, rows: some.len() as u32, columns })
    };
    (0..).step_by(BATCH_ROWS).zip(records.chunks(BATCH_ROWS)).map(batch).collect()
}

fn parse(column: &Column, values: &[&str]) -> Result<wire::Column, (usize, String)> {
    let mut validity = vec![0_u8; values.len().div_ceil(8)];
    for (row, value) in values.iter().enumerate() {
        if !value.is_empty() {
            validity[row / 8] |= 1 << (row % 8);
        } else if column.required {
            return Err((row, "the hub refuses a row without this value, so no plugin sees it".to_owned()));
        }
        if column.length_max.is_some_and(|most| value.chars().count() > most) {
            return Err((row, "the hub refuses a text longer than length-max, so no plugin sees it".to_owned()));
        }
    }
    let data = match column.r#type {
        Type::Integer => ColumnData::Integers(each(values, |value| fixed_point(value, 0))?),
        Type::Decimal | Type::Money => {
            let scale = column.scale();
            ColumnData::Decimals(wire::DecimalColumn { scale, coefficients: each(values, |value| fixed_point(value, scale))? })
        }
        Type::Date => ColumnData::Dates(each(values, |value| Date::parse(value).ok().map(Date::days))?),
        Type::Text => {
            let mut text = wire::TextColumn { offsets: vec![0], content: String::new() };
            for value in values {
                text.content.push_str(value);
                text.offsets.push(text.content.len() as u32);
            }
            ColumnData::Text(text)
        }
        Type::Boolean => {
            let mut bits = vec![0_u8; values.len().div_ceil(8)];
            let truths = each(values, |value| value.parse::<bool>().ok())?;
            truths.iter().enumerate().for_each(|(row, truth)| bits[row / 8] |= u8::from(*truth) << (row % 8));
            ColumnData::Booleans(bits)
        }
    };
    Ok(wire::Column { validity: if values.iter().all(|value| !value.is_empty()) { Vec::new() } else { validity }, data })
}

fn each<T: Default>(values: &[&str], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, (usize, String)> {
    let value = |(row, value): (usize, &&str)| match *value {
        "" => Ok(T::default()),
        value => parse(value).ok_or_else(|| (row, format!("{value:?} is not what plugin.toml declares, so no plugin sees it"))),
    };
    values.iter().enumerate().map(value).collect()
}

fn fixed_point(text: &str, scale: u8) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fine = fraction.trim_end_matches('0');
    if whole.is_empty() || fine.len() > usize::from(scale) || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude: i64 = format!("{whole}{fine:0<width$}", width = usize::from(scale)).parse().ok()?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// The header of an output's file.
pub(super) fn header(port: &Port) -> String {
    let names: Vec<&str> = port.columns.iter().map(|column| column.name.as_str()).collect();
    names.join(",") + "\n"
}

/// Appends the rows of a batch. It has been made by the SDK, so its columns hold a value for each row.
pub(super) fn write(port: &Port, batch: &wire::Batch, to: &mut String) -> Result<(), String> {
    for row in 0..batch.rows as usize {
        let start = to.len();
        for (place, (column, declared)) in batch.columns.iter().zip(&port.columns).enumerate() {
            if place > 0 {
                to.push(',');
            }
            match value(column, row) {
                Some(value) if declared.length_max.is_some_and(|most| value.chars().count() > most) => {
                    return Err(format!("output {}, column {}: {value:?} is longer than length-max", port.name, declared.name));
                }
                Some(value) => quoted(&value, to),
                None if declared.required => {
                    return Err(format!("output {} has a row without {}, which plugin.toml requires", port.name, declared.name));
                }
                None => {}
            }
        }
        if to.len() == start {
            to.push_str("\"\"");
        }
        to.push('\n');
    }
    Ok(())
}

/// A value as text; none if it is absent.
fn value(column: &wire::Column, row: usize) -> Option<String> {
    let bit = |bits: &[u8]| bits[row / 8] >> (row % 8) & 1 == 1;
    if !column.validity.is_empty() && !bit(&column.validity) {
        return None;
    }
    Some(match &column.data {
        ColumnData::Integers(values) => values[row].to_string(),
        ColumnData::Decimals(decimals) => decimal_text(decimals.coefficients[row], decimals.scale).as_str().to_owned(),
        ColumnData::Dates(days) => Date::from_days(days[row]).map_or_else(|| days[row].to_string(), |date| date.to_string()),
        ColumnData::Text(text) => text.content[text.offsets[row] as usize..text.offsets[row + 1] as usize].to_owned(),
        ColumnData::Booleans(bits) => bit(bits).to_string(),
    })
}

fn quoted(value: &str, to: &mut String) {
    if value.contains([',', '"', '\n', '\r']) {
        to.push('"');
        to.push_str(&value.replace('"', "\"\""));
        to.push('"');
    } else {
        to.push_str(value);
    }
}
