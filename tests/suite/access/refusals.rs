//! That somebody known was refused something is in the audit trail, and their answers say no more for it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bailiwick::access::{Action, Role, TokenAsk, form_key, make_token};
use bailiwick::ledger::{AuditEntry, Scope};
use bailiwick::run::Hub;
use bailiwick::{api, server};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{person, send, signed_in};
use crate::support::*;

const NOBODYS: &str = "01931f1c8f4b70008000000000000001";

async fn token(hub: &Hub, owner: &str, name: &str, scopes: &[Action]) -> String {
    let ask = TokenAsk { partner: &partner(owner), name, scopes: scopes.iter().copied().collect(), expires_at_ms: None };
    make_token(hub.ledger(), &ask, &operator(hub)).await.unwrap().expose_secret().to_owned()
}

async fn ask(router: &Router, token: &str, (method, path): (&str, &str)) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    let body = if method == "GET" { Body::empty() } else { Body::from(r#"{"reason": "opensesame"}"#) };
    let came = send(router, request.body(body).unwrap()).await;
    (came.status, came.text)
}

async fn page(router: &Router, session: &str, path: &str) -> (u16, String) {
    let request = Request::builder().uri(path).header("cookie", format!("bailiwick={session}"));
    let came = send(router, request.body(Body::empty()).unwrap()).await;
    (came.status, came.text)
}

/// What was refused, of a partner or of the hub's own, oldest first.
async fn refused(hub: &Hub, of: Option<&str>) -> Vec<AuditEntry> {
    let mut all = hub.ledger().audit(Scope::Hub, None, 1_000).await.unwrap().items;
    all.retain(|act| act.action == "access.refuse" && act.partner.as_ref().map(|partner| partner.as_str()) == of);
    all.reverse();
    all
}

/// The same, once there are so many: whoever has what was asked for is told after the answer.
async fn told(hub: &Hub, of: &str, many: usize) -> Vec<AuditEntry> {
    for _ in 0..500 {
        let all = refused(hub, Some(of)).await;
        if all.len() >= many {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    refused(hub, Some(of)).await
}

fn said(act: &AuditEntry) -> (String, String, Value) {
    (act.actor.to_string(), act.subject.clone(), serde_json::from_str(act.after.as_deref().unwrap_or("null")).unwrap())
}

#[test]
fn what_a_token_or_a_person_may_not_do_is_noted_and_never_what_they_sent() {
    let site = Site::staffordshire();
    wait(async {
        let clock = clock_at("2026-10-19T06:00:00Z");
        let hub = site.hub(&clock).await;
        let router = server::router(hub.clone());
        let reader = token(&hub, POLICE, "reader", &[Action::Read]).await;
        let start = format!("/api/v1/jobs/{LGPS}/pause");
        for _ in 0..25 {
            assert_eq!(ask(&router, &reader, ("POST", &start)).await.0, 403);
        }
        let route = "POST /api/v1/jobs/{job}/pause";
        let may_not = |times: u64| json!({ "route": route, "why": "may-not", "needs": "run", "asked": { "job": LGPS }, "times": times });
        let of = |times: u64| ("token:staffordshire-police/reader".to_owned(), format!("job:{LGPS}"), may_not(times));
        let noted: Vec<_> = refused(&hub, Some(POLICE)).await.iter().map(said).collect();
        assert_eq!(noted, [of(1), of(10)], "one, and then at ten times as many");
        assert!(refused(&hub, Some(POLICE)).await.iter().all(|act| act.from.as_deref() == Some("0.0.0.0")), "from where");

        // What is done, what cannot be done as things stand, and names that are a partner's own are no refusals.
        assert_eq!(ask(&router, &reader, ("GET", "/api/v1/jobs/nowhere")).await.0, 404);
        assert_eq!(ask(&router, &reader, ("GET", "/api/v1/nothing")).await.0, 404);
        assert_eq!(ask(&router, &reader, ("GET", "/api/v1/jobs")).await.0, 200);
        assert_eq!(ask(&router, "bwk_0", ("GET", "/api/v1/jobs")).await.0, 401);
        assert_eq!(refused(&hub, Some(POLICE)).await.len(), 2);

        // A token that stands where a name should is not kept.
        assert_eq!(ask(&router, &reader, ("DELETE", &format!("/api/v1/secrets/{reader}"))).await.0, 403);
        clock.advance(jiff::SignedDuration::from_hours(1));
        assert_eq!(ask(&router, &reader, ("POST", &start)).await.0, 403);
        let noted: Vec<_> = refused(&hub, Some(POLICE)).await.iter().skip(2).map(said).collect();
        assert_eq!((noted[0].1.as_str(), &noted[0].2["asked"]), ("address:/api/v1/secrets/{name}", &json!({})));
        assert_eq!(noted[1..], [of(1)], "each hour anew");

        person(&hub, "vera", (POLICE, &[Role::Viewer]), false).await;
        let vera = signed_in(&hub, "vera").await;
        let tokens = format!("/p/{POLICE}/tokens");
        assert_eq!(page(&router, &vera, &tokens).await.0, 403);
        assert_eq!(page(&router, &vera, "/hub").await.0, 404);
        let form = |csrf: &str| {
            let request = Request::builder().method("POST").uri(format!("/p/{POLICE}/jobs/{LGPS}/run"));
            let request = request.header("cookie", format!("bailiwick={vera}")).header("content-type", "application/x-www-form-urlencoded");
            request.body(Body::from(format!("confirmed=yes&reason=opensesame&csrf={csrf}"))).unwrap()
        };
        assert_eq!(send(&router, form("forged")).await.status, 403);
        assert_eq!(send(&router, form(&form_key(&vera))).await.status, 403);
        let noted: Vec<_> = refused(&hub, Some(POLICE)).await.iter().skip(4).map(said).collect();
        let why = |(who, _, told): &(String, String, Value)| format!("{who} {} {}", told["route"], told["why"]).replace('"', "");
        assert_eq!(
            noted.iter().map(why).collect::<Vec<_>>(),
            [
                "person:vera GET /p/{partner}/tokens may-not",
                "person:vera GET /hub keepers-only",
                "person:vera POST /p/{partner}/jobs/{job}/run foreign-form",
                "person:vera POST /p/{partner}/jobs/{job}/run may-not",
            ]
        );
        let all = hub.ledger().audit(Scope::Hub, None, 1_000).await.unwrap().items;
        let all = format!("{all:?}");
        assert!(!all.contains("opensesame") && !all.contains(&reader) && !all.contains(&vera), "{all}");
        assert!(hub.ledger().verify_audit().await.unwrap().is_sound());
    });
}

#[test]
fn whoever_asks_for_what_is_anothers_learns_nothing_and_its_owner_is_told() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at("2026-10-19T06:00:00Z")).await;
        let router = server::router(hub.clone());
        let theirs = finished(&hub, POLICE, LGPS).await.id.to_string();
        let fire = token(&hub, FIRE, "all", &Action::ALL).await;
        let mut answers = Vec::new();
        for run in [NOBODYS, theirs.as_str(), NOBODYS, theirs.as_str()] {
            for (method, rest) in [("GET", ""), ("POST", "/cancel"), ("GET", "/events")] {
                let (status, text) = ask(&router, &fire, (method, &format!("/api/v1/runs/{run}{rest}"))).await;
                assert_eq!(status, 404, "{text}");
                let mut told: Value = serde_json::from_str(&text).unwrap();
                told.as_object_mut().unwrap().remove("instance");
                answers.push(told.to_string().replace(run, "RUN"));
            }
        }
        assert!(answers.chunks(3).all(|some| some == &answers[..3]), "{answers:?}");

        // Its own trail has the first of each route, which was nobody's, and so says nothing of what is somebody's.
        let own = refused(&hub, Some(FIRE)).await;
        assert_eq!(own.len(), 3);
        assert!(own.iter().all(|act| act.subject == format!("run:{NOBODYS}")), "{own:?}");
        // The owner is told of what is theirs, whatever else was asked for before.
        let owners: Vec<_> = told(&hub, POLICE, 1).await.iter().map(said).collect();
        let expected = json!({ "route": "GET /api/v1/runs/{run}", "why": "of-another-partner", "asked": { "run": theirs }, "times": 1 });
        assert_eq!(owners, [("token:staffordshire-fire/all".to_owned(), format!("run:{theirs}"), expected)]);

        person(&hub, "fiona", (FIRE, &[Role::Operator]), false).await;
        person(&hub, "nora", (FIRE, &[]), false).await;
        let (fiona, nora) = (signed_in(&hub, "fiona").await, signed_in(&hub, "nora").await);
        let away = page(&router, &fiona, "/p/nowhere/jobs").await;
        assert_eq!(page(&router, &fiona, &format!("/p/{POLICE}/jobs")).await, away, "as if there were no such partner");
        assert_eq!(page(&router, &fiona, &format!("/p/{FIRE}/runs/{theirs}")).await, away);
        assert_eq!(page(&router, &nora, &format!("/p/{POLICE}/jobs")).await, away);
        let own: Vec<_> = refused(&hub, Some(FIRE)).await.iter().skip(3).map(said).collect();
        let whose: Vec<_> = own.iter().map(|(who, subject, _)| format!("{who} {subject}")).collect();
        assert_eq!(whose, ["person:fiona partner:nowhere".to_owned(), format!("person:fiona run:{theirs}")]);
        let hubs: Vec<_> = refused(&hub, None).await.iter().map(said).collect();
        assert_eq!((hubs.len(), hubs[0].0.as_str()), (1, "person:nora"), "who is at no partner is the hub's own affair");
        let owners: Vec<_> = told(&hub, POLICE, 3).await.iter().skip(1).map(said).collect();
        let mut whose: Vec<_> = owners.iter().map(|(who, subject, _)| format!("{who} {subject}")).collect();
        whose.sort();
        assert_eq!(whose, [format!("person:fiona partner:{POLICE}"), format!("person:nora partner:{POLICE}")]);
        assert_eq!(refused(&hub, Some("nowhere")).await.len(), 0);
        assert!(hub.ledger().verify_audit().await.unwrap().is_sound());
    });
}

#[test]
fn an_edit_that_depends_on_what_was_read_is_not_hindered_by_what_others_are_refused() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at("2026-10-19T06:00:00Z")).await;
        let router = api::router(hub.clone());
        let reader = token(&hub, POLICE, "reader", &[Action::Read]).await;
        let police = partner(POLICE);
        let as_of = hub.ledger().trail_end(&police).await.unwrap();
        assert_eq!(ask(&router, &reader, ("POST", &format!("/api/v1/jobs/{LGPS}/pause"))).await.0, 403);
        assert_eq!(hub.ledger().trail_end(&police).await.unwrap(), as_of + 1);
        let job = LGPS.parse().unwrap();
        hub.ledger().pause((&police, &job), "a look at it", &operator(&hub).as_of(as_of)).await.unwrap();
        let stale = hub.ledger().resume((&police, &job), &operator(&hub).as_of(as_of)).await;
        assert!(stale.is_err(), "what changed something hinders it: {stale:?}");
    });
}
