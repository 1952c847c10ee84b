//! Where in which registry: `oci://HOST[:PORT]/NAME:TAG`, or `@sha256:DIGEST` in the place of the tag.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{OciError, SCHEME};
use crate::model::ids::Digest;

/// Longest name of a repository, and of a host, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Longest tag, in bytes, as the specification has it.
const TAG_BYTES_MAX: usize = 128;

/// Something in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry, with its port where it has one of its own.
    pub host: String,
    /// The repository.
    pub name: String,
    /// Which of what lies there.
    pub which: Which,
}

/// Which manifest of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one that has the tag now. Another may have it later.
    Tag(String),
    /// The one of this digest, for ever.
    Digest(Digest),
}

impl Reference {
    /// The same repository's manifest of a digest.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { which: Which::Digest(digest), ..self.clone() }
    }

    /// The same repository's manifest that has a tag.
    #[must_use]
    pub(super) fn tagged(&self, tag: String) -> Self {
        Self { which: Which::Tag(tag), ..self.clone() }
    }

    /// Whether the registry is on this very machine.
    pub(super) fn is_here(&self) -> bool {
        let host = match self.host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => self.host.split(':').next().unwrap_or_default(),
        };
        host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl FromStr for Reference {
    type Err = OciError;

    fn from_str(text: &str) -> Result<Self, OciError> {
        let wrong = |why| OciError::Address { why };
        let rest = text.strip_prefix(SCHEME).ok_or(wrong("it begins otherwise"))?;
        let (host, rest) = rest.split_once('/').ok_or(wrong("it has no name after the registry"))?;
        if host.contains('@') {
            return Err(wrong("credentials do not belong in it: they are given with --credentials"));
        }
        if !is_host(host) {
            return Err(wrong("the registry is no host with or without a port"));
        }
        let (name, which) = match (rest.split_once('@'), rest.rsplit_once(':')) {
            (Some((name, digest)), _) => (name, Which::Digest(digest_of(digest).ok_or(wrong("the digest is not sha256: and 64 digits"))?)),
            (None, Some((name, tag))) if is_tag(tag) => (name, Which::Tag(tag.to_owned())),
            (None, Some(_)) => return Err(wrong("the tag has a character that no tag has, or is too long")),
            (None, None) => return Err(wrong("it says neither which tag nor which digest")),
        };
        if !is_name(name) {
            return Err(wrong("the name is not made of small letters, digits and . _ - between slashes, or has a tag beside a digest"));
        }
        Ok(Self { host: host.to_owned(), name: name.to_owned(), which })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if matches!(self.which, Which::Tag(_)) { ':' } else { '@' };
        write!(f, "{SCHEME}{}/{}{sign}{}", self.host, self.name, self.which)
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => write!(f, "sha256:{digest}"),
        }
    }
}

/// A digest as registries write it, and in no other way.
pub(super) fn digest_of(text: &str) -> Option<Digest> {
    let digest: Digest = text.strip_prefix("sha256:")?.parse().ok()?;
    (format!("sha256:{digest}") == text).then_some(digest)
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port))) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
            ("v6", port.strip_prefix(':').or(port.is_empty().then_some("1")))
        }
        Some(_) => return false,
        None => host.split_once(':').map_or((host, Some("1")), |(name, port)| (name, Some(port))),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let named = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain);
    named && port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let part = |part: &str| {
        let ends = part.bytes().next().is_some_and(plain) && part.bytes().next_back().is_some_and(plain);
        ends && !part.contains("..") && part.bytes().all(|byte| plain(byte) || b"._-".contains(&byte))
    };
    name.len() <= NAME_BYTES_MAX && name.split('/').all(part)
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= TAG_BYTES_MAX && tag.bytes().next().is_some_and(word) && tag.bytes().all(|byte| word(byte) || b".-".contains(&byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for (text, here) in [
            ("oci://registry.example/police/lgps-return:1.0.0".to_owned(), false),
            ("oci://127.0.0.1:5000/a:b".to_owned(), true),
            ("oci://localhost/a_b.c/d--e:_".to_owned(), true),
            ("oci://[::1]:5000/a:1".to_owned(), true),
            ("oci://127.example/a:1".to_owned(), false),
            (format!("oci://registry.example:443/a@{DIGEST}"), false),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.to_string(), reference.is_here()), (text, here));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_repeated() {
        let canary = "canary-in-an-address";
        for text in [
            "https://h/a:1".to_owned(),
            "oci://h".to_owned(),
            "oci://h/a".to_owned(),
            "oci:///a:1".to_owned(),
            "oci://h/A:1".to_owned(),
            "oci://h/../a:1".to_owned(),
            "oci://h/a..b:1".to_owned(),
            "oci://h/a/:1".to_owned(),
            "oci://h/a:".to_owned(),
            "oci://h/a:b?c".to_owned(),
            "oci://h/a:-b".to_owned(),
            format!("oci://h/a:{}", "b".repeat(129)),
            "oci://h:0/a:1".to_owned(),
            "oci://h:65536/a:1".to_owned(),
            "oci://h:+1/a:1".to_owned(),
            "oci://h\\@x/a:1".to_owned(),
            "oci://[::1/a:1".to_owned(),
            format!("oci://user:{canary}@h/a:1"),
            format!("oci://h/a:1@{DIGEST}"),
            format!("oci://h/a@{}", DIGEST.to_uppercase()),
            format!("oci://h/a@sha256:+{}", &DIGEST[8..]),
            format!("oci://h/{canary}@sha512:00"),
        ] {
            let refused = text.parse::<Reference>().unwrap_err().to_string();
            assert!(refused.contains("is no address") && !refused.contains(canary), "{text}: {refused}");
        }
    }
}
