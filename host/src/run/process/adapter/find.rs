//! Rows found again: what a reject or a warning keeps of the record that it is about.

use crate::connection::ArtefactFile;
use crate::format::{Decoded, Located, RowReject, row_as_json};
use crate::model::outcome::{Effect, Reason};
use crate::model::rows::{Batch, PortShape};
use crate::run::process::file::Finder;
use crate::run::process::{NotedRow, ProcessError};

/// The input that is being read.
pub(super) struct Source<'a> {
    pub(super) input: usize,
    pub(super) shape: &'a PortShape,
    pub(super) file: &'a ArtefactFile,
    pub(super) finder: &'a Finder,
}

impl Source<'_> {
    /// A row of the input; none where another input is meant. `at_hand` is what the plugin has just been given.
    pub(super) fn find(&self, input: usize, row: u64, at_hand: (&Decoded, &Batch)) -> Result<Option<Located>, ProcessError> {
        if input != self.input {
            return Ok(None);
        }
        let (decoded, piece) = at_hand;
        if row >= piece.first_row && row < piece.first_row + piece.rows as u64 {
            return self.located(decoded, row).map(Some);
        }
        self.finder.locate(row, self.file).map_err(|error| self.unreadable(error))
    }

    /// What is noted of a row whose key was seen before.
    pub(super) fn repeat(&self, decoded: &Decoded, row: usize, key: &[usize]) -> Result<NotedRow, ProcessError> {
        let names: Vec<&str> = key.iter().map(|place| self.shape.columns[*place].name.as_str()).collect();
        let message = format!("An earlier row has the same {}. Remove one of them.", names.join(" and "));
        let column = names.first().map(ToString::to_string);
        let located = self.located(decoded, decoded.batch.first_row + row as u64)?;
        Ok(NotedRow {
            input: String::new(),
            effect: Effect::Reject,
            row: Some(located.row),
            line: located.place.line,
            byte_offset: located.place.byte_offset,
            byte_length: located.place.byte_length,
            raw: located.raw,
            decoded: Some(located.decoded),
            reasons: vec![Reason { column, code: "duplicate-row".to_owned(), message }],
        })
    }

    fn located(&self, decoded: &Decoded, row: u64) -> Result<Located, ProcessError> {
        let within = usize::try_from(row - decoded.batch.first_row).expect("a batch is far smaller than memory");
        let place = decoded.places[within];
        let raw = place.read_raw(&mut &*self.file).map_err(|error| self.unreadable(error))?;
        Ok(Located { row, place, raw, decoded: row_as_json(&self.shape.columns, &decoded.batch, within) })
    }

    fn unreadable(&self, error: crate::format::FormatError) -> ProcessError {
        ProcessError::Input { input: self.shape.name.clone(), error }
    }
}

/// What is noted of a record that could not be read.
pub(in crate::run::process) fn unread(reject: RowReject) -> NotedRow {
    NotedRow {
        input: String::new(),
        effect: Effect::Reject,
        row: None,
        line: reject.line,
        byte_offset: reject.byte_offset,
        byte_length: reject.byte_length,
        raw: reject.raw,
        decoded: reject.decoded,
        reasons: reject.reasons,
    }
}
