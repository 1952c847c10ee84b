//! `bailiwick plugin try` and `differences`: a release beside the active one, on the same real input.

use std::process::ExitCode;

use super::Answer;
use super::steer::OneOptions;
use crate::access::{Caller, Role};
use crate::cli::paint::{Tone, count, paint, say, table};
use crate::cli::{DataOption, open, show};
use crate::ledger::{Actor, By, RunState, Scope};
use crate::model::ids::{JobName, RunId};
use crate::model::personal::Sight;
use crate::run::{Differences, Hub, Look};

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
    /// Show personal values as they are, where your roles at the partner allow it. The audit trail says so.
    #[arg(long)]
    personal: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli::plugin) async fn try_out(options: TryOptions) -> Answer {
    open::existing_hub(&options.one.data).await?;
    let hub = open::working_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let by = open::person(&hub);
    let trials = hub.try_release(&release.release.key, (options.job.as_ref(), options.runs), &by).await?;
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
            say_differences(&hub.differences(trial.run, Look { scope: Scope::Hub, sight: Sight::Masked, by: &by }).await?);
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
    let by = open::person(&hub);
    let sight = sight(&hub, (run, options.personal), &by).await?;
    let found = hub.differences(run, Look { scope: Scope::Hub, sight, by: &by }).await?;
    if options.json {
        return show::json(&found.told());
    }
    say_differences(&found);
    Ok(ExitCode::SUCCESS)
}

/// How whoever types sees a run: masked, unless they ask for personal values and have a role at its partner that shows them.
async fn sight(hub: &Hub, (run, personal): (RunId, bool), by: &By) -> Result<Sight, Box<dyn std::error::Error>> {
    if !personal {
        return Ok(Sight::Masked);
    }
    let run = hub.ledger().run(Scope::Hub, run).await?.ok_or_else(|| format!("there is no run {run}"))?;
    let people = hub.ledger().people(Scope::Partner(run.partner())).await?;
    let who = people.iter().filter(|person| person.disabled_at_ms.is_none() && Actor::person(person.name.as_str()) == by.actor);
    let roles = who.flat_map(|person| &person.roles).filter_map(|(_, role)| role.parse::<Role>().ok());
    let caller = Caller::new(run.partner().clone(), by.actor.clone(), roles.flat_map(Role::allows).collect());
    Ok(caller.sight(true)?)
}

fn say_differences(Differences { outputs, totals, rejects, warnings, .. }: &Differences) {
    for (port, name, was, is) in totals {
        say(format!("  {port}: {name} was {was} and is {is}"));
    }
    for (what, (was, is)) in [("rejects", rejects), ("warnings", warnings)].into_iter().filter(|(_, (was, is))| was != is) {
        say(format!("  {what}: {was} before, {is} now"));
    }
    for output in outputs {
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
}
