//! Who is behind a request, and where it came from.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use secrecy::ExposeSecret as _;

use super::cookie::Crumbs;
use super::{door, fault};
use crate::access::SignedIn;
use crate::ledger::LedgerError;
use crate::run::Hub;

/// The address that a request came from: put into its extensions by whoever has the connection.
#[derive(Debug, Clone, Copy)]
pub struct CameFrom(pub IpAddr);

/// The same for a handler: nothing where it is not known.
pub(super) struct From(pub(super) Option<IpAddr>);

/// Who is signed in, by the cookie of a request; nobody if it has none, or one of a session that has ended.
async fn signed_in(parts: &Parts, hub: &Hub) -> Result<Option<SignedIn>, LedgerError> {
    match Crumbs::of(parts).session_key(&CookieJar::from_headers(&parts.headers)) {
        Some(key) => door(hub).session(key.expose_secret()).await,
        None => Ok(None),
    }
}

/// Where to go after signing in: an address of this hub, whatever was asked for.
pub(super) fn next_of(asked: &str) -> &str {
    let plain = asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let ours = asked.starts_with('/') && !asked.starts_with("//") && !asked.starts_with("/sign-");
    if ours && plain { asked } else { "/" }
}

impl FromRequestParts<Hub> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Response> {
        if let Some(signed_in) = signed_in(parts, hub).await.map_err(|error| fault(&error))? {
            return Ok(signed_in.coming_from(parts.extensions.get::<CameFrom>().map(|from| from.0)));
        }
        // What was to be looked at is come back to; what was to be done is not done unseen.
        let next = if parts.method == Method::GET { parts.uri.path_and_query().map_or("/", |asked| asked.as_str()) } else { "/" };
        let to = match next_of(next) {
            "/" => "/sign-in".to_owned(),
            next => format!("/sign-in?next={}", escaped(next)),
        };
        Err(Redirect::to(&to).into_response())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<CameFrom>().map(|from| from.0)))
    }
}

/// A path as a value within a query.
pub(super) fn escaped(path: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_sent_elsewhere() {
        for ours in ["/", "/p/police/runs?state=held&before=1", "/p/a#x"] {
            assert_eq!(next_of(ours), ours);
        }
        for theirs in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nset-cookie: x", "evil", "/sign-out", "/ a"] {
            assert_eq!(next_of(theirs), "/", "{theirs:?}");
        }
        assert_eq!(escaped("/p/a?b=c&d"), "/p/a%3Fb%3Dc%26d");
    }
}
