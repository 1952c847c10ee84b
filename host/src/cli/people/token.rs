//! `bailiwick token`: keys with which other systems call the API. Each is shown once, when it is made.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Subcommand;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::paint::{say, table};
use super::{Answer, DataOption, open, show};
use crate::access::{Action, SCOPES_OF_TOKEN, TokenAsk, make_token};
use crate::api::wire::moment;
use crate::ledger::{Scope, Token};
use crate::model::ids::{PartnerName, is_name};

const DAY_MS: i64 = 24 * 3_600_000;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Makes a token for a system of a partner's, and prints it this once.
    New(NewOptions),
    /// Lists tokens: what each may be used for, until when, and when it was last used.
    List(ListOptions),
    /// Refuses a token from now on.
    Revoke(RevokeOptions),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct NewOptions {
    #[command(flatten)]
    data: DataOption,
    /// Whose.
    partner: PartnerName,
    /// What people call it: the system that has it.
    #[arg(value_parser = name)]
    name: String,
    /// What it may be used for, once for each; else read, run, decide and correct.
    #[arg(long = "scope", value_name = "ACTION")]
    scopes: Vec<Action>,
    /// The days after which it is refused; else it is good until it is revoked.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    expires: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListOptions {
    #[command(flatten)]
    data: DataOption,
    /// Only of this partner.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RevokeOptions {
    #[command(flatten)]
    data: DataOption,
    /// Whose.
    partner: PartnerName,
    /// The token's name.
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct TokenJson {
    partner: String,
    name: String,
    scopes: Vec<String>,
    created_at: String,
    created_by: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

pub(in crate::cli) async fn answer(command: Command) -> Answer {
    match command {
        Command::New(options) => new(options).await,
        Command::List(options) => list(options).await,
        Command::Revoke(options) => revoke(options).await,
    }
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("use lower-case letters, digits and single hyphens, beginning with a letter".to_owned())
    }
}

async fn new(options: NewOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let by = open::person(&hub);
    let scopes: BTreeSet<Action> = if options.scopes.is_empty() { SCOPES_OF_TOKEN.into() } else { options.scopes.into_iter().collect() };
    let expires_at_ms = options.expires.map(|days| by.now_ms + i64::from(days) * DAY_MS);
    let ask = TokenAsk { partner: &options.partner, name: &options.name, scopes, expires_at_ms };
    let token = make_token(hub.ledger(), &ask, &by).await?;
    say(token.expose_secret());
    Ok(ExitCode::SUCCESS)
}

async fn list(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let tokens = hub.ledger().tokens(options.partner.as_ref().map_or(Scope::Hub, Scope::Partner)).await?;
    if options.json {
        return show::json(&tokens.into_iter().map(as_json).collect::<Vec<_>>());
    }
    if tokens.is_empty() {
        say("no tokens: make one with `bailiwick token new PARTNER NAME`");
        return Ok(ExitCode::SUCCESS);
    }
    let now_ms = hub.clock().now_ms();
    let row = |token: Token| {
        let standing = match (token.revoked_at_ms, token.expires_at_ms) {
            (Some(at), _) => format!("revoked {}", moment(at)),
            (None, Some(at)) if at <= now_ms => format!("expired {}", moment(at)),
            (None, Some(at)) => format!("good until {}", moment(at)),
            (None, None) => "good until revoked".to_owned(),
        };
        let used = token.last_used_at_ms.map_or_else(|| "never".to_owned(), moment);
        vec![token.partner.to_string(), token.name, token.scopes.join(" "), used, standing]
    };
    say(table(&["partner", "token", "for", "last used", ""], &[], tokens.into_iter().map(row)));
    Ok(ExitCode::SUCCESS)
}

fn as_json(token: Token) -> TokenJson {
    TokenJson {
        partner: token.partner.to_string(),
        name: token.name,
        scopes: token.scopes,
        created_at: moment(token.created_at_ms),
        created_by: token.created_by.to_string(),
        expires_at: token.expires_at_ms.map(moment),
        last_used_at: token.last_used_at_ms.map(moment),
        revoked_at: token.revoked_at_ms.map(moment),
    }
}

async fn revoke(options: RevokeOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    hub.ledger().revoke_token(&options.partner, &options.name, &open::person(&hub)).await?;
    say(format!("token {} of {} is refused from now on", options.name, options.partner));
    Ok(ExitCode::SUCCESS)
}
