//! Whether the hub lives, and whether it is ready: for whatever restarts it, and for whatever sends it calls.
//!
//! Anybody may ask, so an answer names what is wrong in words that tell nobody where or how it is kept; the log says more.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::run::{Hub, Readiness};

/// The addresses at which it is asked.
pub(super) fn router(hub: Hub) -> Router {
    Router::new().route("/health/live", get(live)).route("/health/ready", get(ready)).with_state(hub)
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    check: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// That it answers at all is the answer.
async fn live() -> Response {
    answer(StatusCode::OK, Health { status: "live", version: env!("CARGO_PKG_VERSION"), checks: Vec::new() })
}

async fn ready(State(hub): State<Hub>) -> Response {
    let readiness: Vec<Readiness> = hub.readiness().await;
    let ready = readiness.iter().all(|one| one.why_not.is_none());
    let checks = readiness.into_iter().map(|one| Check { check: one.what, ok: one.why_not.is_none(), why: one.why_not }).collect();
    let (code, status) = if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not-ready") };
    answer(code, Health { status, version: env!("CARGO_PKG_VERSION"), checks })
}

fn answer(code: StatusCode, health: Health) -> Response {
    (code, [(CACHE_CONTROL, "no-store")], Json(health)).into_response()
}
