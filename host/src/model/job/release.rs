//! Which release of its plugin a job runs, and what a partner asks of releases before its runs use them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::model::ids::{Digest, PluginName};

/// Fewest digits of a digest that name a release.
const DIGITS_MIN: usize = 12;

/// What a partner asks of a release of a plugin before its runs use it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReleasePolicy {
    /// Nothing: whoever declares the configuration is trusted with it.
    #[default]
    Open,
    /// A signature by a key that the partner registered and has not revoked.
    Signed,
    /// That, and the approval of a person other than the one who added it.
    Approved,
    /// That, and a third person who puts it in use: neither the one who added it nor one who approved it.
    ThreePersons,
}

impl ReleasePolicy {
    /// The word for it in `partners.toml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Signed => "signed",
            Self::Approved => "approved",
            Self::ThreePersons => "three-persons",
        }
    }

    /// Whether a release needs somebody's approval.
    #[must_use]
    pub const fn asks_approval(self) -> bool {
        matches!(self, Self::Approved | Self::ThreePersons)
    }
}

impl FromStr for ReleasePolicy {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = [Self::Open, Self::Signed, Self::Approved, Self::ThreePersons];
        all.into_iter()
            .find(|policy| policy.as_str() == word)
            .ok_or_else(|| format!("{word:?} is none of open, signed, approved, three-persons"))
    }
}

/// How a release must have done beside the active one before it becomes active. The first release of a plugin has none to stand beside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proof {
    /// On how many runs, each counted once, it must have come to the same, or to differences that are explained where that counts.
    pub clean_runs: u32,
    /// Whether a difference that a person has explained counts as clean.
    pub explained: bool,
}

impl Proof {
    /// Whether anything is asked.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        self.clean_runs == 0
    }
}

/// The proof that a partner asks of releases, with what is other for single plugins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Of every plugin that is not named.
    pub all: Proof,
    /// Of single plugins.
    pub of: BTreeMap<PluginName, Proof>,
}

impl Proofs {
    /// Of one plugin.
    #[must_use]
    pub fn of(&self, plugin: &PluginName) -> Proof {
        self.of.get(plugin).copied().unwrap_or(self.all)
    }
}

/// Which release of its plugin a job runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ReleaseChoice {
    /// The one that is active.
    #[default]
    Active,
    /// Of those that are or were active, the last whose version is in a range.
    Versions(semver::VersionReq),
    /// One, by the beginning of its digest.
    One(String),
}

impl ReleaseChoice {
    /// Whether a release of some version and digest would be run if it were active.
    #[must_use]
    pub fn takes(&self, version: &str, digest: Digest) -> bool {
        match self {
            Self::Active => true,
            Self::Versions(range) => semver::Version::parse(version).is_ok_and(|version| range.matches(&version)),
            Self::One(digits) => digest.to_string().starts_with(digits),
        }
    }
}

impl fmt::Display for ReleaseChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.pad("active"),
            Self::Versions(range) => write!(f, "{range}"),
            Self::One(digits) => write!(f, "sha256:{digits}"),
        }
    }
}

impl FromStr for ReleaseChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "active" {
            return Ok(Self::Active);
        }
        if let Some(digits) = text.strip_prefix("sha256:") {
            let good = (DIGITS_MIN..=64).contains(&digits.len()) && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
            return if good {
                Ok(Self::One(digits.to_owned()))
            } else {
                Err(format!("{text:?} names no release: write sha256: and {DIGITS_MIN} to 64 small hexadecimal digits of its digest"))
            };
        }
        let range = semver::VersionReq::parse(text);
        range.map(Self::Versions).map_err(|error| {
            format!("{text:?} is none of \"active\", a digest such as \"sha256:0f3a…\", and a range of versions such as \"^1.2\": {error}")
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        let digest = Digest::of(b"abc");
        let digits = format!("sha256:{}", digest.short());
        for (text, version, taken) in [
            ("active", "9.0.0", true),
            ("^1.2", "1.3.0", true),
            ("^1.2", "2.0.0", false),
            (">=1.0.0, <1.5.0", "1.5.0", false),
            ("=1.0.1", "1.0.1", true),
            (digits.as_str(), "0.0.1", true),
            ("sha256:000000000000", "0.0.1", false),
        ] {
            let choice: ReleaseChoice = text.parse().unwrap();
            assert_eq!(choice.takes(version, digest), taken, "{text} {version}");
            assert_eq!(choice.to_string().parse::<ReleaseChoice>().unwrap(), choice);
        }
        for wrong in ["", "newest", "sha256:", "sha256:ABCDEF012345", "sha256:0123", "1.x.y.z"] {
            assert!(wrong.parse::<ReleaseChoice>().is_err(), "{wrong}");
        }
    }
}
