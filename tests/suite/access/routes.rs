//! Every address of the hub, as the routers themselves list them, asked by everybody who has nothing to do with a partner.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bailiwick::access::{Action, Role, TokenAsk, form_key, make_token};
use bailiwick::ledger::{MessagesSought, RunFilter, Scope};
use bailiwick::run::Hub;
use bailiwick::{api, console};
use secrecy::ExposeSecret as _;

use super::{person, send, signed_in};
use crate::support::*;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Somebody who asks.
struct Somebody {
    what: String,
    token: Option<String>,
    session: Option<String>,
}

/// The addresses that a router has: it tells them itself, so that none is forgotten here.
fn addresses(router: &Router) -> BTreeSet<String> {
    let told = format!("{router:?}");
    let addresses: BTreeSet<String> = told
        .split("paths: {")
        .skip(1)
        .filter_map(|paths| paths.split_once('}').map(|_| paths))
        .flat_map(|paths| paths.split("RouteId(").skip(1))
        .filter_map(|entry| entry.split_once("): \"")?.1.split_once('"'))
        .map(|(address, _)| address.to_owned())
        .filter(|address| !address.contains("__private"))
        .collect();
    assert!(addresses.iter().all(|address| address.starts_with('/')), "{addresses:?}");
    addresses
}

/// An address with what the partner has in its places.
fn filled(address: &str, run: &str) -> String {
    let filled = address.split('/').map(|piece| match piece.trim_matches(['{', '}', '*']) {
        name if !piece.starts_with('{') => name,
        "partner" => POLICE,
        "job" => LGPS,
        "run" => run,
        "name" | "plugin" | "rule" | "set" | "rule_set" => "lgps-return",
        "output" | "port" => "return",
        "connection" => "payroll",
        // Of whatever else is named, its name alone opens nothing.
        _ => "1",
    });
    filled.collect::<Vec<_>>().join("/")
}

/// Everything of the partner's that somebody could have changed.
async fn as_it_is(hub: &Hub) -> String {
    let police = partner(POLICE);
    let (ledger, scope) = (hub.ledger(), Scope::Partner(&police));
    let runs = ledger.runs(scope, &RunFilter::default(), 1_000).await.unwrap();
    let mut events = Vec::new();
    for run in &runs.items {
        events.push(ledger.events(scope, run.id, 0).await.unwrap().len());
    }
    let mut audit = ledger.audit(scope, None, 1_000).await.unwrap().items;
    // It is told who asked, and nothing else.
    audit.retain(|act| act.action != "access.refuse");
    let jobs = ledger.jobs(scope).await.unwrap();
    let releases = ledger.releases(scope).await.unwrap();
    let told = ledger.webhook_messages(scope, &MessagesSought::default(), None, 1_000).await.unwrap().items;
    let (people, tokens) = (ledger.people(scope).await.unwrap(), ledger.tokens(scope).await.unwrap());
    format!("{runs:?} {events:?} {audit:?} {jobs:?} {releases:?} {people:?} {tokens:?} {told:?}")
}

async fn everybody(hub: &Hub) -> Vec<Somebody> {
    let mut all = vec![
        Somebody { what: "nobody".to_owned(), token: None, session: None },
        Somebody { what: "a made-up key".to_owned(), token: Some("bwk_0".to_owned()), session: Some("0".repeat(64)) },
    ];
    let fire = partner(FIRE);
    let each = Action::ALL.into_iter().map(|action| (action.name(), BTreeSet::from([action])));
    for (name, scopes) in each.chain([("all", Action::ALL.into())]) {
        let ask = TokenAsk { partner: &fire, name, scopes, expires_at_ms: None };
        let token = make_token(hub.ledger(), &ask, &operator(hub)).await.unwrap().expose_secret().to_owned();
        // A token is no session, and a session no token.
        all.push(Somebody { what: format!("token for {name}"), session: Some(token.clone()), token: Some(token) });
    }
    let each = Role::ALL.into_iter().map(|role| (role.name(), vec![role]));
    for (name, roles) in each.chain([("everything", Role::ALL.to_vec()), ("nothing", Vec::new())]) {
        person(hub, name, (FIRE, &roles), false).await;
        let session = signed_in(hub, name).await;
        all.push(Somebody { what: format!("{name} of another partner"), token: Some(session.clone()), session: Some(session) });
    }
    all
}

fn asked(somebody: &Somebody, method: &str, address: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(address).header("content-type", "application/x-www-form-urlencoded");
    if let Some(token) = &somebody.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut body = "reason=because&why=because&confirmed=yes&owner=me&role=admin&person=joan".to_owned();
    if let Some(session) = &somebody.session {
        request = request.header("cookie", format!("bailiwick={session}"));
        body = format!("{body}&csrf={}", form_key(session));
    }
    if address.starts_with("/api/") && method != "GET" {
        request = request.header("idempotency-key", "1");
        body = r#"{"reason": "because", "case": {}, "owner": "me", "arrived": true}"#.to_owned();
    }
    request.body(Body::from(if method == "GET" { String::new() } else { body })).unwrap()
}

#[test]
fn no_address_gives_another_partner_anything() {
    let site = Site::staffordshire();
    // By a name that is asked for.
    site.write("webhooks.toml", webhook_unreached("lgps-return"));
    wait(async {
        let hub = site.hub(&clock_at("2026-10-19T06:00:00Z")).await;
        hub.set_secret(&partner(POLICE), &"webhook-key".parse().unwrap(), "opensesame".into(), &operator(&hub)).await.unwrap();
        let run = finished(&hub, POLICE, LGPS).await.id.to_string();
        let everybody = everybody(&hub).await;
        let before = as_it_is(&hub).await;
        // Told of nobody but the partner: neither these words nor anything of its rows is in what is sent.
        let theirs =
            ["Staffordshire Police", "date-not-in-calendar", "supplier-onboarding", "pension-fund", "Boulton", "payroll-2026-10", RECEIVER];
        let mut asked_for = 0;
        for router in [api::router(hub.clone()), console::router(hub.clone())] {
            let mut addresses = addresses(&router);
            // It would leave nobody to ask for the rest; another test asks for it.
            addresses.remove("/sign-out");
            assert!(addresses.len() >= 2, "{addresses:?}");
            for (address, method) in addresses.iter().flat_map(|address| METHODS.map(|method| (address, method))) {
                let names_something = address.contains('{');
                let path = filled(address, &run);
                for somebody in &everybody {
                    let came = send(&router, asked(somebody, method, &path)).await;
                    asked_for += 1;
                    let told = format!("{method} {path} by {}: {} {}", somebody.what, came.status, came.text);
                    assert!(came.status < 500, "{told}");
                    assert!(!names_something || !(200..300).contains(&came.status) || is_asset(address), "{told}");
                    for word in theirs.iter().copied().chain([run.as_str()]).filter(|_| !is_asset(address)) {
                        let echoed = path.contains(word) && came.status >= 300;
                        assert!(echoed || !came.text.contains(word), "{word} in {told}");
                    }
                }
            }
        }
        assert!(asked_for > 1_000, "{asked_for}");
        assert_eq!(as_it_is(&hub).await, before);
        let told = hub.ledger().audit(Scope::Partner(&partner(POLICE)), None, 1_000).await.unwrap().items;
        let told: BTreeSet<String> =
            told.into_iter().filter(|act| act.action == "access.refuse").map(|act| act.actor.to_string()).collect();
        let known: BTreeSet<String> = ["admin", "approver", "everything", "nothing", "operator", "viewer"]
            .map(|name| format!("person:{name}"))
            .into_iter()
            .chain(Action::ALL.iter().map(|action| action.name()).chain(["all"]).map(|name| format!("token:{FIRE}/{name}")))
            .collect();
        let missing: Vec<_> = known.difference(&told).collect();
        assert!(told.is_subset(&known), "{told:?}");
        assert!(missing.iter().all(|who| who.starts_with("token:")), "every person's try at its pages is told: {missing:?}");
        for who in ["read", "run", "correct", "all"] {
            assert!(told.contains(&format!("token:{FIRE}/{who}")), "{told:?}");
        }
    });
}

/// What everybody gets alike: the stylesheet, the script, the mark, the description of the API.
fn is_asset(address: &str) -> bool {
    address.starts_with("/assets/") || address.starts_with("/api/v1/docs") || address == "/api/v1/openapi.json"
}
