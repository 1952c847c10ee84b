//! Try a rule: a form made from a rule set's schema, the decision with its reasons, and a file of it as a case for the plugin's tests.
//!
//! ```text
//! schema     a JSON Schema as fields
//! form       the fields on a page
//! read       what was filled in, as a case
//! decision   what came of it
//! ```
//!
//! Nothing that is tried is kept. It must not know how anything is decided.

mod decision;
mod form;
mod read;
mod schema;

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::look::{Column, Faults, Field, Table, Weight, button, digest, form as posted_form, hidden, inset};
use super::visit::{At, Fault, Posted};
use crate::access::Action;
use crate::model::outcome::Decision;
use crate::registry::cases::decision_json;
use crate::registry::schema::Schema;
use crate::run::{Decided, Hub, Question, RuleSetOffer, RunError};
use decision::Shown;
use form::Form;
use schema::Fields;

/// How long a person waits for a decision.
const PATIENCE: Duration = Duration::from_secs(10);

/// The field that says which job's settings are used.
const SETTINGS: &str = "settings-of";

/// How a schema wants a day written, and how a person may write it here.
const SCHEMA_DAY: &str = "written as 2026-03-31";
const FORM_DAY: &str = "such as 31/3/2026";

/// The field that names a case that is saved.
const NAME: &str = "case-name";

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/p/{partner}/rules", get(list))
        .route("/p/{partner}/rules/{plugin}", get(blank).post(decide))
        .route("/p/{partner}/rules/{plugin}/case", post(case_file))
}

async fn list(State(hub): State<Hub>, at: At) -> Result<Response, Fault> {
    at.may(Action::Decide)?;
    let mut table = Table::new("Rule sets in use", ["Rule set", "What it decides", "Version", "Release"].map(Column::words));
    for offer in hub.rule_sets(at.caller.partner()).await? {
        table.push([
            html! { a href=(at.href(format_args!("rules/{}", offer.plugin))) { (offer.title) } },
            html! { (offer.about) },
            html! { (offer.version) },
            digest(&offer.release),
        ]);
    }
    let lede = html! { p class="lede" { "Fill in a case and see what a rule set decides, why, and by which tables. Nothing is kept." } };
    Ok(at.page("Try a rule").section("rules").body(html! { (lede) (table.empty("No rule set is in use here.")) }))
}

async fn blank(State(hub): State<Hub>, at: At, Path((_, plugin)): Path<(String, String)>) -> Result<Response, Fault> {
    at.may(Action::Decide)?;
    let offer = offered(&hub, &at, &plugin).await?;
    let tried = Tried { at: &at, offer: &offer, case: json!({}), settings: first_job(&offer), faults: Faults::new() };
    Ok(tried.page(None))
}

async fn decide(
    State(hub): State<Hub>,
    at: At,
    Path((_, plugin)): Path<(String, String)>,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    at.may(Action::Decide)?;
    let offer = offered(&hub, &at, &plugin).await?;
    let case = read::case(Fields::of(&offer.shape), &answers);
    let mut tried = Tried { at: &at, offer: &offer, case, settings: answers.text(SETTINGS).to_owned(), faults: Faults::new() };
    if !answers.text(read::ADD).is_empty() || !answers.text(read::REMOVE).is_empty() {
        // What is no list stays as it is.
        let _ = read::rearrange(&mut tried.case, &answers);
        return Ok(tried.page(None));
    }
    tried.faults = tried.misfits();
    if !tried.faults.is_empty() {
        return Ok(tried.page(None));
    }
    match tried.decided(&hub).await {
        Ok(decided) => Ok(tried.page(Some(&decided))),
        Err(RunError::BadCase { violations }) => {
            violations.into_iter().for_each(|sentence| tried.faults.add("", sentence));
            Ok(tried.page(None))
        }
        Err(error) => Err(error.into()),
    }
}

/// The case with its decision, in the form that `bailiwick plugin test` reads.
async fn case_file(
    State(hub): State<Hub>,
    at: At,
    Path((_, plugin)): Path<(String, String)>,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    at.may(Action::Decide)?;
    let offer = offered(&hub, &at, &plugin).await?;
    let unreadable = || Fault::conflict("The case could not be read. Decide it again, then save it.");
    let case: Value = serde_json::from_str(answers.text("case")).map_err(|_| unreadable())?;
    let tried = Tried { at: &at, offer: &offer, case, settings: answers.text(SETTINGS).to_owned(), faults: Faults::new() };
    if !tried.misfits().is_empty() {
        return Err(unreadable());
    }
    let decided = tried.decided(&hub).await?;
    let name = Some(answers.text(NAME)).filter(|name| !name.is_empty()).unwrap_or("tried in the console");
    let today = super::look::words::local(hub.clock().now_ms()).date();
    let settings = tried.chosen_settings();
    let mut file = json!({ "about": name, "today": today.to_string(), "cases": [{
        "name": name, "case": tried.case, "expect": expected(&decided.decision) }] });
    if settings.as_object().is_some_and(|settings| !settings.is_empty()) {
        file["settings"] = settings;
    }
    let text = serde_json::to_string_pretty(&file).expect("texts and lists are always JSON") + "\n";
    let disposition = format!("attachment; filename=\"{}.json\"", file_name(name));
    Ok(([(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, disposition)], text).into_response())
}

/// A case on its way to a decision.
struct Tried<'a> {
    at: &'a At,
    offer: &'a RuleSetOffer,
    case: Value,
    settings: String,
    faults: Faults,
}

impl Tried<'_> {
    fn page(&self, decided: Option<&Decided>) -> Response {
        let title = if decided.is_some() { format!("{}: decision", self.offer.title) } else { self.offer.title.clone() };
        self.at
            .page(title)
            .caption("Try a rule")
            .section("rules")
            .crumb(self.at.href("rules"), "Try a rule")
            .faults(&self.faults)
            .body(html! {
                @if let Some(decided) = decided {
                    (self.shown(decided))
                    (self.saving())
                    h2 { "The case" }
                    p { "Change what you like, and have it decided again." }
                } @else {
                    p class="lede" { (self.offer.about) }
                    (inset(html! { p { "Version " (self.offer.version) ", release " (digest(&self.offer.release)) ". What you fill in is not kept." } }))
                }
                (self.form())
            })
    }

    fn form(&self) -> Markup {
        let action = self.address();
        let form = Form { fields: Fields::of(&self.offer.shape), case: &self.case, faults: &self.faults, action: &action };
        posted_form(
            &action,
            self.at.csrf(),
            html! {
                // Enter in a field presses the first button of a form: this one, not one that adds to a list.
                button class="hidden" tabindex="-1" aria-hidden="true" { "Decide" }
                (form.markup())
                (self.settings_field())
                div class="buttons" { (button(Weight::First, "Decide")) a class="plain" href=(action) { "Start again" } }
            },
        )
    }

    fn settings_field(&self) -> Markup {
        let of_jobs = self.offer.settings.iter().map(|(job, _)| (job.to_string(), format!("Those of the job {job}")));
        let mut options: Vec<(String, String)> = of_jobs.collect();
        options.push((String::new(), "None".to_owned()));
        html! {
            @if options.len() > 1 {
                (Field::new(SETTINGS, "Settings").hint("A job gives its rule set settings; the same case can be decided otherwise by others.").value(&self.settings).select(&options))
            }
        }
    }

    fn shown(&self, decided: &Decided) -> Markup {
        let fields = Fields::of(&self.offer.shape);
        Shown { decision: &decided.decision, release: decided.release, fields, case: &self.case }.markup()
    }

    fn saving(&self) -> Markup {
        let action = format!("{}/case", self.address());
        let hint = "A file for the plugin’s cases folder: the command “bailiwick plugin test” then sees that this case is decided so. It holds what you filled in, names and all.";
        html! {
            h2 { "Save as a case" }
            (posted_form(&action, self.at.csrf(), html! {
                (hidden("case", &self.case.to_string()))
                (hidden(SETTINGS, &self.settings))
                (Field::new(NAME, "What the case shows").hint(hint).limit(100).text())
                (button(Weight::Second, "Download the case"))
            }))
        }
    }

    fn address(&self) -> String {
        self.at.href(format_args!("rules/{}", self.offer.plugin))
    }

    /// Where the case does not fit its schema, each at the field that it concerns.
    fn misfits(&self) -> Faults {
        let mut faults = Faults::new();
        let Ok(compiled) = Schema::compile(&self.offer.shape.case_schema) else {
            return Faults::one("", "The rule set’s schema cannot be used: its author must mend it.");
        };
        let fields = Fields::of(&self.offer.shape);
        for violation in compiled.violations(&without_blanks(&self.case)) {
            match violation.missing {
                Some(name) => {
                    let pointer = format!("{}/{}", violation.pointer, name.replace('~', "~0").replace('/', "~1"));
                    let sentence = format!("Fill in: {}", fields.title(&pointer));
                    faults.add(pointer, sentence);
                }
                None => {
                    let sentence = format!("{}: {}", fields.title(&violation.pointer), violation.message.replace(SCHEMA_DAY, FORM_DAY));
                    faults.add(violation.pointer, sentence);
                }
            }
        }
        faults
    }

    async fn decided(&self, hub: &Hub) -> Result<Decided, RunError> {
        let question = Question {
            partner: self.at.caller.partner().clone(),
            plugin: self.offer.plugin.clone(),
            settings: self.chosen_settings(),
            within: PATIENCE,
        };
        let answers = hub.decide(&question, vec![without_blanks(&self.case)]).await?;
        answers.into_iter().next().expect("each case has an answer")
    }

    fn chosen_settings(&self) -> Value {
        let of_job = self.offer.settings.iter().find(|(job, _)| job.as_str() == self.settings);
        of_job.map_or_else(|| Value::Object(Map::new()), |(_, settings)| settings.clone())
    }
}

async fn offered(hub: &Hub, at: &At, plugin: &str) -> Result<RuleSetOffer, Fault> {
    let offers = hub.rule_sets(at.caller.partner()).await?;
    offers.into_iter().find(|offer| offer.plugin.as_str() == plugin).ok_or(Fault::NotFound)
}

fn first_job(offer: &RuleSetOffer) -> String {
    offer.settings.first().map(|(job, _)| job.to_string()).unwrap_or_default()
}

/// A case without the entries that were added and not filled in.
fn without_blanks(case: &Value) -> Value {
    match case {
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), without_blanks(value))).collect::<Map<_, _>>().into(),
        Value::Array(entries) => entries.iter().filter(|entry| !entry.is_null()).map(without_blanks).collect(),
        value => value.clone(),
    }
}

/// What a case must come to: all of the decision but its words and the tables, which may be put otherwise.
fn expected(decision: &Decision) -> Value {
    let mut expected = decision_json(decision);
    if let Some(whole) = expected.as_object_mut() {
        whole.remove("tables");
    }
    for list in ["reasons", "actions"] {
        for entry in expected[list].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            entry.remove("text");
        }
    }
    expected
}

fn file_name(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(plain).take(60).collect();
    let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "case".to_owned() } else { parts.join("-") }
}
