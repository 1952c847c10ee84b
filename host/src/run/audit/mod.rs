//! The audit trail made to hold against whoever can write to the database: signed checkpoints, what is compared with them, exports
//! that can be checked anywhere.
//!
//! ```text
//! checkpoint   how far the trail reached and with what hash, as text that is signed
//! sign         a hub's key; a checkpoint in time; the file beside the ledger, and a folder elsewhere
//! evidence     checkpoints that lie outside the ledger, read and judged
//! verify       the ledger against its own trail, and against that
//! export       entries as lines, with digests of what is left out
//! file         such a file checked by itself
//! ```
//!
//! It must not know the command line or HTTP, nor what acts mean.

mod checkpoint;
mod evidence;
mod export;
mod file;
mod sign;
mod verify;

use std::path::PathBuf;

use crate::ledger::LedgerError;
use crate::registry::signature::SignatureError;
use crate::vault::VaultError;

pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use evidence::Evidence;
pub use export::{Export, ExportForm, Line};
pub use file::verify_file;
pub use sign::{CHECKPOINT_ENTRIES, CHECKPOINT_MS};
pub(super) use sign::{hub_label, label};
pub use verify::{Verified, verify_ledger};

/// Name of the folder beside the ledger in which checkpoints and public keys lie.
const FOLDER: &str = "audit";

/// Name of the file of checkpoints in it: a JSON object a line.
const FILE: &str = "checkpoints.jsonl";

/// Why the audit trail cannot be signed, checked or written out.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The operator finds out what became of the ledger: it is older than what was signed of it.
    #[error(
        "{} holds checkpoint {in_file}, and the ledger's last is {in_ledger}: the ledger was cut, or is an older copy. \
         If it was restored on purpose, move that file elsewhere and keep it", path.display()
    )]
    Behind {
        /// The file.
        path: PathBuf,
        /// The last checkpoint in it.
        in_file: u64,
        /// The last in the ledger.
        in_ledger: u64,
    },
    /// The reader gives a file that is one.
    #[error("{} cannot be used: {why}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// See the inner error.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The operator restores the master key.
    #[error("the key that signs checkpoints cannot be opened: {0}")]
    Vault(#[from] VaultError),
    /// See the inner error.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The operator looks at the disk.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Where the checkpoints of a hub in a folder lie beside its ledger.
#[must_use]
pub fn checkpoints_file(data: &std::path::Path) -> PathBuf {
    data.join(FOLDER).join(FILE)
}

/// A moment as text.
fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |moment| moment.to_string())
}
