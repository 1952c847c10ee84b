//! Requests to a registry: by TLS, signed in where it asks for that, led no further than it may lead, and bounded in time and size.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read as _, Write};
use std::time::Duration;

use sha2::Digest as _;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::{Agent, Body};

use super::manifest::{ACCEPTED, Descriptor, Manifest};
use super::place::{Reference, digest_of};
use super::{Access, OciError, Which, sign_in};
use crate::connection::error::{ConnectionError, Step};
use crate::connection::https::tls::{self, Trust};
use crate::connection::https::{origin, settings, unanswered};
use crate::connection::outside::Credentials;
use crate::model::ids::Digest;

/// Longest silence of a registry.
const SILENCE_SECONDS: u64 = 30;

/// Longest time for one request: the largest component at 60 kilobytes a second.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(600);

/// Redirects that are followed for one blob: to a store, and within it.
const REDIRECTS_MAX: usize = 5;

/// Largest manifest, in bytes. A component's has some hundreds.
const MANIFEST_BYTES_MAX: u64 = 256 << 10;

/// At a time, of a blob.
const PIECE_BYTES: usize = 64 << 10;

/// Longest address that a redirect or an upload leads to, in bytes.
const URL_BYTES_MAX: usize = 8 << 10;

/// Where a registry says the digest of a manifest.
const DIGEST_HEADER: &str = "docker-content-digest";

/// A registry that is spoken to about one repository.
pub(super) struct Client<'a> {
    reference: &'a Reference,
    access: &'a Access,
    agent: Agent,
    /// Scheme, host and port. What signs in is sent nowhere else.
    origin: String,
    pushes: bool,
    signed_in: RefCell<Option<HeaderValue>>,
}

/// One request.
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) accept: Option<&'static str>,
    pub(super) body: Option<(&'static str, &'a [u8])>,
}

impl<'a> Client<'a> {
    pub(super) fn new(reference: &'a Reference, access: &'a Access, pushes: bool) -> Result<Self, OciError> {
        let in_the_clear = access.plain_http || reference.is_here() && access.ca_file.is_none();
        let trust = Trust { ca_file: access.ca_file.as_deref(), client_certificate: None, client_key: None };
        let tls = tls::config(&trust, Credentials(&BTreeMap::new())).map_err(|error| match error {
            ConnectionError::FileUnusable { path, why } => OciError::Certificates { path, why },
            other => OciError::Unanswered(other),
        })?;
        let settings = settings(SILENCE_SECONDS, tls).https_only(!in_the_clear).timeout_global(Some(REQUEST_TIME_MAX));
        let origin = format!("{}://{}", if in_the_clear { "http" } else { "https" }, reference.host);
        Ok(Self { reference, access, agent: settings.build().new_agent(), origin, pushes, signed_in: RefCell::default() })
    }

    /// An address below the repository's own.
    pub(super) fn url(&self, below: &str) -> String {
        format!("{}/v2/{}/{below}", self.origin, self.reference.name)
    }

    /// Asks, signs in where that is wanted, and goes where it is led. Answers what is neither.
    pub(super) fn ask(&self, asked: &Asked<'_>) -> Result<Response<Body>, OciError> {
        let (mut url, mut tried) = (asked.url.clone(), false);
        for _ in 0..=REDIRECTS_MAX + 1 {
            let answer = self.once(asked, &url)?;
            match answer.status() {
                StatusCode::UNAUTHORIZED if !tried && self.is_own(&url) => {
                    tried = true;
                    *self.signed_in.borrow_mut() = Some(self.sign_in(answer.headers())?);
                }
                status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                    let does = if self.pushes { "publish to" } else { "pull from" };
                    return Err(self.not_let_in(format!("it answers {status}, so that you may not {does} {}", self.reference.name)));
                }
                status if status.is_redirection() && asked.method == Method::GET => url = self.redirected(&url, &answer)?,
                _ => return Ok(answer),
            }
        }
        Err(self.refused(format!("it redirects more than {REDIRECTS_MAX} times")))
    }

    fn once(&self, asked: &Asked<'_>, url: &str) -> Result<Response<Body>, OciError> {
        let mut request = Request::builder().method(asked.method.clone()).uri(url);
        if let Some(accept) = asked.accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(signed_in) = self.signed_in.borrow().as_ref().filter(|_| self.is_own(url)) {
            request = request.header(AUTHORIZATION, signed_in.clone());
        }
        let answer = match asked.body {
            None => request.body(()).map(|request| self.agent.run(request)),
            Some((media_type, body)) => request.header(CONTENT_TYPE, media_type).body(body).map(|request| self.agent.run(request)),
        };
        let answer = answer.map_err(|_| self.refused("it leads to something that is no address".to_owned()))?;
        answer.map_err(|error| self.unanswered(&error))
    }

    fn sign_in(&self, headers: &HeaderMap) -> Result<HeaderValue, OciError> {
        let credentials = self.access.credentials.as_ref();
        let host = &self.reference.host;
        match sign_in::Challenge::read(headers) {
            Some(sign_in::Challenge::Basic) => match credentials {
                Some(credentials) => sign_in::basic(host, credentials),
                None => Err(self.not_let_in("it asks who you are".to_owned())),
            },
            Some(sign_in::Challenge::Bearer(bearer)) => {
                let realm = bearer.url(&self.reference.name, self.pushes);
                let realm = realm.filter(|realm| realm.starts_with("https://") || self.is_own(realm));
                let realm = realm.ok_or_else(|| self.refused("it wants to be signed in to without TLS, so nothing was sent".to_owned()))?;
                let mut request = Request::get(realm);
                if let Some(credentials) = credentials {
                    request = request.header(AUTHORIZATION, sign_in::basic(host, credentials)?);
                }
                let request = request.body(()).map_err(|_| self.refused("where to sign in is no address".to_owned()))?;
                let mut answer = self.agent.run(request).map_err(|error| self.unanswered(&error))?;
                if !answer.status().is_success() {
                    return Err(self.not_let_in(format!("whoever gives tokens for it answers {}", answer.status())));
                }
                let bytes = answer.body_mut().with_config().limit(sign_in::TOKEN_BYTES_MAX).read_to_vec();
                sign_in::token(&bytes.map_err(|error| self.unanswered(&error))?)
                    .ok_or_else(|| self.refused("whoever gives tokens for it gave none".to_owned()))
            }
            None => Err(self.not_let_in("it wants to be signed in to neither by a password nor by a token".to_owned())),
        }
    }

    /// Where an answer leads: within the registry, or by TLS.
    fn redirected(&self, from: &str, answer: &Response<Body>) -> Result<String, OciError> {
        let to = self.location(from, answer)?;
        if to.starts_with("https://") || to.starts_with("http://") && is_same(origin(&to), origin(from)) {
            return Ok(to);
        }
        Err(self.refused("it redirects elsewhere without TLS, which is not followed. Whoever keeps it puts that right".to_owned()))
    }

    /// Where an upload goes on: within the registry.
    pub(super) fn upload_location(&self, from: &str, answer: &Response<Body>) -> Result<String, OciError> {
        let to = self.location(from, answer)?;
        if self.is_own(&to) {
            return Ok(to);
        }
        let why = "it wants the component sent to another address than its own. Whoever keeps it sets the address that it is known by";
        Err(self.refused(why.to_owned()))
    }

    fn location(&self, from: &str, answer: &Response<Body>) -> Result<String, OciError> {
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.filter(|location| !location.is_empty() && location.len() <= URL_BYTES_MAX);
        let location = location.ok_or_else(|| self.refused(format!("it answers {} and does not say where to go on", answer.status())))?;
        let below = location.starts_with('/') && !location.starts_with("//");
        Ok(if below { format!("{}{location}", origin(from)) } else { location.to_owned() })
    }

    /// A manifest with its digest; none if there is none.
    pub(super) fn manifest(&self, which: &Reference) -> Result<Option<(Digest, Manifest)>, OciError> {
        let what = which.to_string();
        let url = self.url(&format!("manifests/{}", which.which));
        let mut answer = self.ask(&Asked { method: Method::GET, url, accept: Some(ACCEPTED), body: None })?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.accepted(&answer)?;
        let says = answer.headers().get(DIGEST_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut bytes = Vec::new();
        let mut body = answer.body_mut().with_config().limit(u64::MAX).reader().take(MANIFEST_BYTES_MAX + 1);
        body.read_to_end(&mut bytes).map_err(|error| self.unanswered(&error.into()))?;
        if bytes.len() as u64 > MANIFEST_BYTES_MAX {
            let what = format!("the manifest of {what}");
            return Err(OciError::TooLarge { what, bytes: bytes.len() as u64, allowed: MANIFEST_BYTES_MAX });
        }
        let digest = Digest::of(&bytes);
        let wanted = match &which.which {
            Which::Digest(wanted) => Some(*wanted),
            Which::Tag(_) => says.as_deref().and_then(digest_of),
        };
        if wanted.is_some_and(|wanted| wanted != digest) {
            return Err(OciError::Damaged { what: format!("the manifest of {what}"), why: format!("its bytes have sha256:{digest}") });
        }
        Ok(Some((digest, Manifest::read(&what, &bytes)?)))
    }

    /// Writes a blob out as it comes: no more of it than was said, and an error in the end if it is not what was said.
    pub(super) fn blob(&self, (what, blob): (&str, &Descriptor), most: u64, out: &mut dyn Write) -> Result<(), OciError> {
        let wanted = blob.digest(what)?;
        if blob.size > most {
            return Err(OciError::TooLarge { what: what.to_owned(), bytes: blob.size, allowed: most });
        }
        let url = self.url(&format!("blobs/sha256:{wanted}"));
        let mut answer = self.ask(&Asked { method: Method::GET, url, accept: None, body: None })?;
        let damaged = |why: String| OciError::Damaged { what: what.to_owned(), why };
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(damaged("the registry has its manifest and not its bytes".to_owned()));
        }
        self.accepted(&answer)?;
        let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
        let (mut hash, mut came, mut piece) = (sha2::Sha256::new(), 0_u64, vec![0; PIECE_BYTES]);
        loop {
            let read = body.read(&mut piece).map_err(|error| self.unanswered(&error.into()))?;
            if read == 0 {
                break;
            }
            came += read as u64;
            if came > blob.size {
                return Err(damaged(format!("more than the {} bytes that its manifest says came", blob.size)));
            }
            hash.update(&piece[..read]);
            out.write_all(&piece[..read]).map_err(OciError::Disk)?;
        }
        let found = Digest::new(hash.finalize().into());
        if came != blob.size || found != wanted {
            return Err(damaged(format!("{came} of {} bytes came, with sha256:{found}", blob.size)));
        }
        Ok(())
    }

    /// Whether an answer is a yes.
    pub(super) fn accepted(&self, answer: &Response<Body>) -> Result<(), OciError> {
        let (host, status) = (self.reference.host.clone(), answer.status());
        let why = format!("it answers {status}");
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(OciError::Failing { host, why }),
            _ if status.is_server_error() => Err(OciError::Failing { host, why }),
            _ => Err(self.refused(format!("{why}. Ask who keeps it"))),
        }
    }

    pub(super) fn refused(&self, why: String) -> OciError {
        OciError::Refused { host: self.reference.host.clone(), why }
    }

    fn not_let_in(&self, why: String) -> OciError {
        OciError::SignIn { host: self.reference.host.clone(), why }
    }

    fn unanswered(&self, error: &ureq::Error) -> OciError {
        OciError::Unanswered(unanswered(self.reference.host.clone(), SILENCE_SECONDS, Step::Read, error))
    }

    fn is_own(&self, url: &str) -> bool {
        is_same(origin(url), &self.origin)
    }
}

/// Whether two origins are one, a port that goes without saying being said or not.
fn is_same(one: &str, other: &str) -> bool {
    let short = |origin: &str| {
        let origin = origin.to_ascii_lowercase();
        let port = if origin.starts_with("https:") { ":443" } else { ":80" };
        origin.strip_suffix(port).map_or_else(|| origin.clone(), str::to_owned)
    };
    short(one) == short(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_goes_without_saying_makes_no_other_origin() {
        for (one, other, same) in [
            ("https://a", "https://A:443", true),
            ("http://a:80", "http://a", true),
            ("https://a:80", "https://a", false),
            ("http://a", "https://a", false),
            ("https://a", "https://a.example", false),
            ("https://a", "https://b@a", false),
        ] {
            assert_eq!(is_same(one, other), same, "{one} {other}");
        }
    }
}
