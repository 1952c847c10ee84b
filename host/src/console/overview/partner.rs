//! One partner today.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::day_began_ms;
use super::needs::needs;
use crate::access::Action;
use crate::console::jobs::Titles;
use crate::console::look::{Column, Figures, Table, Tone, words};
use crate::console::visit::{At, Fault};
use crate::ledger::{RunFilter, RunState, StateCount, StoredJob};
use crate::model::ids::{Digest, JobName};
use crate::model::rows::Amount;
use crate::run::Hub;

/// Runs of today that are listed here; the page of runs has all.
const RUNS_SHOWN: u32 = 12;

/// Times that are named of what is due next.
const DUE_SHOWN: usize = 8;

/// Runs of today whose sums are added up. More than that are not added up in a page.
const RUNS_ADDED: u32 = 500;

pub(super) async fn page(State(hub): State<Hub>, at: At) -> Result<Response, Fault> {
    // Who keeps the hub appoints people at every partner, and sees nothing else of one.
    if !at.caller.can(Action::Read) && at.caller.can(Action::ManagePeople) {
        return Ok(Redirect::to(&at.href("people")).into_response());
    }
    at.may(Action::Read)?;
    let now_ms = hub.clock().now_ms();
    let began_ms = day_began_ms(now_ms);
    let counts = hub.ledger().counts_since(at.scope(), began_ms).await?;
    let jobs = hub.ledger().jobs(at.scope()).await?;
    let titles = Titles::from(jobs.as_slice());
    let (needs, due) = (needs(&hub, &at, &titles).await?, due_next(&hub, &at, &jobs).await?);
    let (today, money) = (today(&hub, (&at, &titles), began_ms).await?, money(&hub, (&at, &titles), began_ms).await?);
    let body = html! {
        p class="lede" { "Today, " (words::day(now_ms)) ", since midnight UK time." }
        (figures(&counts))
        h2 { "Needs somebody" }
        (needs)
        div class="columns" {
            div {
                h2 { "Today’s runs" }
                (today)
                h2 { "Money moved today" }
                (money)
            }
            div {
                h2 { "Next due" }
                (due)
            }
        }
    };
    Ok(at.page("Overview").section("").body(body))
}

fn figures(counts: &[StateCount]) -> Figures {
    let runs = |wanted: &[RunState]| counts.iter().filter(|count| wanted.contains(&count.state)).map(|count| count.runs).sum::<u64>();
    let tone = |number: u64, tone: Tone| if number > 0 { tone } else { Tone::Quiet };
    let under_way = runs(&[RunState::Queued, RunState::Running, RunState::Staged, RunState::Delivering]);
    let (closed, stuck) = (runs(&[RunState::Closed]), runs(&[RunState::Held, RunState::Failed]));
    let rows: u64 = counts.iter().map(|count| count.rows_read).sum();
    let rejected: u64 = counts.iter().map(|count| count.rows_rejected).sum();
    Figures::new()
        .figure(tone(under_way, Tone::Busy), words::count(under_way), "runs under way or queued")
        .figure(tone(closed, Tone::Good), words::count(closed), "runs closed")
        .figure(tone(stuck, Tone::Bad), words::count(stuck), "runs held or failed")
        .figure(Tone::Quiet, words::count(rows), "rows read")
        .figure(tone(rejected, Tone::Attention), words::count(rejected), "rows rejected")
}

async fn today(hub: &Hub, (at, titles): (&At, &Titles), began_ms: i64) -> Result<Markup, Fault> {
    let runs = hub.ledger().runs(at.scope(), &RunFilter::default(), RUNS_SHOWN).await?;
    let columns =
        [Column::words("Job"), Column::words("State"), Column::number("Rows"), Column::number("Rejected"), Column::words("Began")];
    let mut table = Table::new("Today’s runs", columns).caption_read_out().empty("No run yet today.");
    for run in runs.items.iter().filter(|run| run.enqueued_at_ms >= began_ms) {
        table.push([
            html! { a class="plain" href=(at.href(format_args!("runs/{}", run.id))) { (titles.of_job(run.job())) } },
            words::run_tag(run),
            html! { (words::count(run.rows.read)) },
            html! { (words::count(run.rows.rejected)) },
            html! { time { (words::local(run.started_at_ms.unwrap_or(run.enqueued_at_ms)).strftime("%H:%M %Z")) } },
        ]);
    }
    Ok(html! { (table) p { a href=(at.href("runs")) { "All runs" } } })
}

async fn due_next(hub: &Hub, at: &At, jobs: &[StoredJob]) -> Result<Markup, Fault> {
    let mut due = Vec::new();
    for job in jobs {
        // No question to the ledger after the first time: schedules are kept by the digest of their file.
        if let Some(next) = hub.next_time(job).await? {
            due.push((next, job));
        }
    }
    due.sort_by_key(|(next, job)| (*next, job.name.to_string()));
    let mut table = Table::new("Next due", ["Job", "When"].map(Column::words)).caption_read_out().empty("No job runs by itself.");
    for (next, job) in due.into_iter().take(DUE_SHOWN) {
        let ms = next.as_millisecond();
        table.push([
            html! { a class="plain" href=(at.href(format_args!("jobs/{}", job.name))) { (job.title) } },
            html! { (words::short_moment(ms)) span class="small quiet" { (words::away(ms, hub.clock().now_ms())) } },
        ]);
    }
    Ok(html! { (table) p { a href=(at.href("jobs")) { "All jobs" } } })
}

/// Columns of money, each with its sum; none where that is too large.
type Sums = BTreeMap<String, Option<Amount>>;

/// What was delivered today, added up by job, output and column: the hub's own control totals.
async fn money(hub: &Hub, (at, titles): (&At, &Titles), began_ms: i64) -> Result<Markup, Fault> {
    let delivered = hub.ledger().delivered_since(at.caller.partner(), began_ms, RUNS_ADDED).await?;
    let cut = delivered.len() >= RUNS_ADDED as usize;
    let mut money_of: BTreeMap<Option<Digest>, Vec<String>> = BTreeMap::new();
    // By job and output: how many runs, and each column's sum, as far as it can be added up.
    let mut sums: BTreeMap<(JobName, String), (u64, Sums)> = BTreeMap::new();
    for run in delivered {
        let money = match money_of.entry(run.release) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(hub.columns_of(run.release).await?.money),
        };
        for output in &run.processed.totals.outputs {
            let (runs, of_port) = sums.entry((run.job.clone(), output.port.clone())).or_default();
            *runs += 1;
            for (column, sum) in output.sums.iter().filter(|(column, _)| money.contains(column)) {
                let so_far = of_port.entry(column.clone()).or_insert(Some(Amount::ZERO));
                *so_far = so_far.and_then(|so_far| so_far.checked_add(*sum));
            }
        }
    }
    let columns = [Column::words("Job"), Column::words("Output"), Column::number("Runs"), Column::words("Control totals")];
    let mut table = Table::new("Money moved today", columns).caption_read_out().empty("No money was moved yet today.");
    for ((job, port), (runs, of_port)) in sums.iter().filter(|(_, (_, of_port))| !of_port.is_empty()) {
        table.push([
            html! { a class="plain" href=(at.href(format_args!("jobs/{job}"))) { (titles.of_job(job)) } },
            html! { (port) },
            html! { (words::count(*runs)) },
            html! {
                dl class="sums" {
                    @for (column, sum) in of_port {
                        div { dt { (words::spaced(column)) } dd { @match sum { Some(sum) => { (words::pounds(*sum)) } None => { "too large to add up" } } } }
                    }
                }
            },
        ]);
    }
    Ok(html! {
        (table)
        @if cut { p class="quiet" { "Of the last " (RUNS_ADDED) " runs that delivered today." } }
    })
}
