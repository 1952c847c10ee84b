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

/// Under which `cargo xtask chaos` writes.
const CHAOS: &str = "chaos";

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
    /// What `cargo xtask chaos` wrote, which is kept as it is.
    pub(super) chaos: Option<Value>,
}

impl Record {
    /// What stands in the file of these marks; anything else in it is dropped.
    pub(super) fn read(marks: Vec<Mark>) -> Result<Self> {
        let path = path();
        let text = if path.is_file() { fs::read_to_string(&path)? } else { "{}".to_owned() };
        let known: Map<String, Value> = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Self { entries: merged(marks, &known), chaos: known.get(CHAOS).cloned() })
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
        let object: Map<String, Value> = known.chain(self.chaos.clone().map(|chaos| (CHAOS.to_owned(), chaos))).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::marks::Held;

    fn mark(name: &str) -> Mark {
        let text = String::new;
        Mark {
            name: name.to_owned(),
            what: text(),
            unit: "ratio".to_owned(),
            against: text(),
            how: text(),
            held: Held::Told,
            tried: text(),
        }
    }

    #[test]
    fn what_was_not_measured_again_stays_as_it_was() {
        let kept = Entry {
            value: 1.5,
            unit: "ratio".to_owned(),
            against: "a peer".to_owned(),
            runs: vec![1.25, 1.5, 2.0],
            also: vec![Also { what: "theirs".to_owned(), value: 12.5, unit: "µs".to_owned() }],
            commit: "0123abc".to_owned(),
            load: "0.1 0.2 0.3".to_owned(),
        };
        let known = json!({ "kept": kept.json(), "again": kept.json(), "of-no-mark": kept.json() });
        let marks = ["again", "kept", "new"].map(mark).into();
        let mut record = Record { entries: merged(marks, known.as_object().expect("an object")), chaos: None };
        let again = Entry::new(&mark("again"), &Figures::from(vec![3.0, 1.0, 2.0]), "4567def", "0 0 0");
        record.put("again", again.clone());
        let entries: Vec<_> = record.entries.into_iter().map(|(mark, entry)| (mark.name, entry)).collect();
        assert_eq!((again.value, again.commit.as_str()), (2.0, "4567def"));
        assert_eq!(entries, [("again".to_owned(), Some(again)), ("kept".to_owned(), Some(kept)), ("new".to_owned(), None)]);
    }

    #[test]
    fn an_entry_of_before_commits_were_kept_is_read() {
        let entry = json!({ "against": "a peer", "runs": [1.0], "unit": "ms", "value": 1.0 });
        let read = Entry::read(&entry).map(|entry| (entry.value, entry.commit, entry.also.len()));
        assert_eq!(read, Some((1.0, "unknown".to_owned(), 0)));
    }
}
