//! What a partner declares of itself, sent in place of a folder: held to the frame that the operator of the hub set, then planned and put
//! in force as any other.
//!
//! The frame is what reaches beyond the partner, and is declared on the hub's own machine: what a partner is asked and allowed, and which
//! places there are, as they are reached from that machine, with its files, its network and the partner's credentials. Components are handed
//! in one by one. Where `partners.toml` or `connections.toml` is not sent, it stays as it is.
//! Must not know how anything is put in force.

use std::collections::BTreeMap;

use super::{Part, Plan, read_again};
use crate::config::{self, Configuration};
use crate::ledger::{By, LedgerError, NewChange, Scope};
use crate::model::ids::{Digest, PartnerName};
use crate::model::job::{ChangePolicy, Connection, Partner, Webhook};
use crate::registry::source::{Problem, Problems, Source};
use crate::run::Hub;
use crate::run::failure::RunError;

/// Most files of a configuration that is sent.
const FILES_MAX: usize = 1_000;

/// Largest of them, in bytes: as of a folder's.
const FILE_BYTES_MAX: usize = 1 << 20;

/// How often a plan is looked at again for one application, while others write at the same partner.
const LOOKS_MAX: usize = 32;

/// The operator's own file, which a partner is neither shown nor asked for.
const OF_OPERATOR: &str = "hub.toml";

const PARTNERS: &str = "partners.toml";

/// Files of a configuration by their paths within it.
pub type Files = BTreeMap<String, String>;

impl Hub {
    /// The files in force that a partner may send again, changed: rows of tables are at their own addresses.
    ///
    /// # Errors
    /// [`RunError::Ledger`].
    pub async fn configuration_in_force(&self, partner: &PartnerName) -> Result<Files, RunError> {
        let sources = self.ledger().sources(partner).await?;
        Ok(sources.into_iter().filter(|source| source.name != OF_OPERATOR).map(|source| (source.name, source.text)).collect())
    }

    /// What putting files in force would change at a partner, and the code of this plan: it stands for these files on what is in force now.
    ///
    /// # Errors
    /// [`RunError::Configuration`] with all that is wrong or beyond the frame; [`RunError::JobUnfit`].
    pub async fn plan_posted(&self, partner: &PartnerName, files: &Files, by: &By) -> Result<(Plan, Digest), RunError> {
        let code = self.code_of(partner, files).await?;
        let (configuration, old) = self.posted(partner, files).await?;
        let mut part = self.part(&configuration.partners[0], &configuration, &[])?;
        let proposal = self.held_back(&old, (&configuration, &mut part)).await?;
        let mut plan = Plan { starved: self.starved(&part).await?, ..Plan::default() };
        let applied = self.ledger().plan_all(&[part.whole()], by).await?;
        plan.takes(vec![part], applied);
        plan.would_propose(proposal);
        Ok((plan, code))
    }

    /// Puts files in force as they were planned, or nothing of them.
    ///
    /// # Errors
    /// [`LedgerError::ChangedMeanwhile`] if the files are others, or something else has come into force since; and as for
    /// [`Hub::plan_posted`].
    pub async fn apply_posted(&self, partner: &PartnerName, (files, code): (&Files, &str), by: &By) -> Result<Plan, RunError> {
        for _ in 0..LOOKS_MAX {
            // From here on nothing may come between: the transaction that puts it in force sees to that.
            let by = by.clone().as_of(self.ledger().trail_end(partner).await?);
            if self.code_of(partner, files).await?.to_string() != code {
                break;
            }
            match self.apply_at(partner, files, &by).await {
                // Something was done at the partner, which need not be what the plan stands on.
                Err(RunError::Ledger(LedgerError::ChangedMeanwhile { .. })) => {}
                // There was nothing to do: perhaps as another has done it just now.
                Ok(plan) if plan.lines().is_empty() && self.code_of(partner, files).await?.to_string() != code => break,
                applied => return applied,
            }
        }
        Err(LedgerError::ChangedMeanwhile { partner: partner.clone() }.into())
    }

    async fn apply_at(&self, partner: &PartnerName, files: &Files, by: &By) -> Result<Plan, RunError> {
        let (configuration, old) = self.posted(partner, files).await?;
        let mut part = self.part(&configuration.partners[0], &configuration, &[])?;
        let proposal = self.held_back(&old, (&configuration, &mut part)).await?;
        let mut plan = Plan { starved: self.starved(&part).await?, ..Plan::default() };
        self.put_in_force(vec![part], &mut plan, by).await?;
        self.propose(proposal, &mut plan, &By { as_of: None, ..by.clone() }).await?;
        Ok(plan)
    }

    async fn held_back(&self, old: &Partner, both: (&Configuration, &mut Part<'_>)) -> Result<Option<NewChange>, RunError> {
        if old.changes == ChangePolicy::TwoPersons { self.hold_back(old, both).await } else { Ok(None) }
    }

    /// What a plan stands for: the files, and what is in force.
    async fn code_of(&self, partner: &PartnerName, files: &Files) -> Result<Digest, RunError> {
        let in_force = self.ledger().in_force(partner).await?;
        let files = serde_json::to_string(files).expect("texts are JSON");
        Ok(Digest::of(format!("bailiwick plan\n{partner}\n{in_force}\n{files}").as_bytes()))
    }

    /// Reads the files, within the frame; and the partner as it is in force.
    async fn posted(&self, partner: &PartnerName, files: &Files) -> Result<(Configuration, Partner), RunError> {
        let mut problems = Problems::default();
        names(files, &mut problems);
        problems.or(Some(()))?;
        let in_force: Files = self.ledger().sources(partner).await?.into_iter().map(|source| (source.name, source.text)).collect();
        let known = self.ledger().partners(Scope::Partner(partner)).await?.into_iter().next();
        let missing = || LedgerError::NotFound { what: "configuration in force of", name: partner.to_string() };
        let old = known.filter(|_| !in_force.is_empty()).ok_or_else(missing)?;
        let mut texts = files.clone();
        for name in [PARTNERS, "connections.toml", OF_OPERATOR] {
            if let (false, Some(text)) = (texts.contains_key(name), in_force.get(name)) {
                texts.insert(name.to_owned(), text.clone());
            }
        }
        let configuration = config::load_texts(&texts)?;
        let before = read_again(&in_force)?;
        let mut problems = Problems::default();
        frame((&old, &before), &configuration, &mut problems);
        problems.or(Some(()))?;
        self.check_tables(&configuration).await?;
        self.check_jobs(&configuration).await?;
        Ok((configuration, old))
    }

    /// Holds every job against the release that is active.
    async fn check_jobs(&self, configuration: &Configuration) -> Result<(), RunError> {
        let (mut plugins, mut problems) = (Vec::new(), Problems::default());
        let partner = &configuration.partners[0].name;
        for release in self.ledger().releases(Scope::Partner(partner)).await? {
            if release.active_since_ms.is_some() {
                plugins.push((release.release.key.plugin, self.shared.shelf.plugin(release.release.key.digest)?));
            }
        }
        let formats: Vec<_> = plugins.iter().map(|(_, plugin)| plugin.manifest.as_ref()).collect();
        for (job, file) in configuration.jobs.iter().zip(&configuration.job_files) {
            let Some((_, plugin)) = plugins.iter().find(|(name, _)| *name == job.plugin) else {
                let what = format!("no release of plugin {} is active", job.plugin);
                problems.add(file.problem(
                    file.span_of(&["plugin"]),
                    what,
                    "hand its component in, and have it activated, before a job names it",
                ));
                continue;
            };
            if !job.release.takes(&plugin.manifest.version, plugin.release.digest) {
                // It runs another release, with which it is checked whenever it runs.
                continue;
            }
            let findings = config::check_job(job, &plugin.manifest, &formats);
            if !findings.is_empty() {
                return Err(RunError::JobUnfit { job: job.name.to_string(), findings });
            }
        }
        Ok(problems.or(Some(()))?)
    }
}

/// Refuses files that nobody would read, and those that are not a partner's to send.
fn names(files: &Files, problems: &mut Problems) {
    if files.len() > FILES_MAX {
        problems.add(whole(&format!("there are {} files", files.len()), &format!("send {FILES_MAX} at most")));
        return;
    }
    for (name, text) in files {
        let of = |folder: &str, ends: &[&str]| {
            let within = name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
            within.is_some_and(|rest| {
                rest.len() > 5 && !rest.contains('/') && !rest.starts_with('.') && ends.iter().any(|end| rest.ends_with(end))
            })
        };
        let known = matches!(name.as_str(), PARTNERS | "connections.toml" | "webhooks.toml")
            || of("jobs", &[".toml"])
            || of("tables", &[".toml", ".csv"]);
        let problem = |what: &str, to_do: &str| Source::new(name.clone(), "").problem(None, what, to_do);
        if name == OF_OPERATOR {
            problems.add(problem("it is declared on the hub's own machine", "leave it out"));
        } else if name == "plugins.toml" {
            problems.add(problem("components are not taken from paths", "hand them in one by one, and leave this file out"));
        } else if !known {
            problems
                .add(problem("nothing reads such a file", "send partners.toml, connections.toml, webhooks.toml, jobs/*.toml and tables/*"));
        } else if text.len() > FILE_BYTES_MAX && !of("tables", &[".csv"]) {
            problems.add(problem(&format!("it has {} bytes", text.len()), &format!("send {FILE_BYTES_MAX} bytes at most")));
        }
    }
}

fn whole(what: &str, to_do: &str) -> Problem {
    Source::new("files", "").problem(None, what, to_do)
}

/// Refuses what is the operator's to declare.
fn frame((old, before): (&Partner, &Configuration), now: &Configuration, problems: &mut Problems) {
    let wrong = |file: &str, what: String, to_do: &str| Source::new(file, "").problem(None, what, to_do);
    match now.partners.as_slice() {
        [one] if one.name == old.name => {
            if (Partner { title: one.title.clone(), ..old.clone() }) != *one {
                let what = format!("{} would be asked or allowed something else", old.name);
                problems.add(wrong(PARTNERS, what, "change the title alone: the rest is declared on the hub's own machine"));
            }
        }
        _ => problems.add(wrong(
            PARTNERS,
            format!("it declares others than {}", old.name),
            "declare this one partner, or leave the file out",
        )),
    }
    // Whoever may name a place and a credential could have the credential sent there, which nobody may read.
    let same_place = |of: &Connection| before.connections.iter().any(|old| old.name == of.name && old.place == of.place);
    for connection in now.connections.iter().filter(|of| !same_place(of)) {
        let what = format!("connection {} is new, or is not as the one in force", connection.name);
        let to_do = "declare it on the hub's own machine; what is sent may change runs-at-once, or leave it out";
        problems.add(wrong("connections.toml", what, to_do));
    }
    let same_webhook = |of: &Webhook| before.webhooks.contains(of);
    for webhook in now.webhooks.iter().filter(|of| !same_webhook(of) && (of.allow_private || of.ca_file.is_some())) {
        let what = format!("webhook {} is new or changed, and has allow-private or ca-file", webhook.name);
        problems.add(wrong("webhooks.toml", what, "declare it on the hub's own machine, or without these"));
    }
    for table in now.tables.iter().filter(|table| table.partner.as_ref() != Some(&old.name)) {
        let what = format!("{} is for every partner", table.table.version.table);
        problems.add(wrong("tables", what, &format!("write partner = \"{}\"", old.name)));
    }
}
