//! Releases: handed in, looked at, approved or refused, tried on what ran, activated, rolled back.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Body, Code, IfMatch, Named, Page, Problem, Single, Wanted, bad_request, reason};
use crate::api::wire::{ReleaseJson, ReviewJson};
use crate::ledger::Release;
use crate::model::grant::{Grant, Lent};
use crate::model::ids::{JobName, PluginName};
use crate::model::limits::{Limit, Limits};
use crate::run::{Approval, Hub, Review, Reviewed, RunError, TRIALS_MAX};

/// Room for a signature, and for what the form puts around both.
const AROUND_BYTES_MAX: u64 = 64 << 10;

/// Runs of each job that a release is tried on, where nobody says.
const TRIALS: u32 = 3;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    let most = Limits::default().get(Limit::ComponentBytes) + AROUND_BYTES_MAX;
    let upload = DefaultBodyLimit::max(usize::try_from(most).unwrap_or(usize::MAX));
    OpenApiRouter::new()
        .routes(routes!(hand_in))
        .layer(upload)
        .routes(routes!(releases))
        .routes(routes!(release))
        .routes(routes!(approve_release))
        .routes(routes!(refuse_release))
        .routes(routes!(retire_release))
        .routes(routes!(activate_release))
        .routes(routes!(try_release))
        .routes(routes!(roll_back))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReleasesQuery {
    /// Only of this plugin.
    plugin: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists releases, those too that nobody uses.
#[utoipa::path(
    get, path = "/api/v1/releases", tag = "releases", params(ReleasesQuery),
    responses((status = 200, description = "Releases.", body = Page<ReleaseJson>))
)]
async fn releases(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<ReleasesQuery>,
) -> Result<Json<Page<ReleaseJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let mut all = hub.ledger().releases(caller.scope()).await?;
    all.retain(|release| query.plugin.as_ref().is_none_or(|plugin| release.release.key.plugin.as_str() == plugin));
    let key = |release: &Release| format!("{} {:020} {}", release.release.key.plugin, release.added_at_ms, release.release.key.digest);
    Ok(Json(Page::cut(all, &wanted, key)?.map(|release| ReleaseJson::from(release))))
}

/// The release that an address names: by its digest or the beginning of it.
pub(super) async fn found(hub: &Hub, caller: &Caller, release: &str) -> Result<Release, Problem> {
    Ok(hub.find_release(Some(caller.partner()), release).await?)
}

async fn reviewed(hub: &Hub, caller: &Caller, release: &str) -> Result<ReviewJson, Problem> {
    let release = found(hub, caller, release).await?;
    Ok(hub.review_release(&release.release.key).await?.into())
}

/// One release, with what it may do and what is different from the active one: what an approver reads.
#[utoipa::path(
    get, path = "/api/v1/releases/{release}", tag = "releases",
    responses((status = 200, description = "The release.", body = ReviewJson, headers(("ETag" = String, description = "Its state, for If-None-Match and If-Match."))))
)]
async fn release(State(hub): State<Hub>, Bearer(caller): Bearer, Named(release): Named) -> Result<Single<ReviewJson>, Problem> {
    caller.may(Action::Read)?;
    Ok(Single(reviewed(&hub, &caller, &release).await?))
}

/// A component and its signature, as files of a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece, and never held as this")]
struct Handed {
    /// The component, as `bailiwick plugin build` made it.
    #[schema(value_type = String, format = Binary)]
    component: Vec<u8>,
    /// Its signature, as `bailiwick plugin sign` or minisign made it; before or after the component.
    #[schema(value_type = Option<String>, format = Binary)]
    signature: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct HandedIn {
    plugin: String,
    version: String,
    digest: String,
    /// Whether it was not there before.
    new: bool,
    /// The cases that it brings, all of which came out as they say.
    cases: usize,
    signed_by: Option<String>,
    /// What of the partner's jobs, tables and grants would not fit it, each a sentence: it cannot be activated before that is put right.
    jobs_that_do_not_fit: Vec<String>,
}

/// Hands a component in. It is checked, compiled and judged by the cases that it brings; no run uses it until it is activated.
///
/// The same component may be handed in again: it is named by its bytes.
#[utoipa::path(
    post, path = "/api/v1/releases", tag = "releases", request_body(content = Handed, content_type = "multipart/form-data"),
    responses((status = 201, description = "It is kept.", body = HandedIn), (status = 200, description = "It was there already.", body = HandedIn))
)]
async fn hand_in(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<HandedIn>), Problem> {
    caller.may(Action::Upload)?;
    let mut form = form.map_err(|refused| bad_request(&refused.body_text()))?;
    let (mut component, mut signature) = (None, None);
    while let Some(mut field) = form.next_field().await.map_err(|error| unread(&error))? {
        match field.name() {
            Some("component") if component.is_none() => {
                let mut upload = hub.begin_upload()?;
                while let Some(piece) = field.chunk().await.map_err(|error| unread(&error))? {
                    upload.take(&piece).await?;
                }
                component = Some(upload);
            }
            Some("signature") if signature.is_none() => {
                let mut text = Vec::new();
                while let Some(piece) = field.chunk().await.map_err(|error| unread(&error))? {
                    text.extend_from_slice(&piece);
                    if text.len() as u64 > AROUND_BYTES_MAX {
                        return Err(Problem::new(Code::BodyTooLarge, "a signature has four lines, and not so many bytes"));
                    }
                }
                signature = Some(String::from_utf8(text).map_err(|_| bad_request(&"a signature is text"))?);
            }
            _ => return Err(bad_request(&"the form has a file \"component\" and, if it is signed, a file \"signature\", once each")),
        }
    }
    let component = component.ok_or_else(|| bad_request(&"the form has no file \"component\""))?;
    let by = caller.by(hub.id(), hub.clock().now_ms());
    let pushed = hub.push_upload((caller.partner(), signature), component, &by).await?;
    let status = if pushed.new { StatusCode::CREATED } else { StatusCode::OK };
    let told = HandedIn {
        plugin: pushed.key.plugin.to_string(),
        version: pushed.version,
        digest: pushed.key.digest.to_string(),
        new: pushed.new,
        cases: pushed.cases,
        signed_by: pushed.signed_by,
        jobs_that_do_not_fit: pushed.unfit,
    };
    Ok((status, Json(told)))
}

fn unread(error: &MultipartError) -> Problem {
    let code = if error.status() == StatusCode::PAYLOAD_TOO_LARGE { Code::BodyTooLarge } else { Code::BadRequest };
    Problem::new(code, error.body_text())
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct JudgeBody {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: String,
}

/// What was read, what is granted of it, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApproveBody {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: String,
    /// The review that was read: `review` of the release.
    review: String,
    /// What is granted of all that it asks for, as `asks-for` of the release has it; all of it where nothing is said.
    grant: Option<Vec<String>>,
    /// Or what of it is kept back, such as `log` or `table:rates`.
    #[serde(default)]
    without: Vec<String>,
    /// The most of a limit, by its name.
    #[serde(default)]
    limits: BTreeMap<String, u64>,
}

impl ApproveBody {
    /// What is granted, by a review that is of the release as it stands.
    fn grant(&self, review: &Review) -> Result<Grant, Problem> {
        let lent = |names: &[String]| names.iter().map(|name| name.parse::<Lent>()).collect::<Result<BTreeSet<_>, _>>();
        let mut without = lent(&self.without).map_err(|error| bad_request(&error))?;
        if let Some(granted) = &self.grant {
            without.extend(review.all_but(&lent(granted).map_err(|error| bad_request(&error))?).map_err(RunError::from)?);
        }
        let limit = |(name, most): (&String, &u64)| {
            let known = Limits::named(name).ok_or_else(|| bad_request(&format!("there is no limit {name}: see /api/v1/limits")))?;
            Ok((known, *most))
        };
        Ok(Grant { without, limits: self.limits.iter().map(limit).collect::<Result<_, Problem>>()? })
    }
}

/// Says that runs may use a release, and what of all that it asks for it is lent. Nobody approves what they handed in.
#[utoipa::path(
    post, path = "/api/v1/releases/{release}/approve", tag = "releases", request_body = ApproveBody,
    responses((status = 200, description = "The release.", body = ReviewJson), (status = 409, description = "The review is of how things stood before."))
)]
async fn approve_release(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(release): Named,
    Body(body): Body<ApproveBody>,
) -> Result<Single<ReviewJson>, Problem> {
    caller.may(Action::Approve)?;
    let why = reason(&body.reason)?;
    let key = found(&hub, &caller, &release).await?.release.key;
    let grant = body.grant(&hub.review_release(&key).await?)?;
    let approval = Approval { key: &key, review: &body.review, grant, why };
    hub.approve_release(&approval, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    Ok(Single(reviewed(&hub, &caller, &release).await?))
}

/// Says that runs may not use a release. One that is active stays so until another is.
#[utoipa::path(
    post, path = "/api/v1/releases/{release}/refuse", tag = "releases", request_body = JudgeBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the release as it was read.")),
    responses((status = 200, description = "The release.", body = ReviewJson))
)]
async fn refuse_release(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(release): Named,
    when: IfMatch,
    Body(body): Body<JudgeBody>,
) -> Result<Single<ReviewJson>, Problem> {
    caller.may(Action::Approve)?;
    let why = reason(&body.reason)?;
    let key = found(&hub, &caller, &release).await?.release.key;
    let (hub, caller, key) = (&hub, &caller, &key);
    let refuse = |by| async move { hub.refuse_release(key, why, &by).await.map(|done| (done, ())) };
    when.edit((hub, caller), || reviewed(hub, caller, &release), refuse).await?;
    Ok(Single(reviewed(hub, caller, &release).await?))
}

/// Gives a release up: no run begins with it any more. One that is used is not given up.
#[utoipa::path(
    post, path = "/api/v1/releases/{release}/retire", tag = "releases", request_body = JudgeBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the release as it was read.")),
    responses((status = 200, description = "The release.", body = ReviewJson), (status = 409, description = "It is used."))
)]
async fn retire_release(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(release): Named,
    when: IfMatch,
    Body(body): Body<JudgeBody>,
) -> Result<Single<ReviewJson>, Problem> {
    caller.may(Action::Approve)?;
    let why = reason(&body.reason)?;
    let key = found(&hub, &caller, &release).await?.release.key;
    let (hub, caller, key) = (&hub, &caller, &key);
    let retire = |by| async move { hub.retire_release(key, why, &by).await.map(|done| (done, ())) };
    when.edit((hub, caller), || reviewed(hub, caller, &release), retire).await?;
    Ok(Single(reviewed(hub, caller, &release).await?))
}

/// What was read before.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ActivateBody {
    /// The review that was read: `review` of the release.
    review: Option<String>,
    /// The trials that were seen: `code` of the release's trials.
    trials: Option<String>,
}

/// Makes a release the one that runs use, from their next claim on; only as it was read, where the body or If-Match says how that was.
#[utoipa::path(
    post, path = "/api/v1/releases/{release}/activate", tag = "releases", request_body = Option<ActivateBody>,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the release as it was read.")),
    responses((status = 200, description = "The release.", body = ReviewJson), (status = 409, description = "A job does not fit it, or it is not as it was read."))
)]
async fn activate_release(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(release): Named,
    when: IfMatch,
    Body(body): Body<ActivateBody>,
) -> Result<Single<ReviewJson>, Problem> {
    caller.may(Action::Approve)?;
    let key = found(&hub, &caller, &release).await?.release.key;
    let (hub, caller, key) = (&hub, &caller, &key);
    let of = Reviewed { key, review: body.review.as_deref(), trials: body.trials.as_deref() };
    let activate = |by| async move { hub.activate_release(of, &by).await.map(|done| (done, ())) };
    when.edit((hub, caller), || reviewed(hub, caller, &release), activate).await?;
    Ok(Single(reviewed(hub, caller, &release).await?))
}

/// On what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TryBody {
    /// Only on runs of this job.
    job: Option<String>,
    /// On how many of the last runs of each job that delivered; 3 where nothing is said.
    #[schema(minimum = 1, maximum = 100)]
    runs: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct TrialJson {
    /// The run that delivered.
    origin: String,
    /// The one that tries the release on its inputs. Its differences are at `/api/v1/runs/{run}/differences`.
    run: String,
}

#[derive(Serialize, ToSchema)]
struct Trials {
    items: Vec<TrialJson>,
}

/// Tries a release on the inputs of runs that delivered. Nothing is delivered.
#[utoipa::path(
    post, path = "/api/v1/releases/{release}/trials", tag = "releases", request_body = Option<TryBody>,
    responses((status = 202, description = "The runs, in the queue.", body = Trials), (status = 409, description = "No run has delivered, or a job does not fit the release."))
)]
async fn try_release(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(release): Named,
    Body(body): Body<TryBody>,
) -> Result<(StatusCode, Json<Trials>), Problem> {
    caller.may_any(&[Action::Run, Action::Approve])?;
    let job = body.job.map(|job| job.parse::<JobName>()).transpose().map_err(|error| bad_request(&error))?;
    let runs = body.runs.unwrap_or(TRIALS);
    if !(1..=TRIALS_MAX).contains(&runs) {
        return Err(bad_request(&format!("a release is tried on 1 to {TRIALS_MAX} runs of each job: runs is {runs}")));
    }
    let key = found(&hub, &caller, &release).await?.release.key;
    let trials = hub.try_release(&key, (job.as_ref(), runs), &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let items = trials.iter().map(|trial| TrialJson { origin: trial.origin.to_string(), run: trial.run.to_string() });
    Ok((StatusCode::ACCEPTED, Json(Trials { items: items.collect() })))
}

/// Makes the release of a plugin active again that was so before the one that is.
#[utoipa::path(
    post, path = "/api/v1/plugins/{plugin}/roll-back", tag = "releases",
    responses((status = 200, description = "The release that is active now.", body = ReviewJson))
)]
async fn roll_back(State(hub): State<Hub>, Bearer(caller): Bearer, Named(plugin): Named) -> Result<Single<ReviewJson>, Problem> {
    caller.may(Action::Approve)?;
    let plugin: PluginName = plugin.parse().map_err(|_| Problem::not_found("plugin"))?;
    let key = hub.roll_back_release(caller.partner(), &plugin, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    Ok(Single(reviewed(&hub, &caller, &key.digest.to_string()).await?))
}
