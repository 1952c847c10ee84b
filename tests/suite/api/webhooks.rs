//! Webhooks over HTTP: listed without what is secret, tried, and what they were sent, page by page, each partner its own.

use std::collections::BTreeSet;

use bailiwick::ledger::NewToken;
use bailiwick::model::ids::Digest;

use super::*;

const KEY: &str = "a key that only the receiver has";

async fn token_for(called: &Called, owner: &str, scope: &str) -> String {
    let token = format!("bwk_{owner}-{scope}");
    let (hash, scopes) = (Digest::of(token.as_bytes()), vec![scope.to_owned()]);
    let new = NewToken { partner: partner(owner), name: scope.to_owned(), hash, scopes, expires_at_ms: None };
    called.hub.ledger().create_token(&new, &operator(&called.hub)).await.unwrap();
    token
}

#[test]
fn webhooks_are_listed_tried_and_followed_each_partner_its_own() {
    wait(async {
        let web = Web::start(|_, before| (if before == 0 { 204 } else { 503 }, Vec::new(), Vec::new()));
        let site = Site::staffordshire();
        site.write(
            "webhooks.toml",
            web.webhook(POLICE, "desk", r#"["run.closed", "run.skipped"]"#) + &web.webhook(FIRE, "theirs", r#"["run.closed"]"#),
        );
        let called = Called::open(&site).await;
        let keys = ["read", "configure"].map(|scope| token_for(&called, POLICE, scope));
        let [reads, configures] = keys;
        let (reads, configures) = (reads.await, configures.await);

        // Who may not configure is told whom the address is of, and not the address, which may itself be a key.
        let listed = called.get(&reads, "/api/v1/webhooks").await;
        let origin = format!("https://127.0.0.1:{}", web.port);
        let expect = json!({"items": [{"partner": POLICE, "name": "desk", "origin": origin, "url": null, "events": ["run.closed", "run.skipped"],
            "signing-secret": "webhook-key", "allow-private": true}]});
        assert_eq!(listed.json(), expect);
        let whole = called.get(&configures, "/api/v1/configuration").await;
        assert_eq!(whole.status, 200, "it sees the whole anyway");

        // It is tried: who may configure may, once for a key, and only with what signs.
        let test = "/api/v1/webhooks/desk/test";
        called.post(&reads, test, "").await.is_problem(403, "scope-missing");
        called.post(&configures, test, "").await.is_problem(409, "credentials-lacking");
        called.post(&configures, "/api/v1/webhooks/theirs/test", "").await.is_problem(404, "not-found");
        for owner in [POLICE, FIRE] {
            called.hub.set_secret(&partner(owner), &"webhook-key".parse().unwrap(), KEY.into(), &operator(&called.hub)).await.unwrap();
        }
        let keyed = || called.send(asked("POST", test, &configures).header("idempotency-key", "k").body(Body::empty()).unwrap());
        let (first, again) = (keyed().await, keyed().await);
        assert_eq!((first.status.as_u16(), &first.text), (200, &again.text));
        let answer = first.json();
        assert_eq!((&answer["taken"], &answer["status"], &answer["why"]), (&json!(true), &json!(204), &json!(null)), "{answer}");
        let asked = web.asked();
        assert_eq!((asked.len(), asked[0].header("bailiwick-delivery")), (1, answer["id"].as_str().unwrap()));
        let refused = called.post(&configures, test, "").await.json();
        assert_eq!((&refused["taken"], &refused["status"]), (&json!(false), &json!(503)), "{refused}");

        what_it_was_sent_is_read_by_its_partner_alone((&called, &site, &web), &reads).await;
    });
}

async fn what_it_was_sent_is_read_by_its_partner_alone((called, site, web): (&Called, &Site, &Web), reads: &str) {
    // What it was sent: a run that closed, and four that had nothing to do.
    for _ in 0..5 {
        finished(&called.hub, POLICE, LGPS).await;
        called.hub.clock().advance(jiff::SignedDuration::from_secs(1));
    }
    let (mut next, mut read) = (String::new(), Vec::new());
    loop {
        let page = called.get(reads, &format!("/api/v1/webhooks/desk/deliveries?limit=2{next}")).await.json();
        read.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    let ids: BTreeSet<&str> = read.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), read.len()), (5, 5));
    let last = read.last().unwrap();
    assert_eq!((&last["event"], &last["state"], &last["attempts"]), (&json!("run.closed"), &json!("waits"), &json!(0)), "{last}");
    assert!(last["next-at"].is_string() && last.get("body").is_none(), "{last}");
    let count = async |token: &str, query: &str| {
        let page = called.get(token, &format!("/api/v1/webhooks/desk/deliveries?{query}")).await;
        page.json()["items"].as_array().map_or_else(|| page.json()["code"].clone(), |items| json!(items.len()))
    };
    for (query, expect) in [
        ("event=run.skipped", json!(4)),
        ("event=run.held", json!(0)),
        ("state=waits&limit=3", json!(3)),
        ("state=given-up", json!(0)),
        ("state=lost", json!("bad-request")),
        ("event=run.exploded", json!("bad-request")),
        ("cursor=MS1hAA", json!("bad-request")),
        ("dreams=1", json!("bad-request")),
    ] {
        assert_eq!(count(reads, query).await, expect, "{query}");
    }
    // Another partner's are not there, whatever is asked.
    let elses = called.get(&called.fire, "/api/v1/webhooks").await;
    assert!(elses.text.contains("theirs") && !elses.text.contains("desk"), "{}", elses.text);
    for path in ["/api/v1/webhooks/desk", "/api/v1/webhooks/desk/deliveries"] {
        let (of_another, of_nobody) = (called.get(&called.fire, path).await, called.get(&called.fire, &path.replace("desk", "none")).await);
        of_another.is_problem(404, "not-found");
        assert_eq!(of_another.text, of_nobody.text);
    }
    // What was sent is told also where the address is declared no more.
    site.write("webhooks.toml", web.webhook(FIRE, "theirs", r#"["run.closed"]"#));
    site.apply(&called.hub).await;
    called.get(reads, "/api/v1/webhooks/desk").await.is_problem(404, "not-found");
    assert_eq!((count(reads, "").await, count(reads, "event=run.held").await), (json!(5), json!(0)));
}
