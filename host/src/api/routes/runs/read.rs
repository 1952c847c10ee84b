//! Runs as they are listed and looked at, with their rejects.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::run_id;
use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Named, Page, Problem, Single, Wanted, bad_request};
use crate::api::wire::{FindingJson, RunDetailJson, RunJson};
use crate::ledger::{FoundEffect, RunFilter, RunState};
use crate::model::ids::JobName;
use crate::run::{Hub, Look};

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(runs)).routes(routes!(run)).routes(routes!(rejects))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunsQuery {
    /// Only of this job.
    job: Option<String>,
    /// Only in this state: queued, running, staged, delivering, closed, held, failed, skipped or cancelled.
    state: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(RunsQuery), responses((status = 200, description = "Runs, newest first.", body = Page<RunJson>)))]
async fn runs(State(hub): State<Hub>, Bearer(caller): Bearer, Asked(query): Asked<RunsQuery>) -> Result<Json<Page<RunJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let filter = RunFilter {
        job: query.job.map(|job| job.parse::<JobName>()).transpose().map_err(|error| bad_request(&error))?,
        state: query.state.map(|state| state.parse::<RunState>()).transpose().map_err(|error| bad_request(&error))?,
        before: wanted.after()?,
    };
    Ok(Json(Page::of(&hub.ledger().runs(caller.scope(), &filter, wanted.limit).await?, RunJson::new)))
}

/// A run with everything that the ledger knows of it.
pub(super) async fn seen(hub: &Hub, caller: &Caller, run: &str) -> Result<RunDetailJson, Problem> {
    let (id, scope) = (run_id(run)?, caller.scope());
    let ledger = hub.ledger();
    let run = ledger.run(scope, id).await?.ok_or_else(|| Problem::not_found("run"))?;
    let processed = ledger.processed(scope, id).await?;
    let receipts = ledger.receipts(scope, id).await?;
    let partitions = ledger.partitions(scope, id).await?;
    let events = ledger.events(scope, id, 0).await?;
    let quarantined = ledger.quarantined(scope, id).await?;
    let resubmissions = ledger.resubmissions_of(scope, id).await?;
    let detail = RunDetailJson::new(&run, processed.as_ref(), &receipts, &partitions, &events);
    Ok(detail.with_rejects(quarantined, &resubmissions))
}

/// One run: totals, balances, deliveries, limits, events.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}", tag = "runs",
    responses((status = 200, description = "The run.", body = RunDetailJson, headers(("ETag" = String, description = "Its state, for If-None-Match and If-Match."))))
)]
async fn run(State(hub): State<Hub>, Bearer(caller): Bearer, Named(run): Named) -> Result<Single<RunDetailJson>, Problem> {
    caller.may(Action::Read)?;
    Ok(Single(seen(&hub, &caller, &run).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RejectsQuery {
    /// `rejects` (the default) or `warnings`.
    kind: Option<String>,
    /// Whether personal values are wanted as they are: for a token with the scope see-personal. That they were shown is in the audit trail.
    #[serde(default)]
    personal: bool,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists the rows of a run that were rejected or warned about, in the order in which they were found. Personal columns are masked.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/rejects", tag = "rejects", params(RejectsQuery),
    responses((status = 200, description = "Rejects or warnings.", body = Page<FindingJson>))
)]
async fn rejects(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<RejectsQuery>,
) -> Result<Json<Page<FindingJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let effect = match query.kind.as_deref() {
        None | Some("rejects") => FoundEffect::Reject,
        Some("warnings") => FoundEffect::Warn,
        Some(_) => return Err(bad_request(&"kind is rejects or warnings")),
    };
    let (id, scope) = (run_id(&run)?, caller.scope());
    hub.ledger().run(scope, id).await?.ok_or_else(|| Problem::not_found("run"))?;
    let page = hub.ledger().findings((scope, id), effect, wanted.after()?, wanted.limit).await?;
    let by = caller.by(hub.id(), hub.clock().now_ms());
    let view = hub.view(id, Look { scope, sight: caller.sight(query.personal)?, by: &by }).await?;
    let items = page.items.iter().map(|finding| FindingJson::new(finding, &view)).collect::<Result<_, _>>()?;
    Ok(Json(Page::with(items, page.next.as_ref())))
}
