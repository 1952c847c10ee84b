//! The first look at a file, and the check that its bytes are the text that the job says.
//!
//! It knows how files come out of spreadsheets and payroll systems, and nothing of records.

use super::error::{FileReject, FormatError};
use super::place::RecordPlace;
use super::window::Window;
use crate::model::job::Encoding;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Refuses what is no text at all, and passes over a byte order mark.
pub(super) fn first_look(window: &mut Window<'_>, encoding: Encoding) -> Result<(), FormatError> {
    let start = window.place(0);
    let seen = window.look()?;
    let refused = if seen.is_empty() || seen == UTF8_MARK {
        Some(empty())
    } else if seen.starts_with(b"PK\x03\x04") || seen.starts_with(b"\xd0\xcf\x11\xe0") {
        let message = "This is an Excel workbook or a ZIP archive, not a text file: open it and save it as “CSV UTF-8 (Comma delimited)”.";
        Some(FileReject::new("file-is-workbook", message.to_owned()).at(start))
    } else if seen.starts_with(b"\xff\xfe") || seen.starts_with(b"\xfe\xff") || looks_like_utf16(seen) {
        let message = "This file is UTF-16 (“Unicode text”), which is not read: save it as “CSV UTF-8”.";
        Some(FileReject::new("file-utf16", message.to_owned()).at(start))
    } else if seen.starts_with(UTF8_MARK) && encoding == Encoding::Windows1252 {
        let message = "The job reads this file as Windows-1252, but it begins with the mark of UTF-8: set encoding = \"utf-8\" in the job.";
        Some(FileReject::new("file-encoding", message.to_owned()).at(start))
    } else {
        None
    };
    if let Some(refused) = refused {
        return Err(refused.into());
    }
    if window.view().starts_with(UTF8_MARK) {
        window.advance(UTF8_MARK.len(), 0);
    }
    Ok(())
}

/// A file with nothing in it.
pub(super) fn empty() -> FileReject {
    FileReject::new("file-empty", "The file is empty: ask whoever sent it whether the transfer failed, and send it again.".to_owned())
}

/// A file that stops within its last record.
pub(super) fn truncated(place: RecordPlace, how: &str) -> FileReject {
    let line = place.line;
    FileReject::new(
        "file-truncated",
        format!(
            "The file stops in the middle of line {line}: {how}. Rows after it may be missing, so none are taken: send the file again."
        ),
    )
    .at(place)
}

/// Every second byte of plain text in UTF-16 is zero.
fn looks_like_utf16(seen: &[u8]) -> bool {
    let start = &seen[..seen.len().min(16)];
    let zeros = |from: usize| start.len() >= 4 && start.iter().skip(from).step_by(2).all(|byte| *byte == 0);
    zeros(0) || zeros(1)
}

/// The record as text, where the job says UTF-8.
#[inline]
pub(super) fn utf8(record: &[u8], place: RecordPlace) -> Result<&str, FileReject> {
    std::str::from_utf8(record).map_err(|error| not_utf8(record, place, error.valid_up_to()))
}

#[cold]
fn not_utf8(record: &[u8], place: RecordPlace, valid: usize) -> FileReject {
    let line = place.line + memchr::memchr_iter(b'\n', &record[..valid]).count() as u64;
    let line_start = memchr::memrchr(b'\n', &record[..valid]).map_or(0, |end| end + 1);
    let column = valid - line_start + 1;
    let byte = record[valid];
    let message = format!(
        "Line {line}, byte {column} of the line: the byte {byte:#04x} is not UTF-8. The file is most likely Windows-1252, as Excel saves “CSV (Comma \
         delimited)”: set encoding = \"windows-1252\" in the job, or save the file as “CSV UTF-8”."
    );
    let offset = place.byte_offset + valid as u64;
    FileReject::new("file-encoding", message).at(RecordPlace { line, byte_offset: offset, byte_length: 1 })
}
