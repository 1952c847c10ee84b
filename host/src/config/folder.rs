//! Reads the folder: its files, and that what they say of each other is so.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;

use crate::model::grant::Grant;
use crate::model::ids::{PartnerName, PluginName};
use crate::model::job::{Connection, Job, Partner, Place, ReleasePolicy, Retention};
use crate::model::limits::RETENTION_DAYS_MAX;
use crate::model::table::TableVersion;
use crate::registry::source::{Problems, Source};
use crate::registry::tables;

use super::{ConfigError, Configuration, OperatorTable, PluginFile, connections, job, written};

/// Largest file of a configuration, in bytes; rows of tables apart.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Largest file of a table's rows, in bytes.
const ROWS_BYTES_MAX: u64 = 256 << 20;

/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 120;

/// Reads a configuration folder.
///
/// # Errors
/// [`ConfigError::Wrong`] with everything that is wrong in all files, or [`ConfigError::Unreadable`].
pub fn load(folder: &Path) -> Result<Configuration, ConfigError> {
    let folder = std::path::absolute(folder).map_err(|error| unreadable(folder, &error))?;
    read(Reader { folder: &folder, texts: None, again: false, problems: Problems::default(), made: Configuration::default() })
}

/// Reads a configuration from texts that were kept: their names are those of the files. Paths in them must be absolute.
///
/// # Errors
/// [`ConfigError::Wrong`] with everything that is wrong in all texts.
pub fn reload(texts: &BTreeMap<String, String>) -> Result<Configuration, ConfigError> {
    read(Reader { folder: Path::new("/"), texts: Some(texts), again: true, problems: Problems::default(), made: Configuration::default() })
}

/// Reads a configuration from texts that nobody has judged yet, rows of tables among them: nothing is looked for on the disk. Relative paths
/// in them begin at its root.
///
/// # Errors
/// [`ConfigError::Wrong`] with everything that is wrong in all texts.
pub fn load_texts(texts: &BTreeMap<String, String>) -> Result<Configuration, ConfigError> {
    let folder = Path::new("/");
    read(Reader { folder, texts: Some(texts), again: false, problems: Problems::default(), made: Configuration::default() })
}

/// Reads again what `hub.toml` allows, from the files that are in force.
///
/// # Errors
/// [`ConfigError::Wrong`].
pub fn reload_hub(texts: &BTreeMap<String, String>) -> Result<Grant, ConfigError> {
    let mut reader =
        Reader { folder: Path::new("/"), texts: Some(texts), again: true, problems: Problems::default(), made: Configuration::default() };
    reader.hub()?;
    Ok(reader.problems.or(Some(reader.made.ceiling))?)
}

fn read(mut reader: Reader<'_>) -> Result<Configuration, ConfigError> {
    reader.hub()?;
    reader.partners()?;
    reader.connections()?;
    reader.webhooks()?;
    reader.plugins()?;
    reader.jobs()?;
    reader.tables()?;
    Ok(reader.problems.or(Some(reader.made))?)
}

pub(super) struct Reader<'a> {
    pub(super) folder: &'a Path,
    /// The files, where they are not to be read from the folder.
    texts: Option<&'a BTreeMap<String, String>>,
    /// Whether they were judged before, and are only read again.
    again: bool,
    pub(super) problems: Problems,
    pub(super) made: Configuration,
}

impl Reader<'_> {
    fn partners(&mut self) -> Result<(), ConfigError> {
        let Some((source, written)) = self.file::<written::Partners>("partners.toml")? else {
            if !self.is_there("partners.toml") {
                self.problems.add(Source::new("partners.toml", "").problem(
                    None,
                    "there is no such file",
                    "a configuration has a partners.toml with [[partner]]",
                ));
            }
            return Ok(());
        };
        for entry in written.partner {
            let name = self.name::<PartnerName>(&source, &entry.name);
            title(&source, &entry.title, &mut self.problems);
            let Some(name) = name else { continue };
            if self.made.partners.iter().any(|other| other.name == name) {
                self.twice(&source, &entry.name, "partner");
            }
            let runs_at_once = self.runs_at_once(&source, entry.runs_at_once.as_ref());
            let releases = match entry.releases {
                written::ReleasesWord::Open => ReleasePolicy::Open,
                written::ReleasesWord::Signed => ReleasePolicy::Signed,
                written::ReleasesWord::Approved => ReleasePolicy::Approved,
                written::ReleasesWord::ThreePersons => ReleasePolicy::ThreePersons,
            };
            let changes = entry.changes.as_ref().map(|changes| {
                changes.get_ref().parse().map_err(|why: String| {
                    source.problem(Some(changes.span()), why, "write \"one-person\", or \"two-persons\" for protected changes")
                })
            });
            let changes = changes.and_then(|changes| self.problems.note(changes)).unwrap_or_default();
            let proofs = self.proofs(&source, &entry.proof);
            let retention = self.retention(&source, &entry.retention);
            self.made.partners.push(Partner { name, title: entry.title.into_inner(), runs_at_once, releases, proofs, changes, retention });
        }
        Ok(())
    }

    fn retention(&mut self, source: &Source, written: &written::Retention) -> Retention {
        let mut days = |name: &str, written: Option<&Spanned<u64>>| {
            let days = written?;
            if !(1..=u64::from(RETENTION_DAYS_MAX)).contains(days.get_ref()) {
                let to_do = format!("write 1 to {RETENTION_DAYS_MAX} days, or nothing to keep it for good");
                self.problems.add(source.problem(Some(days.span()), format!("{name} is {}", days.get_ref()), to_do));
            }
            u32::try_from(*days.get_ref()).ok()
        };
        let retention = Retention {
            artefacts_days: days("artefacts-days", written.artefacts_days.as_ref()),
            rejects_days: days("rejects-days", written.rejects_days.as_ref()),
            events_days: days("events-days", written.events_days.as_ref()),
        };
        if let (Some(at), true) = (&written.events_days, retention.events_days < retention.artefacts_days.or(Some(u32::MAX))) {
            let what = "events go before the artefacts that they tell of";
            self.problems.add(source.problem(Some(at.span()), what, "give artefacts-days no more than events-days"));
        }
        retention
    }

    fn connections(&mut self) -> Result<(), ConfigError> {
        let Some((source, written)) = self.file::<written::Connections>("connections.toml")? else { return Ok(()) };
        for entry in written.connection {
            let (partner, name) = (self.partner(&source, &entry.partner), self.name(&source, &entry.name));
            let place = connections::place(&entry, self.folder, &source, &mut self.problems);
            let (Some(partner), Some(name)) = (partner, name) else { continue };
            if self.made.connections.iter().any(|other| other.partner == partner && other.name == name) {
                self.twice(&source, &entry.name, "connection of this partner");
            }
            // One that is wrong is there all the same, so that jobs which name it are not wrong too. Nobody gets to use it.
            let place = place.unwrap_or_else(|| Place::Folder { path: PathBuf::new(), settle_ms: 0 });
            if let (Place::Folder { path, .. }, Some(at)) = (&place, &entry.path) {
                self.apart(&source, at, &partner, path);
            }
            let runs_at_once = self.runs_at_once(&source, entry.runs_at_once.as_ref());
            self.made.connections.push(Connection { partner, name, place, runs_at_once });
        }
        Ok(())
    }

    fn runs_at_once(&mut self, source: &Source, written: Option<&Spanned<u64>>) -> Option<u32> {
        let runs = written?;
        let within = (1..=job::RUNS_AT_ONCE_MAX).contains(runs.get_ref());
        if !within {
            let to_do = format!("write 1 to {}, or nothing for as many as there are places", job::RUNS_AT_ONCE_MAX);
            self.problems.add(source.problem(Some(runs.span()), format!("runs-at-once is {}", runs.get_ref()), to_do));
        }
        u32::try_from(*runs.get_ref()).ok()
    }

    /// Refuses a folder that another partner has too, as each would see the other's files.
    fn apart(&mut self, source: &Source, at: &Spanned<String>, partner: &PartnerName, path: &Path) {
        let shared = self.made.connections.iter().find(|other| {
            let Place::Folder { path: theirs, .. } = &other.place else { return false };
            // One that is wrong has no path to compare.
            let has_path = !theirs.as_os_str().is_empty();
            has_path && other.partner != *partner && (theirs.starts_with(path) || path.starts_with(theirs))
        });
        if let Some(other) = shared {
            let what = format!("{} of {} has this folder, one inside it or one round it", other.name, other.partner);
            self.problems.add(source.problem(Some(at.span()), what, "give each partner folders of its own"));
        }
    }

    fn plugins(&mut self) -> Result<(), ConfigError> {
        let Some((source, written)) = self.file::<written::Plugins>("plugins.toml")? else { return Ok(()) };
        for entry in written.plugin {
            let (partner, name) = (self.partner(&source, &entry.partner), self.name::<PluginName>(&source, &entry.name));
            let (Some(partner), Some(name)) = (partner, name) else { continue };
            if self.made.plugins.iter().any(|other| other.partner == partner && other.name == name) {
                self.twice(&source, &entry.name, "plugin of this partner");
            }
            let component = plain_path(&self.folder.join(entry.component.get_ref()));
            self.made.plugins.push(PluginFile { partner, name, component });
        }
        Ok(())
    }

    fn jobs(&mut self) -> Result<(), ConfigError> {
        self.no_folder_within("jobs")?;
        for file in self.listed("jobs")? {
            let Some((source, written)) = self.file::<written::Job>(&file)? else { continue };
            let known = job::Known { partners: &self.made.partners, connections: &self.made.connections, judged: self.again };
            match job::read(&source, written, &known) {
                Ok(job) => self.job(&source, job),
                Err(problems) => self.problems.join(problems),
            }
        }
        Ok(())
    }

    fn job(&mut self, source: &Source, job: Job) {
        if self.made.jobs.iter().any(|other| other.partner == job.partner && other.name == job.name) {
            let what = format!("job {:?} of this partner stands in another file too", job.name.as_str());
            self.problems.add(source.problem(source.span_of(&["name"]), what, "give each job its own name"));
        }
        self.made.job_files.push(source.clone());
        self.made.jobs.push(job);
    }

    fn tables(&mut self) -> Result<(), ConfigError> {
        for file in self.listed("tables")? {
            let Some(source) = self.source(&file, FILE_BYTES_MAX)? else { continue };
            let (folder, texts) = (self.folder, self.texts);
            let rows_of = &mut |name: &str| {
                let file = format!("tables/{name}");
                let text = match texts {
                    Some(texts) => texts.get(&file).cloned().ok_or_else(|| "there is no such file".to_owned()),
                    None => text_of(&folder.join(&file), ROWS_BYTES_MAX),
                };
                text.map(|text| Source::new(file.clone(), text)).map_err(|why| format!("{file} cannot be read: {why}"))
            };
            match tables::read(&source, rows_of) {
                Ok(read) => self.versions(&source, read),
                Err(problems) => self.problems.join(problems),
            }
        }
        Ok(())
    }

    fn versions(&mut self, source: &Source, read: tables::TableFile) {
        if let Some(partner) = read.partner.as_ref().filter(|partner| !self.knows(partner)) {
            self.problems.add(source.problem(source.span_of(&["partner"]), no_such_partner(partner.as_str()), "name one of partners.toml"));
        }
        let same = |one: &TableVersion, other: &TableVersion| one.table == other.table && one.version == other.version;
        for table in read.versions {
            if self.made.tables.iter().any(|other| other.partner == read.partner && same(&other.table.version, &table.version)) {
                let what = format!("version {:?} of {:?} stands in another file too", table.version.version, table.version.table);
                self.problems.add(source.problem(source.span_of(&["table"]), what, "keep each version once"));
            }
            self.made.tables.push(OperatorTable { partner: read.partner.clone(), table });
        }
    }

    /// A file of the folder, read as TOML; none where there is none or where it is wrong.
    pub(super) fn file<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<(Source, T)>, ConfigError> {
        let Some(source) = self.source(name, FILE_BYTES_MAX)? else { return Ok(None) };
        Ok(self.problems.note(source.toml()).map(|written| (source, written)))
    }

    fn source(&mut self, name: &str, bytes_max: u64) -> Result<Option<Source>, ConfigError> {
        if let Some(texts) = self.texts {
            return Ok(texts.get(name).map(|text| Source::new(name, text.as_str())));
        }
        let path = self.folder.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let text = text_of(&path, bytes_max).map_err(|why| ConfigError::Unreadable { path: path.display().to_string(), why })?;
        Ok(Some(Source::new(name, text)))
    }

    fn is_there(&self, name: &str) -> bool {
        self.texts.map_or_else(|| self.folder.join(name).exists(), |texts| texts.contains_key(name))
    }

    /// Files further in would not be read, and nobody would notice.
    fn no_folder_within(&mut self, inner: &str) -> Result<(), ConfigError> {
        for path in self.paths(inner)?.into_iter().filter(|path| path.is_dir()) {
            let name = format!("{inner}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            let advice = format!("put its files into {inner}/ itself: the hub does not look further in");
            self.problems.add(Source::new(&name, "").problem(None, "this is a folder", advice));
        }
        Ok(())
    }

    /// What is in a folder within the folder, hidden things apart.
    fn paths(&self, inner: &str) -> Result<Vec<PathBuf>, ConfigError> {
        let path = self.folder.join(inner);
        if self.texts.is_some() || !path.is_dir() {
            return Ok(Vec::new());
        }
        let entries = std::fs::read_dir(&path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let paths = entries.map_err(|error| unreadable(&path, &error))?.into_iter().map(|entry| entry.path());
        Ok(paths.filter(|path| path.file_name().is_none_or(|name| !name.as_encoded_bytes().starts_with(b"."))).collect())
    }

    /// The TOML files of a folder within the folder, by name.
    fn listed(&self, inner: &str) -> Result<Vec<String>, ConfigError> {
        if let Some(texts) = self.texts {
            let within = |name: &&String| name.starts_with(inner) && name.ends_with(".toml");
            return Ok(texts.keys().filter(within).cloned().collect());
        }
        let files = self.paths(inner)?.into_iter().filter(|path| path.extension() == Some(OsStr::new("toml")));
        let mut names: Vec<_> = files.filter_map(|path| Some(format!("{inner}/{}", path.file_name()?.to_str()?))).collect();
        names.sort();
        Ok(names)
    }

    pub(super) fn partner(&mut self, source: &Source, name: &Spanned<String>) -> Option<PartnerName> {
        let parsed: PartnerName = self.name(source, name)?;
        if self.knows(&parsed) {
            return Some(parsed);
        }
        self.problems.add(source.problem(Some(name.span()), no_such_partner(name.get_ref()), "name one of partners.toml"));
        None
    }

    fn knows(&self, name: &PartnerName) -> bool {
        self.made.partners.iter().any(|partner| partner.name == *name)
    }

    pub(super) fn name<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, source: &Source, name: &Spanned<String>) -> Option<T> {
        let parsed = name
            .get_ref()
            .parse()
            .map_err(|error: T::Err| source.problem(Some(name.span()), error.to_string(), "write a name such as \"pension-fund\""));
        self.problems.note(parsed)
    }

    pub(super) fn twice(&mut self, source: &Source, name: &Spanned<String>, what: &str) {
        self.problems.add(source.problem(
            Some(name.span()),
            format!("{what} {:?} stands here twice", name.get_ref()),
            "give each its own name",
        ));
    }
}

/// Refuses a title that is not one line.
pub(super) fn title(source: &Source, title: &Spanned<String>, problems: &mut Problems) {
    let text = title.get_ref();
    if text.trim().is_empty() || text.chars().count() > TITLE_CHARS_MAX || text.contains(char::is_control) {
        problems.add(source.problem(Some(title.span()), "the title is not one line", format!("write 1 to {TITLE_CHARS_MAX} characters")));
    }
}

pub(super) fn no_such_partner(name: &str) -> String {
    format!("there is no partner {name:?}")
}

fn text_of(path: &Path, bytes_max: u64) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > bytes_max {
        return Err(format!("it has {size} bytes and may have {bytes_max}"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// A path without `.` and `..`, as far as can be told without looking.
pub(super) fn plain_path(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

fn unreadable(path: &Path, error: &std::io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.display().to_string(), why: error.to_string() }
}
