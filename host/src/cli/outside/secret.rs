//! Commands for credentials of connections. A value comes in on standard input and is never shown again.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use clap::Subcommand;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Serialize;

use super::paint::{say, table};
use super::{Answer, DataOption, open};
use crate::api::wire::moment;
use crate::ledger::Scope;
use crate::model::ids::{PartnerName, SecretName};
use crate::vault::VALUE_BYTES_MAX;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keeps a credential, encrypted. Its value is read from standard input, without the end of its last line.
    Set(NameOptions),
    /// Lists credentials by name: when they were set, by whom, under which master key. Never their values.
    List(ListOptions),
    /// Forgets a credential.
    Remove(NameOptions),
    /// Puts a new master key in force and encrypts every credential and every partner's key again under it. Interrupted, it goes on when
    /// it is called again.
    Rotate(RotateOptions),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NameOptions {
    #[command(flatten)]
    data: DataOption,
    /// Whose.
    partner: PartnerName,
    /// Its name, as connections.toml uses it.
    name: SecretName,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListOptions {
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
pub(crate) struct RotateOptions {
    #[command(flatten)]
    data: DataOption,
    /// Leaves the master key, and gives this partner a new key for its files and rejects: what is sealed from now on opens with that, and
    /// what was sealed before with the earlier ones.
    #[arg(long, value_name = "PARTNER")]
    partner: Option<PartnerName>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct SecretJson {
    partner: String,
    name: String,
    set_at: String,
    set_by: String,
    key: String,
}

pub(crate) async fn answer(command: Command) -> Answer {
    match command {
        Command::Set(options) => set(options).await,
        Command::List(options) => list(options).await,
        Command::Remove(options) => remove(options).await,
        Command::Rotate(options) => rotate(options).await,
    }
}

async fn set(options: NameOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let value = value()?;
    let replaced = hub.set_secret(&options.partner, &options.name, value, &open::person(&hub)).await?;
    say(format!("secret {} of {} {}", options.name, options.partner, if replaced { "replaced" } else { "set" }));
    Ok(ExitCode::SUCCESS)
}

/// The value on standard input.
fn value() -> Result<SecretString, Box<dyn std::error::Error>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err("give the value on standard input, where nobody sees it: bailiwick secret set PARTNER NAME < FILE".into());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(VALUE_BYTES_MAX + 3));
    // One more than is allowed, and the end of a line, so that what is too long is told.
    input.take(VALUE_BYTES_MAX as u64 + 3).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "the value is no text in UTF-8")?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(SecretString::from(text))
}

async fn list(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let scope = options.partner.as_ref().map_or(Scope::Hub, Scope::Partner);
    let secrets = hub.ledger().secrets(scope).await?.into_iter().map(|secret| SecretJson {
        partner: secret.partner.to_string(),
        name: secret.name.to_string(),
        set_at: moment(secret.set_at_ms),
        set_by: secret.set_by.to_string(),
        key: secret.key_id,
    });
    if options.json {
        say(serde_json::to_string_pretty(&secrets.collect::<Vec<_>>())?);
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> =
        secrets.map(|secret| vec![secret.partner, secret.name, secret.set_at, secret.set_by, secret.key]).collect();
    if rows.is_empty() {
        say("no secrets: set one with `bailiwick secret set PARTNER NAME < FILE`");
    } else {
        say(table(&["partner", "secret", "set", "by", "master key"], &[], rows));
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(options: NameOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    hub.ledger().remove_secret(&options.partner, &options.name, &open::person(&hub)).await?;
    say(format!("secret {} of {} removed", options.name, options.partner));
    Ok(ExitCode::SUCCESS)
}

async fn rotate(options: RotateOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    if let Some(partner) = &options.partner {
        let generation = hub.rotate_data_key(partner, &open::person(&hub)).await?;
        say(format!("key {generation} of {partner} is in force; what was sealed before opens with the earlier ones"));
        return Ok(ExitCode::SUCCESS);
    }
    let done = hub.rotate_secrets(&open::person(&hub)).await?;
    let (secrets, keys) = ((done.resealed, done.secrets), (done.data_keys_resealed, done.data_keys));
    say(format!(
        "master key {} is in force: {} of {} secrets encrypted again, and {} of {} keys of partners",
        done.key, secrets.0, secrets.1, keys.0, keys.1
    ));
    if !done.forgotten {
        say("the command of BAILIWICK_MASTER_KEY_COMMAND need no longer print the earlier key");
    }
    Ok(ExitCode::SUCCESS)
}
