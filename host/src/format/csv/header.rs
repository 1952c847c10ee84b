//! The first line of a CSV file: which value belongs to which column.

use super::heading;
use super::scan::{Cell, Found, careful};
use crate::format::cell::Windows1252;
use crate::format::encoding::{empty, first_look, utf8};
use crate::format::error::{FileReject, FormatError};
use crate::format::place::RecordPlace;
use crate::format::window::Window;
use crate::model::job::{CsvFormat, Encoding};
use crate::model::limits::RECORD_BYTES_MAX;
use crate::model::rows::PortShape;

/// What the header says.
pub(super) struct Header {
    /// For each declared column, which value of a record it is; none where an optional column is not in the file.
    pub(super) sources: Vec<Option<usize>>,
    /// For each value of a record, its column's name, or the heading where the plugin has no such column.
    pub(super) names: Vec<String>,
}

/// Reads the header and goes past it.
pub(super) fn read(options: &CsvFormat, port: &PortShape, window: &mut Window<'_>) -> Result<Header, FormatError> {
    first_look(window, options.encoding)?;
    let mut cells = Vec::new();
    let (length, step, lines) = loop {
        let complete = window.is_complete();
        match careful(window.view(), options.delimiter, complete, &mut cells) {
            Found::Record { length: 0, step: 0, .. } => return Err(empty().into()),
            Found::Record { length: 0, step, lines } => window.advance(step, lines),
            Found::Record { length, step, lines } if length <= RECORD_BYTES_MAX => break (length, step, lines),
            Found::Open { .. } if !complete && !window.view_is_full() => {
                window.more()?;
            }
            _ => {
                let message = "The header cannot be read: look for a quotation mark that is never closed, and for missing line ends.";
                return Err(FileReject::new("header-damaged", message.to_owned()).at(window.place(0)).into());
            }
        }
    };
    let place = window.place(length);
    let headings = headings(&window.view()[..length], &cells, place, options.encoding)?;
    let header = matched(options, port, &headings).map_err(|refused| refused.at(place))?;
    window.advance(step, lines);
    Ok(header)
}

fn headings(record: &[u8], cells: &[Cell], place: RecordPlace, encoding: Encoding) -> Result<Vec<String>, FileReject> {
    let whole = match encoding {
        Encoding::Utf8 => utf8(record, place)?.into(),
        Encoding::Windows1252 => Windows1252::decode(record),
    };
    let refuse = |code, message: &str| Err(FileReject::new(code, message.to_owned()).at(place));
    if whole.contains('\0') {
        return refuse("header-damaged", "The header holds NUL characters, as damaged or binary files do: export the file again.");
    }
    if memchr::memchr_iter(b'\r', record).any(|at| record.get(at + 1) != Some(&b'\n')) {
        return refuse(
            "file-line-ends",
            "The lines end in carriage returns alone, as old Macintosh programs wrote them: save the file with Windows line ends.",
        );
    }
    let text = |cell: &Cell| {
        let bytes = &record[cell.start as usize..cell.end as usize];
        let text = match encoding {
            Encoding::Utf8 => String::from_utf8_lossy(bytes),
            Encoding::Windows1252 => Windows1252::decode(bytes),
        };
        text.replace("\"\"", "\"").trim().to_owned()
    };
    Ok(cells.iter().map(text).collect())
}

/// A heading as it is compared: lower case, with underscores for spaces and hyphens.
pub(in crate::format) fn folded(heading: &str) -> String {
    let mut folded = String::new();
    for character in heading.trim().chars() {
        if character.is_whitespace() || matches!(character, '-' | '_') {
            if !folded.ends_with('_') {
                folded.push('_');
            }
        } else {
            folded.extend(character.to_lowercase());
        }
    }
    folded
}

fn matched(options: &CsvFormat, port: &PortShape, headings: &[String]) -> Result<Header, FileReject> {
    let found: Vec<String> = headings.iter().map(|heading| folded(heading)).collect();
    if let Some((first, second)) = twice(&found) {
        let message = format!(
            "The header has “{}” twice, as values {} and {} of the line: delete or rename one.",
            headings[second],
            first + 1,
            second + 1
        );
        return Err(FileReject::new("header-column-twice", message).column(&headings[second]));
    }
    let mut names: Vec<String> = vec![String::new(); headings.len()];
    let mut sources = Vec::new();
    let mut missing = Vec::new();
    for column in &port.columns {
        let wanted = heading(options, &column.name);
        let source = found.iter().position(|heading| *heading == folded(wanted));
        match source {
            Some(source) => names[source].clone_from(&column.name),
            None if column.required => missing.push(wanted),
            None => {}
        }
        sources.push(source);
    }
    if let [first, ..] = missing[..] {
        return Err(FileReject::new("header-column-missing", missing_message(options, headings, &missing)).column(first));
    }
    name_others(&mut names, headings, port);
    let known: Vec<usize> = sources.iter().flatten().copied().collect();
    if let (Some(other), false) = ((0..headings.len()).find(|place| !known.contains(place)), options.other_columns_ignored) {
        let heading = &headings[other];
        let message = if heading.is_empty() {
            format!("Value {} of the header has no heading: delete the empty column, or let the job ignore other columns.", other + 1)
        } else {
            format!("The header has “{heading}”, which is not expected: delete that column, or let the job ignore other columns.")
        };
        return Err(FileReject::new("header-column-unexpected", message).column(heading));
    }
    Ok(Header { sources, names })
}

/// Names the values that the plugin has no column for: by their headings, and by their places where there is no heading or where
/// it is the name of a column whose own heading is another. No name is given twice: a reject's values are kept under them.
fn name_others(names: &mut [String], headings: &[String], port: &PortShape) {
    for place in 0..names.len() {
        if names[place].is_empty() {
            let heading = &headings[place];
            let taken = heading.is_empty() || port.column(heading).is_some();
            names[place] = if taken { format!("value {}", place + 1) } else { heading.clone() };
        }
    }
}

/// Two places of one heading. Columns without a heading are not meant.
fn twice(found: &[String]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..found.len()).filter(|place| !found[*place].is_empty()).collect();
    order.sort_by_key(|place| &found[*place]);
    order.windows(2).find(|pair| found[pair[0]] == found[pair[1]]).map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1])))
}

fn missing_message(options: &CsvFormat, headings: &[String], missing: &[&str]) -> String {
    let quoted: Vec<String> = missing.iter().take(5).map(|name| format!("“{name}”")).collect();
    let more = if missing.len() > 5 { format!(" and {} more", missing.len() - 5) } else { String::new() };
    let names = format!("{}{more}", quoted.join(", "));
    let other = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs"), (b'|', "vertical bars")]
        .into_iter()
        .find(|(byte, _)| *byte != options.delimiter && headings.len() == 1 && headings[0].as_bytes().contains(byte));
    match other {
        Some((_, word)) => {
            format!(
                "The header lacks {names}. The file seems to be parted by {word}: change the delimiter in the job, or how the file is saved."
            )
        }
        None => format!(
            "The header lacks {names}: the first line must name every column. Add it, or give the job the heading that the file uses."
        ),
    }
}
