//! Tokens of a partner: who may call, for what and until when; new ones, shown once; revoked at once.
//!
//! It must not know how a token is made or compared.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::look::{Check, Column, Faults, Field, Summary, Table, Tone, Weight, button, form, link_button, tag, warning, words};
use super::visit::{Answers, At, Fault, Posted};
use crate::access::{Action, TokenAsk, make_token};
use crate::ledger::{LedgerError, Token};
use crate::run::Hub;

const DAY_MS: i64 = 86_400_000;

/// Most characters of a token's name.
const NAME_CHARACTERS_MAX: u32 = 60;

/// What tokens may be used for. To approve is for people, of whom it takes two; and whoever keeps people could make themselves one.
const TOKEN_SCOPES: [Action; 8] =
    [Action::Read, Action::SeePersonal, Action::Run, Action::Decide, Action::Correct, Action::Upload, Action::Configure, Action::ReadAudit];

/// How long tokens may be valid, in days; `0` for ever.
const VALID_DAYS: [(&str, &str); 5] =
    [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("730", "2 years"), ("0", "Until it is revoked")];

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/p/{partner}/tokens", get(list))
        .route("/p/{partner}/tokens/new", get(blank).post(make))
        .route("/p/{partner}/tokens/{name}/revoke", get(ask_revoke).post(revoke))
}

#[derive(Debug, Deserialize)]
struct Shown {
    #[serde(default)]
    revoked: Option<String>,
}

async fn list(State(hub): State<Hub>, at: At, Query(shown): Query<Shown>) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    let now_ms = hub.clock().now_ms();
    let mut table = Table::new("Tokens", ["Name", "State", "May be used for", "Made", "Last used", "Expires", "Act"].map(Column::words));
    for token in hub.ledger().tokens(at.scope()).await? {
        table.push(row(&at, &token, now_ms));
    }
    let done = shown.revoked.filter(|name| !name.is_empty()).map(|name| format!("The token {name} is revoked. It is refused from now on."));
    Ok(at
        .page("Tokens")
        .section("tokens")
        .done(done)
        .aside(link_button(Weight::First, &at.href("tokens/new"), "Make a token"))
        .body(html! {
            p class="lede" { "With a token another system calls the hub’s API as this partner. The hub keeps no token, only what it can recognise one by." }
            (table.caption_read_out().empty("There is no token yet."))
        }))
}

fn row(at: &At, token: &Token, now_ms: i64) -> [Markup; 7] {
    let state = if token.revoked_at_ms.is_some() {
        tag(Tone::Quiet, "Revoked")
    } else if token.is_valid(now_ms) {
        tag(Tone::Good, "In use")
    } else {
        tag(Tone::Attention, "Expired")
    };
    let moment = |ms: Option<i64>, none: &str| html! { @if let Some(ms) = ms { (words::short_moment(ms)) } @else { (none) } };
    let href = at.href(format_args!("tokens/{}/revoke", words::encoded(&token.name)));
    [
        html! { (token.name) },
        state,
        html! { (token.scopes.iter().map(|scope| said(scope)).collect::<Vec<_>>().join(", ")) },
        html! { (words::short_moment(token.created_at_ms)) " by " (token.created_by) },
        moment(token.last_used_at_ms, "Never"),
        moment(token.expires_at_ms, "Never"),
        html! { @if token.revoked_at_ms.is_none() { a class="plain" href=(href) { "Revoke" span class="hidden" { " the token " (token.name) } } } },
    ]
}

async fn blank(at: At) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    Ok(form_page(&at, &Answers::default(), &Faults::new()))
}

fn form_page(at: &At, answers: &Answers, faults: &Faults) -> Response {
    let options: Vec<(&str, &str, Option<&str>)> = TOKEN_SCOPES.iter().map(|scope| (scope.name(), about(*scope), None)).collect();
    let days = if answers.text("days").is_empty() { "90" } else { answers.text("days") };
    at.page("Make a token").section("tokens").crumb(at.href("tokens"), "Tokens").faults(faults).body(form(
        &at.href("tokens/new"),
        at.csrf(),
        html! {
            (Field::new("name", "Name").hint("What calls with it, such as payroll-export. Letters, digits, hyphens, points and underscores.")
                .value(answers.text("name")).class("middle").complete("off").limit(NAME_CHARACTERS_MAX).faults(faults).text())
            (Field::new("scope", "What it may be used for").hint("Give it no more than it needs. Approving releases and keeping people are for people alone.")
                .faults(faults).checkboxes(&options, &answers.all("scope")))
            (Field::new("days", "How long it is valid").value(days).faults(faults).select(&VALID_DAYS))
            div class="buttons" { (button(Weight::First, "Continue")) a class="plain" href=(at.href("tokens")) { "Cancel" } }
        },
    ))
}

async fn make(State(hub): State<Hub>, at: At, Posted(answers): Posted) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    let by = at.by(&hub);
    let (asked, faults) = read(&answers, by.now_ms);
    if !faults.is_empty() {
        return Ok(form_page(&at, &answers, &faults));
    }
    if !answers.confirmed() {
        return Ok(check_page(&at, &asked, answers.text("days")));
    }
    let ask = TokenAsk { partner: at.caller.partner(), name: &asked.name, scopes: asked.scopes, expires_at_ms: asked.expires_at_ms };
    match make_token(hub.ledger(), &ask, &by).await {
        Ok(token) => Ok(made_page(&at, &asked.name, token.expose_secret())),
        Err(LedgerError::AlreadyThere { .. }) => {
            let sentence =
                format!("There is, or was, a token {}: choose another name, as what it did stands in the audit trail.", asked.name);
            Ok(form_page(&at, &answers, &Faults::one("name", sentence)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What was filled in.
struct Asked {
    name: String,
    scopes: BTreeSet<Action>,
    expires_at_ms: Option<i64>,
}

fn read(answers: &Answers, now_ms: i64) -> (Asked, Faults) {
    let mut faults = Faults::new();
    let name = answers.text("name").to_owned();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    if name.is_empty() {
        faults.add("name", "Give the token a name.");
    } else if name.len() > NAME_CHARACTERS_MAX as usize || !name.chars().all(plain) {
        faults.add("name", format!("Use at most {NAME_CHARACTERS_MAX} letters, digits, hyphens, points and underscores."));
    }
    let mut scopes = BTreeSet::new();
    for scope in answers.all("scope") {
        match scope.parse::<Action>() {
            Ok(action) if TOKEN_SCOPES.contains(&action) => drop(scopes.insert(action)),
            _ => faults.add("scope", "Choose from the list."),
        }
    }
    if scopes.is_empty() && faults.of("scope").is_none() {
        faults.add("scope", "Choose at least one thing that it may be used for.");
    }
    let days = VALID_DAYS.iter().find(|(days, _)| *days == answers.text("days")).and_then(|(days, _)| days.parse::<i64>().ok());
    if days.is_none() {
        faults.add("days", "Choose how long it is valid.");
    }
    let expires_at_ms = days.filter(|days| *days > 0).map(|days| now_ms + days * DAY_MS);
    (Asked { name, scopes, expires_at_ms }, faults)
}

fn check_page(at: &At, asked: &Asked, days: &str) -> Response {
    let scopes = html! { ul { @for scope in &asked.scopes { li { (about(*scope)) } } } };
    let valid = html! { @if let Some(ms) = asked.expires_at_ms { "Until " (words::moment(ms)) } @else { "Until it is revoked" } };
    let mut fields: Vec<(&str, &str)> = vec![("name", &asked.name), ("days", days)];
    fields.extend(asked.scopes.iter().map(|scope| ("scope", scope.name())));
    let personal = asked.scopes.contains(&Action::SeePersonal);
    at.page("Check before you make the token").section("tokens").crumb(at.href("tokens"), "Tokens").body(Check {
        action: &at.href("tokens/new"),
        csrf: at.csrf(),
        answers: Summary::new().row("Name", &asked.name).row("May be used for", scopes).row("Valid", valid),
        warning: personal.then_some("Whoever has this token sees personal data as it is."),
        fields: &fields,
        button: (Weight::First, "Make the token"),
        back: &at.href("tokens"),
    })
}

/// The one page that ever shows it.
fn made_page(at: &At, name: &str, token: &str) -> Response {
    at.page(format!("Token {name}")).section("tokens").crumb(at.href("tokens"), "Tokens").body(html! {
        (warning("Copy the token now. It is shown this once, and nobody can show it again."))
        p { label for="token" { "The token" } }
        p { input id="token" class="mono" readonly value=(token) autocomplete="off"; }
        p { "A program sends it with every call in the header " code { "Authorization: Bearer …" } ". Whoever has it can do what it allows, so keep it where secrets are kept." }
        p { a href=(at.href("tokens")) { "I have copied it: back to tokens" } }
    })
}

async fn ask_revoke(State(hub): State<Hub>, at: At, Path((_, name)): Path<(String, String)>) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    let known = hub.ledger().tokens(at.scope()).await?.into_iter().find(|token| token.name == name && token.revoked_at_ms.is_none());
    let token = known.ok_or(Fault::NotFound)?;
    let used = html! { @if let Some(ms) = token.last_used_at_ms { (words::moment(ms)) } @else { "Never" } };
    let scopes = token.scopes.iter().map(|scope| said(scope)).collect::<Vec<_>>().join(", ");
    Ok(at.page(format!("Revoke the token {name}")).section("tokens").crumb(at.href("tokens"), "Tokens").body(Check {
        action: &at.href(format_args!("tokens/{}/revoke", words::encoded(&name))),
        csrf: at.csrf(),
        answers: Summary::new().row("Name", &name).row("May be used for", scopes).row("Last used", used),
        warning: Some("What calls with it is refused from then on. It cannot be undone: a new token is needed."),
        fields: &[],
        button: (Weight::Danger, "Revoke the token"),
        back: &at.href("tokens"),
    }))
}

async fn revoke(
    State(hub): State<Hub>,
    at: At,
    Path((_, name)): Path<(String, String)>,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    if !answers.confirmed() {
        return Ok(Redirect::to(&at.href(format_args!("tokens/{}/revoke", words::encoded(&name)))).into_response());
    }
    hub.ledger().revoke_token(at.caller.partner(), &name, &at.by(&hub)).await?;
    Ok(Redirect::to(&at.href(format_args!("tokens?revoked={}", words::encoded(&name)))).into_response())
}

/// What an action is, for who chooses scopes.
pub(super) const fn about(action: Action) -> &'static str {
    match action {
        Action::Read => "Look at jobs, runs, totals, releases and connections",
        Action::SeePersonal => "See personal data as it is",
        Action::Run => "Start, repeat, pause and cancel runs",
        Action::Decide => "Ask rule sets for decisions",
        Action::Correct => "Correct and dismiss rejects, settle deliveries",
        Action::Upload => "Hand in releases of plugins",
        Action::Approve => "Approve, activate and roll back releases, and let held runs go on",
        Action::Configure => "Change connections and configuration",
        Action::ManagePeople => "Keep people, roles and tokens",
        Action::ReadAudit => "Read the audit trail",
    }
}

/// A scope as it is kept, in words; one that this version does not know as it is.
fn said(scope: &str) -> String {
    scope.parse::<Action>().map_or_else(|_| scope.to_owned(), |action| words::spaced(action.name()))
}
