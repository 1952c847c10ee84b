//! What is found in a place for a pattern: files that can be taken, and files that are left alone, with why.

use globset::{GlobBuilder, GlobMatcher};

use super::artefacts::Stored;
use super::error::ConnectionError;
use crate::model::outcome::visible;

/// How the files that a sender has not finished are called, by the programs that send them.
const UNFINISHED: [&str; 5] = [".part", ".tmp", ".filepart", ".partial", ".crdownload"];

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Looking<'a> {
    /// The name, in which `*` and `?` stand for others; of a web server, the resource.
    pub pattern: &'a str,
    /// The moment, in milliseconds since 1970.
    pub now_ms: i64,
    /// What came with the last file that was taken for this pattern, where the place gives such marks.
    pub mark: Option<&'a str>,
}

/// A file that was copied into the store of artefacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes.
    pub stored: Stored,
    /// From where on something is new the next time, if the place says so.
    pub mark: Option<String>,
}

impl Fetched {
    pub(super) const fn whole(stored: Stored) -> Option<Self> {
        Some(Self { stored, mark: None })
    }
}

/// What is in a place for a pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Files that can be taken, by name.
    pub files: Vec<FoundFile>,
    /// Files that match and cannot be taken now, by name.
    pub left: Vec<LeftAlone>,
}

/// A file that can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its name, without the folder.
    pub name: String,
    /// How many bytes.
    pub size: u64,
    /// When it was last written to, in milliseconds since 1970.
    pub modified_ms: i64,
    pub(super) seen: Seen,
    pub(super) mark: Option<String>,
}

/// What a change of a file shows itself by. On a server, device and inode are not told, and are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    pub(super) modified: (i64, i64),
}

/// A file that is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAlone {
    /// Its name, as far as it is text, with what cannot be seen in it written out.
    pub name: String,
    /// Why.
    pub why: WhyLeft,
}

/// Why a file that matches is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyLeft {
    /// It was written to a moment ago, or is dated in the future.
    NotSettled,
    /// It has no bytes: its sender has just begun, or failed.
    Empty,
    /// It is a link, a folder or a device.
    NotAPlainFile,
    /// Its name is not UTF-8.
    NameNotText,
    /// It is larger than the connection takes.
    TooLarge,
    /// Its name has characters that steer a terminal, turn the direction of reading or cannot be seen.
    NameMisleads,
}

impl LeftAlone {
    /// A file that is left alone, with its name as it can be shown.
    pub(super) fn new(name: &str, why: WhyLeft) -> Self {
        Self { name: visible(name).into_owned(), why }
    }
}

impl Listing {
    /// In the order of names.
    pub(super) fn sorted(mut self) -> Self {
        self.files.sort_by(|one, other| one.name.cmp(&other.name));
        self.left.sort_by(|one, other| one.name.cmp(&other.name));
        self
    }
}

/// Checks a pattern of file names, such as `payroll-*.csv`.
///
/// # Errors
/// [`ConnectionError::Pattern`] says what is wrong with it.
pub fn check_pattern(pattern: &str) -> Result<(), ConnectionError> {
    matcher(pattern).map(|_| ())
}

pub(super) fn matcher(pattern: &str) -> Result<GlobMatcher, ConnectionError> {
    let wrong = |message: String| ConnectionError::Pattern { pattern: pattern.to_owned(), message };
    if pattern.is_empty() || pattern.contains(['/', '\\', '\0']) {
        return Err(wrong("it must be one name without a folder, such as payroll-*.csv".to_owned()));
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(|error| wrong(error.kind().to_string()))?;
    Ok(glob.compile_matcher())
}

/// Whether a name says that its file is hidden or not finished.
pub(super) fn is_unfinished(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with('.') || name.ends_with('~') || UNFINISHED.iter().any(|ending| name.ends_with(ending))
}
