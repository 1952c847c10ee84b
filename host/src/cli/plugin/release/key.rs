//! `bailiwick key`: the keys that sign releases. A secret key is a file of its owner's and never comes to the hub.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{Answer, passphrase, read_text};
use crate::api::wire::moment;
use crate::cli::paint::{say, table};
use crate::cli::{DataOption, open, show};
use crate::ledger::Scope;
use crate::model::ids::PartnerName;
use crate::registry::signature::{self, SigningKeyId};

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Makes a pair of keys: NAME.key to sign with, NAME.pub to give to the hub. minisign reads both.
    New(NewOptions),
    /// Registers a signer's public key, so that what it signs counts.
    Add(AddOptions),
    /// Lists the keys that count, and those that no longer do.
    List(ListOptions),
    /// Trusts a key no longer. What it signed and is in use stays so, until it is rolled back.
    Revoke(RevokeOptions),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct NewOptions {
    /// The files' name, without its end.
    name: PathBuf,
    /// Make a secret key without a passphrase: whoever has the file has the key. Otherwise it is in BAILIWICK_KEY_PASSPHRASE.
    #[arg(long)]
    no_passphrase: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AddOptions {
    #[command(flatten)]
    data: DataOption,
    /// Whose releases it signs.
    partner: PartnerName,
    /// The file of the public key.
    file: PathBuf,
    /// Who has the secret key, for people.
    #[arg(long)]
    owner: String,
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
    /// The key, as `bailiwick key list` shows it.
    key: SigningKeyId,
    /// The reason, for the audit trail and for whoever uses the key.
    #[arg(long)]
    why: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct KeyJson {
    partner: String,
    key: String,
    owner: String,
    added_at: String,
    added_by: String,
    revoked_at: Option<String>,
    revoked_why: Option<String>,
}

pub(in crate::cli) async fn answer(command: Command) -> Answer {
    match command {
        Command::New(options) => new(&options),
        Command::Add(options) => add(options).await,
        Command::List(options) => list(options).await,
        Command::Revoke(options) => revoke(options).await,
    }
}

fn new(options: &NewOptions) -> Answer {
    let passphrase = passphrase();
    if passphrase.is_some() == options.no_passphrase {
        return Err("put the passphrase of the secret key into BAILIWICK_KEY_PASSPHRASE, or say --no-passphrase; one of the two".into());
    }
    let pair = signature::new_pair(passphrase.as_ref())?;
    let (secret, public) = (options.name.with_extension("key"), options.name.with_extension("pub"));
    write_new(&secret, pair.secret.expose_secret(), 0o600)?;
    write_new(&public, &pair.public, 0o644)?;
    say(format!("key {}: {} to sign with, {} to give to the hub", pair.id, secret.display(), public.display()));
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that is not there yet: a key is never written over.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

async fn add(options: AddOptions) -> Answer {
    let text = read_text(&options.file)?;
    let hub = open::existing_hub(&options.data).await?;
    let id = hub.add_signing_key(&options.partner, (&options.owner, &text), &open::person(&hub)).await?;
    say(format!("key {id} of {} counts for {}", options.owner, options.partner));
    Ok(ExitCode::SUCCESS)
}

async fn list(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let keys = hub.ledger().signing_keys(options.partner.as_ref().map_or(Scope::Hub, Scope::Partner)).await?;
    let keys: Vec<KeyJson> = keys
        .into_iter()
        .map(|key| KeyJson {
            partner: key.key.partner.to_string(),
            key: key.key.id,
            owner: key.key.owner,
            added_at: moment(key.added_at_ms),
            added_by: key.added_by.to_string(),
            revoked_at: key.revoked.as_ref().map(|(at, _)| moment(*at)),
            revoked_why: key.revoked.map(|(_, why)| why),
        })
        .collect();
    if options.json {
        return show::json(&keys);
    }
    if keys.is_empty() {
        say("no keys: register one with `bailiwick key add PARTNER FILE.pub --owner NAME`");
        return Ok(ExitCode::SUCCESS);
    }
    let row = |key: KeyJson| {
        let standing = key.revoked_why.map_or_else(|| "in use".to_owned(), |why| format!("revoked: {why}"));
        vec![key.partner, key.key, key.owner, key.added_at, key.added_by, standing]
    };
    say(table(&["partner", "key", "owner", "added", "by", ""], &[], keys.into_iter().map(row)));
    Ok(ExitCode::SUCCESS)
}

async fn revoke(options: RevokeOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let id = options.key.to_string();
    hub.ledger().revoke_signing_key((&options.partner, &id), &options.why, &open::person(&hub)).await?;
    say(format!("key {id} of {} is revoked", options.partner));
    let releases = hub.ledger().releases(Scope::Partner(&options.partner)).await?;
    let signed = |release: &&crate::ledger::Release| release.release.signature.as_ref().is_some_and(|signature| signature.key == id);
    for release in releases.iter().filter(|release| release.active_since_ms.is_some()).filter(signed) {
        let (plugin, version) = (&release.release.key.plugin, &release.release.version);
        say(format!(
            "{plugin} {version}, which it signed, is still in use: `bailiwick plugin roll-back {plugin} --partner {}`, or activate another release",
            options.partner
        ));
    }
    Ok(ExitCode::SUCCESS)
}
