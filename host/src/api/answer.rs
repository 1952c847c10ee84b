//! Who calls, and how a call is answered when it cannot be done: the one match from errors to HTTP statuses.

use axum::Json;
use axum::extract::rejection::StringRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::access::{Caller, Denied, TokenRefused};
use crate::ledger::LedgerError;
use crate::run::{Hub, RunError};

/// A problem as RFC 9457 has it.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    code: String,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem");
        Self { kind: "about:blank", title, status: status.as_u16(), code: code.to_owned(), detail: detail.into() }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no such {what}"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        let (status, code) = match &error {
            LedgerError::Busy | LedgerError::Away(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            LedgerError::NotFound { .. } | LedgerError::NoSuchJob { .. } | LedgerError::NoSuchRelease { .. } => {
                (StatusCode::NOT_FOUND, "not-found")
            }
            LedgerError::WrongState { .. } | LedgerError::LeaseLost { .. } => (StatusCode::CONFLICT, "wrong-state"),
            LedgerError::NotResubmitted { .. } => (StatusCode::CONFLICT, "not-resubmitted"),
            LedgerError::AlreadyThere { .. } | LedgerError::VersionDiffers { .. } | LedgerError::FileTaken { .. } => {
                (StatusCode::CONFLICT, "already-there")
            }
            LedgerError::OwnWork { .. } | LedgerError::NotVouchedFor { .. } => (StatusCode::FORBIDDEN, "not-vouched-for"),
            LedgerError::CannotOpen { .. } | LedgerError::Store(_) | LedgerError::Corrupt { .. } => return hub_fault(&error),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Ledger(error) => error.into(),
            RunError::NoRelease { .. } | RunError::NotARuleSet { .. } => {
                Self::new(StatusCode::NOT_FOUND, "no-such-rule-set", error.to_string())
            }
            RunError::BadCase { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "case-does-not-fit-schema", error.to_string()),
            RunError::NotCorrected { .. } => Self::new(StatusCode::CONFLICT, "not-corrected", error.to_string()),
            RunError::Expired { .. } => Self::new(StatusCode::GONE, "expired", error.to_string()),
            RunError::InputGone { .. } => Self::new(StatusCode::GONE, "input-gone", error.to_string()),
            RunError::NotResent { .. } => Self::new(StatusCode::CONFLICT, "not-resent", error.to_string()),
            RunError::NotInTime { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-in-time", error.to_string()),
            RunError::Call(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not-decided", error.to_string()),
            error => hub_fault(&error),
        }
    }
}

/// What is the hub's own affair is logged, not told.
pub(super) fn hub_fault(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a call failed");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "hub-fault", "the hub could not do this; its log says why")
}

/// A name in the address, or several. What is no text names nothing.
pub(super) struct Named<T = String>(pub(super) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(name) = Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found("address"))?;
        Ok(Self(name))
    }
}

/// A body of text, within the limit.
pub(super) struct Text(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let told = |refused: StringRejection| match refused.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "the body is larger than the hub takes: send it in parts")
            }
            _ => Problem::new(StatusCode::BAD_REQUEST, "bad-request", refused.body_text()),
        };
        String::from_request(request, state).await.map(Self).map_err(told)
    }
}

/// The caller, as its bearer token says.
pub(super) struct Bearer(pub(super) Caller);

impl FromRequestParts<Hub> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Problem> {
        let refused = || Problem::new(StatusCode::UNAUTHORIZED, "token-missing", "send a token: Authorization: Bearer bwk_…");
        let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()).ok_or_else(refused)?;
        let text = header.strip_prefix("Bearer ").ok_or_else(refused)?;
        Caller::of_token(hub.ledger(), text, hub.clock().now_ms()).await.map(Self).map_err(|error| match error {
            TokenRefused::Unknown => Problem::new(StatusCode::UNAUTHORIZED, "token-refused", error.to_string()),
            TokenRefused::Ledger(error) => error.into(),
        })
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::new(StatusCode::FORBIDDEN, "scope-missing", format!("this token may not be used to {}", denied.action))
    }
}
