//! Commands that read: the releases there are, and what an approver is to know of one.

use std::process::ExitCode;

use super::Answer;
use super::steer::OneOptions;
use crate::api::wire::{ReleaseJson, ReviewJson};
use crate::cli::paint::{Tone, paint, say, table};
use crate::cli::{DataOption, open, show};
use crate::ledger::Scope;
use crate::model::ids::PartnerName;
use crate::run::Ask;

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
pub(in crate::cli) struct ReviewOptions {
    #[command(flatten)]
    one: OneOptions,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli::plugin) async fn list(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let releases = hub.ledger().releases(options.partner.as_ref().map_or(Scope::Hub, Scope::Partner)).await?;
    let releases: Vec<ReleaseJson> = releases.iter().map(ReleaseJson::from).collect();
    if options.json {
        return show::json(&releases);
    }
    let row = |release: ReleaseJson| {
        let active = release.active_since.map(|since| format!("active since {since}"));
        let active = active.or(release.retired_at.map(|at| format!("given up {at}"))).unwrap_or_default();
        let standing =
            release.standing.zip(release.judged_by).map_or_else(|| "not judged".to_owned(), |(said, by)| format!("{said} by {by}"));
        let signed = release.signed_by.unwrap_or_else(|| "not signed".to_owned());
        vec![release.partner, release.plugin, release.version, release.digest[..12].to_owned(), release.added_by, signed, standing, active]
    };
    say(table(&["partner", "plugin", "version", "release", "added by", "signed by", "approval", ""], &[], releases.into_iter().map(row)));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn review(options: ReviewOptions) -> Answer {
    let hub = open::existing_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let review = hub.review_release(&release.release.key).await?;
    if options.json {
        return show::json(&ReviewJson::from(review));
    }
    let told = ReleaseJson::from(&review.release);
    say(format!("{} {}  {}", paint(Tone::Strong, &told.plugin), told.version, told.digest));
    say(format!("  for {}, {} bytes, added {} by {}", told.partner, told.bytes, told.added_at, told.added_by));
    match (&told.signed_by, &told.signer_says) {
        (Some(key), Some(comment)) => say(format!("  signed by key {key}: {comment}")),
        _ => say(paint(Tone::Attention, "  not signed")),
    }
    if let (Some(standing), Some(by), Some(why)) = (&told.standing, &told.judged_by, &told.why) {
        say(format!("  {standing} by {by}: {why}"));
    }
    part("What it may do", &review.may_do);
    let asks: Vec<String> = review.asks.iter().map(asked).collect();
    if !asks.is_empty() {
        part("What of that is asked for by name, so that an approval can keep it back with --without", &asks);
    }
    if !told.kept_back.is_empty() {
        part("What its approval keeps back", &told.kept_back);
    }
    match &review.active {
        None => say("No other release of this plugin is active."),
        Some(active) => {
            let of = format!("What is different from {}, which is active", active.release.version);
            match review.changes.is_empty() {
                true => part(&of, &["Nothing that it declares: only its code.".to_owned()]),
                false => part(&of, &review.changes),
            }
        }
    }
    if !review.unfit.is_empty() {
        part("Jobs that do not fit it, so that it cannot be activated", &review.unfit);
    }
    say(format!("This review is {}: an approval names it with --review.", review.code));
    Ok(ExitCode::SUCCESS)
}

fn asked(ask: &Ask) -> String {
    let needed = if ask.needed { "; it cannot work without" } else { "" };
    let kept_back = if ask.kept_back { "; the operator of the hub lends it to no plugin" } else { "" };
    format!("{}: it {}{needed}{kept_back}", ask.what, ask.about)
}

/// A heading and the sentences under it.
fn part(heading: &str, lines: &[String]) {
    say(paint(Tone::Strong, heading));
    lines.iter().for_each(|line| say(format!("  {line}")));
}
