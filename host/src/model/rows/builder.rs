//! Builds batches row by row, for the formats.

use super::batch::{Batch, Column, ColumnData, TextColumn, Validity};
use super::shape::{ColumnKind, ColumnShape};

/// Builds a batch row by row.
#[derive(Debug)]
pub struct BatchBuilder {
    /// One for each declared column. Each must be given one value a row.
    pub columns: Vec<ColumnBuilder>,
    rows: usize,
}

impl BatchBuilder {
    /// An empty one for some declared columns.
    #[must_use]
    pub fn new(shapes: &[ColumnShape]) -> Self {
        Self { columns: shapes.iter().map(|shape| ColumnBuilder::new(shape.kind)).collect(), rows: 0 }
    }

    /// Rows so far.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Says that every column has been given its value of this row.
    pub fn end_row(&mut self) {
        self.rows += 1;
        debug_assert!(self.columns.iter().all(|column| column.rows == self.rows), "every column has one value a row");
    }

    /// Takes back the values of a row that was begun and not ended.
    pub fn abandon_row(&mut self) {
        for column in &mut self.columns {
            column.truncate(self.rows);
        }
    }

    /// The rows so far as a batch, leaving the builder empty.
    pub fn take(&mut self, first_row: u64) -> Batch {
        let rows = std::mem::take(&mut self.rows);
        Batch { first_row, rows, columns: self.columns.iter_mut().map(ColumnBuilder::take).collect() }
    }
}

/// Builds one column.
#[derive(Debug)]
pub struct ColumnBuilder {
    rows: usize,
    /// One bit a row as in [`Validity`], up to the last row that has no value; empty while every row has one.
    present: Vec<u8>,
    data: Building,
}

/// A column's values so far. Text is bytes until it is taken: then all of it is looked at once.
#[derive(Debug)]
enum Building {
    Integers(Vec<i64>),
    Decimals(u8, Vec<i64>),
    Dates(Vec<i32>),
    Text { offsets: Vec<u32>, content: Vec<u8> },
    Booleans(Vec<u8>),
}

impl ColumnBuilder {
    fn new(kind: ColumnKind) -> Self {
        let data = match kind {
            ColumnKind::Integer => Building::Integers(Vec::new()),
            ColumnKind::Decimal { scale } | ColumnKind::Money { scale } => Building::Decimals(scale, Vec::new()),
            ColumnKind::Date => Building::Dates(Vec::new()),
            ColumnKind::Text => Building::Text { offsets: vec![0], content: Vec::new() },
            ColumnKind::Boolean => Building::Booleans(Vec::new()),
        };
        Self { rows: 0, present: Vec::new(), data }
    }

    /// A value is absent.
    #[inline]
    pub fn push_absent(&mut self) {
        let byte = self.rows / 8;
        if self.present.len() <= byte {
            self.present.resize(byte + 1, u8::MAX);
        }
        self.present[byte] &= !(1 << (self.rows % 8));
        match &mut self.data {
            Building::Integers(values) | Building::Decimals(_, values) => values.push(0),
            Building::Dates(values) => values.push(0),
            Building::Text { offsets, content } => push_end(offsets, content),
            Building::Booleans(bits) => push_bit(bits, self.rows, false),
        }
        self.rows += 1;
    }

    /// A whole number, or a coefficient at the declared scale. The column must hold numbers.
    #[inline]
    pub fn push_number(&mut self, value: i64) {
        match &mut self.data {
            Building::Integers(values) | Building::Decimals(_, values) => values.push(value),
            _ => unreachable!("a number is pushed to a column of numbers only"),
        }
        self.rows += 1;
    }

    /// Days since 1970-01-01. The column must hold dates.
    #[inline]
    pub fn push_date(&mut self, days: i32) {
        match &mut self.data {
            Building::Dates(values) => values.push(days),
            _ => unreachable!("a date is pushed to a column of dates only"),
        }
        self.rows += 1;
    }

    /// Text. The column must hold text, and all its text together stay below 4 GiB.
    pub fn push_text(&mut self, value: &str) {
        self.push_utf8(value.as_bytes(), 0, value.len());
    }

    /// The same, of the bytes from `start` to before `end`, which the caller knows to be UTF-8.
    #[inline]
    pub(crate) fn push_utf8(&mut self, around: &[u8], start: usize, end: usize) {
        match &mut self.data {
            Building::Text { offsets, content } => {
                match around.get(start..start + SHORT_BYTES).and_then(<[u8]>::first_chunk::<SHORT_BYTES>) {
                    // A copy of known length is two instructions, and any other a call.
                    Some(short) if end - start <= SHORT_BYTES => {
                        let length = content.len() + (end - start);
                        content.extend_from_slice(short);
                        content.truncate(length);
                    }
                    _ => content.extend_from_slice(&around[start..end]),
                }
                push_end(offsets, content);
            }
            _ => unreachable!("text is pushed to a column of text only"),
        }
        self.rows += 1;
    }

    /// A truth value. The column must hold truth values.
    pub fn push_boolean(&mut self, value: bool) {
        match &mut self.data {
            Building::Booleans(bits) => push_bit(bits, self.rows, value),
            _ => unreachable!("a truth value is pushed to a column of truth values only"),
        }
        self.rows += 1;
    }

    fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        self.present.truncate(rows.div_ceil(8));
        let within_last = self.present.len() * 8 > rows;
        if let (Some(last), true) = (self.present.last_mut(), within_last) {
            *last |= u8::MAX << (rows % 8);
        }
        if self.present.iter().all(|bits| *bits == u8::MAX) {
            self.present.clear();
        }
        match &mut self.data {
            Building::Integers(values) | Building::Decimals(_, values) => values.truncate(rows),
            Building::Dates(values) => values.truncate(rows),
            Building::Text { offsets, content } => {
                offsets.truncate(rows + 1);
                content.truncate(offsets.last().map_or(0, |end| *end as usize));
            }
            Building::Booleans(bits) => {
                bits.truncate(rows.div_ceil(8));
                if let (Some(last), true) = (bits.last_mut(), !rows.is_multiple_of(8)) {
                    *last &= (1 << (rows % 8)) - 1;
                }
            }
        }
    }

    /// The column, leaving this empty, with room for as much again.
    fn take(&mut self) -> Column {
        let rows = std::mem::take(&mut self.rows);
        let mut bits = std::mem::take(&mut self.present);
        if !bits.is_empty() {
            self.present.reserve(rows.div_ceil(8));
            bits.resize(rows.div_ceil(8), u8::MAX);
        }
        let data = match &mut self.data {
            Building::Integers(values) => ColumnData::Integers(taken(values)),
            Building::Decimals(scale, values) => ColumnData::Decimals { scale: *scale, coefficients: taken(values) },
            Building::Dates(values) => ColumnData::Dates(taken(values)),
            Building::Text { offsets, content } => {
                let column = TextColumn {
                    offsets: taken(offsets),
                    content: String::from_utf8(taken(content)).expect("nothing but UTF-8 was pushed"),
                };
                offsets.push(0);
                ColumnData::Text(column)
            }
            Building::Booleans(bits) => ColumnData::Booleans(taken(bits)),
        };
        Column { validity: Validity { bits }, data }
    }
}

/// Text that is copied at once.
const SHORT_BYTES: usize = 16;

/// What a list holds, leaving an empty one that has room for as much: batches of one file are much alike.
fn taken<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

#[inline]
fn push_end(offsets: &mut Vec<u32>, content: &[u8]) {
    offsets.push(u32::try_from(content.len()).expect("the text of a batch is bounded far below 4 GiB"));
}

fn push_bit(bits: &mut Vec<u8>, row: usize, value: bool) {
    if row.is_multiple_of(8) {
        bits.push(0);
    }
    bits[row / 8] |= u8::from(value) << (row % 8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(name: &str, kind: ColumnKind, required: bool) -> ColumnShape {
        ColumnShape { name: name.to_owned(), kind, required, personal: false, length_max: None, about: String::new() }
    }

    proptest! {
        #[test]
        fn abandoned_rows_leave_no_trace(rows in prop::collection::vec((any::<Option<i64>>(), any::<Option<bool>>(), any::<Option<String>>(), any::<bool>()), 0..40)) {
            let shapes = [shape("n", ColumnKind::Integer, false), shape("b", ColumnKind::Boolean, false), shape("t", ColumnKind::Text, false)];
            let mut builder = BatchBuilder::new(&shapes);
            for (number, boolean, text, keep) in &rows {
                let [numbers, booleans, texts] = &mut builder.columns[..] else { unreachable!() };
                match number { Some(n) => numbers.push_number(*n), None => numbers.push_absent() }
                match boolean { Some(b) => booleans.push_boolean(*b), None => booleans.push_absent() }
                match text { Some(t) => texts.push_text(t), None => texts.push_absent() }
                if *keep { builder.end_row() } else { builder.abandon_row() }
            }
            let batch = builder.take(0);
            prop_assert_eq!(batch.check(&shapes), Ok(()));
            let cut = batch.rows / 3..batch.rows;
            prop_assert_eq!(batch.slice(cut.start, cut.end).check(&shapes), Ok(()));
            let kept: Vec<_> = rows.iter().filter(|row| row.3).collect();
            prop_assert_eq!(batch.rows, kept.len());
            for (row, (number, boolean, text, _)) in kept.into_iter().enumerate() {
                let ColumnData::Integers(numbers) = &batch.columns[0].data else { unreachable!() };
                prop_assert_eq!(batch.columns[0].validity.has(row).then(|| numbers[row]), *number);
                let ColumnData::Booleans(bits) = &batch.columns[1].data else { unreachable!() };
                prop_assert_eq!(batch.columns[1].validity.has(row).then(|| bits[row / 8] >> (row % 8) & 1 == 1), *boolean);
                let ColumnData::Text(column) = &batch.columns[2].data else { unreachable!() };
                prop_assert_eq!(batch.columns[2].validity.has(row).then(|| column.value(row)), text.as_deref());
            }
        }
    }
}
