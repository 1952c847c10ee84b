//! Names and identities. Every one is a type of its own, so that a job's name cannot stand where a partner's belongs.

use std::fmt;
use std::str::FromStr;

/// Longest name of a partner, plugin, job, connection, column or table, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// A text that is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a name: use 1 to {NAME_BYTES_MAX} lower-case letters, digits and single hyphens, beginning with a letter")]
pub struct NotAName {
    /// What was given.
    pub text: String,
}

/// Whether a text is lower-case letters, digits and single hyphens, beginning with a letter.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(NotAName { text: text.to_owned() }) }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// An organisation that owns plugins, connections, jobs and runs.
    PartnerName
);
name!(
    /// A plugin, over all its releases.
    PluginName
);
name!(
    /// A declared movement of data, within its partner.
    JobName
);
name!(
    /// A place outside the hub, within its partner.
    ConnectionName
);
name!(
    /// A credential that a connection uses, within its partner. Its value is nowhere but in the vault's hands.
    SecretName
);

/// Longest name under which a person signs in, in bytes.
pub const PERSON_NAME_BYTES_MAX: usize = 100;

/// The name under which a person signs in: `j.smith`, `j.smith@police.example`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

/// A text under which nobody signs in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a person's name is 1 to {PERSON_NAME_BYTES_MAX} lower-case letters, digits and . _ - + @, beginning and ending with a letter or a digit"
)]
pub struct NotAPersonName;

impl PersonName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that somebody typed, who may have written capitals or a space too many.
    ///
    /// # Errors
    /// [`NotAPersonName`].
    pub fn typed(text: &str) -> Result<Self, NotAPersonName> {
        text.trim().to_ascii_lowercase().parse()
    }
}

impl FromStr for PersonName {
    type Err = NotAPersonName;

    fn from_str(text: &str) -> Result<Self, NotAPersonName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = text.len() <= PERSON_NAME_BYTES_MAX
            && text.starts_with(plain)
            && text.ends_with(plain)
            && text.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-' | '+' | '@'));
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAPersonName) }
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

name!(
    /// An address that is told what happens, within its partner.
    WebhookName
);

/// What keeps the ids of one moment in the order in which they were made.
static ORDER: std::sync::Mutex<uuid::ContextV7> = std::sync::Mutex::new(uuid::ContextV7::new());

/// One execution of a job: a version 7 UUID, so that runs sort by the time they were enqueued.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(uuid::Uuid);

impl RunId {
    /// A new one for a moment, in milliseconds since 1970. It sorts after every other that this process has made.
    #[must_use]
    pub fn at(unix_ms: u64) -> Self {
        let seconds = unix_ms / 1000;
        let nanoseconds = u32::try_from(unix_ms % 1000).unwrap_or(0) * 1_000_000;
        let moment = uuid::Timestamp::from_unix(&ORDER, seconds, nanoseconds);
        Self(uuid::Uuid::new_v7(moment))
    }

    /// The first and the last id that begin with some hexadecimal digits; none if no id does.
    #[must_use]
    pub fn beginning(digits: &str) -> Option<(Self, Self)> {
        let ends = |rest: &str| format!("{digits}{}", rest.repeat(32 - digits.len())).parse().ok();
        if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        Some((ends("0")?, ends("f")?))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.as_simple().to_string())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<Self, NotARunId> {
        uuid::Uuid::try_parse(text).map(Self).map_err(|_| NotARunId { text: text.to_owned() })
    }
}

/// A text that names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a run's id: it has 32 hexadecimal digits, as `bailiwick runs` shows them")]
pub struct NotARunId {
    /// What was given.
    pub text: String,
}

/// SHA-256 of some bytes: what names an artefact, a release, a version of a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps a finished SHA-256.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let wrong = || NotADigest { text: text.to_owned() };
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// A text that is not a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a SHA-256 digest: it has 64 hexadecimal digits")]
pub struct NotADigest {
    /// What was given.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "lgps-return", "p2-x"] {
            assert_eq!(good.parse::<PluginName>().map(|n| n.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "A", "2a", "a--b", "a-", "a_b", "a/b", "..", &"a".repeat(65)] {
            assert!(bad.parse::<PluginName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_people() {
        for good in ["j", "j.smith", "j.smith@police.example", "x+1", "4711"] {
            assert_eq!(good.parse::<PersonName>().map(|n| n.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "J.Smith", ".j", "j.", "j smith", "j:smith", "jé", "j\n", &"a".repeat(101)] {
            assert!(bad.parse::<PersonName>().is_err(), "{bad}");
        }
        assert_eq!(PersonName::typed(" J.Smith ").map(|n| n.to_string()), Ok("j.smith".to_owned()));
    }

    #[test]
    fn digests_read_back() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("zz".parse::<Digest>().is_err());
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }

    #[test]
    fn runs_sort_by_time() {
        let (early, late) = (RunId::at(1_000), RunId::at(2_000));
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        let of_one_moment: Vec<RunId> = std::iter::repeat_with(|| RunId::at(2_000)).take(1_000).collect();
        assert!(of_one_moment.is_sorted() && of_one_moment[0] > late);
        for digits in 1..=32 {
            let (first, last) = RunId::beginning(&late.to_string()[..digits]).unwrap();
            assert!(first <= late && late <= last, "{digits}");
        }
        assert_eq!(RunId::beginning(&late.to_string()), Some((late, late)));
        for none in ["", "g", "0 ", "é", &"0".repeat(33)] {
            assert_eq!(RunId::beginning(none), None, "{none:?}");
        }
    }
}
