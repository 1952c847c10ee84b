//! File formats: bytes to rows and rows to bytes. CSV, JSON lines and fixed width are built in.
//!
//! Everything here is synchronous and streams: what is held is one record and one batch, however long the file is.
//! A file that cannot be trusted as a whole is refused ([`FileReject`]); a record that cannot be read is refused
//! alone ([`RowReject`]) and reading goes on, so that records = rows + rejects always holds.
//!
//! Nothing here knows where bytes come from or go to, what a plugin makes of rows, or the database.

mod cases;
mod cell;
mod correct;
mod csv;
mod decode;
mod encode;
mod encoding;
mod error;
mod fixed_width;
mod json_lines;
mod place;
#[cfg(test)]
mod tests;
mod window;

pub use cases::{CaseLine, CaseReader, DecisionWriter};
pub use correct::{Corrected, CorrectionError, RecordCells, cells_of, read_corrected, record_of, with_cells, write_rejected};
pub use decode::{Decoded, Decoder};
pub use encode::{Encoder, Written};
pub use error::{FileReject, FormatError, RowReject};
pub use json_lines::row_as_json;
pub use place::{Located, Locator, Mark, RecordPlace, Stretch};

use crate::model::job::Format;
use crate::model::rows::PortShape;

/// Which way a format is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To read an input.
    Decode,
    /// To write an output.
    Encode,
}

/// Checks that a job's format fits the columns of a plugin's port, before any file comes.
///
/// # Errors
/// [`FormatError::Layout`] names the first thing that the operator has to change.
pub fn check(format: &Format, port: &PortShape, direction: Direction) -> Result<(), FormatError> {
    match format {
        Format::Csv(options) => csv::check(options, port),
        Format::JsonLines(_) => Ok(()),
        Format::FixedWidth(options) => fixed_width::Layout::new(options, port, direction).map(|_| ()),
    }
}
