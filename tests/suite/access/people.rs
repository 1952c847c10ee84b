//! People and tokens on the command line.

use std::io::Write as _;
use std::process::Stdio;

use axum::body::Body;
use axum::http::Request;
use bailiwick::api;
use bailiwick::ledger::Scope;

use super::{PASSWORD, door, send};
use crate::support::*;

/// The program, with something on its standard input.
fn say_with(site: &Site, arguments: &[&str], input: &str) -> Said {
    let mut child =
        bailiwick(site, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

#[track_caller]
fn done(said: &Said, words: &str) {
    assert!(said.code == Some(0) && said.out.contains(words), "{} {}", said.out, said.err);
}

#[test]
fn a_person_is_added_appointed_and_let_go() {
    let site = Site::staffordshire();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let refused = say_with(&site, &["person", "add", "joan"], "short\n");
    assert!(refused.code == Some(1) && refused.err.contains("at least 12 characters"), "{}", refused.err);
    done(&say_with(&site, &["person", "add", "joan", "--display-name", "Joan Harris"], &format!("{PASSWORD}\n")), "joan may sign in");
    assert!(say_with(&site, &["person", "add", "joan"], PASSWORD).err.contains("there is already a person joan"));
    done(&say(&site, &["person", "grant", "joan", POLICE, "approver"]), "joan is approver at staffordshire-police");
    done(&say(&site, &["person", "grant", "joan", POLICE, "approver"]), "nothing changed");
    assert!(say(&site, &["person", "grant", "joan", "nowhere", "viewer"]).err.contains("there is no partner nowhere"));
    assert!(say(&site, &["person", "grant", "joan", POLICE, "king"]).err.contains("viewer, operator, approver or admin"));
    let listed = say(&site, &["person", "list", "--json", "--partner", POLICE]).json();
    assert_eq!(listed[0]["roles"], serde_json::json!([{ "partner": POLICE, "role": "approver" }]), "{listed}");
    assert_eq!((&listed[0]["name"], &listed[0]["has-password"]), (&"joan".into(), &true.into()));
    assert_eq!(say(&site, &["person", "list", "--json", "--partner", FIRE]).json(), serde_json::json!([]));
    done(&say(&site, &["person", "list"]), "staffordshire-police: approver");

    let can = |password: &str| {
        wait(async {
            let hub = site.reopen(&clock_at("2026-11-18T09:00:00Z")).await;
            let came = door(&hub).sign_in("joan", password.to_owned().into(), None).await.is_ok();
            hub.ledger().close().await;
            came
        })
    };
    assert!(can(PASSWORD));
    done(&say_with(&site, &["person", "password", "joan"], "four green lorries"), "another password");
    assert!(can("four green lorries") && !can(PASSWORD));
    done(&say(&site, &["person", "disable", "joan"]), "may sign in no longer");
    done(&say(&site, &["person", "disable", "joan"]), "nothing changed");
    assert!(!can("four green lorries"));
    done(&say(&site, &["person", "disable", "joan", "--undo"]), "may sign in again");
    done(&say(&site, &["person", "sessions"]), "nobody is signed in");
    done(&say(&site, &["person", "sessions", "joan", "--end"]), "0 sessions of joan have ended");
    done(&say(&site, &["person", "hub-operator", "joan"]), "joan keeps the hub");
    done(&say(&site, &["person", "revoke", "joan", POLICE, "approver"]), "no longer approver");
    assert!(say(&site, &["person", "disable", "nobody"]).err.contains("there is no person nobody"));
    let audit = say(&site, &["audit", "export"]).out;
    for action in ["person.add", "role.grant", "person.password", "person.disable", "person.enable", "person.hub-operator", "role.revoke"] {
        assert!(audit.contains(&format!("\"{action}\"")), "{action} in {audit}");
    }
    assert!(!audit.contains("lorries") && !audit.contains("argon2"), "{audit}");
}

#[test]
fn a_token_has_its_scopes_and_its_end() {
    let site = Site::staffordshire();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let made = say(&site, &["token", "new", POLICE, "finance", "--scope", "read", "--expires", "2"]);
    let token = made.out.trim().to_owned();
    assert!(made.code == Some(0) && token.starts_with("bwk_") && token.len() == 68, "{} {}", made.out, made.err);
    assert!(say(&site, &["token", "new", POLICE, "finance"]).err.contains("there is already a token finance"));
    assert_eq!(say(&site, &["token", "new", POLICE, "x", "--scope", "fly"]).code, Some(2));
    assert_eq!(say(&site, &["token", "new", POLICE, "x", "--expires", "0"]).code, Some(2));
    assert!(say(&site, &["token", "new", "nowhere", "x"]).err.contains("there is no partner nowhere"));
    let clerk = say(&site, &["token", "new", FIRE, "clerk"]).out.trim().to_owned();
    let listed = say(&site, &["token", "list", "--json", "--partner", POLICE]).json();
    let finance = listed.as_array().unwrap().iter().find(|listed| listed["name"] == "finance").unwrap();
    assert_eq!((&finance["scopes"], &finance["last-used-at"]), (&serde_json::json!(["read"]), &serde_json::Value::Null));
    assert!(!say(&site, &["token", "list"]).out.contains(&token[4..]), "it is shown once");
    done(&say(&site, &["token", "revoke", FIRE, "clerk"]), "token clerk of staffordshire-fire is refused from now on");
    assert!(say(&site, &["token", "revoke", FIRE, "clerk"]).err.contains("there is no token in use clerk"));

    wait(async {
        let clock = bailiwick::clock::Clock::machine();
        let hub = site.reopen(&clock).await;
        let router = api::router(hub.clone());
        let ask = async |token: &str, method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
            send(&router, request.body(Body::empty()).unwrap()).await.status
        };
        assert_eq!(ask(&token, "GET", "/api/v1/runs").await, 200);
        assert_eq!(ask(&token, "POST", &format!("/api/v1/jobs/{LGPS}/runs")).await, 403, "it may only read");
        assert_eq!(ask(&clerk, "GET", "/api/v1/runs").await, 401);
        assert_eq!(ask(&clerk, "GET", "/api/v1/runs").await, 401);
        let used = hub.ledger().tokens(Scope::Partner(&partner(POLICE))).await.unwrap();
        assert!(used.iter().any(|used| used.name == "finance" && used.last_used_at_ms.is_some()));
        let acts = hub.ledger().audit(Scope::Partner(&partner(FIRE)), None, 100).await.unwrap().items;
        let refused: Vec<_> = acts.iter().filter(|act| act.action == "token.refuse").map(|act| act.subject.as_str()).collect();
        assert_eq!(refused, ["token:clerk"], "noted once, for whoever looks");
        assert!(door(&hub).session(&token).await.unwrap().is_none(), "a token is no session");
        hub.ledger().close().await;
    });
}
