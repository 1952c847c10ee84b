//! The tables, and how questions about them are put between plugin and host.

use real::Date;
use serde::{Deserialize, Serialize};

/// What a decision says of a table that it opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Which {
    pub table: String,
    pub version: String,
    pub effective_from: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Date>,
}

/// One version of a table with its rows.
#[derive(Debug, Deserialize)]
pub struct Version {
    #[serde(flatten)]
    pub which: Which,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Asks for the version that is in force on a day.
#[derive(Debug, Serialize, Deserialize)]
pub struct Open {
    pub table: String,
    pub on: Date,
}

/// The version, by the number under which the host knows it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Opened {
    pub number: usize,
    pub which: Which,
    pub columns: Vec<String>,
}

/// Asks for the rows that hold a value, or for all.
#[derive(Debug, Serialize, Deserialize)]
pub struct Find {
    pub number: usize,
    pub holds: Option<(String, String)>,
}

/// Every version of every table.
pub fn all() -> Vec<Version> {
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/tables.json"))).expect("the build wrote it")
}

/// The version that is in force on a day.
pub fn in_force(versions: &[Version], table: &str, on: Date) -> Option<usize> {
    versions.iter().position(|version| {
        let which = &version.which;
        which.table == table && which.effective_from <= on && which.effective_to.is_none_or(|last| on <= last)
    })
}

impl Version {
    /// The rows that hold a value, or all.
    pub fn find(&self, holds: Option<(&str, &str)>) -> Vec<Vec<String>> {
        let place = holds.and_then(|(column, value)| Some((self.columns.iter().position(|name| name == column)?, value)));
        self.rows.iter().filter(|row| place.is_none_or(|(place, value)| row[place] == value)).cloned().collect()
    }
}
