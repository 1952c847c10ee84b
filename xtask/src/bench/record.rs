//! `tests/bench/results.json`: what was measured, each under its name with the commit that it was measured at.
//!
//! A measurement that was not run this time stays as it was.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::figures::{Also, Figures};
use super::marks::Mark;
use crate::tools::root;

/// What is written of one measurement.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) against: String,
    pub(super) runs: Vec<f64>,
    pub(super) also: Vec<Also>,
    /// The commit that it was measured at, and the load of the machine before.
    pub(super) commit: String,
    pub(super) load: String,
}

impl Entry {
    /// What has just been measured.
    pub(super) fn new(mark: &Mark, figures: &Figures, commit: &str, load: &str) -> Self {
        Self {
            value: figures.value(),
            unit: mark.unit.clone(),
            against: mark.against.clone(),
            runs: figures.runs.clone(),
            also: figures.also.clone(),
            commit: commit.to_owned(),
            load: load.to_owned(),
        }
    }

    fn read(entry: &Value) -> Option<Self> {
        let text = |key: &str| entry[key].as_str().unwrap_or("unknown").to_owned();
        let also = |also: &Value| {
            Some(Also { what: also["what"].as_str()?.to_owned(), value: also["value"].as_f64()?, unit: also["unit"].as_str()?.to_owned() })
        };
        Some(Self {
            value: entry["value"].as_f64()?,
            unit: text("unit"),
            against: text("against"),
            runs: entry["runs"].as_array()?.iter().filter_map(Value::as_f64).collect(),
            also: entry["also"].as_array().into_iter().flatten().filter_map(also).collect(),
            commit: text("commit"),
            load: text("load"),
        })
    }

    fn json(&self) -> Value {
        let number = |value: f64| json!((value * 1e4).round() / 1e4);
        let runs: Vec<Value> = self.runs.iter().map(|run| number(*run)).collect();
        let mut entry = json!({
            "value": number(self.value), "unit": self.unit, "against": self.against, "runs": runs, "commit": self.commit, "load": self.load,
        });
        if !self.also.is_empty() {
            let also = self.also.iter().map(|also| json!({ "what": also.what, "value": number(also.value), "unit": also.unit }));
            entry["also"] = also.collect();
        }
        entry
    }
}

/// Everything that is known, in the order of the marks: a mark without an entry has never been measured.
pub(super) struct Record {
    pub(super) entries: Vec<(Mark, Option<Entry>)>,
}

impl Record {
    /// What stands in the file of these marks; anything else in it is dropped.
    pub(super) fn read(marks: Vec<Mark>) -> Result<Self> {
        let path = path();
        let text = if path.is_file() { fs::read_to_string(&path)? } else { "{}".to_owned() };
        let known: Map<String, Value> = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Self { entries: merged(marks, &known) })
    }

    /// The mark of a name.
    pub(super) fn mark(&self, name: &str) -> &Mark {
        let known = self.entries.iter().find(|(mark, _)| mark.name == name);
        &known.expect("what is measured has its mark").0
    }

    /// Puts a new entry in the place of the old.
    pub(super) fn put(&mut self, name: &str, entry: Entry) {
        let place = self.entries.iter_mut().find(|(mark, _)| mark.name == name);
        place.expect("what is measured has its mark").1 = Some(entry);
    }

    /// Writes the file.
    pub(super) fn write(&self) -> Result<()> {
        let known = self.entries.iter().filter_map(|(mark, entry)| Some((mark.name.clone(), entry.as_ref()?.json())));
        let object: Map<String, Value> = known.collect();
        Ok(fs::write(path(), serde_json::to_string_pretty(&object)? + "\n")?)
    }
}

fn merged(marks: Vec<Mark>, known: &Map<String, Value>) -> Vec<(Mark, Option<Entry>)> {
    let with_entry = |mark: Mark| {
        let entry = known.get(&mark.name).and_then(Entry::read);
        (mark, entry)
    };
    marks.into_iter().map(with_entry).collect()
}

fn path() -> PathBuf {
    root().join("tests/bench/results.json")
}
