//! What travels inside a component: `plugin.toml`, its schemas, its tables and its own cases, as one custom section.
//!
//! The section is a JSON document of texts, so that anybody can read it without this program.
//! It must not know what a component is: how the section gets into one and out of it is known elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::manifest::Manifest;
use crate::model::table::Table;

use super::carried::CaseFiles;
use super::manifest::{self, MANIFEST_FILE, SCHEMA_FILE_END};
use super::source::{Problems, Source, is_misleading};
use super::tables;

/// Name of the component's custom section.
pub const SECTION: &str = "bailiwick:manifest";

/// Largest section, in bytes: half of the largest component that is accepted by default.
pub const SECTION_BYTES_MAX: usize = 16 << 20;

/// Most files in a package: the manifest, schemas, tables and their rows.
pub const FILES_MAX: usize = 256;

/// The one form of the section so far. A hub refuses a form that it does not know.
const FORM: u32 = 1;

/// Folder of a plugin's own tables.
const TABLES: &str = "tables/";

/// Why a package could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The plugin's author mends the files.
    #[error(transparent)]
    Wrong(#[from] Problems),
    /// A file or folder could not be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The section is not one that `bailiwick plugin build` made.
    #[error("the component's section {SECTION} cannot be read: {why}; build the plugin with `bailiwick plugin build`")]
    NotASection {
        /// What is wrong with it.
        why: String,
    },
    /// The author names it otherwise, or takes it away.
    #[error("the file {name:?} cannot be one of a plugin's cases: use plain names of letters, digits, - and _, in few folders")]
    NotACase {
        /// The file below the folder of cases.
        name: String,
    },
    /// There is more than a hub accepts.
    #[error("the package holds {found} {unit} and may hold {most}; the largest part is usually tables")]
    TooLarge {
        /// How many.
        found: usize,
        /// How many are accepted.
        most: usize,
        /// Of what.
        unit: &'static str,
    },
}

/// A plugin's manifest with the tables that it was tested with, and the cases.
#[derive(Debug)]
pub struct Package {
    /// What the plugin says of itself.
    pub manifest: Manifest,
    /// Its tables, every version.
    pub tables: Vec<Table>,
    /// Its own cases; none of a component that was built without.
    pub cases: CaseFiles,
}

/// The texts of a package by name: `plugin.toml`, `*.schema.json`, `tables/*.toml` and `tables/*.csv`.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: BTreeMap<String, Source>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    form: u32,
    files: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "CaseFiles::is_empty")]
    cases: CaseFiles,
}

/// Reads and checks a plugin's folder.
///
/// # Errors
/// [`PackageError`], with everything that is wrong at once.
pub fn read_folder(folder: &Path) -> Result<Package, PackageError> {
    open(&Files::of_folder(folder)?, CaseFiles::of_folder(folder)?)
}

/// Checks a plugin's folder and makes the section of it. The same files always make the same bytes.
///
/// # Errors
/// [`PackageError`], with everything that is wrong at once.
pub fn pack(folder: &Path) -> Result<Vec<u8>, PackageError> {
    let files = Files::of_folder(folder)?;
    let cases = CaseFiles::of_folder(folder)?;
    open(&files, CaseFiles::default())?;
    let texts = files.files.iter().map(|(name, source)| (name.clone(), source.text.to_string())).collect();
    let bytes = serde_json::to_vec(&Section { form: FORM, files: texts, cases }).expect("texts by name are always JSON");
    within(bytes.len(), SECTION_BYTES_MAX, "bytes")?;
    Ok(bytes)
}

/// Reads a section that [`pack`] made. It may come from anybody: nothing in it is trusted.
///
/// # Errors
/// [`PackageError`], with everything that is wrong at once.
pub fn unpack(section: &[u8]) -> Result<Package, PackageError> {
    within(section.len(), SECTION_BYTES_MAX, "bytes")?;
    let not = |why: String| PackageError::NotASection { why };
    let section: Section = serde_json::from_slice(section).map_err(|error| not(error.to_string()))?;
    if section.form != FORM {
        return Err(not(format!("its form is {} and this hub knows {FORM}", section.form)));
    }
    within(section.files.len(), FILES_MAX, "files")?;
    if let Some(name) = section.files.keys().find(|name| !belongs(name)) {
        return Err(not(format!("it holds {name:?}, which is no part of a package")));
    }
    // What is wrong with a file is told with its line shown. Rows of tables are data and never shown so.
    if let Some((name, _)) = section.files.iter().find(|(name, text)| !name.ends_with(".csv") && is_misleading(text)) {
        return Err(not(format!("{name} has characters that steer a terminal, turn the direction of reading or cannot be seen")));
    }
    section.cases.check()?;
    let files = section.files.into_iter().map(|(name, text)| (name.clone(), Source::new(name, text))).collect();
    open(&Files { files }, section.cases)
}

fn open(files: &Files, cases: CaseFiles) -> Result<Package, PackageError> {
    let mut problems = Problems::default();
    let manifest = manifest::read(files).map_err(|found| problems.join(found)).ok();
    let tables = files.tables(&mut problems);
    Ok(problems.or(manifest.map(|manifest| Package { manifest, tables, cases }))?)
}

impl Files {
    /// Collects the files of a plugin's folder that belong to its package, and passes over all others.
    ///
    /// # Errors
    /// [`PackageError::Unreadable`] or [`PackageError::TooLarge`].
    pub fn of_folder(folder: &Path) -> Result<Self, PackageError> {
        let mut names = listed(folder, "")?;
        let tables = folder.join(TABLES);
        if tables.is_dir() {
            names.extend(listed(&tables, TABLES)?);
        }
        within(names.len(), FILES_MAX, "files")?;
        let mut files = BTreeMap::new();
        let mut bytes = 0;
        for name in names {
            let path = folder.join(&name);
            let size = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?.len();
            bytes += usize::try_from(size).unwrap_or(usize::MAX / 2);
            within(bytes, SECTION_BYTES_MAX, "bytes")?;
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            files.insert(name.clone(), Source::new(name, text));
        }
        Ok(Self { files })
    }

    /// One file.
    ///
    /// # Errors
    /// A sentence saying that there is none.
    pub fn get(&self, name: &str) -> Result<&Source, String> {
        self.files.get(name).ok_or_else(|| format!("there is no file {name}"))
    }

    fn tables(&self, problems: &mut Problems) -> Vec<Table> {
        let mut unnamed: Vec<_> = self.files.keys().filter(|name| name.ends_with(".csv")).cloned().collect();
        let mut read = Vec::new();
        for source in self.files.values().filter(|source| source.name.starts_with(TABLES) && source.name.ends_with(".toml")) {
            let rows_of = &mut |name: &str| {
                let path = format!("{TABLES}{name}");
                unnamed.retain(|other| *other != path);
                self.get(&path).cloned()
            };
            match tables::read(source, rows_of) {
                Ok(file) if file.partner.is_some() => {
                    problems.add(source.problem(
                        source.span_of(&["partner"]),
                        "a plugin's own table is for every partner",
                        "take `partner` out",
                    ));
                }
                Ok(file) => {
                    let known = |name: &str| read.iter().any(|table: &Table| table.version.table == name);
                    if let Some(name) = file.versions.first().map(|table| &table.version.table).filter(|name| known(name)) {
                        let what = format!("another file has table {name:?} too");
                        problems.add(source.problem(source.span_of(&["table"]), what, "put all versions of a table into one file"));
                    }
                    read.extend(file.versions);
                }
                Err(found) => problems.join(found),
            }
        }
        for name in unnamed {
            problems.add(self.files[&name].problem(
                None,
                "no table file names these rows",
                "name the file in a [[versions]] as `rows`, or take it away",
            ));
        }
        read
    }
}

/// Names of the files in a folder that belong to a package, in order.
fn listed(folder: &Path, before: &str) -> Result<Vec<String>, PackageError> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let entries = entries.map_err(|error| unreadable(folder, &error))?;
    let names = entries.iter().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.map(|name| format!("{before}{name}")).filter(|name| belongs(name)).collect();
    names.sort();
    Ok(names)
}

/// Whether a file of this name is part of a package.
fn belongs(name: &str) -> bool {
    let plain = |name: &str| !name.contains(['/', '\\']) && !name.starts_with('.') && !name.contains(char::is_control);
    match name.strip_prefix(TABLES) {
        Some(table) => plain(table) && (table.ends_with(".toml") || table.ends_with(".csv")),
        None => name == MANIFEST_FILE || (plain(name) && name.ends_with(SCHEMA_FILE_END)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> PackageError {
    PackageError::Unreadable { path: path.display().to_string(), why: error.to_string() }
}

const fn within(found: usize, most: usize, unit: &'static str) -> Result<(), PackageError> {
    if found > most { Err(PackageError::TooLarge { found, most, unit }) } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::registry::manifest::tests::{ADAPTER, SETTINGS_SCHEMA};

    const TABLE: &str =
        "table = \"bands\"\n[[versions]]\nversion = \"2026\"\neffective-from = 2026-04-01\nsource = \"a\"\nrows = \"bands.csv\"\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tables")).unwrap();
        std::fs::create_dir(folder.path().join("cases")).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn plugin() -> Vec<(&'static str, &'static str)> {
        vec![
            ("plugin.toml", ADAPTER),
            ("settings.schema.json", SETTINGS_SCHEMA),
            ("tables/bands.toml", TABLE),
            ("tables/bands.csv", "band,rate\n1,5.5\n"),
            ("README.md", "not part of it"),
            ("cases/one.json", "{}"),
        ]
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let folder = folder(&plugin());
        let section = pack(folder.path()).unwrap();
        assert_eq!(section, pack(folder.path()).unwrap());
        assert!(!String::from_utf8_lossy(&section).contains("not part of it"));
        let package = unpack(&section).unwrap();
        assert_eq!(package.manifest.name.as_str(), "lgps-return");
        assert_eq!(package.tables[0].rows, [["1", "5.5"]]);
        assert_eq!(package.cases, CaseFiles::of_folder(folder.path()).unwrap());
        assert!(!package.cases.is_empty());
        assert_eq!(package.tables[0].digest, crate::model::ids::Digest::of(b"band,rate\n1,5.5\n"));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut files = plugin();
        files[1].1 = "{\"type\": \"array\"}";
        files[2].1 = "table = \"bands\"\npartner = \"a\"\nversions = []\n";
        let folder = folder(&files);
        let Err(PackageError::Wrong(problems)) = pack(folder.path()) else { panic!("accepted") };
        let told: Vec<_> = problems.as_slice().iter().map(|problem| problem.file().to_owned()).collect();
        assert_eq!(told, ["settings.schema.json", "tables/bands.toml", "tables/bands.csv"]);
        let Err(PackageError::Wrong(problems)) = read_folder(tempfile::tempdir().unwrap().path()) else { panic!("accepted") };
        assert!(problems.to_string().contains("plugin.toml"), "{problems}");
    }

    #[test]
    fn sections_from_anybody_are_refused_or_read() {
        let good = pack(folder(&plugin()).path()).unwrap();
        let text = String::from_utf8(good).unwrap();
        for (section, told) in [
            (b"".to_vec(), "cannot be read"),
            (b"[]".to_vec(), "cannot be read"),
            (text.replace("\"form\":1", "\"form\":2").into_bytes(), "its form is 2"),
            (text.replace("tables/bands.csv", "tables/../x.csv").into_bytes(), "no part of a package"),
            (text.replace("tables/bands.csv", "/etc/x.csv").into_bytes(), "no part of a package"),
            (text.replace("{\"form\"", "{\"more\":1,\"form\"").into_bytes(), "unknown field"),
            (text.replace("\"one.json\"", "\"../one.json\"").into_bytes(), "cannot be one of a plugin's cases"),
            (vec![b' '; SECTION_BYTES_MAX + 1], "16777217 bytes"),
        ] {
            let error = unpack(&section).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn damage_never_panics(place in 0_usize..4000, byte: u8) {
            static SECTION: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| pack(folder(&plugin()).path()).unwrap());
            let mut section = SECTION.clone();
            let place = place % section.len();
            section[place] = byte;
            let _ = unpack(&section);
        }
    }
}
