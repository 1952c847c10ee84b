//! Releases over HTTP: what an approval grants, and a release beside the active one.

use bailiwick::ledger::{NewTrial, Reason, Step, TrialOutcome};

use super::routes::Asker;
use super::*;

/// An approval grants less than what is asked for, thing by thing, and nothing else.
pub(super) async fn grants(asker: &mut Asker<'_>, release: &str, review: &Value) {
    let asks = review["asks-for"].as_array().unwrap();
    let named: Vec<&str> = asks.iter().map(|ask| ask["what"].as_str().unwrap()).collect();
    assert!(named.contains(&"clock") && named.contains(&"table:lgps-bands"), "{named:?}");
    let clock = asks.iter().find(|ask| ask["what"] == "clock").unwrap();
    assert_eq!((&clock["needed"], &clock["kept-back"]), (&json!(true), &json!(false)));
    let cpu = review["limits"].as_array().unwrap().iter().find(|limit| limit["limit"] == "cpu-ms").unwrap();
    let above = cpu["most"].as_u64().unwrap() + 1;
    let more = [&named[..], &["http"]].concat();
    for (more, code) in [
        (json!({"grant": more}), "bad-request"),
        (json!({"grant": ["sockets"]}), "bad-request"),
        (json!({"without": ["http"]}), "bad-request"),
        (json!({"limits": {"dreams": 1}}), "bad-request"),
        (json!({"limits": {"cpu-ms": 0}}), "bad-request"),
        (json!({"limits": {"cpu-ms": above}}), "bad-request"),
        (json!({"grant": []}), "not-vouched-for"),
        (json!({"without": ["clock"]}), "not-vouched-for"),
    ] {
        let mut body = json!({"reason": "read", "review": review["review"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = asker.ask("POST /api/v1/releases/{release}/approve", &[release], body.to_string()).await;
        assert_eq!(answer.json()["code"], json!(code), "{body}: {}", answer.text);
    }
    let all = json!({"reason": "read", "review": review["review"], "grant": named}).to_string();
    let approved = asker.well("POST /api/v1/releases/{release}/approve", &[release], all).await.json();
    assert_eq!(approved["release"]["kept-back"], json!([]), "{approved}");
    // Another word was said since, so the approval that follows names the review that there is now.
    let stale = json!({"reason": "read", "review": review["review"]}).to_string();
    let answer = asker.ask("POST /api/v1/releases/{release}/approve", &[release], stale).await;
    assert_eq!(answer.json()["code"], json!("wrong-state"), "{}", answer.text);
}

/// A release beside the active one, and what people say of what its trials came to.
pub(super) async fn stands(asker: &mut Asker<'_>, active: &str, next: &str) {
    let hub = asker.called.hub.clone();
    let stands = asker.well("POST /api/v1/releases/{release}/parallel", &[next], "").await.json();
    assert_eq!(stands["beside"]["way"], "parallel", "{stands}");
    for wrong in [r#"{"share": 0}"#, r#"{"share": 101}"#, r#"{"share": 5, "held-max": 1001}"#, "{}", r#"{"share": 5, "dreams": 1}"#] {
        let answer = asker.ask("POST /api/v1/releases/{release}/canary", &[next], wrong).await;
        assert_eq!(answer.json()["code"], json!("bad-request"), "{wrong}: {}", answer.text);
    }
    let bounds = r#"{"share": 25, "failures-max": 1, "took-ms-max": 60000}"#;
    let stands = asker.well("POST /api/v1/releases/{release}/canary", &[next], bounds).await.json();
    assert_eq!((&stands["beside"]["way"], &stands["beside"]["bounds"]["share"]), (&json!("canary"), &json!(25)), "{stands}");
    let listed = asker.well("GET /api/v1/candidates?plugin=claim-routing", &[], "").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "the parallel run that was replaced is told too: {listed}");
    let other = json!({"reason": "slow", "release": active}).to_string();
    asker.badly("POST /api/v1/plugins/{plugin}/end-candidate", &["claim-routing"], (&other, "wrong-state")).await;
    let ended = json!({"reason": "slow", "release": next}).to_string();
    let ended = asker.well("POST /api/v1/plugins/{plugin}/end-candidate", &["claim-routing"], ended).await.json();
    assert_eq!(ended["release"], json!(next));
    assert_eq!((&ended["way"], &ended["ended-why"]), (&json!("canary"), &json!("slow")), "{ended}");

    // A trial that differs, as the hub that does it would write it down.
    let tried = asker.well("POST /api/v1/releases/{release}/trials", &[active], r#"{"runs": 1}"#).await.json();
    let claim = hub.ledger().claim(hub.id(), hub.clock().now_ms(), 3_600_000).await.unwrap().expect("it waits");
    assert_eq!(tried["items"][0]["run"], json!(claim.lease.run.to_string()));
    let kinds = vec!["return.employee_expected".to_owned()];
    let trial = NewTrial { outcome: TrialOutcome::Differs, kinds, differences: None };
    hub.ledger().record_trial(&claim.lease, hub.clock().now_ms(), &trial).await.unwrap();
    let reason = Reason { code: "trial-differs".to_owned(), sentence: "It came to something else.".to_owned() };
    let held = hub.ledger().append(&claim.lease, hub.clock().now_ms(), Step::Held(reason)).await.unwrap();
    assert_eq!(held.state, RunState::Held);
    let other = r#"{"difference": "rejects", "reason": "meant"}"#;
    asker.badly("POST /api/v1/releases/{release}/explanations", &[active], (other, "not-found")).await;
    let seen = asker.well("GET /api/v1/releases/{release}/trials", &[active], "").await.json()["code"].clone();
    let mut meant = json!({"difference": "return.employee_expected", "reason": "meant", "trials": "0f0f"});
    let explanations = "POST /api/v1/releases/{release}/explanations";
    asker.badly(explanations, &[active], (&meant.to_string(), "wrong-state")).await;
    meant["trials"] = seen;
    // As the trials were read, by their tag; then the run that was held for it goes on.
    let path = format!("/api/v1/releases/{active}");
    let read = asked("GET", &format!("{path}/trials"), &asker.token).body(Body::empty()).unwrap();
    let tag = asker.called.router.clone().oneshot(read).await.unwrap().headers()["etag"].clone();
    let told = asked("POST", &format!("{path}/explanations"), &asker.token).header("if-match", tag);
    let explained = asker.called.send(told.body(meant.to_string().into()).unwrap()).await;
    assert_eq!(explained.status.as_u16(), 200, "{}", explained.text);
    let went_on = hub.ledger().run(Scope::Hub, claim.lease.run).await.unwrap().unwrap();
    assert_eq!(went_on.state, RunState::Queued, "what is explained is held no longer");
    asker.well(explanations, &[active], meant.to_string()).await;
    let stale = json!({"review": "0f0f"}).to_string();
    asker.badly("POST /api/v1/releases/{release}/activate", &[next], (&stale, "wrong-state")).await;
    let proof = asker.well("GET /api/v1/releases/{release}/trials", &[active], "").await.json();
    let last = proof["trials"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["explained"], &proof["explanations"][0]["why"]), (&json!(true), &json!("meant")), "{proof}");
}
