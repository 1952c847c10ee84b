//! How a registry wants to be signed in to: by a password, or by a token that somebody else gives for it.
//!
//! Nothing here shows what it is given.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use ureq::http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::OciError;
use crate::connection::https::encoded;

/// Largest answer of whoever gives tokens.
pub(super) const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// What a registry asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A password.
    Basic,
    /// A token, and where to get it.
    Bearer(Bearer),
}

/// Where a token is given, and for what.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bearer {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// Reads an answer's challenges. A token is preferred, as it ends.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let all = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let mut read: Vec<Self> = all.filter_map(Self::of).collect();
        read.sort_by_key(|challenge| *challenge == Self::Basic);
        read.into_iter().next()
    }

    fn of(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut bearer = Bearer::default();
        for (name, value) in parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => bearer.realm = value,
                "service" => bearer.service = Some(value),
                "scope" => bearer.scope = Some(value),
                _ => {}
            }
        }
        Some(Self::Bearer(bearer))
    }
}

impl Bearer {
    /// Where a token for a repository is asked for; none where that is no address, or has a password in it.
    pub(super) fn url(&self, repository: &str, pushes: bool) -> Option<String> {
        let usable = |byte: u8| byte.is_ascii_graphic() && !b"@#\\\"".contains(&byte);
        if !self.realm.contains("://") || !self.realm.bytes().all(usable) {
            return None;
        }
        let does = if pushes { "pull,push" } else { "pull" };
        let scope = self.scope.clone().unwrap_or_else(|| format!("repository:{repository}:{does}"));
        let mut url = format!("{}{}scope={}", self.realm, if self.realm.contains('?') { '&' } else { '?' }, encoded(&scope, false));
        if let Some(service) = &self.service {
            url += &format!("&service={}", encoded(service, false));
        }
        Some(url)
    }
}

/// The header for `USER:PASSWORD`.
pub(super) fn basic(host: &str, credentials: &SecretString) -> Result<HeaderValue, OciError> {
    let text = credentials.expose_secret();
    let wrong = |why| OciError::Credentials { host: host.to_owned(), why };
    if !text.contains(':') {
        return Err(wrong("there is no colon between user and password"));
    }
    let header = Zeroizing::new(format!("Basic {}", *Zeroizing::new(BASE64_STANDARD.encode(text))));
    let mut value = HeaderValue::from_str(&header).map_err(|_| wrong("they cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header for the token that somebody gave.
pub(super) fn token(answer: &[u8]) -> Option<HeaderValue> {
    #[derive(Deserialize)]
    struct Given {
        token: Option<String>,
        access_token: Option<String>,
    }
    let given: Given = serde_json::from_slice(answer).ok()?;
    let token = Zeroizing::new(given.token.or(given.access_token).filter(|token| !token.is_empty())?);
    let mut value = HeaderValue::from_str(&Zeroizing::new(format!("Bearer {}", *token))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `name="value"` after `name="value"`, with commas between them and within the quotes.
fn parameters(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let name = name.trim_matches([',', ' ']).to_owned();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        found.push((name, value.trim().to_owned()));
        text = rest;
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn challenged(texts: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(text).unwrap());
        }
        Challenge::read(&headers)
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = r#"Bearer realm="https://sign.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let Some(Challenge::Bearer(read)) = challenged(&["Basic realm=\"x\"", bearer]) else { panic!("a token is preferred") };
        let url = "https://sign.example/token?scope=repository%3Aa%2Fb%3Apull%2Cpush&service=registry.example";
        assert_eq!(read.url("other", false).unwrap(), url, "the registry says what for");
        let Some(Challenge::Bearer(bare)) = challenged(&["bearer realm=https://sign.example/t?a=b"]) else { panic!("a token") };
        assert_eq!(bare.url("a/b", true).unwrap(), "https://sign.example/t?a=b&scope=repository%3Aa%2Fb%3Apull%2Cpush");
        assert_eq!(challenged(&["Basic"]), Some(Challenge::Basic));
        assert_eq!(challenged(&["Negotiate", "Digest realm=\"x\""]), None);
        assert_eq!(challenged(&[]), None);
        for realm in ["", "sign.example", "https://user:word@sign.example", "https://sign.example/a b", "https://sign.example/#a"] {
            let Some(Challenge::Bearer(read)) = challenged(&[&format!("Bearer realm=\"{realm}\"")]) else { panic!("a token") };
            assert_eq!(read.url("a", false), None, "{realm}");
        }
    }

    #[test]
    fn what_signs_in_is_shown_by_nothing() {
        let canary = "canary-of-a-registry";
        let header = basic("h", &SecretString::from(format!("user:{canary}"))).unwrap();
        let given = token(format!("{{\"access_token\":\"{canary}\"}}").as_bytes()).unwrap();
        for shown in [format!("{header:?}"), format!("{given:?}")] {
            assert_eq!(shown, "Sensitive");
        }
        let refused = basic("h", &SecretString::from(canary.to_owned())).unwrap_err().to_string();
        assert!(refused.contains("no colon") && !refused.contains(canary), "{refused}");
        assert!(token(b"{}").is_none() && token(b"{\"token\":\"\"}").is_none() && token(b"[").is_none());
        assert!(token(b"{\"token\":\"a\\nb\"}").is_none(), "no second header");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn any_challenge_is_read_without_panic(text in "(Bearer )?[ -~]{0,60}") {
            let read = challenged(&[&text]);
            if let Some(Challenge::Bearer(bearer)) = read {
                let url = bearer.url("a", true);
                proptest::prop_assert!(url.is_none_or(|url| url.bytes().all(|byte| byte.is_ascii_graphic())));
            }
        }
    }
}
