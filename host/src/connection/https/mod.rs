//! Resources of a web server: one is pulled by its name, an artefact is sent with an Idempotency-Key.
//!
//! What a server does not say cannot be known: there is no listing, so a resource is asked for by name, and a mark that its last
//! answer carried, an ETag or a cursor, says from where on something is new. Redirects are followed to the same host only.

mod agent;
mod client;
mod send;
pub(super) mod tls;

use std::io::{Read as _, Write as _};

use ureq::http::StatusCode;

use super::artefacts::{Artefacts, COPY_BYTES};
use super::error::{ConnectionError, Step};
use super::listing::{Fetched, FoundFile, Listing, Looking, Seen};
use super::outside::Credentials;
use crate::model::job::HttpsPlace;
use client::{Client, failed, name};

pub(super) use agent::{agent, settings, unanswered};
pub(super) use client::{encoded, origin};
pub(super) use send::{check_target, deliver};

/// What stands in the name of a resource for the cursor of the last pull.
const SINCE: &str = "{since}";

/// Longest mark that is kept, in bytes.
const MARK_BYTES_MAX: usize = 1_024;

/// The one resource of the name; whether it is there and new, the pull finds out, so that it is asked for once.
pub(super) fn list(place: &HttpsPlace, looking: &Looking<'_>) -> Listing {
    let cursor = looking.mark.filter(|_| place.cursor_header.is_some()).unwrap_or_default();
    let file = FoundFile {
        name: looking.pattern.replace(SINCE, &encoded(cursor, false)),
        size: 0,
        modified_ms: looking.now_ms,
        seen: Seen { device: 0, inode: 0, size: 0, modified: (0, 0) },
        mark: looking.mark.map(str::to_owned),
    };
    Listing { files: vec![file], left: Vec::new() }
}

/// Tries the server step by step; `done` hears of each that succeeded. Nothing is sent: whatever arrives may have its effect.
pub(super) fn check(place: &HttpsPlace, credentials: Credentials<'_>, done: &mut dyn FnMut(Step, String)) -> Result<(), ConnectionError> {
    let client = Client::new(place, credentials)?;
    let status = client.look()?;
    for step in [Step::Resolve, Step::Connect, Step::Certificate] {
        done(step, String::new());
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(ConnectionError::SignIn { place: name(place), why: format!("the server answers {status}") })
        }
        _ => {
            done(Step::SignIn, format!("the address itself answers {status}"));
            Ok(())
        }
    }
}

/// Asks for a resource. None if there is nothing new since its mark.
pub(super) fn pull(
    place: &HttpsPlace,
    credentials: Credentials<'_>,
    file: &FoundFile,
    artefacts: &Artefacts,
) -> Result<Option<Fetched>, ConnectionError> {
    let etag = file.mark.as_deref().filter(|_| place.cursor_header.is_none());
    let mut answer = Client::new(place, credentials)?.get(&encoded(&file.name, true), etag)?;
    if matches!(answer.status(), StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT) {
        return Ok(None);
    }
    let mark_header = place.cursor_header.as_deref().unwrap_or("etag");
    let mark = answer.headers().get(mark_header).and_then(|value| value.to_str().ok()).filter(|mark| mark.len() <= MARK_BYTES_MAX);
    let mark = mark.map(str::to_owned);
    let mut writer = artefacts.writer()?;
    let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let read = body.read(&mut buffer).map_err(|error| failed(place, Step::Read, &error.into()))?;
        if read == 0 {
            break;
        }
        if writer.size() + read as u64 > place.file_bytes_max {
            let why = format!("the answer has more than {} bytes: see file-bytes-max in connections.toml", place.file_bytes_max);
            return Err(ConnectionError::Refused { place: name(place), step: Step::Read, why });
        }
        writer.write_all(&buffer[..read]).map_err(|error| ConnectionError::store(std::path::Path::new("staging"), error))?;
    }
    if writer.size() == 0 {
        return Ok(None);
    }
    Ok(Some(Fetched { stored: writer.commit()?, mark }))
}
