//! Idempotency-Key: a POST that carries one is done once, and a repeat within a day is told what the first was.
//!
//! The answer is kept after the effect, in a transaction of its own. A hub that is killed between the two does it again when it is asked
//! again; what has a key of its own in the ledger, as a run has that a key started, is then found and not made a second time.
//!
//! Where the hub fails while it answers, by a defect too, nobody knows whether it was done. Then it is not done again: that it is not known
//! is what a repeat is told, for as long as an answer would be.

use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, Request};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use super::amend;
use super::answer::{Bearer, Code, Problem, hub_fault, take_file};
use super::routes::{BODY_BYTES_MAX, panicked};
use crate::access::Caller;
use crate::ledger::{KeptAnswer, KeyedRequest, Repeat};
use crate::model::ids::Digest;
use crate::run::Hub;

/// The header that a request has.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header that an answer has which was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Longest key, in characters.
const KEY_CHARS_MAX: usize = 200;

/// Longest answer that is kept, in bytes. Answers to posts say what was made, and are short.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// What tells this process from those that had the hub's name before.
static LIFE: LazyLock<String> = LazyLock::new(|| {
    let mut chance = [0_u8; 32];
    getrandom::fill(&mut chance).expect("the system gives random numbers");
    Digest::new(chance).to_string()
});

/// On an answer that holds what may be shown once only: that it was given is kept, and not what it said.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShownOnce;

/// Sees to it that a request with a key is done once.
pub(super) async fn once(hub: Hub, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Decisions change nothing, and a component is named by its bytes: both may be sent again without a key.
    let keyed = request.method() == Method::POST && request.headers().contains_key(KEY);
    if !keyed || path.ends_with("/decisions") || path == "/api/v1/releases" {
        return next.run(request).await;
    }
    done_once(hub, request, next).await.unwrap_or_else(Problem::into_response)
}

async fn done_once(hub: Hub, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let key = parts.headers.get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > KEY_CHARS_MAX {
        return Err(Problem::new(Code::IdempotencyKey, format!("an Idempotency-Key has 1 to {KEY_CHARS_MAX} visible characters")));
    }
    let Bearer(caller) = Bearer::from_request_parts(&mut parts, &hub).await?;
    let body = taken((&hub, &caller), &mut parts, body).await?;
    let mut whole = format!("{} {}\n", parts.method, parts.uri).into_bytes();
    whole.extend_from_slice(&body.digested);
    let by = caller.by(hub.id(), hub.clock().now_ms());
    let keyed = KeyedRequest {
        partner: caller.partner().clone(),
        caller: caller.actor().clone(),
        key,
        digest: Digest::of(&whole),
        life: LIFE.clone(),
    };
    match hub.ledger().begin_answer(&keyed, &by).await? {
        Repeat::First => {}
        Repeat::Answered(answer) => return Ok(told_again(answer)),
        Repeat::Other => {
            let sentence = "this Idempotency-Key was sent with another request: send a new key, or the request that it was first sent with";
            return Err(Problem::new(Code::IdempotencyKeyReused, sentence));
        }
        Repeat::UnderWay => {
            let mut response = Problem::new(Code::UnderWay, "a request with this Idempotency-Key is being answered: ask again in a moment")
                .into_response();
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return Ok(response);
        }
    }
    parts.extensions.insert(caller);
    let request = Request::from_parts(parts, body.rest);
    // Ends with the request, and goes on though the caller goes away, so that what was done is also kept.
    let answering = tokio::spawn(async move {
        let response = AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(panicked);
        kept(&hub, &keyed, response).await
    });
    answering.await.unwrap_or_else(|ended| Err(hub_fault(&ended)))
}

/// What a request brought: that by which it is told from others, and what is left for whoever answers it.
struct Brought {
    digested: Bytes,
    rest: Body,
}

/// A body that is whole: in memory, or, where it is a file, on the disk.
async fn taken((hub, caller): (&Hub, &Caller), parts: &mut Parts, body: Body) -> Result<Brought, Problem> {
    if let Some(action) = amend::file_wanted(parts.uri.path()) {
        caller.may(action)?;
        let file = take_file(hub, caller, (&parts.headers, body)).await?;
        let digest = file.stored().digest.to_string();
        parts.extensions.insert(file);
        return Ok(Brought { digested: digest.into(), rest: Body::empty() });
    }
    let too_large = |_| Problem::new(Code::BodyTooLarge, format!("the body has more than {BODY_BYTES_MAX} bytes"));
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(too_large)?;
    Ok(Brought { digested: body.clone(), rest: Body::from(body) })
}

/// Keeps an answer that says that something was done. A refusal did nothing, and leaves the key free; what the hub failed of may be done.
async fn kept(hub: &Hub, keyed: &KeyedRequest, response: Response) -> Result<Response, Problem> {
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        hub.ledger().end_answer(keyed, Some(&KeptAnswer { status: response.status().as_u16(), body: None })).await?;
        return Ok(response);
    }
    if !response.status().is_success() {
        hub.ledger().end_answer(keyed, None).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|error| hub_fault(&error))?;
    let may = parts.extensions.get::<ShownOnce>().is_none() && body.len() <= KEPT_BYTES_MAX;
    let text = if may { std::str::from_utf8(&body).ok().map(ToOwned::to_owned) } else { None };
    hub.ledger().end_answer(keyed, Some(&KeptAnswer { status: parts.status.as_u16(), body: text })).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn told_again(answer: KeptAnswer) -> Response {
    if answer.status == StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
        let sentence = "the hub failed when this was sent before under this Idempotency-Key, and it may be done or not: look, and where it is \
                        not, send it under another key";
        return Problem::new(Code::OutcomeUnknown, sentence).into_response();
    }
    let Some(body) = answer.body else {
        let sentence = "this was done before under this Idempotency-Key, and what it answered is shown once only: look at what it made";
        return Problem::new(Code::AnswerNotKept, sentence).into_response();
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
