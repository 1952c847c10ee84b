//! People and tokens: signing in, and that nobody comes to anything of a partner that is not theirs, whatever they ask.

mod people;
mod provider;
mod refusals;
mod routes;
mod sign_in;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use bailiwick::access::{Door, Role, hashed};
use bailiwick::ledger::{NewPerson, NewRole};
use bailiwick::model::ids::PersonName;
use bailiwick::run::Hub;
use secrecy::{ExposeSecret as _, SecretString};
use tower::ServiceExt as _;

use crate::support::*;

const PASSWORD: &str = "three blue lorries";

/// What came back.
struct Came {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Came {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a cookie that it sets.
    fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        set.filter_map(|cookie| cookie.split(';').next()?.strip_prefix(&format!("{name}="))).map(str::to_owned).next()
    }
}

async fn send(router: &Router, request: Request<Body>) -> Came {
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
    Came { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

fn named(name: &str) -> PersonName {
    name.parse().unwrap()
}

/// A person with a password and some roles at one partner.
async fn person(hub: &Hub, name: &str, (owner, roles): (&str, &[Role]), hub_operator: bool) {
    let password = Some(hashed(&named(name), SecretString::from(PASSWORD)).await.unwrap());
    let new = NewPerson { name: named(name), display_name: format!("{name} of {owner}"), email: None, password, hub_operator };
    hub.ledger().add_person(&new, &operator(hub)).await.unwrap();
    for role in roles {
        let role = NewRole { partner: &partner(owner), person: &named(name), role: role.name() };
        assert!(hub.ledger().grant_role(role, &operator(hub)).await.unwrap());
    }
}

fn door(hub: &Hub) -> Door<'_> {
    Door { ledger: hub.ledger(), hub: hub.id(), now_ms: hub.clock().now_ms() }
}

/// The key of a session.
async fn signed_in(hub: &Hub, name: &str) -> String {
    door(hub).sign_in(name, SecretString::from(PASSWORD), None).await.unwrap().expose_secret().to_owned()
}
