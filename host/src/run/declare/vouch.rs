//! What the components of a folder lack that their partners ask of releases; and what is noted of those that are turned away.
//!
//! Must not know what a signature is.

use std::sync::Arc;

use crate::config::{Configuration, PluginFile};
use crate::ledger::{Act, By, LedgerError, ReleaseKey, ReleaseSignature, ReleaseStanding};
use crate::model::ids::Digest;
use crate::registry::signature::SIGNATURE_FILE_END;
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::release::ReleaseError;
use crate::run::shelf::Plugin;

impl Hub {
    /// Refuses a component that lacks what its partner asks of releases, before anything is changed. Of the release that is active and stays
    /// so it answers why its partner would have it no longer, if it was refused or its key revoked: nothing is put in use by that, and the
    /// other partners of the folder can do nothing about it.
    pub(super) async fn vouch(
        &self,
        configuration: &Configuration,
        (file, plugin): (&PluginFile, &Plugin),
        by: &By,
    ) -> Result<(Option<ReleaseSignature>, Option<String>), RunError> {
        let partner = configuration.partners.iter().find(|partner| partner.name == file.partner).expect("its partner was checked");
        let key = ReleaseKey { partner: partner.name.clone(), plugin: file.name.clone(), digest: plugin.release.digest };
        let kept = self.ledger().release(&key).await?;
        let active = kept.as_ref().is_some_and(|kept| kept.active_since_ms.is_some());
        let standing = kept.and_then(|kept| kept.verdict).map(|verdict| verdict.standing);
        let stays = |why: String| format!("{}: release {} of {} stays active: {why}", key.partner, key.digest.short(), key.plugin);
        if active && standing == Some(ReleaseStanding::Refused) {
            return Ok((None, Some(stays("it was refused; put another in use, or roll it back".to_owned()))));
        }
        let signature = signature_beside(file)?;
        let component = std::fs::read(&file.component)?;
        let checked = self.checked(partner, (&component, signature.as_deref())).await;
        let signature = match checked {
            Err(RunError::Release(error @ ReleaseError::RevokedKey { .. })) if active => return Ok((None, Some(stays(error.to_string())))),
            checked => self.noted(&key, checked, by).await?,
        };
        if partner.releases.asks_approval() && standing != Some(ReleaseStanding::Approved) {
            let (partner, plugin, digest) = (key.partner.clone(), key.plugin.clone(), key.digest);
            return self.noted(&key, Err(ReleaseError::NotApproved { partner, plugin, digest }.into()), by).await;
        }
        Ok((signature, None))
    }

    /// Judges a component that its partner does not keep yet by the cases that it brings, before anything is changed.
    pub(super) async fn judge_if_new(&self, (file, plugin): (&PluginFile, &Arc<Plugin>), by: &By) -> Result<(), RunError> {
        let key = ReleaseKey { partner: file.partner.clone(), plugin: file.name.clone(), digest: plugin.release.digest };
        if !plugin.has_cases || self.ledger().release(&key).await?.is_some() {
            return Ok(());
        }
        let component = std::fs::read(&file.component)?;
        if Digest::of(&component) != key.digest {
            let why = "it was changed while it was read: plan or apply again".to_owned();
            return Err(RunError::ComponentUnreadable { path: file.component.to_string_lossy().into_owned(), why });
        }
        let judged = self.judge_by_own_cases(&component, Arc::clone(plugin)).await;
        self.noted(&key, judged, by).await.map(drop)
    }

    /// Notes in the audit trail which release kept a configuration from coming into force.
    pub(super) async fn noted_where_it_says<T>(&self, done: Result<T, RunError>, by: &By) -> Result<T, RunError> {
        if let Err(RunError::Ledger(error @ LedgerError::NotVouchedFor { partner, digest, .. })) = &done {
            let (subject, after) = (format!("release:{digest}"), Some(serde_json::json!({ "why": error.to_string() })));
            let act = Act { partner: Some(partner), action: "release.turn-away", subject, before: None, after };
            self.ledger().note(act, &By { as_of: None, ..by.clone() }).await?;
        }
        done
    }
}

/// The text of the signature that lies beside a component.
fn signature_beside(file: &PluginFile) -> Result<Option<String>, RunError> {
    let mut beside = file.component.clone().into_os_string();
    beside.push(SIGNATURE_FILE_END);
    match std::fs::read_to_string(&beside) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RunError::ComponentUnreadable { path: beside.to_string_lossy().into_owned(), why: error.to_string() }),
    }
}
