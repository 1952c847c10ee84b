//! The contract's own types, for programs that drive a plugin natively, such as benchmarks. Plugins do not need them.

pub use crate::bindings::adapter::bailiwick::plugin::types::{
    Batch, Column, ColumnData, DecimalColumn, Failure, MissingTable, Problem, TableVersion, TextColumn,
};
pub use crate::bindings::adapter::exports::bailiwick::plugin::rows::{
    ColumnShape, ColumnType, Context, Effect, FinalOutcome, Finding, Outcome, OutputBatch, Port, Reason,
};
