//! Connectors through the whole hub: the reference plugin against a real server with TLS that pages, runs out of tokens, is busy,
//! and fails after it has acted.

use std::sync::{Arc, Mutex, OnceLock};

use bailiwick::ledger::{Instruction, Run, RunEvent, RunState, Scope, SessionOf};
use bailiwick::run::{Hub, Push};

use crate::support::*;

const SECRET: &str = "hunter2-hunter2";
const JOB: &str = "benefit-deductions";
const FINANCE: &str = "finance";
const MONDAY: &str = "2026-11-23T09:00:00Z";

/// An adapter that passes deductions on as confirmations.
fn passing_on() -> &'static [u8] {
    const MANIFEST: &str = r#"
name = "passing-on"
version = "1.0.0"
kind = "adapter"
contract = "0.1.0"
title = "Passes on"
about = "What comes in goes out."

[wants]
log = true
clock = true
random = true
state = true
lookup = ["rates"]

[settings]
schema = "settings.schema.json"

[[inputs]]
name = "deductions"
columns = COLUMNS

[[outputs]]
name = "confirmations"
columns = COLUMNS
"#;
    const COLUMNS: &str = r#"[
  { name = "reference", type = "text" },
  { name = "employee", type = "text", personal = true },
  { name = "scheme", type = "text" },
  { name = "amount", type = "money" },
  { name = "period", type = "text" },
]"#;
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| hostile_component(&MANIFEST.replace("COLUMNS", COLUMNS)))
}

/// A site whose one job fetches from a provider and sends back to it.
fn site(web: &Web, options: &str) -> Site {
    let site = Site::bare();
    site.write("partners.toml", "[[partner]]\nname = \"finance\"\ntitle = \"Finance\"\n");
    site.write("passing-on.wasm", passing_on());
    let plugin =
        |name: &str, path: &std::path::Path| format!("[[plugin]]\npartner = \"finance\"\nname = \"{name}\"\ncomponent = {path:?}\n");
    let plugins = [("passing-on", site.path("passing-on.wasm")), ("benefits-provider", plugin_path("benefits-provider"))];
    site.write("plugins.toml", plugins.map(|(name, path)| plugin(name, &path)).concat());
    site.write(
        "connections.toml",
        format!(
            r#"[[connection]]
partner = "finance"
name = "benefits"
kind = "api"
url = "https://127.0.0.1:{port}/api"
oauth-url = "https://127.0.0.1:{port}/token"
oauth-client = "police"
oauth-secret = "benefits-client"
requests = ["GET /deductions", "POST /confirmations"]
allow-private = true
ca-file = {ca:?}
{options}
"#,
            port = web.port,
            ca = web.place().ca_file.unwrap(),
        ),
    );
    site.write(
        "jobs/deductions.toml",
        format!(
            r#"partner = "finance"
name = "{JOB}"
title = "Benefit deductions"
plugin = "passing-on"

[[input]]
port = "deductions"
connection = "benefits"
file = "deductions"
take = "next"
format = {{ kind = "json-lines" }}
connector = {{ plugin = "benefits-provider", settings = {{ page_size = 2 }} }}

[[output]]
port = "confirmations"
connection = "benefits"
file = "confirmations-{{month}}"
format = {{ kind = "json-lines" }}
connector = {{ plugin = "benefits-provider" }}
"#
        ),
    );
    site
}

async fn hub_of(site: &Site, clock: &bailiwick::clock::Clock) -> Hub {
    let hub = site.hub(clock).await;
    hub.set_secret(&partner(FINANCE), &"benefits-client".parse().unwrap(), SECRET.into(), &operator(&hub)).await.unwrap();
    hub
}

fn item(number: u32) -> String {
    format!(r#"{{"reference":"D-{number}","employee":"{number}","scheme":"cycle","amount":"{number}.50","period":"2026-11"}}"#)
}

/// A provider of three deductions on two pages, whose tokens run out after every third request. What else it does is the test's.
fn provider(mut odd: impl FnMut(&Asked, &[Asked]) -> Option<(u16, Vec<(&'static str, String)>, Vec<u8>)> + Send + 'static) -> Web {
    let state = Mutex::new((0_usize, 0_usize, Vec::new()));
    let odd = Mutex::new(move |asked: &Asked, before: &[Asked]| odd(asked, before));
    Web::start(move |asked, _| {
        let mut state = state.lock().unwrap();
        let (token, used, before) = &mut *state;
        if asked.path == "/token" {
            (*token, *used) = (*token + 1, 0);
            return (200, Vec::new(), format!(r#"{{"access_token":"secret-token-{token}","expires_in":3600}}"#).into_bytes());
        }
        *used += 1;
        if *used > 3 || asked.header("authorization") != format!("Bearer secret-token-{token}") {
            return (401, Vec::new(), Vec::new());
        }
        let answer = (odd.lock().unwrap())(asked, before);
        before.push(asked.clone());
        if let Some(answer) = answer {
            return answer;
        }
        let body = match asked.path.as_str() {
            "/api/deductions?limit=2" => format!(r#"{{"items":[{},{}],"next":"p2","until":"u-2"}}"#, item(1), item(2)),
            "/api/deductions?limit=2&page=p2" => format!(r#"{{"items":[{}],"until":"u-3"}}"#, item(3)),
            "/api/deductions?limit=2&since=u-3" => format!(r#"{{"items":[{}],"until":"u-4"}}"#, item(4)),
            "/api/deductions?limit=2&since=u-4" => r#"{"items":[]}"#.to_owned(),
            "/api/confirmations" => return (201, Vec::new(), Vec::new()),
            _ => return (404, Vec::new(), Vec::new()),
        };
        (200, Vec::new(), body.into_bytes())
    })
}

/// The keys of what the provider was sent, in its order.
fn sent(web: &Web) -> Vec<String> {
    let posts = web.asked().into_iter().filter(|asked| asked.path == "/api/confirmations");
    posts.map(|asked| asked.header("idempotency-key").rsplit('-').next().unwrap().to_owned()).collect()
}

async fn retried(hub: &Hub, run: &Run) -> Run {
    let again = Instruction::Retry { afresh: false, why: "the provider was asked".to_owned() };
    hub.ledger().instruct(Scope::Hub, run.id, again, &operator(hub)).await.unwrap();
    drain(hub).await;
    ended(hub, run.id).await
}

#[test]
fn a_job_fetches_page_by_page_and_sends_each_line_once() {
    wait(async {
        let web = provider(|_, _| None);
        let site = site(&web, "idempotent = true");
        let hub = hub_of(&site, &clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, JOB).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        assert_eq!((run.rows.read, run.rows.written), (3, 3));
        assert!(web.asked().iter().filter(|asked| asked.path == "/token").count() >= 2, "a token ran out in the middle");
        let accepted = web.asked().iter().filter(|asked| asked.path == "/api/confirmations").count();
        assert!(accepted >= 3, "{:?}", sent(&web));

        let events = hub.ledger().events(Scope::Hub, run.id, 0).await.unwrap();
        let pulled = events.iter().find_map(|event| if let RunEvent::Pulled(pulled) = &event.event { Some(pulled) } else { None }).unwrap();
        assert_eq!(pulled.formats[0].plugin.as_str(), "benefits-provider");
        let processed = hub.ledger().processed(Scope::Hub, run.id).await.unwrap().unwrap();
        let used = |name: &str| processed.limits.iter().find(|limit| limit.limit == name).and_then(|limit| limit.used);
        assert_eq!(used("http-requests"), Some(2));
        assert!(used("http-received-bytes") > Some(200) && used("http-sent-bytes") > Some(40), "{:?}", processed.limits);
        let delivered = events.iter().find_map(|event| if let RunEvent::Delivered(one) = &event.event { Some(one) } else { None }).unwrap();
        assert!(delivered.receipt.contains("answered 3 confirmations"), "{}", delivered.receipt);
        let requests = delivered.session.as_ref().unwrap().limits.iter().find(|limit| limit.limit == "http-requests").unwrap();
        assert_eq!(requests.used, Some(3));

        // The next run goes on where this one stopped, and then there is nothing.
        let next = finished(&hub, FINANCE, JOB).await;
        assert_eq!((next.state, next.rows.read), (RunState::Closed, 1), "{:?}", next.reason);
        let none = finished(&hub, FINANCE, JOB).await;
        assert_eq!((none.state, reason(&none).0), (RunState::Skipped, "no-input"), "{:?}", none.reason);

        // No credential is in anything that is kept: database, artefacts, exchanges.
        let sessions = hub.ledger().sessions(Scope::Hub, run.id).await.unwrap();
        assert_eq!(sessions.iter().map(|one| one.session.as_str()).collect::<Vec<_>>(), ["pull:deductions", "push:confirmations"]);
        hub.ledger().close().await;
        for file in files_below(&site.data()) {
            let bytes = std::fs::read(&file).unwrap();
            for secret in [SECRET, "secret-token-"] {
                assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{} holds {secret}", file.display());
            }
        }
    });
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).filter(|path| path.is_file()).collect()
}

#[test]
fn a_replay_is_answered_from_the_record_and_calls_nobody() {
    wait(async {
        let web = provider(|_, _| None);
        let site = site(&web, "idempotent = true");
        let hub = hub_of(&site, &clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, JOB).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        let asked = web.asked().len();
        let replayed = hub.replay(Scope::Hub, run.id, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        let replay = ended(&hub, replayed).await;
        assert_eq!((replay.state, web.asked().len()), (RunState::Closed, asked), "{:?}", replay.reason);

        // What was answered then is gone: nobody can tell whether it would come to the same, and nobody is asked.
        let of = SessionOf { partner: partner(FINANCE), run: run.id, session: "pull:deductions".to_owned() };
        let kept = hub.exchanges_of(&of).await.unwrap();
        assert_eq!(kept.iter().map(|one| one.target.as_str()).collect::<Vec<_>>(), ["/deductions?limit=2", "/deductions?limit=2&page=p2"]);
        let second = kept[1].body.unwrap();
        let gone = hub.artefact_path(&of.partner, second);
        let body = content(&hub, &of.partner, second).await.unwrap();
        std::fs::remove_file(&gone).unwrap();
        let replayed = hub.replay(Scope::Hub, run.id, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        let replay = ended(&hub, replayed).await;
        assert_eq!((replay.state, reason(&replay).0), (RunState::Held, "replay-differs"), "{:?}", replay.reason);
        assert!(reason(&replay).1.contains("not in the store any more"), "{:?}", replay.reason);

        // The record says that the second page was another: what is asked then differs from what was.
        let other = String::from_utf8(body).unwrap().replace("u-3", "u-3\",\"next\":\"p3");
        forge(&hub, &of.partner, second, other.as_bytes()).await;
        let replayed = hub.replay(Scope::Hub, run.id, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        let replay = ended(&hub, replayed).await;
        assert_eq!((replay.state, reason(&replay).0), (RunState::Held, "replay-differs"), "{:?}", replay.reason);
        assert!(reason(&replay).1.contains("it asks GET /deductions, and asked nothing more then"), "{:?}", replay.reason);
        assert_eq!(web.asked().len(), asked);
    });
}

#[test]
fn a_release_is_tried_on_what_a_provider_answered_and_calls_nobody() {
    const ASKS: &[u8] = b"/deductionsacceptlimit";
    wait(async {
        let web = provider(|_, _| None);
        let site = site(&web, "idempotent = true");
        let hub = hub_of(&site, &clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, JOB).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        let (whose, by, asked) = (partner(FINANCE), operator(&hub), web.asked().len());
        let folder = tempfile::tempdir().unwrap();
        let from = root().join("plugins/benefits-provider");
        let manifest = std::fs::read_to_string(from.join("plugin.toml")).unwrap().replace("version = \"1.0.0\"", "version = \"1.0.1\"");
        std::fs::write(folder.path().join("plugin.toml"), manifest).unwrap();
        std::fs::copy(from.join("settings.schema.json"), folder.path().join("settings.schema.json")).unwrap();
        let same = std::fs::read(plugin_path("benefits-provider")).unwrap();
        let mut other = same.clone();
        let place = other.windows(ASKS.len()).position(|bytes| bytes == ASKS).expect("what it asks stands in it") + ASKS.len();
        other[place - 1] = b'x';
        for (code, clean) in [(same, 1), (other, 0)] {
            let component = component_of(&code, folder.path());
            let key = hub.push_release(&Push { partner: &whose, component: &component, signature: None }, &by).await.unwrap().key;
            let trials = hub.try_release(&key, (None, 1), &by).await.unwrap();
            drain(&hub).await;
            let tried = ended(&hub, trials[0].run).await;
            let proof = hub.proof(&key).await.unwrap();
            assert_eq!((proof.trials.len(), proof.clean, tried.state == RunState::Closed), (1, clean, clean == 1), "{:?}", tried.reason);
            if clean == 0 {
                assert!(reason(&tried).1.contains("it asks GET /deductions, and asked GET /deductions then"), "{:?}", tried.reason);
            }
        }
        assert_eq!(web.asked().len(), asked);
    });
}

#[test]
fn a_busy_provider_is_waited_for_and_a_broken_one_is_asked_later() {
    wait(async {
        let mut left = vec![(503, "3600"), (500, ""), (429, "1")];
        let web = provider(move |asked, _| {
            let (status, after) = (asked.method == "GET").then(|| left.pop()).flatten()?;
            Some((status, vec![("retry-after", after.to_owned())], Vec::new()))
        });
        let site = site(&web, "idempotent = true");
        let clock = clock_at(MONDAY);
        let hub = hub_of(&site, &clock).await;
        let run = finished(&hub, FINANCE, JOB).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Queued, "provider-busy"), "{:?}", run.reason);
        assert_eq!(web.asked().iter().filter(|asked| asked.method == "GET").count(), 2, "it waited a second and was told 500");
        clock.advance(jiff::SignedDuration::from_secs(60));
        drain(&hub).await;
        let run = ended(&hub, run.id).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Queued, "provider-busy"), "{:?}", run.reason);
        // It asked to be left alone for an hour.
        clock.advance(jiff::SignedDuration::from_secs(1_800));
        assert!(drain(&hub).await.is_empty());
        clock.advance(jiff::SignedDuration::from_secs(1_801));
        drain(&hub).await;
        assert_eq!(ended(&hub, run.id).await.state, RunState::Closed);
    });
}

#[test]
fn what_had_a_yes_is_not_sent_again() {
    wait(async {
        // The second confirmation has its effect, and the provider says otherwise, once.
        let failed = Arc::new(Mutex::new(false));
        let once = Arc::clone(&failed);
        let web = provider(move |asked, _| {
            let mut failed = once.lock().unwrap();
            (!*failed && asked.header("idempotency-key").ends_with("-2")).then(|| {
                *failed = true;
                (500, Vec::new(), Vec::new())
            })
        });
        let site = site(&web, "idempotent = true");
        let clock = clock_at(MONDAY);
        let hub = hub_of(&site, &clock).await;
        let run = finished(&hub, FINANCE, JOB).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Queued, "provider-busy"), "{:?}", run.reason);
        clock.advance(jiff::SignedDuration::from_secs(60));
        drain(&hub).await;
        assert_eq!(ended(&hub, run.id).await.state, RunState::Closed);
        let accepted: Vec<String> = sent(&web);
        let count = |key: &str| accepted.iter().filter(|sent| *sent == key).count();
        let refused = web.asked().len();
        assert!(count("1") <= 2 && count("2") >= 2 && count("3") >= 1, "{accepted:?} of {refused}");
        let of = SessionOf { partner: partner(FINANCE), run: run.id, session: "push:confirmations".to_owned() };
        let kept = hub.exchanges_of(&of).await.unwrap();
        let (first, second): (Vec<_>, Vec<_>) = kept.iter().partition(|one| one.lease == kept[0].lease);
        assert_eq!((first.len(), second.len(), second[0].sent_bytes), (2, 3, 0), "the first was answered from the record");
    });
}

#[test]
fn a_provider_that_promises_nothing_is_asked_by_a_person() {
    wait(async {
        let web = provider(|asked, before| {
            let first = !before.iter().any(|one| one.method == "POST");
            (first && asked.method == "POST").then(|| (500, Vec::new(), Vec::new()))
        });
        let site = site(&web, "");
        let hub = hub_of(&site, &clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, JOB).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "delivery-uncertain"), "{:?}", run.reason);
        let posts = sent(&web).len();
        drain(&hub).await;
        assert_eq!(sent(&web).len(), posts, "it is not sent again by itself");
        assert_eq!(retried(&hub, &run).await.state, RunState::Closed);
    });
}

#[test]
fn a_job_and_its_connector_must_agree() {
    wait(async {
        let web = provider(|_, _| None);
        for (from, to, told) in [
            ("connector = { plugin = \"benefits-provider\", settings = { page_size = 2 } }\n", "", "a connector must speak"),
            ("plugin = \"benefits-provider\", settings", "plugin = \"passing-on\", settings", "is no connector but of the kind adapter"),
            ("plugin = \"benefits-provider\", settings", "plugin = \"nobody\", settings", "there is no plugin nobody"),
            ("page_size = 2", "page_size = \"two\"", "settings of connector benefits-provider"),
            ("plugin = \"passing-on\"\n", "plugin = \"benefits-provider\"\n", "is of the kind connector"),
        ] {
            let site = site(&web, "");
            site.edit("jobs/deductions.toml", from, to);
            let hub = site.reopen(&clock_at(MONDAY)).await;
            let error = hub.apply(&site.config(), &operator(&hub)).await.unwrap_err();
            assert!(format!("{error:?} {error}").contains(told), "{told}: {error}");
        }
    });
}
