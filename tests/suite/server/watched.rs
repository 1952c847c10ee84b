//! How a hub is watched: its health says what is missing, its figures are what happened, and the dashboard and the alarms that come
//! with it speak of figures that there are.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use bailiwick::ledger::{MessagesSought, RunState, Scope};
use bailiwick::server;
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};
use tower::ServiceExt as _;

use super::{plain, until};
use crate::support::*;

const DASHBOARD: &str = include_str!("../../../docs/operate/grafana-dashboard.json");
const ALARMS: &str = include_str!("../../../docs/operate/alert-rules.yml");

fn health(address: &str, path: &str) -> (u16, Value) {
    let mut answer = plain().get(format!("{address}{path}")).call().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap())
}

#[test]
fn health_says_what_is_missing() {
    let site = Site::bare();
    let serving = Serving::told(&site, &["--metrics-listen", "127.0.0.1:0"], &[]);
    let watched = format!("http://{}", serving.metrics());
    until("it is ready", || health(&watched, "/health/ready").0 == 200);
    let (status, told) = health(serving.address(), "/health/ready");
    assert_eq!((status, &told["status"]), (200, &"ready".into()), "{told}");
    let checks: Vec<&str> = told["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["database", "tables", "name", "duties", "disk"]);
    assert_eq!(health(serving.address(), "/health/live").0, 200);
    // Figures are not where everybody's calls go.
    assert_eq!(plain().get(format!("{}/metrics", serving.address())).call().unwrap().status(), 404);

    // A newer hub has been at the tables.
    wait(async {
        let path = site.data().join("ledger.sqlite");
        let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                     VALUES (9999, 'of tomorrow', CURRENT_TIMESTAMP, 1, x'00', 0)";
        connection.execute(newer).await.unwrap();
        connection.close().await.unwrap();
    });
    let (status, told) = health(serving.address(), "/health/ready");
    assert_eq!((status, &told["status"]), (503, &"not-ready".into()), "{told}");
    let wrong: Vec<&Value> = told["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false).collect();
    assert!(wrong.len() == 1 && wrong[0]["check"] == "tables" && wrong[0]["why"].as_str().unwrap().contains("9999"), "{told}");
    assert_eq!(health(serving.address(), "/health/live").0, 200, "it lives all the same");
}

#[test]
fn a_hub_that_has_lost_its_name_is_not_ready() {
    let site = Site::bare();
    let url = wait(Postgres::shared().database());
    let serving = Serving::told(&site, &[], &[("BAILIWICK_DATABASE", &url)]);
    until("it is ready", || health(serving.address(), "/health/ready").0 == 200);
    wait(async {
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database =
                   (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()";
        connection.execute(cut).await.unwrap();
    });
    until("it says that its name is lost", || {
        let (status, told) = health(serving.address(), "/health/ready");
        status == 503 && told["checks"].as_array().unwrap().iter().any(|check| check["check"] == "name" && check["ok"] == false)
    });
}

#[test]
fn nobody_at_work_is_not_ready() {
    let site = Site::bare();
    wait(async {
        // It is open, and nobody has begun its duties.
        let hub = site.reopen(&clock_at("2026-10-19T06:00:00Z")).await;
        let router = server::router(hub);
        let answer = router.oneshot(Request::get("/health/ready").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 503);
        let told = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        assert!(String::from_utf8_lossy(&told).contains("they have not begun"), "{told:?}");
    });
}

/// A hub to which everything has happened that is counted, and what Prometheus then reads.
async fn scraped(site: &Site, web: &Web) -> String {
    let events = "[\"run.closed\", \"run.failed\"]";
    site.write("webhooks.toml", web.webhook(POLICE, "desk", events) + &web.webhook(FIRE, "away", events));
    // One job dies of a limit.
    site.edit("jobs/shared-services-apportionment.toml", "[rejects]", "[limits]\noutput-rows = 10\n\n[rejects]");
    let clock = clock_at("2026-11-19T06:59:00Z");
    let hub = site.hub(&clock).await;
    for owner in [POLICE, FIRE] {
        hub.set_secret(&partner(owner), &"webhook-key".parse().unwrap(), "k".into(), &operator(&hub)).await.unwrap();
    }
    clock.advance(jiff::SignedDuration::from_mins(1));
    hub.tick().await.unwrap();
    drain(&hub).await;
    let killed = finished(&hub, FIRE, "shared-services-apportionment").await;
    assert_eq!(reason(&killed).0, "output-rows", "{:?}", killed.reason);
    let returned = runs_of(&hub, LGPS).await.remove(0);
    assert_eq!(returned.state, RunState::Closed, "{:?}", returned.reason);
    let token = bailiwick::api::make_token(&hub, &partner(POLICE), "test", &operator(&hub)).await.unwrap();
    let case = r#"{"case": {"reference": "A1", "class": "property", "loss": "10.00", "received_date": "2026-10-04", "accident_date": "2026-10-01"}}"#;
    let call = Request::post("/api/v1/rule-sets/claim-routing/decisions").header("authorization", format!("Bearer {token}"));
    let answer = server::router(hub.clone()).oneshot(call.body(Body::from(case)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    // Its duties: they send what waits for partners' own addresses.
    let stop = std::sync::Arc::new(tokio::sync::Notify::new());
    let serving = tokio::spawn({
        let (hub, stop) = (hub.clone(), std::sync::Arc::clone(&stop));
        async move { hub.serve(stop).await }
    });
    let is_told = async || {
        let messages = hub.ledger().webhook_messages(Scope::Hub, &MessagesSought::default(), None, 100).await.unwrap().items;
        messages.iter().all(|message| message.status.is_some()) && messages.len() == 2
    };
    while !is_told().await {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let text = hub.figures_text().await.unwrap();
    stop.notify_one();
    serving.await.unwrap();
    text
}

/// The names of figures in a text: those of samples, or those in an expression.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices("bailiwick_")
        .filter(|(at, _)| !text[..*at].ends_with(is_name))
        .map(|(at, _)| text[at..].split(|c| !is_name(c)).next().unwrap().to_owned())
        .collect()
}

#[test]
fn figures_are_what_happened_and_what_is_shipped_speaks_of_nothing_else() {
    let site = Site::staffordshire();
    let text = wait(async {
        let web = Web::start(|asked, _| (if asked.path == "/desk" { 204 } else { 500 }, Vec::new(), Vec::new()));
        scraped(&site, &web).await
    });
    assert!(text.ends_with("# EOF\n"));
    let value = |name: &str, labels: &[&str]| -> String {
        let line = text.lines().find(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)));
        line.unwrap_or_else(|| panic!("no {name} {labels:?} in {text}")).rsplit(' ').next().unwrap().to_owned()
    };
    let (fire, apportionment) = ("partner=\"staffordshire-fire\"", "job=\"shared-services-apportionment\"");
    let (police, lgps) = ("partner=\"staffordshire-police\"", "job=\"lgps-monthly-return\"");
    assert_eq!(value("bailiwick_runs_total", &[police, lgps, "state=\"closed\""]), "1");
    assert_eq!(value("bailiwick_rows_total", &[police, lgps, "what=\"accepted\""]), "5840");
    assert_eq!(value("bailiwick_deliveries_total", &[police, lgps]), "2");
    assert_eq!(value("bailiwick_limit_kills_total", &[fire, apportionment, "limit=\"output-rows\""]), "1");
    assert_eq!(value("bailiwick_open_runs", &[fire, apportionment, "state=\"failed\""]), "1");
    assert_ne!(value("bailiwick_quarantine_rows", &[police, lgps]), "0");
    assert_eq!(value("bailiwick_webhook_attempts_total", &[police, "outcome=\"taken\""]), "1");
    assert_eq!(value("bailiwick_ready", &["check=\"database\""]), "1");
    // Sixty seconds after its time.
    assert_eq!(value("bailiwick_schedule_lag_seconds_bucket", &["le=\"60.0\""]), value("bailiwick_schedule_lag_seconds_count", &[]));

    // Labels have few values: no run, no person, no file.
    let labels: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('{')?.1.rsplit_once('}'))
        .flat_map(|(labels, _)| labels.split("\",").map(|label| label.split('=').next().unwrap()))
        .filter(|label| !label.is_empty())
        .collect();
    let known = [
        "answer", "check", "hub", "job", "le", "limit", "method", "outcome", "partner", "plugin", "route", "state", "status", "version",
        "what",
    ];
    assert!(labels.iter().all(|label| known.contains(label)), "{labels:?}");

    let there: BTreeSet<String> = names(&text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n"));
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let expressions: Vec<&str> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(expressions.len() > 20);
    for (what, asked) in [("the dashboard", names(&expressions.join("\n"))), ("an alarm", names(&alarms().join("\n")))] {
        let missing: Vec<&String> = asked.difference(&there).collect();
        assert!(missing.is_empty(), "{what} speaks of {missing:?}, which is not in {text}");
    }
    // And the other way about: whatever is counted is shown.
    let shown = names(&expressions.join("\n"));
    let base =
        |name: &str| ["_bucket", "_sum", "_count", "_total"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned();
    let shown: BTreeSet<String> = shown.iter().map(|name| base(name)).collect();
    let unseen: Vec<String> = there.iter().map(|name| base(name)).filter(|name| !shown.contains(name)).collect();
    let only_for_alarms = ["bailiwick_hub", "bailiwick_scrape_seconds"];
    assert!(unseen.iter().all(|name| only_for_alarms.contains(&name.as_str())), "{unseen:?}");
}

/// The expressions of the alarms.
fn alarms() -> Vec<String> {
    let expressions: Vec<String> = ALARMS.lines().filter_map(|line| Some(line.trim().strip_prefix("expr: ")?.to_owned())).collect();
    assert_eq!(expressions.len(), ALARMS.lines().filter(|line| line.trim().starts_with("- alert: ")).count());
    expressions
}

#[test]
fn alarms_are_rules_that_prometheus_reads() {
    // Each has what an alarm needs, in the indentation of its list; brackets close, and nothing is said twice.
    let mut seen = BTreeSet::new();
    for rule in ALARMS.split("      - alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        assert!(name.starts_with("Bailiwick") && seen.insert(name), "{name}");
        for part in
            ["        expr: ", "        labels:\n          severity: ", "        annotations:\n          summary: ", "          action: "]
        {
            assert!(rule.contains(part), "{name} has no {part:?}");
        }
        assert!(rule.contains("severity: page") || rule.contains("severity: ticket"), "{name}");
    }
    for expression in alarms() {
        let mut open = Vec::new();
        for c in expression.chars() {
            match c {
                '(' | '{' | '[' => open.push(c),
                ')' => assert_eq!(open.pop(), Some('('), "{expression}"),
                '}' => assert_eq!(open.pop(), Some('{'), "{expression}"),
                ']' => assert_eq!(open.pop(), Some('['), "{expression}"),
                _ => {}
            }
        }
        assert!(open.is_empty(), "{expression}");
    }
    // By Prometheus itself, where it is installed.
    match Command::new("promtool").arg("check").arg("rules").arg(root().join("docs/operate/alert-rules.yml")).output() {
        Ok(said) => assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout)),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
    }
    assert!(fs::metadata(root().join("docs/operate/grafana-dashboard.json")).is_ok());
}
