//! Connections: which there are, and whether they work.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Action;
use crate::api::answer::{Asked, Bearer, Named, Page, Problem, Wanted};
use crate::model::ids::ConnectionName;
use crate::run::{Checkup, Hub};

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(connections)).routes(routes!(check_connection))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConnectionsQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct ConnectionJson {
    name: String,
    /// The digest of the file that declares it.
    definition: String,
}

/// Lists connections, by name. What they are stands in the partner's configuration; credentials are never told.
#[utoipa::path(
    get, path = "/api/v1/connections", tag = "connections", params(ConnectionsQuery),
    responses((status = 200, description = "Connections.", body = Page<ConnectionJson>))
)]
async fn connections(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<ConnectionsQuery>,
) -> Result<Json<Page<ConnectionJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let all = hub.ledger().connections(caller.scope()).await?;
    let page = Page::cut(all, &wanted, |connection| connection.name.to_string())?;
    Ok(Json(page.map(|connection| ConnectionJson { name: connection.name.to_string(), definition: connection.definition.to_string() })))
}

#[derive(Serialize, ToSchema)]
struct CheckJson {
    connection: String,
    /// Whether every step succeeded.
    works: bool,
    /// Whether a job delivers there, so that writing was tried.
    writes: bool,
    /// The steps that succeeded, in order.
    steps: Vec<StepJson>,
    /// What failed after them.
    failed: Option<FailedJson>,
}

#[derive(Serialize, ToSchema)]
struct StepJson {
    step: &'static str,
    found: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct FailedJson {
    step: Option<&'static str>,
    why: String,
    to_do: Option<&'static str>,
}

impl CheckJson {
    fn new(name: &ConnectionName, checkup: Checkup) -> Self {
        let to_do = checkup.to_do();
        Self {
            connection: name.to_string(),
            works: checkup.failed.is_none(),
            writes: checkup.writes,
            steps: checkup.steps.into_iter().map(|done| StepJson { step: done.step.name(), found: done.found }).collect(),
            failed: checkup.failed.map(|error| FailedJson { step: error.step().map(|step| step.name()), why: error.to_string(), to_do }),
        }
    }
}

/// Tries a connection step by step. Where a job delivers there, a small hidden file is written and removed.
///
/// That it does not work is no problem: it is the answer.
#[utoipa::path(
    post, path = "/api/v1/connections/{name}/check", tag = "connections",
    responses((status = 200, description = "What came of it.", body = CheckJson), (status = 409, description = "A credential that it names is not set."))
)]
async fn check_connection(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named) -> Result<Json<CheckJson>, Problem> {
    caller.may(Action::Configure)?;
    let name: ConnectionName = name.parse().map_err(|_| Problem::not_found("connection"))?;
    let checkup = hub.check_connection(caller.partner(), &name).await?;
    Ok(Json(CheckJson::new(&name, checkup)))
}
