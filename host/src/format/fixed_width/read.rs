//! Lines of fixed width into rows.

use std::borrow::Cow;

use super::layout::{Field, Layout};
use crate::format::Direction;
use crate::format::cell::{Fault, Reading, Windows1252, is_plain, parse_fixed_point, push, trimmed};
use crate::format::decode::Page;
use crate::format::encoding::{first_look, truncated, utf8};
use crate::format::error::{FormatError, RowReject, record_reason};
use crate::format::json_lines::{refuse_long, texts_as_json};
use crate::format::window::{Line, Window};
use crate::model::job::{Align, DateStyle, Encoding, FixedWidthFormat};
use crate::model::outcome::Reason;
use crate::model::rows::{ColumnBuilder, ColumnShape, PortShape};

/// Reads fixed width.
pub(in crate::format) struct Reader {
    encoding: Encoding,
    dates: DateStyle,
    layout: Layout,
}

/// A line, and where its characters begin where they are not one byte each.
struct Characters<'a> {
    text: Cow<'a, str>,
    starts: Vec<usize>,
    plain: bool,
}

impl Reader {
    pub(in crate::format) fn open(options: &FixedWidthFormat, port: &PortShape, window: &mut Window<'_>) -> Result<Self, FormatError> {
        let layout = Layout::new(options, port, Direction::Decode)?;
        first_look(window, options.encoding)?;
        Ok(Self { encoding: options.encoding, dates: options.dates, layout })
    }

    /// Reads records until the page is full or the file ends.
    pub(in crate::format) fn fill(&self, shapes: &[ColumnShape], window: &mut Window<'_>, page: &mut Page) -> Result<(), FormatError> {
        while !page.is_full() && !window.is_stopped() {
            match window.line()? {
                Line::None => break,
                Line::TooLong => page.reject(refuse_long(window)?),
                Line::Whole { length: 0, step } => window.advance(step, u64::from(step > 0)),
                Line::Whole { length, step } => {
                    let place = window.place(length);
                    let record = &window.view()[..length];
                    let line = Characters::new(record, self.encoding, |record| utf8(record, place))?;
                    if step == length && line.count() < self.layout.width {
                        let how = format!("it has {} characters of {}", line.count(), self.layout.width);
                        return Err(truncated(place, &how).into());
                    }
                    match self.row(&line, shapes, page) {
                        Ok(()) => page.end_row(place),
                        Err((reasons, decoded)) => {
                            let mut reject = RowReject::new(place, record, reasons);
                            reject.decoded = decoded;
                            page.reject(reject);
                        }
                    }
                    window.advance(step, u64::from(step > length));
                }
            }
        }
        Ok(())
    }

    fn row(&self, line: &Characters<'_>, shapes: &[ColumnShape], page: &mut Page) -> Result<(), (Vec<Reason>, Option<String>)> {
        if let Some(reason) = self.wrong_length(line) {
            return Err((vec![reason], None));
        }
        let mut reasons = Vec::new();
        for ((shape, field), column) in shapes.iter().zip(&self.layout.fields).zip(&mut page.builder.columns) {
            let value = field.map_or("", |field| line.value(field, shape));
            if let Err(fault) = self.put(value, shape, (*field, line.plain), column) {
                reasons.push(fault.reason(value, shape));
            }
        }
        if reasons.is_empty() {
            return Ok(());
        }
        if line.text.trim().is_empty() {
            reasons = vec![record_reason("record-blank", "This line is blank: delete it.".to_owned())];
        }
        let values = shapes.iter().zip(&self.layout.fields);
        let decoded = texts_as_json(values.filter_map(|(shape, field)| field.map(|field| (shape.name.as_str(), line.value(field, shape)))));
        Err((reasons, Some(decoded)))
    }

    fn put(&self, value: &str, shape: &ColumnShape, (field, plain): (Option<Field>, bool), to: &mut ColumnBuilder) -> Result<(), Fault> {
        if field.is_some_and(|field| field.point_implied) && !value.is_empty() {
            to.push_number(parse_fixed_point(value, 0)?);
            return Ok(());
        }
        push(value, shape, Reading { dates: self.dates, plain }, to)
    }

    fn wrong_length(&self, line: &Characters<'_>) -> Option<Reason> {
        let (found, wanted) = (line.count(), self.layout.width);
        if found < wanted {
            let message = format!(
                "This line has {found} characters and must have {wanted}: look for spaces lost at its end, or a line broken in two."
            );
            return Some(record_reason("record-too-narrow", message));
        }
        let surplus = line.slice(wanted, found);
        if !surplus.trim().is_empty() {
            let message =
                format!("This line has {found} characters and must have {wanted}: look for a value that pushed the others out of place.");
            return Some(record_reason("record-too-wide", message));
        }
        None
    }
}

impl<'a> Characters<'a> {
    fn new<E>(record: &'a [u8], encoding: Encoding, utf8: impl FnOnce(&'a [u8]) -> Result<&'a str, E>) -> Result<Self, E> {
        let plain = is_plain(record);
        let text = match encoding {
            Encoding::Windows1252 if !plain => Windows1252::decode(record),
            _ => Cow::Borrowed(utf8(record)?),
        };
        let starts = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(start, _)| start).collect() };
        Ok(Self { text, starts, plain })
    }

    fn count(&self) -> usize {
        if self.starts.is_empty() { self.text.len() } else { self.starts.len() }
    }

    /// The characters from one place to before another.
    fn slice(&self, from: usize, to: usize) -> &str {
        let byte = |place: usize| if self.starts.is_empty() { place } else { self.starts.get(place).copied().unwrap_or(self.text.len()) };
        &self.text[byte(from)..byte(to)]
    }

    /// A field without what it is filled up with.
    fn value(&self, field: Field, shape: &ColumnShape) -> &str {
        let whole = self.slice(field.start, field.start + field.width);
        let value = match field.align {
            _ if !field.is_stripped(shape.kind) => whole,
            Align::Left => whole.trim_end_matches(field.fill),
            Align::Right => whole.trim_start_matches(field.fill),
        };
        trimmed(value, self.plain)
    }
}
