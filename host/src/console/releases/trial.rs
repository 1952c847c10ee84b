//! Where a trial came to something else than the run that delivered: sums, columns, and the first rows.
//!
//! Personal values are dots, unless somebody who may see them asks. It must not know how files are compared.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::review::short;
use crate::access::Action;
use crate::console::look::{Column, Figures, Table, Tone, inset, words};
use crate::console::visit::{At, Fault};
use crate::model::personal::Sight;
use crate::run::{Differences, Hub, Look, OutputDifference};

/// How it is looked at.
#[derive(Deserialize, Default)]
pub(super) struct Asked {
    /// `yes` shows personal values as they are.
    #[serde(default)]
    personal: String,
}

pub(super) async fn page(
    State(hub): State<Hub>,
    at: At,
    Path((_, run)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let sight = at.caller.sight(asked.personal == "yes")?;
    let id = run.parse().map_err(|_| Fault::NotFound)?;
    let run = hub.ledger().run(at.scope(), id).await?.ok_or(Fault::NotFound)?;
    if !run.enqueued.dry_run || run.trigger().origin().is_none() {
        return Err(Fault::NotFound);
    }
    let found = hub.differences(id, Look { scope: at.scope(), sight, by: &at.by(&hub) }).await?;
    let page =
        at.page(format!("What a trial of {} came to", run.job())).section("plugins").crumb(at.href("plugins"), "Plugins and releases");
    let page = match run.enqueued.release {
        Some(release) => page.crumb(at.href(format_args!("releases/{release}")), format!("Release {}", release.short())),
        None => page,
    };
    let link = |id: &dyn std::fmt::Display| html! { a class="mono" href=(at.href(format_args!("runs/{id}"))) { (short(id)) } };
    Ok(page.body(html! {
        p class="lede" { "Run " (link(&found.origin)) " delivered. Run " (link(&id)) " did it again with another release, on the same input, and delivered nothing." }
        (figures(&found))
        (totals(&found))
        @for output in &found.outputs { (of_output(output)) }
        @if found.outputs.is_empty() { p { "Every output is the same, byte by byte." } }
        (inset(html! { p { "A difference that is meant is a reason to approve the release, and one that is not is a reason to refuse it." } }))
        (sight_note(&at, sight, &at.href(format_args!("trials/{id}"))))
    }))
}

/// Whether personal values are shown, and the way to the other.
pub(in crate::console) fn sight_note(at: &At, sight: Sight, here: &str) -> Markup {
    let joint = if here.contains('?') { '&' } else { '?' };
    html! {
        @if sight == Sight::Full {
            p { "Personal values are shown as they are, and the audit trail says that you saw them. " a href=(here) { "Hide personal values" } }
        } @else if at.caller.can(Action::SeePersonal) {
            p { "Personal values are shown as dots. " a href=(format!("{here}{joint}personal=yes")) { "Show personal values" } " The audit trail says so." }
        } @else { p { "Personal values are shown as dots." } }
    }
}

fn figures(found: &Differences) -> Markup {
    let changed: u64 = found.outputs.iter().map(|output| output.changed + output.only.0 + output.only.1).sum();
    let tone = |differs: bool| if differs { Tone::Attention } else { Tone::Good };
    let pair = |(was, is): (u64, u64)| if was == is { words::count(is) } else { format!("{} → {}", words::count(was), words::count(is)) };
    let figures = Figures::new()
        .figure(tone(changed > 0), words::count(changed), "Rows that differ")
        .figure(tone(!found.totals.is_empty()), words::count(found.totals.len() as u64), "Sums that differ")
        .figure(tone(found.rejects.0 != found.rejects.1), pair(found.rejects), "Rejects")
        .figure(tone(found.warnings.0 != found.warnings.1), pair(found.warnings), "Warnings");
    html! { (figures) }
}

fn totals(found: &Differences) -> Markup {
    let columns = [Column::words("Where"), Column::words("Sum"), Column::number("Was"), Column::number("Is")];
    let mut table = Table::new("Sums that differ", columns);
    for (port, name, was, is) in &found.totals {
        table.push([html! { (port) }, html! { (words::spaced(name)) }, html! { (words::grouped(was)) }, html! { (words::grouped(is)) }]);
    }
    html! { (table.empty("Every sum is the same.")) }
}

fn of_output(output: &OutputDifference) -> Markup {
    let mut columns =
        Table::new("Columns that differ", [Column::words("Column"), Column::number("Rows"), Column::number("Went up or down by")]);
    for (name, column) in &output.columns {
        let change = column.change.map(|change| words::grouped(&change.to_string()));
        let change = change.map(|change| if change.starts_with('-') { change } else { format!("+{change}") });
        columns.push([
            html! { (name) },
            html! { (words::count(column.rows)) },
            html! { @if let Some(change) = change { (change) } @else { "No number" } },
        ]);
    }
    let mut rows = Table::new(
        "The first rows that differ",
        [Column::number("Row"), Column::words("Column"), Column::words("Was"), Column::words("Is")],
    );
    for example in &output.examples {
        let told = |value: &Option<String>| html! { @if let Some(value) = value { span class="mono" { (value) } } @else { "Nothing" } };
        rows.push([
            html! { (words::count(example.row)) },
            html! { @if let Some(column) = &example.column { (column) } @else { "The whole row" } },
            told(&example.was),
            told(&example.is),
        ]);
    }
    html! {
        section aria-labelledby=(format!("output-{}", output.output)) {
            h2 id=(format!("output-{}", output.output)) { "Output " (output.output) }
            p {
                (words::counted(output.rows.0, "row", "rows")) " before, " (words::count(output.rows.1)) " now. "
                @if output.only == (0, 0) { (words::counted(output.changed, "row differs", "rows differ")) "." }
                @else { (words::count(output.only.0)) " stood there only before, " (words::count(output.only.1)) " only now." }
            }
            @if let Some(note) = &output.note { (inset(html! { p { (note) } })) }
            @if !output.columns.is_empty() { (columns) }
            @if !output.examples.is_empty() { (rows) }
        }
    }
}
