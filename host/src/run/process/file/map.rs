//! Columns of a port and columns of a format: matched by name, in the order of the one or the other.
//!
//! That they agree on types, and on what is required, was checked when the job was.

use crate::model::outcome::Reason;
use crate::model::rows::{Batch, Column, ColumnData, ColumnKind, ColumnShape, TextColumn, Validity};

/// For each wanted column, the place of the given one that has its name.
#[derive(Debug)]
pub(super) struct ColumnMap {
    wanted: Vec<(ColumnKind, Option<usize>)>,
}

impl ColumnMap {
    pub(super) fn new(wanted: &[ColumnShape], given: &[ColumnShape]) -> Self {
        let place = |column: &ColumnShape| given.iter().position(|other| other.name == column.name);
        Self { wanted: wanted.iter().map(|column| (column.kind, place(column))).collect() }
    }

    /// The batch in wanted columns. One that is not given has no value in any row.
    pub(super) fn batch(&self, given: &Batch, first_row: u64) -> Batch {
        let column = |(kind, place): &(ColumnKind, Option<usize>)| match place {
            Some(place) => given.columns[*place].clone(),
            None => absent(*kind, given.rows),
        };
        Batch { first_row, rows: given.rows, columns: self.wanted.iter().map(column).collect() }
    }
}

fn absent(kind: ColumnKind, rows: usize) -> Column {
    let data = match kind {
        ColumnKind::Integer => ColumnData::Integers(vec![0; rows]),
        ColumnKind::Decimal { scale } | ColumnKind::Money { scale } => ColumnData::Decimals { scale, coefficients: vec![0; rows] },
        ColumnKind::Date => ColumnData::Dates(vec![0; rows]),
        ColumnKind::Text => ColumnData::Text(TextColumn { offsets: vec![0; rows + 1], content: String::new() }),
        ColumnKind::Boolean => ColumnData::Booleans(vec![0; rows.div_ceil(8)]),
    };
    Column { validity: Validity { bits: vec![0; rows.div_ceil(8)] }, data }
}

/// The rows of a batch that lack a required value or hold a text that is too long, each with the column and what is wrong.
pub(super) fn unfit_rows(batch: &Batch, shapes: &[ColumnShape]) -> Vec<(usize, Vec<Reason>)> {
    let mut unfit = Vec::new();
    let checked: Vec<_> = shapes.iter().zip(&batch.columns).filter(|(shape, _)| shape.required || shape.length_max.is_some()).collect();
    for row in 0..batch.rows {
        let mut faults = Vec::new();
        for (shape, column) in &checked {
            if !column.validity.has(row) {
                if shape.required {
                    faults.push(fault(shape, "value-missing", "The value is missing, and it is required.".to_owned()));
                }
            } else if let (ColumnData::Text(text), Some(most)) = (&column.data, shape.length_max) {
                let value = text.value(row);
                if value.len() > most as usize && value.chars().count() > most as usize {
                    faults.push(fault(shape, "text-too-long", format!("The text has more than {most} characters.")));
                }
            }
        }
        if !faults.is_empty() {
            unfit.push((row, faults));
        }
    }
    unfit
}

fn fault(shape: &ColumnShape, code: &str, message: String) -> Reason {
    Reason { column: Some(shape.name.clone()), code: code.to_owned(), message }
}
