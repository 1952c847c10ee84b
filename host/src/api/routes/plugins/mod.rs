//! Plugins: the keys that sign them, their releases, and the tables that they look things up in.

mod beside;
mod keys;
mod releases;
mod tables;

use utoipa_axum::router::OpenApiRouter;

use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    keys::routes().merge(releases::routes()).merge(beside::routes()).merge(tables::routes())
}
