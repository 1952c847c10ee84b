//! The console: pages over the same functions as the API.
//!
//! ```text
//! sign_in   the way in and out, and who is behind a request
//! ```
//!
//! It must not do work: it enqueues and reads.

mod sign_in;

use axum::Router;

use crate::run::Hub;

pub use sign_in::{CameFrom, OverTls};

/// The console's routes.
pub fn router(hub: Hub) -> Router {
    Router::new().merge(sign_in::routes()).with_state(hub)
}
