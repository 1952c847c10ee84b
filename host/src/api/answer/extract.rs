//! What stands in a request: who calls, names in the address, what is asked for, the body. What cannot be read is told as a problem.

use std::net::SocketAddr;

use axum::extract::rejection::StringRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;

use super::{Code, Problem};
use crate::access::{Caller, Door, TokenRefused};
use crate::run::Hub;

/// A name in the address, or several. What is no text names nothing.
pub(in crate::api) struct Named<T = String>(pub(in crate::api) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(name) = Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found("address"))?;
        Ok(Self(name))
    }
}

/// What stands behind the question mark. What the route does not know is refused, as it would be a word mistyped.
pub(in crate::api) struct Asked<T>(pub(in crate::api) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asked = Query::from_request_parts(parts, state).await;
        asked.map(|Query(asked)| Self(asked)).map_err(|refused| Problem::new(Code::BadRequest, refused.body_text()))
    }
}

/// A body of text, within the limit.
struct Text(String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let told = |refused: StringRejection| match refused.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::BodyTooLarge, "the body is larger than the hub takes: send it in parts"),
            _ => Problem::new(Code::BadRequest, refused.body_text()),
        };
        String::from_request(request, state).await.map(Self).map_err(told)
    }
}

/// A body of JSON, whatever its type is called; nothing at all is read as an object without fields.
pub(in crate::api) struct Body<T>(pub(in crate::api) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Text(text) = Text::from_request(request, state).await?;
        let text = if text.trim().is_empty() { "{}" } else { &text };
        // A list would be read as the values of an object's fields in their order, and a word be repeated in what is answered.
        if !text.trim_start().starts_with('{') {
            return Err(Problem::new(Code::BadRequest, "the body is no JSON object"));
        }
        serde_json::from_str(text).map(Self).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))
    }
}

/// The caller, as its bearer token says.
pub(in crate::api) struct Bearer(pub(in crate::api) Caller);

impl FromRequestParts<Hub> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Problem> {
        // Whoever came by a layer that had to know the caller is not looked up twice.
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return Ok(Self(caller.clone()));
        }
        let header = parts.headers.get(AUTHORIZATION).ok_or_else(no_token)?;
        // There is none where a test calls the routes without a socket.
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address);
        caller_of(hub, header, from).await.map(Self)
    }
}

/// The caller that a header names.
pub(in crate::api) async fn caller_of(hub: &Hub, header: &HeaderValue, from: Option<SocketAddr>) -> Result<Caller, Problem> {
    let text = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")).ok_or_else(no_token)?;
    let door = Door { ledger: hub.ledger(), hub: hub.id(), now_ms: hub.clock().now_ms() };
    let caller = Caller::of_token(&door, text).await.map_err(|error| match error {
        TokenRefused::Unknown => Problem::new(Code::TokenRefused, error.to_string()),
        TokenRefused::Ledger(error) => error.into(),
    })?;
    Ok(match from {
        Some(address) => caller.coming_from(address.ip().to_string()),
        None => caller,
    })
}

fn no_token() -> Problem {
    Problem::new(Code::TokenMissing, "send a token: Authorization: Bearer bwk_…")
}
