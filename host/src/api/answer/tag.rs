//! Entity tags: a single thing is read again only if it has changed, and edited only if it has not.
//!
//! A tag is a digest of the JSON that is answered, so two answers with the same tag are the same, byte for byte.

use std::future::Future;

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Code, Problem, hub_fault};
use crate::model::ids::Digest;

/// Digits of a digest in a tag: enough that no two states of a thing share them.
const TAG_DIGITS: usize = 32;

/// A single thing as JSON, with its tag.
pub(in crate::api) struct Single<T>(pub(in crate::api) T);

impl<T: Serialize> IntoResponse for Single<T> {
    fn into_response(self) -> Response {
        let json = match serde_json::to_vec(&self.0) {
            Ok(json) => json,
            Err(error) => return hub_fault(&error).into_response(),
        };
        let tag = HeaderValue::from_str(&tag_of(&json)).expect("a tag is hexadecimal digits in quotation marks");
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json")), (ETAG, tag)];
        (headers, json).into_response()
    }
}

fn tag_of(json: &[u8]) -> String {
    format!("\"{}\"", &Digest::of(json).to_string()[..TAG_DIGITS])
}

/// Answers 304 where the caller has this very state already.
pub(in crate::api) async fn not_modified(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = listed(request.headers(), &IF_NONE_MATCH);
    let mut response = next.run(request).await;
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    if reads
        && response.status() == StatusCode::OK
        && tag.is_some_and(|tag| known.iter().any(|one| one == "*" || weakly(one) == weakly(tag)))
    {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// What an edit asks of the thing as it stands: `If-Match`.
pub(in crate::api) struct IfMatch(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(listed(&parts.headers, &IF_MATCH)))
    }
}

impl IfMatch {
    /// Refuses the edit if the thing is not as the caller read it. Without the header nothing is read.
    ///
    /// Between this and the edit another may be quicker; what an edit then no longer goes together with, the ledger refuses.
    pub(in crate::api) async fn holds<T: Serialize>(&self, now: impl Future<Output = Result<T, Problem>>) -> Result<(), Problem> {
        if self.0.is_empty() || self.0.iter().any(|one| one == "*") {
            return Ok(());
        }
        let tag = tag_of(&serde_json::to_vec(&now.await?).map_err(|error| hub_fault(&error))?);
        if self.0.contains(&tag) {
            return Ok(());
        }
        Err(Problem::new(Code::ChangedMeanwhile, "it is not as you read it: read it again, and then decide"))
    }
}

fn listed(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let texts = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

fn weakly(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}
