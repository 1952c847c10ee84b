//! Connections of a partner: what kind each is, which jobs use it, and a try of it step by step.
//!
//! A credential is named and never shown. It must not know how a place is reached.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::jobs::Titles;
use super::look::{Column, Summary, Table, Tone, Weight, button, form, inset, tag, words};
use super::visit::{At, Fault, Posted};
use crate::access::Action;
use crate::run::{Checkup, ConnectionUse, Hub, RunError};

pub(super) fn routes() -> Router<Hub> {
    Router::new().route("/p/{partner}/connections", get(list)).route("/p/{partner}/connections/{name}", get(one).post(check))
}

async fn list(State(hub): State<Hub>, at: At) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let titles = Titles::of(&hub, &at).await?;
    let mut table = Table::new("Connections", ["Connection", "Kind", "Where", "Jobs that use it"].map(Column::words));
    for used in hub.connections(at.caller.partner()).await? {
        table.push([
            html! { a href=(at.href(format_args!("connections/{}", used.name))) { (used.name) } },
            html! { (used.kind) },
            html! { span class="mono" { (used.place) } },
            jobs((&at, &titles), &used),
        ]);
    }
    Ok(at.page("Connections").section("connections").body(html! {
        p class="lede" { "The places outside from which this partner’s jobs take files, and to which they deliver." }
        (table.caption_read_out().empty("No connection is declared yet. They are declared in connections.toml."))
    }))
}

fn jobs((at, titles): (&At, &Titles), used: &ConnectionUse) -> Markup {
    let ways = [("takes from it", &used.taken_by), ("delivers to it", &used.delivered_by), ("tells people by it", &used.told_by)];
    html! {
        @for (way, jobs) in ways {
            @for job in jobs { div { a class="plain" href=(at.href(format_args!("jobs/{job}"))) { (titles.of_job(job)) } " " (way) } }
        }
        @if used.taken_by.is_empty() && used.delivered_by.is_empty() && used.told_by.is_empty() { "None" }
    }
}

async fn one(State(hub): State<Hub>, at: At, Path((_, name)): Path<(String, String)>) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let used = found(&hub, &at, &name).await?;
    Ok(page((&at, &Titles::of(&hub, &at).await?), &used, None))
}

/// Tries it. Where a job delivers there, a small hidden file is written and removed.
async fn check(State(hub): State<Hub>, at: At, Path((_, name)): Path<(String, String)>, Posted(_): Posted) -> Result<Response, Fault> {
    at.may(Action::Configure)?;
    let used = found(&hub, &at, &name).await?;
    let checked = match hub.check_connection(at.caller.partner(), &used.name).await {
        Ok(checkup) => checked(&used, &checkup),
        // What an operator mends is told; the rest is the hub's own affair.
        Err(error @ (RunError::NoSecret { .. } | RunError::Vault(_))) => failed(&used, "Credentials", &error.to_string(), None),
        Err(error) => return Err(error.into()),
    };
    Ok(page((&at, &Titles::of(&hub, &at).await?), &used, Some(&checked)))
}

async fn found(hub: &Hub, at: &At, name: &str) -> Result<ConnectionUse, Fault> {
    hub.connections(at.caller.partner()).await?.into_iter().find(|used| used.name.as_str() == name).ok_or(Fault::NotFound)
}

fn page((at, titles): (&At, &Titles), used: &ConnectionUse, checked: Option<&Markup>) -> Response {
    let secrets = html! {
        @if used.secrets.is_empty() { "None" }
        @else {
            ul {
                @for (secret, kept) in &used.secrets {
                    li { (secret) " " @if *kept { (tag(Tone::Good, "Kept")) } @else { (tag(Tone::Bad, "Missing")) } }
                }
            }
        }
    };
    let summary = Summary::new()
        .row("Kind", used.kind)
        .row("Where", html! { span class="mono" { (used.place) } })
        .row("Used by", jobs((at, titles), used))
        .row("Credentials", secrets)
        .maybe("Runs at once", used.runs_at_once.map(|most| most.to_string()));
    at.page(used.name.to_string()).caption("Connection").section("connections").crumb(at.href("connections"), "Connections").body(html! {
        @if let Some(checked) = checked { (checked) }
        (summary)
        @if at.caller.can(Action::Configure) {
            h2 { "Try it" }
            p {
                "The hub goes through it step by step and says which step fails. "
                @if used.delivered_by.is_empty() { "No job delivers there, so nothing is written." }
                @else { "A job delivers there, so a small hidden file is written and removed again." }
            }
            (form(&at.href(format_args!("connections/{}", used.name)), at.csrf(), button(Weight::First, "Check the connection")))
        }
        (inset(html! {
            p { "A connection is changed in the folder of configuration, where the change is reviewed and its history kept. Credentials are set with " code { "bailiwick secret set" } "; nobody can read them back." }
        }))
    })
}

fn checked(used: &ConnectionUse, checkup: &Checkup) -> Markup {
    let steps = html! {
        ol {
            @for done in &checkup.steps {
                li { (words::spaced(done.step.name())) " " (tag(Tone::Good, "Done")) @if !done.found.is_empty() { " " (done.found) } }
            }
        }
    };
    match checkup.failure() {
        None => html! {
            div class="told success" role="status" tabindex="-1" aria-labelledby="checked" {
                h2 id="checked" { (used.name) " works" @if !checkup.writes { " for taking; nothing was written" } }
                (steps)
            }
        },
        Some(failure) => {
            let step = failure.step.map_or_else(|| "It".to_owned(), words::spaced);
            html! { (failed(used, &step, &failure.why, failure.to_do)) @if !checkup.steps.is_empty() { p { "Before that, these steps were done:" } (steps) } }
        }
    }
}

fn failed(used: &ConnectionUse, step: &str, why: &str, to_do: Option<&str>) -> Markup {
    html! {
        div class="told errors" role="alert" tabindex="-1" aria-labelledby="checked" {
            h2 id="checked" { (used.name) " does not work" }
            p { span class="strong" { (step) " failed: " } (why) }
            @if let Some(to_do) = to_do { p { "What may help: " (to_do) "." } }
        }
    }
}
