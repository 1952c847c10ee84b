//! Messages handed to a mail server, by STARTTLS or TLS from the first byte, never in the open.
//!
//! A message has a number of its own, the same however often it is handed over, by which readers' programs tell a repeat.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials as Login, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Severity;
use lettre::{Address, SmtpTransport, Transport as _};
use secrecy::ExposeSecret as _;

use super::error::{ConnectionError, Step};
use super::outside::{Credentials, Outside};
use crate::model::job::{Place, SmtpPlace};

/// Most of what a server says of a message, in characters, that is kept.
const SAID_CHARS_MAX: usize = 200;

/// Answers of a server that does not let the hub in: 530, 534, 535, 538.
const NOT_LET_IN: [u8; 2] = [5, 3];

/// A message to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Their addresses.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// What tells it from every other message of this hub, and from no repeat of itself: such as the run and its event.
    pub number: String,
    /// When it was occasioned, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Hands a message over, and answers what the server said.
///
/// # Errors
/// [`ConnectionError::Unreachable`] to try again; [`ConnectionError::SignIn`], [`ConnectionError::Refused`] and others for the operator.
pub fn send(outside: &Outside, mail: &Mail) -> Result<String, ConnectionError> {
    let Place::Smtp(place) = &outside.place else {
        let why = "it is no mail server".to_owned();
        return Err(ConnectionError::Refused { place: "the connection".to_owned(), step: Step::Write, why });
    };
    let transport = transport(place, outside.opened().credentials)?;
    let message = message(place, mail)?;
    let answer = transport.send(&message).map_err(|error| failed(place, Step::Write, &error))?;
    Ok(said(answer.message()))
}

/// Connects, sees the server's certificate and signs in. Nothing is sent.
pub(super) fn check(place: &SmtpPlace, credentials: Credentials<'_>, done: &mut dyn FnMut(Step, String)) -> Result<(), ConnectionError> {
    let tried = transport(place, credentials)?.test_connection();
    let tried = tried.map_err(|error| failed(place, Step::SignIn, &error));
    let reached = match &tried {
        Ok(_) => 4,
        Err(ConnectionError::SignIn { .. }) => 3,
        Err(_) => 0,
    };
    for step in [Step::Resolve, Step::Connect, Step::Certificate, Step::SignIn].into_iter().take(reached) {
        done(step, String::new());
    }
    if tried? {
        return Ok(());
    }
    Err(ConnectionError::Unreachable { place: name(place), step: Step::SignIn, why: "the server ended the connection".to_owned() })
}

fn name(place: &SmtpPlace) -> String {
    format!("smtp://{}:{}", place.host, place.port)
}

fn transport(place: &SmtpPlace, credentials: Credentials<'_>) -> Result<SmtpTransport, ConnectionError> {
    let unusable = |why: String| ConnectionError::Refused { place: name(place), step: Step::Certificate, why };
    let mut tls = TlsParameters::builder(place.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(file) = &place.ca_file {
        let wrong = |why: String| ConnectionError::FileUnusable { path: file.clone(), why };
        let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    let tls = tls.build().map_err(|error| unusable(error.to_string()))?;
    let mut builder = SmtpTransport::builder_dangerous(place.host.clone())
        .port(place.port)
        .tls(if place.tls_first { Tls::Wrapper(tls) } else { Tls::Required(tls) })
        .hello_name(ClientId::Domain(domain(place).to_owned()))
        .timeout(Some(Duration::from_secs(place.silence_seconds_max)));
    if let (Some(user), Some(password)) = (&place.user, credentials.get(place.password.as_ref())?) {
        let password = password.expose_secret().trim_end_matches('\n').to_owned();
        builder = builder.credentials(Login::new(user.clone(), password)).authentication(vec![Mechanism::Plain, Mechanism::Login]);
    }
    Ok(builder.build())
}

fn domain(place: &SmtpPlace) -> &str {
    place.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
}

fn message(place: &SmtpPlace, mail: &Mail) -> Result<Message, ConnectionError> {
    let wrong = |why: String| ConnectionError::Refused { place: name(place), step: Step::Write, why };
    let address = |text: &String| text.parse::<Address>().map_err(|error| wrong(format!("{text:?} is no address: {error}")));
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at_ms).unwrap_or(0));
    let mut builder = Message::builder()
        .from(Mailbox::new(Some("Bailiwick".to_owned()), address(&place.from)?))
        .subject(mail.subject.clone())
        .date(at)
        .message_id(Some(format!("<{}@{}>", mail.number, domain(place))))
        .header(ContentType::TEXT_PLAIN);
    let mut to = Vec::new();
    for text in &mail.to {
        to.push(address(text)?);
        builder = builder.to(Mailbox::new(None, address(text)?));
    }
    let envelope = Envelope::new(Some(address(&place.from)?), to).map_err(|error| wrong(error.to_string()))?;
    let built = builder.envelope(envelope).body(mail.text.clone());
    let mut message = built.map_err(|error| wrong(error.to_string()))?;
    // Out-of-office programs do not answer it.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
    Ok(message)
}

fn failed(place: &SmtpPlace, step: Step, error: &lettre::transport::smtp::Error) -> ConnectionError {
    let unreachable = |step, why| ConnectionError::Unreachable { place: name(place), step, why };
    let why = chain(error);
    if let Some(code) = error.status() {
        let first = [code.severity as u8, code.category as u8];
        return match code.severity {
            _ if first == NOT_LET_IN => ConnectionError::SignIn { place: name(place), why: format!("the server answers {code} ({why})") },
            Severity::PermanentNegativeCompletion => {
                ConnectionError::Refused { place: name(place), step, why: format!("the server answers {code} ({why})") }
            }
            _ => unreachable(step, format!("the server answers {code} ({why})")),
        };
    }
    if error.is_tls() || why.contains("certificate") {
        let why = format!("{why}. If the server has a certificate of its own authority, name that in ca-file");
        return ConnectionError::Refused { place: name(place), step: Step::Certificate, why };
    }
    if error.is_client() {
        return ConnectionError::Refused { place: name(place), step, why };
    }
    unreachable(if why.contains("onnect") { Step::Connect } else { step }, why)
}

/// An error with what caused it, on one line and not too long.
fn chain(error: &dyn std::error::Error) -> String {
    let (mut told, mut inner) = (error.to_string(), error.source());
    while let Some(cause) = inner {
        let cause_told = cause.to_string();
        if !told.contains(&cause_told) {
            told = format!("{told}: {cause_told}");
        }
        inner = cause.source();
    }
    said(std::iter::once(told.as_str()))
}

fn said<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let all = lines.collect::<Vec<_>>().join(" ");
    all.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_CHARS_MAX).collect()
}
