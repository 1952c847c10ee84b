//! The console: pages over the same functions as the API.
//!
//! It must not do work: it enqueues and reads.

use axum::Router;

use crate::run::Hub;

/// The console's routes.
pub fn router(hub: Hub) -> Router {
    Router::new().with_state(hub)
}
