//! A person's file and what is wrong with it: always the file, the line shown, what is wrong and what to do.
//!
//! It must not know what the file is about.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::model::outcome::misleads;

/// Of a text that is refused, in characters.
const TEXT_CHARS_SHOWN: usize = 60;

/// A text file by its name and content.
#[derive(Debug, Clone)]
pub struct Source {
    /// As a person would name it: a path within the folder that is read.
    pub name: String,
    /// Its content.
    pub text: Arc<str>,
}

impl Source {
    /// A file of some name and content.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Reads it as TOML.
    ///
    /// # Errors
    /// The first thing that is no TOML, is not known, is missing or is of another type.
    pub fn toml<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let wrong = |error: toml::de::Error| {
            let what = error.message().lines().collect::<Vec<_>>().join("; ");
            self.problem(
                error.span(),
                what,
                "look for a misspelt or misplaced key; keys that are not known are refused, so that no setting is lost silently",
            )
        };
        // Before a key or a text of the file gets into any message.
        self.check_texts(&toml::from_str(&self.text).map_err(wrong)?)?;
        toml::from_str(&self.text).map_err(wrong)
    }

    /// Refuses texts that would mislead whoever reads them. The file may be a stranger's, and its texts are shown to the
    /// person who decides whether to trust it.
    pub(crate) fn check_texts(&self, value: &serde_json::Value) -> Result<(), Problem> {
        let Some(text) = misleading_text(value) else { return Ok(()) };
        let shown: String = text.chars().take(TEXT_CHARS_SHOWN).collect();
        let what = format!("{shown:?} has characters that steer a terminal, turn the direction of reading or cannot be seen");
        // Without the place, which would be shown with its line.
        Err(self.problem(None, what, "take them out"))
    }

    /// Reads it as JSON.
    ///
    /// # Errors
    /// The first thing that is no JSON.
    pub fn json(&self) -> Result<serde_json::Value, Problem> {
        serde_json::from_str(&self.text).map_err(|error| {
            let line = error.line().saturating_sub(1);
            let start: usize = self.text.split_inclusive('\n').take(line).map(str::len).sum();
            let at = (start + error.column().saturating_sub(1)).min(self.text.len());
            self.problem(Some(at..at), format!("this is not JSON: {error}"), "mend the JSON")
        })
    }

    /// Something wrong in it, at some bytes of it or as a whole.
    pub fn problem(&self, at: Option<Range<usize>>, what: impl Into<String>, to_do: impl Into<String>) -> Problem {
        let at = at.filter(|at| at.end <= self.text.len() && self.text.is_char_boundary(at.start));
        let source = Box::new(NamedSource::new(&self.name, Arc::clone(&self.text)));
        Problem { what: what.into().into(), to_do: to_do.into().into(), at, source }
    }

    /// Turns the table under `key` into JSON for a plugin: dates become ISO text.
    ///
    /// Floats are refused, as they would change money and rates; whoever writes them as text loses nothing.
    pub(crate) fn settings(&self, key: &str, table: toml::Table, problems: &mut Problems) -> serde_json::Value {
        let mut path = vec![key.to_owned()];
        self.json_of(toml::Value::Table(table), &mut path, problems)
    }

    fn json_of(&self, value: toml::Value, path: &mut Vec<String>, problems: &mut Problems) -> serde_json::Value {
        match value {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Boolean(truth) => truth.into(),
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Float(_) => {
                let at = self.span_of(&path.iter().map(String::as_str).collect::<Vec<_>>());
                problems.add(self.problem(
                    at,
                    format!("{} is a floating-point number", path.join(".")),
                    "write money and rates as text, such as \"5.5\"",
                ));
                serde_json::Value::Null
            }
            toml::Value::Array(items) => {
                let items = items.into_iter().enumerate().map(|(place, item)| self.json_under(place.to_string(), item, (path, problems)));
                items.collect()
            }
            toml::Value::Table(table) => {
                let pairs = table.into_iter().map(|(key, value)| (key.clone(), self.json_under(key, value, (path, problems))));
                serde_json::Value::Object(pairs.collect())
            }
        }
    }

    fn json_under(&self, key: String, value: toml::Value, (path, problems): (&mut Vec<String>, &mut Problems)) -> serde_json::Value {
        path.push(key);
        let json = self.json_of(value, path, problems);
        path.pop();
        json
    }

    /// Where in the TOML a key or the item of a list stands, named by the keys and places that lead to it.
    ///
    /// The nearest one that there is, where there is no such key; none where there is nothing at all.
    #[must_use]
    pub fn span_of(&self, path: &[&str]) -> Option<Range<usize>> {
        let root = DeTable::parse(&self.text).ok()?;
        let mut table = Some(root.get_ref());
        let mut value: Option<&DeValue<'_>> = None;
        let mut span = None;
        for step in path {
            let next = match (table, value) {
                (Some(keys), _) => keys.iter().find(|(key, _)| key.get_ref() == step).map(|(key, value)| (key.span(), value)),
                (None, Some(DeValue::Array(items))) => {
                    step.parse().ok().and_then(|place: usize| items.get(place)).map(|item| (item.span(), item))
                }
                _ => None,
            };
            let Some((found, next)) = next else { break };
            span = Some(found);
            table = next.get_ref().as_table();
            value = Some(next.get_ref());
        }
        span
    }
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone)]
pub struct Problem {
    what: Box<str>,
    to_do: Box<str>,
    at: Option<Range<usize>>,
    source: Box<NamedSource<Arc<str>>>,
}

impl Problem {
    /// What is wrong.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it.
    #[must_use]
    pub fn to_do(&self) -> &str {
        &self.to_do
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// The line, counted from 1; none where the file as a whole is wrong.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        let at = self.at.as_ref()?;
        Some(self.source.inner()[..at.start].matches('\n').count() + 1)
    }
}

/// The first key or text with characters that mislead. Line breaks and tabs are no such characters.
fn misleading_text(value: &serde_json::Value) -> Option<&str> {
    let unfit = |text: &&str| is_misleading(text);
    match value {
        serde_json::Value::String(text) => Some(text.as_str()).filter(unfit),
        serde_json::Value::Array(items) => items.iter().find_map(misleading_text),
        serde_json::Value::Object(fields) => {
            fields.iter().find_map(|(key, value)| Some(key.as_str()).filter(unfit).or_else(|| misleading_text(value)))
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => None,
    }
}

/// Whether a text has characters that mislead, other than line breaks and tabs.
pub(crate) fn is_misleading(text: &str) -> bool {
    text.contains(|character| misleads(character) && !matches!(character, '\n' | '\r' | '\t'))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line() {
            Some(line) => write!(f, "{} line {line}: {}", self.file(), self.what),
            None => write!(f, "{}: {}", self.file(), self.what),
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.to_do))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.at.as_ref().map(|_| &*self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = self.at.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(at))))
    }
}

/// Everything that is wrong with some files, in the order in which it was found. Never empty as an error.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Notes one.
    pub fn add(&mut self, problem: Problem) {
        self.found.push(problem);
    }

    /// Notes all of another file.
    pub fn join(&mut self, others: Self) {
        self.found.extend(others.found);
    }

    /// Notes what is wrong, or gives what is right.
    pub fn note<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.found
    }

    /// What was made, if nothing is wrong.
    ///
    /// # Errors
    /// Everything that is wrong. What was made may be missing only where something is.
    pub fn or<T>(self, made: Option<T>) -> Result<T, Self> {
        match made {
            Some(made) if self.found.is_empty() => Ok(made),
            _ => {
                debug_assert!(!self.found.is_empty(), "something is missing that nothing is wrong with");
                Err(self)
            }
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { found: vec![problem] }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found.as_slice() {
            [one] => write!(f, "{one}"),
            several => {
                write!(f, "{} things are wrong", several.len())?;
                several.iter().try_for_each(|problem| write!(f, "\n{problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}

impl Diagnostic for Problems {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.found.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Row {
        name: String,
    }

    #[test]
    fn the_line_is_shown() {
        let source = Source::new("job.toml", "name = \"a\"\ncolour = 3\n");
        let problem = source.toml::<Row>().unwrap_err();
        assert_eq!((problem.file(), problem.line()), ("job.toml", Some(2)));
        assert!(problem.what().contains("colour"), "{problem}");
        let shown = format!("{:?}", miette::Report::new(problem));
        assert!(shown.contains("colour = 3"), "{shown}");
    }

    #[test]
    fn json_errors_have_their_line() {
        let problem = Source::new("s.json", "{\n \"a\": 1,\n}").json().unwrap_err();
        assert_eq!(problem.line(), Some(3), "{problem}");
    }

    #[test]
    fn keys_are_found_through_tables_and_lists() {
        let text = "[settings]\na = { b = [1, 2] }\n[[input]]\nport = \"p\"\n";
        let source = Source::new("x", text);
        let at = |path: &[&str]| source.span_of(path).map(|span| &text[span]);
        assert_eq!(at(&["settings", "a", "b", "1"]), Some("2"));
        assert_eq!(at(&["settings", "a", "missing"]), Some("a"));
        assert_eq!(at(&["input", "0", "port"]), Some("port"));
        assert_eq!(at(&["nothing"]), None);
    }
}
