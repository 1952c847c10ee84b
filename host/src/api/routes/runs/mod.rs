//! Runs: what ran and what came of it, and how a person steers it.
//!
//! ```text
//! read   lists, one run, its rejects             look   events, notes, deliveries, exchanges, notices
//! steer  cancelled, retried, released, replayed     files  what it read and wrote; beside another run
//! ```

mod files;
mod look;
mod read;
mod steer;

use utoipa_axum::router::OpenApiRouter;

use crate::api::answer::Problem;
use crate::model::ids::RunId;
use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    read::routes().merge(look::routes()).merge(steer::routes()).merge(files::routes())
}

/// The run that an address names. What is no id names none.
pub(in crate::api) fn run_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|_| Problem::not_found("run"))
}
