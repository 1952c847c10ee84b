//! `bailiwick plugin try` and `differences`: a release beside the active one, on the same real input.

use std::process::ExitCode;

use super::Answer;
use super::steer::OneOptions;
use crate::cli::paint::{Tone, count, paint, say, table};
use crate::cli::{DataOption, open, show};
use crate::ledger::{RunState, Scope};
use crate::model::ids::{JobName, RunId};
use crate::run::{Differences, Hub};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TryOptions {
    #[command(flatten)]
    one: OneOptions,
    /// Only on runs of this job.
    #[arg(long)]
    job: Option<JobName>,
    /// On how many of the last runs of each job that delivered.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DifferencesOptions {
    #[command(flatten)]
    data: DataOption,
    /// The run that tried the release, or its beginning.
    run: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli::plugin) async fn try_out(options: TryOptions) -> Answer {
    open::existing_hub(&options.one.data).await?;
    let hub = open::working_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let trials = hub.try_release(&release.release.key, (options.job.as_ref(), options.runs), &open::person(&hub)).await?;
    let mut same = 0;
    for trial in &trials {
        let state = open::wait(&hub, trial.run).await?;
        if state == RunState::Closed {
            same += 1;
            say(format!("run {}: the same, byte by byte ({})", trial.origin, trial.run));
            continue;
        }
        let reason = hub.ledger().run(Scope::Hub, trial.run).await?.and_then(|run| run.reason).map(|reason| reason.sentence);
        say(paint(Tone::Attention, format!("run {}: {state} ({}). {}", trial.origin, trial.run, reason.unwrap_or_default())));
        if state == RunState::Held {
            say_differences(&hub, trial.run).await?;
        }
    }
    say(format!("{same} of {} trials came to the same. Nothing was delivered", trials.len()));
    if same < trials.len() {
        say("a difference that is meant is explained with `bailiwick plugin explain`; one that is not is a reason to refuse the release");
    }
    Ok(if same == trials.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(in crate::cli::plugin) async fn differences(options: DifferencesOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let run = show::find(&hub, &options.run).await?;
    if !options.json {
        say_differences(&hub, run).await?;
        return Ok(ExitCode::SUCCESS);
    }
    show::json(&hub.differences(Scope::Hub, run).await?.told())
}

async fn say_differences(hub: &Hub, run: RunId) -> Result<(), Box<dyn std::error::Error>> {
    let Differences { outputs, totals, rejects, warnings, .. } = hub.differences(Scope::Hub, run).await?;
    for (port, name, was, is) in &totals {
        say(format!("  {port}: {name} was {was} and is {is}"));
    }
    for (what, (was, is)) in [("rejects", rejects), ("warnings", warnings)].into_iter().filter(|(_, (was, is))| was != is) {
        say(format!("  {what}: {was} before, {is} now"));
    }
    for output in &outputs {
        let rows = format!("{} rows before, {} now", count(output.rows.0), count(output.rows.1));
        let only = format!("{} rows stood there only before, {} only now", count(output.only.0), count(output.only.1));
        let changed = if output.only == (0, 0) { format!("{} of them differ", count(output.changed)) } else { only };
        say(format!("  {}: {rows}; {changed}", paint(Tone::Strong, &output.output)));
        if let Some(note) = &output.note {
            say(format!("    {note}"));
        }
        for (name, column) in &output.columns {
            let sum = column.change.map_or_else(String::new, |change| format!(", {change:+} in all"));
            say(format!("    column {name}: {} rows{sum}", count(column.rows)));
        }
        let nothing = || "nothing".to_owned();
        let row = |example: &crate::run::Example| {
            let (column, was, is) = (example.column.clone(), example.was.clone(), example.is.clone());
            vec![example.row.to_string(), column.unwrap_or_default(), was.unwrap_or_else(nothing), is.unwrap_or_else(nothing)]
        };
        if !output.examples.is_empty() {
            say(table(&["    row", "column", "was", "is"], &[0], output.examples.iter().map(row)));
        }
    }
    Ok(())
}
