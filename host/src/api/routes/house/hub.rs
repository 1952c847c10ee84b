//! The hub as a caller sees it: who they are here, how much waits, what limits there are, how long what is kept.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Caller};
use crate::api::answer::{Bearer, Code, Problem, Single};
use crate::api::wire::moment;
use crate::model::job::Partner;
use crate::model::limits::LIMITS;
use crate::run::{GONE_MS, Hub, Retained};

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(hub_stands))
        .routes(routes!(hubs))
        .routes(routes!(limits))
        .routes(routes!(partner))
        .routes(routes!(retention))
        .routes(routes!(retain))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct HubJson {
    /// The hub that answers; several may share the work.
    hub: String,
    version: &'static str,
    /// sqlite or postgres.
    database: &'static str,
    /// Whether this hub works, and does not only answer.
    works: bool,
    now: String,
    /// The partner's runs, by state.
    runs: BTreeMap<String, u64>,
}

/// How the hub stands, and how many of the partner's runs are in which state.
#[utoipa::path(get, path = "/api/v1/hub", tag = "hub", responses((status = 200, description = "The hub.", body = HubJson)))]
async fn hub_stands(State(hub): State<Hub>, Bearer(caller): Bearer) -> Result<Json<HubJson>, Problem> {
    caller.may(Action::Read)?;
    let runs = hub.ledger().run_counts(caller.scope()).await?;
    Ok(Json(HubJson {
        hub: hub.id().to_string(),
        version: env!("CARGO_PKG_VERSION"),
        database: hub.ledger().database(),
        works: hub.works(),
        now: hub.clock().now().to_string(),
        runs: runs.into_iter().map(|(state, runs)| (state.as_str().to_owned(), runs)).collect(),
    }))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct OneHubJson {
    name: String,
    version: String,
    started_at: String,
    /// When it last gave word that it is there, which a hub that works does every few seconds.
    seen_at: String,
    /// Whether that is so short a time ago that it is at work.
    at_work: bool,
    /// How many runs of the caller's partner it is at.
    runs: u64,
}

#[derive(Serialize, ToSchema)]
struct Hubs {
    items: Vec<OneHubJson>,
}

/// Lists the hubs that share the work, each with when it last gave word and how many of the partner's runs it is at.
#[utoipa::path(get, path = "/api/v1/hubs", tag = "hub", responses((status = 200, description = "Hubs, by name.", body = Hubs)))]
async fn hubs(State(hub): State<Hub>, Bearer(caller): Bearer) -> Result<Json<Hubs>, Problem> {
    caller.may(Action::Read)?;
    let now_ms = hub.clock().now_ms();
    let items = hub.hubs(caller.scope()).await?.into_iter().map(|one| OneHubJson {
        name: one.hub.to_string(),
        version: one.version,
        started_at: moment(one.started_at_ms),
        seen_at: moment(one.seen_at_ms),
        at_work: now_ms - one.seen_at_ms <= GONE_MS,
        runs: one.runs,
    });
    Ok(Json(Hubs { items: items.collect() }))
}

#[derive(Serialize, ToSchema)]
struct LimitFactJson {
    name: &'static str,
    /// In force where nobody asks for another.
    default: u64,
    /// The highest that an operator may allow.
    ceiling: u64,
    why: &'static str,
}

#[derive(Serialize, ToSchema)]
struct LimitFacts {
    items: Vec<LimitFactJson>,
}

/// Lists every limit of a plugin: its default, the highest that may be allowed, and why it exists.
#[utoipa::path(
    get, path = "/api/v1/limits", tag = "hub",
    responses((status = 200, description = "Limits.", body = LimitFacts, headers(("ETag" = String, description = "For If-None-Match."))))
)]
async fn limits(Bearer(caller): Bearer) -> Result<Single<LimitFacts>, Problem> {
    caller.may(Action::Read)?;
    let items = LIMITS.iter().map(|fact| LimitFactJson { name: fact.name, default: fact.default, ceiling: fact.ceiling, why: fact.why });
    Ok(Single(LimitFacts { items: items.collect() }))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct PartnerJson {
    partner: String,
    title: String,
    /// What it asks of a release before its runs use it: open, signed, approved or three-persons.
    releases: String,
    /// How many of its runs may be under way at one time.
    runs_at_once: Option<u32>,
    /// Who calls.
    caller: String,
    /// What they may do.
    may: Vec<&'static str>,
}

/// The caller's partner, as it is declared.
async fn declared(hub: &Hub, caller: &Caller) -> Result<Partner, Problem> {
    let partners = hub.ledger().partners(caller.scope()).await?;
    partners.into_iter().next().ok_or_else(|| Problem::new(Code::TokenRefused, "the partner of this token is not declared any more"))
}

/// The partner that a token belongs to, and what the token may do.
#[utoipa::path(
    get, path = "/api/v1/partner", tag = "access",
    responses((status = 200, description = "The partner and the caller.", body = PartnerJson, headers(("ETag" = String, description = "For If-None-Match."))))
)]
async fn partner(State(hub): State<Hub>, Bearer(caller): Bearer) -> Result<Single<PartnerJson>, Problem> {
    let partner = declared(&hub, &caller).await?;
    Ok(Single(PartnerJson {
        partner: partner.name.to_string(),
        title: partner.title,
        releases: partner.releases.as_str().to_owned(),
        runs_at_once: partner.runs_at_once,
        caller: caller.actor().to_string(),
        may: Action::ALL.into_iter().filter(|action| caller.can(*action)).map(Action::name).collect(),
    }))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct RetentionJson {
    /// Days that files of runs are kept; none for good. The others likewise.
    artefacts_days: Option<u32>,
    /// What rejects held, warnings, and what plugins noted.
    rejects_days: Option<u32>,
    /// Events that say no more than totals and receipts do.
    events_days: Option<u32>,
}

/// How long what is kept of the partner's runs. The hub gives up by itself, hour by hour, what is older.
#[utoipa::path(
    get, path = "/api/v1/retention", tag = "hub",
    responses((status = 200, description = "Days.", body = RetentionJson, headers(("ETag" = String, description = "For If-None-Match."))))
)]
async fn retention(State(hub): State<Hub>, Bearer(caller): Bearer) -> Result<Single<RetentionJson>, Problem> {
    caller.may(Action::Read)?;
    let kept = declared(&hub, &caller).await?.retention;
    let (artefacts_days, rejects_days, events_days) = (kept.artefacts_days, kept.rejects_days, kept.events_days);
    Ok(Single(RetentionJson { artefacts_days, rejects_days, events_days }))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct RetainedJson {
    /// Runs whose files expired.
    runs: u64,
    /// Runs whose rejects were cleared.
    rejects: u64,
    /// Runs whose log was trimmed.
    logs: u64,
    /// Files removed.
    artefacts: u64,
    /// Their bytes.
    artefact_bytes: u64,
    /// Whether there is more: ask again.
    more: bool,
}

/// Gives up now what is older than the partner keeps it, as far as that goes in one call.
///
/// The hub does so by itself, hour by hour. What a run waits for or another still reads from stays.
#[utoipa::path(
    post, path = "/api/v1/retention/apply", tag = "hub",
    responses((status = 200, description = "What was given up.", body = RetainedJson))
)]
async fn retain(State(hub): State<Hub>, Bearer(caller): Bearer) -> Result<Json<RetainedJson>, Problem> {
    caller.may(Action::Configure)?;
    let Retained { runs, rejects, logs, artefacts, artefact_bytes, more } =
        hub.retain_of(caller.partner(), &caller.by(hub.id(), hub.clock().now_ms())).await?;
    Ok(Json(RetainedJson { runs, rejects, logs, artefacts, artefact_bytes, more }))
}
