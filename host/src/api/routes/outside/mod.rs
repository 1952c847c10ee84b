//! Places outside, their credentials, and the addresses that are told what happens.

mod connections;
mod secrets;
mod webhooks;

use utoipa_axum::router::OpenApiRouter;

use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    connections::routes().merge(secrets::routes()).merge(webhooks::routes())
}
