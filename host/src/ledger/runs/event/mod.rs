//! What can happen to a run. The log of these is the truth; the run's row is worked out from it. These are the ledger's own wire structs: every later version must read them, so a field keeps its name and meaning, and a new one has a default.

mod partitioned;
mod person;
mod processed;
mod wire;

use serde::{Deserialize, Serialize};

use crate::ledger::runs::found::LogLine;
use crate::ledger::who::{Actor, HubId};
use crate::model::ids::{ConnectionName, Digest, JobName, PartnerName, PluginName, RunId};
use crate::model::job::Priority;

pub use partitioned::{Cut, Partitioned};
pub use person::{ResendBegun, Resent, Retried, Settled, Word};
pub use processed::{LimitUse, Processed, StagedOutput, TableUsed};

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "kebab-case")]
pub enum RunEvent {
    /// It was put in the queue.
    Enqueued(Box<Enqueued>),
    /// A hub took it up.
    Claimed(Claimed),
    /// Its inputs were fetched and stored.
    Pulled(Pulled),
    /// Its last input was cut into partitions, which any hub may claim.
    Partitioned(Partitioned),
    /// The plugin has seen every row; the outputs are stored, and nothing has been sent.
    Processed(Box<Processed>),
    /// One output was sent.
    Delivered(Delivered),
    /// It is done.
    Closed(Closed),
    /// It waits for a person to release, retry or cancel it.
    Held(Reason),
    /// The attempt failed.
    Failed(Failed),
    /// It did not run, and this is the record of that.
    Skipped(Reason),
    /// A person sent it on its way again after it was held or had failed.
    Retried(Retried),
    /// A person let it go on as it stood when it was held.
    Released(Word),
    /// A person ended it, or the run that came after it did.
    Cancelled(Word),
    /// It was not done when it should have been.
    Overdue(Overdue),
    /// A person said whether a delivery arrived of which nobody could tell.
    Settled(Settled),
    /// A person has an output sent again that was delivered before.
    ResendBegun(ResendBegun),
    /// What came of that.
    Resent(Resent),
}

impl RunEvent {
    /// The word for it, as stored and shown.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Enqueued(_) => "enqueued",
            Self::Claimed(_) => "claimed",
            Self::Pulled(_) => "pulled",
            Self::Partitioned(_) => "partitioned",
            Self::Processed(_) => "processed",
            Self::Delivered(_) => "delivered",
            Self::Closed(_) => "closed",
            Self::Held(_) => "held",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::Retried(_) => "retried",
            Self::Released(_) => "released",
            Self::Cancelled(_) => "cancelled",
            Self::Overdue(_) => "overdue",
            Self::Settled(_) => "settled",
            Self::ResendBegun(_) => "resend-begun",
            Self::Resent(_) => "resent",
        }
    }

    /// Its particulars as JSON.
    pub(in crate::ledger) fn body(&self) -> String {
        wire::body_of(self)
    }

    pub(in crate::ledger) fn read(kind: &str, body: &str) -> Result<Self, serde_json::Error> {
        wire::event_of(kind, body)
    }
}

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// 1, 2, 3 within the run.
    pub seq: u64,
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub actor: Actor,
    /// Written down by which hub.
    pub hub: HubId,
    /// The lease in force then; 0 before the first.
    pub lease: u64,
    /// What happened.
    pub event: RunEvent,
}

/// A run was put in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enqueued {
    /// Its partner.
    #[serde(with = "wire::text")]
    pub partner: PartnerName,
    /// Its job.
    #[serde(with = "wire::text")]
    pub job: JobName,
    /// What it is for; a job has one run for each slot.
    pub slot: Option<String>,
    /// Why it was enqueued.
    pub trigger: Trigger,
    /// Everything but delivery.
    pub dry_run: bool,
    /// The time that the plugin is told.
    pub logical_ms: i64,
    /// Seed of the plugin's random numbers.
    #[serde(with = "wire::seed")]
    pub seed: u64,
    /// Version of the bank holidays by which the slot was worked out.
    pub calendar: String,
    /// The release to use in place of the active one.
    #[serde(with = "wire::text_option")]
    pub release: Option<Digest>,
    /// Pinned from the first, as a replay is to what its origin used.
    pub pins: Option<Pins>,
    /// Whether it goes before others.
    #[serde(default, with = "wire::priority")]
    pub priority: Priority,
    /// When it should be done.
    #[serde(default)]
    pub overdue_at_ms: Option<i64>,
}

/// Why a run was enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "wire::TriggerWire", try_from = "wire::TriggerWire")]
pub enum Trigger {
    /// Its time had come.
    Schedule,
    /// Its time had come while no hub was running.
    CatchUp,
    /// A person or another system asked for it.
    Request,
    /// A person asked for the slots of a time gone by.
    Backfill,
    /// A run is done again from its stored inputs.
    Replay(RunId),
    /// Rejects of a run come back corrected.
    Resubmission(RunId),
}

impl Trigger {
    /// The word for it, as stored and shown.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::CatchUp => "catch-up",
            Self::Request => "request",
            Self::Backfill => "backfill",
            Self::Replay(_) => "replay",
            Self::Resubmission(_) => "resubmission",
        }
    }

    /// The run that it goes back to.
    #[must_use]
    pub const fn origin(&self) -> Option<RunId> {
        match self {
            Self::Replay(run) | Self::Resubmission(run) => Some(*run),
            Self::Schedule | Self::CatchUp | Self::Request | Self::Backfill => None,
        }
    }

    pub(in crate::ledger) fn read(kind: &str, origin: Option<RunId>) -> Option<Self> {
        Some(match (kind, origin) {
            ("schedule", None) => Self::Schedule,
            ("catch-up", None) => Self::CatchUp,
            ("request", None) => Self::Request,
            ("backfill", None) => Self::Backfill,
            ("replay", Some(run)) => Self::Replay(run),
            ("resubmission", Some(run)) => Self::Resubmission(run),
            _ => return None,
        })
    }
}

/// What every attempt of a run works with, whatever has changed since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// The file that declares its job: settings, inputs, outputs.
    #[serde(with = "wire::text")]
    pub definition: Digest,
    /// The release; none if none was active, of which the run fails.
    #[serde(with = "wire::text_option")]
    pub release: Option<Digest>,
    /// Table versions up to this number; see `Ledger::tables`.
    pub tables_through: u64,
}

/// A hub took a run up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// The hub.
    pub hub: String,
    /// When its lease runs out, unless it is renewed.
    pub until_ms: i64,
    /// What the attempt works with.
    pub pins: Pins,
}

/// Inputs were fetched and stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// In the order of the plugin's inputs.
    pub inputs: Vec<PulledFile>,
    /// The formats and connectors that its files go through, of which every attempt and every replay uses the same releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<FormatUsed>,
}

/// A plugin that files go through, as a run uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatUsed {
    /// The plugin.
    #[serde(with = "wire::text")]
    pub plugin: PluginName,
    /// Its version, for people.
    pub version: String,
    /// The release: SHA-256 of its component.
    #[serde(with = "wire::text")]
    pub release: Digest,
}

/// One file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PulledFile {
    /// The plugin's input.
    pub port: String,
    /// Where it lay.
    #[serde(with = "wire::text")]
    pub connection: ConnectionName,
    /// Its name there.
    pub path: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// When it was last written, by the other side's clock.
    pub modified_ms: i64,
    /// SHA-256 of its bytes, which is also the name of the artefact that holds them.
    #[serde(with = "wire::text")]
    pub digest: Digest,
    /// Whether no other run of the job may take it. Not for a file that is read again and again, a dry run or a replay.
    pub taken: bool,
    /// Whether its place said something with it, from which the next pull goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marked: bool,
    /// The run that had taken the same content first, as the ledger found when this one took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<DuplicateOf>,
    /// Of a file that a connector fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
}

/// A file whose content had been taken before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateOf {
    /// The run that took it.
    #[serde(with = "wire::text")]
    pub run: RunId,
    /// Its name then.
    pub path: String,
}

/// A connector's session with a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The lease under which its exchanges are kept.
    pub lease: u64,
    /// From where it went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// What it used of its limits.
    pub limits: Vec<LimitUse>,
    /// What it noted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
}

/// An output was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The plugin's output.
    pub port: String,
    /// Where it went.
    #[serde(with = "wire::text")]
    pub connection: ConnectionName,
    /// What it is called there.
    pub target: String,
    /// SHA-256 of what was sent; it must be what was staged.
    #[serde(with = "wire::text")]
    pub digest: Digest,
    /// How many bytes.
    pub size_bytes: u64,
    /// What the other side said, or what was checked there.
    pub receipt: String,
    /// Whether the very same was there already, from an attempt whose word was lost.
    pub already_there: bool,
    /// Of a file that a connector sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
}

/// A run is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// How.
    pub outcome: Outcome,
    /// What the plugin wants to remember for the job's next run.
    pub state: Vec<StateChange>,
}

/// How a run was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every output was delivered.
    Delivered,
    /// Everything but delivery.
    DryRun,
}

impl Outcome {
    /// The word for it, as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        if matches!(self, Self::Delivered) { "delivered" } else { "dry-run" }
    }
}

/// A change of a job's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// The key.
    pub key: String,
    /// The value; none removes the key.
    #[serde(with = "wire::bytes_option")]
    pub value: Option<Vec<u8>>,
}

/// Why something is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Short and stable: `totals-do-not-balance`.
    pub code: String,
    /// One sentence that a clerk understands.
    pub sentence: String,
}

/// An attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Why.
    pub reason: Reason,
    /// When the next attempt may begin; none if it would fail in the same way, or there were enough.
    pub retry_at_ms: Option<i64>,
    /// Whether it only waits for somebody else, so that the attempt does not count.
    #[serde(default)]
    pub waits: bool,
    /// What the plugin used of its limits, where it came so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitUse>,
    /// The last of what the plugin noted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
}

/// A run was not done in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// When it should have been done.
    pub due_ms: i64,
}
