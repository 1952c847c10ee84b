//! Commands that move a release on: handed in, approved or refused, activated, rolled back.

use std::path::Path;
use std::process::ExitCode;

use super::registry::{RegistryOptions, Taken, beside, take};
use super::{Answer, read, read_text};
use crate::cli::paint::{Tone, paint, say};
use crate::cli::{DataOption, open};
use crate::connection::oci::{Reference, SCHEME};
use crate::ledger::Release;
use crate::model::grant::{Grant, Lent};
use crate::model::ids::{PartnerName, PluginName};
use crate::model::limits::{Limit, Limits};
use crate::run::{Approval, Push, Reviewed};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PushOptions {
    #[command(flatten)]
    data: DataOption,
    /// The component: a file, with its signature beside it as FILE.minisig; or oci://HOST[:PORT]/NAME:TAG, or @sha256:DIGEST, in a registry.
    component: String,
    /// For whom.
    #[arg(long)]
    partner: PartnerName,
    #[command(flatten)]
    registry: RegistryOptions,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OneOptions {
    #[command(flatten)]
    pub(super) data: DataOption,
    /// The release: the beginning of its digest, or PLUGIN@VERSION.
    pub(super) release: String,
    /// Whose, where two partners have it.
    #[arg(long)]
    pub(super) partner: Option<PartnerName>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ApproveOptions {
    #[command(flatten)]
    one: OneOptions,
    /// What names the review that you have read: `bailiwick plugin review` shows it.
    #[arg(long, value_name = "CODE")]
    review: String,
    /// Something that it asks for and is not lent: log, clock, random, state, http or table:NAME.
    #[arg(long, value_name = "WHAT")]
    without: Vec<Lent>,
    /// The most of a limit, as cpu-ms=500; `bailiwick plugin limits` names them.
    #[arg(long, value_name = "LIMIT=MOST", value_parser = limit)]
    limit: Vec<(Limit, u64)>,
    /// The reason, for the audit trail.
    #[arg(long)]
    why: String,
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
pub(in crate::cli) struct ActivateOptions {
    #[command(flatten)]
    one: OneOptions,
    /// What names the review that you have read: if the release is not as that showed it, it is not activated.
    #[arg(long, value_name = "CODE")]
    review: Option<String>,
    /// What names the trials that you have seen, as `bailiwick plugin trials` shows it.
    #[arg(long, value_name = "CODE")]
    trials: Option<String>,
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
    let (component, signature, from) = handed_in(&options).await?;
    let hub = open::existing_hub(&options.data).await?;
    let mut by = open::person(&hub);
    if let Some(from) = from {
        // What the trail says of where an act came from says where the component did.
        by.from = by.from.map(|here| format!("{here}, out of {from}"));
    }
    let push = Push { partner: &options.partner, component: &component, signature };
    let pushed = hub.push_release(&push, &by).await?;
    let signed = pushed.signed_by.map_or_else(|| "not signed".to_owned(), |key| format!("signed by key {key}"));
    let new = if pushed.new { "handed in" } else { "there already" };
    say(format!("{} {} {}: {new}, {signed}", pushed.key.plugin, pushed.version, pushed.key.digest.short()));
    say(match pushed.cases {
        0 => paint(Tone::Attention, "  it brings no cases of its own, so none was tried"),
        cases => format!("  the {cases} cases that it brings come out as they say"),
    });
    for finding in &pushed.unfit {
        say(paint(Tone::Attention, format!("  {finding}")));
    }
    if !pushed.unfit.is_empty() {
        say("it cannot be activated until that is put right");
    }
    say(format!("look at it with `bailiwick plugin review {}`; no run uses it until it is activated", pushed.key.digest.short()));
    Ok(ExitCode::SUCCESS)
}

/// What is handed in, with its signature and, out of a registry, where it lies there for ever.
async fn handed_in(options: &PushOptions) -> Result<(Vec<u8>, Option<String>, Option<Reference>), Box<dyn std::error::Error>> {
    if options.component.starts_with(SCHEME) {
        // Before anything is fetched for a hub that is not there.
        open::check_exists(&options.data)?;
        let Taken { component, pulled } = take(&options.component, &options.registry).await?;
        return Ok((component, pulled.signature, Some(pulled.from)));
    }
    let path = Path::new(&options.component);
    let beside = beside(path);
    let signature = if beside.exists() { Some(read_text(&beside)?) } else { None };
    Ok((read(path)?, signature, None))
}

pub(in crate::cli::plugin) async fn approve(options: ApproveOptions) -> Answer {
    let hub = open::existing_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let grant = Grant { without: options.without.into_iter().collect(), limits: options.limit.into_iter().collect() };
    let approval = Approval { key: &release.release.key, review: &options.review, grant, why: &options.why };
    let changed = hub.approve_release(&approval, &open::person(&hub)).await?;
    say(format!("{} is approved{}", named(&release), if changed { "" } else { ", as it was" }));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn refuse(options: JudgeOptions) -> Answer {
    let hub = open::existing_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let changed = hub.refuse_release(&release.release.key, &options.why, &open::person(&hub)).await?;
    say(format!("{} is refused{}", named(&release), if changed { "" } else { ", as it was" }));
    if release.active_since_ms.is_some() {
        say("runs still use it: roll it back, or activate another release");
    }
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn retire(options: JudgeOptions) -> Answer {
    let hub = open::existing_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let changed = hub.retire_release(&release.release.key, &options.why, &open::person(&hub)).await?;
    say(format!("{} is given up{}", named(&release), if changed { ": what has begun with it goes on" } else { ", as it was" }));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn activate(options: ActivateOptions) -> Answer {
    let hub = open::existing_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let of = Reviewed { key: &release.release.key, review: options.review.as_deref(), trials: options.trials.as_deref() };
    let changed = hub.activate_release(of, &open::person(&hub)).await?;
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

/// Reads `cpu-ms=500`.
fn limit(text: &str) -> Result<(Limit, u64), String> {
    let (name, most) = text.split_once('=').ok_or("write a limit and its most, as cpu-ms=500")?;
    let limit = Limits::named(name).ok_or_else(|| format!("there is no limit {name:?}: `bailiwick plugin limits` names them"))?;
    let most = most.parse().ok().filter(|most| *most > 0).ok_or_else(|| format!("{most:?} is no amount"))?;
    Ok((limit, most))
}

pub(super) fn named(release: &Release) -> String {
    let key = &release.release.key;
    format!("{} {} ({}) of {}", key.plugin, release.release.version, key.digest.short(), key.partner)
}
