//! What every call goes through, whatever it asks for: a number of its own, how often its caller may ask, how slowly its body may come,
//! and headers that keep a browser from doing with an answer what it is not for.
//!
//! It must not know what a route does.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tracing::Instrument as _;
use uuid::Uuid;

use super::door::Peer;
use super::rates::Rates;
use crate::console::{CameFrom, OverTls};
use crate::model::ids::Digest;
use crate::model::limits::serving::{BODY_BYTES_PER_SECOND_MIN, BODY_WAIT_MS_MAX};
use crate::telemetry::Figures;

/// What a page may load: what the hub itself serves, and no script that stands in the page.
const OF_PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
                        form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What anything else may load.
const OF_DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// Where people sign in.
const SIGN_IN: &str = "/sign-in";

/// How cookies of sessions begin.
const SESSIONS: [&str; 2] = ["__Host-bailiwick=", "bailiwick="];

/// Two years, as the lists of browsers ask.
const ONLY_BY_TLS: &str = "max-age=63072000";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Largest problem that is given its number. The hub's own are some hundred bytes.
const PROBLEM_BYTES_MAX: usize = 64 << 10;

/// What calls have in common.
pub(super) struct Front {
    pub(super) rates: Rates,
    pub(super) figures: Arc<Figures>,
    /// Whether the connection is secured by the hub itself.
    pub(super) secure: bool,
    /// Whether a proxy says whom it speaks for.
    pub(super) behind_proxy: bool,
}

/// Answers a call.
pub(super) async fn call(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = Uuid::now_v7();
    let method = known_method(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request = %id, method, route);
    let mut response = answered(&front, request, next).instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    front.figures.answered((method, &route), status, took);
    span.in_scope(|| tracing::debug!(status, took_ms = took.as_millis(), "answered"));
    if is_problem(&response) {
        response = with_number(response, id).await;
    }
    set_headers(response.headers_mut(), id, front.secure);
    response
}

async fn answered(front: &Front, mut request: Request, next: Next) -> Response {
    let client = front.client(&request);
    request.extensions_mut().insert(CameFrom(client));
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, 0)));
    if front.secure || front.behind_proxy {
        request.extensions_mut().insert(OverTls);
    }
    let proves = proves(&request);
    // Whoever signs in is not known yet, whatever they show.
    let shown = if request.uri().path() == SIGN_IN { None } else { shown(request.headers()) };
    if let Err(wait) = front.rates.enter(shown, client) {
        return too_many(wait);
    }
    let slow = Arc::new(AtomicBool::new(false));
    let (head, body) = request.into_parts();
    let body = if body.is_end_stream() { body } else { paced(body, &slow) };
    let answered = AssertUnwindSafe(next.run(Request::from_parts(head, body))).catch_unwind().await;
    let response = answered.unwrap_or_else(|_| {
        tracing::error!("a call ended in a panic");
        problem(StatusCode::INTERNAL_SERVER_ERROR, "hub-fault", "the hub could not do this; its log says why")
    });
    match is_turned_away(&response) {
        true => front.rates.leave(shown, false),
        false if proves && response.status().is_success() => front.rates.leave(shown, true),
        false => {}
    }
    if slow.load(Ordering::Relaxed) {
        return problem(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the body of the request did not come in time");
    }
    response
}

impl Front {
    /// The address that a call comes from.
    fn client(&self, request: &Request) -> IpAddr {
        // The proxy adds the address that it sees at the end; what stands before it, anybody could have written.
        let told = request.headers().get_all(FORWARDED_FOR).iter().next_back().filter(|_| self.behind_proxy);
        let told = told.and_then(|list| list.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        let peer = || request.extensions().get::<Peer>().map(|peer| peer.0.ip());
        told.or_else(peer).unwrap_or(IpAddr::from([0, 0, 0, 0]))
    }
}

/// What a caller shows to be known by: a token, or the cookie of a session.
fn shown(headers: &HeaderMap) -> Option<Digest> {
    if let Some(token) = headers.get(AUTHORIZATION) {
        return Some(Digest::of(token.as_bytes()));
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok()).flat_map(|cookies| cookies.split(';'));
    let session = cookies.map(str::trim).find(|cookie| SESSIONS.iter().any(|name| cookie.starts_with(name)))?;
    Some(Digest::of(session.as_bytes()))
}

/// Whether an answer to this shows that its caller is known: nobody else is answered there.
fn proves(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    route.starts_with("/api/v1/") || route.starts_with("/p/")
}

/// Whether an answer says that the caller is not known: to a program by its status, to a person by sending them to sign in.
fn is_turned_away(response: &Response) -> bool {
    let to_sign_in = || response.headers().get(LOCATION).is_some_and(|place| place.as_bytes().starts_with(SIGN_IN.as_bytes()));
    response.status() == StatusCode::UNAUTHORIZED || response.status() == StatusCode::TOO_MANY_REQUESTS || to_sign_in()
}

/// A body that ends in an error when it has been waited for too long. Only the waiting counts, not what is done with it in between.
fn paced(body: Body, slow: &Arc<AtomicBool>) -> Body {
    let begun = (body.into_data_stream(), Duration::ZERO, 0_u64, Arc::clone(slow));
    Body::from_stream(stream::unfold(Some(begun), |state| async move {
        let (mut body, waited, received, slow) = state?;
        let allowed = Duration::from_millis(BODY_WAIT_MS_MAX) + Duration::from_secs(received / BODY_BYTES_PER_SECOND_MIN);
        let asked = Instant::now();
        let Ok(next) = tokio::time::timeout(allowed.saturating_sub(waited), body.next()).await else {
            slow.store(true, Ordering::Relaxed);
            return Some((Err(axum::Error::new("the body did not come in time")), None));
        };
        let waited = waited + asked.elapsed();
        match next? {
            Ok(bytes) => {
                let received = received.saturating_add(bytes.len() as u64);
                Some((Ok::<Bytes, axum::Error>(bytes), Some((body, waited, received, slow))))
            }
            Err(error) => Some((Err(error), None)),
        }
    }))
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let sentence = format!("this is asked too often: ask again in {seconds} s");
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", &sentence);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A problem of the server itself, in the form of the API's.
pub(super) fn problem(status: StatusCode, code: &str, sentence: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Problem");
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": sentence });
    (status, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

fn is_problem(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json")
}

/// A problem with the number under which the log has the call.
async fn with_number(response: Response, id: Uuid) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, PROBLEM_BYTES_MAX).await else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "hub-fault", "the hub could not do this; its log says why");
    };
    let told = match serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes) {
        Ok(mut told) => {
            told.insert("instance".to_owned(), format!("urn:uuid:{id}").into());
            Bytes::from(Value::from(told).to_string())
        }
        Err(_) => bytes,
    };
    head.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(told))
}

fn set_headers(headers: &mut HeaderMap, id: Uuid, secure: bool) {
    let page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(if page { OF_PAGES } else { OF_DATA }));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    if secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_BY_TLS));
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The method, where it is one of few: a label may not be whatever somebody sends.
fn known_method(method: &Method) -> &'static str {
    for known in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        if method.as_str() == known {
            return known;
        }
    }
    "OTHER"
}
