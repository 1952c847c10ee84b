//! Rejects in quarantine: counted by what is wrong, and one page of them, run by run.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use crate::access::Action;
use crate::console::jobs::Titles;
use crate::console::look::{Column, Field, Table, Tone, Weight, button, filter, form, pages, tag, words};
use crate::console::visit::{At, Fault};
use crate::ledger::{FindingId, QuarantineFilter, Waiting, WaitingGroup};
use crate::model::ids::RunId;
use crate::model::personal::Sight;
use crate::run::{Hub, Look, View};

/// Rejects of a page.
const ROWS_SHOWN: u32 = 25;

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    job: String,
    #[serde(default)]
    run: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    done: String,
}

impl Asked {
    fn wanted(&self) -> QuarantineFilter {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        QuarantineFilter {
            partner: None,
            job: self.job.parse().ok(),
            run: self.run.parse().ok(),
            code: given(&self.code),
            owner: if self.owner == "nobody" { Some(String::new()) } else { given(&self.owner) },
            since_ms: None,
        }
    }

    fn href(&self, at: &At, after: &str) -> String {
        let part = words::encoded;
        let (job, run, code, owner) = (part(&self.job), part(&self.run), part(&self.code), part(&self.owner));
        at.href(format_args!("rejects?job={job}&run={run}&code={code}&owner={owner}&after={after}"))
    }
}

pub(super) async fn page(State(hub): State<Hub>, at: At, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let (ledger, scope, now_ms) = (hub.ledger(), at.scope(), hub.clock().now_ms());
    let wanted = asked.wanted();
    let groups = ledger.waiting_groups(scope, &QuarantineFilter::default()).await?;
    let titles = Titles::of(&hub, &at).await?;
    let after: Option<FindingId> = asked.after.parse().ok();
    let found = ledger.waiting(scope, &wanted, after, ROWS_SHOWN).await?;
    let rows = rows(&views(&hub, &at, &found.items).await?, found.items)?;
    let said = match asked.done.as_str() {
        "assigned" => Some("The rejects have somebody to see to them."),
        "unassigned" => Some("Nobody sees to these rejects now."),
        "dismissed" => Some("The rejects are out of quarantine."),
        _ => None,
    };
    let body = html! {
        h2 { "By what is wrong" }
        (groups_table((&at, &titles), &groups, now_ms))
        h2 id="rows" { "Rejected rows" }
        (filter_form((&at, &titles), &asked, &groups))
        @if rows.is_empty() { p class="none" { "No rejected row is like this." } }
        @for rows in rows.chunk_by(|one, other| one.waiting.finding.id.run == other.waiting.finding.id.run) {
            (of_run((&at, &titles), rows, now_ms))
        }
        (pages("rejected rows", after.map(|_| asked.href(&at, "")), found.next.map(|after| asked.href(&at, &after.to_string()))))
    };
    Ok(at.page("Rejects").section("rejects").done(said).body(body))
}

/// The rows of each run of the page as they are shown in a list: personal values masked for everybody.
async fn views(hub: &Hub, at: &At, waiting: &[Waiting]) -> Result<BTreeMap<RunId, View>, Fault> {
    let by = at.by(hub);
    let mut views = BTreeMap::new();
    for item in waiting {
        let run = item.finding.id.run;
        if let Entry::Vacant(new) = views.entry(run) {
            new.insert(hub.view(run, Look { scope: at.scope(), sight: Sight::Masked, by: &by }).await?);
        }
    }
    Ok(views)
}

/// A reject with its values as they are shown.
struct Row {
    waiting: Waiting,
    values: Option<Value>,
}

fn rows(views: &BTreeMap<RunId, View>, waiting: Vec<Waiting>) -> Result<Vec<Row>, Fault> {
    let row =
        |waiting: Waiting| -> Result<Row, Fault> { Ok(Row { values: views[&waiting.finding.id.run].row(&waiting.finding)?, waiting }) };
    waiting.into_iter().map(row).collect()
}

fn groups_table((at, titles): (&At, &Titles), groups: &[WaitingGroup], now_ms: i64) -> Table {
    let columns =
        [Column::words("Reason"), Column::words("Job"), Column::number("Rows"), Column::number("Unassigned"), Column::words("Oldest")];
    let mut table = Table::new("Rejects by reason", columns).caption_read_out().empty("No row is in quarantine.");
    for group in groups {
        let href = at.href(format_args!("rejects?job={}&code={}", group.job, words::encoded(&group.code)));
        table.push([
            html! { a class="plain" href=(href) { (words::spaced(&group.code)) } },
            html! { (titles.of_job(&group.job)) },
            html! { (words::count(group.rows)) },
            html! { (words::count(group.unowned)) },
            html! {
                (words::away(group.since_ms, now_ms))
                @if now_ms > group.due_ms { " " (tag(Tone::Bad, "Overdue")) }
            },
        ]);
    }
    table
}

fn filter_form((at, titles): (&At, &Titles), asked: &Asked, groups: &[WaitingGroup]) -> Markup {
    let options = |any: &str, given: &mut dyn Iterator<Item = (String, String)>| {
        let mut list: Vec<(String, String)> = given.collect();
        list.sort_by(|one, other| one.1.cmp(&other.1));
        list.dedup();
        list.insert(0, (String::new(), any.to_owned()));
        list
    };
    let jobs = options("All jobs", &mut groups.iter().map(|group| (group.job.to_string(), titles.of_job(&group.job).to_owned())));
    let codes = options("All reasons", &mut groups.iter().map(|group| (group.code.clone(), words::spaced(&group.code))));
    filter(
        &at.href("rejects"),
        "Filter rejected rows",
        html! {
            @if !asked.run.is_empty() { (crate::console::look::hidden("run", &asked.run)) }
            (Field::new("job", "Job").value(&asked.job).select(&jobs))
            (Field::new("code", "Reason").value(&asked.code).select(&codes))
            (Field::new("owner", "Seen to by").value(&asked.owner).text())
        },
    )
}

/// The rejects of one run, to be chosen from.
fn of_run((at, titles): (&At, &Titles), rows: &[Row], now_ms: i64) -> Markup {
    let Some(first) = rows.first().map(|row| &row.waiting) else { return html! {} };
    let run = first.finding.id.run;
    let (can_correct, href) = (at.caller.can(Action::Correct), |act: &str| at.href(format_args!("rejects/{run}/{act}")));
    let columns = ["Line", "What is wrong", "Row", "How it stands"].map(Column::words);
    let columns: Vec<Column> = can_correct.then(|| Column::words("Choose")).into_iter().chain(columns).collect();
    let mut table = Table::new(format!("Rejected rows of {}", titles.of_job(&first.job)), columns).caption_read_out();
    for row in rows {
        table.push(cells(row, now_ms, can_correct));
    }
    html! {
        section class="card" {
            h3 { a class="plain" href=(at.href(format_args!("runs/{run}"))) { (titles.of_job(&first.job)) ", run " (crate::console::runs::short(run)) } }
            @if can_correct {
                // Choosing asks for a page: what is done is checked there.
                form method="get" action=(href("correct")) {
                    (table)
                    div class="buttons" {
                        button class="button" { "Correct chosen rows" }
                        button class="button second" formaction=(href("assign")) { "Assign" }
                        button class="button second" formaction=(href("dismiss")) { "Dismiss" }
                        button class="button second" type="button" data-choose="number" hidden { "Choose all on this page" }
                    }
                }
                div class="buttons" {
                    (form(&href("download"), at.csrf(), button(Weight::Second, "Download for correction")))
                    a class="plain" href=(href("upload")) { "Upload a corrected file" }
                }
            } @else {
                (table)
            }
        }
    }
}

fn cells(Row { waiting, values: shown }: &Row, now_ms: i64, can_correct: bool) -> Vec<Markup> {
    let finding = &waiting.finding;
    let (found, number) = (&finding.found, finding.id.number);
    let mut cells = Vec::new();
    if can_correct {
        let free = finding.quarantine.resubmitted_by.is_none();
        cells.push(html! {
            @if free {
                span class="choice" {
                    input type="checkbox" name="number" value=(number) id=(format!("{}-{number}", finding.id.run));
                    label for=(format!("{}-{number}", finding.id.run)) { span class="hidden" { "Choose reject " } (number) }
                }
            } @else { (number) }
        });
    }
    cells.push(html! { (found.port) @if let Some(line) = found.line { span class="small" { "line " (words::count(line)) } } });
    cells.push(html! {
        @for reason in &found.reasons {
            p { @if let Some(column) = &reason.column { span class="strong" { (words::spaced(column)) ": " } } (reason.message) }
        }
    });
    cells.push(values(shown.as_ref()));
    let since = finding.quarantine.since_ms.unwrap_or(now_ms);
    cells.push(html! {
        @if now_ms > waiting.due_ms { (tag(Tone::Bad, "Overdue")) " " }
        @if finding.quarantine.resubmitted_by.is_some() { (tag(Tone::Busy, "Coming back")) }
        span class="small no-wrap" { (words::capital(&words::away(since, now_ms))) }
        span class="small" { @match &finding.quarantine.owner { Some(owner) => { (owner) " sees to it" } None => { span class="no-wrap" { "Nobody sees to it" } } } }
    });
    cells
}

/// A row's values, with dots for what is personal.
fn values(row: Option<&Value>) -> Markup {
    html! {
        @match row.and_then(Value::as_object) {
            Some(object) => {
                dl class="values" {
                    @for (name, value) in object.iter().filter(|(_, value)| !value.is_null() && value.as_str() != Some("")) {
                        div { dt { (words::spaced(name)) } dd { @match value.as_str() { Some(text) => { (text) } None => { (value) } } } }
                    }
                }
            }
            None => { span class="quiet" { "It could not be read as a row, or is no longer kept." } }
        }
    }
}
