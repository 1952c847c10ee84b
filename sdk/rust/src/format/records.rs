//! Where a format puts what it reads of a file: rows, and records that are none.

use serde::Serialize;

use crate::failure::Failure;
use crate::rows::{OutputWriter, Reject};
use crate::wire;

/// Records of one answer after which [`Records::is_full`] says so.
const FULL_RECORDS: usize = 4_096;

/// Where one record stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its line, from 1; of a file without lines, its number.
    pub line: u64,
    /// Its first byte, from 0.
    pub offset: u64,
    /// How many bytes it has, without the line's end.
    pub length: u32,
}

/// Takes rows, and records that are none, in the order of the file.
#[derive(Debug)]
pub struct Records<'c> {
    pub(super) port: &'c wire::Port,
    pub(super) rows: &'c mut OutputWriter,
    pub(super) places: &'c mut Vec<wire::format::Place>,
    pub(super) refused: &'c mut Vec<wire::format::Refused>,
}

impl Records<'_> {
    /// A record that is a row: a struct with a field for each declared column, `Option` for values that may be absent.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if the struct lacks a column or has a field that is none, or if a value does not fit its column.
    /// Pass it on with `?`.
    #[inline]
    pub fn row<T: Serialize>(&mut self, place: Place, row: &T) -> Result<(), Failure> {
        self.rows.write(row, &[])?;
        self.places.push(place.into());
        Ok(())
    }

    /// A record that is no row, and why. The hub keeps its bytes for a clerk, and the run goes on.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if a reason names a column that the manifest does not declare. Pass it on with `?`.
    pub fn refuse(&mut self, place: Place, reject: impl Into<Reject>) -> Result<(), Failure> {
        let mut faults = Vec::new();
        for reason in reject.into().into_reasons() {
            let column = match &reason.column {
                None => None,
                Some(name) => {
                    let found = (0..).zip(&self.port.columns).find(|(_, column)| column.name == *name);
                    Some(found.map(|(place, _)| place).ok_or_else(|| {
                        Failure::defect(
                            "column-unknown",
                            format!("{} names column {name}, which plugin.toml does not declare.", reason.code),
                        )
                    })?)
                }
            };
            faults.push(wire::format::Fault { column, code: reason.code.into_owned(), message: reason.message.into_owned() });
        }
        self.refused.push(wire::format::Refused { place: place.into(), faults });
        Ok(())
    }

    /// Whether this answer holds enough: a [`finish`](crate::FileReader::finish) with more to give
    /// answers [`Done::No`](crate::Done::No) then, and is called again.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.places.len() + self.refused.len() >= FULL_RECORDS
    }
}

impl From<Place> for wire::format::Place {
    fn from(place: Place) -> Self {
        Self { line: place.line, offset: place.offset, length: place.length }
    }
}
