//! What a person may have a job do: run, run without delivering, stand still, go on. Each is checked before it is done.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::job_of;
use crate::access::Action;
use crate::console::look::form::reason_field;
use crate::console::look::{Check, Faults, Page, Summary, Weight, button, form};
use crate::console::visit::{At, Fault, Posted};
use crate::ledger::StoredJob;
use crate::model::ids::RunId;
use crate::run::{Hub, Request};

type Named = Path<(String, String)>;

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default, rename = "dry-run")]
    dry_run: String,
}

/// A page about doing something with a job.
pub(super) fn act_page(at: &At, job: &StoredJob, title: &str) -> Page {
    let home = at.href(format_args!("jobs/{}", job.name));
    at.page(title).caption(&*job.title).section("jobs").crumb(at.href("jobs"), "Jobs").crumb(home, &*job.title)
}

pub(super) async fn ask_run(
    State(hub): State<Hub>,
    at: At,
    Path((_, named)): Named,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let job = job_of(&hub, &at, &named).await?;
    let dry_run = asked.dry_run == "yes";
    let (title, does) = if dry_run {
        (
            "Check before you start a dry run",
            "Everything but delivery: files are read and stay where they are, rows are processed, nothing is sent",
        )
    } else {
        ("Check before you run this job", "The next files are taken, their rows processed, and what comes of it is delivered")
    };
    let answers = Summary::new().row("Job", &*job.title).row("Plugin", job.plugin.to_string()).row("What happens", does);
    // Sent twice, it is one run all the same.
    let key = RunId::at(u64::try_from(hub.clock().now_ms()).unwrap_or(0)).to_string();
    let back = at.href(format_args!("jobs/{}", job.name));
    let check = Check {
        action: &at.href(format_args!("jobs/{}/run", job.name)),
        csrf: at.csrf(),
        answers,
        warning: (!dry_run).then_some("What is delivered goes to its receivers at once."),
        fields: &[("key", &key), ("dry-run", if dry_run { "yes" } else { "no" })],
        button: (Weight::First, if dry_run { "Start the dry run" } else { "Run now" }),
        back: &back,
    };
    Ok(act_page(&at, &job, title).body(check))
}

pub(super) async fn run(State(hub): State<Hub>, at: At, Path((_, named)): Named, Posted(answers): Posted) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let job = job_of(&hub, &at, &named).await?;
    let key = answers.text("key");
    let key = key.parse::<RunId>().is_ok().then(|| format!("console-{key}"));
    let dry_run = answers.text("dry-run") == "yes";
    let request = Request { partner: job.partner.clone(), job: job.name.clone(), dry_run, key };
    let queued = hub.request(&request, &at.by(&hub)).await?;
    Ok(Redirect::to(&at.href(format_args!("runs/{}", queued.run))).into_response())
}

pub(super) async fn ask_pause(State(hub): State<Hub>, at: At, Path((_, named)): Named) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let job = job_of(&hub, &at, &named).await?;
    Ok(pause_form(&at, &job, "", &Faults::new()))
}

fn pause_form(at: &At, job: &StoredJob, reason: &str, faults: &Faults) -> Response {
    let action = at.href(format_args!("jobs/{}/pause", job.name));
    let content = html! {
        p { "Runs that are in the queue go on, and the job can still be run by hand. Its times pass without a run until it is resumed." }
        (form(&action, at.csrf(), html! {
            (reason_field("Why is the schedule to stand still?", reason, faults))
            (button(Weight::First, "Continue"))
        }))
    };
    act_page(at, job, "Pause the schedule").faults(faults).body(content)
}

pub(super) async fn pause(State(hub): State<Hub>, at: At, Path((_, named)): Named, Posted(answers): Posted) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let job = job_of(&hub, &at, &named).await?;
    let reason = match answers.reason() {
        Ok(reason) => reason,
        Err(faults) => return Ok(pause_form(&at, &job, answers.text("reason"), &faults)),
    };
    if answers.confirmed() {
        hub.ledger().pause((&job.partner, &job.name), reason, &at.by(&hub)).await?;
        return Ok(Redirect::to(&at.href(format_args!("jobs/{}?done=paused", job.name))).into_response());
    }
    let back = at.href(format_args!("jobs/{}", job.name));
    let action = at.href(format_args!("jobs/{}/pause", job.name));
    let check = Check {
        action: &action,
        csrf: at.csrf(),
        answers: Summary::new().row("Job", &*job.title).row_with("Reason", reason, (&action, "Change", "the reason")),
        warning: None,
        fields: &[("reason", reason)],
        button: (Weight::First, "Pause the schedule"),
        back: &back,
    };
    Ok(act_page(&at, &job, "Check before you pause the schedule").body(check))
}

pub(super) async fn ask_resume(State(hub): State<Hub>, at: At, Path((_, named)): Named) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let job = job_of(&hub, &at, &named).await?;
    let back = at.href(format_args!("jobs/{}", job.name));
    let why = job.paused.as_ref().map(|paused| paused.why.clone());
    let check = Check {
        action: &at.href(format_args!("jobs/{}/resume", job.name)),
        csrf: at.csrf(),
        answers: Summary::new().row("Job", &*job.title).maybe("Paused because", why),
        warning: Some("Times that passed meanwhile are caught up as the job’s schedule says, beginning at once."),
        fields: &[],
        button: (Weight::First, "Resume the schedule"),
        back: &back,
    };
    Ok(act_page(&at, &job, "Check before you resume the schedule").body(check))
}

pub(super) async fn resume(State(hub): State<Hub>, at: At, Path((_, named)): Named, _posted: Posted) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let job = job_of(&hub, &at, &named).await?;
    hub.ledger().resume((&job.partner, &job.name), &at.by(&hub)).await?;
    Ok(Redirect::to(&at.href(format_args!("jobs/{}?done=resumed", job.name))).into_response())
}
