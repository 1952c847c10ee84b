//! Rejects in quarantine: listed, assigned, dismissed, written out for correction, brought back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::reason;
use crate::access::Action;
use crate::api::answer::{Bearer, Named, Problem, Text};
use crate::api::routes::{PAGE_ITEMS, Page, bad_request, run_id};
use crate::api::wire::{FindingJson, RunJson, moment};
use crate::ledger::{Chosen, FindingId, QuarantineFilter, Quarantined, Waiting, WaitingGroup};
use crate::model::ids::{JobName, RunId};
use crate::run::{Corrections, Hub, Look, RunError, View};

/// Longest name of somebody who sees to rejects, in characters.
const OWNER_CHARS_MAX: usize = 100;

const DAY_MS: i64 = 86_400_000;

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/api/v1/rejects", get(waiting))
        .route("/api/v1/rejects/groups", get(groups))
        .route("/api/v1/runs/{run}/rejects/assign", post(assign))
        .route("/api/v1/runs/{run}/rejects/dismiss", post(dismiss))
        .route("/api/v1/runs/{run}/rejects/corrections", get(corrections))
        .route("/api/v1/runs/{run}/resubmissions", post(resubmit))
}

/// A reject in quarantine, its values as somebody may see them.
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
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
}

/// What became of a run's rejects.
#[derive(Debug, Serialize)]
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WaitingQuery {
    job: Option<String>,
    run: Option<String>,
    code: Option<String>,
    owner: Option<String>,
    older_than_days: Option<u32>,
    after: Option<String>,
    limit: Option<u32>,
    /// Whether personal values are wanted as they are.
    #[serde(default)]
    personal: bool,
}

impl WaitingQuery {
    fn filter(&self, now_ms: i64) -> Result<QuarantineFilter, Problem> {
        Ok(QuarantineFilter {
            partner: None,
            job: self.job.as_ref().map(|job| job.parse::<JobName>()).transpose().map_err(|error| bad_request(&error))?,
            run: self.run.as_deref().map(run_id).transpose()?,
            code: self.code.clone(),
            owner: self.owner.clone(),
            since_ms: self.older_than_days.map(|days| now_ms - i64::from(days) * DAY_MS),
        })
    }
}

async fn waiting(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    query: Result<Query<WaitingQuery>, QueryRejection>,
) -> Result<Json<Page<WaitingJson>>, Problem> {
    caller.may(Action::Read)?;
    let Query(query) = query.map_err(|error| bad_request(&error))?;
    let now_ms = hub.clock().now_ms();
    let after = query.after.as_ref().map(|after| after.parse::<FindingId>()).transpose().map_err(|error| bad_request(&error))?;
    let scope = caller.scope();
    let page = hub.ledger().waiting(scope, &query.filter(now_ms)?, after, query.limit.unwrap_or(PAGE_ITEMS)).await?;
    let by = caller.by(hub.id(), now_ms);
    let items = seen(&hub, &page.items, Look { scope, sight: caller.sight(query.personal)?, by: &by }).await?;
    Ok(Json(Page { items, next: page.next.map(|after| after.to_string()) }))
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

async fn groups(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    query: Result<Query<WaitingQuery>, QueryRejection>,
) -> Result<Json<Page<GroupJson>>, Problem> {
    caller.may(Action::Read)?;
    let Query(query) = query.map_err(|error| bad_request(&error))?;
    let now_ms = hub.clock().now_ms();
    let groups = hub.ledger().waiting_groups(caller.scope(), &query.filter(now_ms)?).await?;
    Ok(Json(Page { items: groups.iter().map(|group| GroupJson::new(group, now_ms)).collect(), next: None }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssignBody {
    /// An empty name for nobody.
    owner: String,
    code: Option<String>,
    numbers: Option<Vec<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DismissBody {
    reason: String,
    code: Option<String>,
    numbers: Option<Vec<u64>>,
}

#[derive(Serialize)]
struct Changed {
    rows: u64,
}

async fn assign(State(hub): State<Hub>, Bearer(caller): Bearer, Named(run): Named, Text(body): Text) -> Result<Json<Changed>, Problem> {
    caller.may(Action::Run)?;
    let body: AssignBody = serde_json::from_str(&body).map_err(|error| bad_request(&error))?;
    let owner = body.owner.trim();
    if owner.chars().count() > OWNER_CHARS_MAX {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad-request", format!("an owner has at most {OWNER_CHARS_MAX} characters")));
    }
    let chosen = Chosen { code: body.code, numbers: body.numbers };
    let (id, scope) = (run_id(&run)?, caller.scope());
    Ok(Json(Changed { rows: hub.ledger().assign_rejects(scope, (id, &chosen), owner, &caller.by(hub.id(), hub.clock().now_ms())).await? }))
}

async fn dismiss(State(hub): State<Hub>, Bearer(caller): Bearer, Named(run): Named, Text(body): Text) -> Result<Json<Changed>, Problem> {
    caller.may(Action::Run)?;
    let body: DismissBody = serde_json::from_str(&body).map_err(|error| bad_request(&error))?;
    let chosen = Chosen { code: body.code, numbers: body.numbers };
    let (id, scope) = (run_id(&run)?, caller.scope());
    Ok(Json(Changed {
        rows: hub.ledger().dismiss_rejects(scope, (id, &chosen), reason(&body.reason)?, &caller.by(hub.id(), hub.clock().now_ms())).await?,
    }))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct CorrectionsQuery {
    input: Option<String>,
    afresh: bool,
}

/// The rows as they stood in the file, personal data and all: for a token that may see it.
async fn corrections(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    query: Result<Query<CorrectionsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    caller.may(Action::Correct)?;
    caller.may(Action::SeePersonal)?;
    let Query(query) = query.map_err(|error| bad_request(&error))?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    let written = hub.rejects_for_correction(scope, id, query.input.as_deref(), &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let mut response = written.content.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"rejects\""));
    Ok(response)
}

async fn resubmit(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    query: Result<Query<CorrectionsQuery>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<RunJson>), Problem> {
    caller.may(Action::Correct)?;
    let Query(query) = query.map_err(|error| bad_request(&error))?;
    let body = body.map_err(|refused| Problem::new(refused.status(), "body-too-large", refused.body_text()))?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    let corrections = Corrections { port: query.input, content: body.to_vec(), afresh: query.afresh };
    let made = hub.resubmit(scope, id, corrections, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let made = hub.ledger().run(scope, made).await?.ok_or_else(|| Problem::not_found("run"))?;
    Ok((StatusCode::ACCEPTED, Json(RunJson::new(&made))))
}
