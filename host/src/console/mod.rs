//! The console: pages over the same functions as the API.
//!
//! ```text
//! sign_in   the way in and out, and who is behind a request
//! look      one layout, and the parts that every page is made of
//! visit     who looks, at which partner, what they posted; why there is no page
//! assets    the stylesheet, the script and the mark
//! overview  how partners stand
//! jobs      what is declared, and having it run
//! releases  plugins from hand to use: reviewed, tried, approved
//! rules     a case filled in, and what a rule set decides of it
//! connections, people, tokens, audit, hub   what their names say
//! runs      what became of every row and pound, and what can be done about it
//! rejects   rows in quarantine: corrected, brought back, assigned, dismissed
//! ```
//!
//! Every page works without a script; none has a script or style of its own, and its headers forbid both. What a person may not see is
//! not there, what they may not do is not offered, and both are refused whatever was offered. It must not do work: it enqueues and reads.

mod assets;
mod audit;
mod connections;
mod hub;
mod jobs;
mod look;
mod overview;
mod people;
mod rejects;
mod releases;
mod rules;
mod runs;
mod sign_in;
mod tokens;
mod visit;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::model::limits::console::FORM_BYTES_MAX;
use crate::run::Hub;
pub use sign_in::{CameFrom, OverTls};
use visit::{Fault, noted, panicked};

/// Only what this hub serves is loaded, nothing in a page runs or styles it, and no other site frames it or is posted to.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The console's routes.
pub fn router(hub: Hub) -> Router {
    let header = |name: HeaderName, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    Router::new()
        .merge(assets::routes())
        .merge(sign_in::routes())
        .merge(overview::routes())
        .merge(jobs::routes())
        .merge(releases::routes())
        .merge(rules::routes())
        .merge(connections::routes())
        .merge(people::routes())
        .merge(tokens::routes())
        .merge(audit::routes())
        .merge(hub::routes())
        .merge(runs::routes())
        .merge(rejects::routes())
        .route("/{page}", any(not_found))
        .route("/p/{partner}/{*page}", any(not_found))
        .layer(from_fn_with_state(hub.clone(), noted))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(X_FRAME_OPTIONS, "DENY"))
        .layer(header(REFERRER_POLICY, "same-origin"))
        .layer(header(CONTENT_SECURITY_POLICY, POLICY))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(hub)
}

/// Whatever no page is at.
async fn not_found() -> Fault {
    Fault::NotFound
}
