//! A delivered output sent again from its artefact, from the command line and over HTTP.

use axum::body::Body;
use axum::http::Request;
use bailiwick::api;
use bailiwick::ledger::{RunState, Scope};
use tower::ServiceExt as _;

use crate::support::*;

const RETURN: &str = "out/pension-fund/lgps-return-2026-10.csv";

#[test]
fn an_output_is_sent_again_from_its_artefact() {
    let site = Site::staffordshire();
    let run = wait(async {
        let hub = site.hub(&clock_at("2026-10-19T06:00:00Z")).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!(run.state, RunState::Closed);
        hub.ledger().close().await;
        run.id.to_string()
    });
    let delivered = site.read(RETURN);
    let resend =
        |more: &[&str]| say(&site, &[&["resend", run.as_str(), "--output", "return", "--reason", "the fund lost it"], more].concat());
    let there = resend(&[]);
    assert!(there.code == Some(0) && there.out.contains("is there already, byte for byte"), "{} {}", there.out, there.err);
    std::fs::remove_file(site.path(RETURN)).unwrap();
    let sent = resend(&[]);
    assert!(sent.code == Some(0) && sent.out.contains("was sent again"), "{} {}", sent.out, sent.err);
    assert_eq!(site.read(RETURN), delivered);
    assert_eq!(resend(&["--as", "second-copy.csv"]).code, Some(0));
    assert_eq!(site.read("out/pension-fund/second-copy.csv"), delivered);

    // A file of that name that is another one's stays what it is.
    site.write("out/pension-fund/theirs.csv", "theirs");
    let taken = resend(&["--as", "theirs.csv"]);
    assert!(taken.code == Some(1) && taken.out.contains("not sent again") && taken.out.contains("not overwritten"), "{}", taken.out);
    assert_eq!(site.read("out/pension-fund/theirs.csv"), b"theirs");
    for (name, word) in [("../up.csv", "must not have a folder"), (".hidden", "hidden")] {
        let refused = resend(&["--as", name]);
        assert!(refused.code == Some(1) && refused.err.contains(word), "{} {}", refused.out, refused.err);
    }
    let none = say(&site, &["resend", &run, "--output", "nothing", "--reason", "a slip"]);
    assert!(none.code == Some(1) && none.err.contains("there is no output of this run nothing"), "{}", none.err);
    assert_eq!(say(&site, &["resend", &run, "--output", "return", "--reason", ""]).code, Some(2), "a reason says something");

    let shown = say(&site, &["show", &run]);
    assert!(shown.out.contains("sent again as pension-fund/second-copy.csv by person:"), "{}", shown.out);
    let json = say(&site, &["show", &run, "--json"]).json();
    let outcomes: Vec<&str> = json["resends"].as_array().unwrap().iter().map(|resend| resend["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["already-there", "sent", "sent", "failed"]);
    assert_eq!(json["state"], "closed");
    let audit = say(&site, &["audit", "export"]).out;
    assert_eq!(audit.matches("\"delivery.resend\"").count(), 4, "{audit}");
}

#[test]
fn a_damaged_artefact_is_not_sent() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at("2026-10-19T06:00:00Z")).await;
        let run = finished(&hub, POLICE, LGPS).await;
        let (router, token) = (api::router(hub.clone()), api::make_token(&hub, &partner(POLICE), "t", &operator(&hub)).await.unwrap());
        let post = async |path: &str, body: &str| {
            let request =
                Request::post(format!("/api/v1/runs/{}/deliveries/{path}", run.id)).header("authorization", format!("Bearer {token}"));
            let answer = router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
            let (status, bytes) = (answer.status().as_u16(), axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap());
            (status, serde_json::from_slice::<serde_json::Value>(&bytes).unwrap())
        };
        std::fs::remove_file(site.path(RETURN)).unwrap();
        let (status, json) = post("return/resend", r#"{"reason": "lost"}"#).await;
        assert_eq!((status, &json["outcome"], &json["by"]), (200, &"sent".into(), &"token:staffordshire-police/t".into()), "{json}");
        assert_eq!(post("return/resend", r#"{"reason": " "}"#).await.1["code"], "reason-missing");
        assert_eq!(post("none/resend", r#"{"reason": "lost"}"#).await.0, 404);
        assert_eq!(post("return/settle", r#"{"reason": "asked", "arrived": true}"#).await.1["code"], "wrong-state");

        let receipts = hub.ledger().receipts(Scope::Hub, run.id).await.unwrap();
        let stored = hub
            .artefact_path(&partner(POLICE), receipts.iter().find(|receipt| receipt.delivered.port == "return").unwrap().delivered.digest);
        std::fs::remove_file(site.path(RETURN)).unwrap();
        std::fs::remove_file(&stored).unwrap();
        std::fs::write(&stored, "something else").unwrap();
        let (status, json) = post("return/resend", r#"{"reason": "lost"}"#).await;
        assert!(status == 409 && json["detail"].as_str().unwrap().contains("cannot be used"), "{json}");
        assert!(!site.path(RETURN).exists(), "nothing was sent");
    });
}
