//! The store of artefacts: files named by the SHA-256 of their bytes, so that what a run read and wrote can be shown
//! and read again, and is never two things at once.
//!
//! ```text
//! PARTNER/ab/ab12…   under sealed/: what is a partner's, sealed under its key      staged   one that is being written
//! ab/ab12…           as it is: releases in a bucket, and what an earlier version    file     one that is open
//!                    of the hub kept                                               copy     bytes with their digest
//! without a name     what somebody sends, until it has been read                   incoming one that comes in
//! ```
//!
//! The name is the digest of the plain bytes, as the ledger, receipts and receivers know it: so it is proof of what was read and sent
//! even when the file is long gone. To whoever has the folder alone it tells whether a file is in it that they have whole already.
//!
//! An artefact is in the store only when its bytes and its name are on disk, and, where hubs share a bucket, in the bucket too. Then
//! the folder is a copy at hand: what is not in it is fetched, and what is fetched is compared with its name. It knows bytes and
//! digests only.

mod copy;
mod file;
mod incoming;
mod staged;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tempfile::NamedTempFile;

use super::error::ConnectionError;
use super::s3::Shared;
use crate::model::ids::{Digest, PartnerName};
use crate::vault::{DataKeys, SealedFile, VaultError};

pub(super) use copy::{COPY_BYTES, Side, copy, digest_of};
pub use file::ArtefactFile;
pub use incoming::{Handed, Incoming};
pub use staged::StagedWriter;

/// Where files stand while they are written.
const STAGING: &str = "staging";

/// Where files stand that are sealed.
const SEALED: &str = "sealed";

/// A folder of artefacts, and the bucket that it is a copy of, if hubs share one.
#[derive(Debug, Clone)]
pub struct Artefacts {
    root: PathBuf,
    shared: Option<Arc<Shared>>,
    /// Whose artefacts these are; none for those that are nobody's rows.
    of: Option<Of>,
}

/// Whose artefacts, and what they are sealed under; none where they are only removed.
#[derive(Debug, Clone)]
struct Of {
    partner: PartnerName,
    keys: Option<Arc<DataKeys>>,
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
        Ok(Self { root, shared: None, of: None })
    }

    /// Opens a store whose artefacts are in a bucket, with the folder for copies.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if the folders cannot be made or the bucket cannot be used.
    pub fn open_shared(root: impl Into<PathBuf>, shared: Shared) -> Result<Self, ConnectionError> {
        shared.look()?;
        Ok(Self { shared: Some(Arc::new(shared)), ..Self::open(root)? })
    }

    /// The artefacts of one partner, sealed under its keys.
    #[must_use]
    pub fn sealed(&self, partner: &PartnerName, keys: Arc<DataKeys>) -> Self {
        Self { of: Some(Of { partner: partner.clone(), keys: Some(keys) }), ..self.clone() }
    }

    /// The same, to be removed and not to be read: that needs no key.
    #[must_use]
    pub fn removable(&self, partner: &PartnerName) -> Self {
        Self { of: Some(Of { partner: partner.clone(), keys: None }), ..self.clone() }
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
        let failed = |error| ConnectionError::store(&self.root, error);
        StagedWriter::new(self, self.staging()?).map_err(failed)
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
    /// [`ConnectionError::ArtefactMissing`] if it is not in the store; [`ConnectionError::ArtefactDamaged`] if it has other bytes than its
    /// name says, and [`ConnectionError::ArtefactAltered`] if that shows without reading it through.
    pub fn read(&self, digest: &Digest) -> Result<ArtefactFile, ConnectionError> {
        match self.read_own(digest) {
            // What an earlier version of the hub kept is not sealed: then its name alone vouches for it.
            Err(ConnectionError::ArtefactMissing { .. }) if self.of.is_some() => {
                let plain = Self { of: None, ..self.clone() };
                plain.check(plain.read_own(digest)?, digest).map_err(|error| match error {
                    ConnectionError::ArtefactDamaged { found, .. } => {
                        ConnectionError::ArtefactAltered { digest: *digest, why: format!("artefact {digest} has the bytes of {found}") }
                    }
                    error => error,
                })?;
                plain.read_own(digest)
            }
            read => read,
        }
    }

    fn read_own(&self, digest: &Digest) -> Result<ArtefactFile, ConnectionError> {
        let path = self.path(digest);
        match (File::open(&path), &self.shared) {
            (Ok(file), _) => self.opened(file, digest),
            (Err(error), Some(shared)) if error.kind() == io::ErrorKind::NotFound => {
                let mut file = self.staging()?;
                shared.fetch((&self.name(digest), digest), &mut file)?;
                staged::keep_fetched(file, self, digest)?;
                self.opened(File::open(&path).map_err(|error| ConnectionError::store(&path, error))?, digest)
            }
            (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Err(ConnectionError::ArtefactMissing { digest: *digest }),
            (Err(error), _) => Err(ConnectionError::store(&path, error)),
        }
    }

    /// A file of this store, as its plain bytes are read.
    fn opened(&self, file: File, digest: &Digest) -> Result<ArtefactFile, ConnectionError> {
        let Some(of) = &self.of else { return Ok(ArtefactFile::plain(file)) };
        let keys = of.keys.as_ref().expect("what is only to be removed is not read");
        let sealed = SealedFile::open(file, keys, (digest.bytes(), &format!("artefact {digest}")));
        sealed.map(ArtefactFile::sealed).map_err(|error| match error {
            VaultError::Io { source, .. } => ConnectionError::store(&self.path(digest), source),
            error => ConnectionError::ArtefactAltered { digest: *digest, why: error.to_string() },
        })
    }

    /// Reads an open artefact through and compares its digest.
    fn check(&self, mut file: ArtefactFile, digest: &Digest) -> Result<Stored, ConnectionError> {
        let stored = digest_of(&mut file).map_err(|error| self.failed(digest, error))?;
        if stored.digest == *digest { Ok(stored) } else { Err(ConnectionError::ArtefactDamaged { digest: *digest, found: stored.digest }) }
    }

    /// An artefact could not be read through: it was altered, or the disk failed.
    pub(super) fn failed(&self, digest: &Digest, error: io::Error) -> ConnectionError {
        if error.get_ref().is_some_and(|inner| inner.is::<VaultError>()) {
            return ConnectionError::ArtefactAltered { digest: *digest, why: error.to_string() };
        }
        ConnectionError::store(&self.path(digest), error)
    }

    fn staging(&self) -> Result<NamedTempFile, ConnectionError> {
        let staging = self.root.join(STAGING);
        NamedTempFile::new_in(&staging).map_err(|error| ConnectionError::store(&staging, error))
    }

    fn keys(&self) -> Option<&DataKeys> {
        self.of.as_ref().map(|of| of.keys.as_deref().expect("what is only to be removed is not written"))
    }

    /// Whether an artefact is at hand, in the folder.
    #[must_use]
    pub fn holds(&self, digest: &Digest) -> bool {
        self.path(digest).is_file() || self.of.is_some() && Self { of: None, ..self.clone() }.holds(digest)
    }

    /// Reads an artefact through and compares its digest.
    ///
    /// # Errors
    /// [`ConnectionError::ArtefactDamaged`] if it is not what it was; [`ConnectionError::ArtefactMissing`] if it is not there.
    pub fn verify(&self, digest: &Digest) -> Result<Stored, ConnectionError> {
        match self.verify_at_hand(digest) {
            // The bucket may have it whole.
            Err(ConnectionError::ArtefactDamaged { .. } | ConnectionError::ArtefactAltered { .. }) if self.is_shared() => {
                self.remove_at_hand(digest)?;
                self.verify_at_hand(digest)
            }
            verified => verified,
        }
    }

    fn verify_at_hand(&self, digest: &Digest) -> Result<Stored, ConnectionError> {
        self.check(self.read(digest)?, digest)
    }

    /// Removes an artefact, as retention demands. That it is not there is no error.
    ///
    /// # Errors
    /// [`ConnectionError::Store`] if it cannot be removed.
    pub fn remove(&self, digest: &Digest) -> Result<(), ConnectionError> {
        if let Some(shared) = &self.shared {
            shared.remove(&self.name(digest))?;
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
            let removed = shared.remove_settled(&self.name(digest), untouched)?;
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
        let aside = self.root.join(STAGING).join(format!("going-{}", self.name(digest).replace('/', "-")));
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
        if !self.is_shared() {
            return Ok(0);
        }
        let failed = |error| ConnectionError::store(&self.root, error);
        let mut removed = 0;
        for folder in fs::read_dir(&self.root).map_err(failed)? {
            let folder = folder.map_err(failed)?;
            if folder.file_name() != STAGING {
                removed += remove_untouched(&folder.path(), now_ms, untouched)?;
            }
        }
        Ok(removed)
    }

    /// Where an artefact stands, or would stand.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.root.join(self.name(digest))
    }

    /// The same below the folder, and as a bucket names it, so that one can be copied into the other.
    fn name(&self, digest: &Digest) -> String {
        let name = digest.to_string();
        match &self.of {
            None => format!("{}/{name}", &name[..2]),
            Some(of) => format!("{SEALED}/{}/{}/{name}", of.partner, &name[..2]),
        }
    }
}

/// Removes files that have not been written for some time, here and in folders within.
fn remove_untouched(folder: &Path, now_ms: i64, untouched: Duration) -> Result<usize, ConnectionError> {
    let failed = |error| ConnectionError::store(folder, error);
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            removed += remove_untouched(&entry.path(), now_ms, untouched)?;
            continue;
        }
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
