//! The two cookies: the key of a session, and the key of the form before there is one.
//!
//! Neither is seen by scripts, sent along from other sites' forms, or sent in the clear where the hub speaks TLS.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::ids::Digest;

/// Put into a request's extensions where its browser speaks TLS to the hub, or to a proxy before it.
#[derive(Debug, Clone, Copy)]
pub struct OverTls;

/// How cookies of one request are named and marked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crumbs {
    secure: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Crumbs {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Crumbs {
    pub(super) fn of(parts: &Parts) -> Self {
        Self { secure: parts.extensions.get::<OverTls>().is_some() }
    }

    /// The key of the session, if the browser has one.
    pub(super) fn session_key(self, jar: &CookieJar) -> Option<SecretString> {
        key_of(jar, self.session())
    }

    /// The key of the form, if the browser has one.
    pub(super) fn form_key(self, jar: &CookieJar) -> Option<SecretString> {
        key_of(jar, self.form())
    }

    /// Gives the browser the key of a session, until it is closed; the hub ends the session on its own.
    pub(super) fn for_session(self, key: &SecretString) -> Cookie<'static> {
        self.cookie(self.session(), key.expose_secret().to_owned())
    }

    pub(super) fn for_form(self, key: &SecretString) -> Cookie<'static> {
        self.cookie(self.form(), key.expose_secret().to_owned())
    }

    /// Takes the key of the session away.
    pub(super) fn gone(self) -> Cookie<'static> {
        let mut cookie = self.cookie(self.session(), String::new());
        cookie.make_removal();
        cookie
    }

    /// With the prefix that makes a browser refuse the cookie from anybody but this very host, over TLS.
    const fn session(self) -> &'static str {
        if self.secure { "__Host-bailiwick" } else { "bailiwick" }
    }

    const fn form(self) -> &'static str {
        if self.secure { "__Host-bailiwick-form" } else { "bailiwick-form" }
    }

    fn cookie(self, name: &'static str, value: String) -> Cookie<'static> {
        Cookie::build((name, value)).path("/").http_only(true).same_site(SameSite::Lax).secure(self.secure).build()
    }
}

/// A key for a form of somebody who is not signed in.
pub(super) fn fresh_key() -> SecretString {
    let mut chance = [0_u8; 32];
    getrandom::fill(&mut chance).expect("the system gives random numbers");
    SecretString::from(Digest::new(chance).to_string())
}

/// What is no key is none: it is compared with nothing.
fn key_of(jar: &CookieJar, name: &str) -> Option<SecretString> {
    let text = jar.get(name)?.value();
    text.parse::<Digest>().is_ok().then(|| SecretString::from(text.to_owned()))
}
