//! The figures, as Prometheus asks for them: at an address of their own, as they are of all partners.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::call::problem;
use crate::run::Hub;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The address at which they are asked for.
pub(super) fn router(hub: Hub) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(hub)
}

async fn metrics(State(hub): State<Hub>) -> Response {
    match hub.figures_text().await {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the figures could not be worked out");
            problem(StatusCode::SERVICE_UNAVAILABLE, "busy", "the ledger does not answer; ask again later")
        }
    }
}
