//! The JSON of how two runs differ.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::run::{Differences, Example, OutputDifference};

/// Where a run came to something else than the one that it does again.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferencesJson {
    /// The run that it does again.
    origin: String,
    /// Outputs that differ.
    outputs: Vec<OutputJson>,
    /// Totals that differ.
    totals: Vec<TotalJson>,
    /// Rejects: how many there were, and how many there are.
    rejects: [u64; 2],
    /// Warnings likewise.
    warnings: [u64; 2],
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct OutputJson {
    output: String,
    /// Rows that there were, and that there are.
    rows: [u64; 2],
    /// Rows of the same place that differ.
    changed: u64,
    /// Rows that stood there only before, where the files are of unequal length.
    only_before: u64,
    /// Rows that stand there only now.
    only_now: u64,
    /// By column.
    columns: BTreeMap<String, ColumnJson>,
    /// The first of them.
    examples: Vec<ExampleJson>,
    /// Why it could not be looked into further.
    note: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ColumnJson {
    /// In how many rows it differs.
    rows: u64,
    /// The sum of what its numbers went up by, as text.
    change: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ExampleJson {
    row: u64,
    column: Option<String>,
    was: Option<String>,
    is: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TotalJson {
    port: String,
    total: String,
    was: String,
    is: String,
}

impl DifferencesJson {
    /// What was found.
    #[must_use]
    pub fn new(found: &Differences) -> Self {
        let total = |(port, total, was, is): &(String, String, String, String)| TotalJson {
            port: port.clone(),
            total: total.clone(),
            was: was.clone(),
            is: is.clone(),
        };
        Self {
            origin: found.origin.to_string(),
            outputs: found.outputs.iter().map(output).collect(),
            totals: found.totals.iter().map(total).collect(),
            rejects: found.rejects.into(),
            warnings: found.warnings.into(),
        }
    }
}

fn output(found: &OutputDifference) -> OutputJson {
    let columns = found
        .columns
        .iter()
        .map(|(name, column)| (name.clone(), ColumnJson { rows: column.rows, change: column.change.map(|change| change.to_string()) }));
    let example = |example: &Example| ExampleJson {
        row: example.row,
        column: example.column.clone(),
        was: example.was.clone(),
        is: example.is.clone(),
    };
    OutputJson {
        output: found.output.clone(),
        rows: found.rows.into(),
        changed: found.changed,
        only_before: found.only.0,
        only_now: found.only.1,
        columns: columns.collect(),
        examples: found.examples.iter().map(example).collect(),
        note: found.note.clone(),
    }
}
