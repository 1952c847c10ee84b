//! Keys that sign releases. A secret key never comes to the hub.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Body, Code, IfMatch, Named, Page, Problem, Single, Wanted, reason};
use crate::api::wire::moment;
use crate::ledger::SigningKey;
use crate::run::Hub;

/// Longest name of a key's owner, in characters.
const OWNER_CHARS_MAX: usize = 100;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(keys, add_key)).routes(routes!(key)).routes(routes!(revoke_key))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct KeysQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct KeyJson {
    /// Its id: 16 hexadecimal digits.
    key: String,
    /// Who has the secret key.
    owner: String,
    added_at: String,
    added_by: String,
    /// From when on it no longer counts.
    revoked_at: Option<String>,
    revoked_why: Option<String>,
}

impl KeyJson {
    fn new(key: &SigningKey) -> Self {
        Self {
            key: key.key.id.clone(),
            owner: key.key.owner.clone(),
            added_at: moment(key.added_at_ms),
            added_by: key.added_by.to_string(),
            revoked_at: key.revoked.as_ref().map(|(at, _)| moment(*at)),
            revoked_why: key.revoked.as_ref().map(|(_, why)| why.clone()),
        }
    }
}

/// Lists the keys that sign releases, those too that no longer count.
#[utoipa::path(get, path = "/api/v1/keys", tag = "releases", params(KeysQuery), responses((status = 200, description = "Keys.", body = Page<KeyJson>)))]
async fn keys(State(hub): State<Hub>, Bearer(caller): Bearer, Asked(query): Asked<KeysQuery>) -> Result<Json<Page<KeyJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let keys = hub.ledger().signing_keys(caller.scope()).await?;
    Ok(Json(Page::cut(keys, &wanted, |key| key.key.id.clone())?.map(KeyJson::new)))
}

async fn seen(hub: &Hub, caller: &Caller, key: &str) -> Result<KeyJson, Problem> {
    let keys = hub.ledger().signing_keys(caller.scope()).await?;
    keys.iter().find(|one| one.key.id == key).map(KeyJson::new).ok_or_else(|| Problem::not_found("key"))
}

/// One key.
#[utoipa::path(
    get, path = "/api/v1/keys/{key}", tag = "releases",
    responses((status = 200, description = "The key.", body = KeyJson, headers(("ETag" = String, description = "Its state, for If-None-Match and If-Match."))))
)]
async fn key(State(hub): State<Hub>, Bearer(caller): Bearer, Named(key): Named) -> Result<Single<KeyJson>, Problem> {
    caller.may(Action::Read)?;
    Ok(Single(seen(&hub, &caller, &key).await?))
}

/// A signer's public key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NewKeyBody {
    /// Who has the secret key, for people.
    #[schema(min_length = 1, max_length = 100)]
    owner: String,
    /// The text of the file that `bailiwick key new` or minisign made.
    public_key: String,
}

/// Registers a signer's public key, so that what it signs counts.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "releases", request_body = NewKeyBody,
    responses((status = 201, description = "The key.", body = KeyJson), (status = 409, description = "The partner has, or had, it."))
)]
async fn add_key(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Body(body): Body<NewKeyBody>,
) -> Result<(StatusCode, Json<KeyJson>), Problem> {
    caller.may(Action::ManagePeople)?;
    let owner = body.owner.trim();
    if owner.is_empty() || owner.chars().count() > OWNER_CHARS_MAX {
        return Err(Problem::new(Code::BadRequest, format!("an owner has 1 to {OWNER_CHARS_MAX} characters")));
    }
    let by = caller.by(hub.id(), hub.clock().now_ms());
    let id = hub.add_signing_key(caller.partner(), (owner, &body.public_key), &by).await?;
    Ok((StatusCode::CREATED, Json(seen(&hub, &caller, &id.to_string()).await?)))
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RevokeKeyBody {
    /// For the audit trail, and for whoever uses the key.
    #[schema(min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: String,
}

/// Trusts a key no longer. What it signed and is in use stays so, until it is rolled back.
#[utoipa::path(
    post, path = "/api/v1/keys/{key}/revoke", tag = "releases", request_body = RevokeKeyBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the key as it was read.")),
    responses((status = 200, description = "The key.", body = KeyJson))
)]
async fn revoke_key(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(key): Named,
    when: IfMatch,
    Body(body): Body<RevokeKeyBody>,
) -> Result<Single<KeyJson>, Problem> {
    caller.may(Action::ManagePeople)?;
    let why = reason(&body.reason)?;
    let (hub, caller, key) = (&hub, &caller, &key);
    let revoke = |by| async move { hub.ledger().revoke_signing_key((caller.partner(), key), why, &by).await.map(|()| (true, ())) };
    when.edit((hub, caller), || seen(hub, caller, key), revoke).await?;
    Ok(Single(seen(hub, caller, key).await?))
}
