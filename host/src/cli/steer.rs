//! Commands by which a person steers runs and jobs. Each is noted in the audit trail with its reason.

use std::process::ExitCode;

use super::paint::say;
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
