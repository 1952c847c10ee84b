//! Deliveries sent again, and uncertain ones settled.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::reason;
use crate::access::Action;
use crate::api::answer::{Bearer, Named, Problem, Text};
use crate::api::routes::{bad_request, run_id};
use crate::api::wire::{RunJson, moment};
use crate::ledger::{LoggedEvent, ResendAsk, ResendBegun, Resent, RunEvent};
use crate::run::Hub;

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/api/v1/runs/{run}/deliveries/{output}/resend", post(resend))
        .route("/api/v1/runs/{run}/deliveries/{output}/settle", post(settle))
}

/// An output that a person had sent again.
#[derive(Debug, Serialize)]
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ResendBody {
    reason: String,
    #[serde(rename = "as")]
    target: Option<String>,
    #[serde(default)]
    new_key: bool,
}

async fn resend(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named((run, port)): Named<(String, String)>,
    Text(body): Text,
) -> Result<Json<ResendJson>, Problem> {
    caller.may(Action::Run)?;
    let body: ResendBody = serde_json::from_str(&body).map_err(|error| bad_request(&error))?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    let ask = ResendAsk { port, target: body.target, new_key: body.new_key, why: reason(&body.reason)?.to_owned() };
    let begun = hub.resend(scope, id, ask, &caller.by(hub.id(), hub.clock().now_ms())).await?.begun;
    let events = hub.ledger().events(scope, id, begun - 1).await?;
    ResendJson::of(&events).into_iter().next().map(Json).ok_or_else(|| Problem::not_found("run"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettleBody {
    arrived: bool,
    reason: String,
}

async fn settle(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named((run, port)): Named<(String, String)>,
    Text(body): Text,
) -> Result<Json<RunJson>, Problem> {
    caller.may(Action::Run)?;
    let body: SettleBody = serde_json::from_str(&body).map_err(|error| bad_request(&error))?;
    let (id, scope) = (run_id(&run)?, caller.scope());
    let run = hub
        .ledger()
        .settle_delivery(scope, (id, &port), (body.arrived, reason(&body.reason)?), &caller.by(hub.id(), hub.clock().now_ms()))
        .await?;
    Ok(Json(RunJson::new(&run)))
}
