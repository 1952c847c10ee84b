//! Checkpoints that lie outside the ledger: read from a file or a folder, and judged together with those within.
//!
//! Must not know where the trail itself is read from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::checkpoint::{Checkpoint, SignedCheckpoint};
use super::{AuditError, FILE};
use crate::ledger::StoredCheckpoint;
use crate::model::ids::Digest;
use crate::registry::signature::PublicKey;

/// Largest file of checkpoints, in bytes: a hundred years of them.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Checkpoints from one place.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Where they are from, for people.
    pub from: String,
    /// What lies there, in its order.
    pub signed: Vec<SignedCheckpoint>,
    /// Whether it is to hold every checkpoint from the first on.
    whole: bool,
}

/// What a set of checkpoints says, once it was judged.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) said: BTreeMap<u64, Checkpoint>,
    pub(super) faults: Vec<String>,
}

impl Evidence {
    /// Reads a file of checkpoints, one checkpoint with its signature beside it, or a folder of such.
    ///
    /// # Errors
    /// [`AuditError::Unreadable`].
    pub fn read(path: &Path) -> Result<Self, AuditError> {
        let unreadable = |why: String| AuditError::Unreadable { path: path.to_owned(), why };
        let from = path.display().to_string();
        if path.is_dir() {
            let lines = path.join(FILE);
            if lines.is_file() {
                return Self::read(&lines);
            }
            let mut names: Vec<_> = std::fs::read_dir(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unreadable(error.to_string()))?
                .into_iter()
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|end| end == "txt"))
                .collect();
            names.sort();
            let signed = names.iter().map(|name| pair(name)).collect::<Result<_, _>>()?;
            return Ok(Self { from, signed, whole: false });
        }
        if path.extension().is_some_and(|end| end == "txt") {
            return Ok(Self { from, signed: vec![pair(path)?], whole: false });
        }
        let text = text_of(path)?;
        let read = |(place, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|_| unreadable(format!("line {} of it is no checkpoint", place + 1)))
        };
        let signed = text.lines().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self { from, signed, whole: true })
    }

    /// Those that the ledger keeps.
    pub(super) fn of_ledger(stored: &[StoredCheckpoint]) -> Self {
        Self { from: "the ledger".to_owned(), signed: stored.iter().map(SignedCheckpoint::from).collect(), whole: true }
    }

    /// The entries that they speak of.
    pub(super) fn entries(&self) -> BTreeSet<u64> {
        self.signed.iter().filter_map(|signed| Checkpoint::read(&signed.checkpoint)).map(|said| said.seq).collect()
    }

    /// Checks signatures, and that each follows from the one before.
    pub(super) fn judge(&self, keys: &[PublicKey]) -> Judged {
        let mut judged = Judged::default();
        let mut before: Option<Checkpoint> = None;
        for signed in &self.signed {
            let said = match signed.open(keys) {
                Ok((said, _)) => said,
                Err(why) => {
                    judged.faults.push(format!("checkpoint {why} (in {})", self.from));
                    continue;
                }
            };
            let follows = before.as_ref().filter(|before| before.number + 1 == said.number);
            let missing = match &before {
                Some(before) => before.number + 1 != said.number,
                None => self.whole && said.number != 1,
            };
            if missing && self.whole {
                let wanted = before.as_ref().map_or(1, |before| before.number + 1);
                judged.faults.push(format!("checkpoint {wanted} is missing in {}", self.from));
            }
            if follows.is_some_and(|before| before.digest() != said.previous || before.seq > said.seq) {
                judged.faults.push(format!("checkpoint {} does not follow from the one before it (in {})", said.number, self.from));
            }
            before = Some(said.clone());
            judged.said.insert(said.number, said);
        }
        judged
    }
}

/// Compares what checkpoints say with a trail of so many entries, and the hashes of those that they speak of.
pub(super) fn compare(said: &BTreeMap<u64, Checkpoint>, (entries, hashes): (u64, &BTreeMap<u64, Digest>)) -> Vec<String> {
    let mut faults = Vec::new();
    let mut good = 0;
    for checkpoint in said.values() {
        let Checkpoint { number, seq, at, .. } = checkpoint;
        if *seq > entries {
            faults.push(format!("audit entry {} is missing: checkpoint {number} of {at} covers entries up to {seq}", entries + 1));
            break;
        }
        match hashes.get(seq) {
            Some(hash) if *hash == checkpoint.hash => good = *seq,
            Some(_) => {
                faults.push(format!(
                    "audit entry {} or one after it, up to {seq}, was rewritten: checkpoint {number} of {at} has another hash",
                    good + 1
                ));
                break;
            }
            None => {}
        }
    }
    faults
}

fn pair(path: &Path) -> Result<SignedCheckpoint, AuditError> {
    let mut beside = path.to_owned().into_os_string();
    beside.push(".minisig");
    Ok(SignedCheckpoint { checkpoint: text_of(path)?, signature: text_of(Path::new(&beside))? })
}

fn text_of(path: &Path) -> Result<String, AuditError> {
    let unreadable = |why: String| AuditError::Unreadable { path: path.to_owned(), why };
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > FILE_BYTES_MAX {
        return Err(unreadable(format!("it has {size} bytes and may have {FILE_BYTES_MAX}")));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}
