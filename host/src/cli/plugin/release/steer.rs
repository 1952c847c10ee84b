//! Commands that move a release on: handed in, approved or refused, activated, rolled back.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Answer, read, read_text};
use crate::cli::paint::say;
use crate::cli::{DataOption, open};
use crate::ledger::{Release, ReleaseStanding};
use crate::model::ids::{PartnerName, PluginName};
use crate::registry::signature::SIGNATURE_FILE_END;
use crate::run::Push;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PushOptions {
    #[command(flatten)]
    data: DataOption,
    /// The component. Its signature lies beside it as FILE.minisig.
    component: PathBuf,
    /// For whom.
    #[arg(long)]
    partner: PartnerName,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OneOptions {
    #[command(flatten)]
    pub(super) data: DataOption,
    /// The release: the beginning of its digest.
    pub(super) release: String,
    /// Whose, where two partners have it.
    #[arg(long)]
    pub(super) partner: Option<PartnerName>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct JudgeOptions {
    #[command(flatten)]
    one: OneOptions,
    /// The reason, for the audit trail.
    #[arg(long)]
    why: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RollBackOptions {
    #[command(flatten)]
    data: DataOption,
    /// The plugin.
    plugin: PluginName,
    /// Whose.
    #[arg(long)]
    partner: PartnerName,
}

pub(in crate::cli::plugin) async fn push(options: PushOptions) -> Answer {
    let component = read(&options.component)?;
    let mut beside = options.component.clone().into_os_string();
    beside.push(SIGNATURE_FILE_END);
    let beside = PathBuf::from(beside);
    let signature = if beside.exists() { Some(read_text(&beside)?) } else { None };
    let hub = open::existing_hub(&options.data).await?;
    let push = Push { partner: &options.partner, component: &component, signature };
    let pushed = hub.push_release(&push, &open::person(&hub)).await?;
    let signed = pushed.signed_by.map_or_else(|| "not signed".to_owned(), |key| format!("signed by key {key}"));
    let new = if pushed.new { "handed in" } else { "there already" };
    say(format!("{} {} {}: {new}, {signed}", pushed.key.plugin, pushed.version, pushed.key.digest.short()));
    say(format!("look at it with `bailiwick plugin review {}`; no run uses it until it is activated", pushed.key.digest.short()));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn approve(options: JudgeOptions) -> Answer {
    judge(options, ReleaseStanding::Approved).await
}

pub(in crate::cli::plugin) async fn refuse(options: JudgeOptions) -> Answer {
    judge(options, ReleaseStanding::Refused).await
}

async fn judge(options: JudgeOptions, standing: ReleaseStanding) -> Answer {
    let hub = open::existing_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let changed = hub.judge_release(&release.release.key, (standing, &options.why), &open::person(&hub)).await?;
    say(format!("{} is {standing}{}", named(&release), if changed { "" } else { ", as it was" }));
    if standing == ReleaseStanding::Refused && release.active_since_ms.is_some() {
        say("runs still use it: roll it back, or activate another release");
    }
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn activate(options: OneOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let release = hub.find_release(options.partner.as_ref(), &options.release).await?;
    let changed = hub.activate_release(&release.release.key, &open::person(&hub)).await?;
    say(format!("{} is active{}", named(&release), if changed { " from the next run on" } else { ", as it was" }));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn roll_back(options: RollBackOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let key = hub.roll_back_release(&options.partner, &options.plugin, &open::person(&hub)).await?;
    say(format!("{} of {} is release {} again, from the next run on", key.plugin, key.partner, key.digest.short()));
    say("if plugins.toml still names the other component, `bailiwick apply` would activate that again");
    Ok(ExitCode::SUCCESS)
}

fn named(release: &Release) -> String {
    let key = &release.release.key;
    format!("{} {} ({}) of {}", key.plugin, release.release.version, key.digest.short(), key.partner)
}
