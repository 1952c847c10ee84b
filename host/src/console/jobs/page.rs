//! One job.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::history::history;
use super::job_of;
use super::list::in_words;
use crate::access::Action;
use crate::console::look::{Column, Summary, Table, Tone, Weight, inset, link_button, tag, words};
use crate::console::visit::{At, Fault};
use crate::ledger::{RunFilter, StoredJob};
use crate::model::job::{CatchUp, Job, Schedule, Take};
use crate::run::Hub;
use crate::schedule::{self, Calendar, ClockFact, Slot};

/// Times to come that are shown.
const NEXT_SHOWN: usize = 10;

/// Runs of the history.
const RUNS_SHOWN: u32 = 30;

#[derive(Deserialize, Default)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

pub(super) async fn page(
    State(hub): State<Hub>,
    at: At,
    Path((_, named)): Path<(String, String)>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let job = job_of(&hub, &at, &named).await?;
    let declared = hub.declared(&job).await?;
    let filter = RunFilter { job: Some(job.name.clone()), ..RunFilter::default() };
    let runs = hub.ledger().runs(at.scope(), &filter, RUNS_SHOWN).await?.items;
    let now_ms = hub.clock().now_ms();
    let said = match done.as_str() {
        "paused" => Some("The schedule stands still. Runs that are in the queue go on, and so does what is asked for."),
        "resumed" => Some("The schedule goes on."),
        _ => None,
    };
    let body = html! {
        (acts(&at, &job))
        @if let Some(paused) = &job.paused {
            (inset(html! {
                p { span class="strong" { "Paused" } " by " (words::actor(&paused.by)) " on " (words::moment(paused.at_ms)) "." }
                p { (paused.why) }
            }))
        }
        div class="columns" {
            div {
                h2 { "Runs" }
                (history(&at, &runs))
                p { a href=(at.href(format_args!("runs?job={}", job.name))) { "All runs of this job" } }
                h2 { "Next times" }
                (next_times(&job, declared.schedule.as_ref(), now_ms))
            }
            div {
                h2 { "About this job" }
                (about(&at, &job, &declared))
            }
        }
    };
    let state = if job.paused.is_some() {
        tag(Tone::Attention, "Paused")
    } else {
        html! {}
    };
    let page = at.page(&*job.title).caption("Job").section("jobs").crumb(at.href("jobs"), "Jobs");
    Ok(page.aside(state).done(said).body(body))
}

fn acts(at: &At, job: &StoredJob) -> Markup {
    let href = |act: &str| at.href(format_args!("jobs/{}/{act}", job.name));
    html! {
        @if at.caller.can(Action::Run) {
            div class="buttons" {
                (link_button(Weight::First, &href("run"), "Run now"))
                (link_button(Weight::Second, &href("run?dry-run=yes"), "Dry run"))
                @if job.schedule.is_some() {
                    (link_button(Weight::Second, &href("backfill"), "Backfill"))
                    @if job.paused.is_some() { (link_button(Weight::Second, &href("resume"), "Resume schedule")) }
                    @else { (link_button(Weight::Second, &href("pause"), "Pause schedule")) }
                }
            }
        }
    }
}

fn about(at: &At, job: &StoredJob, declared: &Job) -> Summary {
    let when = declared.schedule.as_ref().map_or_else(|| "When somebody asks".to_owned(), in_words);
    let inputs = html! {
        @for input in &declared.inputs {
            p { span class="strong" { (input.port) } ": " (input.file) " from " (input.connection) @if input.take == Take::Latest { ", the latest" } }
        }
    };
    let outputs = html! {
        @for output in &declared.outputs { p { span class="strong" { (output.port) } ": " (output.file) " to " (output.connection) } }
    };
    Summary::new()
        .row("Name", html! { code { (job.name) } })
        .row("Plugin", html! { a class="plain" href=(at.href("plugins")) { (job.plugin) } })
        .row("When it runs", when)
        .maybe("If the hub was stopped", declared.schedule.as_ref().map(|schedule| catch_up(schedule.catch_up)))
        .row("Reads", inputs)
        .row("Delivers", outputs)
        .row("Held if", format!("more than {} are rejected", words::counted(declared.reject_rows_max, "row", "rows")))
        .row("Rejects overdue", format!("after {}", words::counted(u64::from(declared.rejects_overdue_days), "day", "days")))
        .row("Attempts", words::count(u64::from(declared.attempts_max)))
}

fn catch_up(rule: CatchUp) -> String {
    match rule {
        CatchUp::Skip => "Times that were missed are skipped".to_owned(),
        CatchUp::Once => "The last time that was missed runs".to_owned(),
        CatchUp::All { slots_max } => format!("All times that were missed run, {slots_max} at most"),
    }
}

fn next_times(job: &StoredJob, schedule: Option<&Schedule>, now_ms: i64) -> Markup {
    let Some(schedule) = schedule else { return html! { p class="none" { "This job runs when somebody asks for it." } } };
    let now = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let slots = match schedule::next(schedule, Calendar::england_and_wales(), now, NEXT_SHOWN) {
        Ok(slots) => slots,
        Err(error) => return html! { p class="none" { (error) } },
    };
    let caption = format!("The next {} times", slots.len());
    let mut table = Table::new(caption, ["When", "Note"].map(Column::words)).empty("It does not come round again.");
    for slot in &slots {
        table.push([
            html! { (words::local(slot.instant.as_millisecond()).strftime("%a ")) (words::short_moment(slot.instant.as_millisecond())) },
            note(slot),
        ]);
    }
    html! {
        @if job.paused.is_some() { p { "While it is paused, it runs at none of them." } }
        (table)
    }
}

/// What is out of the ordinary about a time.
pub(super) fn note(slot: &Slot) -> Markup {
    let clock = match slot.clock {
        ClockFact::Steady => None,
        ClockFact::PassedOver => Some("Clocks go forward over this time: it runs at the first moment after"),
        ClockFact::FirstOfTwo => Some("Clocks go back: this time comes twice, and this is the first"),
        ClockFact::SecondOfTwo => Some("Clocks go back: this time comes twice, and this is the second"),
    };
    html! {
        @if let Some(moved) = slot.moved_to {
            span class="small" { "Moved from " (slot.wall.date().strftime("%a %-d %b")) " to a working day, " (moved.strftime("%a %-d %b")) }
        }
        @if let Some(clock) = clock { span class="small" { (tag(Tone::Attention, "Clock change")) " " (clock) } }
    }
}
