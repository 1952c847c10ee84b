//! Commands for webhooks: which there are, what they were sent, and whether one answers.

use std::process::ExitCode;

use clap::Subcommand;

use super::paint::{Tone, paint, say, table};
use super::{Answer, DataOption, open};
use crate::api::wire::{WebhookDeliveryJson, WebhookJson, moment};
use crate::ledger::{MessagesSought, Scope, WebhookMessage};
use crate::model::ids::{PartnerName, WebhookName};
use crate::model::job::Webhook;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the addresses that are told of runs and releases.
    List(ListOptions),
    /// Lists what they were sent, newest first, and what became of it.
    Deliveries(DeliveriesOptions),
    /// Sends an address a message that says nothing, signed like any other, and says what it answers.
    Test(TestOptions),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    data: DataOption,
    /// Of one partner only.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeliveriesOptions {
    #[command(flatten)]
    data: DataOption,
    /// Of one partner only.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// To one address only.
    #[arg(long)]
    webhook: Option<WebhookName>,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TestOptions {
    #[command(flatten)]
    data: DataOption,
    /// Whose.
    partner: PartnerName,
    /// Its name, as in webhooks.toml.
    name: WebhookName,
}

pub(crate) async fn answer(command: Command) -> Answer {
    match command {
        Command::List(options) => list(options).await,
        Command::Deliveries(options) => deliveries(options).await,
        Command::Test(options) => test(options).await,
    }
}

async fn list(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let mut found = Vec::new();
    for partner in hub.ledger().partners(options.partner.as_ref().map_or(Scope::Hub, Scope::Partner)).await? {
        found.extend(hub.webhooks(&partner.name).await.map_err(open::shown)?);
    }
    if options.json {
        return crate::cli::show::json(&found.iter().map(|webhook| WebhookJson::new(webhook, true)).collect::<Vec<_>>());
    }
    let line = |webhook: Webhook| {
        let events = webhook.events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(" ");
        vec![webhook.partner.to_string(), webhook.name.to_string(), webhook.url, events, webhook.signing_secret.to_string()]
    };
    let lines: Vec<_> = found.into_iter().map(line).collect();
    if lines.is_empty() {
        say("there are none: declare [[webhook]] in webhooks.toml and apply the folder");
    } else {
        say(table(&["partner", "webhook", "address", "is told", "signed by"], &[], lines));
    }
    Ok(ExitCode::SUCCESS)
}

async fn deliveries(options: DeliveriesOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let scope = options.partner.as_ref().map_or(Scope::Hub, Scope::Partner);
    let sought = MessagesSought { webhook: options.webhook, ..MessagesSought::default() };
    let found = hub.ledger().webhook_messages(scope, &sought, None, options.limit).await?.items;
    if options.json {
        return crate::cli::show::json(&found.iter().map(WebhookDeliveryJson::from).collect::<Vec<_>>());
    }
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let line = |of: WebhookMessage| {
        vec![
            moment(of.at_ms),
            of.partner.to_string(),
            of.webhook.to_string(),
            of.event.clone(),
            of.state().as_str().to_owned(),
            of.attempts.to_string(),
            number(of.status.map(u64::from)),
            number(of.took_ms),
            of.outcome.unwrap_or_default(),
        ]
    };
    let lines: Vec<_> = found.into_iter().map(line).collect();
    if lines.is_empty() {
        say("nothing was sent");
    } else {
        let headings = ["when", "partner", "webhook", "what", "state", "attempts", "status", "ms", "why"];
        say(table(&headings, &[5, 6, 7], lines));
    }
    Ok(ExitCode::SUCCESS)
}

async fn test(options: TestOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let answer = hub.test_webhook(&options.partner, &options.name).await.map_err(open::shown)?;
    let (took, is_taken) = (answer.took.as_millis(), answer.is_taken());
    match answer.answered {
        Ok(status) if is_taken => {
            say(format!("{} {} answered {status} in {took} ms to {}", paint(Tone::Good, "taken"), options.name, answer.id));
            Ok(ExitCode::SUCCESS)
        }
        Ok(status) => {
            say(format!("{} {} answered {status} in {took} ms to {}", paint(Tone::Bad, "refused"), options.name, answer.id));
            Ok(ExitCode::FAILURE)
        }
        Err(why) => {
            say(format!("{} {} after {took} ms: {why}", paint(Tone::Bad, "not reached"), options.name));
            Ok(ExitCode::FAILURE)
        }
    }
}
