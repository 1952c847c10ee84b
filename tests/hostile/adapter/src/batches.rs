//! Output batches that contradict themselves or the manifest, and outputs that do not end.

use crate::bailiwick::plugin::types::{Batch, Column, ColumnData, DecimalColumn, Failure, TextColumn};
use crate::exports::bailiwick::plugin::rows::{Outcome, OutputBatch};

/// What the output declares: number, money of two places, date, text, truth value.
pub fn unsound(what: &str, given: &Batch) -> Option<Result<Outcome, Failure>> {
    let rows = given.rows;
    let mut batch = copy(given);
    let mut output = 0;
    match what {
        "no-columns" => batch.columns.clear(),
        "wrong-kind" => batch.columns[0].data = ColumnData::Dates(vec![0; rows as usize]),
        "wrong-scale" => batch.columns[1].data = ColumnData::Decimals(DecimalColumn { scale: 3, coefficients: vec![0; rows as usize] }),
        "too-few-values" => batch.columns[0].data = ColumnData::Integers(Vec::new()),
        "too-many-rows" => batch.rows = u32::MAX,
        "offsets-outside" => {
            batch.columns[3].data =
                ColumnData::Text(TextColumn { offsets: (0..=rows).map(|row| row * 1000).collect(), content: String::new() });
        }
        "offsets-fall" => {
            let mut offsets: Vec<u32> = (0..=rows).rev().collect();
            offsets[0] = 0;
            batch.columns[3].data = ColumnData::Text(TextColumn { offsets, content: String::new() });
        }
        "offsets-cut-a-character" => {
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
        "required-absent" => batch.columns[0].validity = vec![0; rows.div_ceil(8) as usize],
        "short-validity" => batch.columns[3].validity = Vec::from([0xff]),
        "no-such-day" => batch.columns[2].data = ColumnData::Dates(vec![i32::MAX; rows as usize]),
        "no-such-output" => output = 7,
        "output-flood" => {
            let outputs = (0..1_000).map(|_| OutputBatch { output: 0, rows: copy(given) }).collect();
            return Some(Ok(Outcome { outputs, findings: Vec::new() }));
        }
        "one-large-output" => {
            let content = "x".repeat(18 << 20);
            let offsets = (0..=rows).map(|row| if row == 0 { 0 } else { content.len() as u32 }).collect();
            batch.columns[3].data = ColumnData::Text(TextColumn { offsets, content });
        }
        _ => return None,
    }
    Some(Ok(Outcome { outputs: vec![OutputBatch { output, rows: batch }], findings: Vec::new() }))
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
