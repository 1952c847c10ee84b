//! A release beside the active one: in parallel, as a canary; what its trials came to, and what people say of that.
//!
//! It must not know how runs are chosen or compared.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::releases::found;
use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Body, IfMatch, Named, Page, Problem, Single, Wanted, bad_request, reason};
use crate::api::wire::{CandidateJson, ProofJson};
use crate::ledger::{CanaryBounds, Candidate, CandidateWay, ReleaseKey};
use crate::model::ids::{NotADigest, PluginName};
use crate::run::{Hub, Reviewed};

/// What lets somebody do what delivers nothing, or takes something back.
const CAREFUL: &[Action] = &[Action::Run, Action::Approve];

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(candidates))
        .routes(routes!(proof))
        .routes(routes!(run_parallel))
        .routes(routes!(begin_canary))
        .routes(routes!(explain_difference))
        .routes(routes!(end_candidate))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CandidatesQuery {
    /// Only of this plugin.
    plugin: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists releases that stand or stood beside active ones.
#[utoipa::path(
    get, path = "/api/v1/candidates", tag = "releases", params(CandidatesQuery),
    responses((status = 200, description = "Releases beside active ones.", body = Page<CandidateJson>))
)]
async fn candidates(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<CandidatesQuery>,
) -> Result<Json<Page<CandidateJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let mut all = hub.candidates(caller.scope(), None).await?;
    all.retain(|candidate| query.plugin.as_ref().is_none_or(|plugin| candidate.key.plugin.as_str() == plugin));
    all.sort_by_key(key);
    Ok(Json(Page::cut(all, &wanted, key)?.map(|candidate| CandidateJson::from(candidate))))
}

/// What puts candidates in an order that stays.
fn key(candidate: &Candidate) -> String {
    format!("{} {:010}", candidate.key.plugin, candidate.number)
}

async fn proven(hub: &Hub, caller: &Caller, key: &ReleaseKey) -> Result<ProofJson, Problem> {
    let all = hub.candidates(caller.scope(), Some(&key.plugin)).await?;
    let beside = all.iter().find(|candidate| candidate.ended.is_none() && candidate.key == *key);
    Ok(ProofJson::new(&hub.proof(key).await?, beside))
}

/// What trials of a release came to, whether that is enough to activate it, and how it stands beside the active one.
#[utoipa::path(
    get, path = "/api/v1/releases/{release}/trials", tag = "releases",
    responses((status = 200, description = "Its trials.", body = ProofJson, headers(("ETag" = String, description = "Its state, for If-None-Match and If-Match."))))
)]
async fn proof(State(hub): State<Hub>, Bearer(caller): Bearer, Named(release): Named) -> Result<Single<ProofJson>, Problem> {
    caller.may(Action::Read)?;
    let key = found(&hub, &caller, &release).await?.release.key;
    Ok(Single(proven(&hub, &caller, &key).await?))
}

async fn begin(hub: &Hub, (caller, when): (&Caller, &IfMatch), (release, way): (&str, CandidateWay)) -> Result<Single<ProofJson>, Problem> {
    let key = found(hub, caller, release).await?.release.key;
    let key = &key;
    let put = |by| async move { hub.begin_candidate(key, way, &by).await.map(|()| (true, ())) };
    when.edit((hub, caller), || proven(hub, caller, key), put).await?;
    Ok(Single(proven(hub, caller, key).await?))
}

/// Does every run again with a release, beside the active one, from now on. That delivers nothing; what differs is kept.
///
/// It takes the place of any other release that stands beside the active one of its plugin.
#[utoipa::path(
    post, path = "/api/v1/releases/{release}/parallel", tag = "releases",
    params(("If-Match" = Option<String>, Header, description = "The ETag of its trials as they were read.")),
    responses((status = 200, description = "How it stands.", body = ProofJson), (status = 409, description = "A job does not fit it."))
)]
async fn run_parallel(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(release): Named,
    when: IfMatch,
) -> Result<Single<ProofJson>, Problem> {
    caller.may_any(CAREFUL)?;
    begin(&hub, (&caller, &when), (&release, CandidateWay::Parallel)).await
}

/// A share of the runs, and what takes them back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CanaryBody {
    /// Of a hundred runs.
    #[schema(minimum = 1, maximum = 100)]
    share: u32,
    /// Failed runs that it may have; one more takes it back.
    #[serde(default)]
    #[schema(maximum = 1000)]
    failures_max: u32,
    /// Held runs that it may have.
    #[serde(default)]
    #[schema(maximum = 1000)]
    held_max: u32,
    /// Longest time for the rows of one run, in milliseconds.
    #[schema(maximum = 86_400_000)]
    took_ms_max: Option<u64>,
}

impl CanaryBody {
    fn bounds(&self) -> Result<CanaryBounds, Problem> {
        let within = [
            ("share", u64::from(self.share), 1, 100),
            ("failures-max", u64::from(self.failures_max), 0, 1_000),
            ("held-max", u64::from(self.held_max), 0, 1_000),
            ("took-ms-max", self.took_ms_max.unwrap_or_default(), 0, 86_400_000),
        ];
        if let Some((name, amount, least, most)) = within.into_iter().find(|(_, amount, least, most)| !(least..=most).contains(&amount)) {
            return Err(bad_request(&format!("{name} is {amount}, and goes from {least} to {most}")));
        }
        let (share, failures_max) = (self.share * 100, self.failures_max);
        Ok(CanaryBounds { share, failures_max, held_max: self.held_max, took_ms_max: self.took_ms_max })
    }
}

/// Does a share of the runs with a release, from now on. They deliver; it is taken back by itself if they do badly.
#[utoipa::path(
    post, path = "/api/v1/releases/{release}/canary", tag = "releases", request_body = CanaryBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of its trials as they were read.")),
    responses((status = 200, description = "How it stands.", body = ProofJson), (status = 409, description = "A job does not fit it."))
)]
async fn begin_canary(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(release): Named,
    when: IfMatch,
    Body(body): Body<CanaryBody>,
) -> Result<Single<ProofJson>, Problem> {
    caller.may(Action::Approve)?;
    begin(&hub, (&caller, &when), (&release, CandidateWay::Canary(body.bounds()?))).await
}

/// Which difference, and why it is as it should be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExplainBody {
    /// The kind of difference, as a trial of the release has it: `return.employee_expected`, `rejects`.
    difference: String,
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: String,
    /// The trials that were seen: `code` of the release's trials. If another came to something else since, nothing is explained.
    trials: Option<String>,
}

/// Explains a kind of difference, for the trials that there are: for those that were seen alone, where the body or If-Match says which. Trials that were held for it alone go on. Nobody explains what they handed in.
#[utoipa::path(
    post, path = "/api/v1/releases/{release}/explanations", tag = "releases", request_body = ExplainBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of its trials as they were read.")),
    responses((status = 200, description = "Its trials.", body = ProofJson), (status = 409, description = "Other trials came to something else than those that were seen."))
)]
async fn explain_difference(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(release): Named,
    when: IfMatch,
    Body(body): Body<ExplainBody>,
) -> Result<Single<ProofJson>, Problem> {
    caller.may(Action::Approve)?;
    let why = reason(&body.reason)?;
    let key = found(&hub, &caller, &release).await?.release.key;
    let (hub, caller, key) = (&hub, &caller, &key);
    let of = Reviewed { trials: body.trials.as_deref(), ..Reviewed::from(key) };
    let difference = body.difference.as_str();
    let explain = |by| async move { hub.explain_difference(of, (difference, why), &by).await.map(|_| (true, ())) };
    when.edit((hub, caller), || proven(hub, caller, key), explain).await?;
    Ok(Single(proven(hub, caller, key).await?))
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndBody {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: String,
    /// The release that is meant, by the digest of its component: if another stands there by now, it stays. Any, where nothing is said.
    release: Option<String>,
}

/// Ends a parallel run or a canary: from the next claim on, runs are done with the active release alone.
#[utoipa::path(
    post, path = "/api/v1/plugins/{plugin}/end-candidate", tag = "releases", request_body = EndBody,
    responses((status = 200, description = "The release that stood beside the active one.", body = CandidateJson), (status = 409, description = "Another than the one that is meant stands there."))
)]
async fn end_candidate(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(plugin): Named,
    Body(body): Body<EndBody>,
) -> Result<Json<CandidateJson>, Problem> {
    caller.may_any(CAREFUL)?;
    let why = reason(&body.reason)?;
    let plugin: PluginName = plugin.parse().map_err(|_| Problem::not_found("plugin"))?;
    let meant = body.release.map(|digest| digest.parse()).transpose().map_err(|error: NotADigest| bad_request(&error))?;
    let ended = hub.end_candidate((caller.partner(), &plugin), (meant, why), &caller.by(hub.id(), hub.clock().now_ms())).await?;
    Ok(Json(CandidateJson::from(&ended)))
}
