//! Which part of what a partner declares one person may put in force, and which takes two.
//!
//! Protected are: connections and webhooks; release policy, number of persons, retention, more runs at once; jobs that are new, marked `protected`, or that
//! change their plugin, where data comes from and goes to, who is told, or get higher limits; and which release is active. What is
//! held back leaves the rest behind it as it was, so that what is in force always fits together.
//! Must not know how anything is put in force.

use std::collections::BTreeSet;

use crate::config::Configuration;
use crate::model::ids::PluginName;
use crate::model::job::{Connection, Job, Partner, Webhook};
use crate::registry::source::Source;

/// What one person may put in force now, and what waits for another.
#[derive(Debug)]
pub(super) struct Split {
    /// The configuration of the partner with what is held back as it was.
    pub(super) now: Configuration,
    /// What is held back, a line each; nothing if all of it may be in force.
    pub(super) held: Vec<String>,
}

/// A configuration as far as one partner has part in it.
pub(super) fn part_of(partner: &Partner, configuration: &Configuration) -> Configuration {
    let jobs = configuration.jobs.iter().zip(&configuration.job_files).filter(|(job, _)| job.partner == partner.name);
    let (jobs, job_files): (Vec<Job>, Vec<Source>) = jobs.map(|(job, file)| (job.clone(), file.clone())).unzip();
    let connections = configuration.connections.iter().filter(|connection| connection.partner == partner.name).cloned().collect();
    let webhooks = configuration.webhooks.iter().filter(|webhook| webhook.partner == partner.name).cloned().collect();
    // The operator's ceiling is no partner's to hold back.
    let ceiling = configuration.ceiling.clone();
    Configuration { partners: vec![partner.clone()], connections, webhooks, jobs, job_files, ceiling, ..Configuration::default() }
}

/// Divides what is to be in force. `activating` are the plugins whose release would be another.
pub(super) fn split((old_partner, old): (&Partner, &Configuration), new: &Configuration, activating: &[(PluginName, String)]) -> Split {
    let mut held = Vec::new();
    let partner = partner((old_partner, &new.partners[0]), &mut held);
    connections((&old.connections, &new.connections), &mut held);
    webhooks((&old.webhooks, &new.webhooks), &mut held);
    for (plugin, release) in activating {
        held.push(format!("release {release} of plugin {plugin} active"));
    }
    let plugins: BTreeSet<&PluginName> = activating.iter().map(|(plugin, _)| plugin).collect();
    let (connections, webhooks) = (old.connections.clone(), old.webhooks.clone());
    let ceiling = new.ceiling.clone();
    let mut now = Configuration { partners: vec![partner], connections, webhooks, ceiling, ..Configuration::default() };
    let before = |job: &Job| old.jobs.iter().position(|other| other.name == job.name);
    for (job, file) in new.jobs.iter().zip(&new.job_files) {
        let old_place = before(job);
        let why = match old_place.map(|place| &old.jobs[place]) {
            None => Some("added".to_owned()),
            Some(old) if old.definition == job.definition => None,
            Some(old) => protected(old, job, plugins.contains(&job.plugin)),
        };
        match (why, old_place) {
            (None, _) => keep(&mut now, job, file),
            (Some(why), place) => {
                held.push(format!("job {} {why}", job.name));
                if let Some(place) = place {
                    keep(&mut now, &old.jobs[place], &old.job_files[place]);
                }
            }
        }
    }
    for (job, file) in old.jobs.iter().zip(&old.job_files) {
        if job.protected && !new.jobs.iter().any(|other| other.name == job.name) {
            held.push(format!("job {} removed, which is protected", job.name));
            keep(&mut now, job, file);
        }
    }
    Split { now, held }
}

fn keep(configuration: &mut Configuration, job: &Job, file: &Source) {
    configuration.jobs.push(job.clone());
    configuration.job_files.push(file.clone());
}

/// The partner as one person may have it.
fn partner((old, new): (&Partner, &Partner), held: &mut Vec<String>) -> Partner {
    let lowered = new.runs_at_once.is_some_and(|new| old.runs_at_once.is_none_or(|old| new <= old));
    let runs_at_once = if lowered { new.runs_at_once } else { old.runs_at_once };
    let now = Partner { title: new.title.clone(), runs_at_once, ..old.clone() };
    if now.releases != new.releases {
        held.push(format!("releases = {:?} in place of {:?}", new.releases.as_str(), now.releases.as_str()));
    }
    if now.proofs != new.proofs {
        held.push("the proof of releases changed".to_owned());
    }
    if now.changes != new.changes {
        held.push(format!("changes = {:?} in place of {:?}", new.changes.as_str(), now.changes.as_str()));
    }
    if now.runs_at_once != new.runs_at_once {
        held.push("runs-at-once raised".to_owned());
    }
    if now.retention != new.retention {
        held.push("retention changed".to_owned());
    }
    // What else a partner may come to have is protected too, until somebody says that it need not be.
    if held.is_empty() && now != *new {
        held.push("partner changed".to_owned());
    }
    now
}

fn connections((old, new): (&[Connection], &[Connection]), held: &mut Vec<String>) {
    for connection in new {
        let before = old.iter().find(|other| other.name == connection.name);
        if before != Some(connection) {
            held.push(format!("connection {} {}", connection.name, if before.is_some() { "changed" } else { "added" }));
        }
    }
    let gone = old.iter().filter(|connection| !new.iter().any(|other| other.name == connection.name));
    held.extend(gone.map(|connection| format!("connection {} removed", connection.name)));
}

fn webhooks((old, new): (&[Webhook], &[Webhook]), held: &mut Vec<String>) {
    for webhook in new {
        let before = old.iter().find(|other| other.name == webhook.name);
        if before != Some(webhook) {
            held.push(format!("webhook {} {}", webhook.name, if before.is_some() { "changed" } else { "added" }));
        }
    }
    let gone = old.iter().filter(|webhook| !new.iter().any(|other| other.name == webhook.name));
    held.extend(gone.map(|webhook| format!("webhook {} removed", webhook.name)));
}

/// Why a job's change is a protected one; none if it is not.
fn protected(old: &Job, new: &Job, activating: bool) -> Option<String> {
    let places = |job: &Job| {
        let inputs = job.inputs.iter().map(|input| (input.port.clone(), input.connection.clone()));
        inputs.collect::<Vec<_>>()
    };
    let why = if old.protected {
        "changed, which is protected"
    } else if new.protected {
        "becomes protected"
    } else if old.plugin != new.plugin {
        "has another plugin"
    } else if activating {
        "changed together with the release of its plugin"
    } else if old.release != new.release {
        "runs another release"
    } else if places(old) != places(new) || old.outputs != new.outputs {
        "reads from or delivers to another place"
    } else if old.notify != new.notify {
        "tells other people"
    } else if raised(old, new) {
        "has higher limits"
    } else {
        return None;
    };
    Some(why.to_owned())
}

fn raised(old: &Job, new: &Job) -> bool {
    let of_old = |limit| old.limits.iter().find(|(name, _)| *name == limit).map(|(_, amount)| *amount);
    let higher = new.limits.iter().any(|(limit, amount)| of_old(*limit).is_none_or(|old| *amount > old));
    let dropped = old.limits.iter().any(|(limit, _)| !new.limits.iter().any(|(name, _)| name == limit));
    higher || dropped || new.reject_rows_max > old.reject_rows_max
}
