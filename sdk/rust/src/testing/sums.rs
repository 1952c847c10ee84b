//! Aggregate outputs, added up by key as the hub does it.

use std::collections::BTreeMap;

use super::manifest::Port;
use crate::wire::{self, ColumnData};

/// A value of a key column, ordered as the hub orders them: absent first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Absent,
    Number(i64),
    Text(String),
    Truth(bool),
}

/// The rows of some batches added up: one for each key, in the order of keys.
pub(super) fn added_up(port: &Port, by: &[String], batches: &[wire::Batch]) -> Result<Vec<wire::Batch>, String> {
    let by = port.places(by)?;
    let summed: Vec<usize> = (0..port.columns.len()).filter(|place| !by.contains(place)).collect();
    let mut groups: BTreeMap<Vec<Key>, Vec<i128>> = BTreeMap::new();
    for batch in batches {
        for row in 0..batch.rows as usize {
            let group = by.iter().map(|place| key(&batch.columns[*place], row)).collect();
            let sums = groups.entry(group).or_insert_with(|| vec![0; summed.len()]);
            for (sum, place) in sums.iter_mut().zip(&summed) {
                if let Key::Number(number) = key(&batch.columns[*place], row) {
                    *sum += i128::from(number);
                }
            }
        }
    }
    groups.into_iter().map(|(group, sums)| row(port, (&by, &group), (&summed, &sums), batches)).collect()
}

/// One group as a batch of one row, with columns of the kinds that the batches have.
fn row(port: &Port, keys: (&[usize], &[Key]), sums: (&[usize], &[i128]), batches: &[wire::Batch]) -> Result<wire::Batch, String> {
    let kinds = &batches[0].columns;
    let mut columns = Vec::new();
    for (place, kind) in kinds.iter().enumerate() {
        let value = match (keys.0.iter().position(|other| *other == place), sums.0.iter().position(|other| *other == place)) {
            (Some(at), _) => keys.1[at].clone(),
            (None, Some(at)) => {
                let sum = i64::try_from(sums.1[at]);
                Key::Number(sum.map_err(|_| format!("output {}: the sum of {} does not fit 64 bits", port.name, port.columns[place].name))?)
            }
            (None, None) => Key::Absent,
        };
        let validity = if value == Key::Absent { vec![0] } else { Vec::new() };
        columns.push(wire::Column { validity, data: data(&value, &kind.data) });
    }
    Ok(wire::Batch { first_row: 0, rows: 1, columns })
}

fn key(column: &wire::Column, row: usize) -> Key {
    let bit = |bits: &[u8]| bits[row / 8] >> (row % 8) & 1 == 1;
    if !column.validity.is_empty() && !bit(&column.validity) {
        return Key::Absent;
    }
    match &column.data {
        ColumnData::Integers(values) => Key::Number(values[row]),
        ColumnData::Decimals(decimals) => Key::Number(decimals.coefficients[row]),
        ColumnData::Dates(days) => Key::Number(i64::from(days[row])),
        ColumnData::Text(text) => Key::Text(text.content[text.offsets[row] as usize..text.offsets[row + 1] as usize].to_owned()),
        ColumnData::Booleans(bits) => Key::Truth(bit(bits)),
    }
}

fn data(value: &Key, kind: &ColumnData) -> ColumnData {
    let number = if let Key::Number(number) = value { *number } else { 0 };
    match kind {
        ColumnData::Integers(_) => ColumnData::Integers(vec![number]),
        ColumnData::Decimals(decimals) => ColumnData::Decimals(wire::DecimalColumn { scale: decimals.scale, coefficients: vec![number] }),
        ColumnData::Dates(_) => ColumnData::Dates(vec![i32::try_from(number).expect("the key came from a column of dates")]),
        ColumnData::Text(_) => {
            let content = if let Key::Text(text) = value { text.clone() } else { String::new() };
            ColumnData::Text(wire::TextColumn { offsets: vec![0, content.len() as u32], content })
        }
        ColumnData::Booleans(_) => ColumnData::Booleans(vec![u8::from(*value == Key::Truth(true))]),
    }
}
