//! Requests to a bucket: signed, sent, and what their answers mean. It knows keys and bytes; what they are for is not known here.
//!
//! Each request is signed for a few minutes, by the moment that the caller was told plus what has passed since: so no clock is asked.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use rusty_s3::actions::{ListObjectsV2, ListObjectsV2Response};
use rusty_s3::{S3Action, UrlStyle};
use secrecy::{ExposeSecret as _, SecretString};
use ureq::http::header::{CONTENT_LENGTH, ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body, SendBody};

use crate::connection::error::{ConnectionError, Step};
use crate::connection::https;
use crate::connection::https::tls::{self, Trust};
use crate::connection::outside::Credentials;
use crate::model::ids::Digest;
use crate::model::job::S3Place;

/// How long a signed request may be on its way before it begins to be answered.
const SIGNED_FOR: Duration = Duration::from_secs(900);

/// Longest answer that is no object, in bytes: a page of a listing has a thousand keys of up to a KiB each, encoded.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// Header of the digest that the server compares with what arrives.
const CHECKSUM: &str = "x-amz-checksum-sha256";

/// A bucket and what opens it.
pub(super) struct Bucket {
    agent: Agent,
    bucket: rusty_s3::Bucket,
    credentials: rusty_s3::Credentials,
    /// How it is called in errors.
    pub(super) place: String,
    silence_seconds: u64,
    /// The moment that was told, and when that was.
    told: (Timestamp, Instant),
}

/// What is told of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) size: u64,
    /// When it was put, by the server's clock, in milliseconds since 1970.
    pub(super) modified_ms: Option<i64>,
}

/// One object that is put whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) key: &'a str,
    pub(super) size: u64,
    pub(super) digest: Digest,
    /// Only if no object has the key.
    pub(super) only_new: bool,
}

/// What became of something that only a new key is given to.
#[derive(Debug)]
pub(super) enum Made {
    Done,
    /// The server says that it did not do it.
    Not(ConnectionError),
    /// Another object has the key, or is getting it at this moment.
    Taken,
    /// The server does not know how to make sure of that.
    CannotTell,
}

impl Bucket {
    pub(super) fn open(place: &S3Place, key: &SecretString, now_ms: i64) -> Result<Self, ConnectionError> {
        let name = format!("s3://{} at {}", place.bucket, place.url);
        let wrong = |why: String| ConnectionError::Refused { place: name.clone(), step: Step::Resolve, why };
        let style = if place.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let endpoint = place.url.parse().map_err(|error| wrong(format!("its address cannot be used: {error}")))?;
        let bucket = rusty_s3::Bucket::new(endpoint, style, place.bucket.clone(), place.region.clone())
            .map_err(|error| wrong(format!("its name or address cannot be used: {error}")))?;
        let trust = Trust { ca_file: place.ca_file.as_deref(), client_certificate: None, client_key: None };
        let tls = tls::config(&trust, Credentials(&BTreeMap::new()))?;
        Ok(Self {
            agent: https::agent(place.silence_seconds_max, tls),
            bucket,
            credentials: rusty_s3::Credentials::new(place.access_key.clone(), key.expose_secret().trim()),
            place: name,
            silence_seconds: place.silence_seconds_max,
            told: (Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH), Instant::now()),
        })
    }

    /// One page of the objects whose keys begin with a prefix and have no `/` after it.
    pub(super) fn page(&self, prefix: &str, token: Option<String>) -> Result<ListObjectsV2Response, ConnectionError> {
        let mut action = self.bucket.list_objects_v2(Some(&self.credentials));
        action.with_prefix(prefix);
        action.with_delimiter("/");
        if let Some(token) = token {
            action.with_continuation_token(token);
        }
        let answer = self.answer(Step::List, self.agent.get(self.signed(&action)).call())?;
        let text = self.text(Step::List, self.accepted(Step::List, answer)?)?;
        ListObjectsV2::parse_response(&text).map_err(|error| self.refused(Step::List, format!("its listing cannot be read: {error}")))
    }

    /// What is told of an object; none if there is none.
    pub(super) fn look(&self, key: &str) -> Result<Option<Told>, ConnectionError> {
        let action = self.bucket.head_object(Some(&self.credentials), key);
        let answer = self.answer(Step::Read, self.agent.head(self.signed(&action)).call())?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.accepted(Step::Read, answer)?;
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let size = header(CONTENT_LENGTH).and_then(|size| size.parse().ok());
        let modified = header(LAST_MODIFIED).and_then(|text| rfc2822::parse(text).ok());
        match size {
            Some(size) => Ok(Some(Told { size, modified_ms: modified.map(|modified| modified.timestamp().as_millisecond()) })),
            None => Err(self.refused(Step::Read, "it does not say how long an object is".to_owned())),
        }
    }

    /// An object, to be read; none if there is none.
    pub(super) fn get(&self, key: &str) -> Result<Option<Response<Body>>, ConnectionError> {
        let action = self.bucket.get_object(Some(&self.credentials), key);
        let mut answer = self.answer(Step::Read, self.agent.get(self.signed(&action)).call())?;
        if answer.status() == StatusCode::NOT_FOUND && code(&mut answer) != "NoSuchBucket" {
            return Ok(None);
        }
        self.accepted(Step::Read, answer).map(Some)
    }

    /// Puts an object at once; the server compares its digest. An error says that there was no answer.
    pub(super) fn put(&self, whole: Whole<'_>, body: impl Read + 'static) -> Result<Made, ConnectionError> {
        let checksum = BASE64_STANDARD.encode(whole.digest.bytes());
        let mut action = self.bucket.put_object(Some(&self.credentials), whole.key);
        action.headers_mut().insert(CHECKSUM, checksum.clone());
        if whole.only_new {
            action.headers_mut().insert("if-none-match", "*");
        }
        let mut request = self.agent.put(self.signed(&action)).header(CHECKSUM, checksum).header(CONTENT_LENGTH, whole.size.to_string());
        if whole.only_new {
            request = request.header(IF_NONE_MATCH, "*");
        }
        let answer = self.answer(Step::Write, request.send(SendBody::from_owned_reader(body)))?;
        Ok(self.made(Step::Write, answer).0)
    }

    /// Removes an object. That there is none is no error.
    pub(super) fn delete(&self, key: &str) -> Result<(), ConnectionError> {
        let action = self.bucket.delete_object(Some(&self.credentials), key);
        let answer = self.answer(Step::Remove, self.agent.delete(self.signed(&action)).call())?;
        if answer.status() == StatusCode::NOT_FOUND { Ok(()) } else { self.accepted(Step::Remove, answer).map(drop) }
    }

    /// Begins an object in parts, and answers the number of its upload.
    pub(super) fn begin(&self, key: &str) -> Result<String, ConnectionError> {
        let action = self.bucket.create_multipart_upload(Some(&self.credentials), key);
        let answer = self.answer(Step::Write, self.agent.post(self.signed(&action)).send_empty())?;
        let text = self.text(Step::Write, self.accepted(Step::Write, answer)?)?;
        let begun = rusty_s3::actions::CreateMultipartUpload::parse_response(&text);
        let begun = begun.map_err(|error| self.refused(Step::Write, format!("its answer cannot be read: {error}")))?;
        Ok(begun.upload_id().to_owned())
    }

    /// Sends one part, and answers what names it.
    pub(super) fn part(
        &self,
        (key, upload): (&str, &str),
        number: u16,
        (body, size): (impl Read + 'static, u64),
    ) -> Result<String, ConnectionError> {
        let action = self.bucket.upload_part(Some(&self.credentials), key, number, upload);
        let request = self.agent.put(self.signed(&action)).header(CONTENT_LENGTH, size.to_string());
        let answer = self.answer(Step::Write, request.send(SendBody::from_owned_reader(body)))?;
        let answer = self.accepted(Step::Write, answer)?;
        let name = answer.headers().get(ETAG).and_then(|name| name.to_str().ok());
        name.map(str::to_owned).ok_or_else(|| self.refused(Step::Write, "it gives a part no name".to_owned()))
    }

    /// Puts the parts together under the key. An error says that there was no answer.
    pub(super) fn complete(&self, (key, upload): (&str, &str), parts: &[String], only_new: bool) -> Result<Made, ConnectionError> {
        let names = parts.iter().map(String::as_str);
        let mut action = self.bucket.complete_multipart_upload(Some(&self.credentials), key, upload, names);
        if only_new {
            action.headers_mut().insert("if-none-match", "*");
        }
        let mut request = self.agent.post(self.signed(&action));
        if only_new {
            request = request.header(IF_NONE_MATCH, "*");
        }
        let (made, answer) = self.made(Step::Rename, self.answer(Step::Rename, request.send(action.body()))?);
        let Some(answer) = answer else { return Ok(made) };
        // Its first line may have said that all is well before it was.
        let text = self.text(Step::Rename, answer)?;
        if text.contains("<Error") {
            return Ok(Made::Not(self.unreachable(Step::Rename, format!("the server answers {}", code_in(&text)))));
        }
        Ok(Made::Done)
    }

    /// Gives up the parts of an upload.
    pub(super) fn abort(&self, (key, upload): (&str, &str)) -> Result<(), ConnectionError> {
        let action = self.bucket.abort_multipart_upload(Some(&self.credentials), key, upload);
        self.answer(Step::Remove, self.agent.delete(self.signed(&action)).call()).map(drop)
    }

    /// Whether an upload in parts is neither complete nor given up. A server may forget an upload, or only its parts.
    pub(super) fn is_open(&self, (key, upload): (&str, &str)) -> Result<bool, ConnectionError> {
        let action = self.bucket.list_parts(Some(&self.credentials), key, upload);
        let answer = self.answer(Step::Rename, self.agent.get(self.signed(&action)).call())?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let text = self.text(Step::Rename, self.accepted(Step::Rename, answer)?)?;
        // Whether there are any is all that is asked, and not every server tells all that the reader of the library wants of each.
        Ok(text.contains("<Part>"))
    }

    pub(super) fn refused(&self, step: Step, why: String) -> ConnectionError {
        ConnectionError::Refused { place: self.place.clone(), step, why }
    }

    pub(super) fn unreachable(&self, step: Step, why: String) -> ConnectionError {
        ConnectionError::Unreachable { place: self.place.clone(), step, why }
    }

    /// What went wrong while an answer was read.
    pub(super) fn broken(&self, step: Step, error: std::io::Error) -> ConnectionError {
        https::unanswered(self.place.clone(), self.silence_seconds, step, &error.into())
    }

    /// The address with its signature, which is never told to anybody but the server.
    fn signed<'a>(&self, action: &impl S3Action<'a>) -> String {
        let (told, at) = self.told;
        let now = told.checked_add(at.elapsed()).unwrap_or(told);
        action.sign_with_time(SIGNED_FOR, &now).into()
    }

    fn answer(&self, step: Step, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, ConnectionError> {
        answer.map_err(|error| match error {
            // Its words hold the address, and so the signature.
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => self.refused(step, "its address cannot be used".to_owned()),
            error => https::unanswered(self.place.clone(), self.silence_seconds, step, &error),
        })
    }

    fn text(&self, step: Step, mut answer: Response<Body>) -> Result<String, ConnectionError> {
        let read = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        read.map_err(|error| https::unanswered(self.place.clone(), self.silence_seconds, step, &error))
    }

    fn made(&self, step: Step, answer: Response<Body>) -> (Made, Option<Response<Body>>) {
        match answer.status() {
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => (Made::Taken, None),
            StatusCode::NOT_IMPLEMENTED => (Made::CannotTell, None),
            _ => match self.accepted(step, answer) {
                Ok(answer) => (Made::Done, Some(answer)),
                Err(error) => (Made::Not(error), None),
            },
        }
    }

    /// What an answer's status means.
    fn accepted(&self, step: Step, mut answer: Response<Body>) -> Result<Response<Body>, ConnectionError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let code = code(&mut answer);
        let why = format!("the server answers {status} {code}").trim_end().to_owned();
        Err(match (status, code.as_str()) {
            (_, "RequestTimeTooSkewed") => self.refused(step, format!("{why}: the clock of this machine, or of the server, is wrong")),
            (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError") => {
                self.refused(step, format!("{why}: look at url and region in connections.toml"))
            }
            (StatusCode::FORBIDDEN, "AccessDenied") => self.refused(step, why),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => ConnectionError::SignIn { place: self.place.clone(), why },
            (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS, _)
            | (_, "RequestTimeout" | "SlowDown") => self.unreachable(Step::Connect, why),
            // Too busy to begin with it: nothing was done.
            (StatusCode::SERVICE_UNAVAILABLE, _) => self.unreachable(Step::Connect, why),
            _ if status.is_server_error() => self.unreachable(step, why),
            _ => self.refused(step, why),
        })
    }
}

/// The word by which a server says what is wrong; empty if it says none.
fn code(answer: &mut Response<Body>) -> String {
    let read = answer.body_mut().with_config().limit(64 << 10).read_to_string();
    code_in(&read.unwrap_or_default())
}

fn code_in(text: &str) -> String {
    let after = text.split_once("<Code>").map_or("", |(_, after)| after);
    after.chars().take_while(char::is_ascii_alphanumeric).take(60).collect()
}
