//! Webhooks: partners' own addresses are told of runs and releases, signed, sooner or later, whatever the receiver does; and nobody
//! waits for another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::ledger::{MessagesSought, RunState, Scope, WebhookMessage};
use bailiwick::run::Hub;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::Notify;

use crate::support::*;

const KEY: &str = "a key that only the receiver has";

/// The events of the pension return.
const ALL: &str = r#"["run.closed", "run.held", "run.failed", "run.skipped", "run.overdue"]"#;

fn site(entries: &str) -> Site {
    let site = Site::staffordshire();
    site.write("webhooks.toml", entries);
    site
}

async fn hub(site: &Site, clock: &Clock) -> Hub {
    let hub = site.hub(clock).await;
    for owner in [POLICE, FIRE] {
        hub.set_secret(&partner(owner), &"webhook-key".parse().unwrap(), KEY.into(), &operator(&hub)).await.unwrap();
    }
    hub
}

fn clock() -> Clock {
    clock_at("2026-10-19T06:00:00Z")
}

/// Whether a request is signed by the key, at a moment that is not long ago.
fn is_signed(asked: &Asked, now_s: i64) -> bool {
    let signature = asked.header("bailiwick-signature");
    let Some((moment, given)) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")) else { return false };
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(moment.as_bytes());
    mac.update(b".");
    mac.update(&asked.body);
    let right: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    given == right && (moment.parse::<i64>().unwrap() - now_s).abs() <= 1
}

async fn messages(hub: &Hub) -> Vec<WebhookMessage> {
    let mut messages = hub.ledger().webhook_messages(Scope::Hub, &MessagesSought::default(), None, 500).await.unwrap().items;
    messages.reverse();
    messages
}

/// The hub at its duties until something holds.
async fn serve_until(hub: &Hub, what: &str, holds: impl AsyncFn() -> bool) {
    let stop = Arc::new(Notify::new());
    let serving = tokio::spawn({
        let (hub, stop) = (hub.clone(), Arc::clone(&stop));
        async move { hub.serve(stop).await }
    });
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: not in 60 s; {:?}", messages(hub).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.notify_one();
    serving.await.unwrap();
}

#[test]
fn what_happens_is_told_signed_and_without_anybodys_data() {
    wait(async {
        let clock = clock();
        let at = clock.clone();
        let web = Web::start(move |asked, _| (if is_signed(asked, at.now().as_second()) { 200 } else { 403 }, Vec::new(), Vec::new()));
        let site = site(&(web.webhook(POLICE, "desk", ALL) + &web.webhook(FIRE, "other", ALL)));
        let hub = hub(&site, &clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        clock.advance(SignedDuration::from_secs(1));
        let skipped = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, skipped.state), (RunState::Closed, RunState::Skipped));
        // They wait in the ledger, as durable as the events.
        let waiting = messages(&hub).await;
        assert_eq!(waiting.iter().map(|message| message.event.as_str()).collect::<Vec<_>>(), ["run.closed", "run.skipped"]);
        serve_until(&hub, "both are taken", async || messages(&hub).await.iter().all(|message| message.taken_at_ms.is_some())).await;
        let asked = web.asked();
        assert_eq!(asked.len(), 2, "the partner that it concerns is told, and no other");
        let first = &asked[0];
        assert_eq!((first.method.as_str(), first.path.as_str(), first.header("bailiwick-event")), ("POST", "/desk", "run.closed"));
        let told: Value = serde_json::from_slice(&first.body).unwrap();
        assert_eq!(told["id"], first.header("bailiwick-delivery"));
        assert_eq!((&told["partner"], &told["run"]["id"]), (&POLICE.into(), &run.id.to_string().into()));
        assert_eq!(
            (&told["run"]["state"], &told["run"]["rows"]["accepted"], &told["run"]["deliveries"]),
            (&"closed".into(), &5840.into(), &2.into())
        );
        assert_ne!(first.header("bailiwick-delivery"), asked[1].header("bailiwick-delivery"));
        for row in String::from_utf8_lossy(&site.read("data/payroll/payroll-2026-10.csv")).lines().skip(1) {
            let number = row.split(',').nth(1).unwrap();
            assert!(number.len() < 8 || !String::from_utf8_lossy(&first.body).contains(number), "{number}");
        }
        let kept = messages(&hub).await.remove(0);
        assert_eq!((kept.status, kept.attempts, kept.outcome), (Some(200), 1, None));
        assert!(kept.took_ms.is_some() && kept.ended_at_ms.is_some());
        // A person sees it, and tries it.
        let shown = say(&site, &["webhook", "deliveries", "--json"]).json();
        assert_eq!((shown.as_array().unwrap().len(), &shown[0]["state"]), (2, &"taken".into()));
        let listed = say(&site, &["webhook", "list"]);
        assert!(listed.out.contains("desk") && listed.out.contains("run.held") && !listed.out.contains(KEY), "{}", listed.out);
    });
}

#[test]
fn a_receiver_that_fails_lies_or_redirects_is_tried_again_for_a_day() {
    wait(async {
        let away = Web::start(|_, _| (200, Vec::new(), Vec::new()));
        let elsewhere = format!("https://127.0.0.1:{}/desk", away.port);
        // It fails, sends elsewhere, answers without end, and takes it at last.
        let web = Web::start(move |_, before| match before {
            0 => (500, Vec::new(), Vec::new()),
            1 => (307, vec![("location", elsewhere.clone())], Vec::new()),
            2 => (200, Vec::new(), vec![b'a'; 1 << 20]),
            3 => (410, Vec::new(), Vec::new()),
            _ => (200, Vec::new(), Vec::new()),
        });
        let site = site(&web.webhook(POLICE, "desk", ALL));
        let clock = clock();
        let hub = hub(&site, &clock).await;
        finished(&hub, POLICE, LGPS).await;
        let mut seen = Vec::new();
        for attempt in 1..=4 {
            serve_until(&hub, "it is tried", async || {
                let message = messages(&hub).await.remove(0);
                message.attempts == attempt && (message.ended_at_ms.is_some() || message.next_at_ms.unwrap() < clock.now_ms() + 80_000)
            })
            .await;
            seen.push(messages(&hub).await.remove(0));
            clock.advance(SignedDuration::from_mins(10));
        }
        assert_eq!(seen.iter().map(|message| message.status).collect::<Vec<_>>(), [Some(500), Some(307), None, Some(410)]);
        assert!(away.asked().is_empty(), "a redirect is not followed");
        assert!(seen[0].outcome.as_deref().unwrap().contains("500") && seen[2].outcome.is_some());
        assert!(seen[3].next_at_ms.is_none() && seen[3].taken_at_ms.is_none(), "what is gone for good is given up: {:?}", seen[3]);
        let ids: std::collections::BTreeSet<String> =
            web.asked().iter().map(|asked| asked.header("bailiwick-delivery").to_owned()).collect();
        assert_eq!((ids.len(), web.asked().len()), (1, 4), "a receiver knows a repeat by its number");
        assert!(web.asked().windows(2).all(|two| two[0].body == two[1].body));
    });
}

#[test]
fn what_nobody_takes_is_given_up_after_a_day_and_shown() {
    wait(async {
        let web = Web::start(|_, _| (503, Vec::new(), Vec::new()));
        let site = site(&web.webhook(POLICE, "desk", ALL));
        let clock = clock();
        let hub = hub(&site, &clock).await;
        finished(&hub, POLICE, LGPS).await;
        let (from, mut attempts) = (clock.now(), 0);
        while messages(&hub).await[0].ended_at_ms.is_none() {
            attempts += 1;
            serve_until(&hub, "it is tried", async || {
                let message = messages(&hub).await.remove(0);
                message.attempts == attempts && message.outcome.is_some() && message.next_at_ms != Some(clock.now_ms() + 90_000)
            })
            .await;
            clock.advance(SignedDuration::from_mins(75));
        }
        let day = clock.now().duration_since(from);
        assert!(day > SignedDuration::from_hours(22) && day < SignedDuration::from_hours(27), "{day:?}");
        let shown = say(&site, &["webhook", "deliveries"]);
        assert!(shown.out.contains("given-up") && shown.out.contains("503"), "{}", shown.out);
        // Kept for a while, and then not.
        let given_up = messages(&hub).await.remove(0).id;
        let is_kept = async || messages(&hub).await.iter().any(|message| message.id == given_up);
        hub.retain(&operator(&hub)).await.unwrap();
        assert!(is_kept().await);
        clock.advance(SignedDuration::from_hours(24 * 91));
        hub.retain(&operator(&hub)).await.unwrap();
        assert!(!is_kept().await);
    });
}

#[test]
fn one_that_hangs_holds_up_no_other() {
    wait(async {
        // No answer, for as long as any test waits.
        let hangs = Web::start(|_, _| (0, Vec::new(), Vec::new()));
        let web = Web::start(|_, _| (204, Vec::new(), Vec::new()));
        let mut entries = web.webhook(POLICE, "good", ALL) + &web.webhook(FIRE, "good", ALL);
        for name in ["bad-one", "bad-two"] {
            entries = hangs.webhook(POLICE, name, ALL) + &entries;
        }
        let site = site(&entries);
        let hub = hub(&site, &clock()).await;
        finished(&hub, POLICE, LGPS).await;
        finished(&hub, FIRE, "shared-services-apportionment").await;
        let began = Instant::now();
        serve_until(&hub, "the good ones are told", async || web.asked().len() == 2).await;
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    });
}

#[test]
fn a_private_address_is_reached_only_where_the_operator_says_so() {
    wait(async {
        let web = Web::start(|_, _| (204, Vec::new(), Vec::new()));
        let site = site(&web.webhook(POLICE, "desk", ALL).replace("allow-private = true", "allow-private = false"));
        let hub = hub(&site, &clock()).await;
        let (owner, name) = (partner(POLICE), "desk".parse().unwrap());
        let refused = hub.test_webhook(&owner, &name).await.unwrap();
        let why = refused.answered.unwrap_err();
        assert!(why.contains("no address of the public internet") && web.asked().is_empty(), "{why}");
        site.edit("webhooks.toml", "allow-private = false", "allow-private = true");
        let plan = say(&site, &["plan", "."]);
        assert!(plan.out.contains("webhook desk changed"), "{}", plan.out);
        site.apply(&hub).await;
        assert_eq!(hub.test_webhook(&owner, &name).await.unwrap().answered, Ok(204));
        let asked = web.asked().remove(0);
        assert_eq!(asked.header("bailiwick-event"), "webhook.test");
        // Taken out again, and nothing waits for it.
        site.write("webhooks.toml", "");
        site.apply(&hub).await;
        finished(&hub, POLICE, LGPS).await;
        assert!(messages(&hub).await.is_empty());
        assert!(hub.test_webhook(&owner, &name).await.is_err());
    });
}

#[test]
fn a_wrong_entry_is_told_with_its_line() {
    let site = site(
        "[[webhook]]\npartner = \"staffordshire-police\"\nname = \"desk\"\nurl = \"http://hooks.example.org/\"\nevents = [\"run.exploded\"]\nsigning-secret = \"webhook-key\"\n",
    );
    let said = say(&site, &["plan", "."]);
    assert_eq!(said.code, Some(1), "{}", said.out);
    for words in ["begins with https://", "run.exploded", "run.overdue", "webhooks.toml"] {
        assert!(said.err.contains(words), "{words:?} in {}", said.err);
    }
}

#[test]
fn a_kill_in_between_loses_nothing() {
    let taken = Arc::new(AtomicBool::new(false));
    wait(async {
        let takes = Arc::clone(&taken);
        // The first is asked and does not answer; the hub is killed meanwhile.
        let web = Web::start(move |_, before| {
            if before == 0 {
                return (0, Vec::new(), Vec::new());
            }
            takes.store(true, Ordering::SeqCst);
            (204, Vec::new(), Vec::new())
        });
        let site = site(&web.webhook(POLICE, "desk", "[\"run.closed\"]"));
        drop(hub(&site, &Clock::machine()).await);
        let mut serving = Serving::start(&site);
        serving.run(LGPS);
        let began = Instant::now();
        while web.asked().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60), "it is not told");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        serving.kill();
        // It was left to the hub that is gone, for a minute and a half.
        let again = Serving::join(&site, &[]);
        while !taken.load(Ordering::SeqCst) {
            assert!(began.elapsed() < Duration::from_secs(180), "it is not told again");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let asked = web.asked();
        assert_eq!(asked[0].header("bailiwick-delivery"), asked[1].header("bailiwick-delivery"));
        drop(again);
    });
}
