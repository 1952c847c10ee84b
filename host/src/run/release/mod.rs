//! Releases from upload to use: vouched for by a signature and a second person, activated, rolled back.
//!
//! It must not know how a component is run.

mod differences;
mod review;
mod trial;
mod upload;
mod vouch;

use std::sync::Arc;

use super::Hub;
use super::conduct::formats_of;
use super::failure::RunError;
use super::shelf::{Plugin, file_name};
use crate::config::{self, ConfigError};
use crate::ledger::{Act, By, LedgerError, NewRelease, NewSigningKey, Release, ReleaseKey, ReleaseSignature, ReleaseStanding, Scope};
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::registry::signature::{PublicKey, SigningKeyId};

pub use differences::{ColumnDifference, Example, OutputDifference};
pub(super) use differences::{Recorded, of_output, totals as other_totals};
pub use review::Review;
pub use trial::{Differences, TRIALS_MAX, Trial};
pub use upload::Upload;
pub use vouch::ReleaseError;

/// A component that somebody hands in.
#[derive(Debug)]
pub struct Push<'a> {
    /// For whom.
    pub partner: &'a PartnerName,
    /// Its bytes.
    pub component: &'a [u8],
    /// The text of its signature, if it came with one.
    pub signature: Option<String>,
}

/// A component that was taken.
#[derive(Debug)]
pub struct Pushed {
    /// What names it.
    pub key: ReleaseKey,
    /// Its version, for people.
    pub version: String,
    /// Whether it was not there before.
    pub new: bool,
    /// The key that signed it.
    pub signed_by: Option<String>,
}

impl Hub {
    /// Registers the public key of a signer.
    ///
    /// # Errors
    /// [`ReleaseError::Signature`] if the text is no key; [`RunError::Ledger`] if the partner has, or had, it.
    pub async fn add_signing_key(&self, partner: &PartnerName, (owner, text): (&str, &str), by: &By) -> Result<SigningKeyId, RunError> {
        let key = PublicKey::read(text).map_err(ReleaseError::from)?;
        let new = NewSigningKey { partner: partner.clone(), id: key.id().to_string(), public_key: key.line(), owner: owner.to_owned() };
        self.ledger().add_signing_key(&new, by).await?;
        Ok(key.id())
    }

    /// Takes a component up: checks its signature, its manifest and its imports, compiles it, and keeps it. No run uses it yet.
    ///
    /// # Errors
    /// [`RunError::Release`] if its signature is not one that counts, which is noted in the audit trail; or what the component is refused for.
    pub async fn push_release(&self, push: &Push<'_>, by: &By) -> Result<Pushed, RunError> {
        let partners = self.ledger().partners(Scope::Partner(push.partner)).await?;
        let partner = partners.first().ok_or_else(|| ReleaseError::NoPartner { partner: push.partner.clone() })?;
        let signature = self.vouched(partner, (push.component, push.signature.as_deref()), by).await?;
        let (hub, bytes) = (self.clone(), push.component.to_owned());
        let added = tokio::task::spawn_blocking(move || hub.shared.shelf.add(&bytes)).await;
        let plugin = added.expect("installing does not panic")?;
        let signed_by = signature.as_ref().map(|signature| signature.key.clone());
        let new = self.kept(push.partner, &plugin, (push.component.len() as u64, signature));
        let added = self.ledger().put_release(&new, by).await?;
        Ok(Pushed { key: new.key, version: new.version, new: added, signed_by })
    }

    /// What the ledger keeps of a release.
    pub(super) fn kept(
        &self,
        partner: &PartnerName,
        plugin: &Plugin,
        (size_bytes, signature): (u64, Option<ReleaseSignature>),
    ) -> NewRelease {
        let digest = plugin.release.digest;
        NewRelease {
            key: ReleaseKey { partner: partner.clone(), plugin: plugin.manifest.name.clone(), digest },
            version: plugin.manifest.version.clone(),
            manifest: format!("{} {}: {}", plugin.manifest.name, plugin.manifest.version, plugin.manifest.title),
            size_bytes,
            artefact: format!("releases/{}", file_name(digest)),
            signature,
        }
    }

    /// Says of a release that the partner's runs may use it, or may not. What is active stays so until another is activated.
    ///
    /// # Errors
    /// [`RunError::Ledger`]: there is no such release, or whoever added it approves it, which is noted in the audit trail.
    pub async fn judge_release(&self, key: &ReleaseKey, said: (ReleaseStanding, &str), by: &By) -> Result<bool, RunError> {
        match self.ledger().judge_release(key, said, by).await {
            Err(error @ LedgerError::OwnWork { .. }) => {
                self.note_refusal(&key.partner, (key.digest, &error.to_string()), by).await?;
                Err(error.into())
            }
            said => Ok(said?),
        }
    }

    /// Makes a release the one that the partner's runs use from their next claim on, if every job of the plugin fits it.
    ///
    /// # Errors
    /// [`RunError::JobUnfit`] if one does not; [`RunError::Ledger`] if the release lacks what its partner asks of releases.
    pub async fn activate_release(&self, key: &ReleaseKey, by: &By) -> Result<bool, RunError> {
        self.fits_its_jobs(key).await?;
        Ok(self.ledger().activate(key, by).await?)
    }

    /// Makes the release active again that was so before the one that is. It takes effect with the next claim.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if there is none to go back to, or the partner asks more of releases now than it has.
    pub async fn roll_back_release(&self, partner: &PartnerName, plugin: &PluginName, by: &By) -> Result<ReleaseKey, RunError> {
        Ok(self.ledger().roll_back((partner, plugin), by).await?)
    }

    /// The release whose digest begins so.
    ///
    /// # Errors
    /// [`ReleaseError::NotOne`] if there is none, or more than one.
    pub async fn find_release(&self, partner: Option<&PartnerName>, beginning: &str) -> Result<Release, RunError> {
        let kept = self.ledger().releases(partner.map_or(Scope::Hub, Scope::Partner)).await?;
        let mut fitting: Vec<Release> =
            kept.into_iter().filter(|release| release.release.key.digest.to_string().starts_with(&beginning.to_lowercase())).collect();
        match fitting.len() {
            1 if !beginning.is_empty() => Ok(fitting.remove(0)),
            found => Err(ReleaseError::NotOne { beginning: beginning.to_owned(), found }.into()),
        }
    }

    async fn fits_its_jobs(&self, key: &ReleaseKey) -> Result<(), RunError> {
        if self.ledger().release(key).await?.is_none() {
            let (partner, plugin, digest) = (key.partner.clone(), key.plugin.clone(), key.digest);
            return Err(LedgerError::NoSuchRelease { partner, plugin, digest }.into());
        }
        let findings = self.misfits(key).await?;
        if findings.is_empty() {
            return Ok(());
        }
        Err(ReleaseError::JobsUnfit { plugin: key.plugin.clone(), digest: key.digest, findings }.into())
    }

    /// What of the partner's jobs would not fit a release, each a sentence that begins with the job's name.
    async fn misfits(&self, key: &ReleaseKey) -> Result<Vec<String>, RunError> {
        let next = self.plugin(key.digest).await?;
        let texts = self.ledger().sources(&key.partner).await?.into_iter().map(|source| (source.name, source.text)).collect();
        let configuration = config::reload(&texts).map_err(|error| match error {
            ConfigError::Wrong(problems) => RunError::Configuration(problems),
            ConfigError::Unreadable { path, why } => RunError::ConfigurationUnreadable { path, why },
        })?;
        let mut findings = Vec::new();
        for job in configuration.jobs {
            let named: Vec<&PluginName> = formats_of(&job).map(|format| &format.plugin).collect();
            if job.plugin != key.plugin && !named.contains(&&key.plugin) {
                continue;
            }
            let mut formats = Vec::new();
            for name in named {
                formats.push(if *name == key.plugin { Arc::clone(&next) } else { self.active_plugin(&key.partner, name).await? });
            }
            let plugin = if job.plugin == key.plugin { Arc::clone(&next) } else { self.active_plugin(&key.partner, &job.plugin).await? };
            let formats: Vec<_> = formats.iter().map(|plugin| plugin.manifest.as_ref()).collect();
            let unfit = config::check_job(&job, &plugin.manifest, &formats);
            findings.extend(unfit.into_iter().map(|finding| format!("{}: {finding}", job.name)));
        }
        Ok(findings)
    }

    async fn active_plugin(&self, partner: &PartnerName, plugin: &PluginName) -> Result<Arc<Plugin>, RunError> {
        let active = super::shelf::active(self.ledger(), partner, plugin).await?;
        self.plugin(active.release.key.digest).await
    }

    /// Notes in the audit trail that something was refused. Nothing else was changed.
    async fn note_refusal(&self, partner: &PartnerName, (digest, why): (Digest, &str), by: &By) -> Result<(), RunError> {
        let act = Act {
            partner: Some(partner),
            action: "release.turn-away",
            subject: format!("release:{digest}"),
            before: None,
            after: Some(serde_json::json!({ "why": why })),
        };
        Ok(self.ledger().note(act, by).await?)
    }
}
