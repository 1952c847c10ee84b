//! Signing in: the header that a request gets, and tokens fetched, kept and fetched anew.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use ureq::http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::mask::Mask;
use crate::connection::error::ConnectionError;
use crate::connection::outside::Credentials;
use crate::model::http::HttpError;
use crate::model::ids::{Digest, SecretName};
use crate::model::job::SignIn;

/// A token is fetched anew this long before it runs out, so that it does not run out on its way.
const EARLY: Duration = Duration::from_secs(20);

/// How long a token is kept whose provider does not say how long it is good for.
const LIFE_UNTOLD: Duration = Duration::from_secs(300);

/// Longest life that is believed.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3_600);

/// Where the token of one connection is kept, over its sessions: in memory, and nowhere else.
#[derive(Debug, Clone, Default)]
pub struct TokenSlot(Arc<Mutex<Option<Token>>>);

#[derive(Debug, Clone)]
struct Token {
    value: SecretString,
    /// Of the sign-in that it came of: another one's is no good.
    of: Digest,
    until: Instant,
}

/// How a place is signed in to, its credentials at hand.
pub(super) enum Signing {
    Not,
    /// The same header each time.
    Fixed(HeaderName, HeaderValue),
    /// A token that is fetched.
    Token(TokenSource),
}

/// Where tokens come from.
pub(super) struct TokenSource {
    pub(super) url: String,
    client: String,
    secret: SecretString,
    scope: Option<String>,
    of: Digest,
    slot: TokenSlot,
}

/// Sends a form with a header to an address, and answers with the status and the body. In time, or not at all.
pub(super) type SendForm<'a> = &'a dyn Fn(&str, &HeaderValue, String) -> Result<(u16, Vec<u8>), HttpError>;

impl Signing {
    pub(super) fn new(sign_in: &SignIn, slot: TokenSlot, credentials: Credentials<'_>, mask: &mut Mask) -> Result<Self, ConnectionError> {
        let needed = |name: &SecretName| credentials.get(Some(name)).map(|value| value.expect("it was named"));
        let checked = |text: &str, name: &SecretName| {
            header(text).ok_or_else(|| ConnectionError::Credential {
                name: name.clone(),
                why: "has a character that cannot stand in a header".to_owned(),
            })
        };
        if let Some(secret) = sign_in.secret() {
            mask.add(needed(secret)?.expose_secret());
        }
        Ok(match sign_in {
            SignIn::Not => Self::Not,
            SignIn::Basic { user, password } => {
                let pair = basic(user, needed(password)?);
                mask.add(pair.trim_start_matches("Basic "));
                Self::Fixed(AUTHORIZATION, checked(&pair, password)?)
            }
            SignIn::Bearer { token } => {
                let value = Zeroizing::new(format!("Bearer {}", needed(token)?.expose_secret()));
                Self::Fixed(AUTHORIZATION, checked(&value, token)?)
            }
            SignIn::ApiKey { header, key } => {
                let name = HeaderName::from_bytes(header.as_bytes()).expect("the configuration was checked");
                Self::Fixed(name, checked(needed(key)?.expose_secret(), key)?)
            }
            SignIn::OAuth { url, client, secret, scope } => {
                let value = needed(secret)?;
                mask.add(basic(client, value).trim_start_matches("Basic "));
                let text = [url, client, scope.as_deref().unwrap_or_default(), value.expose_secret()].join("\n");
                let of = Digest::of(Zeroizing::new(text).as_bytes());
                Self::Token(TokenSource { url: url.clone(), client: client.clone(), secret: value.clone(), scope: scope.clone(), of, slot })
            }
        })
    }

    /// The header's name, where it is the same each time: nobody else may set it.
    pub(super) fn header_name(&self) -> Option<&HeaderName> {
        match self {
            Self::Fixed(name, _) => Some(name),
            Self::Not | Self::Token(_) => None,
        }
    }
}

impl TokenSource {
    /// A token that has not run out; fetched, if there is none, or if it is the one that was refused.
    pub(super) fn token(&self, refused: Option<&SecretString>, send: SendForm<'_>) -> Result<SecretString, HttpError> {
        // Held while it is fetched: one fetch is enough for all who wait.
        let mut slot = self.slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |token: &&Token| {
            let is_refused = refused.is_some_and(|refused| refused.expose_secret() == token.value.expose_secret());
            token.of == self.of && token.until > Instant::now() && !is_refused
        };
        if let Some(token) = slot.as_ref().filter(good) {
            return Ok(token.value.clone());
        }
        *slot = None;
        let fetched = self.fetch(send)?;
        let value = fetched.value.clone();
        *slot = Some(fetched);
        Ok(value)
    }

    fn fetch(&self, send: SendForm<'_>) -> Result<Token, HttpError> {
        let authorization = header(&basic(&form_encoded(&self.client), &SecretString::from(form_encoded(self.secret.expose_secret()))));
        let authorization = authorization.expect("what is encoded can stand in a header");
        let scope = self.scope.as_ref().map(|scope| format!("&scope={}", form_encoded(scope))).unwrap_or_default();
        let asked = Instant::now();
        let (status, body) = send(&self.url, &authorization, format!("grant_type=client_credentials{scope}"))?;
        let body = Zeroizing::new(body);
        match status {
            200 => {}
            408 | 425 | 429 | 500.. => return Err(HttpError::Unreachable(format!("where tokens are given out answers {status}"))),
            _ => return Err(HttpError::NotSignedIn(format!("where tokens are given out answers {status}"))),
        }
        let unreadable = || HttpError::NotSignedIn("what was given out is no bearer token".to_owned());
        // What the reader says could repeat what it read.
        let answer: TokenAnswer = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        let kind = answer.token_type.as_deref().unwrap_or("bearer");
        let token = SecretString::from(answer.access_token);
        if !kind.eq_ignore_ascii_case("bearer") || token.expose_secret().is_empty() || bearer(&token).is_none() {
            return Err(unreadable());
        }
        let life = answer.expires_in.map_or(LIFE_UNTOLD, Duration::from_secs).min(LIFE_MAX);
        Ok(Token { value: token, of: self.of, until: asked + life.saturating_sub(EARLY.min(life / 4)) })
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<u64>,
}

/// The header of a token.
pub(super) fn bearer(token: &SecretString) -> Option<HeaderValue> {
    header(&Zeroizing::new(format!("Bearer {}", token.expose_secret())))
}

fn basic(user: &str, password: &SecretString) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
    Zeroizing::new(format!("Basic {}", *encoded))
}

fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// As a form has it.
fn form_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    fn source(secret: &str, slot: &TokenSlot) -> TokenSource {
        let name: SecretName = "provider-secret".parse().unwrap();
        let credentials = BTreeMap::from([(name.clone(), SecretString::from(secret.to_owned()))]);
        let scope = Some("payments read".to_owned());
        let sign_in = SignIn::OAuth { url: "https://tokens.example/t".to_owned(), client: "police".to_owned(), secret: name, scope };
        match Signing::new(&sign_in, slot.clone(), Credentials(&credentials), &mut Mask::default()).unwrap() {
            Signing::Token(source) => source,
            Signing::Not | Signing::Fixed(..) => panic!("it has tokens"),
        }
    }

    #[test]
    fn tokens_are_kept_until_they_run_out_or_are_refused() {
        let (slot, asked) = (TokenSlot::default(), RefCell::new(Vec::new()));
        let send = |life: u64| {
            let asked = &asked;
            move |url: &str, _: &HeaderValue, form: String| {
                asked.borrow_mut().push(format!("{url} {form}"));
                let number = asked.borrow().len();
                Ok((200, format!(r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":{life}}}"#).into_bytes()))
            }
        };
        let first = source("s3cret-1", &slot).token(None, &send(3_600)).unwrap();
        assert_eq!(asked.borrow()[0], "https://tokens.example/t grant_type=client_credentials&scope=payments%20read");
        assert_eq!(source("s3cret-1", &slot).token(None, &send(3_600)).unwrap().expose_secret(), first.expose_secret());
        let second = source("s3cret-1", &slot).token(Some(&first), &send(3_600)).unwrap();
        assert_eq!((first.expose_secret(), second.expose_secret(), asked.borrow().len()), ("token-1", "token-2", 2));
        // One that was refused before is not what is kept now.
        assert_eq!(source("s3cret-1", &slot).token(Some(&first), &send(3_600)).unwrap().expose_secret(), "token-2");
        assert_eq!(source("s3cret-2", &slot).token(None, &send(0)).unwrap().expose_secret(), "token-3");
        assert_eq!(source("s3cret-2", &slot).token(None, &send(60)).unwrap().expose_secret(), "token-4");
    }

    #[test]
    fn what_is_no_token_is_told_without_repeating_it() {
        for (status, body, word) in [
            (401, "s3cret", "answers 401"),
            (400, "s3cret", "answers 400"),
            (503, "s3cret", "answers 503"),
            (200, "s3cret", "no bearer token"),
            (200, r#"{"access_token":"s3cret","token_type":"mac"}"#, "no bearer token"),
            (200, "{\"access_token\":\"s3cret\\n\"}", "no bearer token"),
        ] {
            let send = |_: &str, _: &HeaderValue, _: String| Ok((status, body.as_bytes().to_vec()));
            let error = source("other-s3cret", &TokenSlot::default()).token(None, &send).unwrap_err().to_string();
            assert!(error.contains(word) && !error.contains("s3cret"), "{error}");
        }
    }
}
