//! Connections: which there are, and whether they work.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Action;
use crate::api::answer::{Asked, Bearer, Named, Page, Problem, Single, Wanted};
use crate::model::ids::{ConnectionName, JobName};
use crate::run::{Checkup, ConnectionUse, Hub};

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(connections)).routes(routes!(connection)).routes(routes!(check_connection))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConnectionsQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

/// A connection, and what uses it. Nothing in it is secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct ConnectionJson {
    name: String,
    /// folder, sftp, https and so on, as people say it.
    kind: &'static str,
    /// Where it leads.
    place: String,
    /// The credentials that it names.
    secrets: Vec<NamedSecretJson>,
    /// Runs that may use it at one time.
    runs_at_once: Option<u32>,
    /// Jobs that take files from it.
    taken_by: Vec<String>,
    /// Jobs that deliver to it.
    delivered_by: Vec<String>,
    /// Jobs that tell people by it.
    told_by: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct NamedSecretJson {
    name: String,
    /// Whether it is set.
    set: bool,
}

impl ConnectionJson {
    fn new(used: &ConnectionUse) -> Self {
        let names = |jobs: &[JobName]| jobs.iter().map(ToString::to_string).collect();
        Self {
            name: used.name.to_string(),
            kind: used.kind,
            place: used.place.clone(),
            secrets: used.secrets.iter().map(|(name, set)| NamedSecretJson { name: name.to_string(), set: *set }).collect(),
            runs_at_once: used.runs_at_once,
            taken_by: names(&used.taken_by),
            delivered_by: names(&used.delivered_by),
            told_by: names(&used.told_by),
        }
    }
}

/// Lists connections by name, each with the jobs that use it. Credentials are never told.
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
    let all = hub.connections(caller.partner()).await?;
    Ok(Json(Page::cut(all, &wanted, |connection| connection.name.to_string())?.map(ConnectionJson::new)))
}

/// One connection.
#[utoipa::path(
    get, path = "/api/v1/connections/{name}", tag = "connections",
    responses((status = 200, description = "The connection.", body = ConnectionJson, headers(("ETag" = String, description = "Its state, for If-None-Match."))))
)]
async fn connection(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named) -> Result<Single<ConnectionJson>, Problem> {
    caller.may(Action::Read)?;
    let all = hub.connections(caller.partner()).await?;
    let found = all.iter().find(|connection| connection.name.as_str() == name).ok_or_else(|| Problem::not_found("connection"))?;
    Ok(Single(ConnectionJson::new(found)))
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
        let failed = checkup.failure();
        Self {
            connection: name.to_string(),
            works: failed.is_none(),
            writes: checkup.writes,
            steps: checkup.steps.into_iter().map(|done| StepJson { step: done.step.name(), found: done.found }).collect(),
            failed: failed.map(|failed| FailedJson { step: failed.step, why: failed.why, to_do: failed.to_do }),
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
