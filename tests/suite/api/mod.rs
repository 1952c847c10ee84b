//! The HTTP API without a socket: who may see what, how a repeat is harmless, and how each refusal is told.

mod beside;
mod configuration;
mod conformance;
mod once;
mod routes;
mod uploads;
mod webhooks;

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bailiwick::api;
use bailiwick::ledger::{RunState, Scope};
use bailiwick::model::ids::RunId;
use bailiwick::run::Hub;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::*;

/// A hub with its routes, and a token of each partner.
struct Called {
    hub: Hub,
    router: Router,
    police: String,
    fire: String,
}

/// What came back.
struct Answer {
    status: StatusCode,
    kind: String,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A problem as RFC 9457 has it, with its code.
    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.kind, "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10) && problem["title"].is_string(), "{problem}");
    }
}

impl Called {
    async fn open(site: &Site) -> Self {
        Self::with(site.hub(&clock_at("2026-11-18T09:00:00Z")).await).await
    }

    async fn with(hub: Hub) -> Self {
        let (police, fire) = (token(&hub, POLICE).await, token(&hub, FIRE).await);
        Self { router: api::router(hub.clone()), hub, police, fire }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for (name, value) in
            [("cache-control", "no-store"), ("x-content-type-options", "nosniff"), ("content-security-policy", "default-src 'none'")]
        {
            assert_eq!(headers.get(name).and_then(|found| found.to_str().ok()), Some(value), "{name}");
        }
        let kind = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        Answer { status, kind, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(asked("GET", path, token).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, token: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(asked("POST", path, token).body(body.into()).unwrap()).await
    }
}

fn asked(method: &str, path: &str, token: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"))
}

async fn token(hub: &Hub, owner: &str) -> String {
    api::make_token(hub, &partner(owner), "test", &operator(hub)).await.unwrap()
}

const LGPS_RUNS: &str = "/api/v1/jobs/lgps-monthly-return/runs";
const DECISIONS: &str = "/api/v1/rule-sets/claim-routing/decisions";

fn claim(reference: &str, loss: &str) -> Value {
    json!({"reference": reference, "class": "property", "loss": loss, "received_date": "2026-10-04", "accident_date": "2026-10-01"})
}

#[test]
fn nobody_without_a_token_sees_anything() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let run = request(&called.hub, POLICE, LGPS).await;
        let paths =
            ["/api/v1/jobs".to_owned(), "/api/v1/runs".to_owned(), format!("/api/v1/runs/{run}"), format!("/api/v1/runs/{run}/rejects")];
        for path in &paths {
            called.send(Request::get(path).body(Body::empty()).unwrap()).await.is_problem(401, "token-missing");
            called
                .send(Request::get(path).header("authorization", "Basic dXNlcg==").body(Body::empty()).unwrap())
                .await
                .is_problem(401, "token-missing");
            called.get("bwk_0000", path).await.is_problem(401, "token-refused");
            assert_eq!(called.get(&called.police, path).await.status, 200, "{path}");
        }
        for path in [LGPS_RUNS, DECISIONS] {
            called.send(Request::post(path).body(Body::empty()).unwrap()).await.is_problem(401, "token-missing");
        }
        let health = called.send(Request::get("/health").body(Body::empty()).unwrap()).await;
        assert_eq!((health.status.as_u16(), &health.json()["status"]), (200, &json!("ok")));
        called.hub.ledger().revoke_token(&partner(POLICE), "test", &operator(&called.hub)).await.unwrap();
        called.get(&called.police, "/api/v1/runs").await.is_problem(401, "token-refused");
    });
}

#[test]
fn a_partner_sees_nothing_of_another() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let run = finished(&called.hub, POLICE, LGPS).await;
        for path in [format!("/api/v1/runs/{}", run.id), format!("/api/v1/runs/{}/rejects", run.id)] {
            let theirs = called.get(&called.fire, &path).await;
            theirs.is_problem(404, "not-found");
            let nobodys = called.get(&called.fire, &path.replace(&run.id.to_string(), &RunId::at(1).to_string())).await;
            assert_eq!(theirs.text, nobodys.text, "a run of another and no run at all look the same");
        }
        for path in ["/api/v1/runs", "/api/v1/runs?job=lgps-monthly-return", "/api/v1/runs?state=closed"] {
            assert_eq!(called.get(&called.fire, path).await.json()["items"], json!([]), "{path}");
            assert_eq!(called.get(&called.police, path).await.json()["items"].as_array().unwrap().len(), 1, "{path}");
        }
        let jobs = called.get(&called.fire, "/api/v1/jobs").await;
        assert!(jobs.text.contains("shared-services-apportionment") && !jobs.text.contains("police"), "{}", jobs.text);
        called.post(&called.fire, LGPS_RUNS, "").await.is_problem(404, "not-found");
        called.post(&called.fire, DECISIONS, json!({"case": claim("SP-1", "1.00")}).to_string()).await.is_problem(404, "no-such-rule-set");
        assert_eq!(runs_of(&called.hub, LGPS).await.len(), 1);
    });
}

#[test]
fn a_request_that_is_repeated_makes_one_run() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let start = |key: &'static str| {
            let request = asked("POST", LGPS_RUNS, &called.police).header("idempotency-key", key).body(Body::empty()).unwrap();
            called.send(request)
        };
        let (first, second) = (start("payroll of October").await, start("payroll of October").await);
        called.hub.clock().advance(jiff::SignedDuration::from_secs(1));
        let other = start("another").await;
        assert_eq!([first.status, second.status, other.status].map(|status| status.as_u16()), [202, 202, 202]);
        assert_eq!(first.text, second.text, "the same answer, word for word");
        assert_ne!(first.json()["id"], other.json()["id"]);
        assert_eq!((&first.json()["state"], &first.json()["trigger"]), (&json!("queued"), &json!("request")));
        let other_body = asked("POST", LGPS_RUNS, &called.police).header("idempotency-key", "payroll of October");
        called.send(other_body.body(r#"{"dry-run": true}"#.into()).unwrap()).await.is_problem(422, "idempotency-key-reused");
        for key in ["", &"x".repeat(201)] {
            let request = asked("POST", LGPS_RUNS, &called.police).header("idempotency-key", key).body(Body::empty()).unwrap();
            called.send(request).await.is_problem(400, "idempotency-key");
        }
        drain(&called.hub).await;
        let states: Vec<RunState> = runs_of(&called.hub, LGPS).await.iter().map(|run| run.state).collect();
        assert_eq!(states, [RunState::Closed, RunState::Skipped]);
        let run = called.get(&called.police, &format!("/api/v1/runs/{}", first.json()["id"].as_str().unwrap())).await.json();
        assert_eq!((&run["rows"]["read"], &run["deliveries"].as_array().unwrap().len()), (&json!(5_891), &2));
        assert!(run["balances"].as_array().unwrap().iter().all(|balance| balance["holds"] == true));
        assert_eq!(run["outputs"][1]["sums"]["total_due"], "902937.16", "sums are text");
        let acts = called.hub.ledger().audit(Scope::Hub, None, 100).await.unwrap().items;
        assert!(acts.iter().any(|act| act.action == "run.request" && act.actor.as_str() == "token:staffordshire-police/test"), "{acts:?}");
    });
}

#[test]
fn a_dry_run_delivers_nothing_and_takes_no_file() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let answer = called.post(&called.police, LGPS_RUNS, r#"{"dry-run": true}"#).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["dry-run"]), (202, &json!(true)));
        drain(&called.hub).await;
        assert_eq!(site.delivered(), []);
        let run = &runs_of(&called.hub, LGPS).await[0];
        assert_eq!((run.state, run.outcome.map(|outcome| outcome.as_str()), run.rows.accepted), (RunState::Closed, Some("dry-run"), 5_840));
        assert_eq!(finished(&called.hub, POLICE, LGPS).await.state, RunState::Closed, "the file is still there to be taken");
    });
}

#[test]
fn a_case_and_a_list_of_cases_are_decided_at_once() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let one = called.post(&called.police, DECISIONS, json!({"case": claim("SP-1", "138500.00")}).to_string()).await;
        assert_eq!(one.status, 200, "{}", one.text);
        let decided = &one.json()["decisions"][0];
        assert_eq!(decided["decision"]["figures"], json!({"fund_share": "100000.00", "insurer_share": "38500.00"}), "{decided}");
        assert!(
            decided["release"].as_str().is_some_and(|release| release.len() == 64)
                && !decided["decision"]["reasons"].as_array().unwrap().is_empty()
        );
        let bad = json!({"reference": "SP-2", "class": "property", "loss": "£5"});
        let many =
            called.post(&called.police, DECISIONS, json!({"cases": [claim("SP-1", "5.00"), bad, claim("SP-3", "7.00")]}).to_string()).await;
        let many = &many.json()["decisions"];
        assert_eq!([&many[0], &many[2]].map(|each| &each["decision"]["figures"]["fund_share"]), [&json!("5.00"), &json!("7.00")]);
        assert_eq!(
            (&many[1]["problem"]["code"], &many[1]["problem"]["status"]),
            (&json!("case-does-not-fit-schema"), &json!(422)),
            "{many}"
        );
        for body in [json!({}), json!({"case": {}, "cases": []})] {
            called.post(&called.police, DECISIONS, body.to_string()).await.is_problem(400, "bad-request");
        }
        let crowd = json!({"cases": vec![json!({}); 1_001]});
        called.post(&called.police, DECISIONS, crowd.to_string()).await.is_problem(400, "too-many-cases");
        called
            .post(&called.police, &DECISIONS.replace("claim", "no-such"), json!({"case": {}}).to_string())
            .await
            .is_problem(404, "no-such-rule-set");
        called
            .post(&called.police, &DECISIONS.replace("claim-routing", "lgps-return"), json!({"case": {}}).to_string())
            .await
            .is_problem(404, "no-such-rule-set");
    });
}

#[test]
fn what_cannot_be_read_is_refused_with_a_problem() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let police = &called.police;
        for path in [LGPS_RUNS, DECISIONS] {
            called.post(police, path, "{").await.is_problem(400, "bad-request");
            called.post(police, path, r#"{"no-such-key": 1}"#).await.is_problem(400, "bad-request");
            called.post(police, path, vec![b'"', 0xff, 0xfe]).await.is_problem(400, "bad-request");
            called.post(police, path, vec![b' '; (8 << 20) + 1]).await.is_problem(413, "body-too-large");
            called.get(police, path).await.is_problem(405, "method-not-allowed");
        }
        called.get(police, "/api/v1/runs?no-such-key=1").await.is_problem(400, "bad-request");
        called.get(police, "/api/v1/runs?state=odd").await.is_problem(400, "bad-request");
        for query in ["limit=many", "limit=0", "limit=1001", "cursor=!", "cursor=AAAA"] {
            called.get(police, &format!("/api/v1/runs?{query}")).await.is_problem(400, "bad-request");
        }
        for path in ["/", "/api/v1/no-such", "/api/v2/runs", "/api/v1/runs/nonsense", "/api/v1/runs/%00", "/api/v1/runs/../../etc/passwd"] {
            called.get(police, path).await.is_problem(404, "not-found");
        }
        called.get(police, "/api/v1/runs/%ff").await.is_problem(404, "not-found");
        called.post(police, "/api/v1/jobs/no-such-job/runs", "").await.is_problem(404, "not-found");
        called.post(police, "/api/v1/jobs/No%20Name/runs", "").await.is_problem(404, "not-found");
        assert_eq!(called.hub.ledger().run_counts(Scope::Hub).await.unwrap(), [], "none of these made a run");
    });
}

/// Everything in a text that has the form of a National Insurance number.
fn ni_numbers(text: &str) -> BTreeSet<&str> {
    let like = |window: &[u8]| {
        window[..2].iter().all(u8::is_ascii_uppercase) && window[2..8].iter().all(u8::is_ascii_digit) && (b'A'..=b'D').contains(&window[8])
    };
    let starts = text.as_bytes().windows(9).enumerate().filter(|(_, window)| like(window)).map(|(at, _)| at);
    starts.filter_map(|at| text.get(at..at + 9)).collect()
}

#[test]
fn rejects_never_show_personal_data() {
    let site = Site::staffordshire();
    let payroll = String::from_utf8_lossy(&site.read("data/payroll/payroll-2026-10.csv")).into_owned();
    let people = ni_numbers(&payroll);
    assert!(people.len() > 1_000, "they can be found");
    wait(async {
        let called = Called::open(&site).await;
        let run = finished(&called.hub, POLICE, LGPS).await;
        let (mut seen, mut cursor) = (0, String::new());
        loop {
            let page = called.get(&called.police, &format!("/api/v1/runs/{}/rejects?limit=10{cursor}", run.id)).await;
            assert!(ni_numbers(&page.text).is_disjoint(&people), "{}", page.text);
            let body = page.json();
            let items = body["items"].as_array().unwrap();
            for item in items {
                let values = &item["values"];
                for column in ["surname", "forenames", "date_of_birth"] {
                    let shown = values.get(column).and_then(Value::as_str).unwrap_or("••••••");
                    assert!(shown == "••••••", "{column} of {item}");
                }
            }
            seen += items.len();
            match body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, 27);
        let detail = called.get(&called.police, &format!("/api/v1/runs/{}", run.id)).await;
        assert!(ni_numbers(&detail.text).is_disjoint(&people), "{}", detail.text);
    });
}

#[test]
fn what_no_manifest_declares_is_not_shown() {
    let site = Site::staffordshire();
    let payroll = "data/payroll/payroll-2026-10.csv";
    let rows = site.read(payroll);
    let mut wider: Vec<u8> = Vec::new();
    for (number, line) in rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        wider.extend(line.strip_suffix(b"\r").unwrap_or(line));
        wider.extend(if number == 0 { b",Home Address\n".as_slice() } else { b",1 High Street\n" });
    }
    site.write(payroll, wider);
    let misspelt = r#"{"reference":"SP-1","class":"property","loss":"1.00","claiment":{"name":"1 High Street"}}"#;
    site.write("data/claims/claims-2026.jsonl", format!("{misspelt}\n"));
    wait(async {
        let called = Called::open(&site).await;
        for (job, undeclared, declared) in [(LGPS, "Home Address", "employment_number"), ("claim-routing", "claiment", "reference")] {
            let run = finished(&called.hub, POLICE, job).await;
            let answer = called.get(&called.police, &format!("/api/v1/runs/{}/rejects", run.id)).await;
            assert!(!answer.text.contains("High Street"), "{}", answer.text);
            let body = answer.json();
            let mut values = body["items"].as_array().unwrap().iter().map(|item| &item["values"]);
            assert!(values.clone().any(|values| values[undeclared] == "••••••"), "{body}");
            assert!(values.any(|values| values[declared].as_str().is_some_and(|shown| shown != "••••••")), "{body}");
        }
    });
}
