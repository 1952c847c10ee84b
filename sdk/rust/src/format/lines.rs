//! Cuts the bytes of a file into lines, however they come.

use super::records::Place;
use crate::failure::Failure;

/// A file's lines, one after another, as its bytes come in. LF and CRLF both end a line, and belong to none.
#[derive(Debug)]
pub struct Lines {
    held: Vec<u8>,
    /// Where the next line begins in `held`.
    start: usize,
    /// Where it begins in the file.
    offset: u64,
    line: u64,
    bytes_max: usize,
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'l> {
    /// Where it stands.
    pub place: Place,
    /// Its bytes, without the line's end.
    pub bytes: &'l [u8],
}

impl Lines {
    /// Lines of at most so many bytes.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Self {
        Self { held: Vec::new(), start: 0, offset: 0, line: 1, bytes_max }
    }

    /// Takes the next bytes of the file, after all whole lines before them have been taken by [`next`](Lines::next).
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.drain(..self.start);
        self.start = 0;
        self.held.extend_from_slice(bytes);
    }

    /// The next line that has ended, if there is one.
    ///
    /// # Errors
    /// [`Failure::InputUnusable`] if a line is longer than a line may be.
    #[allow(clippy::should_implement_trait, reason = "a line is lent, which an iterator cannot do")]
    pub fn next(&mut self) -> Result<Option<Line<'_>>, Failure> {
        match self.held[self.start..].iter().position(|byte| *byte == b'\n') {
            Some(length) => self.cut(length, 1).map(Some),
            // One more for a carriage return that waits for its line feed.
            None if self.held.len() - self.start > self.bytes_max + 1 => Err(self.too_long()),
            None => Ok(None),
        }
    }

    /// What stands behind the last line's end, once the file has ended; none if nothing does.
    ///
    /// # Errors
    /// As [`Lines::next`].
    pub fn rest(&mut self) -> Result<Option<Line<'_>>, Failure> {
        match self.held.len() - self.start {
            0 => Ok(None),
            length => self.cut(length, 0).map(Some),
        }
    }

    fn cut(&mut self, length: usize, end: usize) -> Result<Line<'_>, Failure> {
        let start = self.start;
        let with_return = self.held[start..start + length].ends_with(b"\r");
        let content = length - usize::from(with_return);
        if content > self.bytes_max {
            return Err(self.too_long());
        }
        let length_told = u32::try_from(content).map_err(|_| self.too_long())?;
        let place = Place { line: self.line, offset: self.offset, length: length_told };
        self.start += length + end;
        self.offset += (length + end) as u64;
        self.line += 1;
        Ok(Line { place, bytes: &self.held[start..start + content] })
    }

    #[cold]
    fn too_long(&self) -> Failure {
        let message = format!("Line {} is longer than {} characters, which no line of such a file is.", self.line, self.bytes_max);
        Failure::input("line-too-long", message)
    }
}
