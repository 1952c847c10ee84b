//! What can go wrong with a run. What comes next stands in `next.rs`.

mod next;

use std::time::Duration;

pub(crate) use next::{Next, WRITTEN_HOURS_MAX, pause_after, pause_while_written};

use crate::config::ConfigError;
use crate::connection::ConnectionError;
use crate::ledger::{Failed, LedgerError, RunState};
use crate::model::ids::{ConnectionName, Digest, JobName, PartnerName, PluginName, SecretName, WebhookName};
use crate::registry::cases::CaseError;
use crate::registry::package::PackageError;
use crate::registry::source::Problems;
use crate::run::process::ProcessError;
use crate::run::release::ReleaseError;
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
    /// Whoever asks names one of webhooks.toml.
    #[error("partner {partner} has no webhook {webhook}")]
    NoWebhook {
        /// The partner.
        partner: PartnerName,
        /// The webhook.
        webhook: WebhookName,
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
    /// The operator looks at the hub's own log: so many attempts ended without a word.
    #[error("the hub itself ended {attempts_max} times while it was at this run: see the hub's log and memory, then `bailiwick retry` it")]
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
    /// The person hands in several files.
    #[error("the file has more than {bytes_max} bytes: hand its rows in by several files")]
    FileTooLarge {
        /// The most that it may have.
        bytes_max: u64,
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
    /// As the inner error says, of the plugin that speaks with a provider.
    #[error("{port}, by the connector {plugin}: {error}")]
    Through {
        /// The input or output.
        port: String,
        /// The connector.
        plugin: PluginName,
        /// Why it went no further.
        error: CallError,
    },
    /// See the inner error.
    #[error(transparent)]
    Process(Box<ProcessError>),
    /// As its reason says: a partition of the run failed, here or on another hub.
    #[error("partition {number} of {of}, on hub {hub}: {}", failed.reason.sentence)]
    Partition {
        /// Which, from 1 in the order of the input.
        number: u64,
        /// How many there are.
        of: usize,
        /// Who was at it.
        hub: String,
        /// Why, with what its plugin used and noted.
        failed: Box<Failed>,
    },
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
    /// The caller asks again, with fewer cases at once.
    #[error("not decided: the {} s of the request were over before its turn came. Send it again, with fewer cases at once", within.as_secs_f32())]
    NotInTime {
        /// How long the request may take.
        within: Duration,
    },
    /// The caller names a rule set.
    #[error("plugin {plugin} is no rule set")]
    NotARuleSet {
        /// The plugin.
        plugin: PluginName,
    },
}

impl RunError {
    /// Whether it says what is wrong with a component that was handed in, and not that the hub could not look at it.
    #[must_use]
    pub const fn is_of_component(&self) -> bool {
        match self {
            Self::NoManifest | Self::BadSchema { .. } | Self::Package(_) => true,
            Self::Sandbox(error) => !matches!(
                error,
                SandboxError::CompilerMissing { .. }
                    | SandboxError::Cache { .. }
                    | SandboxError::Panicked { .. }
                    | SandboxError::ThreadsStopped { .. }
            ),
            _ => false,
        }
    }
}

impl From<ConfigError> for RunError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Wrong(problems) => Self::Configuration(problems),
            ConfigError::Unreadable { path, why } => Self::ConfigurationUnreadable { path, why },
        }
    }
}

impl From<ProcessError> for RunError {
    fn from(error: ProcessError) -> Self {
        Self::Process(Box::new(error))
    }
}
