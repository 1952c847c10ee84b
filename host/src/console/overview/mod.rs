//! Overviews: the partners where somebody may do something, and how each stands today.
//!
//! ```text
//! GET /                every partner where they have a role: today's runs, what needs somebody
//! GET /p/{partner}     one partner: what needs somebody, today's runs, what is due next, money moved
//! ```
//!
//! It must not do anything: it reads. However many runs a day had, it asks the same few questions.

mod all;
mod needs;
mod partner;

use axum::Router;
use axum::routing::get;

use super::look::words::local;
use crate::run::Hub;

pub(super) fn routes() -> Router<Hub> {
    Router::new().route("/", get(all::page)).route("/p/{partner}", get(partner::page))
}

/// When today began, where the reader lives.
fn day_began_ms(now_ms: i64) -> i64 {
    local(now_ms).start_of_day().map_or(now_ms, |began| began.timestamp().as_millisecond())
}
