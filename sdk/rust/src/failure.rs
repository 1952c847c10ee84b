//! Why a whole call fails. A row that is wrong is not a failure: reject it.

use std::fmt;

use crate::values::{Date, Overflow};
use crate::wire;

/// What is wrong, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Short, stable, lower case with hyphens: `rate-table-empty`.
    pub code: String,
    /// One sentence that says what to do.
    pub message: String,
}

/// Why a whole call failed: the run ends and nothing is delivered.
///
/// The variants say who mends it. A row that is wrong is not a failure: see [`Reject`](crate::Reject).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The settings pass their schema but make no sense together. The operator mends the job.
    SettingsUnusable(Problem),
    /// A reference table has no version for a date. The operator adds one.
    TableMissing {
        /// Name of the table.
        table: String,
        /// The date that was asked for.
        on: Date,
    },
    /// The input as a whole cannot be processed. The sender mends it.
    InputUnusable(Problem),
    /// The plugin found itself in a state that it does not expect. Its author mends it.
    PluginDefect(Problem),
}

impl Failure {
    /// The operator has to mend the job's settings.
    pub fn settings(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::SettingsUnusable(Problem { code: code.into(), message: message.into() })
    }

    /// The sender has to mend the input.
    pub fn input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InputUnusable(Problem { code: code.into(), message: message.into() })
    }

    /// The plugin's author has to mend the plugin.
    pub fn defect(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::PluginDefect(Problem { code: code.into(), message: message.into() })
    }

    /// The word for it that `expect-failure` in a case uses: `settings-unusable`, `table-missing`, `input-unusable`, `plugin-defect`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SettingsUnusable(_) => "settings-unusable",
            Self::TableMissing { .. } => "table-missing",
            Self::InputUnusable(_) => "input-unusable",
            Self::PluginDefect(_) => "plugin-defect",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SettingsUnusable(p) => write!(f, "the job's settings cannot be used: {} ({})", p.message, p.code),
            Self::TableMissing { table, on } => write!(f, "table {table} has no version in force on {on}"),
            Self::InputUnusable(p) => write!(f, "the input cannot be used: {} ({})", p.message, p.code),
            Self::PluginDefect(p) => write!(f, "the plugin has a defect: {} ({})", p.message, p.code),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Overflow> for Failure {
    fn from(overflow: Overflow) -> Self {
        Self::input("amount-too-large", format!("The input cannot be processed: {overflow}."))
    }
}

impl From<Failure> for wire::Failure {
    fn from(failure: Failure) -> Self {
        let problem = |p: Problem| wire::Problem { code: p.code, message: p.message };
        match failure {
            Failure::SettingsUnusable(p) => Self::SettingsUnusable(problem(p)),
            Failure::TableMissing { table, on } => Self::TableMissing(wire::MissingTable { table, on: on.days() }),
            Failure::InputUnusable(p) => Self::InputUnusable(problem(p)),
            Failure::PluginDefect(p) => Self::PluginDefect(problem(p)),
        }
    }
}
