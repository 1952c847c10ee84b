//! Aggregate outputs: the plugin gives parts, the hub adds them up by key.
//!
//! Because adding up is the hub's, parts may come in any number and order, from one partition or several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ProcessError;
use crate::model::limits::AGGREGATE_GROUPS_MAX;
use crate::model::rows::{Batch, BatchBuilder, Column, ColumnBuilder, ColumnData, ColumnKind, PortShape};

/// A value of a key column, ordered as people expect: absent first.
/// Written in the result of a partition, for the hub that joins them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::run) enum Key {
    Absent,
    Number(i64),
    Date(i32),
    Text(String),
    Truth(bool),
}

/// Sums by key of one output.
#[derive(Debug)]
pub(in crate::run) struct Aggregate {
    port: PortShape,
    by: Vec<usize>,
    summed: Vec<usize>,
    groups: Groups,
}

type Groups = BTreeMap<Vec<Key>, Vec<i128>>;

impl Aggregate {
    /// For an output that is declared `aggregate-by`; none for any other.
    pub(in crate::run) fn for_port(port: &PortShape) -> Option<Self> {
        let by = port.aggregate_by.clone()?;
        let summed = (0..port.columns.len()).filter(|place| !by.contains(place)).collect();
        Some(Self { port: port.clone(), by, summed, groups: BTreeMap::new() })
    }

    /// Adds the rows of a batch, which has been checked against the output's shape.
    pub(in crate::run) fn add(&mut self, batch: &Batch) -> Result<(), ProcessError> {
        let Self { port, by, summed, groups } = self;
        for row in 0..batch.rows {
            let key: Vec<Key> = by.iter().map(|place| key(&batch.columns[*place], row)).collect();
            for (sum, place) in sums_of(groups, key, (port, summed.len()))?.iter_mut().zip(&*summed) {
                // 128 bits hold the sum of more 64-bit values than a run can have.
                *sum += i128::from(number(&batch.columns[*place], row));
            }
        }
        Ok(())
    }

    /// Adds some sums of one key, such as another part of the run has come to.
    pub(in crate::run) fn add_group(&mut self, key: Vec<Key>, numbers: &[i128]) -> Result<(), ProcessError> {
        let sums = sums_of(&mut self.groups, key, (&self.port, self.summed.len()))?;
        sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        Ok(())
    }

    /// The groups with their sums, in the order of their keys.
    pub(in crate::run) fn into_groups(self) -> impl Iterator<Item = (Vec<Key>, Vec<i128>)> {
        self.groups.into_iter()
    }

    /// The groups in the order of their keys, in batches of at most `batch_rows`.
    pub(in crate::run) fn into_batches(self, batch_rows: usize) -> Result<Vec<Batch>, ProcessError> {
        let mut builder = BatchBuilder::new(&self.port.columns);
        let mut batches = Vec::new();
        for (key, sums) in &self.groups {
            for (value, place) in key.iter().zip(&self.by) {
                push_key(&mut builder.columns[*place], value, self.port.columns[*place].kind);
            }
            for (sum, place) in sums.iter().zip(&self.summed) {
                let too_large =
                    || ProcessError::SumTooLarge { output: self.port.name.clone(), column: self.port.columns[*place].name.clone() };
                builder.columns[*place].push_number(i64::try_from(*sum).map_err(|_| too_large())?);
            }
            builder.end_row();
            if builder.rows() == batch_rows {
                batches.push(builder.take(0));
            }
        }
        if builder.rows() > 0 {
            batches.push(builder.take(0));
        }
        Ok(batches)
    }
}

/// The sums of a key, of `columns` columns; nothing yet where the key is new.
fn sums_of<'g>(groups: &'g mut Groups, key: Vec<Key>, (port, columns): (&PortShape, usize)) -> Result<&'g mut Vec<i128>, ProcessError> {
    if groups.len() >= AGGREGATE_GROUPS_MAX && !groups.contains_key(&key) {
        return Err(ProcessError::TooManyGroups { output: port.name.clone(), groups_max: AGGREGATE_GROUPS_MAX });
    }
    Ok(groups.entry(key).or_insert_with(|| vec![0; columns]))
}

fn key(column: &Column, row: usize) -> Key {
    if !column.validity.has(row) {
        return Key::Absent;
    }
    match &column.data {
        ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } => Key::Number(values[row]),
        ColumnData::Dates(values) => Key::Date(values[row]),
        ColumnData::Text(text) => Key::Text(text.value(row).to_owned()),
        ColumnData::Booleans(bits) => Key::Truth(bits[row / 8] >> (row % 8) & 1 == 1),
    }
}

fn number(column: &Column, row: usize) -> i64 {
    match &column.data {
        ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } if column.validity.has(row) => values[row],
        _ => 0,
    }
}

fn push_key(column: &mut ColumnBuilder, value: &Key, kind: ColumnKind) {
    match value {
        Key::Absent => column.push_absent(),
        Key::Number(number) => column.push_number(*number),
        Key::Date(days) => column.push_date(*days),
        Key::Text(text) => column.push_text(text),
        Key::Truth(truth) => column.push_boolean(*truth),
    }
    debug_assert!(!matches!((value, kind), (Key::Text(_), ColumnKind::Date)), "a key has its column's type");
}
