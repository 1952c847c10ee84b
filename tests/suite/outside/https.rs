//! HTTPS against a web server with TLS, over a wire that can be cut.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bailiwick::connection::{ConnectionError, Fetched, Looking, Outside, Step, deliver, list, pull};
use bailiwick::ledger::{Instruction, ResendAsk, RunState, Scope};
use bailiwick::model::ids::Digest;
use bailiwick::model::job::{HttpsPlace, Place, SendMethod};

use super::{World, delivery, with};
use crate::support::*;

fn open(place: HttpsPlace) -> Outside {
    Outside::open(Place::Https(place))
}

/// Pulls the one resource of a name.
fn fetched(world: &World, outside: &Outside, (pattern, mark): (&str, Option<&str>)) -> Result<Option<Fetched>, ConnectionError> {
    let listing = list(outside, &Looking { pattern, now_ms: 0, mark }).unwrap();
    pull(outside, &listing.files[0], &world.artefacts)
}

#[test]
fn a_resource_is_pulled_and_only_if_it_is_new() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let content = b"{\"claim\":1}\n".repeat(100_000);
    let served = content.clone();
    let web = Web::start(move |asked, _| match (asked.path.as_str(), asked.header("if-none-match")) {
        ("/api/claims.jsonl", "\"v1\"") => (304, Vec::new(), Vec::new()),
        ("/api/claims.jsonl", _) => (200, vec![("etag", "\"v1\"".to_owned())], served.clone()),
        ("/api/empty", _) => (200, Vec::new(), Vec::new()),
        ("/api/none", _) => (204, Vec::new(), Vec::new()),
        _ => (404, Vec::new(), b"hidden words of the server".to_vec()),
    });
    let place = open(web.place());
    let first = fetched(&world, &place, ("claims.jsonl", None)).unwrap().unwrap();
    assert_eq!((first.stored.digest, first.mark.as_deref()), (Digest::of(&content), Some("\"v1\"")));
    assert_eq!(web.asked()[0].header("accept-encoding"), "identity");
    for (name, mark) in [("claims.jsonl", Some("\"v1\"")), ("empty", None), ("none", None)] {
        assert_eq!(fetched(&world, &place, (name, mark)).unwrap(), None, "{name}");
    }
    let error = fetched(&world, &place, ("elsewhere", None)).unwrap_err();
    assert!(!error.may_pass() && error.to_string().contains("404") && !error.to_string().contains("hidden"), "{error}");
    let small = open(HttpsPlace { file_bytes_max: 1_000, ..web.place() });
    let error = fetched(&world, &small, ("claims.jsonl", None)).unwrap_err();
    assert!(matches!(&error, ConnectionError::Refused { why, .. } if why.contains("more than 1000 bytes")), "{error}");
}

#[test]
fn a_cursor_says_where_the_next_pull_goes_on() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let web = Web::start(|asked, before| (200, vec![("x-next", format!("page {}&x", before + 1))], asked.path.clone().into_bytes()));
    let place = open(HttpsPlace { cursor_header: Some("x-next".to_owned()), ..web.place() });
    let first = fetched(&world, &place, ("claims?since={since}&limit=9", None)).unwrap().unwrap();
    assert_eq!(first.mark.as_deref(), Some("page 1&x"));
    fetched(&world, &place, ("claims?since={since}&limit=9", first.mark.as_deref())).unwrap().unwrap();
    let paths: Vec<String> = web.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/api/claims?since=&limit=9", "/api/claims?since=page%201%26x&limit=9"]);
}

#[test]
fn credentials_go_to_the_server_and_nowhere_else() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let elsewhere = Web::start(|_, _| (200, Vec::new(), b"elsewhere".to_vec()));
    let other = format!("https://127.0.0.1:{}/api/x", elsewhere.port);
    let web = Web::start(move |asked, _| match asked.path.as_str() {
        "/api/away" => (302, vec![("location", other.clone())], Vec::new()),
        "/api/tricky" => (307, vec![("location", format!("//{}", other.trim_start_matches("https://")))], Vec::new()),
        "/api/near" => (301, vec![("location", "/api/x".to_owned())], Vec::new()),
        "/api/round" => (302, vec![("location", "/api/round".to_owned())], Vec::new()),
        _ if asked.header("authorization") == "Bearer hunter2" => (200, Vec::new(), b"token".to_vec()),
        _ if asked.header("authorization") == "Basic cG9saWNlOmh1bnRlcjI=" => (200, Vec::new(), b"password".to_vec()),
        _ => (401, Vec::new(), Vec::new()),
    });
    let name = || Some("word".parse().unwrap());
    let by_token = |value: &str| with(Place::Https(HttpsPlace { token: name(), ..web.place() }), &[("word", value)]);
    let basic = HttpsPlace { user: Some("police".to_owned()), password: name(), ..web.place() };
    for (place, said) in [(by_token("hunter2"), "token"), (with(Place::Https(basic), &[("word", "hunter2")]), "password")] {
        let got = fetched(&world, &place, ("x", None)).unwrap().unwrap();
        assert_eq!(got.stored.digest, Digest::of(said.as_bytes()));
        assert!(fetched(&world, &place, ("near", None)).is_ok(), "it is followed within the host");
        for away in ["away", "tricky", "round"] {
            let error = fetched(&world, &place, (away, None)).unwrap_err();
            assert!(!error.may_pass() && error.to_string().contains("redirect"), "{error}");
        }
    }
    assert!(elsewhere.asked().is_empty(), "another host was asked");
    let refused = fetched(&world, &by_token("hunter3"), ("x", None)).unwrap_err();
    assert!(matches!(refused, ConnectionError::SignIn { .. }), "{refused}");
    let broken = fetched(&world, &by_token("hunter\n4"), ("x", None)).unwrap_err();
    assert!(matches!(broken, ConnectionError::Credential { .. }), "{broken}");
    assert!(!format!("{refused} {refused:?} {broken} {broken:?}").contains("hunter"));
}

#[test]
fn only_a_server_with_the_right_certificate_is_spoken_to() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let (web, other) = (Web::start(|_, _| (200, Vec::new(), b"x".to_vec())), Web::start(|_, _| (200, Vec::new(), b"x".to_vec())));
    for ca_file in [None, other.place().ca_file] {
        let error = fetched(&world, &open(HttpsPlace { ca_file, ..web.place() }), ("x", None)).unwrap_err();
        assert!(matches!(&error, ConnectionError::Refused { step: Step::Certificate, why, .. } if why.contains("ca-file")), "{error}");
    }
    let by_name = HttpsPlace { url: format!("https://localhost:{}/api/", web.port), ..web.place() };
    let error = fetched(&world, &open(by_name), ("x", None)).unwrap_err();
    assert!(matches!(&error, ConnectionError::Refused { step: Step::Certificate, .. }), "{error}");
    let missing = HttpsPlace { ca_file: Some(world.there().join("none.pem")), ..web.place() };
    assert!(matches!(fetched(&world, &open(missing), ("x", None)), Err(ConnectionError::FileUnusable { .. })));
    assert!(web.asked().is_empty());
}

#[test]
fn a_server_that_wants_a_certificate_of_the_hub_gets_it() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let web = Web::with_client_certificates(|_, _| (200, Vec::new(), b"x".to_vec()));
    let known = with(Place::Https(web.place_with_certificate()), &[("client-key", web.client_key())]);
    assert!(fetched(&world, &known, ("x", None)).unwrap().is_some());
    let unknown = fetched(&world, &open(web.place()), ("x", None)).unwrap_err();
    assert!(matches!(&unknown, ConnectionError::SignIn { why, .. } if why.contains("certificate")), "{unknown}");
    let broken = with(Place::Https(web.place_with_certificate()), &[("client-key", "hunter2")]);
    let error = fetched(&world, &broken, ("x", None)).unwrap_err();
    assert!(matches!(&error, ConnectionError::Credential { .. }) && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

/// What a server that recognises repeats has acted on.
fn acted_on(asked: &[Asked]) -> BTreeSet<String> {
    asked.iter().filter(|asked| asked.body.len() == 200_000).map(|asked| asked.header("idempotency-key").to_owned()).collect()
}

#[test]
fn what_is_sent_says_what_it_is() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let web = Web::start(|_, _| (201, vec![("location", "/api/returns/17".to_owned())], Vec::new()));
    let digest = world.stored(b"rows");
    let receipt = deliver(&open(web.place()), &delivery(digest), &world.artefacts).unwrap();
    assert_eq!((receipt.size, receipt.said.as_deref()), (4, Some("201 Created /api/returns/17")));
    deliver(&open(HttpsPlace { method: SendMethod::Put, ..web.place() }), &delivery(digest), &world.artefacts).unwrap();
    let asked = web.asked();
    assert_eq!(
        asked.iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect::<Vec<_>>(),
        ["POST /api/", "PUT /api/return-2026-10.csv"]
    );
    for asked in &asked {
        let headers = ["idempotency-key", "content-type", "content-length", "content-disposition"].map(|name| asked.header(name));
        assert_eq!(headers, ["run-1-return", "text/csv", "4", "attachment; filename*=UTF-8''return-2026-10.csv"]);
        assert_eq!(&asked.body[..], b"rows");
    }
}

#[test]
fn an_answer_says_whose_move_is_next() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let digest = world.stored(b"rows");
    for (status, idempotent, passes, uncertain) in [
        (500, true, true, false),
        (503, true, true, false),
        (429, true, true, false),
        (400, true, false, false),
        (409, true, false, false),
        (302, true, false, true),
        (302, false, false, true),
        (307, false, false, true),
        (403, true, false, false),
        (500, false, false, true),
        (503, false, false, true),
        (400, false, false, false),
    ] {
        let web = Web::start(move |_, _| (status, vec![("location", "/api/x".to_owned())], Vec::new()));
        let place = open(HttpsPlace { idempotent, ..web.place() });
        let error = deliver(&place, &delivery(digest), &world.artefacts).unwrap_err();
        assert_eq!((error.may_pass(), matches!(error, ConnectionError::Uncertain { .. })), (passes, uncertain), "{status}: {error}");
        assert_eq!(web.asked().len(), 1, "it is sent once, and nowhere else");
    }
    let web = Web::start(|_, _| (303, vec![("location", "/api/returns/17".to_owned())], Vec::new()));
    let seen = deliver(&open(HttpsPlace { idempotent: false, ..web.place() }), &delivery(digest), &world.artefacts).unwrap();
    assert_eq!(seen.said.as_deref(), Some("303 See Other /api/returns/17"), "what was posted has arrived");
    let put = HttpsPlace { method: SendMethod::Put, ..web.place() };
    let error = deliver(&open(put), &delivery(digest), &world.artefacts).unwrap_err();
    assert!(matches!(error, ConnectionError::Uncertain { .. }), "{error}");
    assert_eq!(web.asked().len(), 2, "nothing is asked of the other address");
}

#[test]
fn cut_off_at_any_byte_a_repeat_does_no_harm() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let digest = world.stored(&[7; 200_000]);
    let web = Web::start(|_, _| (201, Vec::new(), Vec::new()));
    let over = |wire: &Wire, idempotent: bool| {
        open(HttpsPlace { url: format!("https://127.0.0.1:{}/api/", wire.port), idempotent, ..web.place() })
    };
    let whole = Wire::to(web.port, Cut::Never);
    deliver(&over(&whole, true), &delivery(digest), &world.artefacts).unwrap();
    let (up, down) = whole.passed();
    let (mut passing, mut uncertain) = (0, 0);
    for idempotent in [true, false] {
        for cut in
            (0..8).flat_map(|part| [Cut::Up(up * part / 8), Cut::Down(down * part / 8)]).chain([Cut::Down(down - 40), Cut::Down(down - 90)])
        {
            let before = web.asked().len();
            let wire = Wire::to(web.port, cut);
            let sent = deliver(&over(&wire, idempotent), &delivery(digest), &world.artefacts);
            drop(wire);
            let acted = web.asked().len() > before;
            if let Err(error) = &sent {
                let said = error.to_string();
                assert!(said.contains("the connection was cut off") && !said.contains("close_notify"), "{cut:?}: {said}");
            }
            match sent {
                Ok(_) => assert!(acted, "{cut:?}"),
                Err(ConnectionError::Uncertain { .. }) => uncertain += 1,
                Err(error) => {
                    assert!(error.may_pass(), "{cut:?}: {error}");
                    assert!(idempotent || !acted, "{cut:?}: the server acted, and the hub would send again: {error}");
                    passing += 1;
                }
            }
        }
    }
    assert!(passing >= 8 && uncertain >= 4, "{passing} may pass, {uncertain} are uncertain");
    assert_eq!(acted_on(&web.asked()).len(), 1, "every attempt carries the same key");
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let web = Web::start(|asked, _| (if asked.path.ends_with("never") { 0 } else { 200 }, Vec::new(), vec![7; 1 << 20]));
    let place = HttpsPlace { silence_seconds_max: 1, ..web.place() };
    let began = Instant::now();
    let error = fetched(&world, &open(place.clone()), ("never", None)).unwrap_err();
    assert!(error.may_pass() && error.to_string().contains("no answer within 1 s"), "{error}");
    for bytes in [0, 1_000, 200_000] {
        let wire = Wire::to(web.port, Cut::Silence(bytes));
        let place = HttpsPlace { url: format!("https://127.0.0.1:{}/api/", wire.port), ..place.clone() };
        let error = fetched(&world, &open(place), ("x", None)).unwrap_err();
        assert!(error.may_pass(), "{bytes}: {error}");
    }
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

/// The example's connection of a name, now a web server.
pub(super) fn moved_to(web: &Web, site: &Site, (name, options): (&str, &str)) {
    let text = String::from_utf8(site.read("connections.toml")).unwrap();
    let at = text.find(&format!("name = \"{name}\"")).unwrap();
    let end = text[at..].find("[[connection]]").map_or(text.len(), |end| at + end);
    let ca = web.place().ca_file.unwrap();
    let entry = format!(
        "name = \"{name}\"\nkind = \"https\"\nurl = \"https://127.0.0.1:{}/api\"\nca-file = \"{}\"\ntoken-secret = \"fund-token\"\n{options}\n\n",
        web.port,
        ca.display()
    );
    site.write("connections.toml", format!("{}{entry}{}", &text[..at], &text[end..]));
}

pub(super) async fn trusted(site: &Site, clock: &bailiwick::clock::Clock) -> bailiwick::run::Hub {
    let hub = site.hub(clock).await;
    hub.set_secret(&partner(POLICE), &"fund-token".parse().unwrap(), "hunter2".into(), &operator(&hub)).await.unwrap();
    hub
}

#[test]
fn a_job_pulls_what_is_new_and_sends_once() {
    let site = Site::staffordshire();
    let clock = clock_at("2026-10-19T06:00:00Z");
    let files = ["payroll-2026-10.csv", "previous-2026-10.csv"].map(|name| (name, site.read(&format!("data/payroll/{name}"))));
    wait(async {
        let web = Web::start(move |asked, before| match (asked.method.as_str(), asked.header("if-none-match")) {
            ("GET", "\"october\"") => (304, Vec::new(), Vec::new()),
            ("GET", _) => {
                let (_, content) =
                    files.iter().find(|(name, _)| asked.path == format!("/api/{name}")).expect("it is asked for what there is");
                (200, vec![("etag", "\"october\"".to_owned())], content.clone())
            }
            // The first delivery has its effect, and the server says otherwise.
            _ if before == 2 => (500, Vec::new(), Vec::new()),
            _ => (201, Vec::new(), Vec::new()),
        });
        moved_to(&web, &site, ("payroll-drop", ""));
        moved_to(&web, &site, ("pension-fund", ""));
        for name in ["payroll", "previous"] {
            site.edit(&format!("jobs/{LGPS}.toml"), &format!("\"{name}-*.csv\""), &format!("\"{name}-2026-10.csv\""));
        }
        let hub = trusted(&site, &clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Queued, "connection-failed"), "it waits for its next attempt: {:?}", run.reason);
        clock.advance(jiff::SignedDuration::from_secs(60));
        drain(&hub).await;
        let run = ended(&hub, run.id).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        let keys: Vec<String> =
            web.asked().iter().filter(|asked| asked.method == "POST").map(|asked| asked.header("idempotency-key").to_owned()).collect();
        assert!(
            keys.len() >= 2 && keys.iter().any(|key| keys.iter().filter(|other| *other == key).count() == 2),
            "a repeat has its key: {keys:?}"
        );
        let gets = web.asked().iter().filter(|asked| asked.method == "GET").count();
        let again = finished(&hub, POLICE, LGPS).await;
        assert_eq!((again.state, reason(&again).0), (RunState::Skipped, "no-input"), "{:?}", again.reason);
        let asked = web.asked();
        let conditional = asked
            .iter()
            .filter(|asked| asked.method == "GET")
            .skip(gets)
            .filter(|asked| asked.path.contains("payroll-"))
            .all(|asked| asked.header("if-none-match") == "\"october\"");
        assert!(conditional && asked.len() > 5, "the server is told what the hub has");
    });
}

#[test]
fn a_receiver_that_promises_nothing_is_asked_by_a_person() {
    let site = Site::staffordshire();
    let clock = clock_at("2026-10-19T06:00:00Z");
    wait(async {
        let web = Web::start(|_, before| (if before == 0 { 500 } else { 201 }, Vec::new(), Vec::new()));
        moved_to(&web, &site, ("pension-fund", "idempotent = false"));
        let hub = trusted(&site, &clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "delivery-uncertain"), "{:?}", run.reason);
        assert_eq!(web.asked().len(), 1, "it is not sent again by itself");
        let again = Instruction::Retry { afresh: false, why: "the fund says that it has nothing".to_owned() };
        hub.ledger().instruct(Scope::Hub, run.id, again, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!(ended(&hub, run.id).await.state, RunState::Closed);
    });
}

/// A hub whose fund took the first output, or did not: its server failed after the first request.
async fn in_doubt(site: &Site, web: &Web) -> (bailiwick::run::Hub, bailiwick::ledger::Run) {
    moved_to(web, site, ("pension-fund", "idempotent = false"));
    let hub = trusted(site, &clock_at("2026-10-19T06:00:00Z")).await;
    let run = finished(&hub, POLICE, LGPS).await;
    assert!(run.is_uncertain(), "{:?}", run.reason);
    (hub, run)
}

#[test]
fn a_delivery_that_arrived_after_all_is_not_sent_again() {
    let site = Site::staffordshire();
    wait(async {
        let web = Web::start(|_, before| (if before == 0 { 500 } else { 201 }, Vec::new(), Vec::new()));
        let (hub, run) = in_doubt(&site, &web).await;
        let by = operator(&hub);
        let settle = |port, arrived| hub.ledger().settle_delivery(Scope::Hub, (run.id, port), (arrived, "the fund has it"), &by);
        let other = settle("ctr1", true).await.unwrap_err().to_string();
        assert!(other.contains("the delivery that is uncertain is that of return"), "{other}");
        settle("return", true).await.unwrap();
        drain(&hub).await;
        let closed = ended(&hub, run.id).await;
        assert_eq!((closed.state, closed.deliveries()), (RunState::Closed, 2), "{:?}", closed.reason);
        assert_eq!(web.asked().len(), 2, "the first output was sent once, the second once");
        let receipts = hub.ledger().receipts(Scope::Hub, run.id).await.unwrap();
        let first = receipts.iter().find(|receipt| receipt.delivered.port == "return").unwrap();
        assert!(first.delivered.receipt.contains("the word of person:operator: the fund has it"), "{receipts:?}");
        assert!(settle("return", false).await.unwrap_err().to_string().contains("its output return has been delivered"));
        let acts = hub.ledger().audit(Scope::Hub, None, 9).await.unwrap().items;
        assert!(acts.iter().any(|act| act.action == "delivery.arrived" && act.actor.as_str() == "person:operator"), "{acts:?}");
    });
}

#[test]
fn a_delivery_that_is_missing_is_sent_once_more_and_a_resend_keeps_its_key_unless_told() {
    let site = Site::staffordshire();
    wait(async {
        let web = Web::start(|_, before| (if before == 0 { 500 } else { 201 }, Vec::new(), Vec::new()));
        let (hub, run) = in_doubt(&site, &web).await;
        hub.ledger().settle_delivery(Scope::Hub, (run.id, "return"), (false, "it never came"), &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!(ended(&hub, run.id).await.state, RunState::Closed);
        assert_eq!(web.asked().len(), 3, "the first once more, and the second");
        for new_key in [false, true, true] {
            let ask = ResendAsk { port: "return".to_owned(), target: None, new_key, why: "lost at the fund".to_owned() };
            let resent = hub.resend(Scope::Hub, run.id, ask, &operator(&hub)).await.unwrap();
            assert!(resent.failed.is_none(), "{resent:?}");
        }
        let keys: Vec<String> = web.asked().iter().map(|asked| asked.header("idempotency-key").to_owned()).collect();
        assert_eq!((&keys[1], &keys[3]), (&keys[0], &keys[0]), "the same delivery has the same key");
        assert!(keys[4] != keys[0] && keys[5] != keys[0] && keys[4] != keys[5], "{keys:?}");
        drain(&hub).await;
        assert_eq!(web.asked().len(), 6, "nothing is sent again by itself");
    });
}
