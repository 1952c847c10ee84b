//! The short, stable word for each failure: what a run's reason, the API and people's own scripts go by.

use super::RunError;
use crate::connection::ConnectionError;
use crate::format::FormatError;
use crate::ledger::{DELIVERY_UNCERTAIN, LedgerError};
use crate::model::outcome::PluginFailure;
use crate::run::process::ProcessError;
use crate::sandbox::CallError;

impl RunError {
    /// A short, stable word for it.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::NoRelease { .. } => "no-active-release",
            Self::Release(_) => "release-not-vouched-for",
            Self::NoManifest | Self::Package(_) | Self::BadSchema { .. } => "package-unreadable",
            Self::ReleaseDamaged { .. } | Self::TableDamaged { .. } => "stored-data-damaged",
            Self::Configuration(_)
            | Self::ConfigurationUnreadable { .. }
            | Self::ComponentUnreadable { .. }
            | Self::ComponentOfAnother { .. } => "configuration-wrong",
            Self::JobUnfit { .. } => "job-does-not-fit-plugin",
            Self::Schedule { .. } => "schedule-unusable",
            Self::NoConnection { .. } => "connection-not-declared",
            Self::NoSecret { .. } | Self::Vault(_) => "secret-unavailable",
            Self::DuplicateFile { .. } | Self::Ledger(LedgerError::FileTaken { .. }) => "duplicate-file",
            Self::FileUnusable { .. } => "file-unusable",
            Self::TooManyAttempts { .. } => "hub-ended-each-time",
            Self::SameTarget { .. } | Self::TargetOfAnotherRun { .. } => "target-taken",
            Self::NoInput { .. } => "no-input",
            Self::NothingToReplay { .. } => "nothing-to-replay",
            Self::InputGone { .. } => "input-gone",
            Self::NotBackfilled { .. } => "not-backfilled",
            Self::NotResent { .. } => "not-resent",
            Self::Expired { .. } => "expired",
            Self::NotCorrected { .. } => "not-corrected",
            Self::RowsUnaccounted { .. } => "rows-unaccounted",
            Self::Connection { error: ConnectionError::Uncertain { .. }, .. } => DELIVERY_UNCERTAIN,
            Self::Connection { .. } => "connection-failed",
            Self::Process(error) => error.code(),
            Self::Partition { failed, .. } => &failed.reason.code,
            Self::Sandbox(_) => "release-not-installed",
            Self::Call(error) => call_code(error),
            Self::Ledger(_) => "ledger-failed",
            Self::Disk(_) | Self::Store(_) => "disk-failed",
            Self::CaseUnreadable { .. } | Self::Cases(_) => "cases-unreadable",
            Self::BadCase { .. } => "case-does-not-fit-schema",
            Self::NotARuleSet { .. } => "not-a-rule-set",
        }
    }
}

impl ProcessError {
    fn code(&self) -> &str {
        match self {
            Self::Input { error: FormatError::File(reject), .. } => reject.code,
            Self::Input { error: FormatError::Layout { .. }, .. } | Self::Output { error: FormatError::Layout { .. }, .. } => {
                "format-does-not-fit"
            }
            Self::Output { error: FormatError::Value { code, .. }, .. } => code,
            Self::Input { .. } | Self::Output { .. } | Self::Disk(_) | Self::Store(_) => "disk-failed",
            Self::TooManyRejects { .. } => "too-many-rejects",
            Self::Call(error) | Self::File { error, .. } => call_code(error),
            Self::Unwritable { rows, .. } => {
                rows.iter().flat_map(|row| &row.reasons).next().map_or("rows-unwritable", |reason| &reason.code)
            }
            Self::DecidedTwice { .. } | Self::NoSuchRow { .. } | Self::NotDeclared { .. } => "plugin-answer-unsound",
            Self::TooManyGroups { .. } => "too-many-groups",
            Self::SumTooLarge { .. } => "sum-too-large",
            Self::NoSuchTotal(_) => "balance-without-total",
            Self::Thread(_) => "hub-fault",
            Self::Stopped => "stopped",
        }
    }
}

fn call_code(error: &CallError) -> &str {
    match error {
        CallError::LimitReached { limit, .. } => limit.name(),
        CallError::Trapped { .. } => "plugin-trapped",
        CallError::Failed(PluginFailure::SettingsUnusable { .. }) => "settings-unusable",
        CallError::Failed(PluginFailure::TableMissing { .. }) => "table-missing",
        CallError::Failed(PluginFailure::InputUnusable { .. }) => "input-unusable",
        CallError::Failed(PluginFailure::PluginDefect { .. }) => "plugin-defect",
        CallError::Failed(PluginFailure::TryLater { .. }) => "provider-busy",
        CallError::Failed(PluginFailure::Refused { .. }) => "provider-refuses",
        CallError::Unsound { .. } => "plugin-answer-unsound",
        CallError::Spent { .. } | CallError::HubFault { .. } => "hub-fault",
    }
}
