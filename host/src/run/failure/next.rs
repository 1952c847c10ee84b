//! What comes after a failure: the retry policy is the one match in this file, beside the short words for what can go wrong.

use std::time::Duration;

use super::RunError;
use crate::connection::ConnectionError;
use crate::format::FormatError;
use crate::ledger::{DELIVERY_UNCERTAIN, LedgerError};
use crate::model::outcome::PluginFailure;
use crate::run::process::ProcessError;
use crate::run::release::ReleaseError;
use crate::sandbox::{CallError, SandboxError};
use crate::vault::VaultError;

/// Longest pause that a provider may ask for. One that asks for more is asked again all the same.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(24 * 3_600);

/// The word for something that is kept and is not what it was.
const STORED_DATA_DAMAGED: &str = "stored-data-damaged";

/// What comes after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another attempt, after a pause: it may go better.
    Retry,
    /// Another look, after a pause: somebody else is not done yet. It counts as no attempt, until that takes too long.
    Wait,
    /// A person: another attempt would end the same way.
    Person,
    /// Nothing: there was nothing to do.
    Nothing,
}

impl RunError {
    /// What comes next.
    pub(crate) fn next(&self) -> Next {
        match self {
            Self::Store(ConnectionError::ArtefactAltered { .. }) => Next::Person,
            // A file that another run took first is passed over the next time.
            Self::Ledger(_) | Self::Disk(_) | Self::Store(_) => Next::Retry,
            Self::Connection { error: ConnectionError::StillBeingWritten { .. }, .. } => Next::Wait,
            Self::Connection { error, .. } if error.may_pass() => Next::Retry,
            Self::Vault(error) if error.may_pass() => Next::Retry,
            Self::Call(CallError::HubFault { .. })
            | Self::Sandbox(SandboxError::Panicked { .. } | SandboxError::ThreadsStopped { .. } | SandboxError::Cache { .. }) => {
                Next::Retry
            }
            Self::Process(error) => error.next(),
            Self::Through { error: CallError::HubFault { .. } | CallError::Failed(PluginFailure::TryLater { .. }), .. } => Next::Retry,
            Self::Partition { failed, .. } if failed.retry_at_ms.is_some() => Next::Retry,
            Self::NoInput { .. } => Next::Nothing,
            _ => Next::Person,
        }
    }

    /// How long the other side asks to be left alone, if it says.
    pub(crate) fn not_before(&self) -> Option<Duration> {
        match self {
            Self::Through { error: CallError::Failed(PluginFailure::TryLater { seconds: Some(seconds), .. }), .. } => {
                Some(Duration::from_secs(u64::from(*seconds)).min(ASKED_PAUSE_MAX))
            }
            _ => None,
        }
    }

    /// A short, stable word for it.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::NoRelease { .. } => "no-active-release",
            Self::Release(ReleaseError::NotGranted { .. }) => "not-granted",
            Self::Release(ReleaseError::NoneFits { .. }) => "no-active-release",
            Self::Release(_) => "release-not-vouched-for",
            Self::NoManifest | Self::Package(_) | Self::BadSchema { .. } => "package-unreadable",
            Self::ReleaseDamaged { .. } | Self::TableDamaged { .. } => STORED_DATA_DAMAGED,
            Self::Configuration(_)
            | Self::ConfigurationUnreadable { .. }
            | Self::ComponentUnreadable { .. }
            | Self::ComponentOfAnother { .. } => "configuration-wrong",
            Self::JobUnfit { .. } => "job-does-not-fit-plugin",
            Self::Schedule { .. } => "schedule-unusable",
            Self::NoConnection { .. } => "connection-not-declared",
            Self::NoWebhook { .. } => "webhook-not-declared",
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
            Self::FileTooLarge { .. } => "file-too-large",
            Self::RowsUnaccounted { .. } => "rows-unaccounted",
            Self::Connection { error: ConnectionError::Uncertain { .. }, .. } => DELIVERY_UNCERTAIN,
            Self::Connection { .. } => "connection-failed",
            Self::Process(error) => error.code(),
            Self::Sandbox(_) => "release-not-installed",
            Self::Call(error) | Self::Through { error, .. } => call_code(error),
            Self::Ledger(_) => "ledger-failed",
            Self::Store(ConnectionError::ArtefactAltered { .. }) => STORED_DATA_DAMAGED,
            Self::Disk(_) | Self::Store(_) => "disk-failed",
            Self::CaseUnreadable { .. } | Self::Cases(_) => "cases-unreadable",
            Self::BadCase { .. } => "case-does-not-fit-schema",
            Self::Partition { failed, .. } => &failed.reason.code,
            Self::NotInTime { .. } => "not-in-time",
            Self::NotARuleSet { .. } => "not-a-rule-set",
        }
    }
}

impl ProcessError {
    fn next(&self) -> Next {
        match self {
            _ if self.is_of_altered() => Next::Person,
            Self::Disk(_)
            | Self::Thread(_)
            | Self::Call(CallError::HubFault { .. })
            | Self::File { error: CallError::HubFault { .. }, .. }
            | Self::Store(_)
            | Self::Input { error: FormatError::Read(_), .. }
            | Self::Output { error: FormatError::Write(_), .. } => Next::Retry,
            _ => Next::Person,
        }
    }

    /// Whether something that is kept was altered: what is read of it would be the same another time.
    fn is_of_altered(&self) -> bool {
        let altered = |error: &std::io::Error| error.get_ref().is_some_and(|inner| inner.is::<VaultError>());
        match self {
            Self::Store(ConnectionError::ArtefactAltered { .. }) => true,
            Self::Input { error: FormatError::Read(error), .. } | Self::Disk(error) => altered(error),
            _ => false,
        }
    }

    fn code(&self) -> &str {
        match self {
            _ if self.is_of_altered() => STORED_DATA_DAMAGED,
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
        CallError::NotGranted { .. } => "not-granted",
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

/// How long to wait before the attempt after `attempt`: doubling from five seconds to an hour, spread by a fifth so that
/// runs that failed together do not come back together. `spread` is any number.
pub(crate) fn pause_after(attempt: u64, spread: u64) -> Duration {
    let doubled = Duration::from_secs(5).saturating_mul(1 << attempt.saturating_sub(1).min(10));
    let pause = doubled.min(Duration::from_secs(3_600));
    let fifth = u64::try_from(pause.as_millis() / 5).unwrap_or(u64::MAX).max(1);
    pause + Duration::from_millis(spread % fifth)
}

/// How long a run waits for a file that is being written, from its first look on; then its attempts count.
pub(crate) const WRITTEN_HOURS_MAX: u64 = 6;

/// How long to wait before the next look at a file that is being written, which began so long ago: a quarter of that, within a minute.
pub(crate) fn pause_while_written(waited: Duration, spread: u64) -> Option<Duration> {
    if waited >= Duration::from_secs(WRITTEN_HOURS_MAX * 3_600) {
        return None;
    }
    Some((waited / 4).clamp(Duration::from_secs(5), Duration::from_secs(60)) + Duration::from_millis(spread % 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_spread() {
        assert_eq!(pause_after(1, 0), Duration::from_secs(5));
        assert_eq!(pause_after(2, 0), Duration::from_secs(10));
        assert_eq!(pause_after(60, 0), Duration::from_secs(3_600));
        assert!(pause_after(1, 999) > pause_after(1, 0));
        assert!(pause_after(60, u64::MAX) <= Duration::from_secs(3_600 + 720));
    }
}
