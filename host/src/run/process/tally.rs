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

/// Why a case was not added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotAdded {
    /// The case has no amount there that could be added; its JSON Pointer.
    Amount(String),
    /// The sum of this figure has more digits than can be held.
    Figure(String),
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

    /// Adds a case and the decision about it, or nothing of either.
    pub(super) fn add(&mut self, case: &Value, decision: &Decision) -> Result<(), NotAdded> {
        let read = |(_, pointer, _): &(String, String, Amount)| match case.pointer(pointer) {
            None | Some(Value::Null) => Ok(Amount::ZERO),
            Some(Value::String(text)) => text.parse::<Amount>().map_err(|_| NotAdded::Amount(pointer.clone())),
            Some(Value::Number(number)) => {
                number.as_i64().map(|number| Amount::new(number, 0)).ok_or_else(|| NotAdded::Amount(pointer.clone()))
            }
            Some(_) => Err(NotAdded::Amount(pointer.clone())),
        };
        let amounts: Vec<Amount> = self.amounts.iter().map(read).collect::<Result<_, _>>()?;
        let mut sums = Vec::with_capacity(amounts.len());
        for ((_, pointer, sum), amount) in self.amounts.iter().zip(amounts) {
            sums.push(sum.checked_add(amount).ok_or_else(|| NotAdded::Amount(pointer.clone()))?);
        }
        // 128 bits hold few figures of 64 bits, if one is in pounds and another has eighteen digits after the point.
        let mut figures = self.figures.clone();
        for (name, amount) in &decision.figures {
            if let Some((_, sum)) = figures.iter_mut().find(|(figure, _)| figure == name) {
                *sum = sum.checked_add(*amount).ok_or_else(|| NotAdded::Figure(name.clone()))?;
            }
        }
        self.figures = figures;
        for ((_, _, sum), new) in self.amounts.iter_mut().zip(sums) {
            *sum = new;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(coefficient: i64, scale: u8) -> Decision {
        Decision {
            outcome: "fund".to_owned(),
            reasons: Vec::new(),
            actions: Vec::new(),
            figures: vec![("share".to_owned(), Amount::new(coefficient, scale))],
            tables: Vec::new(),
        }
    }

    #[test]
    fn a_sum_that_cannot_be_held_is_no_sum() {
        let shape = RuleSetShape {
            case_schema: Value::Null,
            case_order: Vec::new(),
            reference: "/reference".to_owned(),
            amounts: vec![("loss".to_owned(), "/loss".to_owned()), ("cost".to_owned(), "/cost".to_owned())],
            personal: Vec::new(),
            outcomes: vec!["fund".to_owned()],
            figures: vec!["share".to_owned()],
        };
        let mut tally = CaseTally::new(&shape);
        let case = serde_json::json!({"loss": "1.00", "cost": "2.00"});
        assert_eq!(tally.add(&case, &decision(1, 18)), Ok(()));
        let mut added = 1;
        let refused = loop {
            match tally.add(&case, &decision(i64::MAX, 0)) {
                Ok(()) => added += 1,
                Err(refused) => break refused,
            }
            assert!(added < 1_000, "128 bits do not hold this");
        };
        assert_eq!(refused, NotAdded::Figure("share".to_owned()));
        // Nothing of what is refused is in the totals, and everything else is.
        assert_eq!(
            tally.add(&serde_json::json!({"loss": "1.00", "cost": "much"}), &decision(0, 0)),
            Err(NotAdded::Amount("/cost".to_owned()))
        );
        let totals = tally.totals();
        assert_eq!((totals.inputs[0].rows.accepted, totals.outputs[0].rows.accepted), (added, added));
        assert_eq!(totals.inputs[0].sums[0].1.to_string(), format!("{added}.00"));
        assert_eq!(totals.inputs[0].sums[1].1.to_string(), format!("{}.00", 2 * added));
        let whole = i128::from(i64::MAX) * i128::from(added - 1);
        assert_eq!(totals.outputs[0].sums[0].1.to_string(), format!("{whole}.000000000000000001"));
    }
}
