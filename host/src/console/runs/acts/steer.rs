//! A run ended, sent on its way again, let go on, or done again. Each needs a reason, which is checked with the rest before it is done.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use super::act_page;
use crate::access::Action;
use crate::console::look::form::reason_field;
use crate::console::look::{Check, Faults, Field, Summary, Weight, button, form, words};
use crate::console::runs::{Titled, titled};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::ledger::Instruction;
use crate::run::Hub;

type Named = Path<(String, String)>;

/// One of the ways to steer a run.
struct Way {
    /// What it takes.
    needs: Action,
    /// The last part of its address.
    path: &'static str,
    title: &'static str,
    check: &'static str,
    ask: &'static str,
    warning: &'static str,
    button: (Weight, &'static str),
    /// What the run's page says afterwards.
    done: &'static str,
}

const CANCEL: Way = Way {
    needs: Action::Run,
    path: "cancel",
    title: "Cancel this run",
    check: "Check before you cancel this run",
    ask: "Why is it to end?",
    warning: "A run that is cancelled does not go on. What it has delivered stays delivered.",
    button: (Weight::Danger, "Cancel this run"),
    done: "cancelled",
};

const RETRY: Way = Way {
    needs: Action::Run,
    path: "retry",
    title: "Retry this run",
    check: "Check before you retry this run",
    ask: "Why is it to be tried again?",
    warning: "It begins at once, and what it delivers goes to its receivers.",
    button: (Weight::First, "Retry this run"),
    done: "retried",
};

const RELEASE: Way = Way {
    needs: Action::Approve,
    path: "release",
    title: "Let this run go on",
    check: "Check before you let this run go on",
    ask: "Why may it go on as it stands?",
    warning: "What it was held for is passed over, on your word. What it wrote is delivered as it is.",
    button: (Weight::First, "Let it go on"),
    done: "released",
};

pub(super) async fn ask_cancel(State(hub): State<Hub>, at: At, Path((_, named)): Named) -> Result<Response, Fault> {
    ask(&hub, &at, &named, &CANCEL).await
}

pub(super) async fn ask_retry(State(hub): State<Hub>, at: At, Path((_, named)): Named) -> Result<Response, Fault> {
    ask(&hub, &at, &named, &RETRY).await
}

pub(super) async fn ask_release(State(hub): State<Hub>, at: At, Path((_, named)): Named) -> Result<Response, Fault> {
    ask(&hub, &at, &named, &RELEASE).await
}

pub(super) async fn cancel(State(hub): State<Hub>, at: At, Path((_, named)): Named, posted: Posted) -> Result<Response, Fault> {
    steer((&hub, &at), &named, &CANCEL, &posted.0).await
}

pub(super) async fn retry(State(hub): State<Hub>, at: At, Path((_, named)): Named, posted: Posted) -> Result<Response, Fault> {
    steer((&hub, &at), &named, &RETRY, &posted.0).await
}

pub(super) async fn release(State(hub): State<Hub>, at: At, Path((_, named)): Named, posted: Posted) -> Result<Response, Fault> {
    steer((&hub, &at), &named, &RELEASE, &posted.0).await
}

async fn ask(hub: &Hub, at: &At, named: &str, way: &Way) -> Result<Response, Fault> {
    at.may(way.needs)?;
    let run = titled(hub, at, named).await?;
    Ok(reason_form((at, &run), way, &Answers::default(), &Faults::new()))
}

fn reason_form((at, run): (&At, &Titled), way: &Way, answers: &Answers, faults: &Faults) -> Response {
    let action = at.href(format_args!("runs/{}/{}", run.id, way.path));
    let from = if answers.text("from").is_empty() { "stopped" } else { answers.text("from") };
    let content = html! {
        @if let Some(reason) = &run.reason { p { (words::run_tag(run)) " " (reason.sentence) } }
        (form(&action, at.csrf(), html! {
            @if way.path == RETRY.path {
                (Field::new("from", "From where?").value(from).radios(&[
                    ("stopped", "From where it stopped", Some("With the job, release and tables that it was pinned to.")),
                    ("afresh", "From the beginning", Some("With the job, release and tables that are in force now.")),
                ]))
            }
            (reason_field(way.ask, answers.text("reason"), faults))
            (button(Weight::First, "Continue"))
        }))
    };
    act_page(at, run, way.title).faults(faults).body(content)
}

async fn steer((hub, at): (&Hub, &At), named: &str, way: &Way, answers: &Answers) -> Result<Response, Fault> {
    at.may(way.needs)?;
    let run = titled(hub, at, named).await?;
    let reason = match answers.reason() {
        Ok(reason) => reason,
        Err(faults) => return Ok(reason_form((at, &run), way, answers, &faults)),
    };
    let afresh = answers.text("from") == "afresh";
    if answers.confirmed() {
        let why = reason.to_owned();
        let instruction = match way.path {
            "cancel" => Instruction::Cancel { why },
            "retry" => Instruction::Retry { afresh, why },
            _ => Instruction::Release { why },
        };
        hub.ledger().instruct(at.scope(), run.id, instruction, &at.by(hub)).await?;
        return Ok(Redirect::to(&at.href(format_args!("runs/{}?done={}", run.id, way.done))).into_response());
    }
    let action = at.href(format_args!("runs/{}/{}", run.id, way.path));
    let from = (way.path == RETRY.path).then_some(if afresh { "From the beginning" } else { "From where it stopped" });
    let check = Check {
        action: &action,
        csrf: at.csrf(),
        answers: Summary::new()
            .row("Run", html! { (run.title) ", " (words::moment(run.enqueued_at_ms)) })
            .row("It is", words::run_tag(&run))
            .maybe("From where", from)
            .row_with("Reason", reason, (&action, "Change", "the reason")),
        warning: Some(way.warning),
        fields: &[("reason", reason), ("from", answers.text("from"))],
        button: way.button,
        back: &at.href(format_args!("runs/{}", run.id)),
    };
    Ok(act_page(at, &run, way.check).body(check))
}

pub(super) async fn ask_replay(State(hub): State<Hub>, at: At, Path((_, named)): Named) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let run = titled(&hub, &at, &named).await?;
    let check = Check {
        action: &at.href(format_args!("runs/{}/replay", run.id)),
        csrf: at.csrf(),
        answers: Summary::new()
            .row("Run", html! { (run.title) ", " (words::moment(run.enqueued_at_ms)) })
            .row(
                "What happens",
                "It is done again from its stored inputs, with the same release, tables, time and seed. Nothing is delivered.",
            )
            .row("What it shows", "That it comes to the same bytes. If one is another, the replay is held with the difference."),
        warning: None,
        fields: &[],
        button: (Weight::First, "Replay this run"),
        back: &at.href(format_args!("runs/{}", run.id)),
    };
    Ok(act_page(&at, &run, "Check before you replay this run").body(check))
}

pub(super) async fn replay(State(hub): State<Hub>, at: At, Path((_, named)): Named, _posted: Posted) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let run = titled(&hub, &at, &named).await?;
    let again = hub.replay(at.scope(), run.id, &at.by(&hub)).await?;
    Ok(Redirect::to(&at.href(format_args!("runs/{again}"))).into_response())
}
