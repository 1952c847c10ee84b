//! Entity tags: a single thing is read again only if it has changed, and edited only if it has not.
//!
//! A tag is a digest of the JSON that is answered, so two answers with the same tag are the same, byte for byte.

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Code, Problem, hub_fault};
use crate::access::Caller;
use crate::ledger::By;
use crate::model::ids::Digest;
use crate::run::Hub;

/// Digits of a digest in a tag: enough that no two states of a thing share them.
const TAG_DIGITS: usize = 32;

/// How often a thing is looked at for one edit, while others write at the same partner.
const LOOKS_MAX: usize = 32;

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

/// What a caller who reads has already: `If-None-Match`.
pub(in crate::api) struct Known(Vec<String>);

impl Known {
    pub(in crate::api) fn by(request: &Request) -> Self {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        Self(if reads { listed(request.headers(), &IF_NONE_MATCH) } else { Vec::new() })
    }

    /// Answers 304 where the caller has this very state already.
    pub(in crate::api) fn not_modified(&self, mut response: Response) -> Response {
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        if response.status() == StatusCode::OK && tag.is_some_and(|tag| self.0.iter().any(|one| one == "*" || weakly(one) == weakly(tag))) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = axum::body::Body::empty();
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        response
    }
}

/// What an edit asks of the thing as it stands: `If-Match`.
pub(in crate::api) struct IfMatch(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // An edit that was to depend on something is not done without it.
        let unread = parts.headers.get_all(&IF_MATCH).iter().any(|value| value.to_str().is_err());
        let wanted = listed(&parts.headers, &IF_MATCH);
        if unread || (wanted.is_empty() && parts.headers.contains_key(&IF_MATCH)) {
            return Err(Problem::new(
                Code::BadRequest,
                "If-Match cannot be read: send the ETag as it was answered, quotation marks and all",
            ));
        }
        Ok(Self(wanted))
    }
}

impl IfMatch {
    /// Does an edit if the thing is as the caller read it, and only if nothing comes between: the edit's own transaction refuses where the
    /// partner's trail has gone on since the thing was looked at, and then it is looked at again. Without the header it is not looked at.
    ///
    /// `edit` does it in one transaction, and answers whether it changed anything, with what came of it.
    pub(in crate::api) async fn edit<T, R, E, Seen, Edit>(
        &self,
        (hub, caller): (&Hub, &Caller),
        seen: impl Fn() -> Seen,
        edit: impl Fn(By) -> Edit,
    ) -> Result<R, Problem>
    where
        T: Serialize,
        E: Into<Problem>,
        Seen: Future<Output = Result<T, Problem>>,
        Edit: Future<Output = Result<(bool, R), E>>,
    {
        let by = || caller.by(hub.id(), hub.clock().now_ms());
        if self.0.is_empty() || self.0.iter().any(|one| one == "*") {
            return edit(by()).await.map(|(_, done)| done).map_err(Into::into);
        }
        for _ in 0..LOOKS_MAX {
            let as_of = hub.ledger().trail_end(caller.partner()).await?;
            self.holds(seen().await?)?;
            match edit(by().as_of(as_of)).await.map_err(Into::into) {
                Ok((true, done)) => return Ok(done),
                // Nothing to do, or no way to do it: perhaps as another has done it just now.
                Ok((false, done)) => {
                    hub.ledger().settled().await?;
                    return self.holds(seen().await?).map(|()| done);
                }
                Err(problem) if problem.is(Code::ChangedMeanwhile) => {}
                Err(problem) => return self.holds(seen().await?).and(Err(problem)),
            }
        }
        Err(Problem::new(Code::Busy, "others change so much at this partner that the edit found no moment between: ask again"))
    }

    /// Refuses if the thing is not as the caller read it.
    fn holds(&self, now: impl Serialize) -> Result<(), Problem> {
        let tag = tag_of(&serde_json::to_vec(&now).map_err(|error| hub_fault(&error))?);
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
