//! `bailiwick serve`: the hub with its schedules, its runs and its API, until it is told to stop; and `bailiwick backup` beside it.

mod backup;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::Notify;

pub(super) use backup::{Options as BackupOptions, backup};

use super::paint::{Tone, paint, say};
use super::{Answer, DataOption, open};
use crate::ledger::Scope;
use crate::run::Hub;
use crate::{api, server};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    data: DataOption,
    /// Where the API listens.
    #[arg(long, env = "BAILIWICK_LISTEN", default_value = "127.0.0.1:8470", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Apply this folder of configuration first.
    #[arg(long, value_name = "FOLDER")]
    config: Option<PathBuf>,
}

pub(super) async fn serve(options: Options) -> Answer {
    let hub = open::serving_hub(&options.data).await?;
    if !hub.works() {
        return Err(format!(
            "another hub works in {} under the name {}: stop it first, name another folder with --data, or give this one a name with --hub",
            options.data.data.display(),
            options.data.hub
        )
        .into());
    }
    if let Some(folder) = &options.config {
        let plan = hub.apply(folder, &open::person(&hub)).await.map_err(open::shown)?;
        open::say_plan(&plan, "applied");
    }
    first_tokens(&hub).await?;
    let listening = server::listen(hub.clone(), options.listen).await?;
    say(format!("the hub is at http://{}; Ctrl-C stops it", listening.address));
    until_stopped(hub, listening).await;
    Ok(ExitCode::SUCCESS)
}

/// Does the hub's duties until the program is told to stop; then finishes what is under way.
pub(super) async fn until_stopped(hub: Hub, listening: server::Listening) {
    let stop = Arc::new(Notify::new());
    let duties = {
        let (hub, stop) = (hub.clone(), Arc::clone(&stop));
        // Waited for below.
        tokio::spawn(async move { hub.serve(stop).await })
    };
    told_to_stop().await;
    tracing::info!("stopping: runs that are under way are finished first");
    listening.stop();
    stop.notify_one();
    if duties.await.is_err() {
        tracing::error!("the hub's duties ended before they were told to");
    }
    hub.ledger().close().await;
}

async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
        }
        Err(_) => drop(interrupted.await),
    }
}

/// Makes a token for each partner that has none, and shows it this once.
pub(super) async fn first_tokens(hub: &Hub) -> Result<(), Box<dyn std::error::Error>> {
    let have = hub.ledger().tokens(Scope::Hub).await?;
    for partner in hub.ledger().partners(Scope::Hub).await? {
        if have.iter().any(|token| token.partner == partner.name) {
            continue;
        }
        let token = api::make_token(hub, &partner.name, "first", &open::person(hub)).await?;
        say(format!("token of {} for the API, shown this once: {}", partner.name, paint(Tone::Strong, token)));
    }
    Ok(())
}
