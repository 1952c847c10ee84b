//! Releases from upload to use: vouched for by a signature and a second person, activated, rolled back.
//!
//! ```text
//! vouch      signatures                 review     what an approver is told; jobs, tables and limits against a release
//! grant      approvals, what is lent    candidate  a release beside the active one, and what its trials came to
//! trial      a release on what ran      upload     a component that comes in pieces
//! ```
//!
//! It must not know how a component is run.

mod candidate;
mod differences;
mod grant;
mod review;
mod trial;
mod upload;
mod vouch;

use std::sync::Arc;

use super::Hub;
use super::failure::RunError;
use super::shelf::{Plugin, file_name};
use crate::ledger::{Act, By, LedgerError, NewRelease, NewSigningKey, Release, ReleaseKey, ReleaseSignature, Scope};
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::registry::signature::{PublicKey, SigningKeyId};

pub use differences::{ColumnDifference, Example, OutputDifference};
pub(super) use differences::{Recorded, of_output, totals as other_totals};
pub use grant::{Approval, Ask, Bound};
pub(super) use grant::{beyond, ceiling_of, lacking, none_fits, refuse_beyond, working};
pub use review::{Review, Reviewed};
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
    /// The cases that it brings, all of which came out as they say.
    pub cases: usize,
    /// The key of the signature that is kept with it.
    pub signed_by: Option<String>,
    /// What of the partner's jobs, tables and grants would not fit it, each a sentence.
    pub unfit: Vec<String>,
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

    /// Takes a component up: checks its signature, its manifest and its imports, compiles it, plays the cases that it brings, and keeps it.
    /// No run uses it yet.
    /// What does not fit it is told, and keeps it from being activated.
    ///
    /// # Errors
    /// [`RunError::Release`] if its signature is not one that counts; or what the component is refused for. Each is noted in the audit trail.
    pub async fn push_release(&self, push: &Push<'_>, by: &By) -> Result<Pushed, RunError> {
        let partners = self.ledger().partners(Scope::Partner(push.partner)).await?;
        let partner = partners.first().ok_or_else(|| ReleaseError::NoPartner { partner: push.partner.clone() })?;
        let signature = self.vouched(partner, (push.component, push.signature.as_deref()), by).await?;
        let (plugin, cases) = match self.judged(push.component).await {
            Ok(judged) => judged,
            Err(error) => {
                let refused = ("release.turn-away", Digest::of(push.component), error.to_string());
                self.note_refusal(push.partner, (refused.0, refused.1, &refused.2), by).await?;
                return Err(error);
            }
        };
        let new = self.kept(push.partner, &plugin, (push.component.len() as u64, signature));
        let put = self.ledger().put_release(&new, by).await.map_err(RunError::from);
        let added = self.noted(&new.key, put, by).await?;
        // Of a release that was there already, the signature that is kept need not be the one that came.
        let kept = self.ledger().release(&new.key).await?.and_then(|kept| kept.release.signature);
        let signed_by = kept.map(|signature| signature.key);
        let unfit = self.misfits(&new.key).await?;
        Ok(Pushed { key: new.key, version: new.version, new: added, cases, signed_by, unfit })
    }

    /// Compiles a component, plays the cases that it brings, and puts it on the shelf; how many cases there are.
    async fn judged(&self, component: &[u8]) -> Result<(Arc<Plugin>, usize), RunError> {
        let bytes: Arc<[u8]> = component.into();
        let blocking = |work: fn(&Self, &[u8]) -> Result<Arc<Plugin>, RunError>| {
            let (hub, bytes) = (self.clone(), Arc::clone(&bytes));
            tokio::task::spawn_blocking(move || work(&hub, &bytes))
        };
        let installed = blocking(|hub, bytes| Plugin::install(bytes, &hub.shared.sandbox).map(Arc::new)).await;
        let cases = self.judge_by_own_cases(component, installed.expect("installing does not panic")?).await?;
        let added = blocking(|hub, bytes| hub.shared.shelf.add(bytes)).await;
        Ok((added.expect("installing does not panic")?, cases))
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

    /// Makes a release the one that the partner's runs use from their next claim on, if every job of the plugin fits it.
    ///
    /// # Errors
    /// [`ReleaseError::OtherReview`] or [`ReleaseError::OtherTrials`] if it is not as the person saw it; [`ReleaseError::JobsUnfit`] if a job
    /// does not fit; [`RunError::Ledger`] if the release lacks what its partner asks of releases, or is older than
    /// the active one. Each is noted in the audit trail.
    pub async fn activate_release(&self, of: impl Into<Reviewed<'_>>, by: &By) -> Result<bool, RunError> {
        let of: Reviewed<'_> = of.into();
        let activate = |by: By| async move {
            self.fits_its_jobs(of.key).await?;
            Ok(self.ledger().activate(of.key, &by).await?)
        };
        let activated = self.as_judged(of, by, activate).await;
        self.noted(of.key, activated, by).await
    }

    /// Makes the release active again that was so before the one that is. It takes effect with the next claim.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if there is none to go back to that has what the partner asks of releases now, which is noted in the audit trail.
    pub async fn roll_back_release(&self, partner: &PartnerName, plugin: &PluginName, by: &By) -> Result<ReleaseKey, RunError> {
        match self.ledger().roll_back((partner, plugin), by).await {
            Err(error @ LedgerError::NotFound { .. }) => {
                let (subject, after) = (format!("plugin:{plugin}"), Some(serde_json::json!({ "why": error.to_string() })));
                let act = Act { partner: Some(partner), action: "release.turn-away", subject, before: None, after };
                self.ledger().note(act, by).await?;
                Err(error.into())
            }
            back => Ok(back?),
        }
    }

    /// The release that is named so: by the beginning of its digest, or as `lgps-return@2.0.0`.
    ///
    /// # Errors
    /// [`ReleaseError::NotOne`] if there is none, or more than one.
    pub async fn find_release(&self, partner: Option<&PartnerName>, name: &str) -> Result<Release, RunError> {
        let kept = self.ledger().releases(partner.map_or(Scope::Hub, Scope::Partner)).await?;
        let is_meant = |release: &Release| match name.split_once('@') {
            Some((plugin, version)) => release.release.key.plugin.as_str() == plugin && release.release.version == version,
            None => !name.is_empty() && release.release.key.digest.to_string().starts_with(&name.to_lowercase()),
        };
        let mut fitting: Vec<Release> = kept.into_iter().filter(is_meant).collect();
        match fitting.len() {
            1 => Ok(fitting.remove(0)),
            found => Err(ReleaseError::NotOne { name: name.to_owned(), found }.into()),
        }
    }

    /// Notes in the audit trail that something was refused. Nothing else was changed.
    async fn note_refusal(&self, partner: &PartnerName, (action, digest, why): (&str, Digest, &str), by: &By) -> Result<(), RunError> {
        let act = Act {
            partner: Some(partner),
            action,
            subject: format!("release:{digest}"),
            before: None,
            after: Some(serde_json::json!({ "why": why })),
        };
        Ok(self.ledger().note(act, by).await?)
    }
}
