//! JSON lines into rows.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::format::cell::{Fault, Reading, is_plain, push, trimmed};
use crate::format::decode::Page;
use crate::format::encoding::{first_look, truncated, utf8};
use crate::format::error::{FormatError, RowReject, record_reason, too_long};
use crate::format::window::{Line, Window};
use crate::model::job::{DateStyle, Encoding, JsonLinesFormat};
use crate::model::limits::REJECT_RAW_BYTES_MAX;
use crate::model::outcome::Reason;
use crate::model::rows::{ColumnBuilder, ColumnKind, ColumnShape};

/// Reads JSON lines.
pub(in crate::format) struct Reader {
    dates: DateStyle,
}

impl Reader {
    pub(in crate::format) fn open(options: JsonLinesFormat, window: &mut Window<'_>) -> Result<Self, FormatError> {
        first_look(window, Encoding::Utf8)?;
        Ok(Self { dates: options.dates })
    }

    /// Reads records until the page is full or the file ends.
    pub(in crate::format) fn fill(&self, shapes: &[ColumnShape], window: &mut Window<'_>, page: &mut Page) -> Result<(), FormatError> {
        while !page.is_full() && !window.is_stopped() {
            match window.line()? {
                Line::None => break,
                Line::TooLong => page.reject(refuse_long(window)?),
                Line::Whole { length, step } => {
                    let place = window.place(length);
                    let record = &window.view()[..length];
                    let text = utf8(record, place)?;
                    if !text.trim().is_empty() {
                        match self.row(text, shapes, page) {
                            Ok(()) => page.end_row(place),
                            Err(Refused::Record { unfinished: true, .. }) if step == length => {
                                return Err(truncated(place, "the JSON object is not finished").into());
                            }
                            Err(Refused::Record { reason, .. }) => page.reject(RowReject::new(place, record, vec![reason])),
                            Err(Refused::Values(reasons)) => {
                                let mut reject = RowReject::new(place, record, reasons);
                                reject.decoded = Some(text.trim().to_owned());
                                page.reject(reject);
                            }
                        }
                    }
                    window.advance(step, u64::from(step > length));
                }
            }
        }
        Ok(())
    }

    fn row(&self, text: &str, shapes: &[ColumnShape], page: &mut Page) -> Result<(), Refused> {
        let fields = Fields::read(text, shapes)?;
        let mut reasons = fields.other_reasons();
        for ((shape, raw), column) in shapes.iter().zip(&fields.values).zip(&mut page.builder.columns) {
            let raw = raw.map_or("null", RawValue::get);
            if let Err((fault, value)) = self.value(raw, shape, column) {
                reasons.push(fault.reason(&value, shape));
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(Refused::Values(reasons)) }
    }

    fn value<'a>(&self, raw: &'a str, shape: &ColumnShape, to: &mut ColumnBuilder) -> Result<(), (Fault, Cow<'a, str>)> {
        let text: Cow<'a, str> = match (raw.as_bytes()[0], shape.kind) {
            (b'n', _) => "".into(),
            (b'"', _) => unquoted(raw).map_err(|fault| (fault, raw.into()))?,
            (b't' | b'f', ColumnKind::Boolean) => raw.into(),
            (b'-' | b'0'..=b'9', ColumnKind::Money { .. } | ColumnKind::Decimal { .. } | ColumnKind::Integer) => raw.into(),
            (first, _) => return Err((Fault::JsonKind { found: kind_of(first) }, raw.into())),
        };
        let plain = is_plain(text.as_bytes());
        let pushed = push(trimmed(&text, plain), shape, Reading { dates: self.dates, plain }, to);
        pushed.map_err(|fault| (fault, text))
    }
}

/// A JSON string as text. The quick way is for those without an escape.
fn unquoted(raw: &str) -> Result<Cow<'_, str>, Fault> {
    let inner = &raw[1..raw.len() - 1];
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(inner.into());
    }
    // Half of a surrogate pair is JSON and no text.
    serde_json::from_str::<String>(raw).map(Cow::Owned).map_err(|_| Fault::Replacement)
}

const fn kind_of(first: u8) -> &'static str {
    match first {
        b'{' => "an object",
        b'[' => "a list",
        b't' | b'f' => "true or false",
        _ => "a number",
    }
}

/// Refuses a line beyond the limit.
pub(in crate::format) fn refuse_long(window: &mut Window<'_>) -> Result<RowReject, FormatError> {
    let mut place = window.place(0);
    let raw = window.view()[..REJECT_RAW_BYTES_MAX].to_vec();
    place.byte_length = window.skip_line()?;
    Ok(RowReject::new(place, &raw, vec![too_long(place.byte_length)]))
}

/// Why a line is no row.
enum Refused {
    /// It is no JSON object. `unfinished` says that it is the beginning of one.
    Record { reason: Reason, unfinished: bool },
    /// It is one, with something wrong in it.
    Values(Vec<Reason>),
}

/// The values of one object, by column.
struct Fields<'a> {
    values: Vec<Option<&'a RawValue>>,
    unknown: Option<String>,
    twice: Option<String>,
}

impl<'a> Fields<'a> {
    fn read(text: &'a str, shapes: &[ColumnShape]) -> Result<Self, Refused> {
        let mut fields = Self { values: vec![None; shapes.len()], unknown: None, twice: None };
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = reader.deserialize_map(FieldsVisitor { shapes, fields: &mut fields }).and_then(|()| reader.end());
        read.map(|()| fields).map_err(|error| Refused::Record { reason: not_an_object(&error), unfinished: error.is_eof() })
    }

    fn other_reasons(&self) -> Vec<Reason> {
        let unknown = self.unknown.iter().map(|name| {
            let message = format!("The key {name:?} is not expected: remove it, or correct its spelling.");
            Reason { column: Some(name.clone()), code: "key-unexpected".to_owned(), message }
        });
        let twice = self.twice.iter().map(|name| {
            let message = format!("The key {name:?} is there twice: remove one.");
            Reason { column: Some(name.clone()), code: "key-twice".to_owned(), message }
        });
        unknown.chain(twice).collect()
    }
}

/// The reason for a line that is no JSON object.
pub(in crate::format) fn not_an_object(error: &serde_json::Error) -> Reason {
    if error.is_data() {
        return record_reason("record-not-an-object", "This line is JSON but no object: write one {…} on each line.".to_owned());
    }
    let message =
        format!("This line is not JSON (character {}): write one JSON object on each line, with nothing after it.", error.column());
    record_reason("record-not-json", message)
}

struct FieldsVisitor<'f, 'a> {
    shapes: &'f [ColumnShape],
    fields: &'f mut Fields<'a>,
}

impl<'a> Visitor<'a> for FieldsVisitor<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(key) = map.next_key_seed(KeySeed { shapes: self.shapes, expected })? {
            let value = map.next_value::<&RawValue>()?;
            match key {
                Ok(place) if self.fields.values[place].is_none() => {
                    self.fields.values[place] = Some(value);
                    expected = place + 1;
                }
                Ok(place) => self.fields.twice = Some(self.shapes[place].name.clone()),
                Err(name) => self.fields.unknown = Some(name),
            }
        }
        Ok(())
    }
}

/// Finds the column of a key: most often the one after the last.
struct KeySeed<'f> {
    shapes: &'f [ColumnShape],
    expected: usize,
}

impl<'a> DeserializeSeed<'a> for KeySeed<'_> {
    type Value = Result<usize, String>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Result<usize, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        if self.shapes.get(self.expected).is_some_and(|shape| shape.name == key) {
            return Ok(Ok(self.expected));
        }
        Ok(self.shapes.iter().position(|shape| shape.name == key).ok_or_else(|| key.chars().take(64).collect()))
    }
}
