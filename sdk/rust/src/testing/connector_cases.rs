//! Cases of connectors: each folder in `cases/` says what is asked of the provider, what it answers, and the file that comes or goes.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::value::Datetime;

use super::case_files::{bytes, difference, json_of, listed, name, text};
use super::manifest::Manifest;
use super::{TestHub, report, tables};
use crate::connector::{Connector, FetchRun, SendRun, Sent, Trouble};
use crate::hub::Hub;
use crate::wire::connector::{Context, Header, HttpError, Request, Response};

/// The key of a delivery, where a case does not say.
const KEY: &str = "case-key";

/// Bytes that are sent at once, as in the hub.
const SEND_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseFile {
    today: Datetime,
    #[serde(default, rename = "about")]
    _about: String,
    way: CaseWay,
    file: String,
    cursor: Option<String>,
    key: Option<String>,
    content: Option<String>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    exchange: Vec<WrittenExchange>,
    expect_failure: Option<String>,
    expect_cursor: Option<String>,
    expect_sent: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CaseWay {
    Pull,
    Push,
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

/// A provider that answers what a case says, in its order.
#[derive(Debug, Default)]
pub(crate) struct Script {
    left: RefCell<VecDeque<Exchange>>,
    differs: RefCell<Option<String>>,
}

/// A request that must come with its answer, or a wait.
#[derive(Debug)]
enum Exchange {
    Wait(u32),
    Request { line: String, headers: Vec<(String, String)>, body: Option<Vec<u8>>, answer: Result<Response, HttpError> },
}

impl Script {
    pub(crate) fn send(&self, asked: &Request) -> Result<Response, HttpError> {
        let line = format!("{} {}", asked.method, asked.target);
        let why = match self.left.borrow_mut().pop_front() {
            None => format!("it asks {line}, and the case has no more exchanges"),
            Some(Exchange::Wait(seconds)) => format!("it asks {line}, and should wait {seconds} s"),
            Some(Exchange::Request { line: wanted, .. }) if wanted != line => format!("it asks {line}, and should ask {wanted}"),
            Some(Exchange::Request { headers, body, answer, .. }) => {
                let has =
                    |(name, value): &&(String, String)| asked.headers.iter().any(|header| header.name == *name && header.value == *value);
                match headers.iter().find(|header| !has(header)) {
                    Some((name, value)) => format!("{line} lacks the header {name}: {value}"),
                    None if body != asked.body => {
                        let shown = |body: &Option<Vec<u8>>| {
                            body.as_ref().map_or("nothing".into(), |body| String::from_utf8_lossy(body).into_owned())
                        };
                        format!("{line} sends {}, and should send {}", shown(&asked.body), shown(&body))
                    }
                    None => return answer,
                }
            }
        };
        self.differs.borrow_mut().get_or_insert_with(|| why.clone());
        Err(HttpError::Broken(why))
    }

    pub(crate) fn wait(&self, seconds: u32) {
        let why = match self.left.borrow_mut().pop_front() {
            Some(Exchange::Wait(wanted)) if wanted == seconds => return,
            Some(Exchange::Wait(wanted)) => format!("it waits {seconds} s, and should wait {wanted} s"),
            Some(Exchange::Request { line, .. }) => format!("it waits {seconds} s, and should ask {line}"),
            None => format!("it waits {seconds} s, and the case has no more exchanges"),
        };
        self.differs.borrow_mut().get_or_insert(why);
    }

    fn amiss(&self) -> Option<String> {
        let left = || match self.left.borrow().front()? {
            Exchange::Wait(seconds) => Some(format!("it does not wait {seconds} s")),
            Exchange::Request { line, .. } => Some(format!("it does not ask {line}")),
        };
        self.differs.borrow().clone().or_else(left)
    }
}

/// Runs every case in `cases/` of a connector's folder, `env!("CARGO_MANIFEST_DIR")`.
///
/// # Panics
/// If any case comes out otherwise than expected, with every difference; and if there is no case.
pub fn run_connector_cases<C: Connector>(folder: &str) {
    let folder = Path::new(folder);
    let manifest = Manifest::read(folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(manifest.kind == "connector", "plugin.toml says kind = {:?}, and a connector is registered", manifest.kind);
    let cases: Vec<PathBuf> = listed(&folder.join("cases")).unwrap_or_else(|error| panic!("{error}"));
    let cases: Vec<PathBuf> = cases.into_iter().filter(|path| path.is_dir()).collect();
    let mut wrong = Vec::new();
    for case in &cases {
        match run_case::<C>(folder, &manifest, case) {
            Ok(differences) if differences.is_empty() => {}
            Ok(differences) => wrong.push((name(case), differences)),
            Err(error) => wrong.push((name(case), error)),
        }
    }
    report(folder, cases.len(), &wrong);
}

/// What is different from what is expected.
fn run_case<C: Connector>(folder: &Path, manifest: &Manifest, case: &Path) -> Result<String, String> {
    let path = case.join("case.toml");
    let mut file: CaseFile = toml::from_str(&text(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    let left = std::mem::take(&mut file.exchange).into_iter().map(|written| exchange(case, written)).collect::<Result<_, _>>()?;
    let today = tables::day(&file.today)?;
    let hub = TestHub::of(manifest, folder)?.today(today).hub_with(Script { left: RefCell::new(left), ..Script::default() });
    let settings = json_of(toml::Value::Table(std::mem::take(&mut file.settings))).to_string();
    let happened = match file.way {
        CaseWay::Pull => pull::<C>(&file, settings, case, &hub),
        CaseWay::Push => push::<C>(&file, settings, case, &hub),
    };
    if let Some(amiss) = hub.backing().http.amiss() {
        return Ok(amiss);
    }
    Ok(match (happened, &file.expect_failure) {
        (Err(Stopped::Unreadable(why)), _) => return Err(why),
        (Err(Stopped::Trouble(trouble)), Some(kind)) if trouble.kind() == kind => String::new(),
        (Err(Stopped::Trouble(trouble)), _) => format!("it failed of {}: {trouble}", trouble.kind()),
        (Ok(_), Some(kind)) => format!("it should fail of {kind}, and did not"),
        (Ok(differences), None) => differences,
    })
}

enum Stopped {
    Trouble(Trouble),
    Unreadable(String),
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

fn context(file: &CaseFile) -> Context {
    Context { partner: "partner".to_owned(), job: "case".to_owned(), file: file.file.clone() }
}

fn content(file: &CaseFile, case: &Path) -> Result<Vec<u8>, Stopped> {
    file.content.as_ref().map_or_else(|| Ok(Vec::new()), |name| bytes(&case.join(name))).map_err(Stopped::Unreadable)
}

fn pull<C: Connector>(file: &CaseFile, settings: String, case: &Path, hub: &Hub) -> Result<String, Stopped> {
    let mut run = FetchRun::<C>::open(context(file), file.cursor.as_deref(), || settings, hub)?;
    let (mut fetched, mut cursor) = (Vec::new(), None);
    loop {
        let page = run.next()?;
        fetched.extend(page.content);
        cursor = page.cursor.or(cursor);
        if page.done {
            break;
        }
    }
    let (expected, fetched) = (content(file, case)?, fetched);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut differences = difference(&text(&expected), &text(&fetched)).map_or_else(String::new, |lines| format!("content\n{lines}"));
    if expected != fetched && differences.is_empty() {
        differences = "content differs in bytes that are no text\n".to_owned();
    }
    if cursor != file.expect_cursor {
        differences += &format!("cursor: expected {:?}, and it left {cursor:?}\n", file.expect_cursor);
    }
    Ok(differences)
}

fn push<C: Connector>(file: &CaseFile, settings: String, case: &Path, hub: &Hub) -> Result<String, Stopped> {
    let mut run = SendRun::<C>::open(context(file), file.key.as_deref().unwrap_or(KEY), || settings, hub)?;
    for part in content(file, case)?.chunks(SEND_BYTES) {
        run.write(part)?;
    }
    let said = Some(match run.finish()? {
        Sent::Taken(said) => format!("taken: {said}"),
        Sent::HadBefore(said) => format!("had-before: {said}"),
        Sent::Uncertain(why) => format!("uncertain: {why}"),
    });
    Ok(if said == file.expect_sent { String::new() } else { format!("sent: expected {:?}, and it answered {said:?}", file.expect_sent) })
}

fn exchange(case: &Path, written: WrittenExchange) -> Result<Exchange, String> {
    let Some(line) = written.request else {
        return written.wait.map(Exchange::Wait).ok_or_else(|| "an exchange has neither request nor wait".to_owned());
    };
    let from = |text: Option<String>, file: Option<String>| match file {
        None => Ok(text.map(String::into_bytes)),
        Some(file) => bytes(&case.join(file)).map(Some),
    };
    let body = from(written.body, written.body_file)?;
    let answer = match (written.status, written.error) {
        (Some(status), None) => Ok(Response {
            status,
            headers: written.answer_headers.into_iter().map(|(name, value)| Header { name, value }).collect(),
            body: from(written.answer, written.answer_file)?.unwrap_or_default(),
        }),
        (None, Some(word)) => Err(error_named(&word).ok_or_else(|| format!("there is no error {word:?}"))?),
        _ => return Err(format!("exchange {line:?} has not one of status and error")),
    };
    Ok(Exchange::Request { line, headers: written.headers.into_iter().collect(), body, answer })
}

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
