//! Rejected rows corrected in a form: the plugin's own judgement beside each value, before anything comes back.
//!
//! The script asks while the form is filled in; without it, a button does. It must not know how rows are judged.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Serialize;
use std::collections::BTreeMap;

use super::{Choice, act_page, of_run};
use crate::access::Action;
use crate::console::look::form::CONFIRMED_FIELD;
use crate::console::look::{Faults, Field, Weight, button, form, hidden, warning, words};
use crate::console::runs::{Titled, run_of, titled};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::model::limits::console::CORRECT_ROWS_MAX;
use crate::run::{Hub, RecordCells, RejectRows, Verdict};

type Named = Path<(String, String)>;

pub(super) async fn ask(
    State(hub): State<Hub>,
    at: At,
    Path((_, named)): Named,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    may(&at)?;
    let run = titled(&hub, &at, &named).await?;
    let choice = Choice::of(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    if choice.numbers.is_empty() || choice.numbers.len() > CORRECT_ROWS_MAX {
        let sentence = format!("Choose 1 to {CORRECT_ROWS_MAX} rows to correct here. More are corrected in a file: download them first.");
        return Err(Fault::conflict(sentence));
    }
    let rows = hub.rows_for_correction(at.scope(), run.id, &choice.numbers, &at.by(&hub)).await?;
    if rows.rows.is_empty() {
        return Err(Fault::conflict("None of these rows waits any more. Look at the list again."));
    }
    let verdicts = hub.judge_rows(at.scope(), run.id, &rows).await?;
    // What was wrong at first is known: it is shown beside each value, not as a fault of whoever corrects it.
    Ok(page(&at, &run, Shown { rows: &rows, verdicts: &verdicts, tried: false }))
}

/// Personal data is on the page, and what comes of it is brought back.
fn may(at: &At) -> Result<(), Fault> {
    at.may(Action::Correct)?;
    at.may(Action::SeePersonal)
}

pub(super) async fn correct(State(hub): State<Hub>, at: At, Path((_, named)): Named, Posted(answers): Posted) -> Result<Response, Fault> {
    may(&at)?;
    let run = titled(&hub, &at, &named).await?;
    let rows = posted(&answers)?;
    let verdicts = hub.judge_rows(at.scope(), run.id, &rows).await?;
    if !answers.confirmed() || verdicts.iter().any(|verdict| !verdict.reasons.is_empty()) {
        return Ok(page(&at, &run, Shown { rows: &rows, verdicts: &verdicts, tried: true }));
    }
    let back = hub.resubmit_rows(at.scope(), run.id, &rows, &at.by(&hub)).await?;
    Ok(Redirect::to(&at.href(format_args!("runs/{back}?done=resubmitted"))).into_response())
}

/// What the script is told.
#[derive(Serialize)]
pub(super) struct Told {
    faults: BTreeMap<String, String>,
    verdict: String,
}

pub(super) async fn check(State(hub): State<Hub>, at: At, Path((_, named)): Named, Posted(answers): Posted) -> Result<Json<Told>, Fault> {
    may(&at)?;
    let run = run_of(&hub, &at, &named).await?;
    let rows = posted(&answers)?;
    let verdicts = hub.judge_rows(at.scope(), run.id, &rows).await?;
    let faults = faults(&rows, &verdicts);
    let faults = faults.iter().map(|(field, sentence)| (field.to_owned(), sentence.to_owned())).collect();
    Ok(Json(Told { faults, verdict: verdict_words(&verdicts) }))
}

#[derive(Clone, Copy)]
struct Shown<'a> {
    rows: &'a RejectRows,
    verdicts: &'a [Verdict],
    /// Whether somebody has changed something, and asked.
    tried: bool,
}

/// The name of a value's field.
fn field(number: u64, place: usize) -> String {
    format!("c{number}-{place}")
}

/// What would be wrong with which value; what concerns a whole row stands at its first.
fn faults(rows: &RejectRows, verdicts: &[Verdict]) -> Faults {
    let mut by_field: BTreeMap<(u64, usize), Vec<String>> = BTreeMap::new();
    for verdict in verdicts {
        let row = rows.rows.iter().find(|row| row.number == verdict.number);
        for (heading, reason) in &verdict.reasons {
            let place = row.and_then(|row| row.cells.iter().position(|(name, _)| Some(name) == heading.as_ref())).unwrap_or(0);
            by_field.entry((verdict.number, place)).or_default().push(reason.message.clone());
        }
    }
    let mut faults = Faults::new();
    by_field.into_iter().for_each(|((number, place), sentences)| faults.add(field(number, place), sentences.join(" ")));
    faults
}

fn verdict_words(verdicts: &[Verdict]) -> String {
    let wrong = verdicts.iter().filter(|verdict| !verdict.reasons.is_empty()).count() as u64;
    match wrong {
        0 => "The plugin would accept every row as it stands now.".to_owned(),
        wrong => format!("The plugin would still reject {}.", words::counted(wrong, "row", "rows")),
    }
}

fn page(at: &At, run: &Titled, shown: Shown<'_>) -> Response {
    let found = faults(shown.rows, shown.verdicts);
    let right = found.is_empty();
    let action = at.href(format_args!("rejects/{}/correct", run.id));
    let ready = right && shown.tried;
    let content = html! {
        p { "Put the values right as they should have stood in the file. Each is judged by the job’s own plugin, as it would be in a run." }
        (form(&action, at.csrf(), html! {
            div data-check=(at.href(format_args!("rejects/{}/check", run.id))) {
                (hidden("port", &shown.rows.port))
                @for row in &shown.rows.rows { (row_fields(row, &found)) }
                p class="strong" role="status" data-verdict { (verdict_words(shown.verdicts)) }
                @if ready {
                    (warning("The rows come back as a run of their own. What it writes is delivered to its receivers at once."))
                }
                div class="buttons" {
                    @if ready { button class="button" name=(CONFIRMED_FIELD) value="yes" { "Bring these rows back" } }
                    (button(if ready { Weight::Second } else { Weight::First }, "Check the rows"))
                    a class="plain" href=(of_run(at, run)) { "Cancel" }
                }
            }
        }))
    };
    let title = if ready { "Check your corrections" } else { "Correct rejected rows" };
    let page = act_page(at, run, title);
    let page = if shown.tried { page.faults(&found) } else { page };
    page.body(content)
}

fn row_fields(row: &RecordCells, faults: &Faults) -> Markup {
    html! {
        fieldset class="card" {
            legend class="big" { "Reject " (row.number) }
            (hidden("number", &row.number.to_string()))
            div class="cells" {
                @for (place, (heading, value)) in row.cells.iter().enumerate() {
                    @let name = field(row.number, place);
                    (hidden(&format!("h{}-{place}", row.number), heading))
                    (Field::new(&name, heading).value(value).faults(faults).complete("off").checked_live().text())
                }
            }
        }
    }
}

/// The rows that a form brings.
fn posted(answers: &Answers) -> Result<RejectRows, Fault> {
    let wrong = || Fault::conflict("The form is not whole. Load the page again, and send it once more.");
    let mut rows = Vec::new();
    for number in answers.all("number") {
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let mut cells = Vec::new();
        while let (Some(heading), Some(value)) =
            (answers.exact(&format!("h{number}-{}", cells.len())), answers.exact(&field(number, cells.len())))
        {
            cells.push((heading.to_owned(), value.to_owned()));
        }
        rows.push(RecordCells { number, cells });
    }
    if rows.is_empty() || rows.len() > CORRECT_ROWS_MAX || rows.iter().any(|row| row.cells.is_empty()) {
        return Err(wrong());
    }
    Ok(RejectRows { port: answers.text("port").to_owned(), rows })
}
