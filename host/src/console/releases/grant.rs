//! What an approver lends of what a release asks for: a box to tick for each thing, a number for each limit.
//!
//! Whoever ticks can only take away: what is not asked for, or lent to nobody, is refused. It must not know what is approved.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::console::look::{Faults, Field, Summary, inset, words};
use crate::console::visit::Answers;
use crate::model::grant::{Grant, Lent};
use crate::model::limits::Limit;
use crate::run::{Ask, Bound, Review, RunError};

/// The field of the boxes.
pub(super) const LENT: &str = "lent";

/// What goes before a limit's name, in the name of its field.
const LIMIT: &str = "limit-";

/// Limits that matter to every release, so that they are not folded away.
const ALWAYS: &[Limit] = &[Limit::MemoryBytes, Limit::CpuMs, Limit::WallMs];

/// The answers of a form that nobody has filled in: all that can be lent is.
pub(super) fn blank(review: &Review) -> impl Iterator<Item = (String, String)> + '_ {
    review.asks.iter().filter(|ask| !ask.kept_back).map(|ask| (LENT.to_owned(), ask.what.to_string()))
}

/// The boxes and the numbers.
pub(super) fn fields(review: &Review, answers: &Answers, faults: &Faults) -> Markup {
    let (open, folded): (Vec<&Bound>, Vec<&Bound>) = review.bounds.iter().partition(|bound| bound.named || ALWAYS.contains(&bound.limit));
    let within = |bounds: &[&Bound]| html! { @for bound in bounds { (number(bound, answers, faults)) } };
    let wrong = folded.iter().any(|bound| faults.of(&name(bound.limit)).is_some());
    html! {
        (boxes(review, answers, faults))
        fieldset {
            legend class="big" { "Limits" }
            p class="hint" { "Leave a limit empty to grant what the release and its jobs ask for. A number can only make it smaller." }
            (within(&open))
            details open[wrong] { summary { "All other limits" } div { (within(&folded)) } }
        }
    }
}

fn boxes(review: &Review, answers: &Answers, faults: &Faults) -> Markup {
    let kept_back: Vec<&Ask> = review.asks.iter().filter(|ask| ask.kept_back).collect();
    let offered: Vec<(String, String, Option<&str>)> = review
        .asks
        .iter()
        .filter(|ask| !ask.kept_back)
        .map(|ask| (ask.what.to_string(), words::capital(&ask.about), ask.needed.then_some("It cannot work without this.")))
        .collect();
    let offered: Vec<(&str, &str, Option<&str>)> =
        offered.iter().map(|(what, about, hint)| (what.as_str(), about.as_str(), *hint)).collect();
    html! {
        @if offered.is_empty() {
            p id=(LENT) { @if kept_back.is_empty() { "It asks for nothing beyond its rows and settings." } @else { "Of what it asks for, nothing is to be had." } }
        } @else {
            (Field::new(LENT, "What may it do?").hint("It asks for all of this. Take a tick away to keep that back.").faults(faults)
                .checkboxes(&offered, &answers.all(LENT)))
        }
        @if !kept_back.is_empty() {
            (inset(html! {
                p { "It asks for this too, which the operator of the hub lends to no plugin:" }
                ul { @for ask in &kept_back { li { (words::capital(&ask.about)) @if ask.needed { ". It cannot work without" } } } }
            }))
        }
    }
}

fn number(bound: &Bound, answers: &Answers, faults: &Faults) -> Markup {
    let (name, limit) = (name(bound.limit), bound.limit.to_string());
    let asked = if bound.named { "It asks for" } else { "As usual" };
    let hint = format!("{asked} {}. At most {}.", words::count(bound.asked), words::count(bound.most));
    Field::new(&name, &limit).hint(&hint).class("middle").value(answers.text(&name)).faults(faults).text()
}

fn name(limit: Limit) -> String {
    format!("{LIMIT}{limit}")
}

/// What was granted, by what was ticked and written; or what is wrong with that.
pub(super) fn read(review: &Review, answers: &Answers) -> Result<Grant, Faults> {
    let mut faults = Faults::new();
    let mut grant = Grant::default();
    let ticked: Result<BTreeSet<Lent>, String> = answers.all(LENT).into_iter().map(str::parse).collect();
    match ticked.and_then(|ticked| review.all_but(&ticked).map_err(|refused| refused.to_string())) {
        Ok(without) => grant.without = without,
        Err(sentence) => faults.add(LENT, words::capital(&sentence)),
    }
    for (field, value) in answers.iter().filter(|(field, value)| field.starts_with(LIMIT) && !value.trim().is_empty()) {
        let limit = field.strip_prefix(LIMIT).unwrap_or_default();
        let bound = review.bounds.iter().find(|bound| bound.limit.name() == limit);
        let most: Option<u64> = value.trim().replace(',', "").parse().ok();
        match (bound, most) {
            (Some(bound), Some(most)) if (1..=bound.most).contains(&most) => drop(grant.limits.insert(bound.limit, most)),
            (Some(bound), _) => faults.add(field, format!("{limit} must be a number from 1 to {}", words::count(bound.most))),
            (None, _) => faults.add(LENT, format!("There is no limit {limit}")),
        }
    }
    if faults.is_empty() { Ok(grant) } else { Err(faults) }
}

/// What the hub says of a grant with which the release cannot work, as a fault of the boxes; any other error as it is.
pub(super) fn refused(error: RunError) -> Result<Faults, RunError> {
    match error {
        RunError::Release(error) => Ok(Faults::one(LENT, words::capital(&error.to_string()))),
        error => Err(error),
    }
}

/// The same for the page on which it is checked.
pub(super) fn told(review: &Review, grant: &Grant, summary: Summary) -> Summary {
    let (kept_back, lent): (Vec<&Ask>, Vec<&Ask>) = review.asks.iter().partition(|ask| grant.without.contains(&ask.what));
    let list = |asks: &[&Ask]| html! { ul { @for ask in asks { li { (words::capital(&ask.about)) } } } };
    let limits = html! { ul { @for (limit, most) in &grant.limits { li { (limit) ": at most " (words::count(*most)) } } } };
    let nothing = || html! { "Nothing" };
    summary
        .row("Lent", if lent.is_empty() { nothing() } else { list(&lent) })
        .row("Kept back", if kept_back.is_empty() { nothing() } else { list(&kept_back) })
        .row(
            "Limits",
            if grant.limits.is_empty() {
                html! { "As it asks for" }
            } else {
                limits
            },
        )
}

/// What was filled in, for the form that is posted again.
pub(super) fn filled(answers: &Answers) -> Vec<(&str, &str)> {
    answers.iter().filter(|(field, value)| *field == LENT || (field.starts_with(LIMIT) && !value.trim().is_empty())).collect()
}
