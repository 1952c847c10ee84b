//! Checkpoints in time: the hub's key, made when it first serves; what it signs; and where that is left besides the ledger.
//!
//! The secret half is sealed under the master key and opened for one signature at a time.
//! Must not know what a checkpoint is compared with.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use secrecy::SecretString;

use super::checkpoint::{Checkpoint, SignedCheckpoint};
use super::{AuditError, FILE, FOLDER, moment};
use crate::ledger::{By, NewCheckpoint, NewHubKey, StoredHubKey};
use crate::model::ids::Digest;
use crate::registry::signature::{PublicKey, new_pair, sign};
use crate::run::Hub;
use crate::vault::{Label, Sealed, Vault, VaultError};

/// Entries after which a checkpoint is due.
pub const CHECKPOINT_ENTRIES: u64 = 1_000;

/// Time after which one is due, if there is anything new.
pub const CHECKPOINT_MS: i64 = 3_600_000;

/// How often a hub looks whether one is due.
const LOOK_MS: i64 = 10_000;

/// How long it waits after it could not sign, so that its log says so without end, but not without measure.
const FAILED_MS: i64 = 300_000;

/// Hubs that come between each other while one signs.
const TRIES_MAX: u32 = 20;

/// Checkpoints that are read at one time.
const PAGE: u32 = 1_000;

impl Hub {
    /// Has checkpoints left in a folder besides: one that can only be added to, or that belongs to somebody else.
    pub fn leave_checkpoints_in(&self, folder: PathBuf) {
        // Said once, when the hub starts.
        drop(self.shared.checkpoints_outside.set(folder));
    }

    /// Signs a checkpoint if one is due: after so many entries, or after an hour in which there was one.
    pub(in crate::run) async fn checkpoint_in_time(&self) {
        let now_ms = self.clock().now_ms();
        if now_ms < self.shared.checkpoint_at_ms.load(Ordering::Relaxed) {
            return;
        }
        let next_ms = match self.checkpoint_if(|entries, age_ms| entries >= CHECKPOINT_ENTRIES || age_ms >= CHECKPOINT_MS).await {
            Ok(_) => LOOK_MS,
            Err(error) => {
                tracing::error!(%error, "the audit trail could not be signed");
                FAILED_MS
            }
        };
        self.shared.checkpoint_at_ms.store(now_ms.saturating_add(next_ms), Ordering::Relaxed);
    }

    /// Signs how far the trail reaches now, if it reaches further than the last checkpoint. Answers the checkpoint.
    ///
    /// # Errors
    /// [`AuditError`] if the hub's key cannot be opened, or a file not be written.
    pub async fn checkpoint(&self) -> Result<Option<Checkpoint>, AuditError> {
        self.checkpoint_if(|_, _| true).await
    }

    /// The hub's key; made, and left in the folder, if it has none.
    ///
    /// # Errors
    /// [`AuditError::Vault`] if there is no master key to seal it under.
    pub async fn audit_key(&self) -> Result<StoredHubKey, AuditError> {
        if let Some(mine) = self.my_key().await? {
            return Ok(mine);
        }
        let (vault, hub, first) = (Arc::clone(&self.shared.vault), self.id().to_string(), !self.ledger().has_sealed().await?);
        let whose = self.ledger().identity().await?;
        let made = blocking(move || {
            let pair = new_pair(None)?;
            let public_key = PublicKey::read(&pair.public)?.line();
            let held = vault.hold()?.used_for(&whose)?;
            let sealed = held.seal(label(&hub_label(&hub)), &pair.secret, first)?;
            Ok((
                held,
                NewHubKey { key_id: pair.id.to_string(), public_key, master_key: sealed.key_id().to_string(), sealed: sealed.to_string() },
            ))
        });
        // Held until it is kept, so that no rotation forgets the master key meanwhile.
        let (_held, new) = made.await?;
        self.ledger().put_hub_key(&new, &By::hub(self.id(), self.clock().now_ms())).await?;
        let mine = self.my_key().await?.expect("it was just kept");
        let path = self.data().join(FOLDER).join(format!("{}.pub", self.id()));
        let text = format!("untrusted comment: bailiwick hub {} key {}\n{}\n", self.id(), mine.key.key_id, mine.key.public_key);
        std::fs::create_dir_all(self.data().join(FOLDER))?;
        std::fs::write(path, text)?;
        Ok(mine)
    }

    /// Writes every checkpoint into a folder, as files that `minisign -V` reads. Answers how many there are.
    ///
    /// # Errors
    /// [`AuditError::Io`] if the folder cannot be written.
    pub async fn write_checkpoints(&self, folder: &Path) -> Result<u64, AuditError> {
        let (mut after, mut written) = (0, 0);
        loop {
            let page = self.ledger().checkpoints(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(written) };
            after = last.number;
            for stored in &page {
                write_pair(folder, stored.number, &SignedCheckpoint::from(stored))?;
                written += 1;
            }
        }
    }

    async fn my_key(&self) -> Result<Option<StoredHubKey>, AuditError> {
        Ok(self.ledger().hub_keys().await?.into_iter().find(|key| key.hub == *self.id()))
    }

    async fn checkpoint_if(&self, due: impl Fn(u64, i64) -> bool) -> Result<Option<Checkpoint>, AuditError> {
        let mine = self.audit_key().await?;
        for _ in 0..TRIES_MAX {
            let last = self.ledger().last_checkpoint().await?;
            let (seq, hash) = self.ledger().audit_end().await?;
            let before = last.as_ref().and_then(|last| Checkpoint::read(&last.content));
            let covered = last.as_ref().map_or(0, |last| last.seq);
            let now_ms = self.clock().now_ms();
            let last_ms = before.as_ref().and_then(|before| before.at.parse::<jiff::Timestamp>().ok()).map_or(0, |at| at.as_millisecond());
            if seq <= covered || !due(seq - covered, now_ms.saturating_sub(last_ms)) {
                self.leave().await?;
                return Ok(None);
            }
            let checkpoint = Checkpoint {
                number: last.map_or(1, |last| last.number + 1),
                seq,
                hash,
                at: moment(now_ms),
                hub: self.id().to_string(),
                previous: before.map_or_else(|| Digest::new([0; 32]), |before| before.digest()),
            };
            if self.put_signed(&mine, &checkpoint).await? {
                self.leave().await?;
                return Ok(Some(checkpoint));
            }
        }
        Err(std::io::Error::other("other hubs signed checkpoints all the while").into())
    }

    /// Signs a checkpoint and keeps it. Answers false if another hub was first.
    async fn put_signed(&self, mine: &StoredHubKey, checkpoint: &Checkpoint) -> Result<bool, AuditError> {
        let (vault, key, text) = (Arc::clone(&self.shared.vault), mine.clone(), checkpoint.text());
        let comment = format!("bailiwick audit checkpoint {} entry {} time {}", checkpoint.number, checkpoint.seq, checkpoint.at);
        let signature = blocking(move || {
            let secret = open(&vault, &key)?;
            Ok(sign(text.as_bytes(), &secret, None, &comment)?)
        });
        let new = NewCheckpoint {
            number: checkpoint.number,
            seq: checkpoint.seq,
            key_id: mine.key.key_id.clone(),
            content: checkpoint.text(),
            signature: signature.await?,
        };
        Ok(self.ledger().put_checkpoint(&new, &By::hub(self.id(), self.clock().now_ms())).await?)
    }

    /// Leaves every checkpoint that is new beside the ledger and in the folder outside.
    async fn leave(&self) -> Result<(), AuditError> {
        let folder = self.data().join(FOLDER);
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(FILE);
        let file = File::options().create(true).append(true).read(true).open(&path)?;
        // Another hub of the same folder waits for its turn, and not on a thread that the one whose turn it is may need; the lock falls
        // with the file.
        let mut file = blocking(move || Ok(file.lock().map(|()| file)?)).await?;
        let mut left = last_in(&file, &path)?;
        let last = self.ledger().last_checkpoint().await?.map_or(0, |last| last.number);
        if left > last {
            return Err(AuditError::Behind { path, in_file: left, in_ledger: last });
        }
        loop {
            let new = self.ledger().checkpoints(left, PAGE).await?;
            let Some(newest) = new.last() else { break };
            left = newest.number;
            for stored in &new {
                let line = serde_json::to_string(&SignedCheckpoint::from(stored)).expect("texts are JSON");
                file.write_all(format!("{line}\n").as_bytes())?;
                if let Some(outside) = self.shared.checkpoints_outside.get() {
                    write_pair(outside, stored.number, &SignedCheckpoint::from(stored))?;
                }
            }
            file.sync_all()?;
        }
        Ok(())
    }
}

/// Writes a checkpoint as two files that `minisign -V` reads. Files that are there stay as they are.
pub(super) fn write_pair(folder: &Path, number: u64, signed: &SignedCheckpoint) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let name = format!("{number:010}.txt");
    for (name, text) in [(name.clone(), &signed.checkpoint), (format!("{name}.minisig"), &signed.signature)] {
        match File::options().write(true).create_new(true).open(folder.join(name)) {
            Ok(mut file) => file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The number of the last checkpoint of a file.
fn last_in(file: &File, path: &Path) -> Result<u64, AuditError> {
    let mut last = 0;
    for line in BufReader::new(file).lines() {
        let line = line?;
        let read = serde_json::from_str::<SignedCheckpoint>(&line).ok().and_then(|signed| Checkpoint::read(&signed.checkpoint));
        let why = || "a line of it is no checkpoint: somebody has changed it, or its disk is damaged".to_owned();
        last = read.ok_or_else(|| AuditError::Unreadable { path: path.to_owned(), why: why() })?.number;
    }
    Ok(last)
}

/// The secret half of a hub's key.
fn open(vault: &Vault, key: &StoredHubKey) -> Result<SecretString, VaultError> {
    let name = hub_label(key.hub.as_str());
    let altered = |_| VaultError::Altered { partner: "the hub".to_owned(), name: name.clone() };
    vault.open(label(&name), &key.key.sealed.parse::<Sealed>().map_err(altered)?)
}

/// What a hub's key is sealed for. No partner's name is empty, so no partner's secret can stand in its place.
pub(in crate::run) const fn label(name: &str) -> Label<'_> {
    Label { partner: "", name }
}

pub(in crate::run) fn hub_label(hub: &str) -> String {
    format!("audit key of hub {hub}")
}

/// Off the async threads: a key may come from a disk or a command.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, AuditError> + Send + 'static) -> Result<T, AuditError> {
    tokio::task::spawn_blocking(work).await.expect("signing does not panic")
}
