//! Rows into lines of fixed width.

use super::layout::{Field, Layout};
use crate::format::Direction;
use crate::format::cell::{Fault, Windows1252, check_text, is_plain, write_date, write_fixed_point};
use crate::format::error::FormatError;
use crate::model::job::{Align, DateStyle, Encoding, FixedWidthFormat, LineEnd};
use crate::model::rows::{Batch, ColumnData, ColumnKind, ColumnShape, PortShape};

/// Writes fixed width.
pub(in crate::format) struct Writer {
    encoding: Encoding,
    dates: DateStyle,
    line_end: &'static [u8],
    width: usize,
    /// Column, field and coded fill, in the order of the line.
    fields: Vec<(usize, Field, Vec<u8>)>,
}

impl Writer {
    pub(in crate::format) fn new(options: &FixedWidthFormat, port: &PortShape) -> Result<Self, FormatError> {
        let layout = Layout::new(options, port, Direction::Encode)?;
        let coded = |fill: char| match options.encoding {
            Encoding::Windows1252 => Windows1252::encode(&fill.to_string()).map(|bytes| bytes.to_vec()).unwrap_or_default(),
            Encoding::Utf8 => fill.to_string().into_bytes(),
        };
        let places = layout.fields.iter().enumerate();
        let mut fields: Vec<_> = places.filter_map(|(place, field)| field.map(|field| (place, field, coded(field.fill)))).collect();
        fields.sort_by_key(|(_, field, _)| field.start);
        let line_end: &[u8] = match options.line_end {
            LineEnd::Lf => b"\n",
            LineEnd::CrLf => b"\r\n",
        };
        Ok(Self { encoding: options.encoding, dates: options.dates, line_end, width: layout.width, fields })
    }

    /// Writes rows; on a fault, answers the row within the batch and the column.
    pub(in crate::format) fn write(&self, batch: &Batch, shapes: &[ColumnShape], out: &mut Vec<u8>) -> Result<(), (usize, usize, Fault)> {
        let plain: Vec<bool> = batch.columns.iter().map(|column| text_is_plain(&column.data)).collect();
        let mut value = Vec::new();
        for row in 0..batch.rows {
            let mut at = 0;
            for (place, field, fill) in &self.fields {
                out.resize(out.len() + field.start - at, b' ');
                at = field.start + field.width;
                let column = &batch.columns[*place];
                if !column.validity.has(row) {
                    out.resize(out.len() + field.width, b' ');
                    continue;
                }
                value.clear();
                let text = Text { length_max: shapes[*place].length_max, plain: plain[*place] };
                let put = self.value(&column.data, row, (*field, text), &mut value);
                let put = put.and_then(|length| reads_back(*field, fill, &value, shapes[*place].kind).map(|()| length));
                put.and_then(|length| fill_up(*field, fill, (&value, length), out)).map_err(|fault| (row, *place, fault))?;
            }
            out.resize(out.len() + self.width - at, b' ');
            out.extend_from_slice(self.line_end);
        }
        Ok(())
    }

    /// The coded value, and how many characters it has.
    fn value(&self, data: &ColumnData, row: usize, (field, known): (Field, Text), out: &mut Vec<u8>) -> Result<usize, Fault> {
        match data {
            ColumnData::Integers(values) => write_fixed_point(out, values[row], 0),
            ColumnData::Decimals { scale, coefficients } => {
                write_fixed_point(out, coefficients[row], if field.point_implied { 0 } else { *scale });
            }
            ColumnData::Dates(values) => write_date(out, values[row], self.dates)?,
            ColumnData::Booleans(bits) => {
                let words: [&[u8]; 2] = if field.width >= 5 { [b"false", b"true"] } else { [b"N", b"Y"] };
                out.extend_from_slice(words[usize::from(bits[row / 8] >> (row % 8) & 1)]);
            }
            ColumnData::Text(texts) => return self.text(texts.value(row), known, out),
        }
        Ok(out.len())
    }

    fn text(&self, text: &str, known: Text, out: &mut Vec<u8>) -> Result<usize, Fault> {
        check_text(text, known.plain, known.length_max)?;
        if known.plain {
            out.extend_from_slice(text.as_bytes());
            return Ok(text.len());
        }
        if text.contains(['\n', '\r']) {
            return Err(Fault::LineEnd);
        }
        match self.encoding {
            Encoding::Utf8 => out.extend_from_slice(text.as_bytes()),
            Encoding::Windows1252 => out.extend_from_slice(&Windows1252::encode(text)?),
        }
        Ok(text.chars().count())
    }
}

/// What is known of a text beforehand.
#[derive(Clone, Copy)]
struct Text {
    length_max: Option<u32>,
    plain: bool,
}

fn text_is_plain(data: &ColumnData) -> bool {
    matches!(data, ColumnData::Text(text) if is_plain(text.content.as_bytes()))
}

/// A value whose end looks like what its field is filled up with cannot be told from a shorter one. Noughts before a text
/// of digits, as account numbers have them, are the one filling that means nothing to whoever reads it.
fn reads_back(field: Field, fill: &[u8], value: &[u8], kind: ColumnKind) -> Result<(), Fault> {
    let lost = match field.align {
        Align::Left => value.ends_with(fill),
        Align::Right => field.fill != '0' && value.starts_with(fill),
    };
    if lost && field.is_stripped(kind) { Err(Fault::LikeFilling(field.fill)) } else { Ok(()) }
}

fn fill_up(field: Field, fill: &[u8], (value, length): (&[u8], usize), out: &mut Vec<u8>) -> Result<(), Fault> {
    let Some(missing) = field.width.checked_sub(length) else {
        return Err(Fault::TooWide { length, width: field.width });
    };
    let filling = |out: &mut Vec<u8>| (0..missing).for_each(|_| out.extend_from_slice(fill));
    match (field.align, value) {
        (Align::Left, _) => {
            out.extend_from_slice(value);
            filling(out);
        }
        // The minus sign stands before the noughts.
        (Align::Right, [b'-', digits @ ..]) if field.fill == '0' => {
            out.push(b'-');
            filling(out);
            out.extend_from_slice(digits);
        }
        (Align::Right, _) => {
            filling(out);
            out.extend_from_slice(value);
        }
    }
    Ok(())
}
