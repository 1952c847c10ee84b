//! The routes and what each answers.

use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use super::answer::{Bearer, Named, Problem, Text, hub_fault};
use super::wire::{FindingJson, JobJson, RunDetailJson, RunJson};
use crate::access::Action;
use crate::ledger::{FoundEffect, RunFilter, RunState, Scope};
use crate::model::ids::{JobName, PluginName, RunId};
use crate::model::limits::{CASE_BYTES_MAX, CASES_PER_REQUEST_MAX, DECISIONS_MS_MAX};
use crate::registry::cases::DecisionJson;
use crate::run::{Hub, Look, Question, Request};

/// Items of a page where the caller does not say.
pub(super) const PAGE_ITEMS: u32 = 100;

/// Largest body: some cases at their largest, or many small ones.
const BODY_BYTES_MAX: usize = 8 * CASE_BYTES_MAX;

type Answer<T> = Result<Json<T>, Problem>;

pub(super) fn router(hub: Hub) -> Router {
    let header = |name, value: &'static str| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    Router::new()
        .route("/health", get(health))
        .route("/api/v1/jobs", get(jobs))
        .route("/api/v1/jobs/{job}/runs", post(start))
        .route("/api/v1/runs", get(runs))
        .route("/api/v1/runs/{run}", get(run))
        .route("/api/v1/runs/{run}/rejects", get(rejects))
        .route("/api/v1/rule-sets/{name}/decisions", post(decide))
        .merge(super::amend::routes())
        .fallback(async || Problem::not_found("address"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this address takes another method")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(header(CACHE_CONTROL, "no-store"))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .layer(TraceLayer::new_for_http())
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(hub)
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

async fn health(State(hub): State<Hub>) -> Answer<Health> {
    hub.ledger().run_counts(Scope::Hub).await?;
    Ok(Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}

#[derive(Serialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// What to send as `before` or `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

async fn jobs(State(hub): State<Hub>, Bearer(caller): Bearer) -> Answer<Page<JobJson>> {
    caller.may(Action::Read)?;
    let scope = caller.scope();
    let last = hub.ledger().last_runs(scope).await?;
    let mut items = Vec::new();
    for job in hub.ledger().jobs(scope).await? {
        let next = hub.next_time(&job).await?;
        items.push(JobJson::new(&job, last.iter().find(|run| *run.job() == job.name), next));
    }
    Ok(Json(Page { items, next: None }))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct StartBody {
    dry_run: bool,
}

async fn start(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(job): Named,
    headers: HeaderMap,
    Text(body): Text,
) -> Result<(StatusCode, Json<RunJson>), Problem> {
    caller.may(Action::Run)?;
    let job: JobName = job.parse().map_err(|_| Problem::not_found("job"))?;
    let body: StartBody =
        if body.trim().is_empty() { StartBody::default() } else { serde_json::from_str(&body).map_err(|error| bad_request(&error))? };
    let key =
        headers.get("idempotency-key").map(|key| key.to_str().map(ToOwned::to_owned)).transpose().map_err(|error| bad_request(&error))?;
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 200) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "idempotency-key", "an Idempotency-Key has 1 to 200 characters"));
    }
    let request = Request { partner: caller.partner().clone(), job, dry_run: body.dry_run, key };
    let queued = hub.request(&request, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let run = hub.ledger().run(caller.scope(), queued.run).await?.ok_or_else(|| Problem::not_found("run"))?;
    if !queued.new && run.enqueued.dry_run != request.dry_run {
        let sentence = format!(
            "this Idempotency-Key started run {} with another body: send a new key, or the body that it was first sent with",
            run.id
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", sentence));
    }
    Ok((if queued.new { StatusCode::ACCEPTED } else { StatusCode::OK }, Json(RunJson::new(&run))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    job: Option<String>,
    state: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

async fn runs(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    query: Result<Query<RunsQuery>, axum::extract::rejection::QueryRejection>,
) -> Answer<Page<RunJson>> {
    caller.may(Action::Read)?;
    let Query(query) = query.map_err(|error| bad_request(&error))?;
    let filter = RunFilter {
        job: query.job.map(|job| job.parse::<JobName>()).transpose().map_err(|error| bad_request(&error))?,
        state: query.state.map(|state| state.parse::<RunState>()).transpose().map_err(|error| bad_request(&error))?,
        before: query.before.map(|run| run.parse::<RunId>()).transpose().map_err(|error| bad_request(&error))?,
    };
    let page = hub.ledger().runs(caller.scope(), &filter, query.limit.unwrap_or(PAGE_ITEMS)).await?;
    Ok(Json(Page { items: page.items.iter().map(RunJson::new).collect(), next: page.next.map(|run| run.to_string()) }))
}

pub(super) fn run_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|_| Problem::not_found("run"))
}

async fn run(State(hub): State<Hub>, Bearer(caller): Bearer, Named(run): Named) -> Answer<RunDetailJson> {
    caller.may(Action::Read)?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    let ledger = hub.ledger();
    let run = ledger.run(scope, id).await?.ok_or_else(|| Problem::not_found("run"))?;
    let processed = ledger.processed(scope, id).await?;
    let receipts = ledger.receipts(scope, id).await?;
    let partitions = ledger.partitions(scope, id).await?;
    let events = ledger.events(scope, id, 0).await?;
    let quarantined = ledger.quarantined(scope, id).await?;
    let resubmissions = ledger.resubmissions_of(scope, id).await?;
    let detail = RunDetailJson::new(&run, processed.as_ref(), &receipts, &partitions, &events);
    Ok(Json(detail.with_rejects(quarantined, &resubmissions)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RejectsQuery {
    after: Option<u64>,
    limit: Option<u32>,
    /// Whether personal values are wanted as they are.
    #[serde(default)]
    personal: bool,
}

async fn rejects(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    query: Result<Query<RejectsQuery>, axum::extract::rejection::QueryRejection>,
) -> Answer<Page<FindingJson>> {
    caller.may(Action::Read)?;
    let Query(query) = query.map_err(|error| bad_request(&error))?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    hub.ledger().run(scope, id).await?.ok_or_else(|| Problem::not_found("run"))?;
    let page = hub.ledger().findings((scope, id), FoundEffect::Reject, query.after, query.limit.unwrap_or(PAGE_ITEMS)).await?;
    let by = caller.by(hub.id(), hub.clock().now_ms());
    let view = hub.view(id, Look { scope, sight: caller.sight(query.personal)?, by: &by }).await?;
    Ok(Json(Page {
        items: page.items.iter().map(|finding| FindingJson::new(finding, &view)).collect::<Result<_, _>>()?,
        next: page.next.map(|after| after.to_string()),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionsBody {
    /// One case; or `cases`.
    case: Option<Value>,
    cases: Option<Vec<Value>>,
    #[serde(default)]
    settings: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case", untagged)]
enum DecisionAnswer {
    Decided { release: String, decision: DecisionJson },
    Refused { problem: Problem },
}

#[derive(Serialize)]
struct Decisions {
    decisions: Vec<DecisionAnswer>,
}

async fn decide(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named, Text(body): Text) -> Answer<Decisions> {
    caller.may(Action::Decide)?;
    let plugin: PluginName = name.parse().map_err(|_| Problem::not_found("rule set"))?;
    let body: DecisionsBody = serde_json::from_str(&body).map_err(|error| bad_request(&error))?;
    let cases = match (body.case, body.cases) {
        (Some(case), None) => vec![case],
        (None, Some(cases)) => cases,
        _ => return Err(Problem::new(StatusCode::BAD_REQUEST, "bad-request", "send either \"case\" or \"cases\"")),
    };
    if cases.len() > CASES_PER_REQUEST_MAX {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "too-many-cases",
            format!("{} cases, and a request has at most {CASES_PER_REQUEST_MAX}", cases.len()),
        ));
    }
    let question = Question {
        partner: caller.partner().clone(),
        plugin,
        settings: body.settings.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        within: std::time::Duration::from_millis(DECISIONS_MS_MAX),
    };
    let texts = cases.iter().map(ToString::to_string).collect();
    let answers = hub.decide(&question, texts).await?.into_iter().map(|answer| match answer {
        Ok(decided) => DecisionAnswer::Decided { release: decided.release.to_string(), decision: DecisionJson::from(&decided.decision) },
        Err(error) => DecisionAnswer::Refused { problem: error.into() },
    });
    Ok(Json(Decisions { decisions: answers.collect() }))
}

/// A defect: told as any other that is the hub's own.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    hub_fault(&"the answer panicked").into_response()
}

pub(super) fn bad_request(error: &dyn std::error::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-request", error.to_string())
}
