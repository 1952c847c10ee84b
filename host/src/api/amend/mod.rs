//! What persons put right through the API, and the JSON of it.

mod deliveries;
mod rejects;

pub use deliveries::ResendJson;
pub use rejects::{GroupJson, QuarantinedJson, WaitingJson, seen};

use utoipa_axum::router::OpenApiRouter;

use crate::access::Action;
use crate::run::Hub;

/// What whoever sends a file to an address must be allowed, where that address takes one.
pub(super) fn file_wanted(path: &str) -> Option<Action> {
    path.ends_with("/resubmissions").then_some(Action::Correct)
}

pub(super) fn routes() -> OpenApiRouter<Hub> {
    deliveries::routes().merge(rejects::routes())
}
