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

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use super::answer::{Code, Problem, hub_fault, not_modified};
use super::document::Base;
use super::{amend, docs, repeat};
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
    let header = |name, value: &'static str| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    routes
        .fallback(async || Problem::not_found("address"))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed, "this address takes another method"))
        .layer(from_fn(not_modified))
        .layer(from_fn_with_state(hub.clone(), repeat::once))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // Within the headers, so that a defect's answer has them too.
        .layer(CatchPanicLayer::custom(panicked))
        .layer(header(CACHE_CONTROL, "no-store"))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .layer(TraceLayer::new_for_http())
        .with_state(hub)
}

/// A defect: told as any other that is the hub's own, and what it was stands in the log.
pub(super) fn panicked(with: Box<dyn std::any::Any + Send>) -> Response {
    let said = match with.downcast::<String>() {
        Ok(said) => *said,
        Err(with) => with.downcast::<&str>().map_or_else(|_| "it does not say why".to_owned(), |said| (*said).to_owned()),
    };
    hub_fault(&format_args!("the answer panicked: {said}")).into_response()
}
