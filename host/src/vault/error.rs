//! How the vault fails, by what the reader must do. No text here has a value or a key in it.

use std::io;
use std::path::{Path, PathBuf};

use super::VALUE_BYTES_MAX;
use super::keys::KeyId;

/// Why a value was not sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The operator restores the file, or sets the secrets again.
    #[error(
        "there is no master key in {}, and secrets are sealed under one: restore that file, or name the key's place in BAILIWICK_MASTER_KEY_FILE or BAILIWICK_MASTER_KEY_COMMAND",
        path.display()
    )]
    NoMasterKey {
        /// Where it should be.
        path: PathBuf,
    },
    /// The operator restores the key, or sets the secret again.
    #[error("the secret is sealed under master key {wanted}, which {source_is} does not give: restore that key, or set the secret again")]
    NoSuchKey {
        /// The key that it is sealed under.
        wanted: KeyId,
        /// Where keys come from.
        source_is: String,
    },
    /// The operator sets the secret again, and asks who changed the database.
    #[error("the sealed value is not what was stored for partner {partner} and name {name}: it was changed or moved. Set the secret again")]
    Altered {
        /// For whom it was to be opened.
        partner: String,
        /// Under which name.
        name: String,
    },
    /// The operator restores the ledger, in which the keys of partners lie sealed.
    #[error("{what} is sealed under key {wanted} of partner {partner}, which the ledger does not have: restore the ledger that has it")]
    NoSuchDataKey {
        /// Whose.
        partner: String,
        /// What is sealed.
        what: String,
        /// The key that it is sealed under.
        wanted: KeyId,
    },
    /// The operator restores it from a backup, and asks who changed it.
    #[error("{what} of partner {partner} is not what the hub wrote: {why}. Nothing of it was used; restore it from a backup")]
    Damaged {
        /// Whose.
        partner: String,
        /// What.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The operator corrects the file or the command.
    #[error("{source_is} gives no master key: {why}. A key is 64 hexadecimal digits on a line; the first line is in force")]
    NotAKey {
        /// Where it was to come from.
        source_is: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The operator closes the file to others.
    #[error("the master key {} may be read by others than its owner: run chmod 600 on it, and rotate it with `bailiwick secret rotate`", path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
    },
    /// The operator sees to the command. It may pass.
    #[error("the command of BAILIWICK_MASTER_KEY_COMMAND {why}")]
    Command {
        /// How it failed.
        why: String,
    },
    /// The operator gives the command's owner a new key.
    #[error(
        "the command of BAILIWICK_MASTER_KEY_COMMAND gives one key: to rotate, let it print the new key on the first line and the present one on the second"
    )]
    NothingToRotate,
    /// The operator gives each ledger a folder of its own.
    #[error(
        "the master key of this folder is that of another ledger too ({other}), of which nobody could open anything once it is changed: give each ledger a folder of its own; if that ledger is no more, take its line out of {}",
        path.display()
    )]
    OtherLedger {
        /// Where it stands.
        path: PathBuf,
        /// The other ledger.
        other: String,
    },
    /// The caller gives another value.
    #[error("the value has {bytes} bytes, and a secret has 1 to {VALUE_BYTES_MAX}")]
    ValueLength {
        /// How many.
        bytes: usize,
    },
    /// The operator looks at the disk and the permissions.
    #[error("{} could not be used: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl VaultError {
    /// Whether another attempt may go better without anybody doing anything.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Command { .. } | Self::Io { .. })
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
