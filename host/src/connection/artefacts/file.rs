//! An artefact that is open, whether it is sealed or lies as it is.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use crate::vault::SealedFile;

/// An artefact that is open for reading, from any place. What was altered is never read: the read fails, and says what.
#[derive(Debug)]
pub struct ArtefactFile(Body);

#[derive(Debug)]
enum Body {
    Plain(File),
    /// Behind a lock, as a shared reference reads a plain file too.
    Sealed(Box<Mutex<SealedFile>>),
}

impl ArtefactFile {
    /// One that lies as it is.
    pub(in crate::connection) const fn plain(file: File) -> Self {
        Self(Body::Plain(file))
    }

    pub(super) fn sealed(file: SealedFile) -> Self {
        Self(Body::Sealed(Box::new(Mutex::new(file))))
    }
}

impl Read for ArtefactFile {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Body::Plain(file) => file.read(to),
            Body::Sealed(file) => file.get_mut().unwrap_or_else(PoisonError::into_inner).read(to),
        }
    }
}

impl Seek for ArtefactFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Body::Plain(file) => file.seek(to),
            Body::Sealed(file) => file.get_mut().unwrap_or_else(PoisonError::into_inner).seek(to),
        }
    }
}

impl Read for &ArtefactFile {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match &self.0 {
            Body::Plain(file) => (&mut &*file).read(to),
            Body::Sealed(file) => file.lock().unwrap_or_else(PoisonError::into_inner).read(to),
        }
    }
}

impl Seek for &ArtefactFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &self.0 {
            Body::Plain(file) => (&mut &*file).seek(to),
            Body::Sealed(file) => file.lock().unwrap_or_else(PoisonError::into_inner).seek(to),
        }
    }
}
