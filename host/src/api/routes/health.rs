//! Whether the hub is there and its ledger answers. No token is asked for, and nothing is told but the version.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::answer::Problem;
use crate::ledger::Scope;
use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(health))
}

#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`; a hub that is not is not answering, or answers with a problem.
    status: &'static str,
    /// The hub's version.
    version: &'static str,
}

/// Says whether the hub is there and its ledger answers.
#[utoipa::path(get, path = "/health", tag = "hub", security(()), responses((status = 200, description = "It is.", body = Health)))]
async fn health(State(hub): State<Hub>) -> Result<Json<Health>, Problem> {
    hub.ledger().run_counts(Scope::Hub).await?;
    Ok(Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}
