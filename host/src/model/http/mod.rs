//! Requests and answers of a provider's API, as a connector sees them, and which requests may be made at all.
//!
//! Pure: nothing here knows a credential or a socket.

mod origin;

use std::fmt;
use std::str::FromStr;

pub use origin::Origin;

use super::outcome::misleads;

/// Methods that a connector may use. What changes nothing at the provider comes first.
pub const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// Longest path with its query, in bytes.
pub const TARGET_BYTES_MAX: usize = 8 << 10;

/// Most headers of a request or of an answer.
pub const HEADERS_MAX: usize = 64;

/// Most bytes of all headers of a request or of an answer.
pub const HEADER_BYTES_MAX: usize = 16 << 10;

/// Longest wait that a connector may ask for in one call, in seconds.
pub const WAIT_SECONDS_MAX: u32 = 60;

/// Headers that are the hub's alone: whom a message is for, who sends it, what it may, and how it is carried.
const HUBS_OWN: [&str; 22] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "www-authenticate",
];

/// How the names of further such headers begin.
const HUBS_OWN_BEGIN: [&str; 4] = ["proxy-", "sec-", "x-forwarded-", "x-http-method"];

/// A header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// One of [`METHODS`].
    pub method: String,
    /// Path and query below the connection's address, from the first slash.
    pub target: String,
    /// Its headers.
    pub headers: Vec<HttpHeader>,
    /// Its body, if it has one.
    pub body: Option<Vec<u8>>,
}

/// What was answered, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// 200, 404 and so on.
    pub status: u16,
    /// Its headers, without those that are the hub's.
    pub headers: Vec<HttpHeader>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Why there is no answer. It is for the plugin to deal with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Neither manifest nor connection may be exceeded.
    #[error("not allowed: {0}")]
    NotAllowed(String),
    /// The plugin set a header that is the hub's.
    #[error("header {0} is set by the hub alone")]
    ForbiddenHeader(String),
    /// The request is no request.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The answer has more bytes than this.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
    /// No answer, or no whole one, in time. It may have been acted on.
    #[error("no answer in time")]
    TimedOut,
    /// Nothing was asked.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// It may have been acted on.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The answer leads where nobody may go.
    #[error("redirect refused: {0}")]
    RedirectRefused(String),
    /// The provider does not accept the hub's credentials.
    #[error("not signed in: {0}")]
    NotSignedIn(String),
}

impl HttpRequest {
    /// Bytes that it sends, roughly: what a limit counts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let headers: usize = self.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
        (self.method.len() + self.target.len() + headers + self.body.as_ref().map_or(0, Vec::len)) as u64
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Whether it changes nothing at the provider, so that it may be asked again.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Checks that it is a request that a connector may make, wherever it goes.
    ///
    /// # Errors
    /// [`HttpError::Malformed`] and [`HttpError::ForbiddenHeader`].
    pub fn check(&self) -> Result<(), HttpError> {
        let malformed = |why: &str| Err(HttpError::Malformed(why.to_owned()));
        if !METHODS.contains(&self.method.as_str()) {
            return malformed(&format!("the method is none of {}", METHODS.join(", ")));
        }
        if matches!(self.method.as_str(), "GET" | "HEAD" | "DELETE") && self.body.is_some() {
            return malformed("GET, HEAD and DELETE have no body");
        }
        check_target(&self.target).map_err(HttpError::Malformed)?;
        if self.headers.len() > HEADERS_MAX {
            return malformed(&format!("it has more than {HEADERS_MAX} headers"));
        }
        let bytes: usize = self.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
        if bytes > HEADER_BYTES_MAX {
            return malformed(&format!("its headers have more than {HEADER_BYTES_MAX} bytes"));
        }
        for header in &self.headers {
            let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
            if header.name.is_empty() || !header.name.bytes().all(token) {
                return malformed("a header's name is not in lower-case letters, digits and hyphens");
            }
            if !header.value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                return malformed("a header's value has characters that no header has");
            }
            if is_hubs_own(&header.name) {
                return Err(HttpError::ForbiddenHeader(header.name.clone()));
            }
        }
        Ok(())
    }
}

/// Whether a header is set, and seen, by the hub alone. The name is in lower case.
#[must_use]
pub fn is_hubs_own(name: &str) -> bool {
    HUBS_OWN.contains(&name) || HUBS_OWN_BEGIN.iter().any(|begin| name.starts_with(begin))
}

/// A path that two readers could take for two paths is refused: rules are about the path that the provider will see.
///
/// # Errors
/// Why it is no path with a query.
pub fn check_target(target: &str) -> Result<(), String> {
    if target.len() > TARGET_BYTES_MAX {
        return Err(format!("the path is longer than {TARGET_BYTES_MAX} bytes"));
    }
    if !target.starts_with('/') {
        return Err("the path does not begin with a slash".to_owned());
    }
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte);
    if !target.bytes().all(plain) {
        return Err("the path has a character that must be written as % and two digits".to_owned());
    }
    let path = target.split('?').next().unwrap_or_default();
    let escapes_whole = |text: &str| {
        let after = text.split('%').skip(1);
        after.into_iter().all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
    };
    if !escapes_whole(target) {
        return Err("a % stands without its two digits".to_owned());
    }
    let lower = path.to_ascii_lowercase();
    if ["%2e", "%2f", "%5c", "%00", "%25"].iter().any(|escape| lower.contains(escape)) {
        return Err("the path hides a dot, a slash, a backslash, a per cent sign or a nought".to_owned());
    }
    if path[1..].split('/').any(|part| part == "." || part == "..") || path.contains("//") || path.contains(';') {
        return Err("the path has an empty part, a semicolon, or one that leads up".to_owned());
    }
    Ok(())
}

/// A method and the paths with which it may be used: `GET /v2/payments/*`.
///
/// A `*` stands for one part of the path, whatever is in it; `**` at the end for all that may follow, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRule {
    method: &'static str,
    path: String,
}

impl RequestRule {
    /// Whether it allows a request.
    #[must_use]
    pub fn allows(&self, method: &str, path: &str) -> bool {
        let mut wanted = self.path[1..].split('/');
        let mut parts = path.strip_prefix('/').unwrap_or(path).split('/');
        self.method == method
            && path.starts_with('/')
            && loop {
                match (wanted.next(), parts.next()) {
                    (Some("**"), _) => break true,
                    (Some("*"), Some(part)) if !part.is_empty() => {}
                    (Some(wanted), Some(part)) if wanted == part && wanted != "*" => {}
                    (None, None) => break true,
                    _ => break false,
                }
            }
    }

    /// The paths, as they are written.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether what it allows changes nothing at the provider.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        matches!(self.method, "GET" | "HEAD")
    }
}

impl fmt::Display for RequestRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl FromStr for RequestRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            |why: String| format!("{:?} is no rule for requests: {why}", text.chars().filter(|c| !misleads(*c)).collect::<String>());
        let (method, path) = text.split_once(' ').ok_or_else(|| wrong("it has no method and path".to_owned()))?;
        let method = METHODS.into_iter().find(|known| *known == method);
        let method = method.ok_or_else(|| wrong(format!("the method is none of {}", METHODS.join(", "))))?;
        check_target(path).map_err(wrong)?;
        if path.contains('?') {
            return Err(wrong("it has a query, and rules are about paths".to_owned()));
        }
        let parts: Vec<&str> = path[1..].split('/').collect();
        let odd = |(place, part): (usize, &&str)| part.contains('*') && *part != "*" && (*part != "**" || place + 1 < parts.len());
        if parts.iter().enumerate().any(odd) {
            return Err(wrong("* stands for one whole part of the path, and ** stands at its end alone".to_owned()));
        }
        Ok(Self { method, path: path.to_owned() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asks(method: &str, target: &str, headers: &[(&str, &str)], body: Option<&str>) -> Result<(), HttpError> {
        let header = |(name, value): &(&str, &str)| HttpHeader { name: (*name).to_owned(), value: (*value).to_owned() };
        let headers = headers.iter().map(header).collect();
        let body = body.map(|body| body.as_bytes().to_vec());
        HttpRequest { method: method.to_owned(), target: target.to_owned(), headers, body }.check()
    }

    #[test]
    fn requests_are_plain() {
        assert_eq!(asks("GET", "/v2/payments?page=3&of=a%2Fb", &[("accept", "application/json")], None), Ok(()));
        assert_eq!(asks("POST", "/", &[("idempotency-key", "a-1")], Some("x")), Ok(()));
        for (method, target) in [
            ("get", "/"),
            ("TRACE", "/"),
            ("CONNECT", "/"),
            ("GET", ""),
            ("GET", "v2"),
            ("GET", "//other.example/"),
            ("GET", "/a/../b"),
            ("GET", "/a/./b"),
            ("GET", "/a/%2e%2E/b"),
            ("GET", "/a%2Fb"),
            ("GET", "/a%5cb"),
            ("GET", "/a%252fb"),
            ("GET", "/a\\b"),
            ("GET", "/a#b"),
            ("GET", "/a b"),
            ("GET", "/a\r\nhost: b"),
            ("GET", "/%"),
            ("GET", "/a?%zz"),
            ("GET", "/é"),
            ("GET", "/a;b"),
        ] {
            assert!(matches!(asks(method, target, &[], None), Err(HttpError::Malformed(_))), "{method} {target}");
        }
        assert!(matches!(asks("GET", "/", &[], Some("x")), Err(HttpError::Malformed(_))));
        for name in ["host", "authorization", "cookie", "proxy-authorization", "transfer-encoding", "x-forwarded-for", "te", "connection"] {
            assert_eq!(asks("GET", "/", &[(name, "x")], None), Err(HttpError::ForbiddenHeader(name.to_owned())));
        }
        for (name, value) in [("Host", "x"), ("", "x"), ("a b", "x"), ("a", "x\r\nhost: b"), ("a", "é"), ("a:", "x")] {
            assert!(matches!(asks("GET", "/", &[(name, value)], None), Err(HttpError::Malformed(_))), "{name:?} {value:?}");
        }
        let many = vec![("a", "x"); HEADERS_MAX + 1];
        assert!(matches!(asks("GET", "/", &many, None), Err(HttpError::Malformed(_))));
        let long = "x".repeat(HEADER_BYTES_MAX);
        assert!(matches!(asks("GET", "/", &[("a", &long)], None), Err(HttpError::Malformed(_))));
    }

    #[test]
    fn rules_allow_what_they_say() {
        for (rule, method, path, allowed) in [
            ("GET /v2/payments", "GET", "/v2/payments", true),
            ("GET /v2/payments", "POST", "/v2/payments", false),
            ("GET /v2/payments", "GET", "/v2/payments/", false),
            ("GET /v2/payments", "GET", "/v2/payment", false),
            ("GET /v2/*", "GET", "/v2/payments", true),
            ("GET /v2/*", "GET", "/v2/", false),
            ("GET /v2/*", "GET", "/v2/payments/1", false),
            ("GET /v2/*/lines", "GET", "/v2/1/lines", true),
            ("GET /v2/**", "GET", "/v2/1/lines", true),
            ("GET /v2/**", "GET", "/v2", true),
            ("GET /v2/**", "GET", "/v3", false),
            ("GET /**", "GET", "/", true),
            ("GET /", "GET", "/", true),
            ("GET /", "GET", "/a", false),
        ] {
            assert_eq!(rule.parse::<RequestRule>().unwrap().allows(method, path), allowed, "{rule}: {method} {path}");
        }
        for rule in ["", "GET", "/v2", "get /v2", "GET v2", "GET /a?b", "GET /a/../b", "GET /**/a", "GET /a*", "TRACE /a"] {
            assert!(rule.parse::<RequestRule>().is_err(), "{rule}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_goes_where_it_says(target in "[/a-z%.;?0-9\\\\]{0,20}") {
            if check_target(&target).is_ok() {
                let path = target.split('?').next().unwrap();
                prop_assert!(path.starts_with('/') && !path.contains("..%") && !path.contains("/../") && !path.ends_with("/.."));
                // A rule that is the path itself allows exactly that path.
                if let Ok(rule) = format!("GET {path}").parse::<RequestRule>() {
                    let longer = path.to_owned() + "x";
                    prop_assert!(rule.allows("GET", path) && !rule.allows("GET", &longer));
                }
            }
        }
    }
}
