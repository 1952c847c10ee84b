//! Rows as typed columns: the one form in which they pass between formats, the conductor and the sandbox.

use super::shape::{ColumnKind, ColumnShape};

/// Days since 1970-01-01 of a civil date.
#[must_use]
pub fn days_of_date(date: jiff::civil::Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    (date - epoch).get_days()
}

/// The civil date of some days since 1970-01-01; none outside the years -9999 to 9999.
#[must_use]
pub fn date_of_days(days: i32) -> Option<jiff::civil::Date> {
    let span = jiff::Span::new().try_days(days).ok()?;
    jiff::civil::date(1970, 1, 1).checked_add(span).ok()
}

/// Which rows have a value: one bit a row, least significant bit first; empty when every row has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validity {
    /// The bits.
    pub bits: Vec<u8>,
}

impl Validity {
    /// Whether a row has a value.
    #[must_use]
    pub fn has(&self, row: usize) -> bool {
        self.bits.is_empty() || self.bits[row / 8] >> (row % 8) & 1 == 1
    }
}

/// Text values laid end to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextColumn {
    /// One more than there are rows; the first is 0.
    pub offsets: Vec<u32>,
    /// All characters.
    pub content: String,
}

impl TextColumn {
    /// The value of a row.
    #[must_use]
    pub fn value(&self, row: usize) -> &str {
        &self.content[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

/// The values of a column; an absent one takes its place with 0, false or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnData {
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Decimals and money, in units of ten to the power of minus the scale.
    Decimals {
        /// Digits after the point.
        scale: u8,
        /// The values.
        coefficients: Vec<i64>,
    },
    /// Days since 1970-01-01.
    Dates(Vec<i32>),
    /// Text.
    Text(TextColumn),
    /// One bit a row, least significant bit first.
    Booleans(Vec<u8>),
}

/// One column of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Which rows have a value.
    pub validity: Validity,
    /// The values.
    pub data: ColumnData,
}

/// Some consecutive rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Number of the first row, counted from 0 over all rows of the input that could be read.
    pub first_row: u64,
    /// How many rows.
    pub rows: usize,
    /// The columns, in declared order.
    pub columns: Vec<Column>,
}

/// How a batch that a plugin made contradicts itself or its manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// Another number of columns than declared.
    #[error("{found} columns where the manifest declares {declared}")]
    ColumnCount {
        /// In the batch.
        found: usize,
        /// In the manifest.
        declared: usize,
    },
    /// Values of another type or scale than declared.
    #[error("column {column} does not hold {declared} as the manifest declares")]
    Kind {
        /// The column's name.
        column: String,
        /// Its declared type.
        declared: ColumnKind,
    },
    /// Another number of values, or of validity bits, than rows.
    #[error("column {column} does not have one value for each of {rows} rows")]
    Length {
        /// The column's name.
        column: String,
        /// Rows of the batch.
        rows: usize,
    },
    /// Offsets that fall, leave the text or cut a character.
    #[error("column {column} has text offsets that do not lie in its text")]
    Offsets {
        /// The column's name.
        column: String,
    },
    /// A required value is absent.
    #[error("column {column} lacks a value in row {row} of the batch, and the manifest requires one")]
    Absent {
        /// The column's name.
        column: String,
        /// Row within the batch, from 0.
        row: usize,
    },
}

impl Batch {
    /// Checks a batch from a plugin against what its manifest declares.
    ///
    /// # Errors
    /// [`Unsound`] with the first contradiction. After success, every accessor is within bounds for every row.
    pub fn check(&self, shapes: &[ColumnShape]) -> Result<(), Unsound> {
        if self.columns.len() != shapes.len() {
            return Err(Unsound::ColumnCount { found: self.columns.len(), declared: shapes.len() });
        }
        self.columns.iter().zip(shapes).try_for_each(|(column, shape)| column.check(self.rows, shape))
    }

    /// The rows from `start` up to but without `end`, as a batch of their own.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Self {
        let columns = self.columns.iter().map(|column| column.slice(start, end)).collect();
        Self { first_row: self.first_row + start as u64, rows: end - start, columns }
    }

    /// Bytes that the batch holds, for accounting.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }
}

impl Column {
    fn slice(&self, start: usize, end: usize) -> Self {
        let bits = |of: &[u8]| {
            let mut cut = vec![0; (end - start).div_ceil(8)];
            for row in start..end {
                cut[(row - start) / 8] |= (of[row / 8] >> (row % 8) & 1) << ((row - start) % 8);
            }
            cut
        };
        let validity = Validity { bits: if self.validity.bits.is_empty() { Vec::new() } else { bits(&self.validity.bits) } };
        let data = match &self.data {
            ColumnData::Integers(values) => ColumnData::Integers(values[start..end].to_vec()),
            ColumnData::Decimals { scale, coefficients } => {
                ColumnData::Decimals { scale: *scale, coefficients: coefficients[start..end].to_vec() }
            }
            ColumnData::Dates(values) => ColumnData::Dates(values[start..end].to_vec()),
            ColumnData::Text(text) => ColumnData::Text(text.slice(start, end)),
            ColumnData::Booleans(of) => ColumnData::Booleans(bits(of)),
        };
        Self { validity, data }
    }

    fn bytes(&self) -> usize {
        self.validity.bits.len()
            + match &self.data {
                ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } => values.len() * 8,
                ColumnData::Dates(values) => values.len() * 4,
                ColumnData::Text(text) => text.offsets.len() * 4 + text.content.len(),
                ColumnData::Booleans(bits) => bits.len(),
            }
    }

    fn check(&self, rows: usize, shape: &ColumnShape) -> Result<(), Unsound> {
        let name = || shape.name.clone();
        let length = || Unsound::Length { column: name(), rows };
        let bitmap = rows.div_ceil(8);
        if !self.validity.bits.is_empty() && self.validity.bits.len() != bitmap {
            return Err(length());
        }
        let values = match (&self.data, shape.kind) {
            (ColumnData::Integers(values), ColumnKind::Integer) => values.len(),
            (
                ColumnData::Decimals { scale, coefficients },
                ColumnKind::Decimal { scale: declared } | ColumnKind::Money { scale: declared },
            ) if *scale == declared => coefficients.len(),
            (ColumnData::Dates(values), ColumnKind::Date) => values.len(),
            (ColumnData::Text(text), ColumnKind::Text) => {
                text.check().then_some(()).ok_or_else(|| Unsound::Offsets { column: name() })?;
                text.offsets.len() - 1
            }
            (ColumnData::Booleans(bits), ColumnKind::Boolean) if bits.len() == bitmap => rows,
            (ColumnData::Booleans(_), ColumnKind::Boolean) => return Err(length()),
            _ => return Err(Unsound::Kind { column: name(), declared: shape.kind }),
        };
        if values != rows {
            return Err(length());
        }
        if shape.required
            && !self.validity.bits.is_empty()
            && let Some(row) = (0..rows).find(|row| !self.validity.has(*row))
        {
            return Err(Unsound::Absent { column: name(), row });
        }
        Ok(())
    }
}

impl TextColumn {
    fn slice(&self, start: usize, end: usize) -> Self {
        let (from, to) = (self.offsets[start], self.offsets[end]);
        let offsets = self.offsets[start..=end].iter().map(|offset| offset - from).collect();
        Self { offsets, content: self.content[from as usize..to as usize].to_owned() }
    }

    fn check(&self) -> bool {
        self.offsets.first() == Some(&0)
            && self.offsets.last().is_some_and(|last| *last as usize == self.content.len())
            && self.offsets.is_sorted()
            && self.offsets.iter().all(|offset| self.content.is_char_boundary(*offset as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rows::BatchBuilder;

    fn shape(name: &str, kind: ColumnKind, required: bool) -> ColumnShape {
        ColumnShape { name: name.to_owned(), kind, required, personal: false, length_max: None, about: String::new() }
    }

    #[test]
    fn contradictions_are_named() {
        let shapes = [shape("pay", ColumnKind::Money { scale: 2 }, true), shape("name", ColumnKind::Text, false)];
        let mut builder = BatchBuilder::new(&shapes);
        builder.columns[0].push_number(100);
        builder.columns[1].push_text("é");
        builder.end_row();
        let sound = builder.take(0);
        assert_eq!(sound.check(&shapes), Ok(()));

        let mut cut = sound.clone();
        cut.columns[1].data = ColumnData::Text(TextColumn { offsets: vec![0, 1], content: "é".to_owned() });
        assert!(matches!(cut.check(&shapes), Err(Unsound::Offsets { .. })));
        cut.columns[1].data = ColumnData::Text(TextColumn { offsets: vec![], content: String::new() });
        assert!(matches!(cut.check(&shapes), Err(Unsound::Offsets { .. })));

        let mut absent = sound.clone();
        absent.columns[0].validity.bits = vec![0];
        assert!(matches!(absent.check(&shapes), Err(Unsound::Absent { row: 0, .. })));

        let mut other_scale = sound.clone();
        other_scale.columns[0].data = ColumnData::Decimals { scale: 3, coefficients: vec![1] };
        assert!(matches!(other_scale.check(&shapes), Err(Unsound::Kind { .. })));

        let mut short = sound;
        short.rows = 2;
        assert!(matches!(short.check(&shapes), Err(Unsound::Length { .. })));
        short.columns.pop();
        assert!(matches!(short.check(&shapes), Err(Unsound::ColumnCount { .. })));
    }

    #[test]
    fn dates_are_days() {
        assert_eq!(days_of_date(jiff::civil::date(1970, 1, 2)), 1);
        assert_eq!(date_of_days(-1), Some(jiff::civil::date(1969, 12, 31)));
        assert_eq!(date_of_days(i32::MAX), None);
    }
}
