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
    kind: ColumnKind,
    rows: usize,
    absent: Vec<usize>,
    data: ColumnData,
}

impl ColumnBuilder {
    fn new(kind: ColumnKind) -> Self {
        Self { kind, rows: 0, absent: Vec::new(), data: empty_data(kind) }
    }

    /// A value is absent.
    pub fn push_absent(&mut self) {
        self.absent.push(self.rows);
        match &mut self.data {
            ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } => values.push(0),
            ColumnData::Dates(values) => values.push(0),
            ColumnData::Text(text) => text.offsets.push(text.offsets.last().copied().unwrap_or(0)),
            ColumnData::Booleans(bits) => push_bit(bits, self.rows, false),
        }
        self.rows += 1;
    }

    /// A whole number, or a coefficient at the declared scale. The column must hold numbers.
    pub fn push_number(&mut self, value: i64) {
        match &mut self.data {
            ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } => values.push(value),
            _ => unreachable!("a number is pushed to a column of numbers only"),
        }
        self.rows += 1;
    }

    /// Days since 1970-01-01. The column must hold dates.
    pub fn push_date(&mut self, days: i32) {
        match &mut self.data {
            ColumnData::Dates(values) => values.push(days),
            _ => unreachable!("a date is pushed to a column of dates only"),
        }
        self.rows += 1;
    }

    /// Text. The column must hold text, and all its text together stay below 4 GiB.
    pub fn push_text(&mut self, value: &str) {
        match &mut self.data {
            ColumnData::Text(text) => {
                text.content.push_str(value);
                text.offsets.push(u32::try_from(text.content.len()).expect("the text of a batch is bounded far below 4 GiB"));
            }
            _ => unreachable!("text is pushed to a column of text only"),
        }
        self.rows += 1;
    }

    /// A truth value. The column must hold truth values.
    pub fn push_boolean(&mut self, value: bool) {
        match &mut self.data {
            ColumnData::Booleans(bits) => push_bit(bits, self.rows, value),
            _ => unreachable!("a truth value is pushed to a column of truth values only"),
        }
        self.rows += 1;
    }

    fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        while self.absent.last().is_some_and(|row| *row >= rows) {
            self.absent.pop();
        }
        match &mut self.data {
            ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } => values.truncate(rows),
            ColumnData::Dates(values) => values.truncate(rows),
            ColumnData::Text(text) => {
                text.offsets.truncate(rows + 1);
                text.content.truncate(text.offsets.last().map_or(0, |end| *end as usize));
            }
            ColumnData::Booleans(bits) => {
                bits.truncate(rows.div_ceil(8));
                if let (Some(last), true) = (bits.last_mut(), !rows.is_multiple_of(8)) {
                    *last &= (1 << (rows % 8)) - 1;
                }
            }
        }
    }

    fn take(&mut self) -> Column {
        let rows = std::mem::take(&mut self.rows);
        let mut bits = Vec::new();
        if !self.absent.is_empty() {
            bits = vec![0xff; rows.div_ceil(8)];
            for row in self.absent.drain(..) {
                bits[row / 8] &= !(1 << (row % 8));
            }
        }
        Column { validity: Validity { bits }, data: std::mem::replace(&mut self.data, empty_data(self.kind)) }
    }
}

fn push_bit(bits: &mut Vec<u8>, row: usize, value: bool) {
    if row.is_multiple_of(8) {
        bits.push(0);
    }
    bits[row / 8] |= u8::from(value) << (row % 8);
}

fn empty_data(kind: ColumnKind) -> ColumnData {
    match kind {
        ColumnKind::Integer => ColumnData::Integers(Vec::new()),
        ColumnKind::Decimal { scale } | ColumnKind::Money { scale } => ColumnData::Decimals { scale, coefficients: Vec::new() },
        ColumnKind::Date => ColumnData::Dates(Vec::new()),
        ColumnKind::Text => ColumnData::Text(TextColumn { offsets: vec![0], content: String::new() }),
        ColumnKind::Boolean => ColumnData::Booleans(Vec::new()),
    }
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
