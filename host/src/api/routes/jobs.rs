//! Jobs: what may run, when it runs by itself, and started, stopped and made up for by a person.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Body, Code, IfMatch, Named, Page, Problem, Single, Wanted, reason};
use crate::api::repeat::KEY;
use crate::api::wire::{JobDetailJson, JobJson, RunJson, moment};
use crate::ledger::StoredJob;
use crate::model::ids::JobName;
use crate::run::{Hub, Request};

/// Times of a job that are told ahead.
const TIMES_AHEAD: usize = 10;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(jobs))
        .routes(routes!(job))
        .routes(routes!(start_run))
        .routes(routes!(backfill))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JobsQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists jobs, each with its last run and its next time.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(JobsQuery), responses((status = 200, description = "Jobs, by name.", body = Page<JobJson>)))]
async fn jobs(State(hub): State<Hub>, Bearer(caller): Bearer, Asked(query): Asked<JobsQuery>) -> Result<Json<Page<JobJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let scope = caller.scope();
    let last = hub.ledger().last_runs(scope).await?;
    let page = Page::cut(hub.ledger().jobs(scope).await?, &wanted, |job| job.name.to_string())?;
    let mut items = Vec::new();
    for job in page.items() {
        let next = hub.next_time(job).await?;
        items.push(JobJson::new(job, last.iter().find(|run| *run.job() == job.name), next));
    }
    Ok(Json(page.told(items)))
}

async fn stored(hub: &Hub, caller: &Caller, job: &str) -> Result<StoredJob, Problem> {
    let name: JobName = job.parse().map_err(|_| Problem::not_found("job"))?;
    Ok(hub.ledger().job(caller.partner(), &name).await?)
}

async fn seen(hub: &Hub, caller: &Caller, job: &str) -> Result<JobDetailJson, Problem> {
    let job = stored(hub, caller, job).await?;
    let last = hub.ledger().last_runs(caller.scope()).await?;
    let times = hub.next_times(&job, TIMES_AHEAD).await?;
    let schedule = hub.schedule_of(&job).await?;
    Ok(JobDetailJson::new(&job, last.iter().find(|run| *run.job() == job.name), (schedule.as_ref(), &times)))
}

/// One job, with its schedule and its next ten times.
#[utoipa::path(
    get, path = "/api/v1/jobs/{job}", tag = "jobs",
    responses((status = 200, description = "The job.", body = JobDetailJson, headers(("ETag" = String, description = "Its state, for If-None-Match and If-Match."))))
)]
async fn job(State(hub): State<Hub>, Bearer(caller): Bearer, Named(job): Named) -> Result<Single<JobDetailJson>, Problem> {
    caller.may(Action::Read)?;
    Ok(Single(seen(&hub, &caller, &job).await?))
}

/// How the run is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StartBody {
    /// Do everything but deliver, and take no file.
    #[serde(default)]
    dry_run: bool,
}

/// Starts a run of a job, now.
///
/// It is put in the queue, and this answers at once. An Idempotency-Key starts one run of the job at most, however often it is sent.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/runs", tag = "jobs", request_body = Option<StartBody>,
    responses((status = 202, description = "The run is in the queue.", body = RunJson), (status = 200, description = "The run that this Idempotency-Key started before.", body = RunJson))
)]
async fn start_run(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(job): Named,
    headers: HeaderMap,
    Body(body): Body<StartBody>,
) -> Result<(StatusCode, Json<RunJson>), Problem> {
    caller.may(Action::Run)?;
    let job: JobName = job.parse().map_err(|_| Problem::not_found("job"))?;
    // Its own key in the ledger too, so that it starts one run though the hub is killed before its answer is kept.
    let key = headers.get(KEY).and_then(|key| key.to_str().ok()).map(ToOwned::to_owned);
    let request = Request { partner: caller.partner().clone(), job, dry_run: body.dry_run, key };
    let queued = hub.request(&request, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let run = hub.ledger().run(caller.scope(), queued.run).await?.ok_or_else(|| Problem::not_found("run"))?;
    if !queued.new && run.enqueued.dry_run != request.dry_run {
        let sentence = format!(
            "this Idempotency-Key started run {} with another body: send a new key, or the body that it was first sent with",
            run.id
        );
        return Err(Problem::new(Code::IdempotencyKeyReused, sentence));
    }
    Ok((if queued.new { StatusCode::ACCEPTED } else { StatusCode::OK }, Json(RunJson::new(&run))))
}

/// The days, of the schedule's own zone, both included.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BackfillBody {
    /// The first day, such as 2026-09-01.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// Do everything but deliver, and take no file.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct BackfilledJson {
    /// The time, as the schedule names it.
    slot: String,
    /// The moment.
    at: String,
    /// Its run.
    run: String,
    /// Whether the run was put in the queue now; otherwise it has run, or waits, already.
    new: bool,
}

#[derive(Serialize, ToSchema)]
struct Backfills {
    items: Vec<BackfilledJson>,
}

/// Runs a job for the times of some days gone by, each once.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/backfills", tag = "jobs", request_body = BackfillBody,
    responses((status = 202, description = "The runs, in the order of their times.", body = Backfills), (status = 409, description = "The job has no schedule, or these days cannot be asked for."))
)]
async fn backfill(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(job): Named,
    Body(body): Body<BackfillBody>,
) -> Result<(StatusCode, Json<Backfills>), Problem> {
    caller.may(Action::Run)?;
    let job = stored(&hub, &caller, &job).await?;
    let slots = hub.backfill(&job, (body.from, body.to), body.dry_run, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let items = slots.into_iter().map(|backfilled| BackfilledJson {
        slot: backfilled.slot.key,
        at: moment(backfilled.slot.instant.as_millisecond()),
        run: backfilled.run.to_string(),
        new: backfilled.new,
    });
    Ok((StatusCode::ACCEPTED, Json(Backfills { items: items.collect() })))
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PauseBody {
    /// For whoever wonders, and for the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: String,
}

/// Stops a job's schedule until it is resumed. A job that is paused stays so.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/pause", tag = "jobs", request_body = PauseBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the job as it was read.")),
    responses((status = 200, description = "The job.", body = JobDetailJson))
)]
async fn pause(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(job): Named,
    when: IfMatch,
    Body(body): Body<PauseBody>,
) -> Result<Single<JobDetailJson>, Problem> {
    caller.may(Action::Run)?;
    let why = reason(&body.reason)?;
    let name = stored(&hub, &caller, &job).await?.name;
    let (hub, caller, of) = (&hub, &caller, (caller.partner(), &name));
    let pause = |by| async move { hub.ledger().pause(of, why, &by).await.map(|paused| (paused, ())) };
    when.edit((hub, caller), || seen(hub, caller, &job), pause).await?;
    Ok(Single(seen(hub, caller, &job).await?))
}

/// Lets a paused job's schedule go on; its catch-up rule says what becomes of the times in between.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/resume", tag = "jobs",
    params(("If-Match" = Option<String>, Header, description = "The ETag of the job as it was read.")),
    responses((status = 200, description = "The job.", body = JobDetailJson))
)]
async fn resume(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(job): Named,
    when: IfMatch,
) -> Result<Single<JobDetailJson>, Problem> {
    caller.may(Action::Run)?;
    let name = stored(&hub, &caller, &job).await?.name;
    let (hub, caller, of) = (&hub, &caller, (caller.partner(), &name));
    let resume = |by| async move { hub.ledger().resume(of, &by).await.map(|resumed| (resumed, ())) };
    when.edit((hub, caller), || seen(hub, caller, &job), resume).await?;
    Ok(Single(seen(hub, caller, &job).await?))
}
