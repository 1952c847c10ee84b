//! A partner's runs, newest first, page by page.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use crate::access::Action;
use crate::console::jobs::Titles;
use crate::console::look::{Column, Field, Table, filter, pages, words};
use crate::console::visit::{At, Fault};
use crate::ledger::{Run, RunFilter, RunState};
use crate::run::Hub;

/// Runs of a page.
const RUNS_SHOWN: u32 = 50;

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    job: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    before: String,
}

pub(super) async fn page(State(hub): State<Hub>, at: At, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    // What names nothing filters nothing, as a form with nothing chosen does.
    let wanted = RunFilter { job: asked.job.parse().ok(), state: asked.state.parse().ok(), before: asked.before.parse().ok() };
    let found = hub.ledger().runs(at.scope(), &wanted, RUNS_SHOWN).await?;
    let jobs = hub.ledger().jobs(at.scope()).await?;
    let titles = Titles::from(jobs.as_slice());
    let any = |words: &str| (String::new(), words.to_owned());
    let jobs: Vec<(String, String)> =
        std::iter::once(any("All jobs")).chain(jobs.into_iter().map(|job| (job.name.to_string(), job.title))).collect();
    let states: Vec<(String, String)> = std::iter::once(any("All states"))
        .chain(RunState::ALL.map(|state| (state.as_str().to_owned(), words::state_word(state).1.to_owned())))
        .collect();
    let here = |before: &str| {
        at.href(format_args!("runs?job={}&state={}&before={before}", words::encoded(&asked.job), words::encoded(&asked.state)))
    };
    let body = html! {
        (filter(&at.href("runs"), "Filter runs", html! {
            (Field::new("job", "Job").value(&asked.job).select(&jobs))
            (Field::new("state", "State").value(&asked.state).select(&states))
        }))
        (table(&at, &titles, &found.items))
        (pages("runs", wanted.before.map(|_| here("")), found.next.map(|before| here(&before.to_string()))))
    };
    Ok(at.page("Runs").section("runs").body(body))
}

fn table(at: &At, titles: &Titles, runs: &[Run]) -> Table {
    let columns = [
        Column::words("Run"),
        Column::words("Job"),
        Column::words("State"),
        Column::number("Read"),
        Column::number("Accepted"),
        Column::number("Rejected"),
        Column::words("Why"),
    ];
    let mut table = Table::new("Runs", columns).caption_read_out().empty("No run is like this.");
    for run in runs {
        table.push([
            html! { a class="plain" href=(at.href(format_args!("runs/{}", run.id))) { (words::short_moment(run.enqueued_at_ms)) } },
            html! { (titles.of_job(run.job())) },
            words::run_tag(run),
            html! { (words::count(run.rows.read)) },
            html! { (words::count(run.rows.accepted)) },
            html! { (words::count(run.rows.rejected)) },
            html! { (super::told::trigger(run)) @if run.enqueued.dry_run { ", dry run" } },
        ]);
    }
    table
}
