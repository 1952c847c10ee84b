//! Counts and sums of one input or output, kept by the hub from the rows that it saw itself.

use roaring::RoaringBitmap;
use serde_json::Value;

use crate::model::manifest::RuleSetShape;
use crate::model::outcome::Decision;
use crate::model::rows::{Amount, Batch, Column, ColumnData, ColumnKind, ColumnShape, PortShape};
use crate::model::totals::{ControlTotals, PortTotals, RowCounts};

/// Running totals of a port.
#[derive(Debug, Clone)]
pub(in crate::run) struct Tally {
    port: String,
    /// The counts so far.
    pub(super) rows: RowCounts,
    sums: Vec<(usize, String, u8, i128)>,
}

impl Tally {
    /// Nothing yet.
    pub(in crate::run) fn new(port: &PortShape) -> Self {
        let summed = |(place, column): (usize, &ColumnShape)| match column.kind {
            ColumnKind::Integer | ColumnKind::Decimal { .. } | ColumnKind::Money { .. } => {
                Some((place, column.name.clone(), column.kind.scale(), 0))
            }
            ColumnKind::Date | ColumnKind::Text | ColumnKind::Boolean => None,
        };
        Self { port: port.name.clone(), rows: RowCounts::default(), sums: port.columns.iter().enumerate().filter_map(summed).collect() }
    }

    /// Adds every row of a batch but those left out, which are given by their place in the batch.
    pub(in crate::run) fn add(&mut self, batch: &Batch, left_out: &RoaringBitmap) {
        self.rows.accepted += batch.rows as u64 - left_out.len();
        for (place, _, _, sum) in &mut self.sums {
            // Absent values stand as 0 where the hub built the batch; a guest's may hold anything.
            *sum += column_sum(&batch.columns[*place], batch.rows);
            for row in left_out {
                *sum -= value(&batch.columns[*place], row as usize);
            }
        }
    }

    /// Takes back one row that had been added: its values as a JSON object, as [`crate::format::row_as_json`] writes them.
    pub(super) fn take_back(&mut self, row: &str) {
        self.rows.accepted -= 1;
        let values: Value = serde_json::from_str(row).expect("the hub wrote this row itself");
        for (_, name, scale, sum) in &mut self.sums {
            let amount = match &values[name.as_str()] {
                Value::String(text) => text.parse().unwrap_or(Amount::ZERO),
                Value::Number(number) => number.as_i64().map_or(Amount::ZERO, |number| Amount::new(number, 0)),
                _ => Amount::ZERO,
            };
            let raised = u32::from(scale.saturating_sub(amount.scale));
            *sum -= amount.coefficient * 10_i128.pow(raised);
        }
    }

    /// The totals.
    pub(in crate::run) fn totals(&self) -> PortTotals {
        let amount = |(_, name, scale, sum): &(usize, String, u8, i128)| (name.clone(), Amount { coefficient: *sum, scale: *scale });
        PortTotals { port: self.port.clone(), rows: self.rows, sums: self.sums.iter().map(amount).collect() }
    }
}

fn column_sum(column: &Column, rows: usize) -> i128 {
    let (ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. }) = &column.data else { return 0 };
    if column.validity.bits.is_empty() {
        return values.iter().map(|value| i128::from(*value)).sum();
    }
    (0..rows).map(|row| value(column, row)).sum()
}

fn value(column: &Column, row: usize) -> i128 {
    match &column.data {
        ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } if column.validity.has(row) => {
            i128::from(values[row])
        }
        _ => 0,
    }
}

/// Counts and sums of a rule set's cases and decisions.
#[derive(Debug)]
pub(super) struct CaseTally {
    /// Counts of the cases; accepted ones have a decision.
    pub(super) rows: RowCounts,
    amounts: Vec<(String, String, Amount)>,
    figures: Vec<(String, Amount)>,
}

impl CaseTally {
    /// Nothing yet.
    pub(super) fn new(shape: &RuleSetShape) -> Self {
        Self {
            rows: RowCounts::default(),
            amounts: shape.amounts.iter().map(|(name, pointer)| (name.clone(), pointer.clone(), Amount::ZERO)).collect(),
            figures: shape.figures.iter().map(|name| (name.clone(), Amount::ZERO)).collect(),
        }
    }

    /// Adds a case and the decision about it; or answers the pointer of an amount that is none, and adds nothing.
    pub(super) fn add(&mut self, case: &Value, decision: &Decision) -> Result<(), String> {
        let read = |(_, pointer, _): &(String, String, Amount)| match case.pointer(pointer) {
            None | Some(Value::Null) => Ok(Amount::ZERO),
            Some(Value::String(text)) => text.parse::<Amount>().map_err(|_| pointer.clone()),
            Some(Value::Number(number)) => number.as_i64().map(|number| Amount::new(number, 0)).ok_or_else(|| pointer.clone()),
            Some(_) => Err(pointer.clone()),
        };
        let amounts: Vec<Amount> = self.amounts.iter().map(read).collect::<Result<_, _>>()?;
        for ((_, pointer, sum), amount) in self.amounts.iter_mut().zip(amounts) {
            *sum = sum.checked_add(amount).ok_or_else(|| pointer.clone())?;
        }
        for (name, amount) in &decision.figures {
            if let Some((_, sum)) = self.figures.iter_mut().find(|(figure, _)| figure == name) {
                // 128 bits hold more 64-bit figures than a run can have.
                *sum = sum.checked_add(*amount).unwrap_or(*sum);
            }
        }
        self.rows.accepted += 1;
        Ok(())
    }

    /// The totals of the two ports, `case` and `decision`.
    pub(super) fn totals(&self) -> ControlTotals {
        let amounts = self.amounts.iter().map(|(name, _, sum)| (name.clone(), *sum)).collect();
        let written = RowCounts { accepted: self.rows.accepted, ..RowCounts::default() };
        ControlTotals {
            inputs: vec![PortTotals { port: "case".to_owned(), rows: self.rows, sums: amounts }],
            outputs: vec![PortTotals { port: "decision".to_owned(), rows: written, sums: self.figures.clone() }],
        }
    }
}
