//! An artefact that is being written: hashed, and sealed where it is a partner's, on its way to the disk.

use std::fs::{self, File};
use std::io::{self, Read, Write};

use sha2::Digest as _;
use tempfile::NamedTempFile;

use super::file::ArtefactFile;
use super::{Artefacts, Side, Stored, copy, digest_of, sync_folder};
use crate::connection::error::ConnectionError;
use crate::model::ids::Digest;
use crate::vault::SealingWriter;

/// An artefact that is being written. Dropped before it is committed, it leaves nothing.
#[derive(Debug)]
pub struct StagedWriter {
    artefacts: Artefacts,
    sink: Sink,
    hasher: sha2::Sha256,
    size: u64,
}

#[derive(Debug)]
enum Sink {
    Plain(NamedTempFile),
    Sealed(Box<SealingWriter<NamedTempFile>>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Sealed(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Sealed(file) => file.flush(),
        }
    }
}

impl Write for StagedWriter {
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

impl StagedWriter {
    pub(super) fn new(artefacts: &Artefacts, file: NamedTempFile) -> io::Result<Self> {
        let sink = match artefacts.keys() {
            None => Sink::Plain(file),
            Some(keys) => Sink::Sealed(Box::new(SealingWriter::new(file, keys)?)),
        };
        Ok(Self { artefacts: artefacts.clone(), sink, hasher: sha2::Sha256::new(), size: 0 })
    }

    /// Bytes so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Writes all that a reader gives.
    pub(in crate::connection) fn take_all(&mut self, source: &mut impl Read) -> Result<u64, (Side, io::Error)> {
        let copied = copy(source, &mut self.sink, &mut self.hasher)?;
        self.size += copied;
        Ok(copied)
    }

    /// Puts the artefact into the store. When this answers, the bytes and their name are on disk, and in the bucket if there is one.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the store cannot be written.
    pub fn commit(self) -> Result<Stored, ConnectionError> {
        let Self { artefacts, sink, hasher, size } = self;
        let digest = Digest::new(hasher.finalize().into());
        let failed = |error| ConnectionError::store(&artefacts.path(&digest), error);
        let file = match sink {
            Sink::Plain(file) => file,
            Sink::Sealed(sealing) => sealing.finish(digest.bytes()).map_err(failed)?,
        };
        keep(file, &artefacts, &digest)?;
        if let Some(shared) = &artefacts.shared {
            // What the bucket is given is what stands in the folder: of a sealed file other bytes than those that name it.
            let path = artefacts.path(&digest);
            let open = || File::open(&path).map(ArtefactFile::plain).map_err(failed);
            let whole = digest_of(&mut open()?).map_err(failed)?;
            shared.put((&artefacts.name(&digest), whole), &open)?;
        }
        Ok(Stored { digest, size })
    }
}

/// Puts a file that is whole into the folder.
pub(super) fn keep(file: NamedTempFile, artefacts: &Artefacts, digest: &Digest) -> Result<(), ConnectionError> {
    let path = artefacts.path(digest);
    let folder = path.parent().expect("an artefact stands in a folder of the store");
    let failed = |error| ConnectionError::store(&path, error);
    file.as_file().sync_all().map_err(failed)?;
    make_folder(folder).map_err(failed)?;
    // The same bytes may be there: then they are replaced by themselves, which mends a damaged artefact.
    file.persist(&path).map_err(|error| failed(error.error))?;
    sync_folder(folder).map_err(failed)?;
    Ok(())
}

/// Makes a folder with those that it stands in, each durable in its own.
fn make_folder(folder: &std::path::Path) -> io::Result<()> {
    let Some(parent) = folder.parent() else { return Ok(()) };
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(parent),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folder(parent)?;
            make_folder(folder)
        }
        Err(error) => Err(error),
    }
}

/// What stands in a file that was fetched, if it is the artefact that was wanted; then it is kept.
pub(super) fn keep_fetched(file: NamedTempFile, artefacts: &Artefacts, digest: &Digest) -> Result<(), ConnectionError> {
    let failed = |error| ConnectionError::store(file.path(), error);
    let opened = artefacts.opened(File::open(file.path()).map_err(failed)?, digest)?;
    artefacts.check(opened, digest)?;
    keep(file, artefacts, digest)
}
