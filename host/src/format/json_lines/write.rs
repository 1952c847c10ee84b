//! Rows into JSON lines.

use std::io::Write as _;

use crate::format::cell::{Fault, check_text, is_plain, write_date, write_fixed_point};
use crate::model::job::{DateStyle, JsonLinesFormat};
use crate::model::rows::{Batch, Column, ColumnData, ColumnShape};

/// Writes JSON lines.
pub(in crate::format) struct Writer {
    dates: DateStyle,
    /// For each column, what stands before its value: `{"a":` or `,"b":`.
    keys: Vec<Vec<u8>>,
}

impl Writer {
    pub(in crate::format) fn new(options: JsonLinesFormat, shapes: &[ColumnShape]) -> Self {
        let keys = shapes.iter().enumerate().map(|(place, shape)| {
            let mut key = vec![if place == 0 { b'{' } else { b',' }];
            write_text(&shape.name, &mut key);
            key.push(b':');
            key
        });
        Self { dates: options.dates, keys: keys.collect() }
    }

    /// Writes rows; on a fault, answers the row within the batch and the column.
    pub(in crate::format) fn write(&self, batch: &Batch, shapes: &[ColumnShape], out: &mut Vec<u8>) -> Result<(), (usize, usize, Fault)> {
        let plain: Vec<bool> = batch.columns.iter().map(|column| text_is_plain(&column.data)).collect();
        for row in 0..batch.rows {
            for (place, (column, shape)) in batch.columns.iter().zip(shapes).enumerate() {
                if let (ColumnData::Text(texts), true) = (&column.data, column.validity.has(row)) {
                    check_text(texts.value(row), plain[place], shape.length_max).map_err(|fault| (row, place, fault))?;
                }
                out.extend_from_slice(&self.keys[place]);
                self.value(column, row, out).map_err(|fault| (row, place, fault))?;
            }
            out.extend_from_slice(if batch.columns.is_empty() { b"{}\n" } else { b"}\n" });
        }
        Ok(())
    }

    fn value(&self, column: &Column, row: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        if !column.validity.has(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &column.data {
            ColumnData::Integers(values) => write_fixed_point(out, values[row], 0),
            ColumnData::Decimals { scale, coefficients } => {
                out.push(b'"');
                write_fixed_point(out, coefficients[row], *scale);
                out.push(b'"');
            }
            ColumnData::Dates(values) => {
                out.push(b'"');
                write_date(out, values[row], self.dates)?;
                out.push(b'"');
            }
            ColumnData::Booleans(bits) => out.extend_from_slice(if bits[row / 8] >> (row % 8) & 1 == 1 { b"true" } else { b"false" }),
            ColumnData::Text(texts) => write_text(texts.value(row), out),
        }
        Ok(())
    }
}

fn text_is_plain(data: &ColumnData) -> bool {
    matches!(data, ColumnData::Text(text) if is_plain(text.content.as_bytes()))
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            control if control < ' ' => {
                write!(out, "\\u{:04x}", u32::from(control)).expect("a vector takes all that is written");
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// One row of a batch as a JSON object, as a JSON lines file has it: what people are shown of a row that was refused,
/// and what they correct. A date outside the years 1 to 9999 is null.
#[must_use]
pub fn row_as_json(shapes: &[ColumnShape], batch: &Batch, row: usize) -> String {
    let writer = Writer::new(JsonLinesFormat { dates: DateStyle::Iso }, shapes);
    let mut out = Vec::new();
    for (key, column) in writer.keys.iter().zip(&batch.columns) {
        out.extend_from_slice(key);
        let start = out.len();
        if writer.value(column, row, &mut out).is_err() {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }
    out.extend_from_slice(if batch.columns.is_empty() { b"{}" } else { b"}" });
    String::from_utf8(out).expect("JSON is written as UTF-8")
}

/// Values as they were read, by the names of their columns, as a JSON object.
pub(in crate::format) fn texts_as_json<'a>(values: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = vec![b'{'];
    for (name, value) in values {
        if out.len() > 1 {
            out.push(b',');
        }
        write_text(name, &mut out);
        out.push(b':');
        write_text(value, &mut out);
    }
    out.push(b'}');
    String::from_utf8(out).expect("JSON is written as UTF-8")
}
