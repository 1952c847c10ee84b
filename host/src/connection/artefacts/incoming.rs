//! A file that somebody sends, to be read and then let go: sealed and digested as it comes.
//!
//! It has no name on the disk, so that nothing of it is left whatever ends it, the end of the process too.

use std::fs::File;
use std::io::{self, Write};

use sha2::Digest as _;

use super::file::ArtefactFile;
use super::{Artefacts, STAGING, Stored};
use crate::connection::error::ConnectionError;
use crate::model::ids::Digest;
use crate::vault::SealingWriter;

/// A file that comes in. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    artefacts: Artefacts,
    sink: SealingWriter<File>,
    hasher: sha2::Sha256,
    size: u64,
}

/// One that has come in whole. Dropped, it is gone.
#[derive(Debug)]
pub struct Handed {
    artefacts: Artefacts,
    file: File,
    stored: Stored,
}

impl Artefacts {
    /// Begins to take a file of a partner's, sealed under its key, that is never to be in the store.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the folder cannot be written.
    pub fn incoming(&self) -> Result<Incoming, ConnectionError> {
        let staging = self.root.join(STAGING);
        let begun = || SealingWriter::new(tempfile::tempfile_in(&staging)?, self.keys().expect("whoever sends a file is a partner"));
        let sink = begun().map_err(|error| ConnectionError::store(&staging, error))?;
        Ok(Incoming { artefacts: self.clone(), sink, hasher: sha2::Sha256::new(), size: 0 })
    }
}

impl Incoming {
    /// Ends it.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the folder cannot be written.
    pub fn whole(self) -> Result<Handed, ConnectionError> {
        let Self { artefacts, sink, hasher, size } = self;
        let digest = Digest::new(hasher.finalize().into());
        let file = sink.finish(digest.bytes()).map_err(|error| ConnectionError::store(&artefacts.root, error))?;
        Ok(Handed { artefacts, file, stored: Stored { digest, size } })
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl Handed {
    /// The digest and size of what came in.
    #[must_use]
    pub const fn stored(&self) -> Stored {
        self.stored
    }

    /// Opens it from its beginning.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the disk fails; [`ConnectionError::ArtefactAltered`] if it is not as it came.
    pub fn read(&self) -> Result<ArtefactFile, ConnectionError> {
        let file = self.file.try_clone().map_err(|error| ConnectionError::store(&self.artefacts.root, error))?;
        self.artefacts.opened(file, &self.stored.digest)
    }
}
