//! One request to one host, and its answer: bounded in time and size, and no redirect followed.

use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use ureq::http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use ureq::http::{Request, Response};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, AsSendBody, Body};

use super::address::Pinned;
use crate::model::http::{HEADER_BYTES_MAX, HEADERS_MAX, HttpError, HttpHeader, HttpResponse, is_hubs_own};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// What connects to a host's addresses.
pub(super) fn agent(tls: TlsConfig, pinned: Pinned) -> Agent {
    let config = Agent::config_builder()
        .https_only(true)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(2 * HEADER_BYTES_MAX)
        .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        // One that the environment names would be connected to in place of the addresses that were looked at.
        .proxy(None)
        .tls_config(tls)
        .build();
    Agent::with_parts(config, DefaultConnector::default(), pinned)
}

/// One request.
pub(super) struct Hop<'a> {
    pub(super) agent: &'a Agent,
    pub(super) url: String,
    pub(super) headers: &'a [HttpHeader],
    /// What signs it in, if this host is to see that.
    pub(super) signed: Option<(&'a HeaderName, &'a HeaderValue)>,
    /// Until when, and how many bytes of an answer.
    pub(super) bounds: (Instant, u64),
}

impl Hop<'_> {
    /// Sends it; with the answer, where it redirects to.
    pub(super) fn send(&self, method: &str, body: Option<&[u8]>) -> Result<(HttpResponse, Option<String>), HttpError> {
        let mut request = Request::builder().method(method).uri(&self.url);
        for header in self.headers {
            request = request.header(&header.name, &header.value);
        }
        if !self.headers.iter().any(|header| header.name == "accept") {
            request = request.header(ACCEPT, "*/*");
        }
        let answer = match body {
            Some(body) => self.run(request, body),
            None if matches!(method, "GET" | "HEAD" | "DELETE") => self.run(request, ()),
            None => self.run(request, &[][..]),
        }?;
        let redirects = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let location = answer.headers().get(LOCATION).filter(|_| redirects);
        let location = location.map(|location| location.to_str().unwrap_or_default().to_owned());
        let head = method == "HEAD";
        self.read(answer, head || location.is_some()).map(|answer| (answer, location))
    }

    /// Sends a form.
    pub(super) fn send_form(&self, form: &str) -> Result<(u16, Vec<u8>), HttpError> {
        let request = Request::builder().method("POST").uri(&self.url);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(ACCEPT, "application/json");
        let answer = self.run(request, form)?;
        self.read(answer, false).map(|answer| (answer.status, answer.body))
    }

    fn run(&self, mut request: ureq::http::request::Builder, body: impl AsSendBody) -> Result<Response<Body>, HttpError> {
        if let Some((name, value)) = self.signed {
            request = request.header(name, value);
        }
        let request = request.body(body).map_err(|_| HttpError::Malformed("it is no request".to_owned()))?;
        let left = self.bounds.0.saturating_duration_since(Instant::now());
        // Nothing means for ever.
        let left = left.max(Duration::from_millis(1));
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        self.agent.run(request).map_err(|error| failed(&error))
    }

    /// Reads an answer; its body only where it is wanted.
    fn read(&self, mut answer: Response<Body>, without_body: bool) -> Result<HttpResponse, HttpError> {
        let bytes_max = self.bounds.1;
        let mut body = Vec::new();
        if !without_body {
            let mut reader = answer.body_mut().with_config().limit(u64::MAX).reader();
            let mut buffer = vec![0; READ_BYTES];
            loop {
                let read = reader.read(&mut buffer).map_err(broken)?;
                if read == 0 {
                    break;
                }
                if (body.len() + read) as u64 > bytes_max {
                    return Err(HttpError::TooLarge(bytes_max));
                }
                body.extend_from_slice(&buffer[..read]);
            }
        }
        Ok(HttpResponse { status: answer.status().as_u16(), headers: told(answer.headers()), body })
    }
}

/// The headers that a plugin may see, as many as it can be given.
fn told(headers: &ureq::http::HeaderMap) -> Vec<HttpHeader> {
    let mut bytes = 0;
    let plain = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = value.to_str().ok()?;
        let header = HttpHeader { name: name.as_str().to_owned(), value: value.to_owned() };
        let own = is_hubs_own(&header.name);
        let secret = ["token", "api-key", "apikey", "secret", "authentication"].iter().any(|part| header.name.contains(part));
        (!own && !secret).then_some(header)
    };
    let fits = |header: &HttpHeader| {
        bytes += header.name.len() + header.value.len();
        bytes <= HEADER_BYTES_MAX
    };
    headers.iter().filter_map(plain).take(HEADERS_MAX).take_while(fits).collect()
}

/// Why there is no answer. What had been sent by then may have been acted on.
fn failed(error: &ureq::Error) -> HttpError {
    match error {
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            HttpError::Unreachable("the server did not answer in time".to_owned())
        }
        ureq::Error::Timeout(_) => HttpError::TimedOut,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpError::Unreachable("the server does not answer".to_owned()),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => HttpError::Unreachable(error.to_string()),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => HttpError::TimedOut,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => tls(&error.to_string()),
        ureq::Error::Rustls(error) => tls(&error.to_string()),
        other => HttpError::Broken(other.to_string()),
    }
}

fn tls(why: &str) -> HttpError {
    HttpError::Unreachable(format!("{why}; if the server has a certificate of its own authority, name that in ca-file"))
}

fn broken(error: io::Error) -> HttpError {
    match ureq::Error::from(error) {
        ureq::Error::Timeout(_) => HttpError::TimedOut,
        other => HttpError::Broken(other.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plugin_may_see_of_an_answer() {
        let mut headers = ureq::http::HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/json"),
            ("retry-after", "5"),
            ("set-cookie", "session=s3cret"),
            ("authorization", "Bearer s3cret"),
            ("www-authenticate", "Basic"),
            ("x-auth-token", "s3cret"),
            ("proxy-authenticate", "Basic"),
            ("connection", "close"),
            ("location", "/v2/payments/7"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let names: Vec<String> = told(&headers).into_iter().map(|header| header.name).collect();
        assert_eq!(names, ["content-type", "retry-after", "location"]);
    }
}
