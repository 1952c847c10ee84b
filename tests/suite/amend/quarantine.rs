//! Rejects from the run that refused them to a clerk and back: listed, assigned, dismissed, corrected in their own file, resubmitted.

use axum::body::Body;
use axum::http::Request;
use bailiwick::access::{Action, TokenAsk, make_token};
use bailiwick::api;
use bailiwick::ledger::{NewToken, RunState, Scope};
use bailiwick::model::ids::Digest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::*;

const OCTOBER: &str = "2026-10-19T06:00:00Z";

/// A row of the example's payroll that is refused for its date, by the number of its employment.
const MISDATED: &str = "40016354";

/// The example's payroll run, closed, with its 27 rejects in quarantine.
fn closed() -> (Site, String) {
    let site = Site::staffordshire();
    let run = wait(async {
        let hub = site.hub(&clock_at(OCTOBER)).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, run.rows.rejected), (RunState::Closed, 27));
        hub.ledger().close().await;
        run.id.to_string()
    });
    (site, run)
}

/// The lines of a file in Windows-1252, as far as ASCII goes.
fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(ToOwned::to_owned).collect()
}

/// What the program wrote to standard output, which need not be text.
fn written(site: &Site, arguments: &[&str]) -> Vec<u8> {
    let output = bailiwick(site, arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn refused(said: &Said, word: &str) {
    assert!(said.code == Some(1) && said.err.contains(word), "{word}: {} {}", said.out, said.err);
}

#[test]
fn rejects_wait_with_age_and_owner_and_are_dismissed_with_a_reason() {
    let (site, run) = closed();
    let shown = say(&site, &["show", &run]);
    assert!(shown.out.contains(&format!("rejects: 27 wait: `bailiwick rejects {run}`")), "{}", shown.out);
    let groups = say(&site, &["rejects"]);
    for word in ["lgps-monthly-return", "date-not-in-calendar", "ni-number-example"] {
        assert!(groups.out.contains(word), "{word}: {}", groups.out);
    }
    let json = say(&site, &["rejects", "--json"]).json();
    assert_eq!(json.as_array().unwrap().iter().map(|group| group["rows"].as_u64().unwrap()).sum::<u64>(), 27, "{json}");
    assert!(say(&site, &["rejects", "--older-than", "100000"]).out.contains("no rejects wait"));

    let assigned = say(&site, &["rejects", "assign", &run, "--code", "date-not-in-calendar", "--to", "Ann Example"]);
    assert!(assigned.out.contains("Ann Example sees to 1 reject"), "{} {}", assigned.out, assigned.err);
    let hers = say(&site, &["rejects", "--owner", "Ann Example"]);
    assert!(hers.out.contains("Ann Example sees to it"), "{}", hers.out);
    assert_eq!(say(&site, &["rejects", "--owner", "Ann Example", "--json"]).json()[0]["quarantine"]["owner"], "Ann Example");
    let dismissed = say(&site, &["rejects", "dismiss", &run, "--code", "ni-number-example", "--reason", "a test person"]);
    assert!(dismissed.code == Some(0) && dismissed.out.contains("still wait"), "{} {}", dismissed.out, dismissed.err);
    assert!(say(&site, &["rejects", &run]).out.contains("dismissed by person:"), "they are still told of");
    refused(
        &say(&site, &["rejects", "dismiss", &run, "--code", "ni-number-example", "--reason", "again"]),
        "there is no reject that waits",
    );
    assert_eq!(say(&site, &["rejects", "dismiss", &run]).code, Some(2), "it needs a reason");
    // Nothing personal stands in what a clerk reads on a screen.
    for out in [groups.out, hers.out, say(&site, &["rejects", "--code", "date-not-in-calendar", "--json"]).out] {
        assert!(!out.contains("Boulton") && !out.contains("CK426807A"), "{out}");
    }
}

#[test]
fn corrected_rows_come_back_as_a_run_of_their_own() {
    let (site, run) = closed();
    let before = site.delivered();
    let exported = written(&site, &["rejects", "export", &run]);
    let rows = lines(&exported);
    assert!(rows[0].starts_with("reject,reason,Assignment No,NI Number,"), "{}", rows[0]);
    let misdated = rows.iter().find(|row| row.contains(MISDATED)).unwrap();
    let other = rows.iter().skip(1).find(|row| !row.contains(MISDATED)).unwrap();

    // One is corrected, one comes back as it was, the others are left out.
    let corrected = [&rows[0], &misdated.replace("31/02/2026", "31/10/2026"), other].map(|row| format!("{row}\r\n")).concat();
    site.write("corrected.csv", corrected);
    let said = say(&site, &["resubmit", &run, "--input", "corrected.csv"]);
    assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
    assert!(
        said.out.contains("25 rejects of the run still wait") && said.out.contains(&format!("brings rejects back of run {run}")),
        "{}",
        said.out
    );
    let json = say(&site, &["show", &run, "--json"]).json();
    assert_eq!(json["rejects"], json!({ "waiting": 25, "resubmitted": 0, "dismissed": 0, "superseded": 2 }));
    let back = json["resubmissions"][0].as_str().unwrap().to_owned();
    let made = say(&site, &["show", &back, "--json"]).json();
    assert_eq!((&made["origin"], &made["trigger"]), (&json!(run), &json!("resubmission")));
    assert_eq!((&made["rows"]["rejected"], &made["rejects"]["waiting"]), (&json!(1), &json!(1)), "{made}");
    assert_eq!((&made["release"], &made["logical-time"]), (&json["release"], &json["logical-time"]), "it runs as the first run did");

    // Its files have names of their own, and the row is in the return that follows.
    let after = site.delivered();
    assert_eq!(after.len(), before.len() * 2);
    assert!(before.iter().all(|file| after.contains(file)), "what was delivered stays as it was");
    let (name, bytes) = after.iter().find(|(name, _)| name.contains("lgps-return-2026-10-resubmission-")).unwrap();
    assert!(name.contains(&back[back.len() - 12..]), "{name}");
    assert_eq!(Csv::read(bytes).column("employment_number"), [MISDATED]);

    // Each comes back once.
    refused(&say(&site, &["resubmit", &run, "--input", "corrected.csv"]), "was superseded by a row of run");
    let waiting = say(&site, &["rejects", &back]);
    assert!(waiting.out.contains("waits since today"), "{}", waiting.out);
    site.write("none.csv", format!("{}\n", rows[0]));
    refused(&say(&site, &["resubmit", &run, "--input", "none.csv"]), "has no rows in it");
    site.write("plain.csv", site.read("data/payroll/payroll-2026-10.csv"));
    refused(&say(&site, &["resubmit", &run, "--input", "plain.csv"]), "the first two headings must be");
    refused(&say(&site, &["resubmit", &back, "--input", "corrected.csv"]), "no reject of that number");
    refused(&say(&site, &["rejects", "export", &run, "--port", "previous"]), "no reject of input previous waits");
    assert!(say(&site, &["replay", &back]).out.contains("byte by byte"), "it can be told again like any other");
    let audit = say(&site, &["audit", "export"]).out;
    assert!(audit.contains("\"reject.export\"") && audit.contains("\"run.resubmit\""), "{audit}");
    assert!(!audit.contains("Boulton"));
}

#[test]
fn the_same_over_http_for_a_token_that_may_see_the_rows() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(OCTOBER)).await;
        let run = finished(&hub, POLICE, LGPS).await;
        let (police, scopes) = (partner(POLICE), [Action::Read, Action::Run, Action::Decide].into());
        let ask = TokenAsk { partner: &police, name: "plain", scopes, expires_at_ms: None };
        let plain = make_token(hub.ledger(), &ask, &operator(&hub)).await.unwrap().expose_secret().to_owned();
        let theirs = api::make_token(&hub, &partner(FIRE), "theirs", &operator(&hub)).await.unwrap();
        let scopes = vec!["read".to_owned(), "run".to_owned(), "correct".to_owned(), "see-personal".to_owned()];
        let (name, hash) = ("clerk".to_owned(), Digest::of(b"bwk_clerk"));
        let clerk = NewToken { partner: partner(POLICE), name, hash, scopes, expires_at_ms: None };
        hub.ledger().create_token(&clerk, &operator(&hub)).await.unwrap();
        let router = api::router(hub.clone());
        let ask = async |token: &str, method: &str, path: String, body: Vec<u8>| {
            let request =
                Request::builder().method(method).uri(format!("/api/v1/{path}")).header("authorization", format!("Bearer {token}"));
            let answer = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
            let status = answer.status().as_u16();
            (status, axum::body::to_bytes(answer.into_body(), 64 << 20).await.unwrap().to_vec())
        };
        let json = |(status, bytes): (u16, Vec<u8>)| (status, serde_json::from_slice::<Value>(&bytes).unwrap());
        let rejects = format!("runs/{}/rejects", run.id);
        let (_, groups) = json(ask(&plain, "GET", "rejects/groups".to_owned(), Vec::new()).await);
        assert!(groups["items"].as_array().unwrap().iter().any(|group| group["code"] == "date-not-in-calendar"), "{groups}");
        let listed = ask(&plain, "GET", "rejects?code=date-not-in-calendar".to_owned(), Vec::new()).await;
        assert!(listed.0 == 200 && !String::from_utf8_lossy(&listed.1).contains("Boulton"));
        assert_eq!(json(listed).1["items"][0]["overdue"], false);
        hub.clock().advance(jiff::SignedDuration::from_hours(24 * 5 + 1));
        let listed = json(ask(&plain, "GET", "rejects?code=date-not-in-calendar&older-than-days=5".to_owned(), Vec::new()).await).1;
        assert_eq!((&listed["items"][0]["overdue"], &listed["items"][0]["age-days"]), (&json!(true), &json!(5)), "{listed}");
        let body = br#"{"owner": "Ann"}"#.to_vec();
        assert_eq!(ask(&plain, "POST", format!("{rejects}/assign"), body.clone()).await.0, 403, "it may run jobs, and no more");
        assert_eq!(json(ask("bwk_clerk", "POST", format!("{rejects}/assign"), body.clone()).await), (200, json!({ "rows": 27 })));
        let body = br#"{"reason": "known", "code": "ni-number-example"}"#.to_vec();
        assert_eq!(json(ask("bwk_clerk", "POST", format!("{rejects}/dismiss"), body.clone()).await).0, 200);
        // Another partner, and a token that may not see personal data, come no further.
        assert_eq!(ask(&theirs, "POST", format!("{rejects}/dismiss"), body).await.0, 404);
        assert_eq!(json(ask(&theirs, "GET", "rejects".to_owned(), Vec::new()).await).1["items"], json!([]));
        assert_eq!(ask(&plain, "GET", format!("{rejects}/corrections"), Vec::new()).await.0, 403);
        let (status, file) = ask("bwk_clerk", "GET", format!("{rejects}/corrections?input=payroll"), Vec::new()).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&file));
        let rows = lines(&file);
        let row = rows.iter().find(|row| row.contains(MISDATED)).unwrap().replace("31/02/2026", "31/10/2026");
        let corrected = format!("{}\n{row}\n", rows[0]).into_bytes();
        let resubmissions = format!("runs/{}/resubmissions", run.id);
        assert_eq!(ask(&plain, "POST", resubmissions.clone(), corrected.clone()).await.0, 403);
        let (status, made) = json(ask("bwk_clerk", "POST", resubmissions.clone(), corrected.clone()).await);
        assert_eq!((status, &made["origin"]), (202, &json!(run.id.to_string())), "{made}");
        assert_eq!(json(ask("bwk_clerk", "POST", resubmissions, corrected).await).1["code"], "not-resubmitted", "it is under way");
        drain(&hub).await;
        let detail = json(ask(&plain, "GET", format!("runs/{}", run.id), Vec::new()).await).1;
        assert_eq!(detail["rejects"]["superseded"], 1, "{detail}");
        let acts = hub.ledger().audit(Scope::Hub, None, 50).await.unwrap().items;
        assert!(acts.iter().any(|act| act.action == "run.resubmit" && act.actor.as_str() == "token:staffordshire-police/clerk"));
    });
}
