//! A plugin's own cases as they travel inside its component, so that whoever takes the component can try them.
//!
//! They may come from anybody: names are held to plain files below one folder, and how many there are to a limit.
//! It must not know what a case is.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::package::PackageError;

/// Folder of a plugin's cases.
const CASES: &str = "cases";

/// Most files of cases in a package.
const CASE_FILES_MAX: usize = 4_096;

/// Most folders within each other, and longest name of a file or folder in bytes.
const DEPTH_MAX: usize = 6;
const NAME_BYTES_MAX: usize = 120;

/// Files by their names below the folder of cases, with `/` between folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseFiles {
    files: BTreeMap<String, Content>,
}

/// What is in a file: a text, so that anybody can read it in the component; other bytes, as some payment files have, as Base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Bytes(Encoded),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    base64: String,
}

impl CaseFiles {
    /// Reads the cases in a plugin's folder; none where it has none. What begins with a point is passed over.
    ///
    /// # Errors
    /// [`PackageError::Unreadable`], [`PackageError::TooLarge`] or [`PackageError::NotACase`].
    pub(super) fn of_folder(plugin: &Path) -> Result<Self, PackageError> {
        let mut files = BTreeMap::new();
        let folder = plugin.join(CASES);
        if folder.is_dir() {
            collect(&folder, "", &mut files)?;
        }
        let all = Self { files };
        all.check()?;
        Ok(all)
    }

    /// Whether every file is one that a package may have.
    ///
    /// # Errors
    /// [`PackageError::TooLarge`] or [`PackageError::NotACase`].
    pub(super) fn check(&self) -> Result<(), PackageError> {
        if self.files.len() > CASE_FILES_MAX {
            return Err(PackageError::TooLarge { found: self.files.len(), most: CASE_FILES_MAX, unit: "files of cases" });
        }
        let wrong = |(name, content): &(&String, &Content)| !is_plain(name) || content.bytes().is_none();
        match self.files.iter().find(wrong) {
            Some((name, _)) => Err(PackageError::NotACase { name: name.chars().take(NAME_BYTES_MAX).collect() }),
            None => Ok(()),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes them below a folder, as they were in the plugin's.
    ///
    /// # Errors
    /// What the disk failed of.
    pub fn write_to(&self, plugin: &Path) -> io::Result<()> {
        for (name, content) in &self.files {
            let path = plugin.join(CASES).join(name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let bytes = content.bytes().ok_or(io::ErrorKind::InvalidData)?;
            std::fs::File::create_new(path).and_then(|mut file| io::Write::write_all(&mut file, &bytes))?;
        }
        Ok(())
    }
}

impl Content {
    fn of(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|other| Self::Bytes(Encoded { base64: STANDARD.encode(other.as_bytes()) }), Self::Text)
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Bytes(encoded) => STANDARD.decode(&encoded.base64).ok(),
        }
    }
}

fn collect(folder: &Path, before: &str, files: &mut BTreeMap<String, Content>) -> Result<(), PackageError> {
    let unreadable = |path: &Path, error: &io::Error| PackageError::Unreadable { path: path.display().to_string(), why: error.to_string() };
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if own.starts_with('.') {
            continue;
        }
        let name = format!("{before}{own}");
        if !is_plain(&name) {
            return Err(PackageError::NotACase { name });
        }
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else {
            files.insert(name, Content::of(std::fs::read(&path).map_err(|error| unreadable(&path, &error))?));
        }
    }
    Ok(())
}

/// Whether a name stays below its folder, on every system, and shows on a terminal as what it is.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b' ' | b'+' | b',' | b'(' | b')');
        !part.is_empty() && part.len() <= NAME_BYTES_MAX && !part.starts_with(['.', ' ']) && part.bytes().all(plain)
    };
    name.split('/').count() <= DEPTH_MAX && name.split('/').all(part)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where by itself")]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_is_what_was_there() {
        let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let files: [(&str, &[u8]); 3] = [
            ("cases/one/case.toml", b"about = \"one\"\n"),
            ("cases/one/in/rows.csv", b"a\n1\n"),
            ("cases/two/file.txt", b"\xa3 12\r\n\x00"),
        ];
        for (name, content) in files {
            std::fs::create_dir_all(from.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(from.path().join(name), content).unwrap();
        }
        std::fs::write(from.path().join("cases/.DS_Store"), "x").unwrap();
        let cases = CaseFiles::of_folder(from.path()).unwrap();
        let text = serde_json::to_string(&cases).unwrap();
        let again: CaseFiles = serde_json::from_str(&text).unwrap();
        assert_eq!((again.check().is_ok(), &again, again.files.len()), (true, &cases, 3));
        again.write_to(to.path()).unwrap();
        for (name, content) in files {
            assert_eq!(std::fs::read(to.path().join(name)).unwrap(), content, "{name}");
        }
        assert!(CaseFiles::of_folder(to.path()).unwrap() == cases && CaseFiles::of_folder(&to.path().join("cases")).unwrap().is_empty());
    }

    #[test]
    fn what_leaves_its_folder_is_refused() {
        for name in ["../x", "a/../x", "/etc/x", "a//x", "a\\x", ".x", "a/.x", "", "a/", "a\u{202e}", "C:x", "1/2/3/4/5/6/7"] {
            let cases: CaseFiles = serde_json::from_value(serde_json::json!({ name: "text" })).unwrap();
            assert!(matches!(cases.check(), Err(PackageError::NotACase { .. })), "{name:?}");
        }
        let cases: CaseFiles = serde_json::from_value(serde_json::json!({ "a.txt": { "base64": "?" } })).unwrap();
        assert!(matches!(cases.check(), Err(PackageError::NotACase { .. })), "what is no Base64");
        let many: BTreeMap<String, &str> = (0..=CASE_FILES_MAX).map(|number| (format!("{number}.json"), "")).collect();
        let cases: CaseFiles = serde_json::from_value(serde_json::json!(many)).unwrap();
        assert!(cases.check().unwrap_err().to_string().contains("4097 files of cases"));
    }
}
