//! Requests: whom the hub trusts, how it signs in, how long it waits, and what an answer means.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;
use ureq::http::header::{AUTHORIZATION, HeaderValue, IF_NONE_MATCH, LOCATION};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body, RequestBuilder};

use super::agent::{agent, unanswered};
use super::tls::{self, Trust};
use crate::connection::error::{ConnectionError, Step};
use crate::connection::outside::Credentials;
use crate::model::job::{HttpsPlace, SendMethod};

/// Redirects within a host that are followed for one resource.
const REDIRECTS_MAX: usize = 5;

/// A client for one place.
pub(super) struct Client<'a> {
    place: &'a HttpsPlace,
    agent: Agent,
    /// Not shown by `Debug`, nor kept by any table of headers.
    authorization: Option<HeaderValue>,
}

/// How the place is called in errors.
pub(super) fn name(place: &HttpsPlace) -> String {
    place.url.clone()
}

impl<'a> Client<'a> {
    pub(super) fn new(place: &'a HttpsPlace, credentials: Credentials<'_>) -> Result<Self, ConnectionError> {
        let agent = agent(place.silence_seconds_max, tls::config(&own_tls(place), credentials)?);
        Ok(Self { place, agent, authorization: authorization(place, credentials)? })
    }

    /// Gets a resource by its name; an answer that is neither the resource nor "nothing new" is an error.
    pub(super) fn get(&self, resource: &str, etag: Option<&str>) -> Result<Response<Body>, ConnectionError> {
        let mut url = below(self.place, resource);
        for _ in 0..=REDIRECTS_MAX {
            let mut request = self.signed(self.agent.get(&url));
            if let Some(etag) = etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            let answer = request.call().map_err(|error| failed(self.place, Step::Read, &error))?;
            if !answer.status().is_redirection() || answer.status() == StatusCode::NOT_MODIFIED {
                return accepted(self.place, Step::Read, answer);
            }
            url = self.redirected(&url, &answer)?;
        }
        self.refused(Step::Read, format!("it was redirected more than {REDIRECTS_MAX} times"))
    }

    /// Asks for nothing but how the server answers.
    pub(super) fn look(&self) -> Result<StatusCode, ConnectionError> {
        let answer = self.signed(self.agent.head(&self.place.url)).call();
        answer.map(|answer| answer.status()).map_err(|error| failed(self.place, Step::Read, &error))
    }

    /// A request to send something, with credentials.
    pub(super) fn send(&self, url: &str) -> RequestBuilder<ureq::typestate::WithBody> {
        self.signed(match self.place.method {
            SendMethod::Post => self.agent.post(url),
            SendMethod::Put => self.agent.put(url),
        })
    }

    fn signed<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization.clone()),
            None => request,
        }
    }

    /// Where an answer redirects to, on the same host: credentials go to no other.
    fn redirected(&self, from: &str, answer: &Response<Body>) -> Result<String, ConnectionError> {
        let origin = origin(from);
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if location.starts_with('/') && !location.starts_with("//") {
            return Ok(format!("{origin}{location}"));
        }
        if self::origin(location).eq_ignore_ascii_case(origin) && location.starts_with("https://") {
            return Ok(location.to_owned());
        }
        self.refused(
            Step::Read,
            format!("it redirects to {location:?}, which is another host: if that is right, put it into connections.toml"),
        )
    }

    fn refused<T>(&self, step: Step, why: String) -> Result<T, ConnectionError> {
        Err(ConnectionError::Refused { place: name(self.place), step, why })
    }
}

/// The address of a resource of the place.
pub(super) fn below(place: &HttpsPlace, resource: &str) -> String {
    format!("{}/{resource}", place.url.trim_end_matches('/'))
}

/// Scheme, host and port of an address.
pub(in crate::connection) fn origin(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url[after..].find(['/', '?', '#']).map_or(url.len(), |at| after + at);
    &url[..end]
}

/// A text as it may stand in an address; with `parts`, the signs that part an address keep their meaning.
pub(in crate::connection) fn encoded(text: &str, parts: bool) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || parts && b"/?&=+,:;@!$'()*%".contains(&byte);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// What an answer's status means.
pub(super) fn accepted(place: &HttpsPlace, step: Step, answer: Response<Body>) -> Result<Response<Body>, ConnectionError> {
    let status = answer.status();
    let (place, why) = (name(place), format!("the server answers {status}"));
    match status {
        _ if status.is_success() || status == StatusCode::NOT_MODIFIED => Ok(answer),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ConnectionError::SignIn { place, why }),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Err(ConnectionError::Unreachable { place, step, why })
        }
        _ if status.is_server_error() => Err(ConnectionError::Unreachable { place, step, why }),
        _ => Err(ConnectionError::Refused { place, step, why }),
    }
}

/// What a request that got no answer means.
pub(super) fn failed(place: &HttpsPlace, step: Step, error: &ureq::Error) -> ConnectionError {
    unanswered(name(place), place.silence_seconds_max, step, error)
}

fn own_tls(place: &HttpsPlace) -> Trust<'_> {
    Trust {
        ca_file: place.ca_file.as_deref(),
        client_certificate: place.client_certificate.as_deref(),
        client_key: place.client_key.as_ref(),
    }
}

fn authorization(place: &HttpsPlace, credentials: Credentials<'_>) -> Result<Option<HeaderValue>, ConnectionError> {
    let text = match (credentials.get(place.token.as_ref())?, credentials.get(place.password.as_ref())?, &place.user) {
        (Some(token), ..) => Zeroizing::new(format!("Bearer {}", token.expose_secret())),
        (None, Some(password), Some(user)) => {
            let pair = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
            Zeroizing::new(format!("Basic {}", *Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()))))
        }
        _ => return Ok(None),
    };
    let named = place.token.as_ref().or(place.password.as_ref()).expect("one of them was given");
    // What the header says is wrong could repeat it.
    let mut value = HeaderValue::from_str(&text).map_err(|_| ConnectionError::Credential {
        name: named.clone(),
        why: "has a character that cannot stand in a header".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}
