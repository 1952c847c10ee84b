//! Tokens with which other systems call. A value is told once, when its token is made.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Caller, SCOPES_OF_TOKEN, TokenAsk, make_token};
use crate::api::answer::{Asked, Bearer, Body, IfMatch, Named, Page, Problem, Single, Wanted, bad_request};
use crate::api::repeat::ShownOnce;
use crate::api::wire::moment;
use crate::ledger::Token;
use crate::model::ids::is_name;
use crate::run::Hub;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(tokens, new_token)).routes(routes!(token, revoke_token))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TokensQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct TokenJson {
    name: String,
    /// What it may be used for.
    scopes: Vec<String>,
    created_at: String,
    created_by: String,
    /// From when on it is refused.
    expires_at: Option<String>,
    /// When it was last used, to the minute.
    last_used_at: Option<String>,
    revoked_at: Option<String>,
    /// Whether it may be used now.
    valid: bool,
}

impl TokenJson {
    fn new(token: &Token, now_ms: i64) -> Self {
        Self {
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            created_at: moment(token.created_at_ms),
            created_by: token.created_by.to_string(),
            expires_at: token.expires_at_ms.map(moment),
            last_used_at: token.last_used_at_ms.map(moment),
            revoked_at: token.revoked_at_ms.map(moment),
            valid: token.is_valid(now_ms),
        }
    }
}

/// Lists tokens by name, those too that may no longer be used. Never their values.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "access", params(TokensQuery),
    responses((status = 200, description = "Tokens.", body = Page<TokenJson>))
)]
async fn tokens(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Asked(query): Asked<TokensQuery>,
) -> Result<Json<Page<TokenJson>>, Problem> {
    caller.may(Action::ManagePeople)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let (all, now_ms) = (hub.ledger().tokens(caller.scope()).await?, hub.clock().now_ms());
    Ok(Json(Page::cut(all, &wanted, |token| token.name.clone())?.map(|token| TokenJson::new(token, now_ms))))
}

async fn seen(hub: &Hub, caller: &Caller, name: &str) -> Result<TokenJson, Problem> {
    let all = hub.ledger().tokens(caller.scope()).await?;
    let token = all.iter().find(|token| token.name == name).ok_or_else(|| Problem::not_found("token"))?;
    Ok(TokenJson::new(token, hub.clock().now_ms()))
}

/// One token, without its value.
#[utoipa::path(
    get, path = "/api/v1/tokens/{name}", tag = "access",
    responses((status = 200, description = "The token.", body = TokenJson, headers(("ETag" = String, description = "Its state, for If-None-Match and If-Match."))))
)]
async fn token(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named) -> Result<Single<TokenJson>, Problem> {
    caller.may(Action::ManagePeople)?;
    Ok(Single(seen(&hub, &caller, &name).await?))
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NewTokenBody {
    /// What people call it: lower-case letters, digits and single hyphens.
    name: String,
    /// What it may be used for: what its maker may do themselves, and no more. Where nothing is said, read, run, decide and correct.
    scopes: Option<Vec<String>>,
    /// From when on it is refused; for ever, where nothing is said.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<jiff::Timestamp>,
}

#[derive(Serialize, ToSchema)]
struct NewTokenJson {
    /// The token. It is told this once.
    value: String,
    token: TokenJson,
}

/// Makes a token. Its value is told this once; an Idempotency-Key that is sent again does not tell it again.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "access", request_body = NewTokenBody,
    responses((status = 201, description = "The token, with its value.", body = NewTokenJson), (status = 409, description = "There is, or was, one of that name."))
)]
async fn new_token(State(hub): State<Hub>, Bearer(caller): Bearer, Body(body): Body<NewTokenBody>) -> Result<Response, Problem> {
    caller.may(Action::ManagePeople)?;
    if !is_name(&body.name) {
        return Err(bad_request(&"a token's name has lower-case letters, digits and single hyphens, and begins with a letter"));
    }
    let scopes = match body.scopes {
        None => SCOPES_OF_TOKEN.into_iter().filter(|scope| caller.can(*scope)).collect(),
        Some(scopes) => {
            scopes.iter().map(|scope| scope.parse::<Action>()).collect::<Result<_, _>>().map_err(|error| bad_request(&error))?
        }
    };
    let now_ms = hub.clock().now_ms();
    let expires_at_ms = body.expires_at.map(jiff::Timestamp::as_millisecond);
    if expires_at_ms.is_some_and(|expires| expires <= now_ms) {
        return Err(bad_request(&"a token expires later than now"));
    }
    let ask = TokenAsk { partner: caller.partner(), name: &body.name, scopes, expires_at_ms };
    // Nobody lends what they have not.
    for scope in &ask.scopes {
        caller.may(*scope)?;
    }
    let made = make_token(hub.ledger(), &ask, &caller.by(hub.id(), now_ms)).await?;
    let told = NewTokenJson { value: made.expose_secret().to_owned(), token: seen(&hub, &caller, &body.name).await? };
    Ok((StatusCode::CREATED, Extension(ShownOnce), Json(told)).into_response())
}

/// Refuses a token from now on.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{name}", tag = "access",
    params(("If-Match" = Option<String>, Header, description = "The ETag of the token as it was read.")),
    responses((status = 204, description = "It is refused from now on."))
)]
async fn revoke_token(State(hub): State<Hub>, Bearer(caller): Bearer, Named(name): Named, when: IfMatch) -> Result<StatusCode, Problem> {
    caller.may(Action::ManagePeople)?;
    let (hub, caller, name) = (&hub, &caller, &name);
    let revoke = |by| async move { hub.ledger().revoke_token(caller.partner(), name, &by).await.map(|()| (true, ())) };
    when.edit((hub, caller), || seen(hub, caller, name), revoke).await?;
    Ok(StatusCode::NO_CONTENT)
}
