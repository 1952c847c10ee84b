//! What persons put right through the API, and the JSON of it.

mod deliveries;
mod rejects;

pub use deliveries::ResendJson;
pub use rejects::{GroupJson, QuarantinedJson, WaitingJson, seen};

use utoipa_axum::router::OpenApiRouter;

use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    deliveries::routes().merge(rejects::routes())
}
