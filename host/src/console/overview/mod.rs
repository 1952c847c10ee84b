//! Overviews: the partners where somebody may do something, and how each stands.
//!
//! It must not do anything: it reads.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use maud::html;

use super::look::{Column, Table, words};
use super::visit::{At, Fault, Visit};
use crate::access::Action;
use crate::ledger::Scope;
use crate::run::Hub;

pub(super) fn routes() -> Router<Hub> {
    Router::new().route("/", get(partners)).route("/p/{partner}", get(partner))
}

async fn partners(State(hub): State<Hub>, visit: Visit) -> Result<Response, Fault> {
    let allowed = &visit.visitor.allowed;
    if let (1, Some(only)) = (allowed.len(), allowed.keys().next()) {
        return Ok(Redirect::to(&format!("/p/{only}")).into_response());
    }
    let partners = hub.ledger().partners(Scope::Hub).await?.into_iter().filter(|partner| allowed.contains_key(&partner.name));
    let mut table = Table::new("Partners where you have a role", [Column::words("Partner"), Column::words("Name")]);
    for partner in partners {
        table.push([html! { a href=(format!("/p/{}", partner.name)) { (partner.title) } }, html! { (partner.name) }]);
    }
    Ok(visit.page("Overview").body(table))
}

async fn partner(State(hub): State<Hub>, at: At) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let mut table = Table::new("The last run of each job", ["Job", "State", "When"].map(Column::words));
    for run in hub.ledger().last_runs(at.scope()).await? {
        let href = at.href(format_args!("runs/{}", run.id));
        table.push([html! { a href=(href) { (run.job()) } }, words::run_tag(&run), words::short_moment(run.enqueued_at_ms)]);
    }
    Ok(at.page("Overview").section("").body(table.empty("No job has run yet.")))
}
