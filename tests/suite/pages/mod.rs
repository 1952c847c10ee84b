//! The console by its router, without a socket: what each role sees and may do, and that every page is whole.

mod acts;
mod live;
mod quick;
mod read;
mod rejects;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use bailiwick::access::Role;
use bailiwick::console;
use bailiwick::ledger::{NewPerson, NewRole, NewSession};
use bailiwick::model::ids::{Digest, PersonName, RunId};
use bailiwick::run::Hub;
use tower::ServiceExt as _;

use crate::support::*;

/// A hub with its console, and somebody of each role signed in at one partner.
struct Console {
    hub: Hub,
    router: Router,
    keys: BTreeMap<&'static str, String>,
}

/// What came back.
struct Page {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Page {
    fn location(&self) -> &str {
        self.headers.get("location").map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn has(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text:?} is missing ({}) in {}", self.status, self.text);
        self
    }

    #[track_caller]
    fn has_not(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} is in {}", self.text);
        self
    }

    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{} {}", self.location(), self.text);
        self
    }
}

const VIEWER: &str = "vera";
const OPERATOR: &str = "olu";
const APPROVER: &str = "ama";
const ADMIN: &str = "adam";

impl Console {
    /// Of the example, with the police's people of each role; the fire service has nobody.
    async fn open(site: &Site) -> Self {
        Self::of(site.hub(&clock_at("2026-10-19T06:00:00Z")).await).await
    }

    async fn of(hub: Hub) -> Self {
        let mut keys = BTreeMap::new();
        for (name, role) in [(VIEWER, Role::Viewer), (OPERATOR, Role::Operator), (APPROVER, Role::Approver), (ADMIN, Role::Admin)] {
            keys.insert(name, signed_in(&hub, name, role).await);
        }
        Self { router: console::router(hub.clone()), hub, keys }
    }

    async fn send(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        Page { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn get(&self, who: &str, path: &str) -> Page {
        let page = self.send(self.asked("GET", who, path).body(Body::empty()).unwrap()).await;
        if page.headers.get("content-type").is_some_and(|kind| kind == "text/html; charset=utf-8") {
            whole(path, &page.text);
        }
        page
    }

    /// Posts a form of this person's own session.
    async fn post(&self, who: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = bailiwick::access::form_key(&self.keys[who]);
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_as_it_is(who, path, &all).await
    }

    async fn post_as_it_is(&self, who: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.asked("POST", who, path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(encoded(fields))).unwrap()).await
    }

    fn asked(&self, method: &str, who: &str, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header("cookie", format!("bailiwick={}", self.keys[who]))
    }
}

/// Somebody with one role at the police, and the key of their session.
async fn signed_in(hub: &Hub, name: &str, role: Role) -> String {
    let person: PersonName = name.parse().unwrap();
    let new =
        NewPerson { name: person.clone(), display_name: format!("{name} <{role}>"), email: None, password: None, hub_operator: false };
    hub.ledger().add_person(&new, &operator(hub)).await.unwrap();
    let role = NewRole { partner: &partner(POLICE), person: &person, role: role.name() };
    hub.ledger().grant_role(role, &operator(hub)).await.unwrap();
    let key = Digest::of(name.as_bytes()).to_string();
    let stamp = hub.ledger().password_of(&person).await.unwrap().unwrap().stamp;
    let session = NewSession { hash: Digest::of(key.as_bytes()), person, stamp, came_from: String::new(), way: "password".to_owned() };
    hub.ledger().begin_session(&session, &operator(hub)).await.unwrap();
    key
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let part = |text: &str| {
        text.bytes().fold(String::new(), |mut all, byte| {
            if byte.is_ascii_alphanumeric() {
                all.push(char::from(byte))
            } else {
                write!(all, "%{byte:02X}").unwrap()
            }
            all
        })
    };
    fields.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect::<Vec<_>>().join("&")
}

const VOID: [&str; 5] = ["meta", "link", "input", "br", "hr"];

/// That a page is well formed: every tag ends where it should, ids are there once, there is one h1, a title, and every landmark; no
/// style or script of its own; and every label, description and fault leads to something that is there.
#[track_caller]
fn whole(path: &str, text: &str) {
    let mut open: Vec<String> = Vec::new();
    let (mut ids, mut wanted, mut headings) = (Vec::new(), Vec::new(), 0);
    let mut rest = text.strip_prefix("<!DOCTYPE html>").unwrap_or_else(|| panic!("{path}: no document type"));
    while let Some(begins) = rest.find('<') {
        let ends = rest[begins..].find('>').unwrap_or_else(|| panic!("{path}: a tag that is never closed")) + begins;
        let tag = &rest[begins + 1..ends];
        rest = &rest[ends + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{path}: </{name}> closes something else");
            continue;
        }
        let name = tag.split_whitespace().next().unwrap_or_default();
        headings += usize::from(name == "h1");
        for attribute in [" style=", " onclick=", " onload="] {
            assert!(!tag.contains(attribute), "{path}: <{tag}>");
        }
        assert!(name != "style", "{path}: a style of its own");
        assert!(name != "script" || tag.contains(" src=\"/assets/"), "{path}: a script of its own");
        ids.extend(attribute(tag, "id"));
        for name in ["for", "aria-describedby", "aria-labelledby"] {
            wanted.extend(attribute(tag, name).into_iter().flat_map(|all| all.split(' ').map(str::to_owned).collect::<Vec<_>>()));
        }
        if name == "a" {
            wanted.extend(attribute(tag, "href").and_then(|href| href.strip_prefix('#').map(str::to_owned)));
        }
        if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{path}: {open:?} are never closed");
    assert_eq!(headings, 1, "{path}: one h1");
    for landmark in ["<title>", "<main ", "<header ", "<footer ", "lang=\"en-GB\"", "href=\"#main\""] {
        assert!(text.contains(landmark), "{path}: {landmark}");
    }
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "{path}: an id twice: {ids:?}");
    for id in wanted {
        assert!(ids.contains(&id), "{path}: nothing has the id {id}");
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let after = tag.split_once(&format!(" {name}=\""))?.1;
    after.split_once('"').map(|(value, _)| value.to_owned())
}

/// A run of the police's pension return, at its end.
async fn closed_run(hub: &Hub) -> RunId {
    let run = request(hub, POLICE, LGPS).await;
    while hub.work_once().await.unwrap().is_some() {}
    run
}
