//! Reads a file batch by batch. The format is matched once a batch; the loop over records is the format's own.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::error::{FormatError, RowReject};
use super::place::{Locator, Mark, RecordPlace, Stretch};
use super::window::Window;
use super::{Direction, csv, fixed_width, json_lines};
use crate::model::job::Format;
use crate::model::limits::{BATCH_ROWS, BATCH_TEXT_BYTES_MAX};
use crate::model::rows::{Batch, BatchBuilder, ColumnShape, PortShape};

/// Some rows, where they stand, and what could not be read among them.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The rows; there may be none.
    pub batch: Batch,
    /// Where each row of the batch stands.
    pub places: Vec<RecordPlace>,
    /// What could not be read, in the order of the file.
    pub rejects: Vec<RowReject>,
}

/// Reads one file.
pub struct Decoder<'s> {
    window: Window<'s>,
    page: Page,
    rows: u64,
    locator: Locator,
}

/// All that is known before the first record: shared with the locator, so that a row is read again as it was before.
pub(super) struct Plan {
    pub(super) shapes: Vec<ColumnShape>,
    reader: Reader,
}

enum Reader {
    Csv(csv::Reader),
    JsonLines(json_lines::Reader),
    FixedWidth(fixed_width::Reader),
}

impl<'s> Decoder<'s> {
    /// Opens a file and reads its header, if the format has one.
    ///
    /// # Errors
    /// [`FormatError::File`] if the file is empty, is not text, or has the wrong header; [`FormatError::Layout`] if the
    /// job's format does not fit the port; [`FormatError::Read`] if the stored file cannot be read.
    pub fn open(format: &Format, port: &PortShape, source: impl Read + Send + 's) -> Result<Self, FormatError> {
        super::check(format, port, Direction::Decode)?;
        let mut window = Window::new(Box::new(source), 0, 1);
        let reader = match format {
            Format::Csv(options) => Reader::Csv(csv::Reader::open(options, port, &mut window)?),
            Format::JsonLines(options) => Reader::JsonLines(json_lines::Reader::open(*options, &mut window)?),
            Format::FixedWidth(options) => Reader::FixedWidth(fixed_width::Reader::open(options, port, &mut window)?),
        };
        let plan = Arc::new(Plan { shapes: port.columns.clone(), reader });
        let page = Page::new(&plan.shapes);
        Ok(Self { window, page, rows: 0, locator: Locator::new(&plan, 0) })
    }

    /// Opens a file and reads its header, and then only part of it: the same batches, with the same numbers, as the whole file gives there.
    ///
    /// # Errors
    /// As [`Decoder::open`].
    pub fn open_stretch<S: Read + Seek + Send + 's>(
        format: &Format,
        port: &PortShape,
        mut source: S,
        stretch: Stretch,
    ) -> Result<Self, FormatError> {
        let plan = Arc::clone(Decoder::open(format, port, &mut source)?.locator.plan());
        source.seek(SeekFrom::Start(stretch.from.byte_offset)).map_err(FormatError::Read)?;
        let mut decoder = Self::resume(&plan, stretch.from, Box::new(source));
        decoder.window.stop_at(stretch.until_offset.unwrap_or(u64::MAX));
        Ok(decoder)
    }

    /// Goes on from where some rows began.
    pub(super) fn resume(plan: &Arc<Plan>, mark: Mark, source: Box<dyn Read + Send + 's>) -> Self {
        let window = Window::new(source, mark.byte_offset, mark.line);
        Self { window, page: Page::new(&plan.shapes), rows: mark.first_row, locator: Locator::new(plan, mark.first_row) }
    }

    /// Reads up to 1,024 rows; none when the file has ended. Every record becomes a row or a reject.
    ///
    /// # Errors
    /// [`FormatError::File`] if the file turns out to be truncated or in another encoding: then no row of it can be
    /// trusted, those read before included. [`FormatError::Read`] if the stored file cannot be read.
    pub fn next_batch(&mut self) -> Result<Option<Decoded>, FormatError> {
        let mark = self.mark();
        let plan = &**self.locator.plan();
        match &plan.reader {
            Reader::Csv(reader) => reader.fill(&plan.shapes, &mut self.window, &mut self.page)?,
            Reader::JsonLines(reader) => reader.fill(&plan.shapes, &mut self.window, &mut self.page)?,
            Reader::FixedWidth(reader) => reader.fill(&plan.shapes, &mut self.window, &mut self.page)?,
        }
        let decoded = self.page.take(self.rows);
        if decoded.batch.rows == 0 && decoded.rejects.is_empty() {
            return Ok(None);
        }
        if decoded.batch.rows > 0 {
            self.rows += decoded.batch.rows as u64;
            let mut found = self.locator.found();
            found.marks.push(mark);
            found.rows = self.rows;
        }
        Ok(Some(decoded))
    }

    /// Where the next batch begins.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        let start = self.window.place(0);
        Mark { first_row: self.rows, byte_offset: start.byte_offset, line: start.line }
    }

    /// Rows read so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Finds rows again that were read, now or later, even when the decoder itself is long gone.
    #[must_use]
    pub fn locator(&self) -> Locator {
        self.locator.clone()
    }
}

/// The batch that is being filled.
pub(super) struct Page {
    pub(super) builder: BatchBuilder,
    places: Vec<RecordPlace>,
    rejects: Vec<RowReject>,
    held_bytes: usize,
}

impl Page {
    fn new(shapes: &[ColumnShape]) -> Self {
        Self { builder: BatchBuilder::new(shapes), places: Vec::new(), rejects: Vec::new(), held_bytes: 0 }
    }

    /// Whether it has all the rows or all the bytes that a batch may have.
    #[inline]
    pub(super) const fn is_full(&self) -> bool {
        self.places.len() >= BATCH_ROWS || self.held_bytes >= BATCH_TEXT_BYTES_MAX
    }

    /// The row that was put into the builder is whole.
    #[inline]
    pub(super) fn end_row(&mut self, place: RecordPlace) {
        self.builder.end_row();
        self.places.push(place);
        self.held_bytes += usize::try_from(place.byte_length).expect("a record is far smaller than memory");
    }

    /// A record is refused; what was put into the builder for it is taken back.
    pub(super) fn reject(&mut self, reject: RowReject) {
        self.builder.abandon_row();
        self.held_bytes += reject.held_bytes();
        self.rejects.push(reject);
    }

    fn take(&mut self, first_row: u64) -> Decoded {
        self.held_bytes = 0;
        let places = std::mem::replace(&mut self.places, Vec::with_capacity(BATCH_ROWS));
        Decoded { batch: self.builder.take(first_row), places, rejects: std::mem::take(&mut self.rejects) }
    }
}
