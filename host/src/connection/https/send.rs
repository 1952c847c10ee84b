//! Sends an artefact. Every attempt carries the same Idempotency-Key, so that a server which promises to act once on it may be asked
//! again; where it promises nothing, an attempt whose end is not known is left to a person.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::SendBody;
use ureq::http::StatusCode;
use ureq::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};

use super::client::{Client, accepted, below, encoded, failed};
use crate::connection::artefacts::{ArtefactFile, Artefacts};
use crate::connection::deliver::{Delivery, Receipt, check_file_name};
use crate::connection::error::{ConnectionError, Step};
use crate::connection::outside::Credentials;
use crate::model::job::{HttpsPlace, SendMethod};

/// Most of what a server says of a delivery, in characters, that is kept with its receipt.
const SAID_CHARS_MAX: usize = 200;

/// Nothing can be looked at before it is sent, but the credentials and certificates that are needed.
pub(in crate::connection) fn check_target(
    place: &HttpsPlace,
    credentials: Credentials<'_>,
    delivery: &Delivery<'_>,
) -> Result<bool, ConnectionError> {
    check_file_name(delivery.name)?;
    Client::new(place, credentials).map(|_| false)
}

/// Delivers to a web server.
pub(in crate::connection) fn deliver(
    place: &HttpsPlace,
    credentials: Credentials<'_>,
    delivery: &Delivery<'_>,
    artefacts: &Artefacts,
) -> Result<Receipt, ConnectionError> {
    check_file_name(delivery.name)?;
    let client = Client::new(place, credentials)?;
    let size = artefacts.verify(&delivery.digest)?.size;
    let resource = encoded(delivery.name, false);
    let url = match place.method {
        SendMethod::Post => place.url.clone(),
        SendMethod::Put => below(place, &resource),
    };
    let target = below(place, &resource);
    let sent = Arc::new(AtomicBool::new(size == 0));
    let body = Sent { file: artefacts.read(&delivery.digest)?, sent: Arc::clone(&sent) };
    let answer = client
        .send(&url)
        .header("idempotency-key", delivery.key)
        .header(CONTENT_TYPE, &place.content_type)
        .header(CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{resource}"))
        .header(CONTENT_LENGTH, size.to_string())
        .send(SendBody::from_owned_reader(body))
        .map_err(|error| failed(place, Step::Write, &error))
        .and_then(|answer| {
            let status = answer.status();
            // See Other: the server has acted, and says where what came of it can be looked at.
            if place.method == SendMethod::Post && status == StatusCode::SEE_OTHER {
                return Ok(answer);
            }
            if status.is_redirection() {
                // Many servers that have acted answer so, and many that have not.
                let why = format!("the server answers {status}, and what is sent is not redirected: look at the url in connections.toml");
                return Err(ConnectionError::Uncertain { target: target.clone(), why });
            }
            accepted(place, Step::Write, answer)
        });
    match answer {
        Ok(answer) => {
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let said: String = location.unwrap_or_default().chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect();
            let said = format!("{} {said}", answer.status()).trim_end().to_owned();
            Ok(Receipt { target, size, digest: delivery.digest, already_there: false, said: Some(said) })
        }
        Err(ConnectionError::Unreachable { why, .. }) if !place.idempotent && sent.load(Ordering::Relaxed) => {
            let why = format!("{why}, after it was sent; and this server does not promise to recognise a repeat");
            Err(ConnectionError::Uncertain { target, why })
        }
        // The body was never asked for, so the server has nothing that it could act on.
        Err(ConnectionError::Unreachable { place, step: Step::Write, why }) if !sent.load(Ordering::Relaxed) => {
            Err(ConnectionError::Unreachable { place, step: Step::Connect, why })
        }
        Err(error) => Err(error),
    }
}

/// Notes that the server was sent something: from then on it may have acted.
struct Sent {
    file: ArtefactFile,
    sent: Arc<AtomicBool>,
}

impl Read for Sent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.sent.store(true, Ordering::Relaxed);
        self.file.read(buffer)
    }
}
