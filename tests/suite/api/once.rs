//! Idempotency-Key, ETag, If-Match, and components that come in piece by piece.

use bailiwick::ledger::{KeyedRequest, Repeat};
use bailiwick::model::ids::Digest;

use super::*;

fn keyed(called: &Called, path: &str, (key, body): (&str, &str)) -> Request<Body> {
    asked("POST", path, &called.police).header("idempotency-key", key).body(body.to_owned().into()).unwrap()
}

const PAUSE: &str = "/api/v1/jobs/lgps-monthly-return/pause";

#[test]
fn a_post_with_a_key_is_done_once_and_answered_alike_for_a_day() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let ask = async |(key, body): (&str, &str)| called.send(keyed(&called, PAUSE, (key, body))).await;
        // What is refused did nothing, and leaves its key free.
        ask(("a", "{}")).await.is_problem(400, "reason-missing");
        let first = ask(("a", r#"{"reason": "one"}"#)).await;
        assert_eq!(first.status, 200, "{}", first.text);
        called.hub.ledger().resume((&partner(POLICE), &job(LGPS)), &operator(&called.hub)).await.unwrap();
        let again = ask(("a", r#"{"reason": "one"}"#)).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        let stored = called.hub.ledger().job(&partner(POLICE), &job(LGPS)).await.unwrap();
        assert!(stored.paused.is_none(), "it was not done a second time");
        ask(("a", r#"{"reason": "two"}"#)).await.is_problem(422, "idempotency-key-reused");
        let elsewhere = PAUSE.replace("pause", "resume");
        called.send(keyed(&called, &elsewhere, ("a", r#"{"reason": "one"}"#))).await.is_problem(422, "idempotency-key-reused");
        called.hub.clock().advance(jiff::SignedDuration::from_hours(25));
        assert_eq!(ask(("a", r#"{"reason": "two"}"#)).await.status, 200, "a day later the key is free");
    });
}

#[test]
fn a_token_is_shown_once_and_nobody_lends_what_they_have_not() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let scopes = ["read", "manage-people"].map(ToOwned::to_owned).to_vec();
        let (name, hash) = ("keeper".to_owned(), Digest::of(b"bwk_keeper"));
        let new = bailiwick::ledger::NewToken { partner: partner(POLICE), name, hash, scopes, expires_at_ms: None };
        called.hub.ledger().create_token(&new, &operator(&called.hub)).await.unwrap();
        let ask = async |body: &str| {
            let request = asked("POST", "/api/v1/tokens", "bwk_keeper").header("idempotency-key", "k");
            called.send(request.body(body.to_owned().into()).unwrap()).await
        };
        ask(r#"{"name": "nightly", "scopes": ["approve"]}"#).await.is_problem(403, "scope-missing");
        let made = ask(r#"{"name": "nightly", "scopes": ["read"]}"#).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let value = made.json()["value"].as_str().unwrap().to_owned();
        ask(r#"{"name": "nightly", "scopes": ["read"]}"#).await.is_problem(409, "answer-not-kept");
        assert_eq!(called.get(&value, "/api/v1/runs").await.status, 200);
        called.post(&value, LGPS_RUNS, "").await.is_problem(403, "scope-missing");
        called.post("bwk_keeper", "/api/v1/tokens", r#"{"name": "nightly"}"#).await.is_problem(409, "already-there");
    });
}

#[test]
fn a_post_that_is_under_way_is_not_done_beside_itself() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        // As another request of this process would have begun it.
        let path = "/api/v1/jobs/lgps-monthly-return/runs";
        let digest = Digest::of(format!("POST {path}\n").as_bytes());
        let caller = bailiwick::ledger::Actor::token(&partner(POLICE), "test");
        let of = KeyedRequest { partner: partner(POLICE), caller, key: "k".to_owned(), digest, life: "another".to_owned() };
        let elsewhere = bailiwick::ledger::By { hub: bailiwick::ledger::HubId::new("second"), ..operator(&called.hub) };
        assert_eq!(called.hub.ledger().begin_answer(&of, &elsewhere).await.unwrap(), Repeat::First);
        called.send(keyed(&called, path, ("k", ""))).await.is_problem(409, "under-way");
        assert_eq!(runs_of(&called.hub, LGPS).await.len(), 0);
        called.hub.clock().advance(jiff::SignedDuration::from_mins(16));
        assert_eq!(called.send(keyed(&called, path, ("k", ""))).await.status, 202, "the other hub is gone");
    });
}

#[test]
fn a_hub_that_was_killed_before_its_answer_was_kept_starts_no_second_run() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let path = "/api/v1/jobs/lgps-monthly-return/runs";
        let first = called.send(keyed(&called, path, ("k", ""))).await.json();
        // The effect is there and its answer is not: as a kill between the two leaves it, which its next life finds.
        let digest = Digest::of(format!("POST {path}\n").as_bytes());
        let caller = bailiwick::ledger::Actor::token(&partner(POLICE), "test");
        called.hub.clock().advance(jiff::SignedDuration::from_hours(25));
        let of = KeyedRequest { partner: partner(POLICE), caller, key: "k".to_owned(), digest, life: "the one before".to_owned() };
        assert_eq!(called.hub.ledger().begin_answer(&of, &operator(&called.hub)).await.unwrap(), Repeat::First);
        let second = called.send(keyed(&called, path, ("k", ""))).await.json();
        assert_eq!((&first["id"], runs_of(&called.hub, LGPS).await.len()), (&second["id"], 1));
    });
}

#[test]
fn a_thing_is_read_again_only_if_it_changed_and_edited_only_if_it_did_not() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let path = "/api/v1/jobs/lgps-monthly-return";
        let tag = async || {
            let response = called.router.clone().oneshot(asked("GET", path, &called.police).body(Body::empty()).unwrap()).await.unwrap();
            response.headers()["etag"].to_str().unwrap().to_owned()
        };
        let before = tag().await;
        let conditional = async |tag: &str| {
            let request = asked("GET", path, &called.police).header("if-none-match", tag);
            called.send(request.body(Body::empty()).unwrap()).await
        };
        let same = conditional(&format!("\"x\", {before}")).await;
        assert_eq!((same.status.as_u16(), same.text.as_str()), (304, ""));
        assert_eq!(conditional("\"x\"").await.status, 200);
        let pause = async |tag: &str| {
            let request = asked("POST", PAUSE, &called.police).header("if-match", tag);
            called.send(request.body(r#"{"reason": "why"}"#.into()).unwrap()).await
        };
        pause("\"x\"").await.is_problem(412, "changed-meanwhile");
        pause("").await.is_problem(400, "bad-request");
        let unreadable = axum::http::HeaderValue::from_bytes(b"\xff").unwrap();
        let request = asked("POST", PAUSE, &called.police).header("if-match", unreadable);
        called.send(request.body(r#"{"reason": "why"}"#.into()).unwrap()).await.is_problem(400, "bad-request");
        assert_eq!(pause(&before).await.status, 200);
        pause(&before).await.is_problem(412, "changed-meanwhile");
        assert_eq!((conditional(&before).await.status.as_u16(), pause("*").await.status.as_u16()), (200, 200));
        assert_ne!(before, tag().await);
    });
}

#[test]
fn what_a_body_says_in_the_wrong_place_is_not_said_again() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let hash = Digest::of(b"bwk_setter");
        let scopes = vec!["configure".to_owned()];
        let new = bailiwick::ledger::NewToken { partner: partner(POLICE), name: "setter".to_owned(), hash, scopes, expires_at_ms: None };
        called.hub.ledger().create_token(&new, &operator(&called.hub)).await.unwrap();
        for body in [
            r#"{"value": 8811223344}"#,
            r#"{"value": ["8811223344"]}"#,
            r#"{"value": {"a": "8811223344"}}"#,
            r#""8811223344""#,
            r#"["8811223344"]"#,
            "8811223344",
        ] {
            let request = asked("PUT", "/api/v1/secrets/bank", "bwk_setter").body(body.into()).unwrap();
            let told = called.send(request).await;
            assert!(!told.text.contains("8811223344"), "{body} is told again: {}", told.text);
            told.is_problem(400, "bad-request");
        }
        let names = called.send(asked("GET", "/api/v1/secrets", "bwk_setter").body(Body::empty()).unwrap()).await;
        assert!(!names.text.contains("bank"), "nothing was set: {}", names.text);
    });
}

#[test]
fn a_component_that_is_too_large_is_refused_as_it_comes() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        let most =
            usize::try_from(bailiwick::model::limits::Limits::default().get(bailiwick::model::limits::Limit::ComponentBytes)).unwrap();
        let hash = Digest::of(b"bwk_maker");
        let new = bailiwick::ledger::NewToken {
            partner: partner(POLICE),
            name: "maker".to_owned(),
            hash,
            scopes: vec!["upload".to_owned()],
            expires_at_ms: None,
        };
        called.hub.ledger().create_token(&new, &operator(&called.hub)).await.unwrap();
        let send = async |name: &str, size: usize| {
            let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n");
            let mut body = head.into_bytes();
            body.resize(body.len() + size, b'x');
            body.extend_from_slice(b"\r\n--cut--\r\n");
            let request = asked("POST", "/api/v1/releases", "bwk_maker").header("content-type", "multipart/form-data; boundary=cut");
            called.send(request.body(body.into()).unwrap()).await
        };
        send("component", most + 1).await.is_problem(422, "release-refused");
        send("component", most + (4 << 20)).await.is_problem(413, "body-too-large");
        send("signature", 70_000).await.is_problem(413, "body-too-large");
        send("component", 100).await.is_problem(422, "release-refused");
        send("other", 100).await.is_problem(400, "bad-request");
        let plain = asked("POST", "/api/v1/releases", "bwk_maker").body("x".into()).unwrap();
        called.send(plain).await.is_problem(400, "bad-request");
        let left: Vec<_> = std::fs::read_dir(site.data().join("spill")).unwrap().collect();
        assert!(left.is_empty(), "nothing of it is left: {left:?}");
    });
}

#[test]
fn the_document_and_its_page_are_there_for_everybody() {
    let site = Site::staffordshire();
    wait(async {
        let called = Called::open(&site).await;
        for (path, kind, word) in [
            ("/api/v1/openapi.json", "application/json", "\"openapi\": \"3.1"),
            ("/api/v1/docs", "text/html; charset=utf-8", "<h1>Bailiwick API</h1>"),
            ("/api/v1/docs.css", "text/css; charset=utf-8", "prefers-color-scheme"),
        ] {
            let response = called.router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()), (200, kind), "{path}");
            let text = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
            assert!(String::from_utf8_lossy(&text).contains(word), "{path}");
        }
    });
}

/// Of two who edit one thing as both read it, at one moment, one does.
async fn one_of_two_wins(called: &Called) {
    let path = "/api/v1/jobs/lgps-monthly-return";
    for round in 0..10 {
        let read = called.router.clone().oneshot(asked("GET", path, &called.police).body(Body::empty()).unwrap()).await.unwrap();
        let tag = read.headers()["etag"].to_str().unwrap().to_owned();
        let way = if round % 2 == 0 { "pause" } else { "resume" };
        let edit = || {
            let request = asked("POST", &format!("{path}/{way}"), &called.police).header("if-match", &tag);
            let body = if round % 2 == 0 { r#"{"reason": "why"}"# } else { "" };
            called.send(request.body(body.into()).unwrap())
        };
        let (one, other) = tokio::join!(edit(), edit());
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{way}: {} {}", one.text, other.text);
    }
}

#[test]
fn of_two_who_edit_a_thing_as_both_read_it_one_does_on_sqlite() {
    let site = Site::staffordshire();
    wait(async { one_of_two_wins(&Called::open(&site).await).await });
}

#[test]
fn of_two_who_edit_a_thing_as_both_read_it_one_does_on_postgres() {
    let site = Site::staffordshire();
    wait(async {
        let database = Some(bailiwick::ledger::Database::Postgres(Postgres::shared().database().await));
        let sharing = bailiwick::run::Sharing { database, ..bailiwick::run::Sharing::default() };
        let hub = site.reopen_shared("main", &clock_at("2026-11-18T09:00:00Z"), sharing).await;
        site.apply(&hub).await;
        one_of_two_wins(&Called::with(hub).await).await;
    });
}
