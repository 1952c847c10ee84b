//! The store of artefacts: files named by the SHA-256 of their bytes, so that what a run read and wrote can be shown
//! and read again, and is never two things at once.
//!
//! An artefact is in the store only when its bytes and its name are on disk, and, where hubs share a bucket, in the bucket too. Then
//! the folder is a copy at hand: what is not in it is fetched, and what is fetched is compared with its name. It knows bytes and
//! digests only.

mod copy;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use sha2::Digest as _;
use tempfile::NamedTempFile;

use super::error::ConnectionError;
use super::s3::Shared;
use crate::model::ids::Digest;

pub(super) use copy::{COPY_BYTES, Side, copy, digest_of};

/// Where files stand while they are written.
const STAGING: &str = "staging";

/// A folder of artefacts, and the bucket that it is a copy of, if hubs share one.
#[derive(Debug, Clone)]
pub struct Artefacts {
    root: PathBuf,
    shared: Option<Arc<Shared>>,
}

/// What names an artefact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

impl Artefacts {
    /// Opens a store, and makes its folders if they are not there.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if they cannot be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, ConnectionError> {
        let root = root.into();
        fs::create_dir_all(root.join(STAGING)).map_err(|error| ConnectionError::store(&root, error))?;
        Ok(Self { root, shared: None })
    }

    /// Opens a store whose artefacts are in a bucket, with the folder for copies.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the folders cannot be made or the bucket cannot be used.
    pub fn open_shared(root: impl Into<PathBuf>, shared: Shared) -> Result<Self, ConnectionError> {
        shared.look()?;
        Ok(Self { shared: Some(Arc::new(shared)), ..Self::open(root)? })
    }

    /// Whether other hubs reach what is in this store.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Begins a new artefact, which is in the store once it is committed, and gone if it is dropped before.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the store cannot be written.
    pub fn writer(&self) -> Result<StagedWriter, ConnectionError> {
        let staging = self.root.join(STAGING);
        let file = NamedTempFile::new_in(&staging).map_err(|error| ConnectionError::store(&staging, error))?;
        Ok(StagedWriter { artefacts: self.clone(), file, hasher: sha2::Sha256::new(), size: 0 })
    }

    /// Stores all that a reader gives.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the store cannot be written, or the reader fails.
    pub fn put(&self, mut source: impl Read) -> Result<Stored, ConnectionError> {
        let mut writer = self.writer()?;
        writer.take_all(&mut source).map_err(|(Side::Source | Side::Sink, error)| ConnectionError::store(&self.root, error))?;
        writer.commit()
    }

    /// Opens an artefact for reading.
    ///
    /// # Errors
    /// [`ConnectionError::ArtefactMissing`] if it is not in the store; [`ConnectionError::ArtefactDamaged`] if the bucket has other bytes.
    pub fn read(&self, digest: &Digest) -> Result<File, ConnectionError> {
        let path = self.path(digest);
        match (File::open(&path), &self.shared) {
            (Ok(file), _) => Ok(file),
            (Err(error), Some(shared)) if error.kind() == io::ErrorKind::NotFound => {
                let mut writer = self.writer()?;
                shared.fetch(digest, &mut writer)?;
                writer.keep(Some(*digest))?;
                File::open(&path).map_err(|error| ConnectionError::store(&path, error))
            }
            (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Err(ConnectionError::ArtefactMissing { digest: *digest }),
            (Err(error), _) => Err(ConnectionError::store(&path, error)),
        }
    }

    /// Whether an artefact is at hand, in the folder.
    #[must_use]
    pub fn holds(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Reads an artefact through and compares its digest.
    ///
    /// # Errors
    /// [`ConnectionError::ArtefactDamaged`] if it is not what it was; [`ConnectionError::ArtefactMissing`] if it is not there.
    pub fn verify(&self, digest: &Digest) -> Result<Stored, ConnectionError> {
        match self.verify_at_hand(digest) {
            // The bucket may have it whole.
            Err(ConnectionError::ArtefactDamaged { .. }) if self.is_shared() => {
                self.remove_at_hand(digest)?;
                self.verify_at_hand(digest)
            }
            verified => verified,
        }
    }

    fn verify_at_hand(&self, digest: &Digest) -> Result<Stored, ConnectionError> {
        let stored = digest_of(&mut self.read(digest)?).map_err(|error| ConnectionError::store(&self.path(digest), error))?;
        if stored.digest == *digest { Ok(stored) } else { Err(ConnectionError::ArtefactDamaged { digest: *digest, found: stored.digest }) }
    }

    /// Removes an artefact, as retention demands. That it is not there is no error.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if it cannot be removed.
    pub fn remove(&self, digest: &Digest) -> Result<(), ConnectionError> {
        if let Some(shared) = &self.shared {
            shared.remove(digest)?;
        }
        self.remove_at_hand(digest)
    }

    fn remove_at_hand(&self, digest: &Digest) -> Result<(), ConnectionError> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ConnectionError::store(&path, error)),
            _ => Ok(()),
        }
    }

    /// Removes an artefact that has lain untouched for some time. Answers its size, or none if there is no such artefact; the outer
    /// none if it was written meanwhile, and stays.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if it cannot be removed.
    pub fn remove_settled(&self, digest: &Digest, now_ms: i64, untouched: Duration) -> Result<Option<Option<u64>>, ConnectionError> {
        if let Some(shared) = &self.shared {
            let removed = shared.remove_settled(digest, untouched)?;
            if removed.is_some() {
                self.remove_at_hand(digest)?;
            }
            return Ok(removed);
        }
        let path = self.path(digest);
        let failed = |error| ConnectionError::store(&path, error);
        let settled = |metadata: &fs::Metadata| {
            let modified_ms = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_millis());
            u128::try_from(now_ms).is_ok_and(|now_ms| now_ms >= modified_ms + untouched.as_millis())
        };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(None)),
            Err(error) => return Err(failed(error)),
            Ok(metadata) if !settled(&metadata) => return Ok(None),
            Ok(_) => {}
        }
        // Set aside first: the same bytes may be committed at this moment, and are then put back.
        let aside = self.root.join(STAGING).join(format!("going-{digest}"));
        fs::rename(&path, &aside).map_err(failed)?;
        let metadata = fs::metadata(&aside).map_err(failed)?;
        if settled(&metadata) {
            fs::remove_file(&aside).map_err(failed)?;
            return Ok(Some(Some(metadata.len())));
        }
        fs::rename(&aside, &path).map_err(failed)?;
        Ok(None)
    }

    /// Removes what was begun and never committed, and not written to for some time: a hub was killed. Answers how many.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the store cannot be read or written.
    pub fn remove_abandoned(&self, now_ms: i64, untouched: Duration) -> Result<usize, ConnectionError> {
        remove_untouched(&self.root.join(STAGING), now_ms, untouched)
    }

    /// Removes copies of what is in the bucket that have not been written for some time: what is wanted again is fetched again, and
    /// what was given up in the bucket by another hub is given up here too. Answers how many. Nothing, where there is no bucket.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the store cannot be read or written.
    pub fn remove_copies(&self, now_ms: i64, untouched: Duration) -> Result<usize, ConnectionError> {
        let mut removed = 0;
        if self.is_shared() {
            let failed = |error| ConnectionError::store(&self.root, error);
            for folder in fs::read_dir(&self.root).map_err(failed)? {
                let folder = folder.map_err(failed)?;
                if folder.file_name() != STAGING {
                    removed += remove_untouched(&folder.path(), now_ms, untouched)?;
                }
            }
        }
        Ok(removed)
    }

    /// Where an artefact stands, or would stand.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join(&name[..2]).join(name)
    }
}

/// An artefact that is being written. Dropped before it is committed, it leaves nothing.
#[derive(Debug)]
pub struct StagedWriter {
    artefacts: Artefacts,
    file: NamedTempFile,
    hasher: sha2::Sha256,
    size: u64,
}

impl Write for StagedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.as_file_mut().write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

impl StagedWriter {
    /// Bytes so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Writes all that a reader gives.
    pub(super) fn take_all(&mut self, source: &mut impl Read) -> Result<u64, (Side, io::Error)> {
        let copied = copy(source, self.file.as_file_mut(), &mut self.hasher)?;
        self.size += copied;
        Ok(copied)
    }

    /// Puts the artefact into the store. When this answers, the bytes and their name are on disk, and in the bucket if there is one.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the store cannot be written.
    pub fn commit(self) -> Result<Stored, ConnectionError> {
        let artefacts = self.artefacts.clone();
        let stored = self.keep(None)?;
        if let Some(shared) = &artefacts.shared {
            shared.put(stored, &|| artefacts.read(&stored.digest))?;
        }
        Ok(stored)
    }

    /// Puts it into the folder, if it is what it is wanted to be.
    fn keep(self, wanted: Option<Digest>) -> Result<Stored, ConnectionError> {
        let digest = Digest::new(self.hasher.finalize().into());
        if let Some(wanted) = wanted.filter(|wanted| *wanted != digest) {
            return Err(ConnectionError::ArtefactDamaged { digest: wanted, found: digest });
        }
        let path = self.artefacts.path(&digest);
        let folder = path.parent().expect("an artefact stands in a folder of the store");
        let failed = |error| ConnectionError::store(&path, error);
        self.file.as_file().sync_all().map_err(failed)?;
        match fs::create_dir(folder) {
            Ok(()) => sync_folder(&self.artefacts.root).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        // The same bytes may be there: then they are replaced by themselves, which mends a damaged artefact.
        self.file.persist(&path).map_err(|error| failed(error.error))?;
        sync_folder(folder).map_err(failed)?;
        Ok(Stored { digest, size: self.size })
    }
}

/// Removes files that have not been written for some time.
fn remove_untouched(folder: &Path, now_ms: i64, untouched: Duration) -> Result<usize, ConnectionError> {
    let failed = |error| ConnectionError::store(folder, error);
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // Another hub may commit it, or remove it, at this moment.
        let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
        let modified_ms = modified.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis());
        if u128::try_from(now_ms).is_ok_and(|now_ms| now_ms >= modified_ms + untouched.as_millis()) {
            removed += usize::from(fs::remove_file(entry.path()).is_ok());
        }
    }
    Ok(removed)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
