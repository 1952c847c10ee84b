//! Credentials of connections: set and forgotten by name. Values come in and never go out.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Body, Code, IfMatch, Named, Page, Problem, Single, Wanted};
use crate::api::wire::moment;
use crate::ledger::StoredSecret;
use crate::model::ids::SecretName;
use crate::run::Hub;

/// Longest value, in bytes: as the vault has it.
const VALUE_BYTES_MAX: usize = 64 << 10;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(secrets)).routes(routes!(secret, set_secret, remove_secret))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SecretsQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct SecretJson {
    name: String,
    set_at: String,
    set_by: String,
    /// The master key that it is sealed under; where two are told apart, a rotation is under way.
    master_key: String,
}

impl SecretJson {
    fn new(secret: &StoredSecret) -> Self {
        Self {
            name: secret.name.to_string(),
            set_at: moment(secret.set_at_ms),
            set_by: secret.set_by.to_string(),
            master_key: secret.key_id.clone(),
        }
    }
}

/// Lists credentials by name: when they were set, by whom, under which master key. Never their values.
#[utoipa::path(
    get, path = "/api/v1/secrets", tag = "connections", params(SecretsQuery),
    responses((status = 200, description = "Credentials.", body = Page<SecretJson>))
)]
async fn secrets(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<SecretsQuery>,
) -> Result<Json<Page<SecretJson>>, Problem> {
    caller.may(Action::Configure)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let all = hub.ledger().secrets(caller.scope()).await?;
    Ok(Json(Page::cut(all, &wanted, |secret| secret.name.to_string())?.map(SecretJson::new)))
}

async fn seen(hub: &Hub, caller: &Caller, name: &SecretName) -> Result<SecretJson, Problem> {
    let all = hub.ledger().secrets(caller.scope()).await?;
    all.iter().find(|secret| secret.name == *name).map(SecretJson::new).ok_or_else(|| Problem::not_found("secret"))
}

fn named(name: &str) -> Result<SecretName, Problem> {
    name.parse().map_err(|_| Problem::not_found("secret"))
}

/// One credential, without its value.
#[utoipa::path(
    get, path = "/api/v1/secrets/{name}", tag = "connections",
    responses((status = 200, description = "The credential.", body = SecretJson, headers(("ETag" = String, description = "Its state, for If-None-Match and If-Match."))))
)]
async fn secret(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named) -> Result<Single<SecretJson>, Problem> {
    caller.may(Action::Configure)?;
    Ok(Single(seen(&hub, &caller, &named(&name)?).await?))
}

/// The value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecretBody {
    /// As the place outside wants it. It is sealed at once, and never told again.
    #[serde(deserialize_with = "kept_from_view")]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 65536)]
    value: SecretString,
}

/// What is no text is not told what it is: serde's own words would repeat it.
fn kept_from_view<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(SecretString::from(text)),
        _ => Err(D::Error::custom("the value is no text: write it in quotation marks")),
    }
}

/// Sets a credential, or replaces it.
#[utoipa::path(
    put, path = "/api/v1/secrets/{name}", tag = "connections", request_body = SecretBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the credential as it was read.")),
    responses((status = 200, description = "It is replaced.", body = SecretJson), (status = 201, description = "It is set.", body = SecretJson))
)]
async fn set_secret(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(name): Named,
    when: IfMatch,
    Body(body): Body<SecretBody>,
) -> Result<(StatusCode, Json<SecretJson>), Problem> {
    use secrecy::ExposeSecret as _;
    caller.may(Action::Configure)?;
    let bad =
        |_| Problem::new(Code::BadRequest, "a secret's name has lower-case letters, digits and single hyphens, and begins with a letter");
    let name: SecretName = name.parse().map_err(bad)?;
    if !(1..=VALUE_BYTES_MAX).contains(&body.value.expose_secret().len()) {
        return Err(Problem::new(Code::BadRequest, format!("a value has 1 to {VALUE_BYTES_MAX} bytes")));
    }
    let (hub, caller, name, value) = (&hub, &caller, &name, &body.value);
    let set = |by| async move { hub.set_secret(caller.partner(), name, value.clone(), &by).await.map(|replaced| (true, replaced)) };
    let replaced = when.edit((hub, caller), || seen(hub, caller, name), set).await?;
    let status = if replaced { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(seen(hub, caller, name).await?)))
}

/// Forgets a credential.
#[utoipa::path(
    delete, path = "/api/v1/secrets/{name}", tag = "connections",
    params(("If-Match" = Option<String>, Header, description = "The ETag of the credential as it was read.")),
    responses((status = 204, description = "It is forgotten."))
)]
async fn remove_secret(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named, when: IfMatch) -> Result<StatusCode, Problem> {
    caller.may(Action::Configure)?;
    let name = named(&name)?;
    let (hub, caller, name) = (&hub, &caller, &name);
    let remove = |by| async move { hub.ledger().remove_secret(caller.partner(), name, &by).await.map(|()| (true, ())) };
    when.edit((hub, caller), || seen(hub, caller, name), remove).await?;
    Ok(StatusCode::NO_CONTENT)
}
