//! `bailiwick plugin inspect`: what a component is, before anybody trusts it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::Answer;
use crate::cli::paint::{Tone, bytes, count, paint, say, table};
use crate::model::http::RequestRule;
use crate::model::ids::Digest;
use crate::model::limits::Limits;
use crate::model::manifest::{ConnectorShape, Kind, Manifest};
use crate::model::rows::{ColumnShape, PortShape};
use crate::registry::package::{self, Package};
use crate::sandbox;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// The component.
    component: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn inspect(options: &Options) -> Answer {
    let wasm = std::fs::read(&options.component).map_err(|error| format!("{} cannot be read: {error}", options.component.display()))?;
    let found = sandbox::inspect(&wasm)?;
    let package = found.manifest.as_deref().map(package::unpack).transpose()?;
    if options.json {
        let limits = package.as_ref().map(|package| limits(&package.manifest)).unwrap_or_default();
        return crate::cli::show::json(&serde_json::json!({
            "digest": Digest::of(&wasm).to_string(),
            "bytes": found.component_bytes,
            "imports": found.imports,
            "exports": found.exports,
            "kind": package.as_ref().map(|package| package.manifest.kind_name()),
            "name": package.as_ref().map(|package| package.manifest.name.to_string()),
            "version": package.as_ref().map(|package| package.manifest.version.clone()),
            "limits": limits.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        }));
    }
    say(format!("SHA-256 {}  {}  {} core modules", Digest::of(&wasm), bytes(found.component_bytes), found.core_modules));
    match &package {
        Some(package) => say_package(package),
        None => say(paint(Tone::Attention, "it has no manifest: build it with `bailiwick plugin build`")),
    }
    let refused: Vec<&String> = found.imports.iter().filter(|import| !import.starts_with("bailiwick:plugin/")).collect();
    say(paint(Tone::Strong, "imports"));
    found.imports.iter().for_each(|import| say(format!("  {import}")));
    if !refused.is_empty() {
        say(paint(
            Tone::Bad,
            format!("the hub refuses it: it lends no {}", refused.iter().map(|import| import.as_str()).collect::<Vec<_>>().join(", ")),
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn limits(manifest: &Manifest) -> Vec<(String, u64)> {
    let mut limits = Limits::default();
    for (limit, amount) in &manifest.limits {
        limits.set(*limit, *amount).expect("a manifest was checked against the ceilings");
    }
    limits.iter().map(|(limit, amount)| (limit.to_string(), amount)).collect()
}

fn say_package(package: &Package) {
    let manifest = &package.manifest;
    say(format!(
        "{} {}, {} for contract {}",
        paint(Tone::Strong, &manifest.name),
        manifest.version,
        manifest.kind_name(),
        manifest.contract
    ));
    say(format!("  {}", manifest.about));
    match &manifest.kind {
        Kind::Adapter(shape) => {
            shape.inputs.iter().for_each(|port| say_port("input", port));
            shape.outputs.iter().for_each(|port| say_port("output", port));
        }
        Kind::Format(shape) => {
            let ways = [(shape.writes, "writes files"), (shape.reads, "reads files")];
            let ways: Vec<&str> = ways.iter().filter(|(goes, _)| *goes).map(|(_, way)| *way).collect();
            say(format!("{}: {}", paint(Tone::Strong, "format"), ways.join(" and ")));
            say_columns(&shape.columns);
        }
        Kind::Connector(shape) => say_connector(shape),
        Kind::RuleSet(shape) => {
            say(format!("{}: {}", paint(Tone::Strong, "outcomes"), shape.outcomes.join(", ")));
            say(format!("{}: {}", paint(Tone::Strong, "figures"), shape.figures.join(", ")));
        }
    }
    for balance in &manifest.balances {
        say(format!("{} {}: {balance}", paint(Tone::Strong, "balance"), balance.name));
    }
    for version in &package.tables {
        let to = version.version.effective_to.map_or_else(|| "no end".to_owned(), |date| date.to_string());
        say(format!(
            "{} {} {}: {} to {to}, {} rows",
            paint(Tone::Strong, "table"),
            version.version.table,
            version.version.version,
            version.version.effective_from,
            count(version.rows.len() as u64)
        ));
    }
    say(table(&["limit", "amount"], &[1], limits(manifest).into_iter().map(|(limit, amount)| vec![limit, count(amount)])));
}

/// What it may do, in the words of whoever approves it.
fn say_connector(shape: &ConnectorShape) {
    let ways = [(shape.pulls, "fetches files from a provider"), (shape.pushes, "sends files to a provider")];
    let ways: Vec<&str> = ways.iter().filter(|(goes, _)| *goes).map(|(_, way)| *way).collect();
    say(format!("{}: {}", paint(Tone::Strong, "connector"), ways.join(" and ")));
    say("  through the one connection that its job names; it sees neither the address nor the credentials");
    let (reads, changes): (Vec<&RequestRule>, Vec<&RequestRule>) = shape.requests.iter().partition(|rule| rule.only_reads());
    for (rules, words) in [(reads, "it may ask for"), (changes, "it may change things at the provider by")] {
        if !rules.is_empty() {
            say(format!("  {words}"));
            rules.iter().for_each(|rule| say(format!("    {rule}")));
        }
    }
    say("  and only where the connection allows the same");
}

fn say_port(word: &str, port: &PortShape) {
    let optional = if port.optional { " (optional)" } else { "" };
    say(format!("{} {}{optional}", paint(Tone::Strong, word), port.name));
    say_columns(&port.columns);
}

fn say_columns(columns: &[ColumnShape]) {
    let row = |column: &ColumnShape| {
        let notes = [(column.required, "required"), (column.personal, "personal")];
        let notes: Vec<&str> = notes.iter().filter(|(is, _)| *is).map(|(_, note)| *note).collect();
        vec![format!("  {}", column.name), column.kind.to_string(), notes.join(", ")]
    };
    say(table(&["  column", "type", ""], &[], columns.iter().map(row)));
}
