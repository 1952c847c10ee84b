//! What is kept of an exchange, and how it is read again: the only place that knows its JSON.

use serde::{Deserialize, Serialize};

use crate::connection::Artefacts;
use crate::ledger::Exchange;
use crate::model::http::{HttpError, HttpHeader, HttpRequest, HttpResponse};
use crate::model::ids::Digest;

/// An answer as it is kept. Later versions must read it: a field keeps its name and meaning.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kept {
    Answered { status: u16, headers: Vec<(String, String)> },
    NotAllowed(String),
    ForbiddenHeader(String),
    Malformed(String),
    TooLarge(u64),
    TimedOut,
    Unreachable(String),
    Broken(String),
    RedirectRefused(String),
    NotSignedIn(String),
}

/// SHA-256 of all that a connector asks. Two requests that a provider could tell apart have two.
pub(super) fn digest_of(request: &HttpRequest) -> Digest {
    let mut bytes = format!("{} {}\n", request.method, request.target).into_bytes();
    for header in &request.headers {
        bytes.extend(format!("{}: {}\n", header.name, header.value).into_bytes());
    }
    bytes.push(b'\n');
    match &request.body {
        None => bytes.push(0),
        Some(body) => {
            bytes.push(1);
            bytes.extend_from_slice(body);
        }
    }
    Digest::of(&bytes)
}

/// An answer, without its body, as it is kept.
pub(super) fn written(answer: &Result<HttpResponse, HttpError>) -> String {
    let kept = match answer {
        Ok(response) => Kept::Answered {
            status: response.status,
            headers: response.headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect(),
        },
        Err(error) => match error.clone() {
            HttpError::NotAllowed(why) => Kept::NotAllowed(why),
            HttpError::ForbiddenHeader(name) => Kept::ForbiddenHeader(name),
            HttpError::Malformed(why) => Kept::Malformed(why),
            HttpError::TooLarge(bytes) => Kept::TooLarge(bytes),
            HttpError::TimedOut => Kept::TimedOut,
            HttpError::Unreachable(why) => Kept::Unreachable(why),
            HttpError::Broken(why) => Kept::Broken(why),
            HttpError::RedirectRefused(why) => Kept::RedirectRefused(why),
            HttpError::NotSignedIn(why) => Kept::NotSignedIn(why),
        },
    };
    serde_json::to_string(&kept).expect("texts and numbers are JSON")
}

/// An answer as it was.
pub(super) fn answer(exchange: &Exchange, artefacts: &Artefacts) -> Result<Result<HttpResponse, HttpError>, String> {
    let kept: Kept = serde_json::from_str(&exchange.answer).map_err(|error| format!("a kept answer cannot be read: {error}"))?;
    Ok(Err(match kept {
        Kept::Answered { status, headers } => {
            let body = match &exchange.body {
                None => Vec::new(),
                Some(digest) => read(artefacts, digest)?,
            };
            let headers = headers.into_iter().map(|(name, value)| HttpHeader { name, value }).collect();
            return Ok(Ok(HttpResponse { status, headers, body }));
        }
        Kept::NotAllowed(why) => HttpError::NotAllowed(why),
        Kept::ForbiddenHeader(name) => HttpError::ForbiddenHeader(name),
        Kept::Malformed(why) => HttpError::Malformed(why),
        Kept::TooLarge(bytes) => HttpError::TooLarge(bytes),
        Kept::TimedOut => HttpError::TimedOut,
        Kept::Unreachable(why) => HttpError::Unreachable(why),
        Kept::Broken(why) => HttpError::Broken(why),
        Kept::RedirectRefused(why) => HttpError::RedirectRefused(why),
        Kept::NotSignedIn(why) => HttpError::NotSignedIn(why),
    }))
}

fn read(artefacts: &Artefacts, digest: &Digest) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let mut file = artefacts.read(digest).map_err(|error| error.to_string())?;
    std::io::Read::read_to_end(&mut file, &mut body).map_err(|error| format!("a kept answer cannot be read: {error}"))?;
    Ok(body)
}

/// Whether a kept answer is a yes to something that was to be done: it is not asked for a second time.
pub(super) fn is_yes(exchange: &Exchange) -> bool {
    let changes = !matches!(exchange.method.as_str(), "GET" | "HEAD");
    changes && matches!(serde_json::from_str(&exchange.answer), Ok(Kept::Answered { status: 200..300, .. }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_answered_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let artefacts = Artefacts::open(folder.path()).unwrap();
        let headers = vec![HttpHeader { name: "retry-after".to_owned(), value: "5".to_owned() }];
        let why = || "why".to_owned();
        for before in [
            Ok(HttpResponse { status: 429, headers, body: b"later".to_vec() }),
            Err(HttpError::NotAllowed(why())),
            Err(HttpError::ForbiddenHeader(why())),
            Err(HttpError::Malformed(why())),
            Err(HttpError::TooLarge(7)),
            Err(HttpError::TimedOut),
            Err(HttpError::Unreachable(why())),
            Err(HttpError::Broken(why())),
            Err(HttpError::RedirectRefused(why())),
            Err(HttpError::NotSignedIn(why())),
        ] {
            let body = before.as_ref().ok().map(|response| artefacts.put(response.body.as_slice()).unwrap().digest);
            let kept = Exchange {
                lease: 1,
                seq: 1,
                request: Digest::of(b""),
                method: "POST".to_owned(),
                target: "/".to_owned(),
                answer: written(&before),
                body,
                sent_bytes: 0,
                received_bytes: 0,
                took_ms: 0,
                at_ms: 0,
                sealed: None,
            };
            assert_eq!(answer(&kept, &artefacts).unwrap(), before);
            assert!(!is_yes(&kept));
            let yes = Exchange { answer: r#"{"answered":{"status":201,"headers":[]}}"#.to_owned(), ..kept };
            assert!(is_yes(&yes) && !is_yes(&Exchange { method: "GET".to_owned(), ..yes }));
        }
    }

    #[test]
    fn what_differs_in_anything_has_another_digest() {
        let plain = HttpRequest { method: "POST".to_owned(), target: "/a".to_owned(), headers: Vec::new(), body: None };
        let header = |name: &str, value: &str| HttpHeader { name: name.to_owned(), value: value.to_owned() };
        let others = [
            HttpRequest { method: "PUT".to_owned(), ..plain.clone() },
            HttpRequest { target: "/b".to_owned(), ..plain.clone() },
            HttpRequest { headers: vec![header("a", "b")], ..plain.clone() },
            HttpRequest { headers: vec![header("a", "c")], ..plain.clone() },
            HttpRequest { body: Some(Vec::new()), ..plain.clone() },
            HttpRequest { body: Some(b"x".to_vec()), ..plain.clone() },
            plain,
        ];
        let mut digests: Vec<Digest> = others.iter().map(digest_of).collect();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), others.len());
    }
}
