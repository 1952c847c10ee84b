//! Commands for webhooks: which there are, what they were sent, and whether one answers.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::paint::{Tone, paint, say, table};
use super::{Answer, DataOption, open};
use crate::ledger::{Scope, WebhookMessage};
use crate::model::ids::{PartnerName, WebhookName};

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

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct WebhookJson {
    partner: String,
    name: String,
    url: String,
    events: Vec<&'static str>,
    signing_secret: String,
    allow_private: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DeliveryJson {
    id: String,
    partner: String,
    webhook: String,
    event: String,
    subject: String,
    at: String,
    state: &'static str,
    attempts: u64,
    status: Option<u16>,
    took_ms: Option<u64>,
    why: Option<String>,
    next_at: Option<String>,
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
    let found = found.into_iter().map(|webhook| WebhookJson {
        partner: webhook.partner.to_string(),
        name: webhook.name.to_string(),
        url: webhook.url,
        events: webhook.events.iter().map(|event| event.as_str()).collect(),
        signing_secret: webhook.signing_secret.to_string(),
        allow_private: webhook.allow_private,
    });
    if options.json {
        return crate::cli::show::json(&found.collect::<Vec<_>>());
    }
    let lines: Vec<_> = found.map(|of| vec![of.partner, of.name, of.url, of.events.join(" "), of.signing_secret]).collect();
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
    let found = hub.ledger().webhook_messages(scope, options.webhook.as_ref(), options.limit).await?;
    let found = found.into_iter().map(delivery);
    if options.json {
        return crate::cli::show::json(&found.collect::<Vec<_>>());
    }
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let lines: Vec<_> = found
        .map(|of| {
            let status = number(of.status.map(u64::from));
            vec![
                of.at,
                of.partner,
                of.webhook,
                of.event,
                of.state.to_owned(),
                of.attempts.to_string(),
                status,
                number(of.took_ms),
                of.why.unwrap_or_default(),
            ]
        })
        .collect();
    if lines.is_empty() {
        say("nothing was sent");
    } else {
        let headings = ["when", "partner", "webhook", "what", "state", "attempts", "status", "ms", "why"];
        say(table(&headings, &[5, 6, 7], lines));
    }
    Ok(ExitCode::SUCCESS)
}

fn delivery(message: WebhookMessage) -> DeliveryJson {
    let moment = |ms| jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default();
    let state = match (message.taken_at_ms, message.next_at_ms) {
        (Some(_), _) => "taken",
        (None, Some(_)) => "waits",
        (None, None) => "given-up",
    };
    DeliveryJson {
        id: message.id,
        partner: message.partner.to_string(),
        webhook: message.webhook.to_string(),
        event: message.event,
        subject: message.subject,
        at: moment(message.at_ms),
        state,
        attempts: message.attempts,
        status: message.status,
        took_ms: message.took_ms,
        why: message.outcome,
        next_at: message.next_at_ms.map(moment),
    }
}

async fn test(options: TestOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let answer = hub.test_webhook(&options.partner, &options.name).await.map_err(open::shown)?;
    let took = answer.took.as_millis();
    match answer.answered {
        Ok(status) if (200..300).contains(&status) => {
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
