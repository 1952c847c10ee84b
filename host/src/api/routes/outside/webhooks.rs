//! Webhooks: which there are, what they were sent, and whether one answers. They are declared with the configuration.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Named, Page, Problem, Single, Wanted, bad_request};
use crate::api::wire::{WebhookDeliveryJson, WebhookJson, WebhookTestJson};
use crate::ledger::{MessagePlace, MessagesSought};
use crate::model::ids::WebhookName;
use crate::model::job::Webhook;
use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(webhooks))
        .routes(routes!(webhook))
        .routes(routes!(webhook_deliveries))
        .routes(routes!(test_webhook))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WebhooksQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists the addresses that are told of runs and releases, by name. What signs is named, and never told.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks", params(WebhooksQuery),
    responses((status = 200, description = "Webhooks.", body = Page<WebhookJson>))
)]
async fn webhooks(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<WebhooksQuery>,
) -> Result<Json<Page<WebhookJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let all = hub.webhooks(caller.partner()).await?;
    Ok(Json(Page::cut(all, &wanted, |webhook| webhook.name.to_string())?.map(|webhook| told(&caller, webhook))))
}

fn told(caller: &Caller, webhook: &Webhook) -> WebhookJson {
    WebhookJson::new(webhook, caller.can(Action::Configure))
}

fn named(name: &str) -> Result<WebhookName, Problem> {
    name.parse().map_err(|_| Problem::not_found("webhook"))
}

async fn declared(hub: &Hub, caller: &Caller, name: &WebhookName) -> Result<Option<Webhook>, Problem> {
    Ok(hub.webhooks(caller.partner()).await?.into_iter().find(|webhook| webhook.name == *name))
}

/// One webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{name}", tag = "webhooks",
    responses((status = 200, description = "The webhook.", body = WebhookJson, headers(("ETag" = String, description = "Its state, for If-None-Match."))))
)]
async fn webhook(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named) -> Result<Single<WebhookJson>, Problem> {
    caller.may(Action::Read)?;
    let found = declared(&hub, &caller, &named(&name)?).await?.ok_or_else(|| Problem::not_found("webhook"))?;
    Ok(Single(told(&caller, &found)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// Only of this event, such as run.held.
    event: Option<String>,
    /// Only those that stand so: waits, taken or given-up.
    state: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists what an address was sent, newest first, and what became of it; also where it is no longer declared.
///
/// A message names a run or a release and counts rows; no row, file, amount or person stands in it. It is tried for a day.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{name}/deliveries", tag = "webhooks", params(DeliveriesQuery),
    responses((status = 200, description = "What was sent, or waits.", body = Page<WebhookDeliveryJson>))
)]
async fn webhook_deliveries(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(name): Named,
    Asked(query): Asked<DeliveriesQuery>,
) -> Result<Json<Page<WebhookDeliveryJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let name = named(&name)?;
    let any = MessagesSought { webhook: Some(name.clone()), ..MessagesSought::default() };
    let wrong = |error: String| bad_request(&error);
    let sought = MessagesSought {
        event: query.event.map(|event| event.parse().map_err(wrong)).transpose()?,
        state: query.state.map(|state| state.parse().map_err(wrong)).transpose()?,
        ..any.clone()
    };
    let after: Option<MessagePlace> = wanted.after()?;
    let (ledger, scope) = (hub.ledger(), caller.scope());
    let page = ledger.webhook_messages(scope, &sought, after.as_ref(), wanted.limit).await?;
    let known = !page.items.is_empty()
        || declared(&hub, &caller, &name).await?.is_some()
        || !ledger.webhook_messages(scope, &any, None, 1).await?.items.is_empty();
    if !known {
        return Err(Problem::not_found("webhook"));
    }
    Ok(Json(Page::of(&page, |message| WebhookDeliveryJson::from(message))))
}

/// Sends an address a message that says nothing, signed like any other, and tells what it answered.
///
/// That it does not take it is no problem: it is the answer.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{name}/test", tag = "webhooks",
    responses((status = 200, description = "What came of it.", body = WebhookTestJson), (status = 409, description = "What signs is not set."))
)]
async fn test_webhook(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named) -> Result<Json<WebhookTestJson>, Problem> {
    caller.may(Action::Configure)?;
    Ok(Json(hub.test_webhook(caller.partner(), &named(&name)?).await?.into()))
}
