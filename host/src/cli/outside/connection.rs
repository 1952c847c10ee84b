//! Commands for connections: tried step by step.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::paint::{Tone, paint, say};
use super::{Answer, DataOption, open};
use crate::connection::advice;
use crate::model::ids::{ConnectionName, PartnerName};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tries a connection step by step, and says which step fails and what to do. Where a job delivers there, a small hidden file is written and removed.
    Check(CheckOptions),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckOptions {
    #[command(flatten)]
    data: DataOption,
    /// Whose.
    partner: PartnerName,
    /// Its name, as in connections.toml.
    name: ConnectionName,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct CheckJson {
    partner: String,
    connection: String,
    works: bool,
    steps: Vec<StepJson>,
    failed: Option<FailedJson>,
}

#[derive(Serialize)]
struct StepJson {
    step: &'static str,
    found: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FailedJson {
    step: Option<&'static str>,
    why: String,
    to_do: Option<&'static str>,
}

pub(crate) async fn answer(command: Command) -> Answer {
    match command {
        Command::Check(options) => check(options).await,
    }
}

async fn check(options: CheckOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let checkup = hub.check_connection(&options.partner, &options.name).await?;
    let code = if checkup.failed.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if options.json {
        let json = CheckJson {
            partner: options.partner.to_string(),
            connection: options.name.to_string(),
            works: checkup.failed.is_none(),
            steps: checkup.steps.into_iter().map(|done| StepJson { step: done.step.name(), found: done.found }).collect(),
            failed: checkup.failed.map(|error| FailedJson {
                step: error.step().map(crate::connection::Step::name),
                why: error.to_string(),
                to_do: advice(&error),
            }),
        };
        say(serde_json::to_string_pretty(&json)?);
        return Ok(code);
    }
    for done in &checkup.steps {
        say(format!("  {} {} {}", paint(Tone::Good, "done"), done.step, paint(Tone::Quiet, &done.found)).trim_end());
    }
    match checkup.failed {
        None if checkup.writes => say(format!("{} works for taking and delivering", options.name)),
        None => say(format!("{} works; no job delivers there, so nothing was written", options.name)),
        Some(error) => {
            say(format!("  {} {error}", paint(Tone::Bad, "failed")));
            if let Some(to_do) = advice(&error) {
                say(format!("  {to_do}"));
            }
        }
    }
    Ok(code)
}
