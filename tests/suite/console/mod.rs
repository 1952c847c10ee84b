//! The console without a browser: pages asked for and forms posted by people of each role, at the router itself.

mod keeping;
mod personal;
mod releases;
mod rules;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bailiwick::access::form_key;
use bailiwick::ledger::{NewPerson, NewRole, NewSession};
use bailiwick::model::ids::{Digest, PersonName};
use bailiwick::run::Hub;
use bailiwick::server;
use tower::ServiceExt as _;

use crate::support::*;

/// A hub with its pages.
struct Desk {
    hub: Hub,
    router: Router,
}

/// Somebody who is signed in.
struct Clerk<'a> {
    desk: &'a Desk,
    cookie: String,
    csrf: String,
}

/// What came back.
struct Answer {
    status: StatusCode,
    to: String,
    text: String,
}

impl Answer {
    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Whether the page says all of this.
    #[track_caller]
    fn says(&self, sentences: &[&str]) -> &Self {
        for sentence in sentences {
            assert!(self.text.contains(sentence), "{sentence:?} in {}", self.text);
        }
        self
    }

    /// Whether the page says none of this.
    #[track_caller]
    fn hides(&self, sentences: &[&str]) -> &Self {
        for sentence in sentences {
            assert!(!self.text.contains(sentence), "{sentence:?} in {}", self.text);
        }
        self
    }
}

impl Desk {
    fn at(hub: Hub) -> Self {
        Self { router: server::router(hub.clone()), hub }
    }

    /// Somebody with roles at a partner, signed in.
    async fn clerk(&self, name: &str, owner: &str, roles: &[&str]) -> Clerk<'_> {
        self.person(name, (owner, roles), false).await
    }

    /// Whoever keeps the hub, with a role at one partner perhaps, signed in.
    async fn keeper(&self, name: &str, of: (&str, &[&str])) -> Clerk<'_> {
        self.person(name, of, true).await
    }

    async fn person(&self, name: &str, (owner, roles): (&str, &[&str]), hub_operator: bool) -> Clerk<'_> {
        let (ledger, by, person) = (self.hub.ledger(), operator(&self.hub), name.parse::<PersonName>().unwrap());
        let new = NewPerson { name: person.clone(), display_name: format!("{name} Example"), email: None, password: None, hub_operator };
        ledger.add_person(&new, &by).await.unwrap();
        for role in roles {
            ledger.grant_role(NewRole { partner: &partner(owner), person: &person, role }, &by).await.unwrap();
        }
        let key = Digest::of(name.as_bytes()).to_string();
        let stamp = ledger.password_of(&person).await.unwrap().unwrap().stamp;
        let hash = Digest::of(key.as_bytes());
        let session = NewSession { hash, person, stamp, came_from: "192.0.2.7".to_owned(), way: "password".to_owned() };
        ledger.begin_session(&session, &by).await.unwrap();
        Clerk { desk: self, csrf: form_key(&key), cookie: format!("bailiwick={key}") }
    }
}

impl Clerk<'_> {
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.desk.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let to = response.headers().get("location").map_or("", |to| to.to_str().unwrap()).to_owned();
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        Answer { status, to, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).header("cookie", &self.cookie).body(Body::empty()).unwrap()).await
    }

    /// Posts a form with the session's token.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_bare(path, &all).await
    }

    /// Posts a form as it is.
    async fn post_bare(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&");
        let request = Request::post(path).header("cookie", &self.cookie).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Posts files.
    async fn upload(&self, path: &str, parts: &[(&str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, content) in parts {
            let file = if *name == "csrf" { String::new() } else { "; filename=\"a\"".to_owned() };
            body.extend_from_slice(format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--edge--\r\n");
        let request = Request::post(path).header("cookie", &self.cookie).header("content-type", "multipart/form-data; boundary=edge");
        self.send(request.body(body.into()).unwrap()).await
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
