//! What can go wrong with a run, and what comes next: the retry policy is the one match in this file.

use std::time::Duration;

use super::process::ProcessError;
use super::release::ReleaseError;
use crate::connection::ConnectionError;
use crate::format::FormatError;
use crate::ledger::{DELIVERY_UNCERTAIN, LedgerError, RunState};
use crate::model::ids::{ConnectionName, Digest, JobName, PartnerName, PluginName, SecretName};
use crate::model::outcome::PluginFailure;
use crate::registry::cases::CaseError;
use crate::registry::package::PackageError;
use crate::registry::source::Problems;
use crate::sandbox::{CallError, SandboxError};
use crate::vault::VaultError;

/// Why a run, or a request to the hub, did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The operator uploads and activates a release.
    #[error("partner {partner} has no active release of plugin {plugin}: name its component in plugins.toml and run `bailiwick apply`")]
    NoRelease {
        /// The partner.
        partner: PartnerName,
        /// The plugin.
        plugin: PluginName,
    },
    /// The author builds the component with `bailiwick plugin build`.
    #[error("the component has no manifest in it: build it with `bailiwick plugin build`")]
    NoManifest,
    /// See the inner error.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The author mends the schema.
    #[error("the case schema of the plugin cannot be used: {why}")]
    BadSchema {
        /// What is wrong.
        why: String,
    },
    /// The operator restores the file, or uploads the release again.
    #[error("the stored component of release {} is damaged: its digest is another", digest.short())]
    ReleaseDamaged {
        /// The release.
        digest: Digest,
    },
    /// The operator restores the ledger.
    #[error("the stored table {table} cannot be read: {why}")]
    TableDamaged {
        /// Table and version.
        table: String,
        /// What is wrong.
        why: String,
    },
    /// The operator mends the configuration.
    #[error(transparent)]
    Configuration(#[from] Problems),
    /// The operator looks at the path and the permissions.
    #[error("{path} cannot be read: {why}")]
    ConfigurationUnreadable {
        /// The file or folder.
        path: String,
        /// Why.
        why: String,
    },
    /// The operator builds the component, or corrects its path.
    #[error(
        "the component {path}, which plugins.toml names, cannot be read: {why}. Build it with `bailiwick plugin build`, or correct the path"
    )]
    ComponentUnreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The operator corrects plugins.toml.
    #[error("the component {path} is plugin {found}, and plugins.toml says {wanted}")]
    ComponentOfAnother {
        /// The file.
        path: String,
        /// What its manifest says.
        found: PluginName,
        /// What the configuration says.
        wanted: PluginName,
    },
    /// The operator mends the job.
    #[error("job {job} does not fit its plugin: {}", findings.join("; "))]
    JobUnfit {
        /// The job.
        job: String,
        /// What does not fit, each a sentence.
        findings: Vec<String>,
    },
    /// The operator mends the schedule, or the hub's bank holidays are brought up to date.
    #[error("what is due of job {job} cannot be worked out: {why}")]
    Schedule {
        /// The job.
        job: String,
        /// Why.
        why: String,
    },
    /// The operator declares the connection.
    #[error("connection {connection} is not declared")]
    NoConnection {
        /// The connection.
        connection: ConnectionName,
    },
    /// The operator sets the secret.
    #[error("partner {partner} has no secret {secret}: set it with `bailiwick secret set {partner} {secret}`")]
    NoSecret {
        /// The partner.
        partner: PartnerName,
        /// The secret.
        secret: SecretName,
    },
    /// See the inner error.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The author mends the package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The sender sends what is new, or nothing.
    #[error(
        "file {file} has the same content as {earlier}, which run {run} took: it is not processed a second time. If it is meant to be, change the file"
    )]
    DuplicateFile {
        /// The file.
        file: String,
        /// The earlier name of the same content.
        earlier: String,
        /// The run that took it.
        run: String,
    },
    /// The sender sends it again, or the operator looks at the folder.
    #[error("the file {file} cannot be taken: {why}")]
    FileUnusable {
        /// The file.
        file: String,
        /// Why, and what to do.
        why: &'static str,
    },
    /// The operator looks at the hub's own log: each attempt ended without a word.
    #[error(
        "this run was begun {attempts_max} times and ended each time with the hub itself: see the hub's log and memory, then `bailiwick retry` it"
    )]
    TooManyAttempts {
        /// Attempts that the job allows.
        attempts_max: u64,
    },
    /// The operator mends the job: two outputs have one name.
    #[error(
        "two outputs would be delivered to {connection} as {target}: give them different names in the job's file; nothing was delivered"
    )]
    SameTarget {
        /// The connection.
        connection: ConnectionName,
        /// The name.
        target: String,
    },
    /// The operator names files by run, or moves the earlier file away.
    #[error(
        "{target} is there already and is what run {run} delivered: this run's file would not be seen. Use {{run}} in the file's name, or move the earlier file away and `bailiwick retry`"
    )]
    TargetOfAnotherRun {
        /// The name.
        target: String,
        /// The other run.
        run: String,
    },
    /// The person asks for another run to be done again.
    #[error("run {run} is {state} and has processed no rows that could be processed again")]
    NothingToReplay {
        /// The run.
        run: String,
        /// How it stands.
        state: RunState,
    },
    /// Nobody can do it again: what it read is not kept any more.
    #[error("run {run} cannot be done again: {file}, which it read for input {input}, is not in the store any more")]
    InputGone {
        /// The run.
        run: String,
        /// The input.
        input: String,
        /// The file's name where it was fetched.
        file: String,
    },
    /// Nobody: it is what the partner's retention says.
    #[error("the files of run {run} expired on {on}, as its partner's retention has it: its digests and totals are kept")]
    Expired {
        /// The run.
        run: String,
        /// The day.
        on: jiff::civil::Date,
    },
    /// The person gives another name, or the operator restores the store of artefacts. Nothing was sent.
    #[error("output {output} cannot be sent again: {why}")]
    NotResent {
        /// The output.
        output: String,
        /// Why not.
        why: String,
    },
    /// The person mends the file, or has the rows corrected at their source.
    #[error("rejects of run {run} cannot come back corrected: {why}")]
    NotCorrected {
        /// The run.
        run: String,
        /// Why not, and what to do.
        why: String,
    },
    /// The hub mends itself: rows came back corrected and were not all read. Nothing was delivered.
    #[error("{resubmitted} corrected rows were handed in and {read} were read: look for blank lines and quotation marks in the file")]
    RowsUnaccounted {
        /// Rows that were handed in.
        resubmitted: u64,
        /// Rows that the run read.
        read: u64,
    },
    /// The person asks for other days, or for a run.
    #[error("job {job} cannot be backfilled: {why}")]
    NotBackfilled {
        /// The job.
        job: JobName,
        /// Why not.
        why: String,
    },
    /// Nothing to do: recorded as a skipped run.
    #[error("no new file {pattern} in connection {connection} for input {input}")]
    NoInput {
        /// The input.
        input: String,
        /// The pattern.
        pattern: String,
        /// The connection.
        connection: ConnectionName,
    },
    /// See the inner error.
    #[error("connection {connection}: {error}")]
    Connection {
        /// The connection.
        connection: ConnectionName,
        /// What went wrong there.
        error: ConnectionError,
    },
    /// See the inner error.
    #[error(transparent)]
    Process(Box<ProcessError>),
    /// See the inner error.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// See the inner error.
    #[error(transparent)]
    Call(#[from] CallError),
    /// See the inner error.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The hub tries again, or the operator looks at the disk: the store of artefacts failed.
    #[error(transparent)]
    Store(#[from] ConnectionError),
    /// The hub tries again: its own disk failed.
    #[error("the hub could not use its own folder: {0}")]
    Disk(#[from] std::io::Error),
    /// The caller corrects the case.
    #[error("the case does not fit the rule set's schema: {}", violations.join("; "))]
    BadCase {
        /// What does not fit, each with its place.
        violations: Vec<String>,
    },
    /// The author mends the case's file.
    #[error("{file}, line {line}: {why}")]
    CaseUnreadable {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The author mends the cases.
    #[error(transparent)]
    Cases(#[from] CaseError),
    /// The caller names a rule set.
    #[error("plugin {plugin} is no rule set")]
    NotARuleSet {
        /// The plugin.
        plugin: PluginName,
    },
}

impl From<ProcessError> for RunError {
    fn from(error: ProcessError) -> Self {
        Self::Process(Box::new(error))
    }
}

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
    pub(crate) const fn next(&self) -> Next {
        match self {
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
            Self::Call(CallError::Failed(PluginFailure::TryLater { .. })) => Next::Retry,
            Self::NoInput { .. } => Next::Nothing,
            _ => Next::Person,
        }
    }

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
    const fn next(&self) -> Next {
        match self {
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
