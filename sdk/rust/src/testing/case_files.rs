//! The files of cases: listing, reading, and telling expected and found text apart.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Lines of a difference that are shown before it is cut short.
const SHOWN_MAX: usize = 12;

/// What lies in a folder, by name; nothing if there is no such folder. Hidden files are passed over.
pub(super) fn listed(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let wrong = |error: std::io::Error| format!("{} cannot be listed: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(wrong)?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    paths.retain(|path| !name(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

/// The last part of a path.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

pub(super) fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// The lines in which two texts differ, by their place; none if they are the same to the byte.
pub(super) fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let (left, right): (Vec<&str>, Vec<&str>) = (expected.split('\n').collect(), found.split('\n').collect());
    let mut shown = String::new();
    let mut differences = 0;
    for line in 0..left.len().max(right.len()) {
        let (left, right) = (left.get(line), right.get(line));
        if left == right {
            continue;
        }
        differences += 1;
        if differences > SHOWN_MAX {
            continue;
        }
        let _ = writeln!(shown, "  line {}", line + 1);
        for (word, side) in [("expected", left), ("found", right)] {
            let _ = match side {
                None => writeln!(shown, "    {word:8} no such line"),
                Some(text) => writeln!(shown, "    {word:8} {}", text.escape_debug()),
            };
        }
    }
    if differences > SHOWN_MAX {
        let _ = writeln!(shown, "  and {} more lines", differences - SHOWN_MAX);
    }
    Some(shown)
}

/// A value of TOML as JSON; dates become text.
pub(super) fn json_of(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, json_of(value))).collect::<serde_json::Map<_, _>>().into(),
    }
}
