//! Rows into CSV.

use super::heading;
use crate::format::cell::{Fault, Windows1252, check_text, is_plain, write_date, write_fixed_point};
use crate::model::job::{CsvFormat, DateStyle, Encoding};
use crate::model::rows::{Batch, Column, ColumnData, ColumnShape, PortShape};

/// Writes CSV.
pub(in crate::format) struct Writer {
    encoding: Encoding,
    delimiter: u8,
    dates: DateStyle,
}

/// A column of a batch with what is known of all its text at once.
struct Prepared<'b> {
    column: &'b Column,
    length_max: Option<u32>,
    /// Whether all text of the column is printable ASCII.
    plain: bool,
    /// Whether no text of the column needs quotation marks.
    bare: bool,
}

impl Writer {
    /// Writes the header.
    pub(in crate::format) fn open(options: &CsvFormat, port: &PortShape, out: &mut Vec<u8>) -> Result<Self, (usize, Fault)> {
        let writer = Self { encoding: options.encoding, delimiter: options.delimiter, dates: options.dates };
        for (place, column) in port.columns.iter().enumerate() {
            if place > 0 {
                out.push(options.delimiter);
            }
            let heading = heading(options, &column.name);
            writer.text(heading, is_plain(heading.as_bytes()), false, out).map_err(|fault| (place, fault))?;
        }
        out.push(b'\n');
        Ok(writer)
    }

    /// Writes rows; on a fault, answers the row within the batch and the column.
    pub(in crate::format) fn write(&self, batch: &Batch, shapes: &[ColumnShape], out: &mut Vec<u8>) -> Result<(), (usize, usize, Fault)> {
        let columns: Vec<Prepared<'_>> = batch.columns.iter().zip(shapes).map(|(column, shape)| self.prepared(column, shape)).collect();
        for row in 0..batch.rows {
            let start = out.len();
            for (place, column) in columns.iter().enumerate() {
                if place > 0 {
                    out.push(self.delimiter);
                }
                if column.column.validity.has(row) {
                    self.value(column, row, out).map_err(|fault| (row, place, fault))?;
                }
            }
            if out.len() == start {
                // A blank line would be no record.
                out.extend_from_slice(b"\"\"");
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn prepared<'b>(&self, column: &'b Column, shape: &ColumnShape) -> Prepared<'b> {
        let content = match &column.data {
            ColumnData::Text(text) => text.content.as_bytes(),
            _ => &[],
        };
        let plain = is_plain(content);
        Prepared { column, length_max: shape.length_max, plain, bare: plain && memchr::memchr2(self.delimiter, b'"', content).is_none() }
    }

    #[inline]
    fn value(&self, column: &Prepared<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        match &column.column.data {
            ColumnData::Integers(values) => write_fixed_point(out, values[row], 0),
            ColumnData::Decimals { scale, coefficients } => write_fixed_point(out, coefficients[row], *scale),
            ColumnData::Dates(values) => write_date(out, values[row], self.dates)?,
            ColumnData::Booleans(bits) => out.extend_from_slice(if bits[row / 8] >> (row % 8) & 1 == 1 { b"true" } else { b"false" }),
            ColumnData::Text(texts) => {
                let text = texts.value(row);
                check_text(text, column.plain, column.length_max)?;
                self.text(text, column.plain, column.bare, out)?;
            }
        }
        Ok(())
    }

    fn text(&self, text: &str, plain: bool, bare: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let encoded = match self.encoding {
            Encoding::Windows1252 if !plain => Windows1252::encode(text)?,
            _ => text.as_bytes().into(),
        };
        let needs_marks = |byte: &u8| *byte == self.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
        if bare || !encoded.iter().any(needs_marks) {
            out.extend_from_slice(&encoded);
            return Ok(());
        }
        out.push(b'"');
        for part in encoded.split_inclusive(|byte| *byte == b'"') {
            out.extend_from_slice(part);
            if part.ends_with(b"\"") {
                out.push(b'"');
            }
        }
        out.push(b'"');
        Ok(())
    }
}
