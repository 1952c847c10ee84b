//! `bailiwick backup`: what a restored hub needs, copied while the hub serves.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::paint::{bytes, count, say};
use crate::cli::{Answer, DataOption, open};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    data: DataOption,
    /// The folder to copy to: a new one, or an empty one.
    to: PathBuf,
}

pub(in crate::cli) async fn backup(options: Options) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let backup = hub.backup(&options.to).await?;
    hub.ledger().close().await;
    let ledger = if backup.ledger { "the ledger, " } else { "" };
    say(format!("{ledger}{} artefacts and releases, {}: in {}", count(backup.files), bytes(backup.bytes), options.to.display()));
    if !backup.ledger {
        say("the ledger is on a server: a dump that was made before this copy belongs to it (pg_dump)");
    }
    say("the master key is not in it: keep it elsewhere");
    Ok(ExitCode::SUCCESS)
}
