//! Commands for the audit trail: checked, written out, signed.

mod export;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::paint::{Tone, count, paint, say};
use super::{Answer, DataOption, open};
use crate::ledger::{Database, Ledger};
use crate::registry::signature::PublicKey;
use crate::run::{Evidence, Verified, verify_file, verify_ledger};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Works the whole chain out again, compares it with every checkpoint and with the rows of the database, and names the first entry
    /// that was tampered with. Needs no hub, and for an exported file no database.
    Verify(VerifyOptions),
    /// Writes entries out, oldest first, in a form that can be checked anywhere.
    Export(export::Options),
    /// Signs how far the trail reaches now. A hub that serves does so every thousand entries, every hour, and when it stops.
    Checkpoint(SignOptions),
    /// Writes every checkpoint into a folder, each as a file with its signature, for `minisign -V`.
    Checkpoints(CheckpointsOptions),
    /// Prints the public key with which this hub signs checkpoints. Keep it where nobody changes it.
    Key(SignOptions),
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyOptions {
    #[command(flatten)]
    data: DataOption,
    /// An exported file to check in place of the ledger.
    file: Option<PathBuf>,
    /// Checkpoints kept elsewhere: the hub's own file of them, one with its .minisig beside it, or a folder of such.
    #[arg(long, value_name = "PATH")]
    against: Vec<PathBuf>,
    /// A public key of a hub, as `bailiwick audit key` prints it. Without it, the keys count that the ledger names.
    #[arg(long, value_name = "FILE")]
    public_key: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignOptions {
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckpointsOptions {
    #[command(flatten)]
    data: DataOption,
    /// The folder.
    folder: PathBuf,
}

pub(crate) async fn answer(command: Command) -> Answer {
    match command {
        Command::Verify(options) => verify(options).await,
        Command::Export(options) => export::export(options).await,
        Command::Checkpoint(options) => checkpoint(options).await,
        Command::Checkpoints(options) => checkpoints(options).await,
        Command::Key(options) => key(options).await,
    }
}

async fn verify(options: VerifyOptions) -> Answer {
    let read = |path: &PathBuf| -> Result<PublicKey, Box<dyn std::error::Error>> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Ok(PublicKey::read(&text)?)
    };
    let keys = options.public_key.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut evidence = options.against.iter().map(|path| Evidence::read(path)).collect::<Result<Vec<_>, _>>()?;
    let verified = match &options.file {
        Some(file) => verify_file(file, &evidence, &keys)?,
        None => {
            open::check_exists(&options.data)?;
            let beside = crate::run::checkpoints_file(&options.data.data);
            if beside.is_file() {
                evidence.push(Evidence::read(&beside)?);
            }
            let file = || Database::Sqlite(options.data.data.join("ledger.sqlite"));
            let ledger = Ledger::open_to_verify(&options.data.database.clone().unwrap_or_else(file)).await?;
            let verified = verify_ledger(&ledger, &evidence, &keys).await?;
            ledger.close().await;
            verified
        }
    };
    said(&verified);
    Ok(if verified.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn said(verified: &Verified) {
    let tampered = || paint(Tone::Bad, "tampered with:");
    for (place, fault) in verified.faults.iter().enumerate() {
        let fit = if place == 0 { format!("; the {} entries before it fit", count(verified.entries)) } else { String::new() };
        say(format!("{} {fault}{fit}", tampered()));
    }
    for fault in &verified.rows.faults {
        say(format!("{} {fault}", tampered()));
    }
    if verified.rows.more > 0 {
        say(format!("and {} more", count(verified.rows.more)));
    }
    if verified.faults.is_empty() {
        let left = if verified.left_out > 0 { format!(", {} of them left out", count(verified.left_out)) } else { String::new() };
        say(format!("{} entries fit{left}; the last has SHA-256 {}", count(verified.entries), verified.head));
    }
    if verified.rows.fitting > 0 {
        say(format!("{} things in the database are as the trail says", count(verified.rows.fitting)));
    }
    if verified.rows.uncovered > 0 {
        say(format!("{} are older than digests of rows, and were not compared", count(verified.rows.uncovered)));
    }
    match (verified.checkpoints, verified.vouched_for) {
        (0, _) => say("no checkpoint vouches for any of it: `bailiwick audit checkpoint` signs one"),
        (some, seq) => say(format!("{} checkpoints, which vouch for entries up to {}", count(some), count(seq))),
    }
    verified.notes.iter().for_each(say);
}

async fn checkpoint(options: SignOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    match hub.checkpoint().await? {
        Some(made) => say(format!("checkpoint {}: entries up to {}, SHA-256 {}", made.number, made.seq, made.hash)),
        None => say("the last checkpoint covers every entry"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn checkpoints(options: CheckpointsOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let written = hub.write_checkpoints(&options.folder).await?;
    say(format!("{written} checkpoints in {}: `minisign -Vm FILE.txt -p HUB.pub` checks one", options.folder.display()));
    Ok(ExitCode::SUCCESS)
}

async fn key(options: SignOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let key = hub.audit_key().await?;
    say(format!("untrusted comment: bailiwick hub {} key {}\n{}", key.hub, key.key.key_id, key.key.public_key));
    Ok(ExitCode::SUCCESS)
}
