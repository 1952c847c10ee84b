//! The contract's own types, for programs that drive a plugin natively, such as benchmarks. Plugins do not need them.

pub use crate::bindings::adapter::bailiwick::plugin::types::{
    Batch, Column, ColumnData, DecimalColumn, Failure, MissingTable, Problem, TableVersion, TextColumn,
};
pub use crate::bindings::adapter::exports::bailiwick::plugin::rows::{
    ColumnShape, ColumnType, Context, Effect, FinalOutcome, Finding, Outcome, OutputBatch, Port, Reason,
};

/// Types of version 0.2.0 that formats speak of.
pub mod format {
    pub use crate::bindings::format::exports::bailiwick::plugin0_2_0::formats::{
        ColumnShape, ColumnType, Context, Fault, LastBytes, LastRecords, Place, Records, Refused, UnwritableRow, WriteFailure,
    };
}

/// Types of version 0.2.0 that connectors speak of.
pub mod connector {
    pub use crate::bindings::connector::bailiwick::plugin0_2_0::http::{Header, HttpError, Request, Response};
    pub use crate::bindings::connector::exports::bailiwick::plugin0_2_0::connectors::{ConnectorFailure, Context, Page, Pause};
}
