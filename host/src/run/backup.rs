//! A backup: all that cannot be made again, copied while runs go on.
//!
//! The ledger first, then the artefacts and releases that it names: these are on disk before the ledger names them, and are never
//! changed; artefacts stay sealed. What is not copied: compiled components, which are compiled again, and the master key, which is no
//! backup if it lies beside what it seals.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::Hub;
use super::failure::RunError;
use crate::ledger::Scope;

/// Folders of which every file is copied.
const FOLDERS: [&str; 2] = ["artefacts", "releases"];

/// Files that are still being written, and are nothing yet.
const STAGING: &str = "staging";

/// What a backup holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backup {
    /// Whether the ledger is in it: one that is on a server is dumped by the server's own tools, before the rest is copied.
    pub ledger: bool,
    /// Artefacts and releases.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The master keys under which something in it is sealed: without them nobody reads it again.
    pub master_keys: BTreeSet<String>,
}

impl Hub {
    /// Copies the hub's folder into a new one.
    ///
    /// # Errors
    /// [`RunError::Disk`] if the folder is there and has something in it, or cannot be written; [`RunError::Ledger`] if the ledger cannot
    /// be copied.
    pub async fn backup(&self, to: &Path) -> Result<Backup, RunError> {
        // For its owner alone, as rows of people are in it.
        DirBuilder::new().recursive(true).mode(0o700).create(to)?;
        if fs::read_dir(to)?.next().is_some() {
            let why = format!("{} has something in it: name a folder that is empty, or is not there yet", to.display());
            return Err(RunError::Disk(std::io::Error::new(std::io::ErrorKind::AlreadyExists, why)));
        }
        let ledger = self.ledger().copy_to(&to.join("ledger.sqlite")).await?;
        let secrets = self.ledger().secrets(Scope::Hub).await?.into_iter().map(|secret| secret.key_id);
        let data_keys = self.ledger().data_keys(Scope::Hub).await?.into_iter().map(|key| key.key_id);
        let master_keys: BTreeSet<String> = secrets.chain(data_keys).collect();
        let (from, to) = (self.data().to_owned(), to.to_owned());
        let copy = move || {
            let mut backup = Backup { ledger, master_keys, ..Backup::default() };
            for folder in FOLDERS {
                copy(&from.join(folder), &to.join(folder), &mut backup)?;
            }
            File::open(&to)?.sync_all()?;
            Ok::<_, std::io::Error>(backup)
        };
        Ok(tokio::task::spawn_blocking(copy).await.expect("copying does not panic")?)
    }
}

fn copy(from: &Path, to: &Path, backup: &mut Backup) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != STAGING {
                copy(&entry.path(), &target, backup)?;
            }
        } else {
            match fs::copy(entry.path(), &target) {
                Ok(bytes) => {
                    backup.bytes += bytes;
                    backup.files += 1;
                    File::open(&target)?.sync_all()?;
                }
                // Its time was over, and it was given up meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    File::open(to)?.sync_all()
}
