//! A provider's API: its address, how the hub signs in, and what may be asked there.

use toml::Spanned;

use crate::model::http::{Origin, RequestRule, check_target, is_hubs_own};
use crate::model::job::{ApiPlace, RedirectRule, SignIn};

use super::{Entry, span};

/// Largest answer, where the connection does not say: 8 MiB, which is a large page.
const ANSWER_BYTES_DEFAULT: u64 = 8 << 20;

/// Largest answer at most: a plugin holds it in its memory.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Most rules of a connection.
const RULES_MAX: usize = 64;

impl Entry<'_> {
    pub(super) fn api(&mut self) -> Option<ApiPlace> {
        let of = self.written;
        let url = self.api_address(of.url.as_ref(), "url = \"https://…\"");
        let sign_in = self.sign_in();
        let (ca_file, client_certificate, client_key) = self.certificates();
        let requests = self.requests();
        let redirects = of.redirects.iter().flat_map(|rules| rules.get_ref()).map(|rule| self.redirect(rule)).collect::<Vec<_>>();
        Some(ApiPlace {
            url: url?.trim_end_matches('/').to_owned(),
            sign_in: sign_in?,
            ca_file,
            client_certificate,
            client_key,
            requests: requests?,
            redirects: redirects.into_iter().collect::<Option<_>>()?,
            allow_private: of.allow_private.as_ref().is_some_and(|allowed| *allowed.get_ref()),
            // Few providers promise it, and a payment that is made twice is not taken back.
            idempotent: of.idempotent.as_ref().is_some_and(|idempotent| *idempotent.get_ref()),
            answer_bytes_max: self.amount(of.answer_bytes_max.as_ref(), "answer-bytes-max", (ANSWER_BYTES_DEFAULT, 1..ANSWER_BYTES_MAX)),
        })
    }

    /// An address that means the same to everybody who reads it: rules are about its host and its paths.
    fn api_address(&mut self, written: Option<&Spanned<String>>, example: &str) -> Option<String> {
        let url = self.address(written, example)?;
        if Origin::of(&url).is_some_and(|(_, target)| check_target(&target).is_ok()) {
            return Some(url);
        }
        let to_do = format!("write a plain host, a port if need be, and a plain path: {example}");
        self.wrong(span(written).unwrap_or_default(), format!("{url:?} is no plain address"), to_do);
        None
    }

    fn sign_in(&mut self) -> Option<SignIn> {
        let of = self.written;
        let ways = [
            ("user and password-secret", [of.user.as_ref(), of.password_secret.as_ref()]),
            ("token-secret", [of.token_secret.as_ref(); 2]),
            ("api-key-header and api-key-secret", [of.api_key_header.as_ref(), of.api_key_secret.as_ref()]),
        ];
        let oauth = [of.oauth_url.as_ref(), of.oauth_client.as_ref(), of.oauth_secret.as_ref()];
        let begun: Vec<(&str, bool, std::ops::Range<usize>)> = ways
            .iter()
            .map(|(name, parts)| (*name, parts.as_slice()))
            .chain([("oauth-url, oauth-client and oauth-secret", oauth.as_slice())])
            .filter_map(|(name, parts)| {
                let first = parts.iter().flatten().next()?;
                Some((name, parts.iter().all(Option::is_some), first.span()))
            })
            .collect();
        for (name, whole, at) in &begun {
            if !whole {
                self.wrong(at.clone(), format!("{name} belong together"), "write all of them, or none");
            }
        }
        if let [_, (_, _, at), ..] = begun.as_slice() {
            self.wrong(at.clone(), "the hub signs in in one way", "take the others out");
            return None;
        }
        if let (Some(at), false) = (span(of.oauth_scope.as_ref()), oauth[0].is_some()) {
            self.wrong(at, "oauth-scope belongs to oauth-url", "add oauth-url, oauth-client and oauth-secret, or take it out");
        }
        if begun.iter().any(|(_, whole, _)| !whole) {
            return None;
        }
        Some(if let Some(token) = &of.token_secret {
            SignIn::Bearer { token: self.secret(Some(token))? }
        } else if of.password_secret.is_some() {
            SignIn::Basic { user: self.text(of.user.as_ref(), "user = \"…\"")?, password: self.secret(of.password_secret.as_ref())? }
        } else if of.api_key_secret.is_some() {
            SignIn::ApiKey { header: self.key_header()?, key: self.secret(of.api_key_secret.as_ref())? }
        } else if of.oauth_url.is_some() {
            SignIn::OAuth {
                url: self.api_address(of.oauth_url.as_ref(), "oauth-url = \"https://…\"")?,
                client: self.text(of.oauth_client.as_ref(), "oauth-client = \"…\"")?,
                secret: self.secret(of.oauth_secret.as_ref())?,
                scope: of.oauth_scope.as_ref().map(|scope| scope.get_ref().clone()),
            }
        } else {
            SignIn::Not
        })
    }

    /// A header for a key: one that no plugin could set for something else.
    fn key_header(&mut self) -> Option<String> {
        let written = self.written.api_key_header.as_ref()?;
        let name = written.get_ref().to_ascii_lowercase();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let taken = is_hubs_own(&name) || ["accept", "content-type", "idempotency-key"].contains(&name.as_str());
        if name.is_empty() || !name.bytes().all(plain) || taken {
            self.wrong(written.span(), format!("{name:?} is no header for a key"), "write its name, such as \"x-api-key\"");
            return None;
        }
        Some(name)
    }

    fn requests(&mut self) -> Option<Vec<RequestRule>> {
        const TO_DO: &str = "add requests = [\"GET /v2/payments\"], each a method and a path below url";
        let Some(written) = &self.written.requests else {
            self.wrong(self.written.kind.span(), "nothing says what may be asked there", TO_DO);
            return None;
        };
        if written.get_ref().is_empty() || written.get_ref().len() > RULES_MAX {
            self.wrong(written.span(), format!("there are {} rules", written.get_ref().len()), format!("write 1 to {RULES_MAX}"));
        }
        let rules = written.get_ref().iter().map(|rule| self.parsed(rule)).collect::<Vec<_>>();
        rules.into_iter().collect()
    }

    /// Where an answer may redirect to: `files.example.org/exports/**`.
    fn redirect(&mut self, written: &Spanned<String>) -> Option<RedirectRule> {
        let text = written.get_ref();
        let (host, path) = text.split_at(text.find('/').unwrap_or(text.len()));
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(plain) || path.is_empty() || host.ends_with(":443") || text.contains("://") {
            let to_do = "write a host in lower case and the paths there, such as \"files.example.org/exports/**\"";
            self.wrong(written.span(), format!("{text:?} is no place that could be redirected to"), to_do);
            return None;
        }
        let rule = format!("GET {path}").parse::<RequestRule>();
        let paths = rule.map_err(|why| self.source.problem(Some(written.span()), why, "write the path as in a request's rule"));
        self.problems.note(paths).map(|paths| RedirectRule { host: host.to_owned(), paths })
    }

    fn parsed(&mut self, written: &Spanned<String>) -> Option<RequestRule> {
        let rule = written.get_ref().parse::<RequestRule>();
        let to_do = "write a method and a path, such as \"GET /v2/payments/*\"";
        self.problems.note(rule.map_err(|why| self.source.problem(Some(written.span()), why, to_do)))
    }
}
