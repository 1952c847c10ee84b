//! Tests of the formats through their public surface.
#![allow(clippy::unwrap_used)]

mod bad_files;
mod bad_rows;
mod cases;
mod long_input;
mod round_trip;

use std::io::Read;

use super::{Decoded, Decoder, FileReject, FormatError, RowReject};
use crate::model::job::{Align, CsvFormat, DateStyle, Encoding, FixedField, FixedWidthFormat, Format, JsonLinesFormat, LineEnd};
use crate::model::rows::{Batch, ColumnKind, ColumnShape, PortShape};

pub(super) fn shape(name: &str, kind: ColumnKind, required: bool) -> ColumnShape {
    ColumnShape { name: name.to_owned(), kind, required, personal: false, length_max: None, about: String::new() }
}

pub(super) fn port(columns: Vec<ColumnShape>) -> PortShape {
    PortShape { name: "payroll".to_owned(), about: String::new(), optional: false, columns, unique: Vec::new(), aggregate_by: None }
}

/// Three columns that most cases need: a required text, money, a date.
pub(super) fn payroll() -> PortShape {
    let mut name = shape("surname", ColumnKind::Text, true);
    name.length_max = Some(10);
    port(vec![name, shape("pay", ColumnKind::Money { scale: 2 }, false), shape("joined", ColumnKind::Date, false)])
}

pub(super) fn csv() -> CsvFormat {
    CsvFormat { encoding: Encoding::Utf8, delimiter: b',', dates: DateStyle::Iso, headings: Vec::new(), other_columns_ignored: false }
}

pub(super) fn json() -> Format {
    Format::JsonLines(JsonLinesFormat { dates: DateStyle::Iso })
}

/// Fields one after the other.
pub(super) fn fixed(fields: &[(&str, usize, Align, char)]) -> FixedWidthFormat {
    let mut start = 1;
    let fields = fields.iter().map(|(column, width, align, fill)| {
        let field = FixedField { column: (*column).to_owned(), start, width: *width, align: *align, fill: *fill, point_implied: false };
        start += width;
        field
    });
    FixedWidthFormat { encoding: Encoding::Utf8, dates: DateStyle::Iso, fields: fields.collect(), line_end: LineEnd::Lf }
}

/// A whole file read.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub(super) batches: Vec<Decoded>,
    pub(super) rows: u64,
    pub(super) rejects: Vec<RowReject>,
}

impl Whole {
    pub(super) fn codes(&self) -> Vec<&str> {
        self.rejects.iter().flat_map(|reject| &reject.reasons).map(|reason| reason.code.as_str()).collect()
    }

    pub(super) fn json_rows(&self, port: &PortShape) -> Vec<String> {
        let rows = self.batches.iter().flat_map(|decoded| (0..decoded.batch.rows).map(move |row| (&decoded.batch, row)));
        rows.map(|(batch, row): (&Batch, usize)| super::row_as_json(&port.columns, batch, row)).collect()
    }
}

pub(super) fn read_all(format: &Format, port: &PortShape, source: impl Read + Send) -> Result<Whole, FormatError> {
    let mut decoder = Decoder::open(format, port, source)?;
    let mut whole = Whole::default();
    while let Some(decoded) = decoder.next_batch()? {
        assert_eq!(decoded.batch.check(&port.columns), Ok(()));
        assert_eq!(decoded.batch.first_row, whole.rows);
        assert_eq!(decoded.places.len(), decoded.batch.rows);
        whole.rows += decoded.batch.rows as u64;
        whole.rejects.extend(decoded.rejects.iter().cloned());
        whole.batches.push(decoded);
    }
    assert_eq!(decoder.rows(), whole.rows);
    Ok(whole)
}

pub(super) fn refused(format: &Format, port: &PortShape, bytes: &[u8]) -> FileReject {
    match read_all(format, port, bytes) {
        Err(FormatError::File(refused)) => refused,
        other => panic!("{other:?} from {:?}", String::from_utf8_lossy(bytes)),
    }
}

/// Hands out a few bytes at a time.
pub(super) struct Chunks<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) size: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.size.min(into.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(size);
        into[..size].copy_from_slice(now);
        self.bytes = later;
        Ok(size)
    }
}
