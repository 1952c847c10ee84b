//! What persons put right through the API, and the JSON of it.

mod deliveries;
mod rejects;

pub use deliveries::ResendJson;
pub use rejects::{GroupJson, QuarantinedJson, WaitingJson, seen};

use axum::Router;
use axum::http::StatusCode;

use super::answer::Problem;
use crate::run::Hub;

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 1_000;

pub(super) fn routes() -> Router<Hub> {
    deliveries::routes().merge(rejects::routes())
}

/// A reason that says something.
fn reason(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_CHARS_MAX {
        let sentence = format!("send a \"reason\" of 1 to {REASON_CHARS_MAX} characters: the audit trail keeps it");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "reason-missing", sentence));
    }
    Ok(text)
}
