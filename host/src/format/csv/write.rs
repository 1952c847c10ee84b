//! Rows into CSV.

use super::heading;
use super::line::Line;
use crate::format::cell::{DATE_BYTES_MAX, Fault, NUMBER_BYTES_MAX, Windows1252, WrittenDate, check_text, is_plain, put_fixed_point};
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
    /// The last date that was written: dates are often as the one before.
    date: Option<(i32, WrittenDate)>,
}

impl Writer {
    /// Writes the header.
    pub(in crate::format) fn open(options: &CsvFormat, port: &PortShape, out: &mut Vec<u8>) -> Result<Self, (usize, Fault)> {
        let writer = Self { encoding: options.encoding, delimiter: options.delimiter, dates: options.dates };
        let mut line = Line::new();
        for (place, column) in port.columns.iter().enumerate() {
            if place > 0 {
                line.byte(options.delimiter);
            }
            let heading = heading(options, &column.name);
            writer.text(heading, is_plain(heading.as_bytes()), &mut line).map_err(|fault| (place, fault))?;
        }
        line.byte(b'\n');
        out.extend_from_slice(line.bytes());
        Ok(writer)
    }

    /// Writes rows; on a fault, answers the row within the batch and the column.
    pub(in crate::format) fn write(&self, batch: &Batch, shapes: &[ColumnShape], out: &mut Vec<u8>) -> Result<(), (usize, usize, Fault)> {
        let mut columns: Vec<Prepared<'_>> = batch.columns.iter().zip(shapes).map(|(column, shape)| self.prepared(column, shape)).collect();
        let mut line = Line::new();
        for row in 0..batch.rows {
            line.clear();
            for (place, column) in columns.iter_mut().enumerate() {
                if place > 0 {
                    line.byte(self.delimiter);
                }
                if column.column.validity.has(row) {
                    self.value(column, row, &mut line).map_err(|fault| (row, place, fault))?;
                }
            }
            if line.bytes().is_empty() {
                // A blank line would be no record.
                line.extend(b"\"\"");
            }
            line.byte(b'\n');
            out.extend_from_slice(line.bytes());
        }
        Ok(())
    }

    fn prepared<'b>(&self, column: &'b Column, shape: &ColumnShape) -> Prepared<'b> {
        let content = match &column.data {
            ColumnData::Text(text) => text.content.as_bytes(),
            _ => &[],
        };
        let plain = is_plain(content);
        let bare = plain && memchr::memchr2(self.delimiter, b'"', content).is_none();
        Prepared { column, length_max: shape.length_max, plain, bare, date: None }
    }

    #[inline(always)]
    fn value(&self, column: &mut Prepared<'_>, row: usize, line: &mut Line) -> Result<(), Fault> {
        match &column.column.data {
            ColumnData::Integers(values) => line.put::<NUMBER_BYTES_MAX>(|room| put_fixed_point(room, values[row], 0)),
            ColumnData::Decimals { scale, coefficients } => {
                line.put::<NUMBER_BYTES_MAX>(|room| put_fixed_point(room, coefficients[row], *scale));
            }
            ColumnData::Dates(values) => {
                let days = values[row];
                let date = match column.date {
                    Some((last, date)) if last == days => date,
                    _ => WrittenDate::new(days, self.dates)?,
                };
                column.date = Some((days, date));
                line.put::<DATE_BYTES_MAX>(|room| date.put(room));
            }
            ColumnData::Booleans(bits) => line.extend(if bits[row / 8] >> (row % 8) & 1 == 1 { b"true" } else { b"false" }),
            ColumnData::Text(texts) => {
                let (start, end) = (texts.offsets[row] as usize, texts.offsets[row + 1] as usize);
                if column.bare && column.length_max.is_none_or(|max| end - start <= max as usize) {
                    line.text(texts.content.as_bytes(), start, end);
                } else {
                    let text = texts.value(row);
                    let plain = column.plain || is_plain(text.as_bytes());
                    check_text(text, plain, column.length_max)?;
                    self.text(text, plain, line)?;
                }
            }
        }
        Ok(())
    }

    fn text(&self, text: &str, plain: bool, line: &mut Line) -> Result<(), Fault> {
        let encoded = match self.encoding {
            Encoding::Windows1252 if !plain => Windows1252::encode(text)?,
            _ => text.as_bytes().into(),
        };
        let needs_marks = |byte: &u8| *byte == self.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
        if !encoded.iter().any(needs_marks) {
            line.extend(&encoded);
            return Ok(());
        }
        line.byte(b'"');
        for part in encoded.split_inclusive(|byte| *byte == b'"') {
            line.extend(part);
            if part.ends_with(b"\"") {
                line.byte(b'"');
            }
        }
        line.byte(b'"');
        Ok(())
    }
}
