//! A file sealed as it is written: what is held is one stretch.

use std::io::{self, Seek, SeekFrom, Write};

use super::DataKeys;
use super::layout::{self, FileKey, HEADER_BYTES, Part, STRETCH_BYTES, TAG_BYTES};

/// Seals what is written to it. Until it is finished, what it has written opens as nothing.
pub struct SealingWriter<W> {
    sink: W,
    header: [u8; HEADER_BYTES],
    key: FileKey,
    /// A stretch that is not sealed yet: it may be the last, which only what comes after it tells.
    block: Vec<u8>,
    sealed: u64,
    size: u64,
}

impl<W: Write + Seek> SealingWriter<W> {
    /// Begins a file at the start of a sink.
    ///
    /// # Errors
    /// What the sink fails of.
    pub fn new(mut sink: W, keys: &DataKeys) -> io::Result<Self> {
        let (header, key) = layout::begin(keys);
        sink.write_all(&[0; HEADER_BYTES])?;
        let block = Vec::with_capacity(STRETCH_BYTES + TAG_BYTES);
        Ok(Self { sink, header, key, block, sealed: 0, size: 0 })
    }

    /// Seals what is left and completes the header with the SHA-256 of all that was written. Answers the sink.
    ///
    /// # Errors
    /// What the sink fails of.
    pub fn finish(mut self, digest: &[u8; 32]) -> io::Result<W> {
        if !self.block.is_empty() {
            self.put(Part::LastStretch(self.sealed))?;
        }
        layout::complete(&mut self.header, &self.key, self.size, digest);
        self.sink.seek(SeekFrom::Start(0))?;
        self.sink.write_all(&self.header)?;
        Ok(self.sink)
    }

    fn put(&mut self, part: Part) -> io::Result<()> {
        self.key.seal(part, &mut self.block);
        self.sink.write_all(&self.block)?;
        self.block.clear();
        self.sealed += 1;
        Ok(())
    }
}

impl<W: Write + Seek> Write for SealingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == STRETCH_BYTES && !bytes.is_empty() {
            self.put(Part::Stretch(self.sealed))?;
        }
        let taken = bytes.len().min(STRETCH_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        self.size += taken as u64;
        Ok(taken)
    }

    /// What is not sealed yet stays: it is written when the file is finished.
    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl<W> std::fmt::Debug for SealingWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealingWriter").field("size", &self.size).finish_non_exhaustive()
    }
}
