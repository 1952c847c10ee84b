//! What stands behind a run: events, notes of its plugin, deliveries, exchanges with providers, who was told.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::run_id;
use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Named, Page, Problem, Wanted};
use crate::api::wire::{EventJson, moment};
use crate::ledger::{Exchange, Notice, Receipt, SessionOf};
use crate::model::ids::RunId;
use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(run_events))
        .routes(routes!(run_log))
        .routes(routes!(run_deliveries))
        .routes(routes!(run_exchanges))
        .routes(routes!(run_notices))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    pub(super) cursor: Option<String>,
    pub(super) limit: Option<u32>,
}

/// The run that an address names, if it is the caller's.
pub(super) async fn own(hub: &Hub, caller: &Caller, run: &str) -> Result<RunId, Problem> {
    let id = run_id(run)?;
    hub.ledger().run(caller.scope(), id).await?.ok_or_else(|| Problem::not_found("run"))?;
    Ok(id)
}

/// Lists what happened to a run, oldest first.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/events", tag = "runs", params(PageQuery),
    responses((status = 200, description = "Events.", body = Page<EventJson>))
)]
async fn run_events(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<EventJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let id = own(&hub, &caller, &run).await?;
    let events = hub.ledger().events(caller.scope(), id, wanted.after()?.unwrap_or(0)).await?;
    Ok(Json(Page::cut(events, &wanted, |event| event.seq)?.map(EventJson::new)))
}

#[derive(Serialize, ToSchema)]
struct LogLineJson {
    number: u64,
    /// trace, debug, info, warn or error.
    level: String,
    message: String,
}

/// Lists what a run's plugin noted while it worked, oldest first.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/log", tag = "runs", params(PageQuery),
    responses((status = 200, description = "Notes.", body = Page<LogLineJson>))
)]
async fn run_log(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<LogLineJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let id = own(&hub, &caller, &run).await?;
    let page = hub.ledger().log_lines((caller.scope(), id), wanted.after()?, wanted.limit).await?;
    let line = |(number, line): &(u64, crate::ledger::LogLine)| LogLineJson {
        number: *number,
        level: line.level.clone(),
        message: line.message.clone(),
    };
    Ok(Json(Page::of(&page, line)))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct ReceiptJson {
    output: String,
    connection: String,
    /// What it is called there.
    target: String,
    /// SHA-256 of what was sent.
    digest: String,
    bytes: u64,
    /// What its receiver said.
    receipt: String,
    /// Whether it was there already, byte for byte, so that nothing was sent.
    already_there: bool,
    at: String,
}

impl ReceiptJson {
    fn new(receipt: &Receipt) -> Self {
        let sent = &receipt.delivered;
        Self {
            output: sent.port.clone(),
            connection: sent.connection.to_string(),
            target: sent.target.clone(),
            digest: sent.digest.to_string(),
            bytes: sent.size_bytes,
            receipt: sent.receipt.clone(),
            already_there: sent.already_there,
            at: moment(receipt.delivered_at_ms),
        }
    }
}

/// Lists what a run delivered, by output.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/deliveries", tag = "deliveries", params(PageQuery),
    responses((status = 200, description = "Deliveries.", body = Page<ReceiptJson>))
)]
async fn run_deliveries(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<ReceiptJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let id = own(&hub, &caller, &run).await?;
    let receipts = hub.ledger().receipts(caller.scope(), id).await?;
    Ok(Json(Page::cut(receipts, &wanted, |receipt| receipt.delivered.port.clone())?.map(ReceiptJson::new)))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct ExchangeJson {
    /// `pull:` and the input, or `push:` and the output.
    session: String,
    lease: u64,
    /// 1, 2, 3 within the session.
    seq: u64,
    method: String,
    /// SHA-256 of the request: its address and its body may speak of people, and are not told.
    request: String,
    /// SHA-256 of the answer's body, where it has one.
    body: Option<String>,
    sent_bytes: u64,
    received_bytes: u64,
    took_ms: u64,
    at: String,
}

impl ExchangeJson {
    fn new((of, exchange): &(SessionOf, Exchange)) -> Self {
        Self {
            session: of.session.clone(),
            lease: exchange.lease,
            seq: exchange.seq,
            method: exchange.method.clone(),
            request: exchange.request.to_string(),
            body: exchange.body.map(|body| body.to_string()),
            sent_bytes: exchange.sent_bytes,
            received_bytes: exchange.received_bytes,
            took_ms: exchange.took_ms,
            at: moment(exchange.at_ms),
        }
    }
}

/// Lists what a run's connectors asked of providers.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/exchanges", tag = "runs", params(PageQuery),
    responses((status = 200, description = "Exchanges, by session.", body = Page<ExchangeJson>))
)]
async fn run_exchanges(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<ExchangeJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let id = own(&hub, &caller, &run).await?;
    let mut all = Vec::new();
    for session in hub.ledger().sessions(caller.scope(), id).await? {
        let exchanges = hub.ledger().exchanges_of(&session).await?;
        all.extend(exchanges.into_iter().map(|exchange| (session.clone(), exchange)));
    }
    let place = |(of, exchange): &(SessionOf, Exchange)| format!("{} {:012} {:012}", of.session, exchange.lease, exchange.seq);
    Ok(Json(Page::cut(all, &wanted, place)?.map(ExchangeJson::new)))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct NoticeJson {
    /// The event of the run that it is about.
    event: u64,
    /// held, failed, delivered, skipped or overdue.
    about: &'static str,
    at: String,
    attempts: u64,
    /// When it is tried next; none once it is sent, or given up.
    next_at: Option<String>,
    sent_at: Option<String>,
    /// What the mail server said, or why it was not sent the last time.
    outcome: Option<String>,
}

impl NoticeJson {
    fn new(notice: &Notice) -> Self {
        Self {
            event: notice.seq,
            about: notice.told.as_str(),
            at: moment(notice.at_ms),
            attempts: notice.attempts,
            next_at: notice.next_at_ms.map(moment),
            sent_at: notice.sent_at_ms.map(moment),
            outcome: notice.outcome.clone(),
        }
    }
}

/// Lists what people were told of a run by e-mail.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/notices", tag = "runs", params(PageQuery),
    responses((status = 200, description = "Notices, oldest first.", body = Page<NoticeJson>))
)]
async fn run_notices(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<NoticeJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let id = own(&hub, &caller, &run).await?;
    let notices = hub.ledger().notices(caller.scope(), id).await?;
    Ok(Json(Page::cut(notices, &wanted, |notice| notice.seq)?.map(NoticeJson::new)))
}
