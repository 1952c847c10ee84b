//! `bailiwick resend` and `bailiwick delivery`.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;

use crate::api::wire::moment;
use crate::cli::paint::{Tone, bytes, paint, say};
use crate::cli::{Answer, DataOption, open, show};
use crate::ledger::{LoggedEvent, ResendAsk, RunEvent, RunState, Scope};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ResendOptions {
    #[command(flatten)]
    of: OutputOptions,
    /// Give the file another name there, as where its receiver has lost the first.
    #[arg(long = "as", value_name = "NAME")]
    target: Option<String>,
    /// Let the receiver take it for another delivery than the first. Without this it has the first one's key, by which a receiver
    /// that knows it already does nothing.
    #[arg(long)]
    new_key: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum DeliveryCommand {
    /// It arrived: the run goes on as if the receiver had said so.
    Arrived(OutputOptions),
    /// It did not arrive: it is sent again.
    Missing(OutputOptions),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OutputOptions {
    #[command(flatten)]
    data: DataOption,
    /// The run's id, or its beginning.
    run: String,
    /// The output, as `bailiwick show` names it.
    #[arg(long, value_name = "NAME")]
    output: String,
    /// The reason, for the audit trail: who was asked, and what they said.
    #[arg(long, alias = "why", value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    reason: String,
}

pub(in crate::cli) async fn resend(options: ResendOptions) -> Answer {
    let ResendOptions { of, target, new_key } = options;
    let hub = open::existing_hub(&of.data).await?;
    let run = show::find(&hub, &of.run).await?;
    let ask = ResendAsk { port: of.output, target, new_key, why: of.reason };
    let resent = hub.resend(Scope::Hub, run, ask, &open::person(&hub)).await?;
    if let Some(failed) = resent.failed {
        say(format!("{} {}: {}", paint(Tone::Bad, "not sent again"), failed.code, failed.sentence));
        return Ok(ExitCode::FAILURE);
    }
    let Some(sent) = resent.delivered else { return Ok(ExitCode::FAILURE) };
    let word = if sent.already_there { "is there already, byte for byte; nothing was sent" } else { "was sent again" };
    let place = format!("{}/{}", sent.connection, sent.target);
    say(format!("{} {word}: {}, SHA-256 {}", paint(Tone::Strong, place), bytes(sent.size_bytes), sent.digest.short()));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli) async fn delivery(command: DeliveryCommand) -> Answer {
    let (of, arrived) = match command {
        DeliveryCommand::Arrived(of) => (of, true),
        DeliveryCommand::Missing(of) => (of, false),
    };
    let hub = open::working_hub(&of.data).await?;
    let run = show::find(&hub, &of.run).await?;
    hub.ledger().settle_delivery(Scope::Hub, (run, &of.output), (arrived, &of.reason), &open::person(&hub)).await?;
    let state = open::wait(&hub, run).await?;
    show::one_run(&hub, run, false).await?;
    Ok(if state == RunState::Closed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What persons put right of a run, line by line.
pub(in crate::cli) fn say_amends(events: &[LoggedEvent]) {
    for logged in events {
        let about = match &logged.event {
            RunEvent::Settled(settled) => {
                let word = if settled.arrived.is_some() { "arrived" } else { "did not arrive, and was sent again" };
                format!("output {} {word}, says {}: {}", settled.port, logged.actor, settled.why)
            }
            RunEvent::ResendBegun(begun) => {
                let end = events.iter().find_map(|other| match &other.event {
                    RunEvent::Resent(resent) if resent.begun == logged.seq => Some(resent),
                    _ => None,
                });
                let end = match end.map(|end| (&end.failed, &end.delivered)) {
                    None => "its end is not known".to_owned(),
                    Some((Some(failed), _)) => format!("failed: {}", failed.sentence),
                    Some((None, Some(sent))) if sent.already_there => "was there already".to_owned(),
                    Some((None, _)) => "sent".to_owned(),
                };
                format!(
                    "output {} sent again as {}/{} by {}: {} ({end})",
                    begun.port, begun.connection, begun.target, logged.actor, begun.why
                )
            }
            _ => continue,
        };
        say(format!("  {} {about}", paint(Tone::Quiet, moment(logged.at_ms))));
    }
}
