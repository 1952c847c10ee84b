//! CSV: two values before the others.

use std::io::{self, Read, Write};

use super::{CorrectionError, RejectedRecord, Taken, too_long};
use crate::format::cell::Windows1252;
use crate::format::csv::{Found, Scanned, careful, first_record, folded};
use crate::format::window::Window;
use crate::model::job::{CsvFormat, Encoding};
use crate::model::limits::RECORD_BYTES_MAX;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// What stands above the two values.
pub(super) const HEADINGS: [&str; 2] = ["reject", "reason"];

/// The header of a file with the two headings before it.
pub(super) fn header(options: &CsvFormat, input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A byte order mark, a header, and what may be empty before it.
    input.take(2 * RECORD_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    let mut out = Vec::new();
    let mut rest = bytes.as_slice();
    if let Some(after) = rest.strip_prefix(UTF8_MARK) {
        out.extend_from_slice(UTF8_MARK);
        rest = after;
    }
    while let Scanned::Record { length: 0, step: 1.., .. } = first_record(rest, options.delimiter) {
        rest = &rest[rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1)..];
    }
    let Scanned::Record { length, .. } = first_record(rest, options.delimiter) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the header of the input cannot be read any more"));
    };
    for heading in HEADINGS {
        out.extend_from_slice(heading.as_bytes());
        out.push(options.delimiter);
    }
    out.extend_from_slice(&rest[..length]);
    out.push(b'\n');
    Ok(out)
}

pub(super) fn write(options: &CsvFormat, record: RejectedRecord<'_>, out: &mut dyn Write) -> io::Result<()> {
    let delimiter = [options.delimiter];
    out.write_all(record.number.to_string().as_bytes())?;
    out.write_all(&delimiter)?;
    let quoted = format!("\"{}\"", record.reason.replace('"', "\"\""));
    match options.encoding {
        Encoding::Utf8 => out.write_all(quoted.as_bytes())?,
        Encoding::Windows1252 => {
            let one_by_one =
                |each: char| Windows1252::encode(each.encode_utf8(&mut [0; 4])).map_or_else(|_| b"?".to_vec(), |bytes| bytes.into_owned());
            out.write_all(&quoted.chars().flat_map(one_by_one).collect::<Vec<u8>>())?;
        }
    }
    out.write_all(&delimiter)?;
    out.write_all(record.raw)?;
    out.write_all(b"\n")
}

pub(super) fn read(options: &CsvFormat, window: &mut Window<'_>, taken: &mut Taken<'_>) -> Result<(), CorrectionError> {
    if window.look()?.starts_with(UTF8_MARK) {
        if options.encoding == Encoding::Windows1252 {
            let why = "it was saved as UTF-8, and the job reads this input as Windows-1252: save it as “CSV (Comma delimited)”".to_owned();
            return Err(CorrectionError::Header { why });
        }
        taken.put(UTF8_MARK)?;
        window.advance(UTF8_MARK.len(), 0);
    }
    let (mut cells, mut headed) = (Vec::new(), false);
    loop {
        let line = window.place(0).line;
        let (length, step, lines) = match careful(window.view(), options.delimiter, window.is_complete(), &mut cells) {
            Found::Record { length: 0, step: 0, .. } => return Ok(()),
            Found::Record { length, step, lines } => (length, step, lines),
            Found::Open { .. } if !window.is_complete() && !window.view_is_full() => {
                window.more()?;
                continue;
            }
            Found::Open { .. } if !window.is_complete() => return Err(too_long(line)),
            Found::Open { .. } | Found::Damaged => {
                let why =
                    "its quotation marks do not match: one is never closed, or stands inside a value. Write a mark inside a value twice";
                return Err(CorrectionError::Line { line, why: why.to_owned() });
            }
        };
        let record = &window.view()[..length];
        let values: Vec<(usize, usize)> = cells.iter().map(|cell| (cell.start as usize, cell.end as usize)).collect();
        if !headed && length > 0 {
            taken.put(after_two(record, &values, options.delimiter).ok_or_else(|| no_headings(options.delimiter))?)?;
            taken.put(b"\n")?;
            headed = true;
        } else if let Some((number, corrected)) = row(record, &values, options.delimiter, line)? {
            // A record of nothing would be no record.
            taken.record(line, number, if corrected.is_empty() { b"\"\"" } else { corrected })?;
        }
        window.advance(step, lines);
    }
}

/// The header without the two headings; none if it has not got them.
fn after_two<'a>(record: &'a [u8], values: &[(usize, usize)], delimiter: u8) -> Option<&'a [u8]> {
    let has = |place: usize| {
        let (start, end) = *values.get(place)?;
        Some(folded(std::str::from_utf8(&record[start..end]).ok()?) == HEADINGS[place])
    };
    if has(0)? && has(1)? { behind(record, values, delimiter) } else { None }
}

/// A row's number, and the record behind it; none of a line in which there is nothing.
fn row<'a>(record: &'a [u8], values: &[(usize, usize)], delimiter: u8, line: u64) -> Result<Option<(u64, &'a [u8])>, CorrectionError> {
    if values.iter().all(|(start, end)| record[*start..*end].iter().all(u8::is_ascii_whitespace)) {
        return Ok(None);
    }
    let wrong = |why: &str| CorrectionError::Line { line, why: why.to_owned() };
    let text = values.first().and_then(|(start, end)| std::str::from_utf8(&record[*start..*end]).ok()).unwrap_or_default().trim();
    let number = text.parse().map_err(|_| {
        wrong("its first value is not the number of a reject: leave that column as it was; rows that were not rejected come by a file of their own")
    })?;
    let corrected =
        behind(record, values, delimiter).ok_or_else(|| wrong("nothing stands behind its reason: leave the line out instead"))?;
    Ok(Some((number, corrected)))
}

/// What stands behind the second value.
fn behind<'a>(record: &'a [u8], values: &[(usize, usize)], delimiter: u8) -> Option<&'a [u8]> {
    values.get(2)?;
    let (_, end) = values[1];
    let at = end + record[end..].iter().position(|byte| *byte == delimiter)?;
    Some(&record[at + 1..])
}

fn no_headings(delimiter: u8) -> CorrectionError {
    let delimiter = if delimiter == b'\t' { "a tab".to_owned() } else { format!("“{}”", char::from(delimiter)) };
    let why = format!("the first two headings must be “reject” and “reason”, with {delimiter} between values");
    CorrectionError::Header { why }
}
