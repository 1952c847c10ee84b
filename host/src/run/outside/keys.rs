//! Keys of partners: made when one is first needed, opened for as long as the hub works, rotated, and sealed under another master key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::secrets::blocking;
use crate::connection::{ArtefactFile, Artefacts};
use crate::ledger::{By, Scope, StoredDataKey};
use crate::model::ids::{Digest, PartnerName};
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::vault::{DataKeys, Held, Sealed, VaultError};

impl Hub {
    /// Where a partner's artefacts are, sealed under its keys.
    pub(in crate::run) async fn artefacts(&self, partner: &PartnerName) -> Result<Artefacts, RunError> {
        Ok(self.shared.store.sealed(partner, self.keys(partner).await?))
    }

    /// An artefact of a partner, as it is. What people see of it goes through a [`View`](crate::run::View).
    ///
    /// # Errors
    /// [`RunError::Store`] if it is not kept any more, or was altered.
    pub async fn artefact(&self, partner: &PartnerName, digest: Digest) -> Result<ArtefactFile, RunError> {
        let artefacts = self.artefacts(partner).await?;
        Ok(tokio::task::spawn_blocking(move || artefacts.read(&digest)).await.expect("reading does not panic")?)
    }

    /// A partner's keys. The first is made here. One that another process has made since is found here too.
    pub(in crate::run) async fn keys(&self, partner: &PartnerName) -> Result<Arc<DataKeys>, RunError> {
        let stored = self.ledger().data_keys(Scope::Partner(partner)).await?;
        let stored = if stored.is_empty() { self.first_key(partner).await? } else { stored };
        let at_hand = self.shared.keys.lock().expect("nobody panics while holding the keys").get(partner).cloned();
        if let Some(keys) = at_hand.filter(|keys| keys.generations() == stored.len()) {
            return Ok(keys);
        }
        let (vault, name) = (Arc::clone(&self.shared.vault), partner.clone());
        let opened = blocking(move || {
            let sealed = stored.iter().map(sealed_of).collect::<Result<Vec<_>, _>>()?;
            vault.open_data_keys(name.as_str(), &sealed)
        });
        let keys = Arc::new(opened.await?);
        self.shared.keys.lock().expect("nobody panics while holding the keys").insert(partner.clone(), Arc::clone(&keys));
        Ok(keys)
    }

    async fn first_key(&self, partner: &PartnerName) -> Result<Vec<StoredDataKey>, RunError> {
        let held = self.hold().await?;
        let by = By::hub(self.id(), self.clock().now_ms());
        self.make_key(&held, (partner, 1), &by).await?;
        Ok(self.ledger().data_keys(Scope::Partner(partner)).await?)
    }

    /// Makes the first key of each partner that has none. Answers the file of the master key, if that was made for it.
    ///
    /// # Errors
    /// [`RunError::Vault`] if there should be a master key and there is none.
    pub async fn make_keys(&self) -> Result<Option<PathBuf>, RunError> {
        let own = self.shared.vault.own_file().filter(|path| !path.exists()).map(Path::to_owned);
        let have: BTreeSet<PartnerName> = self.ledger().data_keys(Scope::Hub).await?.into_iter().map(|key| key.partner).collect();
        for partner in self.ledger().partners(Scope::Hub).await?.into_iter().filter(|partner| !have.contains(&partner.name)) {
            self.first_key(&partner.name).await?;
        }
        Ok(own.filter(|path| path.exists()))
    }

    /// Makes a key, unless another hub has made that one.
    async fn make_key(&self, held: &Held, (partner, generation): (&PartnerName, u64), by: &By) -> Result<bool, RunError> {
        let first = self.nothing_sealed().await?;
        let sealed = held.make_data_key(partner.as_str(), generation, first)?;
        if first && let Some(path) = self.shared.vault.own_file() {
            tracing::info!(path = %path.display(), "made a master key");
        }
        Ok(self.ledger().put_data_key((partner, generation), (&sealed.key_id().to_string(), &sealed.to_string()), by).await?)
    }

    /// Whether nothing is sealed under any master key: then one may be made.
    pub(super) async fn nothing_sealed(&self) -> Result<bool, RunError> {
        Ok(!self.ledger().has_sealed().await?)
    }

    /// Gives a partner a new key, under which all is sealed from now on. What was sealed before opens with the earlier ones. Answers how
    /// many it has.
    ///
    /// # Errors
    /// [`RunError::Vault`] if there is no master key; [`RunError::Ledger`] if there is no such partner.
    pub async fn rotate_data_key(&self, partner: &PartnerName, by: &By) -> Result<u64, RunError> {
        let held = self.hold().await?;
        loop {
            let generation = self.ledger().data_keys(Scope::Partner(partner)).await?.len() as u64 + 1;
            if self.make_key(&held, (partner, generation), by).await? {
                return Ok(generation);
            }
        }
    }

    /// Where the master key comes from, for people.
    #[must_use]
    pub fn master_key_source(&self) -> String {
        self.shared.vault.source()
    }

    /// Opens the keys of partners, of a hub that is to work: one whose master key is gone is told now, and not by each run.
    pub(in crate::run) async fn check_keys(&self) -> Result<(), RunError> {
        if let Some(last) = self.ledger().data_keys(Scope::Hub).await?.last() {
            self.keys(&last.partner).await?;
        }
        Ok(())
    }

    /// Seals the keys of partners again under the master key in force. Answers how many, of how many.
    pub(super) async fn reseal_data_keys(&self, held: &Held, key: &str, by: &By) -> Result<(usize, usize), RunError> {
        let (mut resealed, keys) = (0, self.ledger().data_keys(Scope::Hub).await?);
        for stored in keys.iter().filter(|stored| stored.key_id != key) {
            let sealed = held.reseal_data_key(stored.partner.as_str(), stored.generation, &sealed_of(stored)?)?;
            let put = self.ledger().reseal_data_key(stored, (&sealed.key_id().to_string(), &sealed.to_string()), by).await?;
            resealed += usize::from(put);
        }
        Ok((resealed, keys.len()))
    }
}

fn sealed_of(stored: &StoredDataKey) -> Result<Sealed, VaultError> {
    let altered = |_| VaultError::Altered { partner: stored.partner.to_string(), name: format!("data key {}", stored.generation) };
    stored.sealed.parse().map_err(altered)
}
