//! Rows and what they are made of: columns, batches, dates and exact amounts.

mod amount;
mod batch;
mod builder;
mod file;
mod shape;

pub use amount::{Amount, NotAnAmount, UNSCALED_DIGITS_MAX};
pub use batch::{Batch, Column, ColumnData, TextColumn, Unsound, Validity, date_of_days, days_of_date};
pub use builder::{BatchBuilder, ColumnBuilder};
pub use file::{FileRecords, RecordPlace, RefusedRecord, UnwritableRow};
pub use shape::{ColumnKind, ColumnShape, PortShape};
