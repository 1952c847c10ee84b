//! What is done to a person: roles changed or taken away, signed out, let in no longer or again; each is checked on a page of its own.
//!
//! It must not know how people sign in.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use super::add::{chosen_roles, role_choices};
use super::{found, is_elsewhere};
use crate::access::Action;
use crate::console::look::{Check, Faults, Summary, Weight, button, form, words};
use crate::console::visit::{At, Fault, Posted};
use crate::ledger::{NewRole, Person};
use crate::run::Hub;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Roles,
    Remove,
    SignOut,
    Disable,
    Enable,
}

impl Act {
    fn named(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "roles" => Self::Roles,
            "remove" => Self::Remove,
            "sign-out" => Self::SignOut,
            "disable" => Self::Disable,
            "enable" => Self::Enable,
            _ => return Err(Fault::NotFound),
        })
    }

    /// Its word in addresses, its heading, its button.
    const fn words(self) -> (&'static str, &'static str, (Weight, &'static str)) {
        match self {
            Self::Roles => ("roles", "Change roles", (Weight::First, "Change the roles")),
            Self::Remove => ("remove", "Take all roles here away", (Weight::Danger, "Take the roles away")),
            Self::SignOut => ("sign-out", "Sign somebody out everywhere", (Weight::Danger, "Sign them out")),
            Self::Disable => ("disable", "Let somebody sign in no longer", (Weight::Danger, "Let them sign in no longer")),
            Self::Enable => ("enable", "Let somebody sign in again", (Weight::First, "Let them sign in again")),
        }
    }

    /// Whether it concerns more than this partner.
    const fn is_of_hub(self) -> bool {
        matches!(self, Self::SignOut | Self::Disable | Self::Enable)
    }
}

/// The act and the person, if this act may be done to them from here.
async fn of(hub: &Hub, at: &At, (name, act): (&str, &str)) -> Result<(Act, Person), Fault> {
    at.may(Action::ManagePeople)?;
    let (act, person) = (Act::named(act)?, found(hub, at, name).await?);
    if act.is_of_hub() && is_elsewhere(hub, at, &person).await? {
        return Err(Fault::conflict("They keep the hub itself, or have a role at another partner: only whoever keeps the hub does this."));
    }
    Ok((act, person))
}

pub(super) async fn ask(State(hub): State<Hub>, at: At, Path((_, name, act)): Path<(String, String, String)>) -> Result<Response, Fault> {
    let (act, person) = of(&hub, &at, (&name, &act)).await?;
    if act == Act::Roles {
        let has: Vec<&str> = person.roles.iter().map(|(_, role)| role.as_str()).collect();
        return Ok(roles_page(&at, &person, (&has, &Faults::new())));
    }
    Ok(check_page(&at, (act, &person), &[]))
}

pub(super) async fn done(
    State(hub): State<Hub>,
    at: At,
    Path((_, name, act)): Path<(String, String, String)>,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    let (act, person) = of(&hub, &at, (&name, &act)).await?;
    let mut faults = Faults::new();
    let roles = chosen_roles(&answers, &mut faults);
    if act == Act::Roles && roles.is_empty() {
        faults.add("role", "Choose at least one role, or take all of them away on the person’s page.");
    }
    if !faults.is_empty() {
        return Ok(roles_page(&at, &person, (&roles, &faults)));
    }
    if !answers.confirmed() {
        return Ok(check_page(&at, (act, &person), &roles));
    }
    let by = at.by(&hub);
    let told = match act {
        Act::Roles | Act::Remove => {
            settle(&hub, &at, (&person, &roles)).await?;
            if act == Act::Remove {
                return Ok(Redirect::to(&at.href("people?done=gone")).into_response());
            }
            "roles"
        }
        Act::SignOut => {
            hub.ledger().end_sessions(&person.name, &by).await?;
            "signed-out"
        }
        Act::Disable => {
            hub.ledger().disable_person(&person.name, true, &by).await?;
            "disabled"
        }
        Act::Enable => {
            hub.ledger().disable_person(&person.name, false, &by).await?;
            "enabled"
        }
    };
    Ok(Redirect::to(&at.href(format_args!("people/{}?done={told}", words::encoded(person.name.as_str())))).into_response())
}

/// Gives and takes, until the roles here are those that were chosen.
async fn settle(hub: &Hub, at: &At, (person, chosen): (&Person, &[&str])) -> Result<(), Fault> {
    let by = at.by(hub);
    let role = |role| NewRole { partner: at.caller.partner(), person: &person.name, role };
    for wanted in chosen.iter().filter(|wanted| !person.roles.iter().any(|(_, has)| has == *wanted)) {
        hub.ledger().grant_role(role(wanted), &by).await?;
    }
    for (_, has) in person.roles.iter().filter(|(_, has)| !chosen.contains(&has.as_str())) {
        hub.ledger().revoke_role(role(has), &by).await?;
    }
    Ok(())
}

fn roles_page(at: &At, person: &Person, (has, faults): (&[&str], &Faults)) -> Response {
    let back = back(at, person);
    page(at, person, "Change roles").faults(faults).body(form(
        &format!("{back}/roles"),
        at.csrf(),
        html! {
            (role_choices(has, faults))
            div class="buttons" { (button(Weight::First, "Continue")) a class="plain" href=(back) { "Cancel" } }
        },
    ))
}

fn check_page(at: &At, (act, person): (Act, &Person), roles: &[&str]) -> Response {
    let (address, heading, told_button) = act.words();
    let back = back(at, person);
    let said = |roles: Vec<&str>| roles.into_iter().map(words::spaced).collect::<Vec<_>>().join(", ");
    let summary = Summary::new()
        .row("Name", &person.display_name)
        .row("Signs in as", person.name.to_string())
        .row("Roles here now", said(person.roles.iter().map(|(_, role)| role.as_str()).collect()))
        .maybe("Roles here from now on", (act == Act::Roles).then(|| said(roles.to_vec())));
    let own = person.name.as_str() == at.caller.actor().as_str().trim_start_matches("person:");
    let warning = match act {
        _ if own => Some("This is you. You may shut yourself out."),
        Act::Roles | Act::Remove => Some("It holds at once, also where they are signed in."),
        Act::SignOut | Act::Disable => Some("Their sessions end at once."),
        Act::Enable => None,
    };
    let fields: Vec<(&str, &str)> = roles.iter().map(|role| ("role", *role)).collect();
    page(at, person, heading).body(Check {
        action: &format!("{back}/{address}"),
        csrf: at.csrf(),
        answers: summary,
        warning,
        fields: &fields,
        button: told_button,
        back: &back,
    })
}

fn page(at: &At, person: &Person, heading: &str) -> crate::console::look::Page {
    at.page(heading).section("people").crumb(at.href("people"), "People").crumb(back(at, person), &person.display_name)
}

fn back(at: &At, person: &Person) -> String {
    at.href(format_args!("people/{}", words::encoded(person.name.as_str())))
}
