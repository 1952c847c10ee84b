//! Output batches that contradict themselves or the manifest, and outputs that do not end.

use crate::bailiwick::plugin::types::{Batch, Column, ColumnData, DecimalColumn, TextColumn};
use crate::exports::bailiwick::plugin::rows::{Outcome, OutputBatch};
use crate::misdeeds::Answers;

/// What the output declares: number, money of two places, date, text, truth value.
pub fn answer(misdeed: Answers, mut batch: Batch) -> Outcome {
    let rows = batch.rows;
    let mut output = 0;
    match misdeed {
        Answers::NoColumns => batch.columns.clear(),
        Answers::WrongKind => batch.columns[0].data = ColumnData::Dates(vec![0; rows as usize]),
        Answers::WrongScale => {
            batch.columns[1].data = ColumnData::Decimals(DecimalColumn { scale: 3, coefficients: vec![0; rows as usize] })
        }
        Answers::TooFewValues => batch.columns[0].data = ColumnData::Integers(Vec::new()),
        Answers::TooManyRows => batch.rows = u32::MAX,
        Answers::OffsetsOutside => {
            batch.columns[3].data =
                ColumnData::Text(TextColumn { offsets: (0..=rows).map(|row| row * 1000).collect(), content: String::new() });
        }
        Answers::OffsetsFall => {
            let mut offsets: Vec<u32> = (0..=rows).rev().collect();
            offsets[0] = 0;
            batch.columns[3].data = ColumnData::Text(TextColumn { offsets, content: String::new() });
        }
        Answers::OffsetsCutACharacter => {
            let offsets = (0..=rows)
                .map(|row| {
                    if row == 0 {
                        0
                    } else if row == rows {
                        2
                    } else {
                        1
                    }
                })
                .collect();
            batch.columns[3].data = ColumnData::Text(TextColumn { offsets, content: "é".to_owned() });
        }
        Answers::RequiredAbsent => batch.columns[0].validity = vec![0; rows.div_ceil(8) as usize],
        Answers::ShortValidity => batch.columns[3].validity = Vec::from([0xff]),
        Answers::NoSuchDay => batch.columns[2].data = ColumnData::Dates(vec![i32::MAX; rows as usize]),
        Answers::NoSuchOutput => output = 7,
        Answers::OutputFlood => {
            let outputs = (0..1_000).map(|_| OutputBatch { output: 0, rows: copy(&batch) }).collect();
            return Outcome { outputs, findings: Vec::new() };
        }
        Answers::OneLargeOutput => {
            let content = "x".repeat(18 << 20);
            let offsets = (0..=rows).map(|row| if row == 0 { 0 } else { content.len() as u32 }).collect();
            batch.columns[3].data = ColumnData::Text(TextColumn { offsets, content });
        }
        Answers::TenMillionEntries => batch.columns[2].data = ColumnData::Dates(vec![0; 10_000_000]),
        Answers::MoneyInvented => {
            if let ColumnData::Decimals(pay) = &mut batch.columns[1].data {
                pay.coefficients[0] += 1;
            }
        }
        Answers::RowsWithheld => return Outcome { outputs: Vec::new(), findings: Vec::new() },
    }
    Outcome { outputs: vec![OutputBatch { output, rows: batch }], findings: Vec::new() }
}

fn copy(batch: &Batch) -> Batch {
    let column = |column: &Column| {
        let data = match &column.data {
            ColumnData::Integers(values) => ColumnData::Integers(values.clone()),
            ColumnData::Decimals(decimals) => {
                ColumnData::Decimals(DecimalColumn { scale: decimals.scale, coefficients: decimals.coefficients.clone() })
            }
            ColumnData::Dates(days) => ColumnData::Dates(days.clone()),
            ColumnData::Text(text) => ColumnData::Text(TextColumn { offsets: text.offsets.clone(), content: text.content.clone() }),
            ColumnData::Booleans(bits) => ColumnData::Booleans(bits.clone()),
        };
        Column { validity: column.validity.clone(), data }
    };
    Batch { first_row: batch.first_row, rows: batch.rows, columns: batch.columns.iter().map(column).collect() }
}
