//! A release beside the one in use: how it stands there, what its trials differ in, and what people say of that; and the forms by which a
//! canary is begun and a difference explained.
//!
//! It must not know how runs are chosen or compared.

use maud::{Markup, html};
use serde::Deserialize;

use super::review::Seen;
use crate::access::Action;
use crate::console::look::{Column, Faults, Field, Summary, Table, Tone, Weight, inset, link_button, tag, words};
use crate::console::visit::{Answers, At, Fault};
use crate::ledger::{CanaryBounds, Candidate, CandidateWay, ProofState, ReleaseKey};
use crate::run::{Hub, Review};

/// The field that names a kind of difference.
pub(super) const DIFFERENCE: &str = "difference";

const SHARE: &str = "share";
const FAILURES: &str = "failures-max";
const HELD: &str = "held-max";
const TOOK: &str = "took-ms-max";

/// What an address names beforehand.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Told {
    /// A kind of difference.
    #[serde(default)]
    pub(super) difference: String,
}

/// How a release stands beside the one in use, if it does now.
pub(super) async fn standing(hub: &Hub, at: &At, key: &ReleaseKey) -> Result<Option<Candidate>, Fault> {
    let all = hub.candidates(at.scope(), Some(&key.plugin)).await?;
    Ok(all.into_iter().find(|candidate| candidate.ended.is_none() && candidate.key == *key))
}

/// The answers of a form for a canary that nobody has filled in.
pub(super) fn blank() -> [(String, String); 3] {
    [(SHARE, "10"), (FAILURES, "0"), (HELD, "0")].map(|(name, value)| (name.to_owned(), value.to_owned()))
}

pub(super) fn canary_fields(answers: &Answers, faults: &Faults) -> Markup {
    let field = |name, label, hint| Field::new(name, label).hint(hint).class("short").value(answers.text(name)).faults(faults).text();
    html! {
        (field(SHARE, "Runs in a hundred", "How many of the runs are done with this release. They deliver."))
        fieldset {
            legend class="big" { "What takes it back by itself" }
            (field(FAILURES, "Failed runs that it may have", "One more takes it back. It does not go on from 0."))
            (field(HELD, "Held runs that it may have", "One more takes it back."))
            (field(TOOK, "Longest time for the rows of a run, in milliseconds", "Leave it empty for no bound."))
        }
    }
}

/// What a canary is bound by, as it was written.
pub(super) fn bounds(answers: &Answers) -> Result<CanaryBounds, Faults> {
    let mut faults = Faults::new();
    let mut number = |name: &str, (least, most): (u64, u64)| {
        let number = answers.text(name).replace(',', "").parse::<u64>().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            faults.add(name, format!("Write a number from {least} to {}.", words::count(most)));
        }
        number.unwrap_or(least)
    };
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let bounds = CanaryBounds {
        share: small(number(SHARE, (1, 100)) * 100),
        failures_max: small(number(FAILURES, (0, 1_000))),
        held_max: small(number(HELD, (0, 1_000))),
        took_ms_max: if answers.text(TOOK).is_empty() { None } else { Some(number(TOOK, (1, 86_400_000))) },
    };
    if faults.is_empty() { Ok(bounds) } else { Err(faults) }
}

pub(super) fn difference_field(proof: &ProofState, answers: &Answers, faults: &Faults) -> Markup {
    let kinds: Vec<(String, String)> = kinds(proof).into_iter().map(|(kind, ..)| (kind.clone(), kind)).collect();
    html! {
        @if kinds.is_empty() { (inset(html! { p { "No trial of this release has come to anything else." } })) }
        @else { (Field::new(DIFFERENCE, "Which difference").hint("An output and its column, or rejects, warnings or totals.").value(answers.text(DIFFERENCE)).faults(faults).select(&kinds)) }
    }
}

/// The kind of difference that was chosen.
pub(super) fn difference<'a>(proof: &ProofState, answers: &'a Answers) -> Result<&'a str, Faults> {
    let chosen = answers.text(DIFFERENCE);
    let known = kinds(proof).iter().any(|(kind, ..)| kind == chosen);
    if known { Ok(chosen) } else { Err(Faults::one(DIFFERENCE, "Choose a difference that a trial of this release has.")) }
}

/// What was filled in, for the page on which it is checked.
pub(super) fn told(answers: &Answers, summary: Summary) -> Summary {
    let text = |name: &str| Some(answers.text(name).to_owned()).filter(|text| !text.is_empty());
    summary
        .maybe("Difference", text(DIFFERENCE))
        .maybe("Runs in a hundred", text(SHARE))
        .maybe("Failed runs that it may have", text(FAILURES))
        .maybe("Held runs that it may have", text(HELD))
        .maybe("Longest time of a run, in milliseconds", text(TOOK))
}

/// The same for the form that is posted again.
pub(super) fn filled(answers: &Answers) -> impl Iterator<Item = (&str, &str)> {
    [DIFFERENCE, SHARE, FAILURES, HELD, TOOK].into_iter().map(|name| (name, answers.text(name))).filter(|(_, value)| !value.is_empty())
}

/// Each kind of difference of the trials, in how many of them it is, and how many of those are explained.
fn kinds(proof: &ProofState) -> Vec<(String, u64, u64)> {
    let mut kinds: Vec<(String, u64, u64)> = Vec::new();
    for trial in &proof.trials {
        for kind in &trial.trial.kinds {
            let explained = u64::from(proof.explanations.iter().any(|said| said.kind == *kind && said.at_ms >= trial.at_ms));
            match kinds.iter_mut().find(|(known, ..)| known == kind) {
                Some((_, trials, told)) => (*trials, *told) = (*trials + 1, *told + explained),
                None => kinds.push((kind.clone(), 1, explained)),
            }
        }
    }
    kinds
}

/// The part of a release's page that tells of it.
pub(super) fn section(at: &At, (review, standing): (&Review, Option<&Candidate>), (proof, own): (&ProofState, bool)) -> Markup {
    let release = &review.release;
    let seen = Seen::now(review, proof).query();
    let href = |act: &str| at.href(format_args!("releases/{}/{act}?{seen}", release.release.key.digest));
    let (runs, approves) = (at.caller.can(Action::Run) || at.caller.can(Action::Approve), at.caller.can(Action::Approve));
    let beside = review.active.is_some() && release.retired.is_none();
    if !beside && standing.is_none() && proof.trials.is_empty() {
        return Markup::default();
    }
    html! {
        h2 { "Beside the one in use" }
        @if let Some(candidate) = standing { p { (stands(candidate)) } } @else { p { "It does not run beside the one in use." } }
        p {
            (words::counted(u64::from(proof.clean), "clean run", "clean runs")) ". "
            @if proof.asked.is_nothing() { "This partner asks for none before a release is put in use." }
            @else { "This partner asks for " (words::count(u64::from(proof.asked.clean_runs))) " before a release is put in use." }
        }
        @if let Some(lacks) = &proof.lacks { (inset(html! { p { "It cannot be put in use: " (lacks) "." } })) }
        @if beside && runs {
            div class="buttons" {
                @if standing.is_none() { (link_button(Weight::Second, &href("parallel"), "Run it beside")) }
                @if approves && standing.is_none_or(|candidate| candidate.way == CandidateWay::Parallel) { (link_button(Weight::Second, &href("canary"), "Do a share of the runs with it")) }
                @if standing.is_some() { (link_button(Weight::Second, &href("end"), "End this")) }
            }
        }
        (differences(proof, &|kind| (approves && !own).then(|| format!("{}&difference={}", href("explain"), words::encoded(kind)))))
    }
}

fn stands(candidate: &Candidate) -> Markup {
    html! {
        @match candidate.way {
            CandidateWay::Parallel => { (tag(Tone::Busy, "Beside")) " Every run that delivers is done again with it, which delivers nothing, " }
            CandidateWay::Canary(bounds) => {
                @let (closed, held, failed) = candidate.runs;
                (tag(Tone::Special, "Canary")) " " (bounds.share / 100) " in a hundred runs are done with it: "
                (words::count(closed)) " closed, " (words::count(held)) " held, " (words::count(failed)) " failed, "
            }
        }
        "since " (words::moment(candidate.begun_at_ms)) " by " (candidate.begun_by) "."
    }
}

fn differences(proof: &ProofState, explain: &dyn Fn(&str) -> Option<String>) -> Markup {
    let columns = [Column::words("Difference"), Column::number("Trials"), Column::words("What people say"), Column::words("To do")];
    let mut table = Table::new("What its trials differ in", columns);
    for (kind, trials, explained) in kinds(proof) {
        let said = proof.explanations.iter().filter(|said| said.kind == kind);
        table.push([
            html! { (kind) },
            html! { (words::count(trials)) },
            html! { @for said in said { p { "“" (said.why) "” " (said.by) ", " (words::short_moment(said.at_ms)) } } },
            html! {
                @if explained == trials { (tag(Tone::Good, "Explained")) }
                @else if let Some(href) = explain(&kind) { a href=(href) { "Explain" span class="hidden" { " " (kind) } } }
                @else { (tag(Tone::Attention, "Not explained")) }
            },
        ]);
    }
    html! { @if !proof.trials.is_empty() { (table.empty("Nothing: every trial came to the same.")) } }
}
