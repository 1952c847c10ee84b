//! Cases of connectors: what is asked of the provider and what it answers, in order, and the file that comes or goes.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::model::http::{HttpError, HttpHeader, HttpRequest, HttpResponse};
use crate::model::manifest::ConnectorShape;
use crate::model::outcome::{PluginFailure, Sent};
use crate::registry::source::{Problems, Source};
use crate::registry::tables;

use super::compare::{Difference, failure, lines_apart};
use super::load::{bytes, listed, name_of, shown, text};
use super::{CaseError, FailureKind};

/// The key of a delivery, where a case does not say.
const KEY: &str = "case-key";

/// A case of a connector.
#[derive(Debug)]
pub struct ConnectorCase {
    /// The folder's name.
    pub name: String,
    /// What it shows, for people.
    pub about: String,
    /// The day on which it runs.
    pub today: Date,
    /// Settings: a JSON object.
    pub settings: serde_json::Value,
    /// The way that it goes.
    pub way: ConnectorWay,
    /// What the job says of the file.
    pub file: String,
    /// Of a pull: what the run before left.
    pub cursor: Option<String>,
    /// Of a push: what every attempt of the delivery has.
    pub key: String,
    /// What must be fetched, or is sent.
    pub content: Option<Vec<u8>>,
    /// What is asked and answered, in order.
    pub exchanges: Vec<CaseExchange>,
    expected: Expected,
}

/// A way that a connector goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectorWay {
    /// A file from the provider.
    Pull,
    /// A file to the provider.
    Push,
}

/// A request and its answer, or a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseExchange {
    /// A request that must come, and what is answered to it.
    Request(Box<CaseRequest>),
    /// The plugin must wait so many seconds.
    Wait(u32),
}

/// A request that must come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRequest {
    /// Method and target.
    pub line: String,
    /// Headers that it must have; others it may.
    pub headers: Vec<HttpHeader>,
    /// Its body.
    pub body: Option<Vec<u8>>,
    /// What is answered.
    pub answer: Result<HttpResponse, HttpError>,
}

#[derive(Debug)]
struct Expected {
    failure: Option<FailureKind>,
    cursor: Option<String>,
    sent: Option<String>,
}

/// What running a case came to.
#[derive(Debug, Default)]
pub struct ConnectorHappened {
    /// What was fetched.
    pub content: Vec<u8>,
    /// The last cursor.
    pub cursor: Option<String>,
    /// What the provider said of what was sent.
    pub sent: Option<Sent>,
    /// The failure, where there was one.
    pub failure: Option<PluginFailure>,
    /// What was asked otherwise than the case says, or not asked at all.
    pub unscripted: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenCase {
    today: Spanned<Datetime>,
    #[serde(default)]
    about: String,
    way: ConnectorWay,
    file: String,
    cursor: Option<String>,
    key: Option<String>,
    content: Option<String>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    exchange: Vec<WrittenExchange>,
    expect_failure: Option<FailureKind>,
    expect_cursor: Option<String>,
    expect_sent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenExchange {
    wait: Option<u32>,
    request: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_file: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    answer_headers: BTreeMap<String, String>,
    answer: Option<String>,
    answer_file: Option<String>,
    error: Option<String>,
}

/// Reads the cases of a connector: every folder in the plugin's `cases/`, by name. A plugin without that folder has none.
///
/// # Errors
/// [`CaseError`], with everything that is wrong in all cases.
pub fn connector_cases(plugin: &Path, shape: &ConnectorShape) -> Result<Vec<ConnectorCase>, CaseError> {
    let mut problems = Problems::default();
    let mut cases = Vec::new();
    for folder in listed(&plugin.join("cases"))?.into_iter().filter(|path| path.is_dir()) {
        cases.extend(connector_case(&folder, shape, &mut problems)?);
    }
    Ok(problems.or(Some(cases))?)
}

/// Reads one case of a connector.
///
/// # Errors
/// [`CaseError`], with everything that is wrong in it.
pub fn connector_case_folder(folder: &Path, shape: &ConnectorShape) -> Result<ConnectorCase, CaseError> {
    let mut problems = Problems::default();
    let case = connector_case(folder, shape, &mut problems)?;
    Ok(problems.or(case)?)
}

fn connector_case(folder: &Path, shape: &ConnectorShape, problems: &mut Problems) -> Result<Option<ConnectorCase>, CaseError> {
    let source = Source::new(format!("{}/case.toml", shown(folder)), text(&folder.join("case.toml"))?);
    let Some(written) = problems.note(source.toml::<WrittenCase>()) else { return Ok(None) };
    let today = problems.note(tables::date(&source, &written.today));
    let settings = source.settings("settings", written.settings, problems);
    let (goes, word) = match written.way {
        ConnectorWay::Pull => (shape.pulls, "pull"),
        ConnectorWay::Push => (shape.pushes, "push"),
    };
    if !goes {
        problems.add(source.problem(None, format!("the connector does not {word}"), "name a way of those in plugin.toml"));
    }
    let mut exchanges = Vec::new();
    for exchange in written.exchange {
        match read_exchange(folder, exchange)? {
            Ok(exchange) => exchanges.push(exchange),
            Err(why) => problems.add(source.problem(None, why, "write request with status or error, or wait")),
        }
    }
    let content = written.content.map(|name| bytes(&folder.join(name))).transpose()?;
    Ok(today.map(|today| ConnectorCase {
        name: name_of(folder),
        about: written.about,
        today,
        settings,
        way: written.way,
        file: written.file,
        cursor: written.cursor,
        key: written.key.unwrap_or_else(|| KEY.to_owned()),
        content,
        exchanges,
        expected: Expected { failure: written.expect_failure, cursor: written.expect_cursor, sent: written.expect_sent },
    }))
}

fn read_exchange(folder: &Path, written: WrittenExchange) -> Result<Result<CaseExchange, String>, CaseError> {
    let Some(line) = written.request else {
        return Ok(written.wait.map(CaseExchange::Wait).ok_or_else(|| "an exchange has neither request nor wait".to_owned()));
    };
    let from = |text: Option<String>, file: Option<String>| match (text, file) {
        (text, None) => Ok(text.map(String::into_bytes)),
        (_, Some(file)) => bytes(&folder.join(file)).map(Some),
    };
    let body = from(written.body, written.body_file)?;
    let answer_body = from(written.answer, written.answer_file)?.unwrap_or_default();
    let headers = |headers: BTreeMap<String, String>| headers.into_iter().map(|(name, value)| HttpHeader { name, value }).collect();
    let answer = match (written.status, written.error.as_deref()) {
        (Some(status), None) => Ok(HttpResponse { status, headers: headers(written.answer_headers), body: answer_body }),
        (None, Some(word)) => match error_named(word) {
            Some(error) => Err(error),
            None => return Ok(Err(format!("there is no error {word:?}"))),
        },
        _ => return Ok(Err(format!("exchange {line:?} has not one of status and error"))),
    };
    Ok(Ok(CaseExchange::Request(Box::new(CaseRequest { line, headers: headers(written.headers), body, answer }))))
}

/// An error by its word in the contract.
fn error_named(word: &str) -> Option<HttpError> {
    let why = || "as the case says".to_owned();
    Some(match word {
        "not-allowed" => HttpError::NotAllowed(why()),
        "too-large" => HttpError::TooLarge(1 << 20),
        "timed-out" => HttpError::TimedOut,
        "unreachable" => HttpError::Unreachable(why()),
        "broken" => HttpError::Broken(why()),
        "redirect-refused" => HttpError::RedirectRefused(why()),
        "not-signed-in" => HttpError::NotSignedIn(why()),
        _ => return None,
    })
}

impl CaseExchange {
    /// What is answered to a request; or in what it differs from this.
    ///
    /// # Errors
    /// What the case says otherwise.
    pub fn answer(&self, asked: &HttpRequest) -> Result<Result<HttpResponse, HttpError>, String> {
        let line = format!("{} {}", asked.method, asked.target);
        let wanted = match self {
            Self::Request(wanted) => wanted,
            Self::Wait(seconds) => return Err(format!("it asks {line}, and should wait {seconds} s")),
        };
        if wanted.line != line {
            return Err(format!("it asks {line}, and should ask {}", wanted.line));
        }
        for header in &wanted.headers {
            if !asked.headers.contains(header) {
                let sets: Vec<_> = asked.headers.iter().map(|header| format!("{}: {}", header.name, header.value)).collect();
                return Err(format!("{line} lacks the header {}: {}; it sets {sets:?}", header.name, header.value));
            }
        }
        if wanted.body != asked.body {
            let shown = |body: &Option<Vec<u8>>| body.as_ref().map_or("nothing".into(), |body| String::from_utf8_lossy(body).into_owned());
            return Err(format!("{line} sends {}, and should send {}", shown(&asked.body), shown(&wanted.body)));
        }
        Ok(wanted.answer.clone())
    }
}

/// Compares what a connector did with its case. Nothing in the answer means that the case passed.
#[must_use]
pub fn compare_connector(case: &ConnectorCase, happened: &ConnectorHappened) -> Vec<Difference> {
    let different = |place: &str, text: String| Difference { place: place.to_owned(), text };
    if let Some(why) = &happened.unscripted {
        return vec![different("requests", why.clone())];
    }
    let expected = &case.expected;
    if expected.failure.is_some() || happened.failure.is_some() {
        return failure(expected.failure, happened.failure.as_ref()).into_iter().collect();
    }
    let mut differences = Vec::new();
    if case.way == ConnectorWay::Pull {
        let content = case.content.as_deref().unwrap_or_default();
        if content != happened.content {
            differences.push(different("content", lines_apart(content, &happened.content)));
        }
        if expected.cursor != happened.cursor {
            differences.push(different("cursor", format!("expected {:?}, and it left {:?}", expected.cursor, happened.cursor)));
        }
    }
    let said = happened.sent.as_ref().map(|sent| match sent {
        Sent::Taken(said) => format!("taken: {said}"),
        Sent::HadBefore(said) => format!("had-before: {said}"),
        Sent::Uncertain(why) => format!("uncertain: {why}"),
    });
    if expected.sent != said {
        differences.push(different("sent", format!("expected {:?}, and it answered {said:?}", expected.sent)));
    }
    differences
}
