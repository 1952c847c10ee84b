//! A message put to an address outside: to the addresses that its name was found to have, once, and no redirect followed.

use std::path::Path;
use std::time::{Duration, Instant};

use super::address::{Reach, by_system, resolve};
use super::hop::{Hop, agent};
use crate::connection::ConnectionError;
use crate::connection::https::tls;
use crate::connection::outside::Credentials;
use crate::model::http::{HttpError, HttpHeader, Origin};

/// Most of an answer that is waited for. Nobody reads it: what counts is its status.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// A message, and where it goes.
#[derive(Debug)]
pub struct Post<'a> {
    /// Where: `https://…`.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a [HttpHeader],
    /// Its body.
    pub body: &'a [u8],
    /// Whether it may be an address of a private network.
    pub allow_private: bool,
    /// The authority of its certificate; none for those of the web.
    pub ca_file: Option<&'a Path>,
    /// How long it may take, all in all.
    pub time: Duration,
}

/// Sends a message, and answers the status that the receiver gave. Nothing of the answer's body is kept.
///
/// # Errors
/// [`PostError`].
pub fn post(post: &Post<'_>) -> Result<u16, PostError> {
    let deadline = Instant::now() + post.time;
    let (origin, target) = Origin::of(post.url).ok_or_else(|| HttpError::Malformed("it is no address".to_owned()))?;
    let trust = tls::Trust { ca_file: post.ca_file, client_certificate: None, client_key: None };
    let tls = tls::config(&trust, Credentials(&std::collections::BTreeMap::new()))?;
    let reach = if post.allow_private { Reach::Private } else { Reach::Public };
    let pinned = resolve(by_system, (&origin.host, origin.port), reach, post.time)?;
    let hop = Hop {
        agent: &agent(tls, pinned),
        url: format!("{}{target}", origin.url()),
        headers: post.headers,
        signed: None,
        bounds: (deadline, ANSWER_BYTES_MAX),
    };
    let (answer, _) = hop.send("POST", Some(post.body))?;
    Ok(answer.status)
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// What went wrong on the way.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The authority's file cannot be used.
    #[error(transparent)]
    Trust(#[from] ConnectionError),
}
