//! What is done to a release: approved, refused, tried, put in use, rolled back; each is checked on a page of its own first.
//!
//! It must not know who may do what beyond the one action: the ledger refuses what four eyes forbid.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use super::review::found;
use crate::access::Action;
use crate::console::look::{Check, Faults, Field, Summary, Weight, button, form, hidden, inset, words};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::ledger::Release;
use crate::model::grant::Grant;
use crate::run::{Approval, Hub};

/// Runs that a trial does again, unless another number is written.
const TRIED_RUNS: u32 = 3;

/// The field that names the review that a person had before them.
const REVIEW: &str = "review";

/// Most characters of a reason.
const WHY_CHARACTERS_MAX: u32 = 500;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Approve,
    Refuse,
    Activate,
    Try,
}

impl Act {
    fn named(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "approve" => Self::Approve,
            "refuse" => Self::Refuse,
            "activate" => Self::Activate,
            "try" => Self::Try,
            _ => return Err(Fault::NotFound),
        })
    }

    /// Its word in addresses, its heading, its button, and what is told once it is done.
    const fn words(self) -> (&'static str, &'static str, (Weight, &'static str), &'static str) {
        match self {
            Self::Approve => ("approve", "Approve this release", (Weight::First, "Approve"), "approved"),
            Self::Refuse => ("refuse", "Refuse this release", (Weight::Danger, "Refuse"), "refused"),
            Self::Activate => ("activate", "Put this release in use", (Weight::First, "Put in use"), "activated"),
            Self::Try => ("try", "Try this release on what ran", (Weight::First, "Try it"), "tried"),
        }
    }

    const fn asks_why(self) -> bool {
        matches!(self, Self::Approve | Self::Refuse)
    }
}

pub(super) async fn ask(
    State(hub): State<Hub>,
    at: At,
    Path((_, release, act)): Path<(String, String, String)>,
) -> Result<Response, Fault> {
    at.may(Action::Approve)?;
    let (act, release) = (Act::named(&act)?, found(&hub, &at, &release).await?);
    if act.asks_why() || act == Act::Try {
        // An approval holds for what stands here now, and for nothing else.
        let review = hub.review_release(&release.release.key).await?.code;
        let answers = Answers::new(vec![(REVIEW.to_owned(), review)]);
        return Ok(form_page(&at, (act, &release), &answers, &Faults::new()));
    }
    Ok(check_page(&at, (act, &release), &Answers::default()))
}

pub(super) async fn done(
    State(hub): State<Hub>,
    at: At,
    Path((_, release, act)): Path<(String, String, String)>,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    at.may(Action::Approve)?;
    let (act, release) = (Act::named(&act)?, found(&hub, &at, &release).await?);
    let mut faults = Faults::new();
    if act.asks_why() && answers.text("why").is_empty() {
        faults.add("why", "Give a reason: it stands in the audit trail.");
    }
    let runs = if answers.text("runs").is_empty() { Ok(TRIED_RUNS) } else { answers.text("runs").parse::<u32>() };
    let runs = runs.ok().filter(|runs| (1..=crate::run::TRIALS_MAX).contains(runs));
    if runs.is_none() {
        faults.add("runs", format!("Write a number from 1 to {}.", crate::run::TRIALS_MAX));
    }
    if !faults.is_empty() {
        return Ok(form_page(&at, (act, &release), &answers, &faults));
    }
    if !answers.confirmed() {
        return Ok(check_page(&at, (act, &release), &answers));
    }
    let (key, by, why) = (&release.release.key, at.by(&hub), answers.text("why"));
    match act {
        Act::Approve => {
            let approval = Approval { key, review: answers.text(REVIEW), grant: Grant::default(), why };
            hub.approve_release(&approval, &by).await?;
        }
        Act::Refuse => drop(hub.refuse_release(key, why, &by).await?),
        Act::Activate => drop(hub.activate_release(key, &by).await?),
        Act::Try => drop(hub.try_release(key, (None, runs.unwrap_or(TRIED_RUNS)), &by).await?),
    }
    Ok(Redirect::to(&at.href(format_args!("releases/{}?done={}", key.digest, act.words().3))).into_response())
}

fn form_page(at: &At, (act, release): (Act, &Release), answers: &Answers, faults: &Faults) -> Response {
    let (address, heading, ..) = act.words();
    let back = at.href(format_args!("releases/{}", release.release.key.digest));
    let own = act == Act::Approve && release.added_by == *at.caller.actor();
    let number = TRIED_RUNS.to_string();
    let runs = if answers.text("runs").is_empty() { number.as_str() } else { answers.text("runs") };
    page(at, release, heading).faults(faults).body(html! {
        @if own {
            (inset(html! { p { "You handed this release in, so somebody else has to approve it." } }))
            p { a href=(back) { "Back to the release" } }
        } @else {
            (form(&format!("{back}/{address}"), at.csrf(), html! {
                (hidden(REVIEW, answers.text(REVIEW)))
                @if act.asks_why() {
                    (Field::new("why", "Reason").hint("It stands in the audit trail, and whoever looks at the release reads it.").limit(WHY_CHARACTERS_MAX).value(answers.text("why")).faults(faults).area(3))
                } @else {
                    (Field::new("runs", "How many of the last runs of each job").hint("Each is done again with this release. Nothing is delivered.").class("short").value(runs).faults(faults).text())
                }
                div class="buttons" { (button(Weight::First, "Continue")) a class="plain" href=(back) { "Cancel" } }
            }))
        }
    })
}

fn check_page(at: &At, (act, release): (Act, &Release), answers: &Answers) -> Response {
    let (address, heading, told_button, _) = act.words();
    let new = &release.release;
    let back = at.href(format_args!("releases/{}", new.key.digest));
    let why = Some(answers.text("why")).filter(|why| !why.is_empty());
    let runs = Some(answers.text("runs")).filter(|runs| act == Act::Try && !runs.is_empty());
    let summary = Summary::new()
        .row("Plugin", new.key.plugin.to_string())
        .row("Version", &new.version)
        .row("Digest", html! { code { (new.key.digest) } })
        .maybe("Reason", why)
        .maybe("Runs of each job", runs);
    let warning = match act {
        Act::Activate => Some("Every run of this plugin’s jobs uses it from the next one on. Rolling back takes one step."),
        Act::Refuse if release.active_since_ms.is_some() => Some("Runs still use it until another release is put in use."),
        Act::Approve | Act::Refuse | Act::Try => None,
    };
    page(at, release, heading).body(Check {
        action: &format!("{back}/{address}"),
        csrf: at.csrf(),
        answers: summary,
        warning,
        fields: &[("why", answers.text("why")), ("runs", answers.text("runs")), (REVIEW, answers.text(REVIEW))],
        button: told_button,
        back: &back,
    })
}

fn page(at: &At, release: &Release, heading: &str) -> crate::console::look::Page {
    let new = &release.release;
    let words = format!("{} {}", new.key.plugin, new.version);
    at.page(heading)
        .section("plugins")
        .crumb(at.href("plugins"), "Plugins and releases")
        .crumb(at.href(format_args!("releases/{}", new.key.digest)), words)
}

pub(super) async fn ask_roll_back(State(hub): State<Hub>, at: At, Path((_, plugin)): Path<(String, String)>) -> Result<Response, Fault> {
    at.may(Action::Approve)?;
    let plugin = plugin.parse().map_err(|_| Fault::NotFound)?;
    let active = hub.ledger().active_release(at.caller.partner(), &plugin).await?.ok_or(Fault::NotFound)?;
    let in_use = html! { (active.release.version) ", " code { (active.release.key.digest.short()) } };
    let since = active.active_since_ms.map(words::moment);
    Ok(at.page(format!("Roll back {plugin}")).section("plugins").crumb(at.href("plugins"), "Plugins and releases").body(Check {
        action: &at.href(format_args!("plugins/{plugin}/roll-back")),
        csrf: at.csrf(),
        answers: Summary::new().row("Plugin", plugin.to_string()).row("In use now", in_use).maybe("Since", since),
        warning: Some("The release that was in use before is in use again from the next run on."),
        fields: &[],
        button: (Weight::Danger, "Roll back"),
        back: &at.href("plugins"),
    }))
}

pub(super) async fn roll_back(
    State(hub): State<Hub>,
    at: At,
    Path((_, plugin)): Path<(String, String)>,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    at.may(Action::Approve)?;
    let plugin = plugin.parse().map_err(|_| Fault::NotFound)?;
    if !answers.confirmed() {
        return Ok(Redirect::to(&at.href(format_args!("plugins/{plugin}/roll-back"))).into_response());
    }
    let key = match hub.roll_back_release(at.caller.partner(), &plugin, &at.by(&hub)).await {
        Ok(key) => key,
        Err(crate::run::RunError::Ledger(crate::ledger::LedgerError::NotFound { .. })) => {
            return Err(Fault::conflict(format!("No release of {plugin} was in use before the one that is.")));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&at.href(format_args!("releases/{}?done=back", key.digest))).into_response())
}
