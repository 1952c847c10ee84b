//! Records of a file, and rows on their way into one, where a plugin reads or writes it.

use super::Batch;
use crate::model::outcome::Reason;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPlace {
    /// Line of its first byte, counted from 1.
    pub line: u64,
    /// Its first byte, counted from 0 in the file.
    pub byte_offset: u64,
    /// Its bytes, without the line's end.
    pub byte_length: u64,
}

/// What a format read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecords {
    /// The records that are rows.
    pub rows: Batch,
    /// Where each of them stands.
    pub places: Vec<RecordPlace>,
    /// The records that are none.
    pub refused: Vec<RefusedRecord>,
}

/// A record that is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    /// Where it stands.
    pub place: RecordPlace,
    /// Why; at least one.
    pub reasons: Vec<Reason>,
}

/// A row that a format cannot write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnwritableRow {
    /// Its number in the output, from 0.
    pub row: u64,
    /// Why; at least one.
    pub reasons: Vec<Reason>,
}
