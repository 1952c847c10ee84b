//! Rejects in quarantine: listed, assigned, dismissed, written out for correction, brought back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Action;
use crate::api::answer::{Asked, Bearer, Body, Code, Named, Page, Problem, Wanted, bad_request, file_of, reason, streamed};
use crate::api::routes::run_id;
use crate::api::wire::{FindingJson, RunJson, moment};
use crate::ledger::{Chosen, FindingId, QuarantineFilter, Quarantined, Waiting, WaitingGroup};
use crate::model::ids::{JobName, RunId};
use crate::run::{Corrections, Hub, Look, RunError, View};

/// Longest name of somebody who sees to rejects, in characters.
const OWNER_CHARS_MAX: usize = 100;

const DAY_MS: i64 = 86_400_000;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(waiting))
        .routes(routes!(groups))
        .routes(routes!(assign))
        .routes(routes!(dismiss))
        .routes(routes!(corrections))
        .routes(routes!(resubmit))
}

/// A reject in quarantine, its values as somebody may see them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WaitingJson {
    partner: String,
    job: String,
    run: String,
    #[serde(flatten)]
    finding: FindingJson,
    due_at: String,
    age_days: i64,
    overdue: bool,
}

impl WaitingJson {
    /// A reject as somebody may see it, at a moment.
    ///
    /// # Errors
    /// [`RunError::Vault`] if what is kept of it cannot be opened.
    pub fn new(waiting: &Waiting, view: &View, now_ms: i64) -> Result<Self, RunError> {
        let since_ms = waiting.finding.quarantine.since_ms.unwrap_or(now_ms);
        Ok(Self {
            partner: waiting.partner.to_string(),
            job: waiting.job.to_string(),
            run: waiting.finding.id.run.to_string(),
            finding: FindingJson::new(&waiting.finding, view)?,
            due_at: moment(waiting.due_ms),
            age_days: (now_ms - since_ms).max(0) / DAY_MS,
            overdue: now_ms > waiting.due_ms,
        })
    }
}

/// Rejects of one job with one first reason.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct GroupJson {
    partner: String,
    job: String,
    code: String,
    rows: u64,
    unowned: u64,
    oldest_since: String,
    oldest_age_days: i64,
    overdue: bool,
}

impl GroupJson {
    /// A group, at a moment.
    #[must_use]
    pub fn new(group: &WaitingGroup, now_ms: i64) -> Self {
        Self {
            partner: group.partner.to_string(),
            job: group.job.to_string(),
            code: group.code.clone(),
            rows: group.rows,
            unowned: group.unowned,
            oldest_since: moment(group.since_ms),
            oldest_age_days: (now_ms - group.since_ms).max(0) / DAY_MS,
            overdue: now_ms > group.due_ms,
        }
    }

    /// What tells it from the others.
    fn key(&self) -> String {
        format!("{}/{}", self.job, self.code)
    }
}

/// What became of a run's rejects.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct QuarantinedJson {
    waiting: u64,
    resubmitted: u64,
    dismissed: u64,
    superseded: u64,
}

impl From<Quarantined> for QuarantinedJson {
    fn from(all: Quarantined) -> Self {
        let Quarantined { waiting, resubmitted, dismissed, superseded } = all;
        Self { waiting, resubmitted, dismissed, superseded }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
struct WaitingQuery {
    /// Only of this job.
    job: Option<String>,
    /// Only of this run.
    run: Option<String>,
    /// Only with this reason.
    code: Option<String>,
    /// Only those that this person sees to; nothing for those to which nobody does.
    owner: Option<String>,
    /// Only those that have waited longer than so many days.
    older_than_days: Option<u32>,
    /// Whether personal values are wanted as they are: for a token with the scope see-personal. That they were shown is in the audit trail.
    #[serde(default)]
    personal: bool,
    cursor: Option<String>,
    limit: Option<u32>,
}

impl WaitingQuery {
    fn filter(&self, now_ms: i64) -> Result<QuarantineFilter, Problem> {
        Ok(QuarantineFilter {
            partner: None,
            job: self.job.as_ref().map(|job| job.parse::<JobName>()).transpose().map_err(|error| bad_request(&error))?,
            run: self.run.as_ref().map(|run| run.parse::<RunId>()).transpose().map_err(|error| bad_request(&error))?,
            code: self.code.clone(),
            owner: self.owner.clone(),
            since_ms: self.older_than_days.map(|days| now_ms - i64::from(days) * DAY_MS),
        })
    }
}

/// Lists rejects in quarantine, those that have waited longest first. Personal columns are masked.
#[utoipa::path(
    get, path = "/api/v1/rejects", tag = "rejects", params(WaitingQuery),
    responses((status = 200, description = "Rejects that wait.", body = Page<WaitingJson>))
)]
async fn waiting(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<WaitingQuery>,
) -> Result<Json<Page<WaitingJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let now_ms = hub.clock().now_ms();
    let after: Option<FindingId> = wanted.after()?;
    let page = hub.ledger().waiting(caller.scope(), &query.filter(now_ms)?, after, wanted.limit).await?;
    let by = caller.by(hub.id(), now_ms);
    let items = seen(&hub, &page.items, Look { scope: caller.scope(), sight: caller.sight(query.personal)?, by: &by }).await?;
    Ok(Json(Page::with(items, page.next.as_ref())))
}

/// Rejects of many runs, as somebody may see them.
///
/// # Errors
/// [`RunError`] if a run's release cannot be read, or what is kept of a reject cannot be opened.
pub async fn seen(hub: &Hub, waiting: &[Waiting], look: Look<'_>) -> Result<Vec<WaitingJson>, RunError> {
    let mut views: HashMap<RunId, View> = HashMap::new();
    for item in waiting {
        if let Entry::Vacant(entry) = views.entry(item.finding.id.run) {
            let view = hub.view(*entry.key(), look).await?;
            entry.insert(view);
        }
    }
    waiting.iter().map(|item| WaitingJson::new(item, &views[&item.finding.id.run], look.by.now_ms)).collect()
}

/// Counts rejects in quarantine by job and first reason.
#[utoipa::path(
    get, path = "/api/v1/rejects/groups", tag = "rejects", params(WaitingQuery),
    responses((status = 200, description = "Groups of rejects, by job and reason.", body = Page<GroupJson>))
)]
async fn groups(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<WaitingQuery>,
) -> Result<Json<Page<GroupJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let now_ms = hub.clock().now_ms();
    let groups = hub.ledger().waiting_groups(caller.scope(), &query.filter(now_ms)?).await?;
    let groups = groups.iter().map(|group| GroupJson::new(group, now_ms)).collect();
    Ok(Json(Page::cut(groups, &wanted, GroupJson::key)?))
}

/// Who sees to which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssignBody {
    /// A name; an empty one for nobody.
    #[schema(max_length = 100)]
    owner: String,
    /// Only those with this reason.
    code: Option<String>,
    /// Only these, by their numbers.
    numbers: Option<Vec<u64>>,
}

/// Why, and which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DismissBody {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
    /// Only those with this reason.
    code: Option<String>,
    /// Only these, by their numbers.
    numbers: Option<Vec<u64>>,
}

#[derive(Serialize, ToSchema)]
struct Changed {
    /// How many were changed.
    rows: u64,
}

/// Says who sees to a run's rejects.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/rejects/assign", tag = "rejects", request_body = AssignBody,
    responses((status = 200, description = "They are assigned.", body = Changed), (status = 409, description = "The run has not closed, or they have left quarantine."))
)]
async fn assign(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Body(body): Body<AssignBody>,
) -> Result<Json<Changed>, Problem> {
    caller.may(Action::Correct)?;
    let owner = body.owner.trim();
    if owner.chars().count() > OWNER_CHARS_MAX {
        return Err(Problem::new(Code::BadRequest, format!("an owner has at most {OWNER_CHARS_MAX} characters")));
    }
    let chosen = Chosen { code: body.code, numbers: body.numbers };
    let (id, scope) = (run_id(&run)?, caller.scope());
    Ok(Json(Changed { rows: hub.ledger().assign_rejects(scope, (id, &chosen), owner, &caller.by(hub.id(), hub.clock().now_ms())).await? }))
}

/// Takes a run's rejects out of quarantine: nothing more is to be done about them.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/rejects/dismiss", tag = "rejects", request_body = DismissBody,
    responses((status = 200, description = "They are dismissed.", body = Changed), (status = 409, description = "The run has not closed, or they have left quarantine."))
)]
async fn dismiss(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Body(body): Body<DismissBody>,
) -> Result<Json<Changed>, Problem> {
    caller.may(Action::Correct)?;
    let chosen = Chosen { code: body.code, numbers: body.numbers };
    let (id, scope, by) = (run_id(&run)?, caller.scope(), caller.by(hub.id(), hub.clock().now_ms()));
    Ok(Json(Changed { rows: hub.ledger().dismiss_rejects(scope, (id, &chosen), reason(&body.reason)?, &by).await? }))
}

#[derive(Deserialize, Default, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct CorrectionsQuery {
    /// The plugin's input, where more than one has rejects.
    input: Option<String>,
}

/// Writes out a run's rejects as they stood in its file, personal data and all, for correction.
///
/// It is noted in the audit trail that they were written out.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/rejects/corrections", tag = "rejects", params(CorrectionsQuery),
    responses((status = 200, description = "The rows, with number and reason before each.", body = Vec<u8>, content_type = "application/octet-stream"), (status = 409, description = "None waits, or they cannot come back."), (status = 410, description = "The file is not kept any more."))
)]
async fn corrections(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<CorrectionsQuery>,
) -> Result<Response, Problem> {
    caller.may(Action::Correct)?;
    caller.may(Action::SeePersonal)?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    let written = hub.rejects_for_correction(scope, id, query.input.as_deref(), &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let content = written.content.read().map_err(RunError::from)?;
    let mut response = streamed(Box::new(content)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"rejects\""));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(written.content.stored().size));
    Ok(response)
}

#[derive(Deserialize, Default, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ResubmissionQuery {
    /// The plugin's input, where more than one has rejects.
    input: Option<String>,
    /// Run with the job, release and tables that are in force now, instead of those of the first run.
    afresh: bool,
}

/// Brings corrected rows back, as a run of their own.
///
/// The file goes to the hub's disk as it comes, sealed, and may have 64 MiB.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/resubmissions", tag = "rejects", params(ResubmissionQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The corrected file, with the numbers that were put before each row."),
    responses((status = 202, description = "The new run.", body = RunJson), (status = 409, description = "The file cannot come back, or a reject may not."), (status = 410, description = "A file of the first run is not kept any more."))
)]
async fn resubmit(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<ResubmissionQuery>,
    request: Request,
) -> Result<(StatusCode, Json<RunJson>), Problem> {
    caller.may(Action::Correct)?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    // Before its file is taken.
    hub.ledger().run(scope, id).await?.ok_or_else(|| Problem::not_found("run"))?;
    let file = file_of(&hub, &caller, request).await?;
    let content = Box::new(file.read().map_err(RunError::from)?);
    let corrections = Corrections { port: query.input, content, afresh: query.afresh };
    let made = hub.resubmit(scope, id, corrections, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let made = hub.ledger().run(scope, made).await?.ok_or_else(|| Problem::not_found("run"))?;
    Ok((StatusCode::ACCEPTED, Json(RunJson::new(&made))))
}
