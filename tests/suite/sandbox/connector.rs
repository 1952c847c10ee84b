//! Connectors that ask too much, ask for what they may not have, or mislead; and one in order. The provider is a stand-in here:
//! what is held to is what the sandbox holds to, whatever line a session has.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use bailiwick::model::http::{HttpError, HttpHeader, HttpRequest, HttpResponse};
use bailiwick::model::limits::Limit;
use bailiwick::model::manifest::{ConnectorShape, Kind, Manifest, Wants};
use bailiwick::model::outcome::{FetchedPage, PluginFailure, Sent};
use bailiwick::sandbox::{CallError, HttpBounds, HttpLine, Release, Report, SandboxError, Setup};

use super::ends::Happened;
use super::misdeeds::Speaks;
use super::{adapter_manifest, manifest, on_run_thread, sandbox, setup, with_limits};
use crate::support::hostile_connector;

/// A provider that answers a little, much, or late, and remembers what it was asked.
#[derive(Debug, Default)]
struct Provider {
    asked: Mutex<Vec<HttpRequest>>,
}

impl HttpLine for Provider {
    fn exchange(&self, request: &HttpRequest, bounds: HttpBounds) -> Result<Result<HttpResponse, HttpError>, String> {
        self.asked.lock().unwrap().push(request.clone());
        let body = match request.path() {
            "/v2/slow" => {
                std::thread::sleep(bounds.time);
                return Ok(Err(HttpError::TimedOut));
            }
            "/v2/large" => vec![b'x'; 1 << 20],
            "/v2/hub" => return Err("the ledger is gone".to_owned()),
            _ => b"{}".to_vec(),
        };
        if body.len() as u64 > bounds.received_bytes_max {
            return Ok(Err(HttpError::TooLarge(bounds.received_bytes_max)));
        }
        let headers = vec![HttpHeader { name: "content-type".to_owned(), value: "application/json".to_owned() }];
        Ok(Ok(HttpResponse { status: 200, headers, body }))
    }

    fn wait(&self, time: Duration) -> Result<(), String> {
        std::thread::sleep(time);
        Ok(())
    }
}

fn connector_manifest() -> Manifest {
    let requests = ["GET /v2/**", "POST /v2/payments"].map(|rule| rule.parse().unwrap()).to_vec();
    let shape = ConnectorShape { pulls: true, pushes: true, requests };
    let wants = Wants { http: true, ..Wants::default() };
    Manifest { contract: "0.2.0".to_owned(), wants, ..manifest(Kind::Connector(shape)) }
}

fn connector() -> Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    RELEASE.get_or_init(|| sandbox().install(hostile_connector(), &connector_manifest()).expect("it installs")).clone()
}

fn told(misdeed: Speaks, limits: &[(Limit, u64)]) -> (Arc<Setup>, Arc<Provider>) {
    let provider = Arc::new(Provider::default());
    let mut setup = setup(connector(), misdeed.name());
    setup.http = Some(Arc::clone(&provider) as Arc<dyn HttpLine>);
    (with_limits(setup, limits), provider)
}

fn fetch(setup: Arc<Setup>) -> (Result<FetchedPage, CallError>, Report) {
    on_run_thread(move |worker| {
        let mut fetching = match worker.open_fetching(&setup, "payments", None) {
            Ok(fetching) => fetching,
            Err(failed) => return (Err(failed.error), failed.report),
        };
        let page = loop {
            match fetching.next_page() {
                Ok(page) if page.done => break Ok(page),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        if page.is_err() {
            assert!(matches!(fetching.next_page(), Err(CallError::Spent { .. })), "a store that failed is not used again");
        }
        (page, fetching.close())
    })
}

fn send(setup: Arc<Setup>) -> (Result<Sent, CallError>, Report) {
    on_run_thread(move |worker| {
        let mut sending = match worker.open_sending(&setup, "payments", "key-1") {
            Ok(sending) => sending,
            Err(failed) => return (Err(failed.error), failed.report),
        };
        let sent = sending.write(b"Ann").and_then(|()| sending.write(b"Bob")).and_then(|()| sending.finish());
        (sent, sending.close())
    })
}

#[test]
fn one_in_order_fetches_and_sends() {
    assert!(connector().initialised, "{:?}", connector().not_initialised_because);
    let (setup, provider) = told(Speaks::Nothing, &[]);
    let (page, report) = fetch(setup);
    assert_eq!(page.unwrap(), FetchedPage { content: b"{}".to_vec(), cursor: None, done: true });
    let used = |limit| report.usage.get(limit);
    assert_eq!((used(Limit::HttpRequests), used(Limit::HttpReceivedBytes)), (Some(1), Some(2)));
    assert_eq!(used(Limit::HttpSentBytes), Some("GET/v2/payments".len() as u64));
    let (sent, report) = send(told(Speaks::Nothing, &[]).0);
    assert_eq!((sent.unwrap(), report.usage.get(Limit::HttpRequests)), (Sent::HadBefore("ref-1".to_owned()), Some(2)));
    assert_eq!(provider.asked.lock().unwrap().len(), 1);
}

#[test]
fn every_misdeed_of_a_connector_comes_to_its_end() {
    let mut amiss = Vec::new();
    for misdeed in Speaks::ALL {
        for trial in misdeed.trials() {
            let begun = Instant::now();
            let (page, report) = fetch(told(*misdeed, trial.0).0);
            amiss.extend(Happened::new(page, report, |_| Vec::new()).amiss(misdeed.name(), trial));
            assert!(begun.elapsed() < Duration::from_secs(20), "{} took {:?}", misdeed.name(), begun.elapsed());
        }
    }
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
}

#[test]
fn what_the_sandbox_refuses_no_line_ever_sees() {
    let refused = [
        Speaks::NotAskedFor,
        Speaks::MethodNotAskedFor,
        Speaks::PathLeadsUp,
        Speaks::PathHidden,
        Speaks::AnotherHost,
        Speaks::SetsHost,
        Speaks::SetsAuthorization,
        Speaks::HeaderSplits,
    ];
    for misdeed in refused {
        let (setup, provider) = told(misdeed, &[]);
        assert!(fetch(setup).0.is_err());
        assert_eq!(provider.asked.lock().unwrap().len(), 0, "{}", misdeed.name());
    }
    let (setup, provider) = told(Speaks::RequestFlood, &[(Limit::HttpRequests, 10)]);
    assert!(fetch(setup).0.is_err());
    assert_eq!(provider.asked.lock().unwrap().len(), 10);
}

#[test]
fn what_is_said_of_a_file_is_fit_to_read() {
    let (sent, report) = send(told(Speaks::SentMisleading, &[]).0);
    let Ok(Sent::Taken(said)) = sent else { panic!("{sent:?}") };
    assert!(said.starts_with("ref[2J") && said.len() <= 1_000 && report.characters_stripped > 9_000, "{said}");
    let (result, _) = fetch(told(Speaks::FailureMisleading, &[]).0);
    let Err(CallError::Failed(PluginFailure::TryLater { seconds, .. })) = result else { panic!("{result:?}") };
    assert_eq!(seconds, Some(u32::MAX));
}

#[test]
fn a_session_without_a_line_reaches_nobody() {
    let without = with_limits(setup(connector(), ""), &[]);
    let (result, report) = fetch(without);
    assert!(matches!(&result, Err(CallError::Failed(failure)) if failure.to_string().contains("no connection")), "{result:?}");
    assert_eq!(report.usage.get(Limit::HttpRequests), None);
}

#[test]
fn a_connector_is_a_connector_and_asks_for_http() {
    let error = sandbox().install(hostile_connector(), &adapter_manifest()).unwrap_err();
    assert!(matches!(error, SandboxError::ImportNotWanted { .. }), "{error}");
    let asks = Manifest { wants: Wants { http: true, ..Wants::default() }, ..adapter_manifest() };
    let error = sandbox().install(hostile_connector(), &asks).unwrap_err();
    assert!(matches!(error, SandboxError::ExportMissing { .. }), "{error}");
    let unwanted = Manifest { wants: Wants::default(), ..connector_manifest() };
    let error = sandbox().install(hostile_connector(), &unwanted).unwrap_err();
    assert!(error.to_string().contains("add `http = true` to [wants]"), "{error}");
}
