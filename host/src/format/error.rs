//! How reading and writing files goes wrong, by whose move is next.

use std::io;

use super::place::RecordPlace;
use crate::model::outcome::Reason;

/// What stops the reading or the writing of a whole file.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The sender's: the file is refused and somebody sends a better one. The same file again gives the same answer.
    #[error(transparent)]
    File(#[from] FileReject),
    /// The operator's: the job's format does not fit the plugin's columns. The job is mended, then the run goes again.
    #[error("the format of {port} cannot be used: {message}")]
    Layout {
        /// The plugin's input or output.
        port: String,
        /// What to change.
        message: String,
    },
    /// The plugin's, or the job's layout: a value does not fit the file. Nothing is cut off, so nothing is delivered.
    #[error("row {row} of {port}, column {column}: {message} ({code})")]
    Value {
        /// The plugin's output.
        port: String,
        /// The row, counted from 1 as the lines of the output are.
        row: u64,
        /// The column.
        column: String,
        /// Short and stable.
        code: &'static str,
        /// One sentence.
        message: String,
    },
    /// The hub's: stored bytes could not be read. The run may be tried again.
    #[error("the stored file could not be read: {0}")]
    Read(#[source] io::Error),
    /// The hub's: bytes could not be stored. The run may be tried again.
    #[error("the output could not be stored: {0}")]
    Write(#[source] io::Error),
}

/// Why a whole file is refused, for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FileReject {
    /// Short and stable: `file-truncated`.
    pub code: &'static str,
    /// What is wrong, where, and what to do.
    pub message: String,
    /// The line, counted from 1.
    pub line: Option<u64>,
    /// The byte, counted from 0 in the file.
    pub byte_offset: Option<u64>,
    /// The column or heading that it concerns.
    pub column: Option<String>,
}

impl FileReject {
    pub(super) const fn new(code: &'static str, message: String) -> Self {
        Self { code, message, line: None, byte_offset: None, column: None }
    }

    pub(super) const fn at(mut self, place: RecordPlace) -> Self {
        self.line = Some(place.line);
        self.byte_offset = Some(place.byte_offset);
        self
    }

    pub(super) fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }
}

/// A record that could not be read as a row. It gets no row number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReject {
    /// Line of its first byte, counted from 1.
    pub line: u64,
    /// Its first byte, counted from 0 in the file.
    pub byte_offset: u64,
    /// Its bytes, without the line's end.
    pub byte_length: u64,
    /// Its bytes, or the first 64 KiB of them.
    pub raw: Vec<u8>,
    /// Why; at least one. No message shows a value of a personal column.
    pub reasons: Vec<Reason>,
    /// Its values as they were read, as far as they could be told apart: a JSON object, column to text.
    pub decoded: Option<String>,
}

impl RowReject {
    pub(super) fn new(place: RecordPlace, record: &[u8], reasons: Vec<Reason>) -> Self {
        let raw = record[..record.len().min(crate::model::limits::REJECT_RAW_BYTES_MAX)].to_vec();
        Self { line: place.line, byte_offset: place.byte_offset, byte_length: place.byte_length, raw, reasons, decoded: None }
    }

    /// Bytes held, so that a page of rejects stays bounded.
    pub(super) fn held_bytes(&self) -> usize {
        let words: usize = self.reasons.iter().map(|reason| reason.message.len() + 64).sum();
        self.raw.len() + words + self.decoded.as_ref().map_or(0, String::len) + 128
    }
}

/// A reason that concerns a record and no one column.
pub(super) fn record_reason(code: &str, message: String) -> Reason {
    Reason { column: None, code: code.to_owned(), message }
}

/// The reason for a record beyond the limit.
pub(super) fn too_long(length: u64) -> Reason {
    let max = crate::model::limits::RECORD_BYTES_MAX;
    record_reason(
        "record-too-long",
        format!("This record has {length} bytes and may have {max}. Look for a missing line end or a quotation mark that is never closed."),
    )
}
