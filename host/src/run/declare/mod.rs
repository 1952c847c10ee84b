//! A configuration folder made the one in force: releases compiled, jobs checked against their plugins, all or nothing.
//!
//! ```text
//! split    what one person may put in force, and what takes two
//! change   what one proposed, and another decides
//! text     what the ledger keeps of a configuration
//! posted   what a partner sends in place of a folder, within the frame that the operator set
//! drift    what is in force and not in the folder, or the other way round
//! vouch    what a folder's components lack that their partner asks; and the cases that new ones bring
//! starved  releases that would stay in use and could not work with what they are lent
//! ```

mod change;
mod drift;
mod posted;
mod split;
mod starved;
mod text;
mod vouch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config::{self, Configuration, PluginFile};
use crate::ledger::{
    Applied, AppliedWhole, By, Declaration, LedgerError, NewChange, NewRelease, NewTable, Release, ReleaseKey, ReleaseSignature, Scope,
    Whole,
};
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::model::job::{ChangePolicy, Partner};
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::shelf::Plugin;

pub use change::Proposed;
pub use drift::DRIFT_EVERY_MS;
pub use posted::Files;

use text::{declaration, new_table, nothing};

/// What applying a configuration does, or did.
#[derive(Debug, Default)]
pub struct Plan {
    /// Each partner's differences.
    pub partners: Vec<(PartnerName, Applied)>,
    /// Releases, each with whether it is new.
    pub releases: Vec<Installed>,
    /// Versions of tables that are new.
    pub tables: Vec<String>,
    /// What takes a second person, and is not in force before.
    pub proposed: Vec<Proposed>,
    /// Releases that are active and that the configuration does not name. Nothing is done about them.
    pub unlisted: Vec<String>,
    /// Releases that stay active although their partner would have them no longer. It is for the partner to put another in use.
    pub unwanted: Vec<String>,
    /// Releases in use that cannot work with what they are lent by this: their next run fails before its first row.
    pub starved: Vec<String>,
}

/// A release that a configuration names.
#[derive(Debug)]
pub struct Installed {
    /// Its partner.
    pub partner: PartnerName,
    /// Its plugin.
    pub plugin: PluginName,
    /// Its version, for people.
    pub version: String,
    /// Its name.
    pub digest: Digest,
    /// Whether it was not the active one.
    pub new: bool,
}

impl Hub {
    /// Makes a configuration folder the one in force. Nothing of it is, unless all of it can be.
    ///
    /// # Errors
    /// [`RunError::Configuration`] with everything that is wrong in its files; [`RunError::JobUnfit`] if a job does not fit its plugin;
    /// or what a component is refused for.
    pub async fn apply(&self, folder: &Path, by: &By) -> Result<Plan, RunError> {
        let configuration = read(folder)?;
        let taken = self.take(&configuration, by).await?;
        let (parts, proposals, gone) = self.parts(&configuration, &taken).await?;
        let mut plan = self.findings(&configuration, (&taken, &parts)).await?;
        self.put_in_force(parts, &mut plan, by).await?;
        for gone in &gone {
            self.revoke_tokens(&gone.name, by).await?;
        }
        self.propose(proposals, &mut plan, by).await?;
        Ok(plan)
    }

    /// Makes parts the ones in force, all or none.
    async fn put_in_force(&self, parts: Vec<Part<'_>>, plan: &mut Plan, by: &By) -> Result<(), RunError> {
        let applied = self.ledger().apply_all(&parts.iter().map(Part::whole).collect::<Vec<_>>(), by).await.map_err(RunError::from);
        let applied = self.noted_where_it_says(applied, by).await?;
        plan.takes(parts, applied);
        Ok(())
    }

    /// Keeps what takes a second person until one decides.
    async fn propose(&self, proposals: impl IntoIterator<Item = NewChange>, plan: &mut Plan, by: &By) -> Result<(), RunError> {
        for proposal in proposals {
            let (change, new) = self.ledger().propose_change(&proposal, by).await?;
            let (number, waited) = (Some(change.number), !new);
            plan.proposed.push(Proposed { partner: change.partner, number, waited, difference: change.difference });
        }
        Ok(())
    }

    /// Takes away what partners that are no longer configured call with.
    async fn revoke_tokens(&self, gone: &PartnerName, by: &By) -> Result<(), RunError> {
        for token in self.ledger().tokens(Scope::Partner(gone)).await?.iter().filter(|token| token.revoked_at_ms.is_none()) {
            self.ledger().revoke_token(gone, &token.name, by).await?;
        }
        Ok(())
    }

    /// What one person may put in force, partner by partner; what takes another; and the partners that are gone by it.
    async fn parts<'a>(
        &self,
        configuration: &Configuration,
        taken: &'a [Taken],
    ) -> Result<(Vec<Part<'a>>, Vec<NewChange>, Vec<Partner>), RunError> {
        let (mut parts, mut proposals, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let known = self.ledger().partners(Scope::Hub).await?;
        for partner in &configuration.partners {
            let mut part = self.part(partner, configuration, taken)?;
            let old = known.iter().find(|old| old.name == partner.name && old.changes == ChangePolicy::TwoPersons);
            if let Some(old) = old {
                proposals.extend(self.hold_back(old, (configuration, &mut part)).await?);
            }
            parts.push(part);
        }
        for partner in self.partners_gone(configuration).await? {
            let declaration = nothing(&partner);
            if partner.changes == ChangePolicy::TwoPersons {
                if !self.ledger().sources(&partner.name).await?.is_empty() {
                    let held = vec!["no longer configured: everything that it declared is removed".to_owned()];
                    proposals.push(change::proposal(&declaration, &[], held));
                }
                continue;
            }
            parts.push(Part { declaration, taken: Vec::new(), releases: Vec::new(), activate: Vec::new(), tables: Vec::new() });
            gone.push(partner);
        }
        Ok((parts, proposals, gone))
    }

    /// Leaves in a part what one person may put in force, and answers what takes another.
    async fn hold_back(
        &self,
        old: &Partner,
        (configuration, part): (&Configuration, &mut Part<'_>),
    ) -> Result<Option<NewChange>, RunError> {
        let sources: BTreeMap<String, String> =
            self.ledger().sources(&old.name).await?.into_iter().map(|source| (source.name, source.text)).collect();
        let in_force = if sources.is_empty() { Configuration::default() } else { read_again(&sources)? };
        let (mut active, mut activating) = (Vec::new(), Vec::new());
        for taken in &part.taken {
            let now = self.ledger().active_release(&old.name, &taken.file.name).await?;
            if now.is_some_and(|now| now.release.key.digest == taken.plugin.release.digest) {
                active.push(taken.key());
            } else {
                let release = format!("{} ({})", taken.plugin.manifest.version, taken.plugin.release.digest.short());
                activating.push((taken.file.name.clone(), release));
            }
        }
        let new = split::part_of(&part.declaration.partner, configuration);
        let split = split::split((old, &in_force), &new, &activating);
        if split.held.is_empty() {
            return Ok(None);
        }
        let proposal = change::proposal(&part.declaration, &part.activate, split.held);
        part.declaration = declaration(&split.now.partners[0], &split.now);
        part.activate = active;
        Ok(Some(proposal))
    }

    /// Releases that are active and that the folder does not name.
    async fn unlisted(&self, configuration: &Configuration) -> Result<Vec<String>, RunError> {
        let releases = self.ledger().releases(Scope::Hub).await?.into_iter().filter(|release| release.active_since_ms.is_some());
        let named = |key: &ReleaseKey| configuration.plugins.iter().any(|file| file.partner == key.partner && file.name == key.plugin);
        let unlisted = releases.filter(|release| !named(&release.release.key));
        Ok(unlisted
            .map(|Release { release, .. }| {
                format!("{}: release {} {} ({})", release.key.partner, release.key.plugin, release.version, release.key.digest.short())
            })
            .collect())
    }

    /// All that is to be in force for a partner.
    fn part<'a>(&self, partner: &Partner, configuration: &Configuration, taken: &'a [Taken]) -> Result<Part<'a>, RunError> {
        let taken: Vec<&Taken> = taken.iter().filter(|taken| taken.file.partner == partner.name).collect();
        let mut releases = Vec::new();
        for Taken { file, plugin, signature, .. } in &taken {
            let size_bytes = std::fs::metadata(&file.component)?.len();
            releases.push(self.kept(&file.partner, plugin, (size_bytes, signature.clone())));
        }
        let of_partner = configuration.tables.iter().filter(|table| table.partner.as_ref().is_none_or(|owner| *owner == partner.name));
        let tables = of_partner.map(|kept| new_table(&partner.name, &kept.table)).collect();
        let activate = releases.iter().map(|release| release.key.clone()).collect();
        Ok(Part { declaration: declaration(partner, configuration), taken, releases, activate, tables })
    }

    /// What applying a configuration folder would change; nothing is.
    ///
    /// # Errors
    /// As for [`Hub::apply`].
    pub async fn plan(&self, folder: &Path, by: &By) -> Result<Plan, RunError> {
        let configuration = read(folder)?;
        let taken = self.take(&configuration, by).await?;
        let (parts, proposals, _) = self.parts(&configuration, &taken).await?;
        let mut plan = self.findings(&configuration, (&taken, &parts)).await?;
        let applied = self.ledger().plan_all(&parts.iter().map(Part::whole).collect::<Vec<_>>(), by).await?;
        plan.takes(parts, applied);
        plan.would_propose(proposals);
        Ok(plan)
    }

    /// What a person has to know of a configuration beyond what it changes.
    async fn findings(&self, configuration: &Configuration, (taken, parts): (&[Taken], &[Part<'_>])) -> Result<Plan, RunError> {
        let unwanted = taken.iter().filter_map(|taken| taken.unwanted.clone()).collect();
        let mut plan = Plan { unlisted: self.unlisted(configuration).await?, unwanted, ..Plan::default() };
        for part in parts {
            plan.starved.extend(self.starved(part).await?);
        }
        Ok(plan)
    }

    /// Takes up all that a configuration names, and refuses what could not be put in force, before anything is changed.
    async fn take(&self, configuration: &Configuration, by: &By) -> Result<Vec<Taken>, RunError> {
        let plugins = self.check(configuration)?;
        self.check_tables(configuration).await?;
        let mut taken = Vec::new();
        for (file, plugin) in plugins {
            let (signature, unwanted) = self.vouch(configuration, (&file, &plugin), by).await?;
            self.judge_if_new((&file, &plugin), by).await?;
            taken.push(Taken { file, plugin, signature, unwanted });
        }
        Ok(taken)
    }

    /// Takes every component up and checks every job against its plugin.
    fn check(&self, configuration: &Configuration) -> Result<Vec<(PluginFile, Arc<Plugin>)>, RunError> {
        let mut plugins = Vec::new();
        for file in &configuration.plugins {
            let unreadable = |error: std::io::Error| RunError::ComponentUnreadable {
                path: file.component.display().to_string(),
                why: error.to_string(),
            };
            let plugin = self.shared.shelf.add(&std::fs::read(&file.component).map_err(unreadable)?)?;
            if plugin.manifest.name != file.name {
                let path = file.component.display().to_string();
                return Err(RunError::ComponentOfAnother { path, found: plugin.manifest.name.clone(), wanted: file.name.clone() });
            }
            plugins.push((file.clone(), plugin));
        }
        for job in &configuration.jobs {
            let of_job = |(file, _): &&(PluginFile, Arc<Plugin>)| file.partner == job.partner && file.name == job.plugin;
            let (_, plugin) = plugins
                .iter()
                .find(of_job)
                .ok_or_else(|| RunError::NoRelease { partner: job.partner.clone(), plugin: job.plugin.clone() })?;
            if !job.release.takes(&plugin.manifest.version, plugin.release.digest) {
                // It runs another release, with which it is checked whenever it runs.
                continue;
            }
            let of_partner = plugins.iter().filter(|(file, _)| file.partner == job.partner);
            let formats: Vec<_> = of_partner.map(|(_, plugin)| plugin.manifest.as_ref()).collect();
            let findings = config::check_job(job, &plugin.manifest, &formats);
            if !findings.is_empty() {
                return Err(RunError::JobUnfit { job: job.name.to_string(), findings });
            }
        }
        Ok(plugins)
    }

    /// Partners that are in force and no longer configured.
    async fn partners_gone(&self, configuration: &Configuration) -> Result<Vec<Partner>, RunError> {
        let configured = |partner: &Partner| configuration.partners.iter().any(|other| other.name == partner.name);
        Ok(self.ledger().partners(Scope::Hub).await?.into_iter().filter(|partner| !configured(partner)).collect())
    }

    /// Refuses a version of a table that is kept with other rows, before anything is changed.
    async fn check_tables(&self, configuration: &Configuration) -> Result<(), RunError> {
        for partner in &configuration.partners {
            let kept = self.ledger().tables(&partner.name, None).await?;
            let of_partner = configuration.tables.iter().filter(|table| table.partner.as_ref().is_none_or(|owner| *owner == partner.name));
            for new in of_partner.map(|table| new_table(&partner.name, &table.table)) {
                let named = (&new.version.table, &new.version.version);
                let same = kept.iter().find(|old| (&old.table.version.table, &old.table.version.version) == named);
                if same.is_some_and(|old| old.table.version != new.version || old.table.content != new.content) {
                    return Err(LedgerError::VersionDiffers { table: new.version.table, version: new.version.version }.into());
                }
            }
        }
        Ok(())
    }
}

impl Plan {
    /// Takes up what parts of a configuration changed, or would.
    fn takes(&mut self, parts: Vec<Part<'_>>, applied: Vec<AppliedWhole>) {
        for (part, applied) in parts.into_iter().zip(applied) {
            let partner = part.declaration.partner.name;
            let new = part.tables.iter().zip(applied.added).filter(|(_, added)| *added).map(|(table, _)| &table.version);
            self.tables.extend(new.map(|version| format!("{} {} for {partner}", version.table, version.version)));
            self.partners.push((partner, applied.declared));
            let new = |taken: &Taken| applied.activated.contains(&taken.key());
            self.releases.extend(part.taken.iter().map(|taken| installed(&taken.file, &taken.plugin, new(taken))));
        }
    }

    fn would_propose(&mut self, proposals: impl IntoIterator<Item = NewChange>) {
        let waits = |NewChange { partner, difference, .. }| Proposed { partner, number: None, waited: false, difference };
        self.proposed.extend(proposals.into_iter().map(waits));
    }
}

/// A component that was taken up.
struct Taken {
    file: PluginFile,
    plugin: Arc<Plugin>,
    signature: Option<ReleaseSignature>,
    /// Why its partner would have it no longer, though it is active.
    unwanted: Option<String>,
}

impl Taken {
    fn key(&self) -> ReleaseKey {
        ReleaseKey { partner: self.file.partner.clone(), plugin: self.file.name.clone(), digest: self.plugin.release.digest }
    }
}

/// What a configuration holds for one partner.
struct Part<'a> {
    declaration: Declaration,
    taken: Vec<&'a Taken>,
    releases: Vec<NewRelease>,
    activate: Vec<ReleaseKey>,
    tables: Vec<NewTable>,
}

impl Part<'_> {
    fn whole(&self) -> Whole<'_> {
        Whole { declaration: &self.declaration, releases: &self.releases, activate: &self.activate, tables: &self.tables }
    }
}

fn read(folder: &Path) -> Result<Configuration, RunError> {
    if !folder.is_dir() {
        let (path, why) = (folder.display().to_string(), "there is no such folder".to_owned());
        return Err(RunError::ConfigurationUnreadable { path, why });
    }
    Ok(config::load(folder)?)
}

/// What was declared, read again from the texts that were kept.
fn read_again(texts: &BTreeMap<String, String>) -> Result<Configuration, RunError> {
    Ok(config::reload(texts)?)
}

fn installed(file: &PluginFile, plugin: &Plugin, new: bool) -> Installed {
    Installed {
        partner: file.partner.clone(),
        plugin: file.name.clone(),
        version: plugin.manifest.version.clone(),
        digest: plugin.release.digest,
        new,
    }
}
