//! Releases that would stay in use, or come into it, and could not work with what they are lent: the operator's ceiling or an approval keeps
//! back what they need, or a job asks for more than is granted.
//!
//! It is told and keeps nothing from coming into force: what the operator lends no more is not lent, whoever needs it.
//! Must not know how a grant is made.

use std::sync::Arc;

use super::{Part, read_again};
use crate::config::Configuration;
use crate::ledger::{ReleaseKey, Scope};
use crate::model::job::{Job, ReleaseChoice};
use crate::run::Hub;
use crate::run::conduct::formats_of;
use crate::run::failure::RunError;
use crate::run::release::{beyond, lacking};
use crate::run::shelf::Plugin;

/// A release that jobs use once a part is in force.
struct InUse<'a> {
    key: ReleaseKey,
    plugin: Arc<Plugin>,
    /// The jobs that run it, or read and write by it.
    jobs: Vec<&'a Job>,
}

impl Hub {
    /// What of a partner's releases could not work once a part of a configuration is in force, each a sentence.
    pub(super) async fn starved(&self, part: &Part<'_>) -> Result<Vec<String>, RunError> {
        let texts = part.declaration.sources.iter().map(|source| (source.name.clone(), source.text.clone())).collect();
        if part.declaration.sources.is_empty() {
            return Ok(Vec::new());
        }
        let configuration = read_again(&texts)?;
        let mut told = Vec::new();
        for InUse { key, plugin, jobs } in self.in_use(part, &configuration).await? {
            let grant = self.ledger().granted(&key).await?.and(&configuration.ceiling);
            let mut missing = lacking(&plugin, &grant);
            missing.extend(jobs.iter().filter(|job| job.plugin == key.plugin).flat_map(|job| beyond(&grant, job)));
            if missing.is_empty() {
                continue;
            }
            let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
            let then = match names.as_slice() {
                [] => "whoever asks it for a decision is refused".to_owned(),
                names => format!("the next run of {} fails before its first row", names.join(", of ")),
            };
            let version = &plugin.manifest.version;
            let missing = missing.join("; ");
            told.push(format!(
                "{}: release {version} ({}) of {} in use cannot work with what it is lent: {missing}. So {then}",
                key.partner,
                key.digest.short(),
                key.plugin
            ));
        }
        Ok(told)
    }

    /// The releases that are active once a part is in force, and those that its jobs name by their digest.
    async fn in_use<'a>(&self, part: &Part<'_>, configuration: &'a Configuration) -> Result<Vec<InUse<'a>>, RunError> {
        let partner = &part.declaration.partner.name;
        let kept = self.ledger().releases(Scope::Partner(partner)).await?;
        let mut keys = part.activate.clone();
        let others = kept.iter().filter(|release| release.active_since_ms.is_some()).map(|release| &release.release.key);
        keys.extend(others.filter(|key| !part.activate.iter().any(|new| new.plugin == key.plugin)).cloned());
        let mut all = Vec::new();
        for key in keys {
            let Some(plugin) = self.readable(&key).await else { continue };
            let takes = |job: &&Job| {
                let own = job.plugin == key.plugin && job.release.takes(&plugin.manifest.version, key.digest);
                own || formats_of(job).any(|format| format.plugin == key.plugin)
            };
            let jobs = configuration.jobs.iter().filter(takes).collect();
            all.push(InUse { key, plugin, jobs });
        }
        for job in configuration.jobs.iter().filter(|job| matches!(job.release, ReleaseChoice::One(_))) {
            let named = kept
                .iter()
                .map(|release| &release.release)
                .find(|release| release.key.plugin == job.plugin && job.release.takes(&release.version, release.key.digest));
            let Some(key) = named.map(|release| &release.key).filter(|key| !all.iter().any(|used| used.key == **key)) else { continue };
            let Some(plugin) = self.readable(key).await else { continue };
            all.push(InUse { key: key.clone(), plugin, jobs: vec![job] });
        }
        Ok(all)
    }

    /// The plugin of a release. One that cannot be read keeps nothing from coming into force, and its runs say why they cannot use it.
    async fn readable(&self, key: &ReleaseKey) -> Option<Arc<Plugin>> {
        let found = self.plugin(key.digest).await;
        found.inspect_err(|error| tracing::warn!(%error, release = %key.digest, "a release in use cannot be read")).ok()
    }
}
