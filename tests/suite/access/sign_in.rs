//! Signing in and out in a browser, and what becomes of those who guess.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bailiwick::access::{Action, Role, SignInRefused};
use bailiwick::console::{self, OverTls};
use bailiwick::ledger::{NewRole, Scope};
use bailiwick::run::Hub;
use secrecy::SecretString;

use super::{Came, PASSWORD, door, named, person, send, signed_in};
use crate::support::*;

const NINE: &str = "2026-11-18T09:00:00Z";

async fn with_joan(site: &Site) -> (Hub, Router) {
    let hub = site.hub(&clock_at(NINE)).await;
    person(&hub, "joan", (POLICE, &[Role::Viewer, Role::Approver]), false).await;
    (hub.clone(), console::router(hub))
}

async fn get(router: &Router, path: &str, cookies: &str) -> Came {
    send(router, Request::get(path).header("cookie", cookies).body(Body::empty()).unwrap()).await
}

async fn post(router: &Router, path: &str, (cookies, body): (&str, String)) -> Came {
    let request = Request::post(path).header("cookie", cookies).header("content-type", "application/x-www-form-urlencoded");
    send(router, request.body(Body::from(body)).unwrap()).await
}

/// The value of a hidden field.
fn hidden(page: &str, field: &str) -> String {
    let at = page.find(&format!("name=\"{field}\"")).unwrap_or_else(|| panic!("no {field} in {page}"));
    page[at..].split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

/// Fills in the form as a browser does.
async fn fill_in(router: &Router, name: &str, password: &str) -> Came {
    let form = get(router, "/sign-in?next=/p/staffordshire-police", "").await;
    assert_eq!((form.status, form.header("cache-control")), (200, "no-store"));
    let (key, csrf) = (form.cookie("bailiwick-form").unwrap(), hidden(&form.text, "csrf"));
    let password = password.replace(' ', "+");
    let body = format!("csrf={csrf}&next=%2Fp%2Fstaffordshire-police&name={name}&password={password}");
    post(router, "/sign-in", (&format!("bailiwick-form={key}"), body)).await
}

#[test]
fn a_person_signs_in_and_out_in_a_browser() {
    let site = Site::staffordshire();
    wait(async {
        let (hub, router) = with_joan(&site).await;
        let came = fill_in(&router, "Joan", PASSWORD).await;
        assert_eq!((came.status, came.header("location")), (303, "/p/staffordshire-police"), "{}", came.text);
        let set = came.header("set-cookie");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/") && !set.contains("Secure"), "{set}");
        let key = came.cookie("bailiwick").unwrap();
        let joan = door(&hub).session(&key).await.unwrap().expect("she is signed in");
        assert_eq!((joan.person(), joan.display_name()), (&named("joan"), "joan of staffordshire-police"));
        let caller = joan.at(&partner(POLICE)).unwrap();
        assert!(caller.can(Action::Approve) && caller.can(Action::Read) && !caller.can(Action::Run));
        assert!(joan.at(&partner(FIRE)).is_err() && joan.at(&partner("nowhere")).is_err());

        // Nobody else's page signs her out, and hers does.
        let cookies = format!("bailiwick={key}");
        for csrf in ["", "0", &key] {
            assert_eq!(post(&router, "/sign-out", (&cookies, format!("csrf={csrf}"))).await.status, 403);
        }
        assert!(door(&hub).session(&key).await.unwrap().is_some());
        let out = post(&router, "/sign-out", (&cookies, format!("csrf={}", joan.csrf()))).await;
        assert_eq!((out.status, out.header("location"), out.cookie("bailiwick").as_deref()), (303, "/sign-in", Some("")));
        assert!(door(&hub).session(&key).await.unwrap().is_none(), "the key is worth nothing now");
        let acts = hub.ledger().audit(Scope::Hub, None, 2).await.unwrap().items;
        let told: Vec<_> = acts.iter().map(|act| (act.action.as_str(), act.actor.as_str(), act.subject.as_str())).collect();
        let of: Vec<_> = acts.iter().map(|act| act.partner.as_ref().map(ToString::to_string)).collect();
        assert_eq!(of, [None, Some(POLICE.to_owned())], "her partner sees that she signed in");
        assert_eq!(told, [("session.end", "person:joan", "person:joan"), ("session.begin", "person:joan", "person:joan")]);
    });
}

#[test]
fn over_tls_a_cookie_is_for_this_host_alone() {
    let site = Site::staffordshire();
    wait(async {
        let (_hub, router) = with_joan(&site).await;
        let mut request = Request::get("/sign-in").body(Body::empty()).unwrap();
        request.extensions_mut().insert(OverTls);
        let form = send(&router, request).await;
        let set = form.header("set-cookie");
        assert!(set.starts_with("__Host-bailiwick-form=") && set.contains("Secure") && set.contains("HttpOnly"), "{set}");
    });
}

#[test]
fn a_form_of_another_site_signs_nobody_in() {
    let site = Site::staffordshire();
    wait(async {
        let (hub, router) = with_joan(&site).await;
        let key = "0".repeat(64);
        let body = format!("name=joan&password={}&csrf={key}", PASSWORD.replace(' ', "+"));
        for cookies in [String::new(), format!("bailiwick-form={key}"), "bailiwick-form=".to_owned(), "bailiwick-form=x".to_owned()] {
            let came = post(&router, "/sign-in", (&cookies, body.clone())).await;
            assert_eq!((came.status, came.cookie("bailiwick")), (403, None), "{cookies}");
        }
        assert_eq!(hub.ledger().live_sessions(None, hub.clock().now_ms()).await.unwrap(), []);
    });
}

#[test]
fn whoever_guesses_waits_and_learns_nothing() {
    let site = Site::staffordshire();
    wait(async {
        let (hub, router) = with_joan(&site).await;
        person(&hub, "gone", (POLICE, &[Role::Viewer]), false).await;
        hub.ledger().disable_person(&named("gone"), true, &operator(&hub)).await.unwrap();
        let mut said = Vec::new();
        for (name, password) in [("joan", "wrong+password"), ("nobody", PASSWORD), ("gone", PASSWORD), ("%00no+name%22%3E%3Cb%3E", "x")] {
            let mut answers = Vec::new();
            for attempt in 0..5 {
                let came = fill_in(&router, name, password).await;
                assert_eq!((came.status, came.cookie("bailiwick")), (if attempt < 3 { 422 } else { 429 }, None), "{name} {attempt}");
                assert!(!came.text.contains("<b>") && !came.text.contains("wrong password"), "{}", came.text);
                let alert = came.text.split_once("role=\"alert\"").map(|(_, rest)| rest.split_once("<form").unwrap().0.to_owned());
                answers.push(alert.expect("it says why not"));
            }
            said.push(answers);
        }
        assert!(said.iter().all(|answers| *answers == said[0]), "the same is said of everybody: {said:?}");
        // Her own password helps no sooner than her time comes, and then it does.
        assert_eq!(fill_in(&router, "joan", PASSWORD).await.status, 429);
        hub.clock().advance(jiff::SignedDuration::from_millis(1_001));
        assert_eq!(fill_in(&router, "joan", "once+more+wrong").await.status, 422);
        hub.clock().advance(jiff::SignedDuration::from_millis(1_001));
        assert_eq!(fill_in(&router, "joan", PASSWORD).await.status, 429, "the wait has doubled");
        hub.clock().advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(fill_in(&router, "joan", PASSWORD).await.status, 303);
        let acts = hub.ledger().audit(Scope::Hub, None, 1_000).await.unwrap().items;
        let noted: Vec<_> = acts.iter().rev().filter(|act| act.action == "session.refuse").map(|act| act.subject.as_str()).collect();
        assert_eq!(noted, ["person:joan", "person:unknown", "person:gone", "person:unknown", "person:joan"]);
        assert!(!format!("{acts:?}").contains("no name"), "what was typed is nowhere kept");
    });
}

#[test]
fn a_name_that_nobody_has_takes_as_long() {
    let site = Site::staffordshire();
    wait(async {
        let (hub, _) = with_joan(&site).await;
        let took = async |name: &str| {
            let mut least = Duration::MAX;
            for _ in 0..5 {
                hub.clock().advance(jiff::SignedDuration::from_hours(24));
                let began = Instant::now();
                let refused = door(&hub).sign_in(name, SecretString::from("wrong password"), None).await;
                assert!(matches!(refused, Err(SignInRefused::Wrong)), "{refused:?}");
                least = least.min(began.elapsed());
            }
            least
        };
        let (known, unknown, odd) = (took("joan").await, took("nobody").await, took("no name!").await);
        for other in [unknown, odd] {
            assert!(other > known / 2 && other < known * 2, "{known:?} {unknown:?} {odd:?}");
        }
    });
}

#[test]
fn whoever_loses_a_role_loses_it_at_once_and_nothing_elsewhere() {
    let site = Site::staffordshire();
    wait(async {
        let (hub, _) = with_joan(&site).await;
        let key = signed_in(&hub, "joan").await;
        let (police, fire, joan) = (partner(POLICE), partner(FIRE), named("joan"));
        let now = async || door(&hub).session(&key).await.unwrap().expect("her session goes on");
        // Given while she is signed in, it holds at once.
        let elsewhere = NewRole { partner: &fire, person: &joan, role: "operator" };
        assert!(now().await.at(&fire).is_err());
        assert!(hub.ledger().grant_role(elsewhere, &operator(&hub)).await.unwrap());
        assert!(now().await.at(&fire).unwrap().can(Action::Run));
        let lose = async |role| hub.ledger().revoke_role(NewRole { partner: &police, person: &joan, role }, &operator(&hub)).await.unwrap();
        assert!(now().await.at(&police).unwrap().can(Action::Approve));
        assert!(lose("approver").await);
        let left = now().await.at(&police).unwrap();
        assert!(left.can(Action::Read) && !left.can(Action::Approve));
        assert!(lose("viewer").await);
        assert!(now().await.at(&police).is_err(), "she is nobody there");
        assert!(now().await.at(&fire).unwrap().can(Action::Run), "and what she was elsewhere");
    });
}

#[test]
fn the_keeper_of_the_hub_appoints_people_and_sees_nothing() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NINE)).await;
        person(&hub, "keeper", (POLICE, &[]), true).await;
        let key = signed_in(&hub, "keeper").await;
        let keeper = door(&hub).session(&key).await.unwrap().unwrap();
        assert!(keeper.is_hub_operator() && keeper.partners().len() == 2);
        for at in [POLICE, FIRE] {
            let caller = keeper.at(&partner(at)).unwrap();
            let may: Vec<Action> = Action::ALL.into_iter().filter(|action| caller.can(*action)).collect();
            assert_eq!(may, [Action::ManagePeople]);
        }
        assert!(keeper.at(&partner("nowhere")).is_err());
    });
}
