//! `bailiwick plugin parallel`, `canary`, `end-candidate`, `trials` and `explain`: a release beside the active one.

use std::process::ExitCode;

use super::Answer;
use super::steer::{OneOptions, named};
use crate::api::wire::moment;
use crate::cli::paint::{Tone, paint, say, table};
use crate::cli::{DataOption, open, show};
use crate::ledger::{CanaryBounds, Candidate, CandidateWay, ProofState, Scope, StoredTrial};
use crate::model::ids::{PartnerName, PluginName};
use crate::run::Reviewed;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CanaryOptions {
    #[command(flatten)]
    one: OneOptions,
    /// The share of runs, in per cent.
    #[arg(long, value_name = "PER CENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    share: u32,
    /// Failed runs that it may have; one more takes it back.
    #[arg(long, default_value_t = 0)]
    failures_max: u32,
    /// Held runs that it may have.
    #[arg(long, default_value_t = 0)]
    held_max: u32,
    /// Longest time for the rows of one run, in milliseconds.
    #[arg(long)]
    took_ms_max: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct EndOptions {
    #[command(flatten)]
    data: DataOption,
    /// The plugin.
    plugin: PluginName,
    /// Whose.
    #[arg(long)]
    partner: PartnerName,
    /// The release that is meant, by the beginning of its digest or as PLUGIN@VERSION: if another stands there by now, it stays.
    #[arg(long)]
    release: Option<String>,
    /// The reason, for the audit trail.
    #[arg(long)]
    why: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TrialsOptions {
    #[command(flatten)]
    one: OneOptions,
    /// Wait for the trials that are under way, and do them where no other process works.
    #[arg(long)]
    wait: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExplainOptions {
    #[command(flatten)]
    one: OneOptions,
    /// The kind of difference, as `bailiwick plugin trials` names it.
    #[arg(long)]
    difference: String,
    /// What names the trials that you have seen, as `bailiwick plugin trials` shows it: if another came to something else since, nothing is
    /// explained.
    #[arg(long, value_name = "CODE")]
    trials: Option<String>,
    /// The explanation, for the audit trail.
    #[arg(long)]
    why: String,
}

pub(in crate::cli::plugin) async fn parallel(options: OneOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let release = hub.find_release(options.partner.as_ref(), &options.release).await?;
    hub.begin_candidate(&release.release.key, CandidateWay::Parallel, &open::person(&hub)).await?;
    say(format!("every run that delivers is done again with {}, which delivers nothing", named(&release)));
    say(format!("see what comes of it with `bailiwick plugin trials {}`", release.release.key.digest.short()));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn canary(options: CanaryOptions) -> Answer {
    let hub = open::existing_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let bounds = CanaryBounds {
        share: options.share * 100,
        failures_max: options.failures_max,
        held_max: options.held_max,
        took_ms_max: options.took_ms_max,
    };
    hub.begin_candidate(&release.release.key, CandidateWay::Canary(bounds), &open::person(&hub)).await?;
    say(format!("{} in a hundred runs are done with {} from now on, and deliver", options.share, named(&release)));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn end(options: EndOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let meant = match &options.release {
        Some(name) => Some(hub.find_release(Some(&options.partner), name).await?.release.key.digest),
        None => None,
    };
    let ended = hub.end_candidate((&options.partner, &options.plugin), (meant, &options.why), &open::person(&hub)).await?;
    let release = hub.find_release(Some(&options.partner), &ended.key.digest.to_string()).await?;
    say(format!("{} stands beside the active one no more; it stood there {}", named(&release), stands(&ended)));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn trials(options: TrialsOptions) -> Answer {
    let data = &options.one.data;
    let hub = if options.wait { open::working_hub(data).await? } else { open::existing_hub(data).await? };
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let key = &release.release.key;
    if options.wait {
        for run in hub.trials_under_way(key).await? {
            open::wait(&hub, run).await?;
        }
    }
    let proof = hub.proof(key).await?;
    let candidates = hub.candidates(Scope::Partner(&key.partner), Some(&key.plugin)).await?;
    let candidates: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.key == *key).collect();
    if options.json {
        return show::json(&json(&proof, &candidates));
    }
    say(paint(Tone::Strong, named(&release)));
    candidates.iter().for_each(|candidate| say(format!("  {}", stands(candidate))));
    let row = |trial: &StoredTrial| {
        let explained = if trial.explained { " (explained)" } else { "" };
        let counts = if trial.proves { "" } else { " (does not count: no delivery of another release)" };
        let outcome = format!("{}{explained}{counts}", trial.trial.outcome);
        vec![trial.origin.to_string(), trial.run.to_string(), outcome, trial.trial.kinds.join(", ")]
    };
    if !proof.trials.is_empty() {
        say(table(&["run", "done again as", "came to", "differences"], &[], proof.trials.iter().map(row)));
    }
    for said in &proof.explanations {
        say(format!("  {}: {} ({}, {})", said.kind, said.why, said.by, moment(said.at_ms)));
    }
    let asked = if proof.asked.is_nothing() { "nothing is asked".to_owned() } else { format!("{} are asked for", proof.asked.clean_runs) };
    say(format!("{} clean runs; {asked}", proof.clean));
    if proof.trials.iter().any(|trial| !trial.trial.kinds.is_empty()) {
        let digest = key.digest.short();
        say(format!(
            "explain a difference of these trials, and no others, with `bailiwick plugin explain {digest} --trials {}`",
            proof.code()
        ));
    }
    if let Some(lacks) = &proof.lacks {
        say(paint(Tone::Attention, format!("it cannot be activated: {lacks}")));
    }
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn explain(options: ExplainOptions) -> Answer {
    let hub = open::existing_hub(&options.one.data).await?;
    let release = hub.find_release(options.one.partner.as_ref(), &options.one.release).await?;
    let of = Reviewed { trials: options.trials.as_deref(), ..Reviewed::from(&release.release.key) };
    let released = hub.explain_difference(of, (&options.difference, &options.why), &open::person(&hub)).await?;
    say(format!("{} of {} is explained, for the trials that there are; {released} held trials go on", options.difference, named(&release)));
    Ok(ExitCode::SUCCESS)
}

/// How a release stands, or stood, beside the active one.
fn stands(candidate: &Candidate) -> String {
    let way = match candidate.way {
        CandidateWay::Parallel => "in parallel".to_owned(),
        CandidateWay::Canary(bounds) => {
            let (closed, held, failed) = candidate.runs;
            format!("a canary for {} in a hundred runs: {closed} closed, {held} held, {failed} failed", bounds.share / 100)
        }
    };
    let ended = candidate.ended.as_ref().map_or_else(String::new, |(at_ms, by, why)| format!(", until {} by {by}: {why}", moment(*at_ms)));
    format!("{way}, since {} by {}{ended}", moment(candidate.begun_at_ms), candidate.begun_by)
}

fn json(proof: &ProofState, candidates: &[&Candidate]) -> serde_json::Value {
    let trial = |trial: &StoredTrial| {
        let told = trial.trial.differences.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        serde_json::json!({
            "run": trial.run.to_string(), "origin": trial.origin.to_string(), "outcome": trial.trial.outcome.as_str(),
            "kinds": trial.trial.kinds, "explained": trial.explained, "at": moment(trial.at_ms), "differences": told,
        })
    };
    serde_json::json!({
        "clean-runs": proof.clean,
        "clean-runs-asked": proof.asked.clean_runs,
        "lacks": proof.lacks,
        "code": proof.code(),
        "trials": proof.trials.iter().map(trial).collect::<Vec<_>>(),
        "beside-the-active-one": candidates.iter().map(|candidate| stands(candidate)).collect::<Vec<_>>(),
        "canary-ended": candidates.iter().find_map(|candidate| Some(candidate.ended.as_ref()?.2.clone())),
    })
}
