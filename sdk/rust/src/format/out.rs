//! Where a format puts the bytes of a file, and the rows that cannot be written.

use std::cell::RefCell;

use crate::rows::{Findings, Reject};
use crate::wire;

/// Bytes of one answer after which [`FileOut::is_full`] says so.
const FULL_BYTES: usize = 256 << 10;

/// Takes the bytes of a file, in order.
#[derive(Debug)]
pub struct FileOut<'c> {
    bytes: &'c mut Vec<u8>,
    port: &'c wire::Port,
    findings: &'c RefCell<Findings>,
}

impl<'c> FileOut<'c> {
    pub(super) const fn new(bytes: &'c mut Vec<u8>, port: &'c wire::Port, findings: &'c RefCell<Findings>) -> Self {
        Self { bytes, port, findings }
    }

    /// Appends bytes to the file.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Says that a row cannot be written, and why. The file then fails as a whole, once the call is over, so that a clerk
    /// is told of every such row in it and not of the first alone.
    #[cold]
    pub fn refuse(&mut self, row: u64, reject: impl Into<Reject>) {
        self.findings.borrow_mut().add((0, self.port), row, wire::Effect::Reject, reject.into().into_reasons());
    }

    /// Whether this answer holds enough: a [`finish`](crate::FileWriter::finish) with more to write
    /// answers [`Done::No`](crate::Done::No) then, and is called again.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES
    }
}
