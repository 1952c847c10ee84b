//! Deliveries sent again, and uncertain ones settled.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Action;
use crate::api::answer::{Bearer, Body, Named, Problem, reason};
use crate::api::routes::run_id;
use crate::api::wire::{RunJson, moment};
use crate::ledger::{LoggedEvent, ResendAsk, ResendBegun, Resent, RunEvent};
use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(resend)).routes(routes!(settle))
}

/// An output that a person had sent again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ResendJson {
    output: String,
    connection: String,
    target: String,
    digest: String,
    new_key: bool,
    reason: String,
    by: String,
    at: String,
    /// `sent`, `already-there`, `failed`; `unknown` while it is under way, or if its hub ended before it could say.
    outcome: &'static str,
    receipt: Option<String>,
    error: Option<String>,
}

impl ResendJson {
    /// Every resend in the log of a run, oldest first.
    #[must_use]
    pub fn of(events: &[LoggedEvent]) -> Vec<Self> {
        let ended = |seq: u64| {
            events.iter().find_map(|logged| match &logged.event {
                RunEvent::Resent(resent) if resent.begun == seq => Some(resent),
                _ => None,
            })
        };
        let begun = events.iter().filter_map(|logged| match &logged.event {
            RunEvent::ResendBegun(begun) => Some((logged, begun)),
            _ => None,
        });
        begun.map(|(logged, begun)| Self::new(logged, begun, ended(logged.seq))).collect()
    }

    fn new(logged: &LoggedEvent, begun: &ResendBegun, ended: Option<&Resent>) -> Self {
        let delivered = ended.and_then(|ended| ended.delivered.as_ref());
        Self {
            output: begun.port.clone(),
            connection: begun.connection.to_string(),
            target: begun.target.clone(),
            digest: begun.digest.to_string(),
            new_key: begun.new_key.is_some(),
            reason: begun.why.clone(),
            by: logged.actor.to_string(),
            at: moment(logged.at_ms),
            outcome: match (ended, delivered) {
                (None, _) => "unknown",
                (Some(_), None) => "failed",
                (Some(_), Some(delivered)) if delivered.already_there => "already-there",
                (Some(_), Some(_)) => "sent",
            },
            receipt: delivered.map(|delivered| delivered.receipt.clone()),
            error: ended.and_then(|ended| ended.failed.as_ref()).map(|failed| failed.sentence.clone()),
        }
    }
}

/// Why, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ResendBody {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
    /// Another name for the file there, as where its receiver has lost the first.
    #[serde(rename = "as")]
    target: Option<String>,
    /// Let the receiver take it for another delivery than the first.
    #[serde(default)]
    new_key: bool,
}

/// Sends a delivered output again, the same bytes.
///
/// Its receiver takes it for the same delivery, unless it is to be a new one. That it could not be sent is no problem: it is the answer.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/deliveries/{output}/resend", tag = "deliveries", request_body = ResendBody,
    responses((status = 200, description = "What came of it.", body = ResendJson), (status = 409, description = "It was not delivered, or cannot be sent."), (status = 410, description = "Its file was given up."))
)]
async fn resend(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named((run, port)): Named<(String, String)>,
    Body(body): Body<ResendBody>,
) -> Result<Json<ResendJson>, Problem> {
    caller.may(Action::Correct)?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    let ask = ResendAsk { port, target: body.target, new_key: body.new_key, why: reason(&body.reason)?.to_owned() };
    let begun = hub.resend(scope, id, ask, &caller.by(hub.id(), hub.clock().now_ms())).await?.begun;
    let events = hub.ledger().events(scope, id, begun - 1).await?;
    ResendJson::of(&events).into_iter().next().map(Json).ok_or_else(|| Problem::not_found("run"))
}

/// What its receiver said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettleBody {
    /// Whether it arrived; if not, it is sent again.
    arrived: bool,
    /// For the audit trail: who was asked, and what they said.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// Says of a delivery that is uncertain whether it arrived.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/deliveries/{output}/settle", tag = "deliveries", request_body = SettleBody,
    responses((status = 200, description = "The run, which goes on.", body = RunJson), (status = 409, description = "The delivery is not uncertain."))
)]
async fn settle(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named((run, port)): Named<(String, String)>,
    Body(body): Body<SettleBody>,
) -> Result<Json<RunJson>, Problem> {
    caller.may(Action::Correct)?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    let run = hub
        .ledger()
        .settle_delivery(scope, (id, &port), (body.arrived, reason(&body.reason)?), &caller.by(hub.id(), hub.clock().now_ms()))
        .await?;
    Ok(Json(RunJson::new(&run)))
}
