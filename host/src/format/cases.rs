//! Cases of rule sets, one JSON object a line, and the decisions about them.
//!
//! It knows that a case is a JSON object without a key twice, and nothing of what is in it.

use std::collections::HashSet;
use std::fmt;
use std::io::{Read, Write};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::encode::Written;
use super::encoding::{first_look, truncated, utf8};
use super::error::{FormatError, RowReject, record_reason};
use super::json_lines::{not_an_object, refuse_long};
use super::place::RecordPlace;
use super::window::{Line, Window};
use crate::model::job::Encoding;
use crate::model::limits::{CASE_BYTES_MAX, RECORD_BYTES_MAX};
use crate::model::outcome::Reason;

// A case that is a record must also be within what a rule set is given.
const _: () = assert!(RECORD_BYTES_MAX <= CASE_BYTES_MAX);

/// Reads cases one by one.
pub struct CaseReader<'s> {
    window: Window<'s>,
    cases: u64,
}

/// One line of a file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseLine {
    /// A JSON object.
    Case {
        /// Its number, counted from 0 over all that could be read.
        row: u64,
        /// Where it stands.
        place: RecordPlace,
        /// The object, as it was written.
        text: String,
    },
    /// Something else.
    Reject(RowReject),
}

impl<'s> CaseReader<'s> {
    /// Opens a file of cases in UTF-8.
    ///
    /// # Errors
    /// [`FormatError::File`] if the file is empty or is not text; [`FormatError::Read`] if the stored file cannot be read.
    pub fn open(source: impl Read + Send + 's) -> Result<Self, FormatError> {
        let mut window = Window::new(Box::new(source), 0, 1);
        first_look(&mut window, Encoding::Utf8)?;
        Ok(Self { window, cases: 0 })
    }

    /// Reads the next line that is not blank; none when the file has ended.
    ///
    /// # Errors
    /// [`FormatError::File`] if the file turns out to be truncated or in another encoding; [`FormatError::Read`] if the
    /// stored file cannot be read.
    pub fn next_case(&mut self) -> Result<Option<CaseLine>, FormatError> {
        loop {
            let (length, step) = match self.window.line()? {
                Line::None => return Ok(None),
                Line::TooLong => return refuse_long(&mut self.window).map(|reject| Some(CaseLine::Reject(reject))),
                Line::Whole { length, step } => (length, step),
            };
            let place = self.window.place(length);
            let record = &self.window.view()[..length];
            let text = utf8(record, place)?;
            let answer = if text.trim().is_empty() {
                None
            } else {
                match check(text) {
                    Ok(()) => Some(CaseLine::Case { row: self.cases, place, text: text.trim().to_owned() }),
                    Err(Wrong { unfinished: true, .. }) if step == length => {
                        return Err(truncated(place, "the JSON object is not finished").into());
                    }
                    Err(wrong) => Some(CaseLine::Reject(RowReject::new(place, record, vec![wrong.reason]))),
                }
            };
            self.window.advance(step, u64::from(step > length));
            if let Some(line) = answer {
                self.cases += u64::from(matches!(line, CaseLine::Case { .. }));
                return Ok(Some(line));
            }
        }
    }
}

struct Wrong {
    reason: Reason,
    unfinished: bool,
}

fn check(text: &str) -> Result<(), Wrong> {
    if text.contains('\0') {
        let message = "This line holds a NUL character, as damaged files do: export the file again.".to_owned();
        return Err(Wrong { reason: record_reason("nul-character", message), unfinished: false });
    }
    match serde_json::from_str::<Object>(text) {
        Ok(Object { twice: None }) => Ok(()),
        Ok(Object { twice: Some(key) }) => {
            let message = format!("The key {key:?} is twice in the same object: remove one.");
            Err(Wrong { reason: record_reason("key-twice", message), unfinished: false })
        }
        Err(error) => Err(Wrong { reason: not_an_object(&error), unfinished: error.is_eof() }),
    }
}

/// A JSON object, read for its keys only.
struct Object {
    twice: Option<String>,
}

/// Any JSON value, read for the keys of the objects in it.
struct Keys {
    twice: Option<String>,
}

struct KeysVisitor;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object, A::Error> {
                KeysVisitor.visit_map(map).map(|keys| Object { twice: keys.twice })
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut seen = HashSet::new();
        let mut twice = None;
        while let Some(key) = map.next_key::<String>()? {
            let within = map.next_value::<Keys>()?.twice;
            twice = twice.or(within);
            if !seen.insert(key.clone()) {
                twice = Some(key);
            }
        }
        Ok(Keys { twice })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
        let mut twice = None;
        while let Some(within) = list.next_element::<Keys>()? {
            twice = twice.or(within.twice);
        }
        Ok(Keys { twice })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Keys, E> {
        Ok(Keys { twice: None })
    }

    fn visit_i64<E>(self, _: i64) -> Result<Keys, E> {
        Ok(Keys { twice: None })
    }

    fn visit_u64<E>(self, _: u64) -> Result<Keys, E> {
        Ok(Keys { twice: None })
    }

    fn visit_f64<E>(self, _: f64) -> Result<Keys, E> {
        Ok(Keys { twice: None })
    }

    fn visit_str<E>(self, _: &str) -> Result<Keys, E> {
        Ok(Keys { twice: None })
    }

    fn visit_unit<E>(self) -> Result<Keys, E> {
        Ok(Keys { twice: None })
    }
}

/// Writes decisions, one JSON object a line, as the caller words them.
pub struct DecisionWriter<W> {
    sink: W,
    buffer: Vec<u8>,
    written: Written,
}

impl<W: Write> DecisionWriter<W> {
    /// Begins a file.
    pub const fn open(sink: W) -> Self {
        Self { sink, buffer: Vec::new(), written: Written { rows: 0, bytes: 0 } }
    }

    /// Writes one line. `text` is JSON without a line end in it.
    ///
    /// # Errors
    /// [`FormatError::Write`] if the sink fails.
    pub fn write(&mut self, text: &str) -> Result<(), FormatError> {
        debug_assert!(!text.contains('\n') && serde_json::from_str::<IgnoredAny>(text).is_ok(), "a decision is one line of JSON");
        self.buffer.extend_from_slice(text.as_bytes());
        self.buffer.push(b'\n');
        self.written.rows += 1;
        if self.buffer.len() >= 64 << 10 { self.pass_on() } else { Ok(()) }
    }

    /// Ends the file and gives the sink back.
    ///
    /// # Errors
    /// [`FormatError::Write`] if the sink fails.
    pub fn finish(mut self) -> Result<(W, Written), FormatError> {
        self.pass_on()?;
        self.sink.flush().map_err(FormatError::Write)?;
        Ok((self.sink, self.written))
    }

    fn pass_on(&mut self) -> Result<(), FormatError> {
        self.sink.write_all(&self.buffer).map_err(FormatError::Write)?;
        self.written.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
