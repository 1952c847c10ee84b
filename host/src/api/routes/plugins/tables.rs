//! Reference tables: which versions there are. Their rows are the partner's own, and are told one version at a time.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Action;
use crate::api::answer::{Asked, Bearer, Named, Page, Problem, Wanted};
use crate::api::wire::moment;
use crate::ledger::StoredTable;
use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(tables)).routes(routes!(table_rows))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TablesQuery {
    /// Only versions of this table.
    table: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct VersionJson {
    /// 1, 2, 3 in the order of arrival.
    number: u64,
    table: String,
    version: String,
    /// First day on which it is in force.
    effective_from: String,
    /// Last day; none while it has no end.
    effective_to: Option<String>,
    /// The day on which its source published it.
    published: Option<String>,
    /// Where it comes from.
    source: String,
    /// SHA-256 of its rows.
    digest: String,
    added_at: String,
    added_by: String,
}

impl VersionJson {
    fn new(stored: &StoredTable) -> Self {
        let version = &stored.table.version;
        Self {
            number: stored.number,
            table: version.table.clone(),
            version: version.version.clone(),
            effective_from: version.effective_from.to_string(),
            effective_to: version.effective_to.map(|date| date.to_string()),
            published: version.published.map(|date| date.to_string()),
            source: stored.table.source.clone(),
            digest: stored.digest.to_string(),
            added_at: moment(stored.added_at_ms),
            added_by: stored.added_by.to_string(),
        }
    }
}

/// Lists the versions of reference tables that the partner added, in the order of their arrival. Those that come with a release are in it.
#[utoipa::path(
    get, path = "/api/v1/tables", tag = "tables", params(TablesQuery),
    responses((status = 200, description = "Versions.", body = Page<VersionJson>))
)]
async fn tables(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<TablesQuery>,
) -> Result<Json<Page<VersionJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let mut stored = hub.ledger().tables(caller.partner(), None).await?;
    stored.retain(|stored| query.table.as_ref().is_none_or(|table| stored.table.version.table == *table));
    Ok(Json(Page::cut(stored, &wanted, |stored| stored.number)?.map(VersionJson::new)))
}

/// The rows of a version of a table, as CSV.
#[utoipa::path(
    get, path = "/api/v1/tables/{table}/{version}", tag = "tables",
    responses((status = 200, description = "The rows.", body = String, content_type = "text/csv"))
)]
async fn table_rows(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named((table, version)): Named<(String, String)>,
) -> Result<Response, Problem> {
    caller.may(Action::Read)?;
    let stored = hub.ledger().tables(caller.partner(), None).await?;
    let found = stored.into_iter().find(|stored| stored.table.version.table == table && stored.table.version.version == version);
    let found = found.ok_or_else(|| Problem::not_found("version of a table"))?;
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], found.table.content).into_response())
}
