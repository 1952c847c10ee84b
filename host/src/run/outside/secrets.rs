//! Credentials: set, removed, sealed under a new key, and opened for the connection that names them.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;

use crate::connection::Outside;
use crate::ledger::{By, NewSecret, Scope, StoredSecret};
use crate::model::ids::{PartnerName, SecretName};
use crate::model::job::Connection;
use crate::run::Hub;
use crate::run::audit::{hub_label, label};
use crate::run::failure::RunError;
use crate::vault::{Held, KeyId, Label, Sealed, VaultError};

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The master key in force from now on.
    pub key: KeyId,
    /// Secrets that were sealed again.
    pub resealed: usize,
    /// Secrets that are there.
    pub secrets: usize,
    /// Keys of partners that were sealed again.
    pub data_keys_resealed: usize,
    /// Keys of partners that are there.
    pub data_keys: usize,
    /// Whether the earlier keys are forgotten; else a command gives them, and its owner forgets them.
    pub forgotten: bool,
}

impl Hub {
    /// Seals a value and keeps it. Answers whether there was one of that name.
    ///
    /// # Errors
    /// [`RunError::Vault`] if it cannot be sealed, [`RunError::Ledger`] if it cannot be kept.
    pub async fn set_secret(&self, partner: &PartnerName, name: &SecretName, value: SecretString, by: &By) -> Result<bool, RunError> {
        // Held until it is kept, so that no rotation forgets the key meanwhile.
        let held = self.hold().await?;
        let first = self.nothing_sealed().await?;
        let label = Label { partner: partner.as_str(), name: name.as_str() };
        let sealed = held.seal(label, &value, first)?;
        let new =
            NewSecret { partner: partner.clone(), name: name.clone(), key_id: sealed.key_id().to_string(), sealed: sealed.to_string() };
        Ok(self.ledger().put_secret(&new, by).await?)
    }

    /// Puts a new master key in force and seals every secret and every key of a partner again under it, one by one. Interrupted, it goes on where it stopped;
    /// until it is done, both keys are read.
    ///
    /// # Errors
    /// [`RunError::Vault`] if the key cannot be changed or a secret does not open.
    pub async fn rotate_secrets(&self, by: &By) -> Result<Rotation, RunError> {
        let held = self.hold().await?;
        let key = held.begin_rotation()?;
        let mut resealed = 0;
        let secrets = self.ledger().secrets(Scope::Hub).await?;
        for secret in secrets.iter().filter(|secret| secret.key_id != key.to_string()) {
            let label = Label { partner: secret.partner.as_str(), name: secret.name.as_str() };
            let sealed = held.reseal(label, &sealed_of(secret)?)?;
            resealed += usize::from(self.ledger().reseal_secret(secret, &sealed.key_id().to_string(), &sealed.to_string(), by).await?);
        }
        for kept in self.ledger().hub_keys().await?.iter().filter(|kept| kept.key.master_key != key.to_string()) {
            let name = hub_label(kept.hub.as_str());
            let altered = |_| VaultError::Altered { partner: "the hub".to_owned(), name: name.clone() };
            let sealed = held.reseal(label(&name), &kept.key.sealed.parse().map_err(altered)?)?;
            self.ledger().reseal_hub_key(kept, (&sealed.key_id().to_string(), &sealed.to_string()), by).await?;
        }
        let (data_keys_resealed, data_keys) = self.reseal_data_keys(&held, &key.to_string(), by).await?;
        Ok(Rotation { resealed, secrets: secrets.len(), data_keys_resealed, data_keys, forgotten: held.finish_rotation()?, key })
    }

    /// Waits until nobody else changes keys or sets a secret.
    pub(super) async fn hold(&self) -> Result<Held, RunError> {
        let vault = Arc::clone(&self.shared.vault);
        let whose = self.ledger().identity().await?;
        Ok(blocking(move || vault.hold()?.used_for(&whose)).await?)
    }

    /// A connection's place with the credentials that it names, opened for as long as they are needed.
    pub(in crate::run) async fn outside(&self, connection: &Connection) -> Result<Outside, RunError> {
        let mut credentials = BTreeMap::new();
        for name in connection.place.secrets() {
            credentials.insert(name.clone(), self.secret(&connection.partner, name).await?);
        }
        Ok(Outside { place: connection.place.clone(), credentials, now_ms: self.clock().now_ms() })
    }

    pub(super) async fn secret(&self, partner: &PartnerName, name: &SecretName) -> Result<SecretString, RunError> {
        let kept = self.ledger().secrets(Scope::Partner(partner)).await?.into_iter().find(|secret| secret.name == *name);
        let kept = kept.ok_or_else(|| RunError::NoSecret { partner: partner.clone(), secret: name.clone() })?;
        let vault = Arc::clone(&self.shared.vault);
        let opened = blocking(move || {
            let label = Label { partner: kept.partner.as_str(), name: kept.name.as_str() };
            vault.open(label, &sealed_of(&kept)?)
        });
        Ok(opened.await?)
    }
}

fn sealed_of(secret: &StoredSecret) -> Result<Sealed, VaultError> {
    let altered = |_| VaultError::Altered { partner: secret.partner.to_string(), name: secret.name.to_string() };
    secret.sealed.parse().map_err(altered)
}

/// Off the async threads: a key may come from a disk or a command.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, VaultError> + Send + 'static) -> Result<T, VaultError> {
    tokio::task::spawn_blocking(work).await.expect("the vault does not panic")
}
