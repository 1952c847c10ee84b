//! How dealing with the outside world goes wrong, by whose move is next.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::ids::Digest;

/// Why a file was not pulled, delivered or stored.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The operator's: the folder is not there, is no folder, or may not be used by the hub.
    #[error("the folder {} cannot be used: {source}. Create it, or let the hub's user read and write it", path.display())]
    FolderUnusable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The operator's: the job's pattern of file names cannot be used.
    #[error("{pattern:?} is not a pattern of file names: {message}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// The operator's: the job's file name gives something that is no name for a file.
    #[error("{name:?} is not a name for a delivered file: {message}")]
    FileName {
        /// The name.
        name: String,
        /// What is wrong with it.
        message: &'static str,
    },
    /// The operator's: a file with other content has the name. Nothing was overwritten.
    #[error("{} is there already with other content, and is not overwritten: move it away, or give the job another file name", target.display())]
    TargetTaken {
        /// The file that is there.
        target: PathBuf,
    },
    /// The sender's: the file changed while it was read. It is taken later, by itself.
    #[error("{name} is still being written: it is taken once it has been left alone")]
    StillBeingWritten {
        /// The file.
        name: String,
    },
    /// The sender's: a link or a device stands where a file was listed. Links are not followed, so that no file outside the folder is read.
    #[error("{name} is not a plain file in the folder, so it is not read")]
    NotAPlainFile {
        /// The name.
        name: String,
    },
    /// The place's: reading or writing failed. It may be tried again.
    #[error("{} could not be {action}: {source}", path.display())]
    Transfer {
        /// The file or folder.
        path: PathBuf,
        /// What was tried: read, written.
        action: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The hub's: an artefact is not in the store. It expired, or the store was changed by hand.
    #[error("artefact {} is not in the store", digest.short())]
    ArtefactMissing {
        /// Which.
        digest: Digest,
    },
    /// The hub's: the store's disk gave back other bytes than were stored. Restore the store from its copy.
    #[error("artefact {} is damaged: its bytes have the digest {}", digest.short(), found.short())]
    ArtefactDamaged {
        /// What it should be.
        digest: Digest,
        /// What it is.
        found: Digest,
    },
    /// The hub's: the store cannot be read or written, most often because the disk is full. It may be tried again.
    #[error("the store of artefacts at {} failed: {source}", path.display())]
    Store {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl ConnectionError {
    /// Whether another attempt may go better without anybody doing anything.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::StillBeingWritten { .. } | Self::Transfer { .. } | Self::Store { .. })
    }

    /// What went wrong with a folder of a connection, or a file in it.
    pub(super) fn at(path: &Path, action: &'static str, source: io::Error) -> Self {
        use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
        let path = path.to_owned();
        match source.kind() {
            NotFound | NotADirectory | PermissionDenied | ReadOnlyFilesystem => Self::FolderUnusable { path, source },
            _ => Self::Transfer { path, action, source },
        }
    }

    /// What went wrong in the store.
    pub(super) fn store(path: &Path, source: io::Error) -> Self {
        Self::Store { path: path.to_owned(), source }
    }
}
