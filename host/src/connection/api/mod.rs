//! A provider's API: one request at a time, within the rules of its connection.
//!
//! ```text
//! exchange   rules → sign in → hop → redirect? checked like a request, without credentials on another host → hop → masked answer
//! hop        name looked up once → every address judged → connected to those alone → time and size bounded
//! ```
//!
//! Nothing here knows who asks, why, or what becomes of the answer.

mod address;
mod hop;
mod mask;
mod post;
mod sign_in;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use ureq::Agent;
use ureq::http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::error::{ConnectionError, Step};
use super::https::tls::Trust;
use super::outside::{Credentials, Outside};
use crate::model::http::{HttpError, HttpRequest, HttpResponse, Origin};
use crate::model::job::{ApiPlace, Place};
use address::{Lookup, Reach, by_system};
use hop::Hop;
use mask::Mask;
use sign_in::Signing;

pub use post::{Post, PostError, post};
pub use sign_in::TokenSlot;

/// Redirects that are followed for one request.
const REDIRECTS_MAX: usize = 5;

/// Largest answer of where tokens are given out, in bytes.
const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// How long looking a place over may take.
const CHECK_TIME: Duration = Duration::from_secs(30);

/// A provider's API for the length of one session: addresses, once looked up, stay as they are.
pub struct Api {
    place: ApiPlace,
    origin: Origin,
    tls: ureq::tls::TlsConfig,
    signing: Signing,
    mask: Mutex<Mask>,
    agents: Mutex<HashMap<Origin, Agent>>,
    lookup: Lookup,
}

/// How far one request may go.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Until the last byte of the answer, redirects and tokens included.
    pub time: Duration,
    /// Bytes of the answer's body, if the connection does not allow fewer.
    pub answer_bytes_max: u64,
}

impl Api {
    /// Makes ready to ask. Nothing is asked yet, and nobody connected to. None if the place is none of this kind.
    ///
    /// # Errors
    /// [`ConnectionError::Credential`] and [`ConnectionError::FileUnusable`], for the operator.
    pub fn new(outside: &Outside, slot: TokenSlot) -> Result<Option<Self>, ConnectionError> {
        match &outside.place {
            Place::Api(place) => Self::of_place(place, slot, Credentials(&outside.credentials)).map(Some),
            Place::Folder { .. } | Place::Sftp(_) | Place::Https(_) | Place::S3(_) | Place::Sql(_) | Place::Smtp(_) => Ok(None),
        }
    }

    pub(super) fn of_place(place: &ApiPlace, slot: TokenSlot, credentials: Credentials<'_>) -> Result<Self, ConnectionError> {
        let trust = Trust {
            ca_file: place.ca_file.as_deref(),
            client_certificate: place.client_certificate.as_deref(),
            client_key: place.client_key.as_ref(),
        };
        let mut mask = Mask::default();
        let signing = Signing::new(&place.sign_in, slot, credentials, &mut mask)?;
        let (origin, _) = Origin::of(&place.url).expect("the configuration was checked");
        Ok(Self {
            origin,
            tls: super::https::tls::config(&trust, credentials)?,
            signing,
            mask: Mutex::new(mask),
            agents: Mutex::default(),
            lookup: by_system,
            place: place.clone(),
        })
    }

    /// Makes a request, which was checked to be one, and waits for its answer.
    ///
    /// # Errors
    /// Why there is no answer. No credential is in it, nor in an answer.
    pub fn exchange(&self, request: &HttpRequest, bounds: Bounds) -> Result<HttpResponse, HttpError> {
        let bounds = Bounds { answer_bytes_max: bounds.answer_bytes_max.min(self.place.answer_bytes_max), ..bounds };
        let deadline = Instant::now() + bounds.time;
        let answer = self.allowed(request).and_then(|()| self.signed_exchange(request, deadline, bounds.answer_bytes_max));
        let mask = self.mask.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(response) => Ok(mask.response(response)),
            Err(HttpError::Unreachable(why)) => Err(HttpError::Unreachable(mask.text(why))),
            Err(HttpError::Broken(why)) => Err(HttpError::Broken(mask.text(why))),
            Err(HttpError::RedirectRefused(why)) => Err(HttpError::RedirectRefused(mask.text(why))),
            Err(error) => Err(error),
        }
    }

    fn allowed(&self, request: &HttpRequest) -> Result<(), HttpError> {
        if !self.place.requests.iter().any(|rule| rule.allows(&request.method, request.path())) {
            return Err(HttpError::NotAllowed(format!("the connection does not allow {} {}", request.method, request.path())));
        }
        let own = self.signing.header_name().map(|name| name.as_str());
        match request.headers.iter().find(|header| own == Some(header.name.as_str())) {
            Some(header) => Err(HttpError::ForbiddenHeader(header.name.clone())),
            None => Ok(()),
        }
    }

    /// Asks with credentials; once more with a new token, if the one at hand is not accepted.
    fn signed_exchange(&self, request: &HttpRequest, deadline: Instant, bytes_max: u64) -> Result<HttpResponse, HttpError> {
        let refused = || HttpError::NotSignedIn("the provider answers 401".to_owned());
        let mut token = self.token(None, deadline)?;
        let answer = self.follow(request, token.as_ref(), (deadline, bytes_max))?;
        if answer.status != 401 {
            return Ok(answer);
        }
        // A provider that does not let the hub in has done nothing: it may be asked again.
        token = self.token(token.as_ref(), deadline)?;
        if token.is_none() {
            return Err(refused());
        }
        let answer = self.follow(request, token.as_ref(), (deadline, bytes_max))?;
        if answer.status == 401 { Err(refused()) } else { Ok(answer) }
    }

    fn token(&self, refused: Option<&SecretString>, deadline: Instant) -> Result<Option<SecretString>, HttpError> {
        let Signing::Token(source) = &self.signing else { return Ok(None) };
        let send = |url: &str, authorization: &HeaderValue, form: String| {
            let (origin, target) = Origin::of(url).expect("the configuration was checked");
            let hop = Hop {
                agent: &self.agent(&origin, self.reach(), deadline)?,
                url: format!("{}{target}", origin.url()),
                headers: &[],
                signed: Some((&AUTHORIZATION, authorization)),
                bounds: (deadline, TOKEN_BYTES_MAX),
            };
            hop.send_form(&form)
        };
        let token = source.token(refused, &send)?;
        self.mask.lock().unwrap_or_else(PoisonError::into_inner).add(token.expose_secret());
        Ok(Some(token))
    }

    /// The header that signs a request in.
    fn signed<'a>(&'a self, bearer: Option<&'a HeaderValue>) -> Option<(&'a HeaderName, &'a HeaderValue)> {
        match &self.signing {
            Signing::Not => None,
            Signing::Fixed(name, value) => Some((name, value)),
            Signing::Token(_) => bearer.map(|value| (&AUTHORIZATION, value)),
        }
    }

    /// Asks, and goes where the answer redirects to, if one may go there.
    fn follow(&self, request: &HttpRequest, token: Option<&SecretString>, bounds: (Instant, u64)) -> Result<HttpResponse, HttpError> {
        let bearer = token.and_then(sign_in::bearer);
        let signed = self.signed(bearer.as_ref());
        let (mut url, mut origin) = (format!("{}{}", self.place.url, request.target), self.origin.clone());
        for _ in 0..=REDIRECTS_MAX {
            let own = origin == self.origin;
            // Private addresses are allowed to the connection's own host, and to no other.
            let hop = Hop {
                agent: &self.agent(&origin, if own { self.reach() } else { Reach::Public }, bounds.0)?,
                url: url.clone(),
                headers: if own { &request.headers } else { &[] },
                signed: signed.filter(|_| own),
                bounds,
            };
            let (answer, location) = hop.send(&request.method, request.body.as_deref())?;
            let Some(location) = location else { return Ok(answer) };
            if !request.only_reads() {
                let why = format!("the provider answers {}, and what is sent is not redirected", answer.status);
                return Err(HttpError::RedirectRefused(why));
            }
            (origin, url) = self.redirected(&origin, &location, &request.method)?;
        }
        Err(HttpError::RedirectRefused(format!("it was redirected more than {REDIRECTS_MAX} times")))
    }

    /// Where a redirect leads, if the connection allows that.
    fn redirected(&self, from: &Origin, location: &str, method: &str) -> Result<(Origin, String), HttpError> {
        let refused = |why: String| Err(HttpError::RedirectRefused(why));
        let absolute = if location.starts_with('/') && !location.starts_with("//") {
            format!("{}{location}", from.url())
        } else {
            location.to_owned()
        };
        let Some((origin, target)) = Origin::of(&absolute) else {
            return refused("it leads to no address that begins with https://".to_owned());
        };
        if let Err(why) = crate::model::http::check_target(&target) {
            return refused(why);
        }
        let path = target.split('?').next().unwrap_or_default();
        let (_, base) = Origin::of(&self.place.url).expect("the configuration was checked");
        let below = if base == "/" { Some(path) } else { path.strip_prefix(base.as_str()) };
        let own = origin == self.origin && below.is_some_and(|path| self.place.requests.iter().any(|rule| rule.allows(method, path)));
        let other = || self.place.redirects.iter().any(|rule| rule.host == origin.host_and_port() && rule.paths.allows("GET", path));
        if !own && !other() {
            let to_do = "if that is right, add it to redirects in connections.toml";
            return refused(format!("it leads to {}{path}, which the connection does not allow: {to_do}", origin.host_and_port()));
        }
        Ok((origin.clone(), format!("{}{target}", origin.url())))
    }

    const fn reach(&self) -> Reach {
        if self.place.allow_private { Reach::Private } else { Reach::Public }
    }

    /// What connects to a host: to the addresses that it had when it was first asked for, and to no others.
    fn agent(&self, origin: &Origin, reach: Reach, deadline: Instant) -> Result<Agent, HttpError> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(origin) {
            return Ok(agent.clone());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let pinned = address::resolve(self.lookup, (&origin.host, origin.port), reach, left)?;
        let agent = hop::agent(self.tls.clone(), pinned);
        agents.insert(origin.clone(), agent.clone());
        Ok(agent)
    }

    /// Tries the provider step by step; `done` hears of each that succeeded. Nothing is sent: whatever arrives may have its effect.
    pub(super) fn check(&self, done: &mut dyn FnMut(Step, String)) -> Result<(), ConnectionError> {
        let deadline = Instant::now() + CHECK_TIME;
        let agent = self.agent(&self.origin, self.reach(), deadline).map_err(|error| self.told(Step::Resolve, error))?;
        done(Step::Resolve, String::new());
        let token = self.token(None, deadline).map_err(|error| self.told(Step::SignIn, error))?;
        let bearer = token.as_ref().and_then(sign_in::bearer);
        let signed = self.signed(bearer.as_ref());
        let hop = Hop { agent: &agent, url: self.place.url.clone(), headers: &[], signed, bounds: (deadline, 0) };
        let (answer, _) = hop.send("HEAD", None).map_err(|error| self.told(Step::Connect, error))?;
        done(Step::Connect, String::new());
        done(Step::Certificate, String::new());
        if matches!(answer.status, 401 | 403) {
            let why = format!("the provider answers {}", answer.status);
            return Err(ConnectionError::SignIn { place: self.place.url.clone(), why });
        }
        let token = if token.is_some() { "a token was given out; " } else { "" };
        done(Step::SignIn, format!("{token}the address itself answers {}", answer.status));
        Ok(())
    }

    fn told(&self, step: Step, error: HttpError) -> ConnectionError {
        let place = self.place.url.clone();
        match error {
            HttpError::NotSignedIn(why) => ConnectionError::SignIn { place, why },
            HttpError::NotAllowed(why) | HttpError::RedirectRefused(why) => ConnectionError::Refused { place, step, why },
            HttpError::Unreachable(why) | HttpError::Broken(why) => ConnectionError::Unreachable { place, step, why },
            other => ConnectionError::Unreachable { place, step, why: other.to_string() },
        }
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("url", &self.place.url).finish_non_exhaustive()
    }
}
