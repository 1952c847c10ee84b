//! Rejected records as a clerk corrects them, and corrected ones as the job's format reads them.
//!
//! ```text
//! CSV                        two values before the others: reject, reason, and then the record as it stood in the file
//! JSON lines, fixed width    number, tab, reason, tab, and then the record as it stood in the file
//! ```
//!
//! What is before the record names the reject that it corrects, and is taken off when it comes back. A record that is not
//! changed comes back byte for byte. It must not know what a reject is, only its number and its reason.

mod cells;
mod csv;
mod lines;

use std::io::{self, Read, Write};

pub use cells::{RecordCells, cells_of, with_cells};

use super::csv::Scanned;
use crate::model::job::Format;
use crate::model::limits::RECORD_BYTES_MAX;

/// A record that was rejected.
#[derive(Debug, Clone, Copy)]
pub(super) struct RejectedRecord<'a> {
    /// What names it.
    pub number: u64,
    /// Why, in one line.
    pub reason: &'a str,
    /// Its bytes, without the line end.
    pub raw: &'a [u8],
}

/// Corrected records in the job's own format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// The file.
    pub content: Vec<u8>,
    /// Of each record the number that it came with, and where it begins in the file, in bytes.
    pub rows: Vec<(u64, u64)>,
}

/// What the clerk mends in a file of corrected records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionError {
    /// The file's beginning.
    #[error("the file does not begin as `bailiwick rejects export` wrote it: {why}")]
    Header {
        /// What is wrong.
        why: String,
    },
    /// One line.
    #[error("line {line}: {why}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong, and what to do.
        why: String,
    },
    /// There is nothing in it.
    #[error("the file has no rows in it")]
    Nothing,
}

/// Writes rejected records for correction. `input` is the file that they stood in, from its beginning: its header is kept.
///
/// # Errors
/// What the input or the output failed of.
pub fn write_rejected(
    format: &Format,
    input: impl Read,
    records: &mut dyn Iterator<Item = io::Result<(u64, String, Vec<u8>)>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if let Format::Csv(options) = format {
        out.write_all(&csv::header(options, input)?)?;
    }
    for record in records {
        let (number, reason, raw) = record?;
        let reason: String = reason.chars().map(|each| if each.is_control() { ' ' } else { each }).collect();
        let record = RejectedRecord { number, reason: &reason, raw: &raw };
        match format {
            Format::Csv(options) => csv::write(options, record, out)?,
            Format::JsonLines(_) | Format::FixedWidth(_) => lines::write(format, record, out)?,
        }
    }
    Ok(())
}

/// Takes off what stands before each record.
///
/// # Errors
/// [`CorrectionError`] names the first line that cannot be taken.
pub fn read_corrected(format: &Format, bytes: &[u8]) -> Result<Corrected, CorrectionError> {
    let corrected = match format {
        Format::Csv(options) => csv::read(options, bytes)?,
        Format::JsonLines(_) | Format::FixedWidth(_) => lines::read(bytes)?,
    };
    if corrected.rows.is_empty() { Err(CorrectionError::Nothing) } else { Ok(corrected) }
}

/// The record that begins where some bytes of a file begin, without its line end: as it is told apart when the file is read.
#[must_use]
pub fn record_of<'a>(format: &Format, bytes: &'a [u8]) -> &'a [u8] {
    let line = || {
        let line = &bytes[..memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())];
        line.strip_suffix(b"\r").unwrap_or(line)
    };
    match format {
        Format::Csv(options) => match super::csv::first_record(bytes, options.delimiter) {
            Scanned::Record { length, .. } if length <= RECORD_BYTES_MAX => &bytes[..length],
            _ => line(),
        },
        Format::JsonLines(_) | Format::FixedWidth(_) => line(),
    }
}

#[cfg(test)]
mod tests;
