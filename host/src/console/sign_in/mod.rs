//! The way in and out: a form for a name and a password, and the cookie that comes of it.
//!
//! ```text
//! GET  /sign-in    the form; ?next= says where to go afterwards
//! POST /sign-in    name, password
//! POST /sign-out   ends the session
//! GET  /sign-in/provider           to the provider of identities, where there is one; ?next=
//! GET  /sign-in/provider/answer    back from it
//! ```
//!
//! A page takes [`SignedIn`](crate::access::SignedIn) as an argument, and whoever is not is led here first.
//! It must not know what any page shows.

mod cookie;
mod elsewhere;
mod who;

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use axum_extra::extract::CookieJar;
use maud::html;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::look::{Faults, Field, Frame, Page, Weight, button, form as form_of, hidden};
use crate::access::{Door, Provider, SignInRefused, form_key};
use crate::run::Hub;
pub use cookie::OverTls;
use cookie::{Crumbs, fresh_key};
pub use who::CameFrom;
use who::{From, escaped, next_of};

/// The routes of signing in and out.
pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-in/provider", get(elsewhere::leave))
        .route("/sign-in/provider/answer", get(elsewhere::arrive))
        .route("/sign-out", post(sign_out))
}

/// The door of a hub, now.
fn door(hub: &Hub) -> Door<'_> {
    Door { ledger: hub.ledger(), hub: hub.id(), now_ms: hub.clock().now_ms() }
}

#[derive(Debug, Deserialize, Default)]
struct Next {
    #[serde(default)]
    next: String,
}

/// What the form carries. No `Debug`: it has a password.
#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: SecretText,
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    next: String,
}

/// A text that is wiped when it is dropped.
#[derive(Default)]
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretString::from(text)))
    }
}

async fn form(provider: Option<Extension<Arc<Provider>>>, crumbs: Crumbs, jar: CookieJar, Query(Next { next }): Query<Next>) -> Response {
    let shown = Shown { next: next_of(&next), name: "", said: None, provider: provider.as_deref().map(AsRef::as_ref) };
    again(StatusCode::OK, (crumbs, jar), &shown)
}

async fn sign_in(
    State(hub): State<Hub>,
    provider: Option<Extension<Arc<Provider>>>,
    From(from): From,
    (crumbs, jar): (Crumbs, CookieJar),
    typed: Result<Form<Typed>, FormRejection>,
) -> Response {
    let Ok(Form(typed)) = typed else { return StatusCode::BAD_REQUEST.into_response() };
    let next = next_of(&typed.next);
    let turned_away = |jar: CookieJar, status, said: &str| {
        let provider = provider.as_deref().map(AsRef::as_ref);
        again(status, (crumbs, jar), &Shown { next, name: &typed.name, said: Some(said), provider })
    };
    if crumbs.form_key(&jar).is_none_or(|key| form_key(key.expose_secret()) != typed.csrf) {
        return turned_away(jar, StatusCode::FORBIDDEN, "this form was open for too long, or your browser keeps no cookies: try again");
    }
    match door(&hub).sign_in(&typed.name, typed.password.0.clone(), from).await {
        Ok(key) => (jar.add(crumbs.for_session(&key)), Redirect::to(next)).into_response(),
        Err(refused) => {
            let status = match &refused {
                SignInRefused::Wrong => StatusCode::UNPROCESSABLE_ENTITY,
                SignInRefused::Wait { .. } => StatusCode::TOO_MANY_REQUESTS,
                SignInRefused::TooMany => StatusCode::SERVICE_UNAVAILABLE,
                SignInRefused::Ledger(error) => return fault(error),
            };
            turned_away(jar, status, &refused.to_string())
        }
    }
}

#[derive(Deserialize)]
struct Leaving {
    #[serde(default)]
    csrf: String,
}

async fn sign_out(State(hub): State<Hub>, crumbs: Crumbs, jar: CookieJar, sent: Result<Form<Leaving>, FormRejection>) -> Response {
    let Ok(Form(sent)) = sent else { return StatusCode::BAD_REQUEST.into_response() };
    if let Some(key) = crumbs.session_key(&jar) {
        if form_key(key.expose_secret()) != sent.csrf {
            return (StatusCode::FORBIDDEN, "this form was not sent from a page of this hub: open the page again").into_response();
        }
        if let Err(error) = door(&hub).sign_out(key.expose_secret()).await {
            return fault(&error);
        }
    }
    (jar.add(crumbs.gone()), Redirect::to("/sign-in")).into_response()
}

/// What is the hub's own affair is logged, not told.
fn fault(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "signing in or out failed");
    (StatusCode::SERVICE_UNAVAILABLE, "the hub could not do this; its log says why").into_response()
}

/// The form, once more or for the first time. All forms of a browser have one key, so that one in another tab stays good.
fn again(status: StatusCode, (crumbs, jar): (Crumbs, CookieJar), shown: &Shown<'_>) -> Response {
    let key = crumbs.form_key(&jar).unwrap_or_else(fresh_key);
    let page = page(&form_key(key.expose_secret()), shown, status);
    (jar.add(crumbs.for_form(&key)), [(CACHE_CONTROL, "no-store")], page).into_response()
}

struct Shown<'a> {
    next: &'a str,
    name: &'a str,
    /// Why the last attempt came to nothing.
    said: Option<&'a str>,
    /// Where else they may sign in.
    provider: Option<&'a Provider>,
}

fn page(csrf: &str, shown: &Shown<'_>, status: StatusCode) -> Response {
    // Told of both at once: which of the two was wrong is not said.
    let faults = shown.said.map_or_else(Faults::new, |said| Faults::one("name", sentence(said)));
    let content = form_of(
        "/sign-in",
        csrf,
        html! {
            (hidden("next", shown.next))
            div class="field" {
                label for="name" { "Name" }
                input class="middle" id="name" name="name" value=(shown.name) autocomplete="username" autocapitalize="none" spellcheck="false"
                    aria-invalid=[shown.said.map(|_| "true")] required;
            }
            (Field::new("password", "Password").class("middle").complete("current-password").input("password"))
            (button(Weight::First, "Sign in"))
        },
    );
    let elsewhere = html! {
        @if let Some(provider) = shown.provider {
            p { a href=(format!("/sign-in/provider?next={}", escaped(shown.next))) { "Sign in at " (provider.title()) } }
        }
    };
    Page::new(Frame::default(), "Sign in").faults(&faults).status(status).body(html! { (content) (elsewhere) })
}

/// What is told, as a sentence.
fn sentence(said: &str) -> String {
    let mut text = said.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}
