//! Some rejects of a run assigned to somebody, or dismissed: each act is checked before it is done.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::{Choice, act_page, of_run};
use crate::access::Action;
use crate::console::look::form::reason_field;
use crate::console::look::{Check, Faults, Field, Summary, Weight, button, form, hidden};
use crate::console::runs::{Titled, titled};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::run::Hub;

/// Longest name of somebody who sees to rejects, in characters.
const OWNER_CHARS_MAX: u32 = 100;

type Named = Path<(String, String)>;
type Fields = Query<Vec<(String, String)>>;

/// What a page about some rejects is about.
async fn chosen(hub: &Hub, at: &At, (named, choice): (&str, Choice)) -> Result<(Titled, Choice), Fault> {
    at.may(Action::Correct)?;
    let run = titled(hub, at, named).await?;
    if choice.is_empty() {
        return Err(Fault::conflict("No row was chosen. Go back and choose at least one."));
    }
    Ok((run, choice))
}

fn of_query(fields: &[(String, String)]) -> Choice {
    Choice::of(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn hidden_fields(choice: &Choice) -> Markup {
    html! { @for (name, value) in choice.fields() { (hidden(&name, &value)) } }
}

pub(super) async fn ask_assign(State(hub): State<Hub>, at: At, Path((_, named)): Named, Query(fields): Fields) -> Result<Response, Fault> {
    let (run, choice) = chosen(&hub, &at, (&named, of_query(&fields))).await?;
    Ok(assign_form((&at, &run, &choice), "", &Faults::new()))
}

fn assign_form((at, run, choice): (&At, &Titled, &Choice), owner: &str, faults: &Faults) -> Response {
    let action = at.href(format_args!("rejects/{}/assign", run.id));
    let hint = "Leave empty if nobody is to see to them any more.";
    let content = html! {
        (Summary::new().row("Rows", choice.words()))
        (form(&action, at.csrf(), html! {
            (hidden_fields(choice))
            (Field::new("owner", "Who sees to them?").hint(hint).value(owner).faults(faults).class("middle").text())
            (button(Weight::First, "Continue"))
        }))
    };
    act_page(at, run, "Assign rejected rows").faults(faults).body(content)
}

pub(super) async fn assign(State(hub): State<Hub>, at: At, Path((_, named)): Named, Posted(answers): Posted) -> Result<Response, Fault> {
    let (run, choice) = chosen(&hub, &at, (&named, Choice::of(answers.iter()))).await?;
    let owner = answers.text("owner");
    if owner.chars().count() > OWNER_CHARS_MAX as usize {
        let fault = format!("The name must have {OWNER_CHARS_MAX} characters or fewer");
        return Ok(assign_form((&at, &run, &choice), owner, &Faults::one("owner", fault)));
    }
    if answers.confirmed() {
        hub.ledger().assign_rejects(at.scope(), (run.id, &choice.chosen()), owner, &at.by(&hub)).await?;
        let done = if owner.is_empty() { "unassigned" } else { "assigned" };
        return Ok(done_with(&at, &run, done));
    }
    let summary = Summary::new().row("Rows", choice.words()).row("Seen to by", if owner.is_empty() { "Nobody" } else { owner });
    let check = Ask { path: "assign", title: "Check who sees to these rows", button: (Weight::First, "Assign"), warning: None };
    Ok(check.page((&at, &run, &choice), summary, ("owner", owner)))
}

pub(super) async fn ask_dismiss(State(hub): State<Hub>, at: At, Path((_, named)): Named, Query(fields): Fields) -> Result<Response, Fault> {
    let (run, choice) = chosen(&hub, &at, (&named, of_query(&fields))).await?;
    Ok(dismiss_form((&at, &run, &choice), &Answers::default(), &Faults::new()))
}

fn dismiss_form((at, run, choice): (&At, &Titled, &Choice), answers: &Answers, faults: &Faults) -> Response {
    let action = at.href(format_args!("rejects/{}/dismiss", run.id));
    let content = html! {
        (Summary::new().row("Rows", choice.words()))
        p { "A row that is dismissed leaves quarantine: nothing more is done about it, and it is not brought back." }
        (form(&action, at.csrf(), html! {
            (hidden_fields(choice))
            (reason_field("Why is nothing more to be done?", answers.text("reason"), faults))
            (button(Weight::First, "Continue"))
        }))
    };
    act_page(at, run, "Dismiss rejected rows").faults(faults).body(content)
}

pub(super) async fn dismiss(State(hub): State<Hub>, at: At, Path((_, named)): Named, Posted(answers): Posted) -> Result<Response, Fault> {
    let (run, choice) = chosen(&hub, &at, (&named, Choice::of(answers.iter()))).await?;
    let reason = match answers.reason() {
        Ok(reason) => reason,
        Err(faults) => return Ok(dismiss_form((&at, &run, &choice), &answers, &faults)),
    };
    if answers.confirmed() {
        hub.ledger().dismiss_rejects(at.scope(), (run.id, &choice.chosen()), reason, &at.by(&hub)).await?;
        return Ok(done_with(&at, &run, "dismissed"));
    }
    let summary = Summary::new().row("Rows", choice.words()).row("Reason", reason);
    let warning = Some("A row that is dismissed cannot be brought back.");
    let check = Ask { path: "dismiss", title: "Check before you dismiss these rows", button: (Weight::Danger, "Dismiss"), warning };
    Ok(check.page((&at, &run, &choice), summary, ("reason", reason)))
}

/// The page on which an act is checked.
struct Ask {
    path: &'static str,
    title: &'static str,
    button: (Weight, &'static str),
    warning: Option<&'static str>,
}

impl Ask {
    fn page(&self, (at, run, choice): (&At, &Titled, &Choice), answers: Summary, said: (&str, &str)) -> Response {
        let own = choice.fields();
        let mut fields: Vec<(&str, &str)> = own.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(said);
        let check = Check {
            action: &at.href(format_args!("rejects/{}/{}", run.id, self.path)),
            csrf: at.csrf(),
            answers,
            warning: self.warning,
            fields: &fields,
            button: self.button,
            back: &of_run(at, run),
        };
        act_page(at, run, self.title).body(check)
    }
}

fn done_with(at: &At, run: &Titled, done: &str) -> Response {
    Redirect::to(&format!("{}&done={done}", of_run(at, run))).into_response()
}
