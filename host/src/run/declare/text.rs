//! What the ledger keeps of a configuration: its own part of the shared files for each partner, its jobs' files as they stand, tables as CSV.
//!
//! Must not know what is in force.

use serde::Serialize;

use crate::config::{self, Configuration};
use crate::ledger::{Declaration, DeclaredConnection, DeclaredJob, DeclaredWebhook, NewTable, Source};
use crate::model::ids::{Digest, PartnerName};
use crate::model::job::{ChangePolicy, Connection, Job, Partner, Proof, Proofs, Retention, Webhook};
use crate::model::table::Table;

pub(super) fn new_table(partner: &PartnerName, table: &Table) -> NewTable {
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
pub(super) fn declaration(partner: &Partner, configuration: &Configuration) -> Declaration {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<ProofEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<RetentionEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ProofEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clean_runs: Option<u32>,
    differences: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plugin: Vec<ProofEntry<'a>>,
}

/// What is asked of every plugin, or of one.
fn proof_entry(name: Option<&str>, proof: Proof) -> ProofEntry<'_> {
    let clean_runs = (name.is_some() || !proof.is_nothing()).then_some(proof.clean_runs);
    ProofEntry { name, clean_runs, differences: if proof.explained { "explained" } else { "none" }, plugin: Vec::new() }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RetentionEntry {
    artefacts_days: Option<u32>,
    rejects_days: Option<u32>,
    events_days: Option<u32>,
}

fn partners_text(partner: &Partner) -> String {
    let Retention { artefacts_days, rejects_days, events_days } = partner.retention;
    let entry = PartnerEntry {
        name: partner.name.as_str(),
        title: &partner.title,
        runs_at_once: partner.runs_at_once,
        releases: partner.releases.as_str(),
        changes: (partner.changes != ChangePolicy::OnePerson).then(|| partner.changes.as_str()),
        proof: (partner.proofs != Proofs::default()).then(|| {
            let plugin = partner.proofs.of.iter().map(|(name, proof)| proof_entry(Some(name.as_str()), *proof)).collect();
            ProofEntry { plugin, ..proof_entry(None, partner.proofs.all) }
        }),
        retention: (partner.retention != Retention::default()).then_some(RetentionEntry { artefacts_days, rejects_days, events_days }),
    };
    let file = PartnersFile { partner: [entry] };
    toml::to_string(&file).expect("names and titles are TOML")
}

/// What is declared for a partner that is no longer configured.
pub(super) fn nothing(partner: &Partner) -> Declaration {
    Declaration { partner: partner.clone(), sources: Vec::new(), connections: Vec::new(), webhooks: Vec::new(), jobs: Vec::new() }
}
