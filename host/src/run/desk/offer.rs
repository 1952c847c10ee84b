//! What a person who wants a decision chooses from: the rule sets in use, and the settings that jobs give them.
//!
//! It must not know how anything is decided.

use serde_json::Value;

use crate::ledger::Scope;
use crate::model::ids::{Digest, JobName, PartnerName, PluginName};
use crate::model::manifest::{Kind, RuleSetShape};
use crate::run::Hub;
use crate::run::failure::RunError;

/// A rule set that a partner uses.
#[derive(Debug, Clone)]
pub struct RuleSetOffer {
    /// Its name.
    pub plugin: PluginName,
    /// The version in use, for people.
    pub version: String,
    /// The release in use.
    pub release: Digest,
    /// One line for people.
    pub title: String,
    /// A paragraph for people.
    pub about: String,
    /// What a case and a decision are like.
    pub shape: RuleSetShape,
    /// The settings that each job gives it.
    pub settings: Vec<(JobName, Value)>,
}

impl Hub {
    /// The rule sets that a partner uses, by name.
    ///
    /// # Errors
    /// [`RunError`]: the ledger, the configuration in force, or a stored component cannot be read.
    pub async fn rule_sets(&self, partner: &PartnerName) -> Result<Vec<RuleSetOffer>, RunError> {
        let jobs = self.in_force(partner).await?.jobs;
        let mut offers = Vec::new();
        for active in self.ledger().releases(Scope::Partner(partner)).await?.into_iter().filter(|kept| kept.active_since_ms.is_some()) {
            let key = active.release.key;
            let manifest = std::sync::Arc::clone(&self.plugin(key.digest).await?.manifest);
            let Kind::RuleSet(shape) = &manifest.kind else { continue };
            let of_jobs = jobs.iter().filter(|job| job.plugin == key.plugin);
            offers.push(RuleSetOffer {
                settings: of_jobs.map(|job| (job.name.clone(), job.settings.clone())).collect(),
                plugin: key.plugin,
                version: manifest.version.clone(),
                release: key.digest,
                title: manifest.title.clone(),
                about: manifest.about.clone(),
                shape: shape.clone(),
            });
        }
        Ok(offers)
    }
}
