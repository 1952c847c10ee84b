//! The times of some days put in the queue: asked for, checked with every time named, done.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use maud::{Markup, html};

use super::act::act_page;
use super::job_of;
use super::page::note;
use crate::access::Action;
use crate::console::look::{Check, Column, Faults, Field, Summary, Table, Weight, button, day_of, form, words};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::ledger::StoredJob;
use crate::run::Hub;
use crate::schedule::Slot;

type Named = Path<(String, String)>;

pub(super) async fn ask(State(hub): State<Hub>, at: At, Path((_, named)): Named) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let job = job_of(&hub, &at, &named).await?;
    Ok(days_form(&at, &job, &Answers::default(), &Faults::new()))
}

fn days_form(at: &At, job: &StoredJob, answers: &Answers, faults: &Faults) -> Response {
    let action = at.href(format_args!("jobs/{}/backfill", job.name));
    let chosen = if answers.text("dry-run") == "yes" { vec!["yes"] } else { Vec::new() };
    let content = html! {
        p { "Every time of these days at which the job would have run by itself gets a run, unless it has had one." }
        (form(&action, at.csrf(), html! {
            (Field::new("from", "First day").value(answers.text("from")).faults(faults).day())
            (Field::new("to", "Last day").value(answers.text("to")).faults(faults).day())
            (Field::new("dry-run", "Delivery").checkboxes(&[("yes", "Dry run: everything but delivery", None)], &chosen))
            (button(Weight::First, "Continue"))
        }))
    };
    act_page(at, job, "Backfill").faults(faults).body(content)
}

pub(super) async fn backfill(State(hub): State<Hub>, at: At, Path((_, named)): Named, Posted(answers): Posted) -> Result<Response, Fault> {
    at.may(Action::Run)?;
    let job = job_of(&hub, &at, &named).await?;
    let days = match days(&answers) {
        Ok(days) => days,
        Err(faults) => return Ok(days_form(&at, &job, &answers, &faults)),
    };
    let slots = match hub.slots_of_days(&job, days).await.map_err(Fault::from) {
        Ok(slots) => slots,
        Err(fault) => match fault.sentence() {
            Some(sentence) => return Ok(days_form(&at, &job, &answers, &Faults::one("from", sentence))),
            None => return Err(fault),
        },
    };
    if slots.is_empty() {
        return Ok(days_form(&at, &job, &answers, &Faults::one("from", "The job has no time in these days that has come")));
    }
    let dry_run = answers.text("dry-run") == "yes";
    if answers.confirmed() {
        hub.backfill(&job, days, dry_run, &at.by(&hub)).await?;
        return Ok(Redirect::to(&at.href(format_args!("runs?job={}", job.name))).into_response());
    }
    Ok(check(&at, &job, (days, dry_run), &slots))
}

fn check(at: &At, job: &StoredJob, (days, dry_run): ((Date, Date), bool), slots: &[Slot]) -> Response {
    let action = at.href(format_args!("jobs/{}/backfill", job.name));
    let day = |date: Date| date.strftime("%-d %B %Y").to_string();
    let (from, to) = (days.0.to_string(), days.1.to_string());
    let back = at.href(format_args!("jobs/{}", job.name));
    let check = Check {
        action: &action,
        csrf: at.csrf(),
        answers: Summary::new()
            .row("Job", &*job.title)
            .row_with("Days", format!("{} to {}", day(days.0), day(days.1)), (&action, "Change", "the days"))
            .row("Runs", words::counted(slots.len() as u64, "run at most", "runs at most"))
            .row("Delivery", if dry_run { "Dry run: nothing is delivered" } else { "Delivered" }),
        warning: (!dry_run).then_some("What is delivered goes to its receivers at once."),
        fields: &[("from", &from), ("to", &to), ("dry-run", if dry_run { "yes" } else { "no" })],
        button: (Weight::First, "Start the backfill"),
        back: &back,
    };
    act_page(at, job, "Check before you backfill").body(html! { (times(slots)) (check) })
}

fn times(slots: &[Slot]) -> Markup {
    let rows = slots.iter().map(|slot| [words::short_moment(slot.instant.as_millisecond()), note(slot)]);
    html! { (Table::new("Times of these days", ["When", "Note"].map(Column::words)).rows(rows)) }
}

fn days(answers: &Answers) -> Result<(Date, Date), Faults> {
    let mut faults = Faults::new();
    let mut day = |field: &str, what: &str| {
        let text = answers.text(field);
        let read = day_of(text);
        match (&read, text.is_empty()) {
            (_, true) => faults.add(field, format!("Enter the {what} day")),
            (None, false) => faults.add(field, format!("The {what} day must be a real day, such as 31/3/2026")),
            (Some(_), false) => {}
        }
        read
    };
    let (from, to) = (day("from", "first"), day("to", "last"));
    match (from, to) {
        (Some(from), Some(to)) if to < from => Err(Faults::one("to", "The last day must be the first day or after it")),
        (Some(from), Some(to)) => Ok((from, to)),
        _ => Err(faults),
    }
}
