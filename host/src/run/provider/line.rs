//! The lines of sessions: to the provider, everything kept; and to the record alone.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::{record, sealed};
use crate::clock::Clock;
use crate::connection::{Api, Artefacts, Bounds};
use crate::ledger::{Exchange, Ledger, SessionOf};
use crate::model::http::{HttpError, HttpRequest, HttpResponse};
use crate::model::ids::Digest;
use crate::run::process::Progress;
use crate::sandbox::{HttpBounds, HttpLine};
use crate::vault::DataKeys;

/// Between two looks whether the run is to stop, while a connector waits.
const LOOK: Duration = Duration::from_millis(200);

/// A line to the provider. Each exchange is durable before the connector sees its answer.
pub(super) struct Live {
    pub(super) api: Api,
    pub(super) keeper: Keeper,
    /// What earlier attempts had a yes to, by the request: it is not sent again.
    pub(super) done: Mutex<HashMap<Digest, VecDeque<Exchange>>>,
    pub(super) progress: Arc<Progress>,
    /// Whether the provider promises to act once on what it is sent twice.
    pub(super) idempotent: bool,
    /// What was sent of which nobody knows whether it was acted on.
    doubts: Mutex<HashSet<Digest>>,
    /// Whether the provider said yes to anything that was to be done.
    yes: AtomicBool,
}

/// What keeps the exchanges of a session.
pub(super) struct Keeper {
    pub(super) ledger: Ledger,
    pub(super) artefacts: Artefacts,
    pub(super) keys: Arc<DataKeys>,
    pub(super) clock: Clock,
    pub(super) runtime: Handle,
    pub(super) of: SessionOf,
    pub(super) lease: u64,
    pub(super) seq: Mutex<u64>,
}

impl Live {
    pub(super) fn new(api: Api, keeper: Keeper, before: Vec<Exchange>, (idempotent, progress): (bool, Arc<Progress>)) -> Self {
        let mut done: HashMap<Digest, VecDeque<Exchange>> = HashMap::new();
        for exchange in before.into_iter().filter(record::is_yes) {
            done.entry(exchange.request).or_default().push_back(exchange);
        }
        Self { api, keeper, done: Mutex::new(done), progress, idempotent, doubts: Mutex::default(), yes: AtomicBool::new(false) }
    }

    /// Whether something was sent of which nobody knows whether it was acted on.
    pub(super) fn doubtful(&self) -> bool {
        !self.doubts.lock().expect("nobody panics while holding the doubts").is_empty()
    }

    /// Whether anything that was sent had an effect, or may have had one.
    pub(super) fn acted(&self) -> bool {
        self.doubtful() || self.yes.load(Ordering::Relaxed)
    }

    fn go_on(&self) -> Result<(), String> {
        if self.progress.is_stopped() { Err("the run was stopped".to_owned()) } else { Ok(()) }
    }
}

impl HttpLine for Live {
    fn exchange(&self, request: &HttpRequest, bounds: HttpBounds) -> Result<Result<HttpResponse, HttpError>, String> {
        self.go_on()?;
        let digest = record::digest_of(request);
        let known = self.done.lock().expect("nobody panics while holding the record").get_mut(&digest).and_then(VecDeque::pop_front);
        if let Some(known) = known {
            self.yes.store(true, Ordering::Relaxed);
            let answer = record::answer(&known, &self.keeper.artefacts)?;
            // Kept under this lease too, so that the session can be told again as a whole.
            self.keeper.keep(Exchange { sent_bytes: 0, ..known })?;
            return Ok(answer);
        }
        if !request.only_reads() {
            // Until the answer says otherwise, and is kept.
            let new = self.doubts.lock().expect("nobody panics while holding the doubts").insert(digest);
            if !new && !self.idempotent {
                let why = "it was sent before, its end is not known, and the connection does not promise to recognise a repeat";
                return Ok(Err(HttpError::NotAllowed(why.to_owned())));
            }
        }
        let begun = Instant::now();
        let answer = self.api.exchange(request, Bounds { time: bounds.time, answer_bytes_max: bounds.received_bytes_max });
        let body = match &answer {
            Ok(response) if !response.body.is_empty() => {
                Some(self.keeper.artefacts.put(response.body.as_slice()).map_err(|error| error.to_string())?.digest)
            }
            _ => None,
        };
        self.keeper.keep(Exchange {
            lease: self.keeper.lease,
            seq: 0,
            request: digest,
            method: request.method.clone(),
            target: request.target.clone(),
            answer: record::written(&answer),
            body,
            sent_bytes: request.bytes(),
            received_bytes: answer.as_ref().map_or(0, |response| response.body.len() as u64),
            took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            at_ms: 0,
            sealed: None,
        })?;
        if !request.only_reads() && is_certain(&answer) {
            self.doubts.lock().expect("nobody panics while holding the doubts").remove(&digest);
            let yes = answer.as_ref().is_ok_and(|response| (200..300).contains(&response.status));
            self.yes.fetch_or(yes, Ordering::Relaxed);
        }
        Ok(answer)
    }

    fn wait(&self, time: Duration) -> Result<(), String> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.go_on()?;
            std::thread::sleep(left.min(LOOK));
        }
        Ok(())
    }
}

/// Whether an answer says for certain what became of a request: a yes, a no, or that it never arrived.
fn is_certain(answer: &Result<HttpResponse, HttpError>) -> bool {
    match answer {
        // A gateway's words are not the provider's, and a 500 may come after the effect.
        Ok(response) => response.status < 500 && response.status != 408,
        Err(HttpError::TimedOut | HttpError::Broken(_) | HttpError::TooLarge(_) | HttpError::RedirectRefused(_)) => false,
        Err(
            HttpError::NotAllowed(_)
            | HttpError::ForbiddenHeader(_)
            | HttpError::Malformed(_)
            | HttpError::Unreachable(_)
            | HttpError::NotSignedIn(_),
        ) => true,
    }
}

impl Keeper {
    /// Keeps an exchange under this lease, with the next number.
    fn keep(&self, exchange: Exchange) -> Result<(), String> {
        let mut seq = self.seq.lock().expect("nobody panics while holding a number");
        *seq += 1;
        let exchange = Exchange { lease: self.lease, seq: *seq, at_ms: self.clock.now_ms(), ..exchange };
        let kept = self.runtime.block_on(self.ledger.put_exchange(&self.of, &sealed::seal(exchange, &self.of, &self.keys)));
        kept.map_err(|error| format!("an exchange could not be kept: {error}"))
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("session", &self.keeper.of.session).finish_non_exhaustive()
    }
}

/// A line that answers from the record, and reaches nobody.
#[derive(Debug)]
pub(super) struct Recorded {
    artefacts: Artefacts,
    state: Mutex<Recording>,
}

/// What is left of a record, and where the session first left it.
#[derive(Debug)]
struct Recording {
    left: VecDeque<Exchange>,
    differs: Option<String>,
}

impl Recorded {
    pub(super) fn new(artefacts: Artefacts, exchanges: Vec<Exchange>) -> Self {
        Self { artefacts, state: Mutex::new(Recording { left: exchanges.into(), differs: None }) }
    }

    /// Where the session asked otherwise than it did then, or did not ask at all.
    pub(super) fn differs(&self) -> Option<String> {
        let state = self.state.lock().expect("nobody panics while holding a record");
        let left = || state.left.front().map(|next| format!("it no longer asks {} {}", next.method, path_of(&next.target)));
        state.differs.clone().or_else(left)
    }
}

impl HttpLine for Recorded {
    fn exchange(&self, request: &HttpRequest, _: HttpBounds) -> Result<Result<HttpResponse, HttpError>, String> {
        let mut state = self.state.lock().expect("nobody panics while holding a record");
        let asked = format!("{} {}", request.method, request.path());
        let why = match state.left.pop_front() {
            Some(next) if next.request == record::digest_of(request) => return record::answer(&next, &self.artefacts),
            Some(next) if (&next.method, &next.target) == (&request.method, &request.target) => {
                format!("it asks {asked} with other headers or another body than it did then")
            }
            Some(next) => format!("it asks {asked}, and asked {} {} then", next.method, path_of(&next.target)),
            None => format!("it asks {asked}, and asked nothing more then"),
        };
        state.differs.get_or_insert_with(|| why.clone());
        Err(why)
    }

    fn wait(&self, _: Duration) -> Result<(), String> {
        Ok(())
    }
}

/// A query may hold what not everybody should read.
fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}
