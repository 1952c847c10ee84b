//! `bailiwick serve`: the hub with its schedules, its runs and its API, until it is told to stop; and `bailiwick backup` beside it.

mod backup;
mod listen;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

pub(super) use backup::{Options as BackupOptions, backup};

use super::paint::{Tone, paint, say};
use super::{Answer, DataOption, open};
use crate::access::Provider;
use crate::ledger::Scope;
use crate::model::limits::serving::{DRAIN_SECONDS_DEFAULT, LAST_ANSWERS_MS_MAX};
use crate::run::Hub;
use crate::{api, server};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    data: DataOption,
    #[command(flatten)]
    listen: listen::ListenOptions,
    /// Apply this folder of configuration first.
    #[arg(long, value_name = "FOLDER")]
    config: Option<PathBuf>,
    /// Let people sign in at a provider of identities too, which this file describes: issuer, client-id, client-secret-file, hub-url.
    #[arg(long, env = "BAILIWICK_SIGN_IN", value_name = "FILE")]
    sign_in: Option<PathBuf>,
    /// When told to stop, how long runs under way have to end. Those that do not are left to another hub, or to the next start.
    #[arg(long, env = "BAILIWICK_DRAIN", value_name = "SECONDS", default_value_t = DRAIN_SECONDS_DEFAULT, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    drain: u64,
    /// Leave every signed checkpoint of the audit trail in this folder too: one that can only be added to, or somebody else's.
    #[arg(long, env = "BAILIWICK_CHECKPOINTS", value_name = "DIR")]
    checkpoints: Option<PathBuf>,
}

/// How long a hub's runs have to end where nobody says.
pub(super) const DRAIN: Duration = Duration::from_secs(DRAIN_SECONDS_DEFAULT);

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
    if let Some(folder) = options.checkpoints {
        hub.leave_checkpoints_in(folder);
    }
    if let Some(folder) = &options.config {
        let plan = hub.apply(folder, &open::person(&hub)).await.map_err(open::shown)?;
        open::say_plan(&plan, "applied");
        hub.watch_configuration(folder.clone());
    }
    open::say_master_key(&hub).await?;
    first_tokens(&hub).await?;
    let provider = options.sign_in.as_deref().map(Provider::read).transpose()?.map(Arc::new);
    let listening = server::listen(hub.clone(), server::Options { provider, ..options.listen.into() }).await?;
    // Before anybody is told that they may stop it.
    let signals = Signals::new();
    say(format!("the hub is at {}; Ctrl-C stops it", listening.url()));
    if let Some(metrics) = listening.metrics {
        say(format!("its figures are at {metrics}/metrics"));
    }
    until_stopped(hub, listening, signals, Duration::from_secs(options.drain)).await;
    Ok(ExitCode::SUCCESS)
}

/// Does the hub's duties until the program is told to stop; then finishes what is under way, if it ends in time. Told twice, it ends at
/// once: the next start, or another hub, goes on from what is in the ledger.
pub(super) async fn until_stopped(hub: Hub, listening: server::Listening, mut signals: Signals, drain: Duration) {
    let stop = Arc::new(Notify::new());
    let mut duties = {
        let (hub, stop) = (hub.clone(), Arc::clone(&stop));
        // Waited for below.
        tokio::spawn(async move { hub.serve_and_drain(stop, drain).await })
    };
    signals.told_to_stop(&listening).await;
    tracing::info!(drain_s = drain.as_secs(), "stopping: runs that are under way are finished first");
    listening.stop();
    stop.notify_one();
    tokio::select! {
        ended = &mut duties => {
            if ended.is_err() {
                tracing::error!("the hub's duties ended before they were told to");
            }
        }
        () = signals.told_to_stop(&listening) => {
            tracing::warn!("told to stop a second time: what is under way is dropped");
            std::process::exit(1);
        }
    }
    listening.ended(Duration::from_millis(LAST_ANSWERS_MS_MAX)).await;
    hub.ledger().close().await;
}

/// What the program is told from outside.
pub(super) struct Signals {
    stop: [Option<tokio::signal::unix::Signal>; 2],
    read_again: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    /// Listens to what the system lets it listen to.
    pub(super) fn new() -> Self {
        let listen = |kind| signal(kind).inspect_err(|error| tracing::warn!(%error, "a signal will not be heard")).ok();
        Self { stop: [SignalKind::terminate(), SignalKind::interrupt()].map(listen), read_again: listen(SignalKind::hangup()) }
    }

    /// Answers when the program is told to stop; told to read its files again, it does that.
    async fn told_to_stop(&mut self, listening: &server::Listening) {
        let [terminated, interrupted] = &mut self.stop;
        loop {
            tokio::select! {
                () = told(terminated) => return,
                () = told(interrupted) => return,
                () = told(&mut self.read_again) => listening.read_certificate_again(),
            }
        }
    }
}

async fn told(signal: &mut Option<tokio::signal::unix::Signal>) {
    if let Some(signal) = signal {
        let _ended = signal.recv().await;
    } else {
        std::future::pending().await
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
