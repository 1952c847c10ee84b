//! The payroll as a CSV file: UTF-8, a line of column names, ISO dates.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use anyhow::{Context as _, Result};
use bailiwick::model::rows::date_of_days;
use serde_json::{Value, json};

use super::payroll::{self, Column, Piece, Values};

/// Writes it.
pub(crate) fn write(rows: usize, path: &str) -> Result<Value> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).with_context(|| path.to_owned())?);
    let mut text = String::new();
    for piece in payroll::pieces(rows, 1_024) {
        if piece.first_row == 0 {
            header(&piece, &mut text);
        }
        (0..piece.rows).for_each(|row| line(&piece, row, &mut text));
        file.write_all(text.as_bytes())?;
        text.clear();
    }
    let file = file.into_inner()?;
    file.sync_all()?;
    Ok(json!({ "rows": rows, "bytes": file.metadata()?.len() }))
}

fn header(piece: &Piece, text: &mut String) {
    let names: Vec<&str> = piece.columns.iter().map(|column| column.name).collect();
    *text += &names.join(",");
    text.push('\n');
}

fn line(piece: &Piece, row: usize, text: &mut String) {
    for (place, column) in piece.columns.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        cell(column, row, text);
    }
    text.push('\n');
}

fn cell(column: &Column, row: usize, text: &mut String) {
    if !column.validity.is_empty() && column.validity[row / 8] >> (row % 8) & 1 == 0 {
        return;
    }
    let written = match &column.values {
        Values::Text { offsets, content } => text.write_str(&content[offsets[row] as usize..offsets[row + 1] as usize]),
        Values::Decimals(hundredths) => write!(text, "{}.{:02}", hundredths[row] / 100, hundredths[row] % 100),
        Values::Dates(days) => write!(text, "{}", date_of_days(days[row]).expect("the payroll's days are in our time")),
    };
    written.expect("a string takes any text");
}
