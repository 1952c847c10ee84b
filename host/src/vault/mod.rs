//! The vault: values sealed for the ledger and opened for a connection, under a master key that the ledger never sees; and files and
//! records sealed under keys of partners, which are such values themselves.
//!
//! ```text
//! source   where the master key is: a file, a command     keys   one in force, earlier ones while a rotation is under way
//! seal     XChaCha20-Poly1305, bound to partner and name
//! data     keys of partners, and what is sealed under them
//! ```
//!
//! An opened value is a [`SecretString`]: `Debug` does not show it, and its memory is wiped.
//! It must not know the ledger, connections, or who asks.

mod data;
mod error;
mod keys;
mod seal;
mod source;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;

pub use data::{DataKeys, FILE_OVERHEAD_BYTES, SealedFile, SealingWriter};
pub use error::VaultError;
pub use keys::KeyId;
pub use seal::{Label, Sealed};
pub use source::KeySource;

use data::DataKey;
use keys::Keys;

/// Longest value, in bytes: a private key with its chain of certificates fits many times over.
pub const VALUE_BYTES_MAX: usize = 64 << 10;

/// Longest list of what is sealed under one master key, in bytes.
const LEDGERS_BYTES_MAX: u64 = 64 << 10;

/// Seals and opens.
#[derive(Debug)]
pub struct Vault {
    source: KeySource,
    /// Who holds it changes keys, or seals under the one in force.
    lock: PathBuf,
    keys: Mutex<Option<Keys>>,
}

impl Vault {
    /// A vault whose master key comes from a source. Nothing is read yet. `folder` is the hub's, for a lock.
    #[must_use]
    pub fn new(source: KeySource, folder: &std::path::Path) -> Self {
        Self { source, lock: folder.join("secrets.lock"), keys: Mutex::new(None) }
    }

    /// Waits until nobody else changes keys; lasts until it is dropped. Whoever seals holds it until what was sealed is kept.
    ///
    /// # Errors
    /// [`VaultError::Io`] if the hub's folder cannot be written.
    pub fn hold(self: &Arc<Self>) -> Result<Held, VaultError> {
        let failed = |error| VaultError::io(&self.lock, error);
        let lock = File::options().create(true).truncate(false).read(true).write(true).open(&self.lock).map_err(failed)?;
        lock.lock().map_err(failed)?;
        // Another process may have changed the keys since they were read.
        *self.held_keys() = None;
        Ok(Held { vault: Arc::clone(self), lock, others: Vec::new() })
    }

    /// Opens what was sealed for a label.
    ///
    /// # Errors
    /// [`VaultError::NoSuchKey`] if the master key is another; [`VaultError::Altered`] if the value was changed, or was sealed for
    /// another partner or name; or that there is no master key.
    pub fn open(&self, label: Label<'_>, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let mut held = self.held_keys();
        let known = held.as_ref().is_some_and(|keys| keys.get(sealed.key_id()).is_some());
        if !known {
            // The key may have been changed by another process since it was read.
            *held = Some(self.source.read()?);
        }
        let keys = held.as_ref().expect("they were just read");
        let key = keys
            .get(sealed.key_id())
            .ok_or_else(|| VaultError::NoSuchKey { wanted: sealed.key_id().clone(), source_is: self.source.to_string() })?;
        seal::open(key, label, sealed)
    }

    /// Opens the keys of a partner, by generation from the first on.
    ///
    /// # Errors
    /// As for [`Vault::open`].
    pub fn open_data_keys(&self, partner: &str, sealed: &[Sealed]) -> Result<DataKeys, VaultError> {
        let open = |(generation, sealed): (u64, &Sealed)| {
            let name = data_key_name(generation);
            let label = Label { partner, name: &name };
            let altered = || VaultError::Altered { partner: partner.to_owned(), name: name.clone() };
            DataKey::parse(&self.open(label, sealed)?).ok_or_else(altered)
        };
        Ok(DataKeys::new(partner, (1..).zip(sealed).map(open).collect::<Result<_, _>>()?))
    }

    /// The file of the master key, where it is the hub's own.
    #[must_use]
    pub fn own_file(&self) -> Option<&std::path::Path> {
        match &self.source {
            KeySource::File { path, own: true } => Some(path),
            _ => None,
        }
    }

    /// Where the master key comes from, for people.
    #[must_use]
    pub fn source(&self) -> String {
        self.source.to_string()
    }

    fn held_keys(&self) -> std::sync::MutexGuard<'_, Option<Keys>> {
        self.keys.lock().expect("nobody panics while holding the keys")
    }
}

/// A vault that nobody else changes.
#[derive(Debug)]
pub struct Held {
    vault: Arc<Vault>,
    /// In it stands what the keys of this folder were used for.
    lock: File,
    /// Of that, what is not ours.
    others: Vec<String>,
}

impl Held {
    /// Notes in the hub's folder what is sealed under its master key, by a name that nothing else has: one line for each ledger.
    ///
    /// # Errors
    /// [`VaultError::Io`] if the hub's folder cannot be written.
    pub fn used_for(mut self, whose: &str) -> Result<Self, VaultError> {
        let mut known = String::new();
        let note = |lock: &mut File, known: &mut String| {
            lock.take(LEDGERS_BYTES_MAX).read_to_string(known)?;
            if known.lines().any(|line| line == whose) {
                return Ok(());
            }
            lock.write_all(format!("{whose}\n").as_bytes())?;
            lock.sync_all()
        };
        note(&mut self.lock, &mut known).map_err(|error| VaultError::io(&self.vault.lock, error))?;
        self.others = known.lines().filter(|line| *line != whose).map(str::to_owned).collect();
        Ok(self)
    }

    /// Seals a value under the key in force. Where there is none yet, and nothing is sealed that would need an earlier one, it is made.
    ///
    /// # Errors
    /// That there is no master key, or that the value is empty or too long.
    pub fn seal(&self, label: Label<'_>, value: &SecretString, first: bool) -> Result<Sealed, VaultError> {
        use secrecy::ExposeSecret as _;
        let bytes = value.expose_secret().len();
        if bytes == 0 || bytes > VALUE_BYTES_MAX {
            return Err(VaultError::ValueLength { bytes });
        }
        let mut held = self.vault.held_keys();
        if held.is_none() {
            *held = Some(if first { self.vault.source.read_or_make()? } else { self.vault.source.read()? });
        }
        Ok(seal::seal(held.as_ref().expect("they were just read").in_force(), label, value))
    }

    /// Makes a key of a partner, sealed. `first` as for [`Held::seal`].
    ///
    /// # Errors
    /// As for [`Held::seal`].
    pub fn make_data_key(&self, partner: &str, generation: u64, first: bool) -> Result<Sealed, VaultError> {
        let name = data_key_name(generation);
        self.seal(Label { partner, name: &name }, &DataKey::drawn(), first)
    }

    /// Seals a key of a partner again, under the master key in force.
    ///
    /// # Errors
    /// As for [`Vault::open`].
    pub fn reseal_data_key(&self, partner: &str, generation: u64, sealed: &Sealed) -> Result<Sealed, VaultError> {
        let name = data_key_name(generation);
        self.reseal(Label { partner, name: &name }, sealed)
    }

    /// Seals again, under the key in force, what was sealed under an earlier one.
    ///
    /// # Errors
    /// As for [`Vault::open`].
    pub fn reseal(&self, label: Label<'_>, sealed: &Sealed) -> Result<Sealed, VaultError> {
        let value = self.vault.open(label, sealed)?;
        self.seal(label, &value, false)
    }

    /// Puts a new key in force, keeping the earlier one; goes on with a rotation that was interrupted.
    /// Answers the key in force from now on.
    ///
    /// # Errors
    /// [`VaultError::NothingToRotate`] if a command gives the key, and gives one only; [`VaultError::OtherLedger`] if something else is
    /// sealed under it, which nobody would open again.
    pub fn begin_rotation(&self) -> Result<KeyId, VaultError> {
        if let Some(other) = self.others.first() {
            return Err(VaultError::OtherLedger { path: self.vault.lock.clone(), other: other.clone() });
        }
        let keys = self.vault.source.read()?;
        let keys = if keys.is_rotating() { keys } else { self.vault.source.begin(keys)? };
        let id = keys.in_force().id().clone();
        *self.vault.held_keys() = Some(keys);
        Ok(id)
    }

    /// Forgets the earlier keys, once nothing is sealed under them. Answers whether they were forgotten: those that a command
    /// gives are for its owner to forget.
    ///
    /// # Errors
    /// [`VaultError::Io`] if the file of keys cannot be written.
    pub fn finish_rotation(&self) -> Result<bool, VaultError> {
        let keys = self.vault.source.read()?;
        let (keys, forgotten) = self.vault.source.finish(keys)?;
        *self.vault.held_keys() = Some(keys);
        Ok(forgotten)
    }
}

/// What a partner's key is sealed as. No secret has such a name: there is a space in it.
fn data_key_name(generation: u64) -> String {
    format!("data key {generation}")
}
