//! Records of CSV into rows.

use super::header::{self, Header};
use super::scan::{Cell, Cells, Found, scan};
use crate::format::cell::{Reading, Windows1252, Within, is_plain, push, push_plain, trimmed};
use crate::format::decode::Page;
use crate::format::encoding::{truncated, utf8};
use crate::format::error::{FormatError, RowReject, record_reason, too_long};
use crate::format::json_lines::texts_as_json;
use crate::format::place::RecordPlace;
use crate::format::window::Window;
use crate::model::job::{CsvFormat, DateStyle, Encoding};
use crate::model::limits::{RECORD_BYTES_MAX, REJECT_RAW_BYTES_MAX};
use crate::model::outcome::Reason;
use crate::model::rows::{ColumnShape, PortShape};

/// Reads CSV whose header is known.
pub(in crate::format) struct Reader {
    encoding: Encoding,
    delimiter: u8,
    dates: DateStyle,
    header: Header,
}

/// Where a column that is not in the file has its value.
const ABSENT: Cell = Cell { start: 0, end: 0, doubled: false };

/// A record whose values are told apart.
struct Record<'a> {
    bytes: &'a [u8],
    /// The same as text, unless it is Windows-1252 with more than ASCII in it.
    text: Option<&'a str>,
    plain: bool,
    cells: &'a [Cell],
    place: RecordPlace,
}

impl Reader {
    /// Reads the header.
    pub(in crate::format) fn open(options: &CsvFormat, port: &PortShape, window: &mut Window<'_>) -> Result<Self, FormatError> {
        let header = header::read(options, port, window)?;
        Ok(Self { encoding: options.encoding, delimiter: options.delimiter, dates: options.dates, header })
    }

    /// Reads records until the page is full or the file ends.
    pub(in crate::format) fn fill(&self, shapes: &[ColumnShape], window: &mut Window<'_>, page: &mut Page) -> Result<(), FormatError> {
        let mut cells = Cells::new(self.header.names.len());
        while !page.is_full() && !window.is_stopped() {
            let complete = window.is_complete();
            let view = window.view();
            let (found, cells) = scan(view, self.delimiter, complete, &mut cells);
            match found {
                Found::Record { length: 0, step: 0, .. } => break,
                Found::Record { length: 0, step, lines } => window.advance(step, lines),
                Found::Record { length, step, lines } if length <= RECORD_BYTES_MAX => {
                    let place = window.place(length);
                    let cut_off = complete && step == view.len() && view[step - 1] != b'\n';
                    if cut_off && cells.len() < self.header.names.len() {
                        let how = format!("it has {} values where the header has {}", cells.len(), self.header.names.len());
                        return Err(truncated(place, &how).into());
                    }
                    let bytes = &view[..length];
                    let plain = is_plain(bytes);
                    if !(plain && self.plain_row((view, cells), place, shapes, page)) {
                        let text = if plain || self.encoding == Encoding::Utf8 { Some(utf8(bytes, place)?) } else { None };
                        self.row(&Record { bytes, text, plain, cells, place }, shapes, page);
                    }
                    window.advance(step, lines);
                }
                Found::Open { .. } if !complete && !window.view_is_full() => {
                    window.more()?;
                }
                Found::Open { quoted: true } if complete => self.open_to_the_end(window, page)?,
                Found::Open { .. } | Found::Record { .. } | Found::Damaged => reject_line(window, page)?,
            }
        }
        Ok(())
    }

    /// A quotation mark that is open where the file ends: on the last line the file was cut off; before it, the mark is wrong.
    fn open_to_the_end(&self, window: &mut Window<'_>, page: &mut Page) -> Result<(), FormatError> {
        let view = window.view();
        match memchr::memchr(b'\n', view) {
            Some(end) if end + 1 < view.len() => reject_line(window, page),
            _ => Err(truncated(window.place(view.len()), "a quotation mark is open and never closed").into()),
        }
    }

    /// The way of most rows: printable ASCII in which nothing is wrong. Whatever is not quite as usual is left to [`Self::row`].
    #[inline(always)]
    fn plain_row(&self, (view, cells): (&[u8], &[Cell]), place: RecordPlace, shapes: &[ColumnShape], page: &mut Page) -> bool {
        let columns = page.builder.columns.iter_mut();
        let fits = cells.len() == self.header.names.len()
            && shapes.iter().zip(&self.header.sources).zip(columns).all(|((shape, source), column)| {
                let cell = source.map_or(ABSENT, |source| cells[source]);
                let value = Within { around: view, start: cell.start as usize, end: cell.end as usize };
                !cell.doubled && push_plain(value, shape, self.dates, column)
            });
        if fits {
            page.end_row(place);
        } else {
            page.builder.abandon_row();
        }
        fits
    }

    fn row(&self, record: &Record<'_>, shapes: &[ColumnShape], page: &mut Page) {
        let reading = Reading { dates: self.dates, plain: record.plain };
        let mut scratch = String::new();
        if record.cells.len() == self.header.names.len() {
            let columns = page.builder.columns.iter_mut();
            let fits = shapes.iter().zip(&self.header.sources).zip(columns).all(|((shape, source), column)| {
                let value = source.map_or("", |source| trimmed(value(record, record.cells[source], &mut scratch), record.plain));
                push(value, shape, reading, column).is_ok()
            });
            if fits {
                page.end_row(record.place);
                return;
            }
        }
        self.refuse(record, shapes, page);
    }

    /// Goes through a record again, for all that is wrong with it.
    #[cold]
    fn refuse(&self, record: &Record<'_>, shapes: &[ColumnShape], page: &mut Page) {
        page.builder.abandon_row();
        let (found, wanted) = (record.cells.len(), self.header.names.len());
        if found != wanted {
            let reason = if found < wanted {
                let message = format!(
                    "This line has {found} values where the header has {wanted}: look for a missing delimiter or a line broken in two."
                );
                record_reason("record-too-few-values", message)
            } else {
                let message = format!(
                    "This line has {found} values where the header has {wanted}: put a value that holds the delimiter in quotation marks, and write \
                     numbers without commas."
                );
                record_reason("record-too-many-values", message)
            };
            page.reject(RowReject::new(record.place, record.bytes, vec![reason]));
            return;
        }
        let texts: Vec<String> =
            record.cells.iter().map(|cell| trimmed(value(record, *cell, &mut String::new()), record.plain).to_owned()).collect();
        let reasons = if texts.iter().all(String::is_empty) {
            vec![record_reason("record-blank", "Every value of this line is empty: delete the line.".to_owned())]
        } else {
            self.reasons(&texts, shapes, record.plain, page)
        };
        let mut reject = RowReject::new(record.place, record.bytes, reasons);
        reject.decoded = Some(texts_as_json(self.header.names.iter().map(String::as_str).zip(texts.iter().map(String::as_str))));
        page.reject(reject);
    }

    fn reasons(&self, texts: &[String], shapes: &[ColumnShape], plain: bool, page: &mut Page) -> Vec<Reason> {
        let reading = Reading { dates: self.dates, plain };
        let mut reasons = Vec::new();
        for ((shape, source), column) in shapes.iter().zip(&self.header.sources).zip(&mut page.builder.columns) {
            let text = source.map_or("", |source| &texts[source]);
            if let Err(fault) = push(text, shape, reading, column) {
                reasons.push(fault.reason(text, shape));
            }
        }
        reasons
    }
}

/// The text of a value.
#[inline(always)]
fn value<'a>(record: &Record<'a>, cell: Cell, scratch: &'a mut String) -> &'a str {
    let (start, end) = (cell.start as usize, cell.end as usize);
    match record.text {
        Some(text) if !cell.doubled => &text[start..end],
        Some(text) => {
            scratch.clear();
            scratch.push_str(&text[start..end].replace("\"\"", "\""));
            scratch
        }
        None => {
            scratch.clear();
            scratch.push_str(&Windows1252::decode(&record.bytes[start..end]));
            if cell.doubled {
                *scratch = scratch.replace("\"\"", "\"");
            }
            scratch
        }
    }
}

fn damaged() -> Reason {
    let message =
        "The quotation marks of this line do not match: one is never closed, or stands inside a value. Write a mark inside a value twice.";
    record_reason("record-quotes-damaged", message.to_owned())
}

/// Refuses one physical line and goes on after it, so that a stray mark never swallows the lines that follow.
/// A record that is too long although its first line is not has a mark that is never closed.
fn reject_line(window: &mut Window<'_>, page: &mut Page) -> Result<(), FormatError> {
    let mut place = window.place(0);
    let view = &window.view()[..window.view().len().min(REJECT_RAW_BYTES_MAX)];
    let raw = view[..memchr::memchr(b'\n', view).unwrap_or(view.len())].to_vec();
    place.byte_length = window.skip_line()?;
    let raw = &raw[..raw.len().min(usize::try_from(place.byte_length).unwrap_or(usize::MAX))];
    let reason = if place.byte_length > RECORD_BYTES_MAX as u64 { too_long(place.byte_length) } else { damaged() };
    page.reject(RowReject::new(place, raw, vec![reason]));
    Ok(())
}
