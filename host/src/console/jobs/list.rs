//! Every job of a partner.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::access::Action;
use crate::console::look::{Column, Table, Tone, tag, words};
use crate::console::visit::{At, Fault};
use crate::ledger::Run;
use crate::model::ids::JobName;
use crate::run::Hub;
use crate::schedule;

pub(super) async fn page(State(hub): State<Hub>, at: At) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let last: BTreeMap<JobName, Run> = hub.ledger().last_runs(at.scope()).await?.into_iter().map(|run| (run.job().clone(), run)).collect();
    let mut table = Table::new("Jobs", ["Job", "When it runs", "Last run", "Next due"].map(Column::words))
        .caption_read_out()
        .empty("No job is declared. Declare some in a folder of configuration, and apply it.");
    for job in hub.ledger().jobs(at.scope()).await? {
        let schedule = hub.schedule_of(&job).await?;
        let next = hub.next_time(&job).await?;
        table.push([
            html! {
                a class="plain strong" href=(at.href(format_args!("jobs/{}", job.name))) { (job.title) }
                span class="small quiet" { (job.name) " · plugin " (job.plugin) }
            },
            html! { @match &schedule { Some(schedule) => { (in_words(schedule)) } None => { "When somebody asks" } } },
            last_run(&at, last.get(&job.name)),
            html! {
                @if job.paused.is_some() { (tag(Tone::Attention, "Paused")) }
                @else if let Some(next) = next { (words::short_moment(next.as_millisecond())) }
            },
        ]);
    }
    Ok(at.page("Jobs").section("jobs").body(table))
}

fn last_run(at: &At, run: Option<&Run>) -> Markup {
    html! {
        @match run {
            Some(run) => {
                (words::run_tag(run))
                a class="small plain" href=(at.href(format_args!("runs/{}", run.id))) { (words::short_moment(run.started_at_ms.unwrap_or(run.enqueued_at_ms))) }
            }
            None => { span class="quiet" { "Never" } }
        }
    }
}

/// A schedule in words; the expression itself where it cannot be told.
pub(super) fn in_words(schedule: &crate::model::job::Schedule) -> String {
    schedule::describe(schedule).unwrap_or_else(|_| schedule.cron.clone())
}
