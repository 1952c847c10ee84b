//! Where records stand in a file, and how one is found again by its row number.

use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::decode::{Decoder, Plan};
use super::error::FormatError;
use super::json_lines::row_as_json;
use crate::model::limits::REJECT_RAW_BYTES_MAX;
pub use crate::model::rows::RecordPlace;

impl RecordPlace {
    /// Reads the record's bytes, or the first 64 KiB of them, from the file that it stands in.
    ///
    /// # Errors
    /// [`FormatError::Read`] if the file cannot be read.
    pub fn read_raw(&self, source: &mut (impl Read + Seek)) -> Result<Vec<u8>, FormatError> {
        source.seek(SeekFrom::Start(self.byte_offset)).map_err(FormatError::Read)?;
        let mut raw = Vec::new();
        source.take(self.byte_length.min(REJECT_RAW_BYTES_MAX as u64)).read_to_end(&mut raw).map_err(FormatError::Read)?;
        Ok(raw)
    }
}

/// A row found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Its number, counted from 0 over all rows that could be read.
    pub row: u64,
    /// Where it stands.
    pub place: RecordPlace,
    /// Its bytes, or the first 64 KiB of them.
    pub raw: Vec<u8>,
    /// Its values: a JSON object, as a JSON lines file has them.
    pub decoded: String,
}

/// The start of some rows: 24 bytes a batch are kept of what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The number of the first of them, counted from 0 over all rows that could be read.
    pub first_row: u64,
    /// Where the first record begins, counted from 0.
    pub byte_offset: u64,
    /// On which line, counted from 1.
    pub line: u64,
}

/// Part of a file: the records from one place to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins: between two batches of the whole file.
    pub from: Mark,
    /// Where the next one begins; none where the file ends with it.
    pub until_offset: Option<u64>,
}

/// What a decoder has read so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) marks: Vec<Mark>,
    pub(super) rows: u64,
}

/// Finds rows again that a decoder has read, by reading part of the file once more. It knows of every row as soon as the
/// decoder does, be that on another thread.
#[derive(Clone)]
pub struct Locator {
    plan: Arc<Plan>,
    found: Arc<Mutex<Found>>,
}

impl Locator {
    pub(super) fn new(plan: &Arc<Plan>, rows: u64) -> Self {
        Self { plan: Arc::clone(plan), found: Arc::new(Mutex::new(Found { marks: Vec::new(), rows })) }
    }

    pub(super) const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// What has been read so far. Nothing that could panic is done while it is held.
    pub(super) fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the rows begin among which a row is, and the number of the first row after them.
    fn around(&self, row: u64) -> Option<(Mark, u64)> {
        let found = self.found();
        let after = found.marks.partition_point(|mark| mark.first_row <= row);
        let mark = after.checked_sub(1).map(|place| found.marks[place])?;
        Some((mark, found.marks.get(after).map_or(found.rows, |mark| mark.first_row)))
    }

    /// Finds one row. None if no row of that number was read.
    ///
    /// # Errors
    /// [`FormatError::Read`] if the file cannot be read; [`FormatError::File`] if it is another file than was read before.
    pub fn locate<S: Read + Seek + Send>(&self, row: u64, source: &mut S) -> Result<Option<Located>, FormatError> {
        let mut found = None;
        self.locate_each(&[row], source, |located| found = Some(located))?;
        Ok(found)
    }

    /// Finds several rows, given in ascending order, reading each batch that holds some of them once.
    /// Numbers that no row has are passed over.
    ///
    /// # Errors
    /// As [`Locator::locate`].
    pub fn locate_each<S: Read + Seek + Send>(
        &self,
        rows: &[u64],
        source: &mut S,
        mut each: impl FnMut(Located),
    ) -> Result<(), FormatError> {
        let read = self.found().rows;
        let mut wanted = rows.iter().copied().take_while(|row| *row < read).peekable();
        while let Some(row) = wanted.peek().copied() {
            let Some((mark, until)) = self.around(row) else {
                wanted.next();
                continue;
            };
            let mut found = Vec::new();
            source.seek(SeekFrom::Start(mark.byte_offset)).map_err(FormatError::Read)?;
            let mut decoder = Decoder::resume(&self.plan, mark, Box::new(&mut *source));
            while let Some(page) = decoder.next_batch()? {
                let (first, end) = (page.batch.first_row, page.batch.first_row + page.batch.rows as u64);
                while let Some(row) = wanted.next_if(|row| *row < end) {
                    let within = usize::try_from(row - first).expect("a batch is far smaller than memory");
                    let decoded = row_as_json(&self.plan.shapes, &page.batch, within);
                    found.push(Located { row, place: page.places[within], raw: Vec::new(), decoded });
                }
                if end >= until || wanted.peek().is_none_or(|next| *next >= until) {
                    break;
                }
            }
            drop(decoder);
            for mut located in found {
                located.raw = located.place.read_raw(source)?;
                each(located);
            }
            // A file that became shorter since would otherwise be searched for ever.
            while wanted.next_if(|row| *row < until).is_some() {}
        }
        Ok(())
    }
}
