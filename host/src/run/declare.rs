//! A configuration folder made the one in force: releases compiled, jobs checked against their plugins, all or nothing.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::Hub;
use super::failure::RunError;
use super::release::ReleaseError;
use super::shelf::Plugin;
use crate::config::{self, ConfigError, Configuration, PluginFile};
use crate::ledger::{
    Applied, By, Declaration, DeclaredConnection, DeclaredJob, DeclaredWebhook, LedgerError, NewRelease, NewTable, ReleaseKey,
    ReleaseSignature, ReleaseStanding, Scope, Source, Whole,
};
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::model::job::{Connection, Job, Partner, ReleasePolicy, Webhook};
use crate::model::table::Table;
use crate::registry::signature::SIGNATURE_FILE_END;

/// What applying a configuration does, or did.
#[derive(Debug, Default)]
pub struct Plan {
    /// Each partner's differences.
    pub partners: Vec<(PartnerName, Applied)>,
    /// Releases, each with whether it is new.
    pub releases: Vec<Installed>,
    /// Versions of tables that are new.
    pub tables: Vec<String>,
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
        let plugins = self.check(&configuration)?;
        self.check_tables(&configuration).await?;
        let mut taken = Vec::new();
        for (file, plugin) in plugins {
            let signature = self.vouch(&configuration, (&file, &plugin), by).await?;
            taken.push(Taken { file, plugin, signature });
        }
        let mut parts = Vec::new();
        for partner in &configuration.partners {
            parts.push(self.part(partner, &configuration, &taken)?);
        }
        let gone = self.partners_gone(&configuration).await?;
        parts.extend(gone.iter().map(|gone| Part {
            declaration: nothing(gone),
            taken: Vec::new(),
            releases: Vec::new(),
            tables: Vec::new(),
        }));
        let applied = self.ledger().apply_all(&parts.iter().map(Part::whole).collect::<Vec<_>>(), by).await?;
        for gone in &gone {
            for token in self.ledger().tokens(Scope::Partner(&gone.name)).await?.iter().filter(|token| token.revoked_at_ms.is_none()) {
                self.ledger().revoke_token(&gone.name, &token.name, by).await?;
            }
        }
        let mut plan = Plan::default();
        for (part, applied) in parts.into_iter().zip(applied) {
            let partner = part.declaration.partner.name;
            let new = part.tables.iter().zip(applied.added).filter(|(_, added)| *added).map(|(table, _)| &table.version);
            plan.tables.extend(new.map(|version| format!("{} {} for {partner}", version.table, version.version)));
            plan.partners.push((partner, applied.declared));
            plan.releases.extend(part.taken.iter().zip(applied.activated).map(|(taken, new)| installed(&taken.file, &taken.plugin, new)));
        }
        Ok(plan)
    }

    /// All that is to be in force for a partner.
    fn part<'a>(&self, partner: &Partner, configuration: &Configuration, taken: &'a [Taken]) -> Result<Part<'a>, RunError> {
        let taken: Vec<&Taken> = taken.iter().filter(|taken| taken.file.partner == partner.name).collect();
        let mut releases = Vec::new();
        for Taken { file, plugin, signature } in &taken {
            let size_bytes = std::fs::metadata(&file.component)?.len();
            releases.push(self.kept(&file.partner, plugin, (size_bytes, signature.clone())));
        }
        let of_partner = configuration.tables.iter().filter(|table| table.partner.as_ref().is_none_or(|owner| *owner == partner.name));
        let tables = of_partner.map(|kept| new_table(&partner.name, &kept.table)).collect();
        Ok(Part { declaration: declaration(partner, configuration), taken, releases, tables })
    }

    /// What applying a configuration folder would change; nothing is.
    ///
    /// # Errors
    /// As for [`Hub::apply`].
    pub async fn plan(&self, folder: &Path, by: &By) -> Result<Plan, RunError> {
        let configuration = read(folder)?;
        let plugins = self.check(&configuration)?;
        let mut plan = Plan::default();
        for partner in &configuration.partners {
            plan.partners.push((partner.name.clone(), self.ledger().plan(&declaration(partner, &configuration), by).await?));
        }
        for gone in self.partners_gone(&configuration).await? {
            plan.partners.push((gone.name.clone(), self.ledger().plan(&nothing(&gone), by).await?));
        }
        for (file, plugin) in &plugins {
            let active = self.ledger().active_release(&file.partner, &file.name).await?;
            let new = active.is_none_or(|active| active.release.key.digest != plugin.release.digest);
            plan.releases.push(installed(file, plugin, new));
        }
        Ok(plan)
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

    /// Refuses a component that lacks what its partner asks of releases, before anything is changed.
    async fn vouch(
        &self,
        configuration: &Configuration,
        (file, plugin): (&PluginFile, &Plugin),
        by: &By,
    ) -> Result<Option<ReleaseSignature>, RunError> {
        let partner = configuration.partners.iter().find(|partner| partner.name == file.partner).expect("its partner was checked");
        let mut beside = file.component.clone().into_os_string();
        beside.push(SIGNATURE_FILE_END);
        let signature = match std::fs::read_to_string(&beside) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(RunError::ComponentUnreadable { path: beside.to_string_lossy().into_owned(), why: error.to_string() });
            }
        };
        let signature = self.vouched(partner, (&std::fs::read(&file.component)?, signature.as_deref()), by).await?;
        if partner.releases == ReleasePolicy::Approved {
            let key = ReleaseKey { partner: partner.name.clone(), plugin: file.name.clone(), digest: plugin.release.digest };
            let standing = self.ledger().release(&key).await?.and_then(|kept| kept.verdict).map(|verdict| verdict.standing);
            if standing != Some(ReleaseStanding::Approved) {
                return Err(ReleaseError::NotApproved { partner: key.partner, plugin: key.plugin, digest: key.digest }.into());
            }
        }
        Ok(signature)
    }
}

/// A component that was taken up.
struct Taken {
    file: PluginFile,
    plugin: Arc<Plugin>,
    signature: Option<ReleaseSignature>,
}

/// What a configuration holds for one partner.
struct Part<'a> {
    declaration: Declaration,
    taken: Vec<&'a Taken>,
    releases: Vec<NewRelease>,
    tables: Vec<NewTable>,
}

impl Part<'_> {
    fn whole(&self) -> Whole<'_> {
        Whole { declaration: &self.declaration, releases: &self.releases, tables: &self.tables }
    }
}

/// What is declared for a partner that is no longer configured.
fn nothing(partner: &Partner) -> Declaration {
    Declaration { partner: partner.clone(), sources: Vec::new(), connections: Vec::new(), webhooks: Vec::new(), jobs: Vec::new() }
}

fn read(folder: &Path) -> Result<Configuration, RunError> {
    if !folder.is_dir() {
        let (path, why) = (folder.display().to_string(), "there is no such folder".to_owned());
        return Err(RunError::ConfigurationUnreadable { path, why });
    }
    config::load(folder).map_err(|error| match error {
        ConfigError::Wrong(problems) => RunError::Configuration(problems),
        ConfigError::Unreadable { path, why } => RunError::ConfigurationUnreadable { path, why },
    })
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

fn new_table(partner: &PartnerName, table: &Table) -> NewTable {
    let mut content = Vec::new();
    let mut write = |row: &[String]| {
        for (place, value) in row.iter().enumerate() {
            if place > 0 {
                content.push(b',');
            }
            content.push(b'"');
            content.extend(value.replace('"', "\"\"").into_bytes());
            content.push(b'"');
        }
        content.push(b'\n');
    };
    write(&table.columns);
    table.rows.iter().for_each(|row| write(row));
    let content = String::from_utf8(content).expect("the values are text");
    NewTable { partner: partner.clone(), version: table.version.clone(), source: table.source.clone(), content }
}

/// What the ledger keeps of a partner: its own part of the shared files, with absolute paths, and its jobs' files as they stand.
fn declaration(partner: &Partner, configuration: &Configuration) -> Declaration {
    let connections: Vec<&Connection> = configuration.connections.iter().filter(|connection| connection.partner == partner.name).collect();
    let jobs: Vec<(&Job, &crate::registry::source::Source)> =
        configuration.jobs.iter().zip(&configuration.job_files).filter(|(job, _)| job.partner == partner.name).collect();
    let connections_text = config::connections_text(&connections);
    let connections_digest = Digest::of(connections_text.as_bytes());
    let mut sources = vec![Source { name: "partners.toml".to_owned(), text: partners_text(partner) }];
    sources.push(Source { name: "connections.toml".to_owned(), text: connections_text });
    let webhooks: Vec<&Webhook> = configuration.webhooks.iter().filter(|webhook| webhook.partner == partner.name).collect();
    let webhooks_text = config::webhooks_text(&webhooks);
    let webhooks_digest = Digest::of(webhooks_text.as_bytes());
    if !webhooks.is_empty() {
        sources.push(Source { name: "webhooks.toml".to_owned(), text: webhooks_text });
    }
    sources.extend(config::hub_text(&configuration.ceiling).map(|text| Source { name: "hub.toml".to_owned(), text }));
    sources.extend(jobs.iter().map(|(_, file)| Source { name: file.name.clone(), text: file.text.to_string() }));
    Declaration {
        partner: partner.clone(),
        sources,
        connections: connections
            .iter()
            .map(|connection| DeclaredConnection {
                name: connection.name.clone(),
                definition: connections_digest,
                runs_at_once: connection.runs_at_once,
            })
            .collect(),
        webhooks: webhooks
            .iter()
            .map(|webhook| DeclaredWebhook { name: webhook.name.clone(), events: webhook.events.clone(), definition: webhooks_digest })
            .collect(),
        jobs: jobs.iter().map(|(job, _)| DeclaredJob::from(*job)).collect(),
    }
}

#[derive(Serialize)]
struct PartnersFile<'a> {
    partner: [PartnerEntry<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PartnerEntry<'a> {
    name: &'a str,
    title: &'a str,
    runs_at_once: Option<u32>,
    releases: &'a str,
}

fn partners_text(partner: &Partner) -> String {
    let entry = PartnerEntry {
        name: partner.name.as_str(),
        title: &partner.title,
        runs_at_once: partner.runs_at_once,
        releases: partner.releases.as_str(),
    };
    let file = PartnersFile { partner: [entry] };
    toml::to_string(&file).expect("names and titles are TOML")
}
