//! The server: where it listens, by which certificate, how it holds out against whoever is slow or asks too much, and how it stops.

mod stopping;
mod traces;
mod watched;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rcgen::ExtendedKeyUsagePurpose;
use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::support::*;

/// A client that trusts one authority and keeps no connection.
fn trusting(authority: &Authority) -> Agent {
    let root = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root])).build();
    Agent::config_builder().tls_config(tls).http_status_as_error(false).max_idle_connections(0).build().new_agent()
}

fn plain() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().new_agent()
}

/// Puts a certificate of an authority where the hub reads it.
fn issue(site: &Site, authority: &Authority) {
    let (certificate, key) = authority.issue("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
    site.write("hub.pem", certificate.pem());
    site.write("hub.key", key.serialize_pem());
}

fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}, not in 60 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

const BY_TLS: [&str; 4] = ["--tls-cert", "hub.pem", "--tls-key", "hub.key"];

#[test]
fn it_listens_to_others_by_tls_or_behind_a_proxy_only() {
    let site = Site::bare();
    site.write("partners.toml", "");
    let refused = |arguments: &[&str]| {
        let said = say(&site, &[&["serve", "--listen", "0.0.0.0:0"], arguments].concat());
        assert_eq!(said.code, Some(1), "{} {}", said.out, said.err);
        said.err
    };
    let said = refused(&[]);
    assert!(said.contains("--tls-cert") && said.contains("--plain-http"), "{said}");
    let said = refused(&["--metrics-listen", "0.0.0.0:0"]);
    assert!(said.contains("without TLS"), "{said}");
    let said = refused(&BY_TLS);
    assert!(said.contains("hub.pem"), "{said}");
    let (authority, other) = (Authority::new(), Authority::new());
    issue(&site, &other);
    let key = site.read("hub.key");
    issue(&site, &authority);
    site.write("hub.key", &key);
    let said = refused(&BY_TLS);
    assert!(said.contains("not the key of the certificate"), "{said}");
    site.write("hub.key", "s3cret");
    let said = refused(&BY_TLS);
    assert!(said.contains("no private key") && !said.contains("s3cret"), "{said}");
    let half = say(&site, &["serve", "--tls-cert", "hub.pem"]);
    assert_eq!(half.code, Some(2), "{}", half.err);
}

#[test]
fn its_certificate_is_read_again_and_a_bad_one_never_takes_its_place() {
    let site = Site::bare();
    let [first, second, third] = std::array::from_fn(|_| Authority::new());
    issue(&site, &first);
    let mut serving = Serving::told(&site, &BY_TLS, &[]);
    assert!(serving.address().starts_with("https://"));
    let live = format!("{}/health/live", serving.address());
    let trusted_by = |authority: &Authority| trusting(authority).get(&live).call().is_ok_and(|answer| answer.status() == 200);
    assert!(trusted_by(&first) && !trusted_by(&second));
    let answer = trusting(&first).get(&live).call().unwrap();
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=63072000");

    // One that is no certificate, and one whose key is another's: the first stays, and the log says so.
    let key = site.read("hub.key");
    site.write("hub.pem", "nothing");
    until("the log says that it stays", || Serving::log(&site).contains("the certificate in force stays"));
    assert!(trusted_by(&first));
    issue(&site, &second);
    site.write("hub.key", &key);
    serving.hang_up();
    until("the key is told", || Serving::log(&site).contains("not the key of the certificate"));
    assert!(trusted_by(&first) && !trusted_by(&second));

    // One that is good: at once when told, and by itself when its files change.
    issue(&site, &second);
    serving.hang_up();
    until("the second is in force", || trusted_by(&second));
    assert!(!trusted_by(&first));
    issue(&site, &third);
    until("the third is in force", || trusted_by(&third));

    // Without TLS it says nothing at this address.
    let mut stream = TcpStream::connect(serving.address().trim_start_matches("https://")).unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: hub\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(serving.terminate(), Some(0));
}

#[test]
fn every_answer_has_its_headers_and_a_number_that_the_log_has_too() {
    let site = Site::bare();
    let serving = Serving::told(&site, &[], &[("BAILIWICK_LOG", "debug")]);
    for path in ["/health/live", "/health/ready", "/api/v1/jobs", "/nowhere"] {
        let mut answer = plain().get(format!("{}{path}", serving.address())).call().unwrap();
        let headers = answer.headers().clone();
        let of = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert!(of("content-security-policy").contains("frame-ancestors 'none'"), "{path}: {headers:?}");
        assert!(!of("content-security-policy").contains("unsafe"), "{path}: {headers:?}");
        assert_eq!((of("x-content-type-options").as_str(), of("referrer-policy").as_str()), ("nosniff", "same-origin"), "{path}");
        assert_eq!((of("strict-transport-security"), of("access-control-allow-origin")), (String::new(), String::new()), "{path}");
        let id = of("x-request-id");
        assert!(id.len() == 36, "{path}: {id}");
        if of("content-type") == "application/problem+json" {
            let problem: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
            assert_eq!(problem["instance"], format!("urn:uuid:{id}"), "{path}");
        }
        until("the log has it", || Serving::log(&site).contains(&id));
    }
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_back() {
    let site = Site::bare();
    let serving = Serving::told(&site, &["--address-requests", "1"], &[]);
    let ask = |token: &str| {
        let request = plain().get(format!("{}/api/v1/jobs", serving.address()));
        request.header("authorization", format!("Bearer {token}")).call().unwrap()
    };
    let mut refused = None;
    for guess in 0..30 {
        let answer = ask(&format!("bwk_{guess}"));
        match answer.status().as_u16() {
            401 => assert!(guess >= 9 || refused.is_none(), "{guess}"),
            429 => refused = refused.or(Some(answer)),
            other => panic!("{other}"),
        }
    }
    let mut refused = refused.expect("guesses are not bounded");
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    let problem: Value = serde_json::from_str(&refused.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!((&problem["code"], &problem["status"]), (&"too-many-requests".into(), &429.into()));
    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(ask("bwk_later").status(), 401, "it is answered again after the time that was told");
}

#[test]
fn a_known_token_has_a_rate_of_its_own() {
    let site = Site::staffordshire();
    let applied = say(&site, &["apply", "."]);
    let token = applied.out.lines().find_map(|line| line.strip_prefix("token of staffordshire-police for the API, shown this once: "));
    let token = token.expect("it is shown").to_owned();
    let serving = Serving::told(&site, &["--address-requests", "1", "--token-requests", "4"], &[]);
    let ask = || {
        let request = plain().get(format!("{}/api/v1/jobs", serving.address()));
        request.header("authorization", format!("Bearer {token}")).call().unwrap().status().as_u16()
    };
    // Ten of its address at most, were it not known; forty of its own.
    let answers: Vec<u16> = (0..120).map(|_| ask()).collect();
    let good = answers.iter().filter(|status| **status == 200).count();
    assert!(answers[..30].iter().all(|status| *status == 200), "{answers:?}");
    assert!(answers.contains(&429) && (40..110).contains(&good), "{good} of {answers:?}");
}

#[test]
fn whoever_is_slow_holds_no_place() {
    let site = Site::bare();
    let serving = Serving::told(&site, &["--connections", "3"], &[]);
    let place = serving.address().trim_start_matches("http://").to_owned();
    // Three who begin and go on byte by byte; one of them is in its body.
    let mut slow: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(&place).unwrap()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /health/live HTTP/1.1\r\nx: ").unwrap();
    }
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    let dripping = std::thread::spawn(move || {
        // Until the hub has had enough.
        while slow.iter_mut().any(|stream| stream.write_all(b"a").is_ok()) && began.elapsed() < Duration::from_secs(40) {
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    let answer = plain().get(format!("{}/health/live", serving.address())).call().unwrap();
    assert_eq!(answer.status(), 200);
    assert!((Duration::from_secs(5)..Duration::from_secs(25)).contains(&began.elapsed()), "{:?}", began.elapsed());
    dripping.join().unwrap();
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let site = Site::staffordshire();
    let serving = Serving::start(&site);
    let mut stream = TcpStream::connect(serving.address().trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /api/v1/jobs/{LGPS}/runs HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 1000\r\nconnection: close\r\n\r\n{{",
        serving.token()
    );
    let began = Instant::now();
    stream.write_all(head.as_bytes()).unwrap();
    let mut writes = stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        while writes.write_all(b" ").is_ok() && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let mut answer = [0; 4_096];
    let read = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body-too-slow"), "{answer}");
    assert!((Duration::from_secs(25)..Duration::from_secs(45)).contains(&began.elapsed()), "{:?}", began.elapsed());
    drop(stream);
    dripping.join().unwrap();
}

#[test]
fn the_page_has_the_limits_that_the_code_has() {
    use bailiwick::model::limits::serving::*;
    let page = include_str!("../../../docs/operating.md");
    let seconds = |ms: u64| format!("{} s", ms / 1_000);
    let thousands = |number: u32| if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) };
    for (what, amount) in [
        ("connections at one time; further ones wait", thousands(CONNECTIONS_DEFAULT)),
        ("requests a second of one token or session; ten seconds' worth may be saved up", thousands(TOKEN_REQUESTS_PER_SECOND_DEFAULT)),
        ("requests a second of one address by whoever is not known yet", thousands(ADDRESS_REQUESTS_PER_SECOND_DEFAULT)),
        ("the first bytes of TLS", seconds(HANDSHAKE_MS_MAX)),
        ("the head of a request, and idleness between two", seconds(REQUEST_HEAD_MS_MAX)),
        ("the head of a request", format!("{} KiB", REQUEST_HEAD_BYTES_MAX >> 10)),
        ("an answer that is left unread", seconds(UNREAD_MS_MAX)),
    ] {
        assert!(page.contains(&format!("| {what} | {amount} |")), "docs/operating.md does not say that {what} is {amount}");
    }
    let pace = format!(
        "waiting for a body, beyond the time that {} KiB a second take | {} |",
        BODY_BYTES_PER_SECOND_MIN >> 10,
        seconds(BODY_WAIT_MS_MAX)
    );
    assert!(page.contains(&pace) && REQUESTS_SAVED_SECONDS == 10, "{pace}");
}
