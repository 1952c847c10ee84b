//! The house itself: who may call, who did what, how long what is kept, how the hub stands.

mod audit;
mod hub;
mod people;
mod tokens;

use utoipa_axum::router::OpenApiRouter;

use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    audit::routes().merge(hub::routes()).merge(people::routes()).merge(tokens::routes())
}
