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
    let ledger = if backup.ledger { "the ledger, " } else { "" };
    say(format!("{ledger}{} artefacts and releases, {}: in {}", count(backup.files), bytes(backup.bytes), options.to.display()));
    if !backup.ledger {
        say("the ledger is on a server: a dump that was made before this copy belongs to it (pg_dump)");
    }
    let keys: Vec<&str> = backup.master_keys.iter().map(String::as_str).collect();
    match keys.as_slice() {
        [] => say("nothing in it is sealed yet; the master key will not be in a backup: keep it elsewhere"),
        keys => {
            let (words, source) = (keys.join(" and "), hub.master_key_source());
            say(format!("what is sealed in it opens with master key {words}, which is not in it: keep a copy of {source} elsewhere"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
