//! `bailiwick demo`: a hub in a fresh folder, an example's jobs run one after another, and what happened to every row and pound.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use super::paint::{Tone, paint, say};
use super::{Answer, DataOption, open, serve, show};
use crate::ledger::{RunState, Scope};
use crate::run::{Hub, Request};
use crate::server;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The example: a folder of configuration and data.
    #[arg(long, default_value = "examples/staffordshire", value_name = "FOLDER")]
    example: PathBuf,
    /// End after the jobs have run, with a non-zero status unless every run closed and balanced.
    #[arg(long)]
    exit: bool,
    /// Keep the hub's folder here, instead of in a fresh one that is removed.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(super) async fn demo(options: Options) -> Answer {
    let fresh = tempfile::tempdir()?;
    let data = options.data.clone().unwrap_or_else(|| fresh.path().join("hub"));
    // The example's own folder stays as it is: what is delivered goes beside the hub's data.
    let example = fresh.path().join("example");
    copy(&options.example, &example, &options.example)?;
    let began = Instant::now();
    let hub = open::serving_hub(&DataOption::alone(data, "main".to_owned())).await?;
    let plan = hub.apply(&example, &open::person(&hub)).await.map_err(open::shown)?;
    say(paint(Tone::Strong, format!("A hub for {} partners, {} plugins", plan.partners.len(), plan.releases.len())));
    for release in &plan.releases {
        say(format!("  {}  {} {}  {}", release.partner, release.plugin, release.version, paint(Tone::Quiet, release.digest.short())));
    }
    say("");
    let balanced = run_jobs(&hub).await?;
    say(format!(
        "{} in {} ms",
        if balanced { paint(Tone::Good, "every run closed and balanced") } else { paint(Tone::Bad, "not every run closed and balanced") },
        began.elapsed().as_millis()
    ));
    if options.exit {
        hub.ledger().close().await;
        return Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    serve::first_tokens(&hub).await?;
    let listening = server::listen(hub.clone(), server::Options::at(([127, 0, 0, 1], 0).into())).await?;
    say(format!("the hub is at {}, its folder {}; Ctrl-C stops it", listening.url(), hub.data().display()));
    serve::until_stopped(hub, listening, serve::Signals::new(), serve::DRAIN).await;
    Ok(ExitCode::SUCCESS)
}

async fn run_jobs(hub: &Hub) -> Result<bool, Box<dyn std::error::Error>> {
    let mut balanced = true;
    for job in hub.ledger().jobs(Scope::Hub).await? {
        let request = Request { partner: job.partner, job: job.name, dry_run: false, key: None };
        let run = hub.request(&request, &open::person(hub)).await?.run;
        let state = open::wait(hub, run).await?;
        show::one_run(hub, run, false).await?;
        say("");
        let holds = hub.ledger().processed(Scope::Hub, run).await?.is_some_and(|processed| {
            processed.balances.iter().all(crate::model::totals::BalanceResult::holds)
                && processed.totals.inputs.iter().all(|input| input.rows.conserved())
        });
        balanced &= state == RunState::Closed && holds;
    }
    Ok(balanced)
}

/// Copies the example, with the components that its plugins.toml names made absolute.
fn copy(from: &Path, to: &Path, example: &Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(to)?;
    let entries = std::fs::read_dir(from).map_err(|error| format!("{} cannot be read: {error}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, example)?;
        } else if entry.file_name() == "plugins.toml" {
            let mut plugins: toml::Table = std::fs::read_to_string(entry.path())?.parse()?;
            for plugin in plugins.get_mut("plugin").and_then(toml::Value::as_array_mut).into_iter().flatten() {
                if let Some(component) = plugin.get("component").and_then(toml::Value::as_str) {
                    let absolute = std::path::absolute(example.join(component))?.to_string_lossy().into_owned();
                    plugin["component"] = absolute.into();
                }
            }
            std::fs::write(target, plugins.to_string())?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
