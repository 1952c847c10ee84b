//! People of a partner: who has which role, roles given and taken, people added, let in no longer, signed out.
//!
//! A person is not a partner's: whoever keeps the people of one partner sees and changes what they are there, and shuts out only those
//! who are nowhere else. It must not know how people sign in.

mod act;
mod add;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;

use super::look::{Column, Summary, Table, Tone, Weight, inset, link_button, tag, words};
use super::visit::{At, Fault};
use crate::access::{Action, Role};
use crate::ledger::{Person, Scope};
use crate::run::Hub;

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/p/{partner}/people", get(list))
        .route("/p/{partner}/people/new", get(add::blank).post(add::add))
        .route("/p/{partner}/people/{name}", get(one))
        .route("/p/{partner}/people/{name}/{act}", get(act::ask).post(act::done))
}

/// What was done, for the page that follows.
#[derive(Debug, Default, Deserialize)]
struct Told {
    #[serde(default)]
    done: String,
}

impl Told {
    fn sentence(&self) -> Option<&'static str> {
        Some(match self.done.as_str() {
            "roles" => "The roles are as you said. The person signs in again, and then has them.",
            "gone" => "The person has no role here any more.",
            "signed-out" => "The person is signed out everywhere.",
            "disabled" => "The person may sign in no longer, and is signed out everywhere.",
            "enabled" => "The person may sign in again.",
            _ => return None,
        })
    }
}

async fn list(State(hub): State<Hub>, at: At, Query(told): Query<Told>) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    let mut table = Table::new("People with a role here", ["Name", "Signs in as", "Roles here", "State"].map(Column::words));
    for person in hub.ledger().people(at.scope()).await? {
        table.push([
            html! { a href=(at.href(format_args!("people/{}", words::encoded(person.name.as_str())))) { (person.display_name) } },
            html! { (person.name) },
            roles(&person),
            state(&person),
        ]);
    }
    Ok(at
        .page("People")
        .section("people")
        .done(told.sentence())
        .aside(link_button(Weight::First, &at.href("people/new"), "Add a person"))
        .body(html! {
            p class="lede" { "Who may do what at this partner. A person may have several roles, and roles at several partners." }
            (table.caption_read_out().empty("Nobody has a role here yet."))
            (super::look::details("What each role allows", about_roles()))
        }))
}

async fn one(State(hub): State<Hub>, at: At, Path((_, name)): Path<(String, String)>, Query(told): Query<Told>) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    let person = found(&hub, &at, &name).await?;
    let now_ms = hub.clock().now_ms();
    let href = |act: &str| at.href(format_args!("people/{}/{act}", words::encoded(person.name.as_str())));
    let elsewhere = is_elsewhere(&hub, &at, &person).await?;
    let mut sessions = Table::new("Where they are signed in", ["Since", "Last used", "From", "By", "Ends"].map(Column::words));
    for session in hub.ledger().live_sessions(Some(&person.name), now_ms).await? {
        sessions.push([
            words::short_moment(session.began_at_ms),
            words::short_moment(session.used_at_ms),
            html! { @if session.came_from.is_empty() { "Not known" } @else { (session.came_from) } },
            html! { (words::spaced(&session.way)) },
            words::short_moment(session.ends_at_ms),
        ]);
    }
    let summary = Summary::new()
        .row("Signs in as", person.name.to_string())
        .maybe("Written to at", person.email.clone())
        .row_with("Roles here", roles(&person), (&href("roles"), "Change", "the roles"))
        .row("State", state(&person))
        .row("Added", html! { (words::moment(person.added_at_ms)) " by " (words::actor(&person.added_by)) });
    Ok(at
        .page(person.display_name.clone())
        .caption("Person")
        .section("people")
        .crumb(at.href("people"), "People")
        .done(told.sentence())
        .body(html! {
            (summary)
            (sessions.empty("They are not signed in anywhere."))
            div class="buttons" {
                (link_button(Weight::Second, &href("remove"), "Take all roles here away"))
                @if !elsewhere {
                    (link_button(Weight::Second, &href("sign-out"), "Sign them out everywhere"))
                    @if person.disabled_at_ms.is_some() { (link_button(Weight::Second, &href("enable"), "Let them sign in again")) }
                    @else { (link_button(Weight::Danger, &href("disable"), "Let them sign in no longer")) }
                }
            }
            @if elsewhere {
                (inset(html! { p { "They keep the hub itself, or have a role at another partner. Only whoever keeps the hub signs them out or shuts them out." } }))
            }
        }))
}

/// A person who has a role here.
async fn found(hub: &Hub, at: &At, name: &str) -> Result<Person, Fault> {
    hub.ledger().people(at.scope()).await?.into_iter().find(|person| person.name.as_str() == name).ok_or(Fault::NotFound)
}

/// Whether shutting a person out would concern more than this partner.
async fn is_elsewhere(hub: &Hub, at: &At, person: &Person) -> Result<bool, Fault> {
    let everywhere = hub.ledger().people(Scope::Hub).await?.into_iter().find(|known| known.name == person.name);
    let other = everywhere.is_none_or(|known| known.hub_operator || known.roles.iter().any(|(partner, _)| partner != at.caller.partner()));
    Ok(other)
}

fn roles(person: &Person) -> Markup {
    html! { @for (_, role) in &person.roles { (tag(Tone::Busy, words::spaced(role))) " " } }
}

fn state(person: &Person) -> Markup {
    match person.disabled_at_ms {
        Some(_) => tag(Tone::Bad, "May not sign in"),
        None if person.has_password => tag(Tone::Good, "May sign in"),
        None => tag(Tone::Quiet, "Signs in elsewhere"),
    }
}

/// What a role is for.
const fn about(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Looks. Personal data is masked.",
        Role::Operator => "Runs jobs, puts rejects right, hands in releases, tries rules. Sees personal data.",
        Role::Approver => "Approves releases and lets held runs go on. Sees personal data, and reads the audit trail.",
        Role::Admin => "Keeps people, tokens and connections, and reads the audit trail. Personal data is masked.",
    }
}

fn about_roles() -> Markup {
    let summary = Role::ALL.iter().fold(Summary::new(), |list, role| list.row(words::spaced(role.name()), about(*role)));
    html! { (summary) }
}
