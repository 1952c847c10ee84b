//! Places outside, and their credentials.

mod connections;
mod secrets;

use utoipa_axum::router::OpenApiRouter;

use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    connections::routes().merge(secrets::routes())
}
