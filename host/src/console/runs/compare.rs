//! A run held against another of its job: totals that are others, and rows that differ.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::{run_of, short};
use crate::access::Action;
use crate::console::jobs::Titles;
use crate::console::look::{Column, Faults, Field, Table, Weight, button, words};
use crate::console::releases::sight_note;
use crate::console::visit::{At, Fault};
use crate::ledger::{Run, RunFilter};
use crate::run::{Differences, Hub, Look, OutputDifference};

/// Earlier runs of the job that are offered.
const OFFERED: u32 = 50;

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    with: String,
    /// `yes` shows personal values as they are.
    #[serde(default)]
    personal: String,
}

pub(super) async fn page(
    State(hub): State<Hub>,
    at: At,
    Path((_, named)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let sight = at.caller.sight(asked.personal == "yes")?;
    let run = run_of(&hub, &at, &named).await?;
    let filter = RunFilter { job: Some(run.job().clone()), ..RunFilter::default() };
    let others = hub.ledger().runs(at.scope(), &filter, OFFERED).await?.items;
    let others: Vec<Run> = others.into_iter().filter(|other| other.id != run.id && other.standing.is_some()).collect();
    let mut faults = Faults::new();
    let mut found = None;
    if !asked.with.is_empty() {
        let other = run_of(&hub, &at, &asked.with).await?;
        match hub.compare_runs((other.id, run.id), Look { scope: at.scope(), sight, by: &at.by(&hub) }).await.map_err(Fault::from) {
            Ok(differences) => found = Some((other, differences)),
            Err(fault) => faults.add("with", fault.sentence().map(ToOwned::to_owned).ok_or(fault)?),
        }
    }
    let home = at.href(format_args!("runs/{}", run.id));
    let body = html! {
        (choose(&at, &run, &others, &asked.with, &faults))
        @if let Some((other, differences)) = &found {
            (told(&at, (other, &run), differences))
            (sight_note(&at, sight, &at.href(format_args!("runs/{}/compare?with={}", run.id, other.id))))
        }
    };
    let titles = Titles::of(&hub, &at).await?;
    let title = titles.of_job(run.job());
    let page = at.page("Compare with another run").caption(format!("{title}, run {}", short(run.id))).section("runs");
    Ok(page.crumb(at.href("runs"), "Runs").crumb(home, format!("Run {}", short(run.id))).faults(&faults).body(body))
}

fn choose(at: &At, run: &Run, others: &[Run], chosen: &str, faults: &Faults) -> Markup {
    let origin = run.trigger().origin().map(|origin| origin.to_string()).unwrap_or_default();
    let chosen = if chosen.is_empty() { origin.as_str() } else { chosen };
    let options: Vec<(String, String)> = others
        .iter()
        .map(|other| {
            let when = words::local(other.enqueued_at_ms).strftime("%-d %b %Y, %H:%M %Z");
            (
                other.id.to_string(),
                format!("{when}: {}, {}", words::state_word(other.state).1, words::counted(other.rows.read, "row", "rows")),
            )
        })
        .collect();
    html! {
        @if options.is_empty() {
            p class="none" { "No other run of this job has processed rows." }
        } @else {
            form method="get" action=(at.href(format_args!("runs/{}/compare", run.id))) {
                (Field::new("with", "Which run of this job?").value(chosen).faults(faults).select(&options))
                (button(Weight::First, "Compare"))
            }
        }
    }
}

fn told(at: &At, (other, run): (&Run, &Run), differences: &Differences) -> Markup {
    let name = |run: &Run| html! { a class="plain" href=(at.href(format_args!("runs/{}", run.id))) { "run " (short(run.id)) } ", " (words::moment(run.enqueued_at_ms)) };
    let nothing = differences.totals.is_empty() && differences.outputs.is_empty() && differences.rejects.0 == differences.rejects.1;
    html! {
        h2 { "What is different" }
        p { "Before: " (name(other)) ". Now: " (name(run)) "." }
        @if nothing { p class="none" { "Nothing: both came to the same bytes and the same totals." } }
        @if !nothing { (totals(differences)) }
        @for output in &differences.outputs { (rows(output)) }
    }
}

fn totals(differences: &Differences) -> Table {
    let columns = [Column::words("Total"), Column::words("Of"), Column::number("Before"), Column::number("Now")];
    let mut table = Table::new("Totals that are others", columns).empty("All totals are the same.");
    for (port, total, was, is) in &differences.totals {
        table.push([html! { (words::spaced(total)) }, html! { (port) }, html! { (words::grouped(was)) }, html! { (words::grouped(is)) }]);
    }
    if differences.rejects.0 != differences.rejects.1 {
        let (was, is) = differences.rejects;
        table.push([html! { "Rejects" }, html! { "all inputs" }, html! { (words::count(was)) }, html! { (words::count(is)) }]);
    }
    table
}

fn rows(output: &OutputDifference) -> Markup {
    let columns = [Column::words("Column"), Column::number("Rows that differ"), Column::number("Went up by in all")];
    let mut by_column = Table::new(format!("Columns of {} that differ", output.output), columns);
    for (name, column) in &output.columns {
        let change = column.change.map(|change| change.to_string());
        by_column.push([
            html! { (words::spaced(name)) },
            html! { (words::count(column.rows)) },
            html! { @if let Some(change) = change { (words::grouped(&change)) } },
        ]);
    }
    let columns = [Column::number("Row"), Column::words("Column"), Column::words("Before"), Column::words("Now")];
    let mut examples = Table::new("The first of them", columns);
    for example in &output.examples {
        let told =
            |value: &Option<String>| html! { @match value { Some(value) => { (value) } None => { span class="quiet" { "nothing" } } } };
        examples.push([
            html! { (words::count(example.row)) },
            html! { @match &example.column { Some(column) => { (words::spaced(column)) } None => { "the whole row" } } },
            told(&example.was),
            told(&example.is),
        ]);
    }
    html! {
        h3 { (output.output) }
        p {
            (words::counted(output.rows.0, "row", "rows")) " before, " (words::count(output.rows.1)) " now. "
            @if output.changed > 0 { (words::counted(output.changed, "row differs", "rows differ")) ". " }
            @if output.only != (0, 0) { (words::count(output.only.0)) " only before, " (words::count(output.only.1)) " only now. " }
            @if let Some(note) = &output.note { "It was not looked into further: " (note) "." }
        }
        @if !output.columns.is_empty() { (by_column) }
        @if !output.examples.is_empty() { (examples) }
    }
}
