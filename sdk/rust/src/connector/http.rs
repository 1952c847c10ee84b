//! Requests to the provider of the job's connection, and their answers.

use std::fmt::Write as _;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Trouble;
use crate::failure::Problem;
use crate::hub::Backing;
use crate::wire;

pub use wire::connector::HttpError;

/// How often a busy provider is asked again before the run is put off.
const PATIENCE: u32 = 3;

/// Longest wait in one call, as the contract has it, in seconds.
const WAIT_SECONDS_MAX: u32 = 60;

/// The provider of the job's connection. Wants `http`.
///
/// ```no_run
/// # use bailiwick_sdk::{Hub, Trouble};
/// # #[derive(serde::Deserialize)] struct Payments { next: Option<String> }
/// # fn example(hub: &Hub) -> Result<(), Trouble> {
/// let payments: Payments = hub.http().get("/v2/payments").query("page", "1").patiently()?.json()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Http {
    backing: Rc<Backing>,
}

/// A request that is being put together.
#[derive(Clone)]
#[must_use = "nothing is asked before it is sent"]
pub struct HttpRequest {
    http: Http,
    wire: wire::connector::Request,
    unwritable: Option<String>,
}

/// What was answered, whatever its status.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    wire: wire::connector::Response,
}

impl Http {
    pub(crate) const fn new(backing: Rc<Backing>) -> Self {
        Self { backing }
    }

    /// Asks for something. `target` is a path below the connection's address, from the first slash.
    pub fn get(&self, target: &str) -> HttpRequest {
        self.request("GET", target)
    }

    /// Makes something.
    pub fn post(&self, target: &str) -> HttpRequest {
        self.request("POST", target)
    }

    /// Puts something in a place.
    pub fn put(&self, target: &str) -> HttpRequest {
        self.request("PUT", target)
    }

    /// A request of any method that the contract has.
    pub fn request(&self, method: &str, target: &str) -> HttpRequest {
        let wire = wire::connector::Request { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: None };
        HttpRequest { http: self.clone(), wire, unwritable: None }
    }

    /// Waits so many seconds, at most 60.
    pub fn wait(&self, seconds: u32) {
        self.backing.http_wait(seconds.min(WAIT_SECONDS_MAX));
    }
}

impl HttpRequest {
    /// Adds a name and a value to the query, encoded as need be.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.wire.target.push(if self.wire.target.contains('?') { '&' } else { '?' });
        encode(&mut self.wire.target, name);
        self.wire.target.push('=');
        encode(&mut self.wire.target, value);
        self
    }

    /// Adds a header. Those of addresses, credentials and transport are the hub's alone.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.wire.headers.push(wire::connector::Header { name: name.to_ascii_lowercase(), value: value.to_owned() });
        self
    }

    /// The header by which a provider knows a repeat.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sends some bytes of a type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.wire.body = Some(body.into());
        self.header("content-type", content_type)
    }

    /// Sends a value as JSON.
    pub fn json<T: Serialize>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body("application/json", body),
            Err(error) => {
                self.unwritable = Some(error.to_string());
                self
            }
        }
    }

    /// Sends it and waits for the answer, whatever its status.
    ///
    /// # Errors
    /// [`HttpError`] where there is no answer; `?` makes a [`Trouble`] of it.
    pub fn send(&self) -> Result<HttpResponse, HttpError> {
        if let Some(why) = &self.unwritable {
            return Err(HttpError::Malformed(format!("its body cannot be written as JSON: {why}")));
        }
        self.http.backing.http_send(&self.wire).map(|wire| HttpResponse { wire })
    }

    /// Sends it, asks again where the provider is busy and says for how long, up to a minute each time, and answers only with a
    /// status of success.
    ///
    /// # Errors
    /// [`Trouble::TryLater`] for a provider that is busy or broken, [`Trouble::Refused`] for one that says no.
    pub fn patiently(&self) -> Result<HttpResponse, Trouble> {
        for _ in 0..PATIENCE {
            let answer = self.send()?;
            match (answer.status(), answer.retry_after()) {
                (429 | 503, Some(seconds)) if seconds <= WAIT_SECONDS_MAX => self.http.wait(seconds),
                _ => return answer.accepted(),
            }
        }
        self.send()?.accepted()
    }
}

impl HttpResponse {
    /// 200, 404 and so on.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.wire.status
    }

    /// Whether the status is one of success.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.wire.status, 200..300)
    }

    /// The first header of a name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.wire.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    }

    /// How many seconds the provider asks to be left alone, if it says so in seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        self.header("retry-after")?.trim().parse().ok()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.wire.body
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Trouble::Refused`] if it is none of that shape: the provider's owner looks.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_slice(&self.wire.body)
            .map_err(|error| Trouble::refused("answer-unreadable", format!("The provider's answer is not what was agreed: {error}.")))
    }

    /// Itself if its status is one of success; otherwise what that status means for the run.
    ///
    /// # Errors
    /// [`Trouble::TryLater`] for 408, 425, 429 and 500 to 599, [`Trouble::Refused`] for everything else.
    pub fn accepted(self) -> Result<Self, Trouble> {
        let message = |what: &str| format!("The provider {what} (status {}).", self.wire.status);
        let problem = |code: &str, what: &str| Problem { code: code.to_owned(), message: message(what) };
        let seconds = self.retry_after();
        Err(match self.wire.status {
            200..300 => return Ok(self),
            429 | 503 => Trouble::TryLater { problem: problem("provider-busy", "is busy"), seconds },
            408 | 425 | 500.. => Trouble::TryLater { problem: problem("provider-broken", "fails"), seconds },
            401 | 403 => Trouble::Refused(problem("not-let-in", "does not let the hub in")),
            404 | 410 => Trouble::Refused(problem("not-there", "has nothing there")),
            409 => Trouble::Refused(problem("conflict", "says that it contradicts what it has")),
            _ => Trouble::Refused(problem("request-refused", "refuses the request")),
        })
    }
}

fn encode(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpRequest").field("method", &self.wire.method).field("target", &self.wire.target).finish_non_exhaustive()
    }
}
