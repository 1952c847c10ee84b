//! Traces: a run's steps reach whoever collects them, with names and numbers and nobody's data; and a collector that is away or says
//! nothing holds up no run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};

use super::until;
use crate::support::*;

/// A span as it was sent.
#[derive(Debug, Clone)]
struct Span {
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    name: String,
    attributes: BTreeMap<String, String>,
}

/// The fields of a protobuf message: number, and bytes or a number as bytes.
fn fields(mut message: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(from: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = from.split_first().expect("a number ends");
            *from = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let length = match key & 7 {
            0 => {
                found.push((key >> 3, varint(&mut message).to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)).unwrap(),
            5 => 4,
            other => panic!("wire type {other}"),
        };
        let (value, rest) = message.split_at(length);
        found.push((key >> 3, value.to_vec()));
        message = rest;
    }
    found
}

fn all(message: &[u8], number: u64) -> Vec<Vec<u8>> {
    fields(message).into_iter().filter(|(field, _)| *field == number).map(|(_, value)| value).collect()
}

fn first(message: &[u8], number: u64) -> Vec<u8> {
    all(message, number).into_iter().next().unwrap_or_default()
}

fn text(message: &[u8], number: u64) -> String {
    String::from_utf8(first(message, number)).unwrap()
}

fn attributes(message: &[u8], number: u64) -> BTreeMap<String, String> {
    let value = |pair: &[u8]| {
        let any = first(pair, 2);
        fields(&any).into_iter().next().map_or_else(String::new, |(kind, value)| match kind {
            1 => String::from_utf8(value).unwrap(),
            _ => u64::from_le_bytes(value.try_into().unwrap_or_default()).to_string(),
        })
    };
    all(message, number).iter().map(|pair| (text(pair, 1), value(pair))).collect()
}

/// What an export has in it: what the resource is called, and its spans.
fn spans(export: &[u8]) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    for of_resource in all(export, 1) {
        let service = attributes(&first(&of_resource, 1), 1).remove("service.name").unwrap_or_default();
        for scope in all(&of_resource, 2) {
            for span in all(&scope, 2) {
                let span = Span {
                    trace: first(&span, 1),
                    id: first(&span, 2),
                    parent: first(&span, 4),
                    name: text(&span, 5),
                    attributes: attributes(&span, 9),
                };
                found.push((service.clone(), span));
            }
        }
    }
    found
}

type Received = Arc<Mutex<Vec<(String, String, Bytes)>>>;

async fn receive(State(received): State<Received>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let kind = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
    received.lock().unwrap().push((uri.path().to_owned(), kind, body));
    StatusCode::OK
}

#[test]
fn the_steps_of_a_run_reach_a_collector_without_anybodys_data() {
    let site = Site::staffordshire();
    let received: Received = Arc::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(receive).with_state(Arc::clone(&received));
    runtime.spawn(async move { axum::serve(listener, router).await });

    // Lines of the log are JSON, and have the run too.
    let applied = say(&site, &["apply", "."]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let token = applied.out.lines().find_map(|line| line.strip_prefix("token of staffordshire-police for the API, shown this once: "));
    let token = token.unwrap().to_owned();
    let mut serving = Serving::told(&site, &["--log-json"], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let asked = ureq::post(format!("{}/api/v1/jobs/{LGPS}/runs?note=s3cret", serving.address()));
    let mut answer = asked.header("authorization", format!("Bearer {token}")).send_empty().unwrap();
    let run: serde_json::Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let run = run["id"].as_str().unwrap().to_owned();
    let told = || {
        let bodies: Vec<Bytes> = received.lock().unwrap().iter().map(|(.., body)| body.clone()).collect();
        bodies.iter().flat_map(|body| spans(body)).collect::<Vec<_>>()
    };
    until("the run's span is told", || told().iter().any(|(_, span)| span.name == "run"));
    assert_eq!(serving.terminate(), Some(0));

    let told = told();
    let paths = received.lock().unwrap().clone();
    assert!(paths.iter().all(|(path, kind, _)| path == "/v1/traces" && kind == "application/x-protobuf"), "{:?}", paths[0]);
    assert!(told.iter().all(|(service, _)| service == "bailiwick"));
    let whole = told.iter().map(|(_, span)| span).find(|span| span.name == "run").unwrap();
    for (key, value) in [("run", run.as_str()), ("job", LGPS), ("partner", POLICE), ("hub", "main")] {
        assert_eq!(whole.attributes.get(key).map(String::as_str), Some(value), "{key}: {whole:?}");
    }
    for step in ["claim", "pull", "process", "deliver", "close"] {
        let span = told.iter().map(|(_, span)| span).find(|span| span.name == step).unwrap_or_else(|| panic!("no {step} in {told:?}"));
        assert_eq!((&span.parent, &span.trace), (&whole.id, &whole.trace), "{step} is part of the run");
    }
    let call = told.iter().map(|(_, span)| span).find(|span| span.name == "request").unwrap();
    assert_eq!(call.attributes["route"], "/api/v1/jobs/{job}/runs");
    let log = Serving::log(&site);
    let ended = log.lines().find(|line| line.contains("run ended")).expect("it is logged");
    let ended: serde_json::Value = serde_json::from_str(ended).unwrap();
    assert_eq!((&ended["run"], &ended["partner"]), (&run.as_str().into(), &POLICE.into()), "{ended}");

    // Nobody's data and no secret, in either.
    let sent: Vec<u8> = paths.iter().flat_map(|(.., body)| body.to_vec()).collect();
    let sent = String::from_utf8_lossy(&sent).into_owned() + &log;
    for secret in ["s3cret", token.as_str()] {
        assert!(!sent.contains(secret), "{secret}");
    }
    for row in String::from_utf8_lossy(&site.read("data/payroll/payroll-2026-10.csv")).lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        assert!(!sent.contains(cells[1]) || cells[1].len() < 8, "{}", cells[1]);
    }
}

#[test]
fn a_collector_that_says_nothing_holds_up_no_run() {
    let site = Site::staffordshire();
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut serving = Serving::start_with(&site, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    serving.run(LGPS);
    let began = Instant::now();
    until("it is delivered", || site.delivered().len() == 2);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let told = Instant::now();
    assert_eq!(serving.terminate(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(15), "{:?}", told.elapsed());
}
