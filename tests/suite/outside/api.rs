//! Requests to a provider's API: a real server with TLS, real tokens, redirects that lead away, and answers that are too much.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bailiwick::connection::{Api, Bounds, TokenSlot, Trial, check};
use bailiwick::model::http::{HttpError, HttpHeader, HttpRequest, HttpResponse};
use bailiwick::model::job::{ApiPlace, Place, RedirectRule, SignIn};

use super::{World, with};
use crate::support::*;

const SECRET: &str = "hunter2-hunter2";

fn api(place: ApiPlace) -> Api {
    api_with(place, TokenSlot::default())
}

fn api_with(place: ApiPlace, slot: TokenSlot) -> Api {
    Api::new(&with(Place::Api(place), &[("word", SECRET)]), slot).unwrap().unwrap()
}

fn request(method: &str, target: &str) -> HttpRequest {
    HttpRequest { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: None }
}

fn ask(api: &Api, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
    api.exchange(request, Bounds { time: Duration::from_secs(20), answer_bytes_max: u64::MAX })
}

fn get(api: &Api, target: &str) -> Result<HttpResponse, HttpError> {
    ask(api, &request("GET", target))
}

fn rule(host: String, paths: &str) -> RedirectRule {
    RedirectRule { host, paths: format!("GET {paths}").parse().unwrap() }
}

fn word() -> bailiwick::model::ids::SecretName {
    "word".parse().unwrap()
}

#[test]
fn credentials_are_added_and_never_come_back() {
    let world = World::new();
    let _entered = world.runtime.enter();
    // A provider that repeats whatever it was told.
    let web = Web::start(|asked, _| {
        let told: Vec<String> = asked.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        let body = format!("{}\n{SECRET}", told.join("\n"));
        (200, vec![("x-echo", format!("Bearer {SECRET}")), ("set-cookie", "session=1".to_owned())], body.into_bytes())
    });
    for (sign_in, wanted) in [
        (SignIn::Bearer { token: word() }, format!("authorization: Bearer {SECRET}")),
        (SignIn::Basic { user: "police".to_owned(), password: word() }, "authorization: Basic cG9saWNlOmh1bnRlcjItaHVudGVyMg==".to_owned()),
        (SignIn::ApiKey { header: "x-key".to_owned(), key: word() }, format!("x-key: {SECRET}")),
    ] {
        let api = api(ApiPlace { sign_in, ..web.api() });
        let answer = get(&api, "/payments?page=1").unwrap();
        let asked = web.asked().pop().unwrap();
        assert!(asked.headers.iter().any(|(name, value)| format!("{name}: {}", value.to_str().unwrap()) == wanted), "{:?}", asked.headers);
        assert_eq!((asked.path.as_str(), asked.header("accept-encoding")), ("/api/payments?page=1", "identity"));
        let seen = format!("{answer:?}{}{api:?}", String::from_utf8_lossy(&answer.body));
        assert!(!seen.contains("hunter2") && !seen.contains("cG9saWNl") && !seen.contains("session="), "{seen}");
        assert!(
            answer.headers.iter().any(|header| header.name == "x-echo" && header.value == "Bearer ***************"),
            "{:?}",
            answer.headers
        );
    }
    let keyed = api(ApiPlace { sign_in: SignIn::ApiKey { header: "x-key".to_owned(), key: word() }, ..web.api() });
    let own = HttpRequest { headers: vec![HttpHeader { name: "x-key".to_owned(), value: "mine".to_owned() }], ..request("GET", "/") };
    assert_eq!(ask(&keyed, &own), Err(HttpError::ForbiddenHeader("x-key".to_owned())));
}

#[test]
fn tokens_are_fetched_kept_and_fetched_again_in_the_middle() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let good = std::sync::Arc::new(Mutex::new(1));
    let now_good = std::sync::Arc::clone(&good);
    let web = Web::start(move |asked, _| {
        let good = *now_good.lock().unwrap();
        match asked.path.as_str() {
            "/token" if asked.header("authorization") == "Basic cG9saWNlOmh1bnRlcjItaHVudGVyMg==" => {
                assert_eq!(&asked.body[..], b"grant_type=client_credentials&scope=read");
                (200, Vec::new(), format!(r#"{{"access_token":"secret-token-{good}","expires_in":3600}}"#).into_bytes())
            }
            "/token" => (401, Vec::new(), Vec::new()),
            _ if asked.header("authorization") == format!("Bearer secret-token-{good}") => (200, Vec::new(), asked.body.to_vec()),
            _ => (401, Vec::new(), Vec::new()),
        }
    });
    let oauth = |web: &Web| SignIn::OAuth {
        url: format!("https://127.0.0.1:{}/token", web.port),
        client: "police".to_owned(),
        secret: word(),
        scope: Some("read".to_owned()),
    };
    let place = ApiPlace { sign_in: oauth(&web), ..web.api() };
    let slot = TokenSlot::default();
    let tokens = || web.asked().iter().filter(|asked| asked.path == "/token").count();
    let first = api_with(place.clone(), slot.clone());
    assert!(get(&first, "/a").is_ok() && get(&first, "/b").is_ok());
    assert!(get(&api_with(place.clone(), slot.clone()), "/c").is_ok(), "another session has the same token");
    assert_eq!(tokens(), 1);
    // It runs out in the middle; what was being sent is sent again, with a new one.
    *good.lock().unwrap() = 2;
    let sends = HttpRequest { body: Some(b"secret-token-2 and secret-token-1".to_vec()), ..request("POST", "/d") };
    assert_eq!(ask(&first, &sends).unwrap().body, b"************** and **************");
    assert_eq!(tokens(), 2);
    let wrong = Api::new(&with(Place::Api(place.clone()), &[("word", "another-secret")]), slot).unwrap().unwrap();
    let error = get(&wrong, "/e").unwrap_err();
    assert!(matches!(error, HttpError::NotSignedIn(_)) && !format!("{error}").contains("secret"), "{error}");
    let (steps, failed) = check(&with(Place::Api(place), &[("word", SECRET)]), Trial { writes: false, now_ms: 0 });
    assert!(failed.is_none() && steps.last().unwrap().found.contains("a token was given out"), "{steps:?} {failed:?}");
}

#[test]
fn only_what_is_allowed_is_asked() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let web = Web::start(|_, _| (200, Vec::new(), b"x".to_vec()));
    let api = api(ApiPlace { requests: vec!["GET /payments/*".parse().unwrap()], ..web.api() });
    assert!(get(&api, "/payments/7?x=y").is_ok());
    for (method, target) in [("POST", "/payments/7"), ("GET", "/payments"), ("GET", "/admin"), ("DELETE", "/payments/7")] {
        assert!(matches!(ask(&api, &request(method, target)), Err(HttpError::NotAllowed(_))), "{method} {target}");
    }
    assert_eq!(web.asked().len(), 1);
}

#[test]
fn a_private_address_is_reached_only_where_the_operator_says_so() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let web = Web::start(|_, _| (200, Vec::new(), b"x".to_vec()));
    let named = |host: &str| ApiPlace { url: format!("https://{host}:{}/api", web.port), allow_private: false, ..web.api() };
    for host in ["127.0.0.1", "localhost", "[::1]", "10.255.255.1", "169.254.169.254", "[fd00:ec2::254]", "0.0.0.0", "[::ffff:127.0.0.1]"] {
        let error = get(&api(named(host)), "/x").unwrap_err();
        assert!(matches!(&error, HttpError::NotAllowed(why) if why.contains("no address of the public internet")), "{host}: {error}");
    }
    for host in ["169.254.169.254", "[fd00:ec2::254]", "0.0.0.0"] {
        let error = get(&api(ApiPlace { allow_private: true, ..named(host) }), "/x").unwrap_err();
        assert!(matches!(&error, HttpError::NotAllowed(_)), "{host}: {error}");
    }
    assert!(web.asked().is_empty());
    assert!(get(&api(web.api()), "/x").is_ok());
}

#[test]
fn redirects_are_judged_like_requests() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let elsewhere = Web::start(|_, _| (200, Vec::new(), b"elsewhere".to_vec()));
    let (other, port) = (elsewhere.port, std::sync::Arc::new(Mutex::new(0)));
    let own = std::sync::Arc::clone(&port);
    let web = Web::start(move |asked, _| {
        let to = match asked.path.as_str() {
            "/api/near" => "/api/x".to_owned(),
            "/api/whole" => format!("https://127.0.0.1:{}/api/x", own.lock().unwrap()),
            "/api/round" => "/api/round".to_owned(),
            "/api/outside" => "/admin".to_owned(),
            "/api/up" => "/api/../admin".to_owned(),
            "/api/forbidden" => "/api/hidden/x".to_owned(),
            "/api/metadata" => "https://169.254.169.254/latest/meta-data".to_owned(),
            "/api/listed" => format!("https://127.0.0.1:{other}/exports/x"),
            "/api/unlisted" => format!("https://127.0.0.1:{other}/other"),
            "/api/tricky" => format!("//127.0.0.1:{other}/exports/x"),
            "/api/plain" => "http://127.0.0.1/x".to_owned(),
            "/api/user" => format!("https://127.0.0.1@127.0.0.1:{other}/exports/x"),
            _ => return (200, Vec::new(), asked.body.to_vec()),
        };
        (302, vec![("location", to)], Vec::new())
    });
    *port.lock().unwrap() = web.port;
    let requests =
        ["near", "whole", "round", "outside", "up", "forbidden", "metadata", "listed", "unlisted", "tricky", "plain", "user", "x"];
    let place = ApiPlace {
        requests: requests
            .iter()
            .flat_map(|name| [format!("GET /{name}"), format!("POST /{name}")])
            .map(|rule| rule.parse().unwrap())
            .collect(),
        redirects: vec![rule(format!("127.0.0.1:{other}"), "/exports/**"), rule("169.254.169.254".to_owned(), "/**")],
        sign_in: SignIn::Bearer { token: word() },
        ..web.api()
    };
    let api = api(place);
    for near in ["/near", "/whole"] {
        assert!(get(&api, near).is_ok(), "{near}");
        assert_eq!(web.asked().last().unwrap().header("authorization"), format!("Bearer {SECRET}"));
    }
    for (away, why) in [
        ("/round", "more than 5 times"),
        ("/outside", "does not allow"),
        ("/up", "leads up"),
        ("/forbidden", "does not allow"),
        ("/unlisted", "does not allow"),
        ("/tricky", "no address that begins with https://"),
        ("/plain", "no address that begins with https://"),
        ("/user", "no address that begins with https://"),
    ] {
        let error = get(&api, away).unwrap_err();
        assert!(matches!(&error, HttpError::RedirectRefused(told) if told.contains(why)), "{away}: {error}");
    }
    // What may be redirected to by name may still be no address of the public internet.
    for private in ["/metadata", "/listed"] {
        let error = get(&api, private).unwrap_err();
        assert!(matches!(&error, HttpError::NotAllowed(why) if why.contains("no address of the public internet")), "{private}: {error}");
    }
    let before = web.asked().len();
    let sends = HttpRequest { body: Some(b"x".to_vec()), ..request("POST", "/near") };
    assert!(matches!(ask(&api, &sends), Err(HttpError::RedirectRefused(why)) if why.contains("is not redirected")));
    assert_eq!(web.asked().len(), before + 1);
    assert!(elsewhere.asked().is_empty(), "another host was asked");
}

#[test]
fn an_answer_is_bounded_in_size_and_time() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let web = Web::start(|asked, _| (u16::from(!asked.path.ends_with("never")) * 200, Vec::new(), vec![b'x'; 100_000]));
    let small = api(ApiPlace { answer_bytes_max: 99_999, ..web.api() });
    assert_eq!(get(&small, "/x"), Err(HttpError::TooLarge(99_999)));
    let bounds = |time_ms, answer_bytes_max| Bounds { time: Duration::from_millis(time_ms), answer_bytes_max };
    let plain = api(web.api());
    assert_eq!(plain.exchange(&request("GET", "/x"), bounds(20_000, 50_000)), Err(HttpError::TooLarge(50_000)));
    assert_eq!(get(&plain, "/x").unwrap().body.len(), 100_000);
    let begun = Instant::now();
    assert_eq!(plain.exchange(&request("GET", "/never"), bounds(500, u64::MAX)), Err(HttpError::TimedOut));
    // Byte by byte it would take more than an hour.
    let drip = Wire::to(web.port, Cut::Drip(4_000));
    let dripping = api(ApiPlace { url: format!("https://127.0.0.1:{}/api", drip.port), ..web.api() });
    assert_eq!(dripping.exchange(&request("GET", "/x"), bounds(1_500, u64::MAX)), Err(HttpError::TimedOut));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn whether_anything_was_asked_is_told_apart() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let web = Web::start(|_, _| (200, Vec::new(), b"x".to_vec()));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = get(&api(ApiPlace { url: format!("https://127.0.0.1:{nobody}/api"), ..web.api() }), "/x").unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)), "{error}");
    let error = get(&api(ApiPlace { ca_file: None, ..web.api() }), "/x").unwrap_err();
    assert!(matches!(&error, HttpError::Unreachable(why) if why.contains("ca-file")), "{error}");
    let whole = Wire::to(web.port, Cut::Never);
    let over = |wire: &Wire| api(ApiPlace { url: format!("https://127.0.0.1:{}/api", wire.port), ..web.api() });
    assert!(ask(&over(&whole), &HttpRequest { body: Some(b"x".to_vec()), ..request("POST", "/x") }).is_ok());
    let (_, down) = whole.passed();
    let before = web.asked().len();
    let cut = Wire::to(web.port, Cut::Down(down - 20));
    let error = ask(&over(&cut), &HttpRequest { body: Some(b"x".to_vec()), ..request("POST", "/x") }).unwrap_err();
    assert!(web.asked().len() > before && matches!(error, HttpError::Broken(_)), "it had been acted on: {error}");
}
