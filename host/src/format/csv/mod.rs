//! CSV after RFC 4180: comma-separated values, quotation marks around what needs them, a header line.
//!
//! Read: line ends LF or CRLF; spaces around values are not part of them; blank lines are passed over.
//! Written: LF, the header always, quotation marks only where they are needed.

mod header;
mod line;
mod read;
mod scan;
mod write;

pub(super) use header::folded;
pub(super) use read::Reader;
pub(super) use scan::{Found, careful};
pub(super) use write::Writer;

use super::error::FormatError;
use crate::model::job::CsvFormat;
use crate::model::rows::PortShape;

/// Checks options against a port.
pub(super) fn check(options: &CsvFormat, port: &PortShape) -> Result<(), FormatError> {
    let layout = |message: String| Err(FormatError::Layout { port: port.name.clone(), message });
    if !matches!(options.delimiter, b',' | b';' | b'\t' | b'|' | b'^' | b'~' | b':') {
        let found = char::from(options.delimiter).escape_default();
        return layout(format!("values cannot be parted by '{found}': use a comma, semicolon, tab, |, ^, ~ or colon"));
    }
    for (place, (column, heading)) in options.headings.iter().enumerate() {
        if port.column(column).is_none() {
            return layout(format!("it has a heading for column {column}, which the plugin does not declare"));
        }
        if heading.trim().is_empty() || heading.contains(['\r', '\n', '\0']) {
            return layout(format!("the heading of column {column} must be one line of text"));
        }
        if options.headings[..place].iter().any(|(other, _)| other == column) {
            return layout(format!("it has two headings for column {column}"));
        }
    }
    let headings: Vec<String> = port.columns.iter().map(|column| folded(heading(options, &column.name))).collect();
    for (place, heading) in headings.iter().enumerate() {
        if headings[..place].contains(heading) {
            return layout(format!("two columns would have the heading {heading:?}"));
        }
    }
    Ok(())
}

/// The first record of some bytes.
pub(super) enum Scanned {
    /// It has `length` bytes; the next begins after `step` bytes and `lines` line ends. Of each value its first byte and the one
    /// after its last, quotation marks left out.
    Record { length: usize, step: usize, lines: u64, values: Vec<(usize, usize)> },
    /// Its quotation marks do not match.
    Damaged,
}

/// Splits the record at the beginning of a file's last bytes.
pub(super) fn first_record(bytes: &[u8], delimiter: u8) -> Scanned {
    let mut cells = Vec::new();
    match careful(bytes, delimiter, true, &mut cells) {
        Found::Record { length, step, lines } => {
            let values = cells.iter().map(|cell| (cell.start as usize, cell.end as usize)).collect();
            Scanned::Record { length, step, lines, values }
        }
        Found::Open { .. } | Found::Damaged => Scanned::Damaged,
    }
}

/// What stands above a column in the file.
fn heading<'a>(options: &'a CsvFormat, column: &'a str) -> &'a str {
    options.headings.iter().find(|(name, _)| name == column).map_or(column, |(_, heading)| heading)
}
