//! The part of a file that is in memory: at most one long record and what was read after it.
//!
//! It knows bytes, lines and offsets, and no format.

use std::io::{self, Read};

use super::error::FormatError;
use super::place::RecordPlace;
use crate::model::limits::RECORD_BYTES_MAX;

/// Read at a time. Larger reads won nothing.
const READ_BYTES: usize = 256 << 10;

/// A record and its line end: what is looked at to find where a record ends, however much more is in memory,
/// so that the answer never depends on how the bytes arrived.
const VIEW_BYTES: usize = RECORD_BYTES_MAX + 2;

/// What MS-DOS programs still write after the last line.
const END_OF_FILE: u8 = 0x1a;

pub(super) struct Window<'s> {
    source: Box<dyn Read + Send + 's>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    line: u64,
    ended: bool,
    /// No record is begun here or after, though more of the file can be seen.
    stop: u64,
}

/// Where the line at the window's start ends.
pub(super) enum Line {
    /// There is none: the file has ended.
    None,
    /// `length` bytes, then `step - length` bytes of line end.
    Whole { length: usize, step: usize },
    /// More than a record may have.
    TooLong,
}

impl<'s> Window<'s> {
    /// At a place in a file: the source's next byte is the one at `offset`, on `line`.
    pub(super) fn new(source: Box<dyn Read + Send + 's>, offset: u64, line: u64) -> Self {
        Self { source, buffer: vec![0; READ_BYTES], start: 0, end: 0, offset, line, ended: false, stop: u64::MAX }
    }

    /// Begins no record at an offset or after it. What lies there is seen all the same, so that the record before it is read as it
    /// is read in the whole file.
    pub(super) const fn stop_at(&mut self, offset: u64) {
        self.stop = offset;
    }

    /// Whether no more records are begun.
    #[inline]
    pub(super) const fn is_stopped(&self) -> bool {
        self.offset >= self.stop
    }

    /// What can be seen of the file from here on.
    pub(super) fn view(&self) -> &[u8] {
        &self.buffer[self.start..self.end.min(self.start + VIEW_BYTES)]
    }

    /// Whether more reading shows no more of this record.
    pub(super) fn view_is_full(&self) -> bool {
        self.end - self.start >= VIEW_BYTES
    }

    /// Whether what can be seen reaches the end of the file.
    pub(super) fn is_complete(&self) -> bool {
        self.ended && self.end - self.start <= VIEW_BYTES
    }

    /// Reads on; false when the file has ended.
    pub(super) fn more(&mut self) -> Result<bool, FormatError> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() - self.end < READ_BYTES / 2 {
            self.buffer.resize((self.buffer.len() * 2).min(VIEW_BYTES + READ_BYTES), 0);
        }
        let before = self.end;
        while self.end < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FormatError::Read(error)),
            }
        }
        if self.ended && self.end > self.start && self.buffer[self.end - 1] == END_OF_FILE {
            self.end -= 1;
        }
        Ok(self.end > before)
    }

    /// Fills the window for a first look at the file.
    pub(super) fn look(&mut self) -> Result<&[u8], FormatError> {
        if self.start == self.end {
            self.more()?;
        }
        Ok(self.view())
    }

    /// The place of a record of some bytes that begins here.
    pub(super) const fn place(&self, length: usize) -> RecordPlace {
        RecordPlace { line: self.line, byte_offset: self.offset, byte_length: length as u64 }
    }

    /// Goes past some bytes with some line ends in them.
    pub(super) const fn advance(&mut self, bytes: usize, lines: u64) {
        self.start += bytes;
        self.offset += bytes as u64;
        self.line += lines;
    }

    /// Finds the end of the line that begins here.
    pub(super) fn line(&mut self) -> Result<Line, FormatError> {
        let mut searched = 0;
        loop {
            let view = self.view();
            let found = memchr::memchr(b'\n', &view[searched..]).map(|place| searched + place);
            let end = match found {
                Some(end) => end,
                None if self.view_is_full() => return Ok(Line::TooLong),
                None => {
                    searched = view.len();
                    if self.more()? {
                        continue;
                    }
                    self.view().len()
                }
            };
            let view = self.view();
            if view.is_empty() {
                return Ok(Line::None);
            }
            let length = if end > 0 && view[end - 1] == b'\r' { end - 1 } else { end };
            if length > RECORD_BYTES_MAX {
                return Ok(Line::TooLong);
            }
            return Ok(Line::Whole { length, step: end + usize::from(found.is_some()) });
        }
    }

    /// Goes past the line that begins here, however long it is, and answers its length without its end.
    pub(super) fn skip_line(&mut self) -> Result<u64, FormatError> {
        let mut length = 0_u64;
        let mut last = 0;
        loop {
            let seen = &self.buffer[self.start..self.end];
            let before = if seen.is_empty() { last } else { seen[seen.len() - 1] };
            if let Some(end) = memchr::memchr(b'\n', seen) {
                let carriage = if end > 0 { seen[end - 1] } else { last } == b'\r';
                self.advance(end + 1, 1);
                return Ok(length + end as u64 - u64::from(carriage));
            }
            length += seen.len() as u64;
            last = before;
            self.advance(seen.len(), 0);
            if !self.more()? {
                return Ok(length - u64::from(last == b'\r'));
            }
        }
    }
}
