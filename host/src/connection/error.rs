//! How dealing with the outside world goes wrong, by whose move is next.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::ids::{Digest, SecretName};

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
    /// The operator's: a file of certificates that the connection names cannot be used.
    #[error("{} cannot be used: {why}. Correct it in connections.toml", path.display())]
    FileUnusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
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
    #[error("{target} is there already with other content, and is not overwritten: move it away, or give the job another file name")]
    TargetTaken {
        /// The file that is there.
        target: String,
    },
    /// A person's: it may have been delivered, and neither the hub nor the receiver's machine can tell.
    #[error(
        "it is not certain whether {target} was delivered: {why}. Ask its receiver, and say what you hear with `bailiwick delivery arrived` or `bailiwick delivery missing`; or `bailiwick cancel` the run"
    )]
    Uncertain {
        /// What was being delivered, and where.
        target: String,
        /// Why nobody can tell.
        why: String,
    },
    /// The hub's: it could not write down that it begins to deliver, so it did not. It may be tried again.
    #[error("nothing was sent: that a delivery begins could not be written down ({why})")]
    NotNoted {
        /// Why not.
        why: String,
    },
    /// The operator's: the server is not the one that was meant, or has a new key. Nothing was sent to it.
    #[error(
        "{place} presents the host key {presented}, and the connection is pinned to {pinned}: ask the server's owner whether the key was changed; if it was, put the new one into connections.toml. Until then nothing is sent"
    )]
    HostKey {
        /// The server.
        place: String,
        /// The fingerprint that it showed.
        presented: String,
        /// What was expected.
        pinned: String,
    },
    /// The operator's: the server does not let the hub in.
    #[error("{place}: {why}. Set the secret again with `bailiwick secret set`, or ask the server's owner")]
    SignIn {
        /// The server.
        place: String,
        /// What it does not accept.
        why: String,
    },
    /// The operator's: what is there is no file, but an API that somebody must speak.
    #[error("{place} is an API and has no files of its own: name a connector in the job's input or output")]
    NeedsConnector {
        /// The address.
        place: String,
    },
    /// The operator's: a credential cannot be used.
    #[error("secret {name} {why}")]
    Credential {
        /// Its name.
        name: SecretName,
        /// What is wrong with it.
        why: String,
    },
    /// The operator's: the server says no, and will again.
    #[error("{place}: {step} was refused: {why}")]
    Refused {
        /// The server.
        place: String,
        /// What was being done.
        step: Step,
        /// What it says.
        why: String,
    },
    /// The network's or the server's: no answer, or not a whole one. It may be tried again.
    #[error("{place}: {step} failed: {why}")]
    Unreachable {
        /// The server.
        place: String,
        /// What was being done.
        step: Step,
        /// What went wrong.
        why: String,
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
    /// The operator restores it from a backup, and asks who changed it.
    #[error("artefact {} cannot be used: {why}", digest.short())]
    ArtefactAltered {
        /// Its name.
        digest: Digest,
        /// What is wrong with it.
        why: String,
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

/// A step of dealing with a server, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its name is looked up.
    Resolve,
    /// A connection is made.
    Connect,
    /// It shows who it is, by its host key.
    HostKey,
    /// It shows who it is, by its certificate.
    Certificate,
    /// The hub signs in.
    SignIn,
    /// Its files are listed.
    List,
    /// A file is read.
    Read,
    /// A file is written.
    Write,
    /// A written file is given its name.
    Rename,
    /// A file is removed.
    Remove,
}

impl Step {
    /// As programs are told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::HostKey => "host-key",
            Self::Certificate => "certificate",
            Self::SignIn => "sign-in",
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Rename => "rename",
            Self::Remove => "remove",
        }
    }

    /// As people are told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "looking up its name",
            Self::Connect => "connecting",
            Self::HostKey => "checking its host key",
            Self::Certificate => "checking its certificate",
            Self::SignIn => "signing in",
            Self::List => "listing files",
            Self::Read => "reading",
            Self::Write => "writing",
            Self::Rename => "renaming",
            Self::Remove => "removing",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl ConnectionError {
    /// The step in which it happened, where there are steps.
    #[must_use]
    pub const fn step(&self) -> Option<Step> {
        match self {
            Self::Refused { step, .. } | Self::Unreachable { step, .. } => Some(*step),
            Self::HostKey { .. } => Some(Step::HostKey),
            Self::SignIn { .. } | Self::Credential { .. } => Some(Step::SignIn),
            Self::FileUnusable { .. } => Some(Step::Certificate),
            Self::FolderUnusable { .. } => Some(Step::List),
            Self::Transfer { .. } => Some(Step::Write),
            _ => None,
        }
    }

    /// Whether another attempt may go better without anybody doing anything.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::StillBeingWritten { .. } | Self::Transfer { .. } | Self::Store { .. } | Self::Unreachable { .. } | Self::NotNoted { .. }
        )
    }

    /// Whether it is certain, of a delivery that was begun, that nothing reached its receiver: a refusal, or a failure from before
    /// anything was sent.
    #[must_use]
    pub const fn is_certain(&self) -> bool {
        match self {
            Self::Uncertain { .. } | Self::Transfer { .. } => false,
            Self::Unreachable { step, .. } => {
                matches!(step, Step::Resolve | Step::Connect | Step::HostKey | Step::Certificate | Step::SignIn)
            }
            _ => true,
        }
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
