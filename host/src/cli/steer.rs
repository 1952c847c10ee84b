//! Commands by which a person steers runs and jobs. Each is noted in the audit trail with its reason.

use std::process::ExitCode;

use jiff::civil::Date;

use super::paint::{say, table};
use super::{Answer, DataOption, open, show};
use crate::ledger::{Instruction, RunState, Scope};
use crate::model::ids::{JobName, PartnerName};

#[derive(Debug, clap::Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    data: DataOption,
    /// The run's id, or its beginning.
    run: String,
    /// The reason, for the audit trail.
    #[arg(long)]
    why: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct RetryOptions {
    #[command(flatten)]
    run: RunOptions,
    /// Begin again with the job, release and tables that are in force now, instead of going on where it stopped.
    #[arg(long)]
    afresh: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ResumeOptions {
    #[command(flatten)]
    data: DataOption,
    /// The job.
    job: JobName,
    /// Whose job, where two partners have one of the same name.
    #[arg(long)]
    partner: Option<PartnerName>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PauseOptions {
    #[command(flatten)]
    job: ResumeOptions,
    /// The reason, for whoever wonders.
    #[arg(long)]
    why: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReplayOptions {
    #[command(flatten)]
    data: DataOption,
    /// The run's id, or its beginning.
    run: String,
    /// Print the new run as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct BackfillOptions {
    #[command(flatten)]
    job: ResumeOptions,
    /// The first day, such as 2026-09-01.
    #[arg(long)]
    from: Date,
    /// The last day.
    #[arg(long)]
    to: Date,
    /// Do everything but deliver, and take no file.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn replay(options: ReplayOptions) -> Answer {
    let hub = open::working_hub(&options.data).await?;
    let origin = show::find(&hub, &options.run).await?;
    let run = hub.replay(Scope::Hub, origin, &open::person(&hub)).await?;
    let state = open::wait(&hub, run).await?;
    show::one_run(&hub, run, options.json).await?;
    if state != RunState::Closed {
        return Ok(ExitCode::FAILURE);
    }
    if !options.json {
        say(format!("the same as run {origin}, byte by byte"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn backfill(options: BackfillOptions) -> Answer {
    let BackfillOptions { job: ResumeOptions { data, job, partner }, from, to, dry_run } = options;
    let hub = open::working_hub(&data).await?;
    let partner = open::partner_of(&hub, &job, partner).await?;
    let stored = hub.ledger().job(&partner, &job).await?;
    let slots = hub.backfill(&stored, (from, to), dry_run, &open::person(&hub)).await?;
    if slots.is_empty() {
        say(format!("{job} has no time from {from} to {to} that has come"));
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = Vec::new();
    let mut well = true;
    for slot in &slots {
        let state = open::wait(&hub, slot.run).await?;
        well &= matches!(state, RunState::Closed | RunState::Skipped);
        let reason = hub.ledger().run(Scope::Hub, slot.run).await?.and_then(|run| run.reason).map(|reason| reason.sentence);
        let before = if slot.new { "" } else { "ran before" };
        rows.push(vec![slot.slot.key.clone(), slot.run.to_string(), state.to_string(), reason.unwrap_or_else(|| before.to_owned())]);
    }
    say(table(&["time", "run", "state", ""], &[], rows));
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) async fn release(options: RunOptions) -> Answer {
    let why = options.why.clone();
    instruct(options, Instruction::Release { why }).await
}

pub(super) async fn retry(options: RetryOptions) -> Answer {
    let (why, afresh) = (options.run.why.clone(), options.afresh);
    instruct(options.run, Instruction::Retry { afresh, why }).await
}

pub(super) async fn cancel(options: RunOptions) -> Answer {
    let why = options.why.clone();
    instruct(options, Instruction::Cancel { why }).await
}

async fn instruct(options: RunOptions, instruction: Instruction) -> Answer {
    let hub = open::working_hub(&options.data).await?;
    let id = show::find(&hub, &options.run).await?;
    let cancelled = matches!(instruction, Instruction::Cancel { .. });
    hub.ledger().instruct(Scope::Hub, id, instruction, &open::person(&hub)).await?;
    if !cancelled {
        open::wait(&hub, id).await?;
    }
    show::one_run(&hub, id, false).await?;
    let state = hub.ledger().run(Scope::Hub, id).await?.map(|run| run.state);
    Ok(if matches!(state, Some(RunState::Held | RunState::Failed)) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub(super) async fn pause(options: PauseOptions) -> Answer {
    let PauseOptions { job: ResumeOptions { data, job, partner }, why } = options;
    let hub = open::existing_hub(&data).await?;
    let partner = open::partner_of(&hub, &job, partner).await?;
    let changed = hub.ledger().pause((&partner, &job), &why, &open::person(&hub)).await?;
    say(if changed {
        format!("{job} is paused: its schedule stands still until `bailiwick resume {job}`")
    } else {
        format!("{job} was paused already")
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn resume(options: ResumeOptions) -> Answer {
    let ResumeOptions { data, job, partner } = options;
    let hub = open::existing_hub(&data).await?;
    let partner = open::partner_of(&hub, &job, partner).await?;
    let changed = hub.ledger().resume((&partner, &job), &open::person(&hub)).await?;
    say(if changed { format!("{job} goes on") } else { format!("{job} was not paused") });
    Ok(ExitCode::SUCCESS)
}
