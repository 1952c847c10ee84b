//! A plugin's own cases: what goes in and what must come out, as files that the sandbox and the plugin's own tests share.
//!
//! ```text
//! cases/<name>/case.toml              an adapter's case: today, about, [settings], expect-failure
//!              in/<input>.csv         UTF-8, first line the columns' names
//!              expected/<output>.csv  byte for byte; a file that is missing stands for an output without rows
//!              expected/findings.csv  input,row,effect,column,code; missing for a case without findings
//!              tables/                versions of tables, beside the plugin's own
//! cases/<name>/case.toml              a format's case: today, about, ways, [settings], expect-failure
//!              rows.csv               the rows, in or out
//!              file.txt               the file, in or out; of any ending but .csv and .toml
//!              unwritable.csv         row,column,code of rows that cannot be written; then there is no file
//!              refused.csv            line,column,code of records that are no rows
//! cases/<name>/case.toml              a connector's case: today, about, way, file, cursor or key, content, [settings], expect-failure,
//!                                     expect-cursor, expect-sent, and [[exchange]]: what is asked and what is answered, in order
//! cases/<name>.json                   a rule set's cases: today, about, settings, cases: [{name, case, expect | absent | expect-failure}]
//! ```
//!
//! Loading and comparing are here, running is not: nothing here knows the sandbox.

mod compare;
mod connector;
mod decision_json;
mod format;
mod load;

use std::path::PathBuf;

use jiff::civil::Date;

use crate::model::outcome::{Finding, PluginFailure};
use crate::model::table::Table;

use super::source::Problems;

pub use compare::{Difference, compare_adapter, compare_rule_set, findings_csv};
pub use connector::{
    CaseExchange, CaseRequest, ConnectorCase, ConnectorHappened, ConnectorWay, compare_connector, connector_case_folder, connector_cases,
};
pub use decision_json::{DecisionJson, decision_json};
pub use format::{FormatCase, FormatHappened, FormatWay, compare_format, format_case_folder, format_cases};
pub use load::{adapter_case_folder, adapter_cases, adapter_files, rule_set_cases, rule_set_file};

/// A case of an adapter.
#[derive(Debug)]
pub struct AdapterCase {
    /// The folder's name.
    pub name: String,
    /// What it shows, for people.
    pub about: String,
    /// The day on which it runs.
    pub today: Date,
    /// Settings: a JSON object.
    pub settings: serde_json::Value,
    /// The inputs that it has, in declared order: port and CSV file.
    pub inputs: Vec<(String, PathBuf)>,
    /// What must be written: port and bytes, in declared order. An output that is missing here must have no rows.
    pub outputs: Vec<(String, Vec<u8>)>,
    /// What must be found: the lines of `findings.csv` without the first.
    pub findings: Vec<String>,
    /// How it must fail, where it must.
    pub expect_failure: Option<FailureKind>,
    /// Versions of tables that it adds to the plugin's own.
    pub tables: Vec<Table>,
}

/// A file of cases for a rule set.
#[derive(Debug)]
pub struct RuleSetCase {
    /// The file's name without its ending.
    pub name: String,
    /// What it shows, for people.
    pub about: String,
    /// The day on which it runs.
    pub today: Date,
    /// Settings: a JSON object.
    pub settings: serde_json::Value,
    /// The cases, each decided apart from the others.
    pub cases: Vec<RuleCase>,
}

/// One case and its decision.
#[derive(Debug)]
pub struct RuleCase {
    /// What it shows.
    pub name: String,
    /// The case.
    pub case: serde_json::Value,
    /// What must come of it.
    pub expected: Expected,
}

/// What must come of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// A decision that has all of `subset` in it, and nothing that has all of `absent`.
    Decision {
        /// What must match.
        subset: Option<serde_json::Value>,
        /// What must not.
        absent: Option<serde_json::Value>,
    },
    /// A failure.
    Failure(FailureKind),
}

/// The kinds of failure, as case files name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The settings make no sense together.
    SettingsUnusable,
    /// A table has no version for a date.
    TableMissing,
    /// The input as a whole cannot be processed.
    InputUnusable,
    /// The plugin found a defect of its own.
    PluginDefect,
    /// The provider cannot be asked now.
    TryLater,
    /// The provider says no.
    Refused,
}

impl FailureKind {
    /// The kind of a failure.
    #[must_use]
    pub const fn of(failure: &PluginFailure) -> Self {
        match failure {
            PluginFailure::SettingsUnusable { .. } => Self::SettingsUnusable,
            PluginFailure::TableMissing { .. } => Self::TableMissing,
            PluginFailure::InputUnusable { .. } => Self::InputUnusable,
            PluginFailure::PluginDefect { .. } => Self::PluginDefect,
            PluginFailure::TryLater { .. } => Self::TryLater,
            PluginFailure::Refused { .. } => Self::Refused,
        }
    }

    /// Its word in case files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SettingsUnusable => "settings-unusable",
            Self::TableMissing => "table-missing",
            Self::InputUnusable => "input-unusable",
            Self::PluginDefect => "plugin-defect",
            Self::TryLater => "try-later",
            Self::Refused => "refused",
        }
    }
}

/// What running an adapter's case came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdapterHappened {
    /// Every output as CSV with its first line: port and bytes.
    pub outputs: Vec<(String, Vec<u8>)>,
    /// What was found, in order.
    pub findings: Vec<Finding>,
    /// The failure, where there was one.
    pub failure: Option<PluginFailure>,
}

/// Why cases cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The plugin's author mends the files.
    #[error(transparent)]
    Wrong(#[from] Problems),
    /// A file or folder could not be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
}

#[cfg(test)]
mod tests;
