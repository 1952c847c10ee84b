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
use super::error::FormatError;
use super::window::Window;
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

/// Corrected records that were written in the job's own format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// Of each record the number that it came with, and where it begins in the file, in bytes.
    pub rows: Vec<(u64, u64)>,
}

/// Where corrected records go, and what is known of them.
pub(super) struct Taken<'o> {
    out: &'o mut dyn Write,
    bytes: u64,
    rows: Vec<(u64, u64)>,
    rows_max: u64,
}

impl Taken<'_> {
    /// Writes what is no record, or more of one.
    fn put(&mut self, bytes: &[u8]) -> Result<(), CorrectionError> {
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(CorrectionError::Disk)
    }

    /// Writes a record that begins here, with its line end.
    fn record(&mut self, line: u64, number: u64, bytes: &[u8]) -> Result<(), CorrectionError> {
        if self.rows.len() as u64 >= self.rows_max {
            let why = format!("there are more than {} rows before it, and not so many rows were rejected", self.rows_max);
            return Err(CorrectionError::Line { line, why });
        }
        self.rows.push((number, self.bytes));
        self.put(bytes)?;
        if bytes.ends_with(b"\n") { Ok(()) } else { self.put(b"\n") }
    }
}

/// What the clerk mends in a file of corrected records.
#[derive(Debug, thiserror::Error)]
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
    /// It is not the clerk's affair: the file cannot be read, or what is made of it cannot be written.
    #[error("the file cannot be taken: {0}")]
    Disk(io::Error),
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

/// Takes off what stands before each record, and writes what is left: of at most so many records. Of the file one record is held at a
/// time, and of each record its number and its place.
///
/// # Errors
/// [`CorrectionError`] names the first line that cannot be taken.
pub fn read_corrected(format: &Format, source: impl Read + Send, out: &mut dyn Write, rows_max: u64) -> Result<Corrected, CorrectionError> {
    let mut window = Window::new(Box::new(source), 0, 1);
    let mut taken = Taken { out, bytes: 0, rows: Vec::new(), rows_max };
    match format {
        Format::Csv(options) => csv::read(options, &mut window, &mut taken)?,
        Format::JsonLines(_) | Format::FixedWidth(_) => lines::read(&mut window, &mut taken)?,
    }
    if taken.rows.is_empty() { Err(CorrectionError::Nothing) } else { Ok(Corrected { rows: taken.rows }) }
}

impl From<FormatError> for CorrectionError {
    fn from(error: FormatError) -> Self {
        Self::Disk(match error {
            FormatError::Read(error) => error,
            other => io::Error::other(other.to_string()),
        })
    }
}

/// A record with what stands before it that is more than is held.
fn too_long(line: u64) -> CorrectionError {
    let why = format!("it is longer than {RECORD_BYTES_MAX} bytes, or a quotation mark in it is never closed");
    CorrectionError::Line { line, why }
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
