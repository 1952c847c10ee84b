//! Runs steered by a person: cancelled, sent on their way again, let go on, done again, held against what they do again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::look::own;
use super::read::seen;
use super::run_id;
use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Body, IfMatch, Named, Problem, reason};
use crate::api::wire::{DifferencesJson, RunJson};
use crate::ledger::Instruction;
use crate::run::{Hub, Look};

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(release_held))
        .routes(routes!(replay))
        .routes(routes!(differences))
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhyBody {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: String,
}

/// How it is looked at.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SightQuery {
    /// Whether personal values are wanted as they are: for a token with the scope see-personal. That they were shown is in the audit trail.
    #[serde(default)]
    personal: bool,
}

/// Why, and from where on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetryBody {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: String,
    /// Begin again with the job, release and tables that are in force now, instead of going on where it stopped.
    #[serde(default)]
    afresh: bool,
}

async fn instruct(hub: &Hub, (caller, when): (&Caller, &IfMatch), run: &str, instruction: Instruction) -> Result<Json<RunJson>, Problem> {
    let id = run_id(run)?;
    let instruction = &instruction;
    let instruct = |by| async move { hub.ledger().instruct(caller.scope(), id, instruction.clone(), &by).await.map(|run| (true, run)) };
    let run = when.edit((hub, caller), || seen(hub, caller, run), instruct).await?;
    Ok(Json(RunJson::new(&run)))
}

/// Ends a run. What has begun to be delivered is not taken back: such a run is not cancelled.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/cancel", tag = "runs", request_body = WhyBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the run as it was read.")),
    responses((status = 200, description = "The run.", body = RunJson))
)]
async fn cancel(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    when: IfMatch,
    Body(body): Body<WhyBody>,
) -> Result<Json<RunJson>, Problem> {
    caller.may(Action::Run)?;
    let why = reason(&body.reason)?.to_owned();
    instruct(&hub, (&caller, &when), &run, Instruction::Cancel { why }).await
}

/// Sends a held or failed run on its way again.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/retry", tag = "runs", request_body = RetryBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the run as it was read.")),
    responses((status = 200, description = "The run, in the queue.", body = RunJson))
)]
async fn retry(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    when: IfMatch,
    Body(body): Body<RetryBody>,
) -> Result<Json<RunJson>, Problem> {
    caller.may(Action::Run)?;
    let why = reason(&body.reason)?.to_owned();
    instruct(&hub, (&caller, &when), &run, Instruction::Retry { afresh: body.afresh, why }).await
}

/// Lets a held run go on as it stands: what was staged is delivered. For a token with the scope approve.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/release", tag = "runs", request_body = WhyBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the run as it was read.")),
    responses((status = 200, description = "The run, in the queue.", body = RunJson))
)]
async fn release_held(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    when: IfMatch,
    Body(body): Body<WhyBody>,
) -> Result<Json<RunJson>, Problem> {
    caller.may(Action::Approve)?;
    let why = reason(&body.reason)?.to_owned();
    instruct(&hub, (&caller, &when), &run, Instruction::Release { why }).await
}

/// Does a run again from its stored inputs. It delivers nothing, and is held if one byte comes out otherwise.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/replay", tag = "runs",
    responses((status = 202, description = "The new run, in the queue.", body = RunJson), (status = 409, description = "It has processed nothing."), (status = 410, description = "Its files were given up."))
)]
async fn replay(State(hub): State<Hub>, Bearer(caller): Bearer, Named(run): Named) -> Result<(StatusCode, Json<RunJson>), Problem> {
    caller.may(Action::Run)?;
    let id = own(&hub, &caller, &run).await?;
    let made = hub.replay(caller.scope(), id, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let made = hub.ledger().run(caller.scope(), made).await?.ok_or_else(|| Problem::not_found("run"))?;
    Ok((StatusCode::ACCEPTED, Json(RunJson::new(&made))))
}

/// Tells where a replay, or a run that tries a release, came to something else than the run that it does again.
///
/// Values of personal columns are masked.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/differences", tag = "runs", params(SightQuery),
    responses((status = 200, description = "Differences; empty lists where there are none.", body = DifferencesJson), (status = 409, description = "It does no run again, or has not come so far."), (status = 410, description = "The files were given up."))
)]
async fn differences(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<SightQuery>,
) -> Result<Json<DifferencesJson>, Problem> {
    caller.may(Action::Read)?;
    let (sight, id) = (caller.sight(query.personal)?, own(&hub, &caller, &run).await?);
    let by = caller.by(hub.id(), hub.clock().now_ms());
    Ok(Json(DifferencesJson::new(&hub.differences(id, Look { scope: caller.scope(), sight, by: &by }).await?)))
}
