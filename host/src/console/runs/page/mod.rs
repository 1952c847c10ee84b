//! One run: where its rows and pounds went, what came of it, what can be done.
//!
//! ```text
//! parts     totals, balances, deliveries, files, limits, what it was pinned to, other runs
//! log       what happened, and what its plugin noted
//! ```

mod log;
mod parts;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::{acts, flow, live, run_of, short, told};
use crate::access::Action;
use crate::console::jobs::Titles;
use crate::console::look::{Summary, bad_inset, details, inset, words};
use crate::console::visit::{At, Fault};
use crate::ledger::{LogLine, LoggedEvent, Processed, Quarantined, Receipt, Run, RunEvent};
use crate::run::{Columns, Hub};

/// Notes of the plugin that are shown.
const NOTES_SHOWN: u32 = 200;

#[derive(Deserialize, Default)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

/// All that a page of a run shows.
struct Seen {
    run: Run,
    processed: Option<Processed>,
    receipts: Vec<Receipt>,
    events: Vec<LoggedEvent>,
    columns: Columns,
    quarantined: Quarantined,
    later: Vec<Run>,
    log: Vec<LogLine>,
    expired_at_ms: Option<i64>,
    uncertain: Vec<String>,
    parts: usize,
}

impl Seen {
    async fn of(hub: &Hub, at: &At, run: Run) -> Result<Self, Fault> {
        let (ledger, scope, id) = (hub.ledger(), at.scope(), run.id);
        let events = ledger.events(scope, id, 0).await?;
        let uncertain = if run.is_uncertain() { ledger.begun_outputs(scope, id).await? } else { Vec::new() };
        Ok(Self {
            processed: ledger.processed(scope, id).await?,
            receipts: ledger.receipts(scope, id).await?,
            columns: hub.columns_of(run.pins.as_ref().and_then(|pins| pins.release)).await?,
            quarantined: ledger.quarantined(scope, id).await?,
            later: ledger.runs_of_origin(scope, id).await?,
            log: notes(ledger.log_lines((scope, id), None, NOTES_SHOWN).await?.items, &events),
            expired_at_ms: ledger.expired_at_ms(scope, id).await?,
            parts: ledger.partitions(scope, id).await?.len(),
            run,
            events,
            uncertain,
        })
    }
}

/// What the plugin noted; of an attempt that failed, its last words.
fn notes(kept: Vec<(u64, LogLine)>, events: &[LoggedEvent]) -> Vec<LogLine> {
    if !kept.is_empty() {
        return kept.into_iter().map(|(_, line)| line).collect();
    }
    let failed = events.iter().rev().find_map(|logged| match &logged.event {
        RunEvent::Failed(failed) => Some(failed.log.clone()),
        _ => None,
    });
    failed.unwrap_or_default()
}

pub(super) async fn page(
    State(hub): State<Hub>,
    at: At,
    Path((_, named)): Path<(String, String)>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let run = run_of(&hub, &at, &named).await?;
    let seen = Seen::of(&hub, &at, run).await?;
    let run = &seen.run;
    let said = match done.as_str() {
        "cancelled" => Some("The run is ended."),
        "retried" => Some("The run is on its way again."),
        "released" => Some("The run goes on as it stands."),
        "settled" => Some("The run goes on with what you said of the delivery."),
        "resent" => Some("The output was sent again. What came of it is below."),
        "not-resent" => Some("The output could not be sent again. Why is told below."),
        "resubmitted" => Some("The corrected rows are a run of their own: this one."),
        _ => None,
    };
    let body = html! {
        (why(&at, &seen))
        @if live::under_way(run) { (live_box(&hub, &at, run)) }
        (acts::offered(&at, run, seen.processed.is_some()))
        (about(&at, &seen))
        (results(&at, &seen))
        h2 id="events" { "What happened" }
        (log::events(&seen.events))
        @if !seen.log.is_empty() { h2 { "What the plugin noted" } (log::notes(&seen.log)) }
    };
    let titles = Titles::of(&hub, &at).await?;
    let title = titles.of_job(run.job());
    let page = at.page(title).caption(format!("Run {}", short(run.id))).section("runs").crumb(at.href("runs"), "Runs");
    let page = page.crumb(at.href(format_args!("jobs/{}", run.job())), title);
    Ok(page.aside(words::run_tag(run)).done(said).body(body))
}

/// Why it stands as it does, where that is not well.
fn why(at: &At, seen: &Seen) -> Markup {
    let run = &seen.run;
    html! {
        @if let Some(reason) = &run.reason {
            (bad_inset(html! {
                p { span class="strong" { (words::spaced(&reason.code)) "." } " " (told::in_short(reason)) }
                @if run.is_uncertain() {
                    p { "Ask the receiver whether it has the file, and say so under “" a class="plain" href="#deliveries" { "Deliveries" } "”. Nothing more is sent before that." }
                } @else if reason.code == told::TRIAL_DIFFERS {
                    p { a class="plain" href=(at.href(format_args!("trials/{}", run.id))) { "See where they differ" } }
                }
            }))
        }
        @if let (true, Some(due_ms)) = (run.overdue, run.enqueued.overdue_at_ms) {
            (bad_inset(html! { p { "It should have been done by " (words::moment(due_ms)) "." } }))
        }
        @if let Some(at_ms) = seen.expired_at_ms {
            (inset(html! { p { "Its files expired on " (words::day(at_ms)) ". Digests and totals are kept." } }))
        }
    }
}

fn live_box(hub: &Hub, at: &At, run: &Run) -> Markup {
    html! {
        section class="live" aria-label="As it happens" data-live=(at.href(format_args!("runs/{}/events", run.id))) {
            p {
                span class="count" data-put="rows" { (words::count(live::rows_so_far(hub, run))) } " rows read so far · "
                span data-put="state" { (words::state_word(run.state).1) }
            }
            p class="quiet" role="status" data-put="step" { @if run.attempt > 1 { "Attempt " (run.attempt) "." } }
            p { a href=(at.href(format_args!("runs/{}", run.id))) { "Refresh" } }
        }
    }
}

fn about(at: &At, seen: &Seen) -> Markup {
    let run = &seen.run;
    let took = match (run.started_at_ms, run.ended_at_ms) {
        (Some(started), Some(ended)) => u64::try_from(ended - started).ok().map(words::duration),
        _ => None,
    };
    let origin = run
        .trigger()
        .origin()
        .map(|origin| html! { a class="plain" href=(at.href(format_args!("runs/{origin}"))) { "Run " (short(origin)) } });
    let why = html! { (told::trigger(run)) @if run.enqueued.dry_run { ", as a dry run: nothing is delivered" } };
    let short = Summary::new()
        .row("Why it ran", why)
        .maybe("Does again", origin)
        .maybe("Began", run.started_at_ms.map(words::exact_moment))
        .maybe("Ended", run.ended_at_ms.map(words::exact_moment))
        .maybe("Took", took)
        .row("For the time of", words::moment(run.enqueued.logical_ms));
    html! {
        div class="columns even" {
            div { (short) }
            div { (parts::pinned(at, seen)) }
        }
    }
}

/// What it came to, once its rows were processed.
fn results(at: &At, seen: &Seen) -> Markup {
    let Some(processed) = &seen.processed else {
        return html! { h2 { "Where the rows went" } p class="none" { "Its rows have not been processed." } };
    };
    html! {
        h2 id="totals" { "Where the rows and the pounds went" }
        (flow::picture(processed, &seen.receipts, &seen.columns.money))
        (parts::totals(processed, &seen.columns.money))
        (parts::balances(processed, seen.run.state))
        @if seen.run.rows.rejected > 0 { (parts::rejects(at, seen)) }
        h2 id="deliveries" { "Deliveries" }
        (parts::deliveries(at, seen, processed))
        h2 id="files" { "Files" }
        (parts::files(at, seen, processed))
        h2 id="limits" { "Limits" }
        (details("How much of each limit was used", parts::limits(processed)))
        @if !seen.later.is_empty() { h2 { "Runs that came of this one" } (parts::later(at, &seen.later)) }
    }
}
