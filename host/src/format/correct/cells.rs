//! Rejected records value by value, as a form shows them, and back: the same file that a clerk would have corrected.

use serde_json::{Map, Value};

use super::{CorrectionError, csv};
use crate::format::cell::Windows1252;
use crate::format::csv::{Scanned, first_record};
use crate::model::job::{Align, Encoding, FixedField, FixedWidthFormat, Format};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// A rejected record by its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordCells {
    /// What names it.
    pub number: u64,
    /// Each value with its heading, in the order of the file.
    pub cells: Vec<(String, String)>,
}

/// Takes a file that `write_rejected` wrote apart.
///
/// # Errors
/// [`CorrectionError`] names the first line that cannot be taken.
pub fn cells_of(format: &Format, bytes: &[u8]) -> Result<Vec<RecordCells>, CorrectionError> {
    match format {
        Format::Csv(options) => of_csv(bytes, options.delimiter, options.encoding),
        Format::JsonLines(_) => of_lines(bytes, Encoding::Utf8, |text| Ok(of_object(text))),
        Format::FixedWidth(options) => of_lines(bytes, options.encoding, |text| Ok(of_fields(text, options))),
    }
}

/// Puts records together again, in the form in which `read_corrected` takes them.
///
/// # Errors
/// [`CorrectionError::Line`] if a value cannot stand in a file of this format.
pub fn with_cells(format: &Format, records: &[RecordCells]) -> Result<Vec<u8>, CorrectionError> {
    let mut out = Vec::new();
    if let (Format::Csv(options), Some(first)) = (format, records.first()) {
        let headings = first.cells.iter().map(|(heading, _)| heading.as_str());
        let line = csv_line(csv::HEADINGS.into_iter().chain(headings), options.delimiter);
        out.extend(encoded(&line, options.encoding, 1)?);
    }
    for (line, record) in (1..).zip(records) {
        let number = record.number.to_string();
        match format {
            Format::Csv(options) => {
                let values = record.cells.iter().map(|(_, value)| value.as_str());
                let text = csv_line([number.as_str(), ""].into_iter().chain(values), options.delimiter);
                out.extend(encoded(&text, options.encoding, line + 1)?);
            }
            Format::JsonLines(_) => out.extend(format!("{number}\t\t{}\n", as_object(&record.cells)).into_bytes()),
            Format::FixedWidth(options) => {
                let text = format!("{number}\t\t{}\n", as_fields(&record.cells, options, line)?);
                out.extend(encoded(&text, options.encoding, line)?);
            }
        }
    }
    Ok(out)
}

fn of_csv(bytes: &[u8], delimiter: u8, encoding: Encoding) -> Result<Vec<RecordCells>, CorrectionError> {
    let mut rest = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    let mut headings: Option<Vec<String>> = None;
    let (mut records, mut line) = (Vec::new(), 1);
    while !rest.is_empty() {
        let Scanned::Record { length, step, lines, values } = first_record(rest, delimiter) else {
            return Err(CorrectionError::Line { line, why: "its quotation marks do not match".to_owned() });
        };
        let value = |(start, end): &(usize, usize)| decoded(&rest[*start..*end], encoding).replace("\"\"", "\"");
        let mut texts: Vec<String> = values.iter().map(value).collect();
        match &headings {
            _ if length == 0 => {}
            None => headings = Some(texts.split_off(texts.len().min(2))),
            Some(headings) => {
                let number = texts.first().and_then(|text| text.parse().ok());
                let wrong = || CorrectionError::Line { line, why: "it does not begin with the number of a reject".to_owned() };
                let mut values = texts.into_iter().skip(2);
                // A record with too few values is filled up, so that what is missing can be put in.
                let cells = headings.iter().map(|heading| (heading.clone(), values.next().unwrap_or_default())).collect();
                records.push(RecordCells { number: number.ok_or_else(wrong)?, cells });
            }
        }
        line += lines;
        rest = &rest[step.max(1)..];
    }
    Ok(records)
}

fn of_lines(
    bytes: &[u8],
    encoding: Encoding,
    apart: impl Fn(&str) -> Result<Vec<(String, String)>, CorrectionError>,
) -> Result<Vec<RecordCells>, CorrectionError> {
    let mut records = Vec::new();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')).filter(|(_, text)| !text.is_empty()) {
        let text = decoded(text, encoding);
        let mut parts = text.trim_end_matches('\r').splitn(3, '\t');
        let number = parts.next().and_then(|number| number.parse().ok());
        let wrong = || CorrectionError::Line { line, why: "it does not begin with the number of a reject and a tab".to_owned() };
        records.push(RecordCells { number: number.ok_or_else(wrong)?, cells: apart(parts.nth(1).unwrap_or_default())? });
    }
    Ok(records)
}

/// The values of an object; what is none is one value, to be put right as a whole.
fn of_object(text: &str) -> Vec<(String, String)> {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else { return vec![(WHOLE.to_owned(), text.to_owned())] };
    let value = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    object.into_iter().map(|(name, found)| (name, value(found))).collect()
}

/// What stands above a record that cannot be taken apart.
const WHOLE: &str = "record";

fn as_object(cells: &[(String, String)]) -> String {
    if let [(name, text)] = cells
        && name == WHOLE
    {
        return text.clone();
    }
    // Texts are read as numbers, dates and truth values just as well; only null is another thing than the text that says so.
    let value = |text: &String| if text == "null" { Value::Null } else { Value::String(text.clone()) };
    Value::Object(Map::from_iter(cells.iter().map(|(name, text)| (name.clone(), value(text))))).to_string()
}

fn of_fields(text: &str, options: &FixedWidthFormat) -> Vec<(String, String)> {
    let value = |field: &FixedField| {
        let whole: String = text.chars().skip(field.start.saturating_sub(1)).take(field.width).collect();
        let plain = match field.align {
            Align::Left => whole.trim_end_matches(field.fill),
            Align::Right => whole.trim_start_matches(field.fill),
        };
        (field.column.clone(), plain.to_owned())
    };
    options.fields.iter().map(value).collect()
}

fn as_fields(cells: &[(String, String)], options: &FixedWidthFormat, line: u64) -> Result<String, CorrectionError> {
    let width = options.fields.iter().map(|field| field.start - 1 + field.width).max().unwrap_or(0);
    let mut text = vec![' '; width];
    for field in &options.fields {
        let value = cells.iter().find(|(name, _)| *name == field.column).map_or("", |(_, value)| value.as_str());
        let length = value.chars().count();
        if length > field.width {
            let why = format!("{} has {length} characters, and its field has {}", field.column, field.width);
            return Err(CorrectionError::Line { line, why });
        }
        let begins = field.start - 1;
        text[begins..begins + field.width].fill(field.fill);
        let begins = if field.align == Align::Left { begins } else { begins + field.width - length };
        text[begins..begins + length].iter_mut().zip(value.chars()).for_each(|(place, character)| *place = character);
    }
    Ok(text.into_iter().collect())
}

fn csv_line<'a>(values: impl Iterator<Item = &'a str>, delimiter: u8) -> String {
    let quoted = values.map(|value| format!("\"{}\"", value.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(&char::from(delimiter).to_string()) + "\n"
}

fn decoded(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Windows1252 => Windows1252::decode(bytes).into_owned(),
    }
}

fn encoded(text: &str, encoding: Encoding, line: u64) -> Result<Vec<u8>, CorrectionError> {
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Windows1252 => Windows1252::encode(text).map(|bytes| bytes.into_owned()).map_err(|_| CorrectionError::Line {
            line,
            why: "it has a character that the file’s encoding, Windows-1252, does not have".to_owned(),
        }),
    }
}
