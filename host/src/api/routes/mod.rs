//! The routes, by families, each with its place in the document: a route that is not described cannot be registered.
//!
//! ```text
//! health     is it there                         runs       what ran, and how a person steers it
//! jobs       what may run, when, and now         decisions  cases put to rule sets
//! plugins    releases, keys, tables              outside    connections, credentials, webhooks
//! house      tokens, the audit trail, the hub    configuration  what is declared
//! ```

mod configuration;
mod decisions;
mod health;
mod house;
mod jobs;
mod outside;
mod plugins;
mod runs;

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::FutureExt as _;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use super::answer::{Code, Known, Problem, hub_fault};
use super::document::Base;
use super::refused::Call;
use super::{amend, docs, repeat};
use crate::access::TurnedAway;
use crate::model::limits::CASE_BYTES_MAX;
use crate::run::Hub;

pub(super) use runs::run_id;

/// Largest body: some cases at their largest, or many small ones.
pub(super) const BODY_BYTES_MAX: usize = 8 * CASE_BYTES_MAX;

/// Every route with its description.
pub(super) fn described() -> OpenApiRouter<Hub> {
    OpenApiRouter::with_openapi(Base::openapi())
        .merge(health::routes())
        .merge(configuration::routes())
        .merge(jobs::routes())
        .merge(runs::routes())
        .merge(amend::routes())
        .merge(decisions::routes())
        .merge(plugins::routes())
        .merge(outside::routes())
        .merge(house::routes())
}

pub(super) fn router(hub: Hub) -> Router {
    let routes = Router::from(described())
        .route("/api/v1/openapi.json", get(docs::openapi))
        .route("/api/v1/docs", get(docs::page))
        .route("/api/v1/docs.css", get(docs::style));
    around(routes, hub)
}

/// What every route has around it.
pub(super) fn around(routes: Router<Hub>, hub: Hub) -> Router {
    routes
        .fallback(async || Problem::not_found("address"))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed, "this address takes another method"))
        // One layer: each has the whole of what it is around copied for every request.
        .layer(from_fn_with_state(hub.clone(), each))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(hub)
}

/// What every request goes through.
async fn each(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let (known, call) = (Known::by(&request), Call::of(&request));
    let answered = AssertUnwindSafe(repeat::once(hub.clone(), request, next)).catch_unwind().await;
    // So that a defect's answer has the headers too.
    let mut response = known.not_modified(answered.unwrap_or_else(panicked));
    for (name, value) in [(CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CONTENT_SECURITY_POLICY, "default-src 'none'")]
    {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Some(turned_away) = response.extensions().get::<TurnedAway>().copied() {
        call.note(&hub, turned_away).await;
    }
    response
}

/// A defect: told as any other that is the hub's own, and what it was stands in the log.
pub(super) fn panicked(with: Box<dyn std::any::Any + Send>) -> Response {
    let said = match with.downcast::<String>() {
        Ok(said) => *said,
        Err(with) => with.downcast::<&str>().map_or_else(|_| "it does not say why".to_owned(), |said| (*said).to_owned()),
    };
    hub_fault(&format_args!("the answer panicked: {said}")).into_response()
}
