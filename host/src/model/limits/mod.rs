//! Every limit: its default, the highest an operator may set, and why it exists.
//!
//! One table, [`LIMITS`], is what the sandbox enforces, the run record stores, `plugin inspect` prints and the docs show.

pub mod access;
pub mod console;
mod facts;
pub mod serving;

use std::fmt;

pub use facts::LIMITS;

/// Something that a plugin can use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Limit {
    /// Linear memory of one instance.
    MemoryBytes,
    /// Entries of all tables of one instance.
    TableEntries,
    /// Core instances inside one component.
    Instances,
    /// Time on the CPU inside the guest, for one decision or one call of an adapter.
    CpuMs,
    /// Time from the first call to the last of one run, host calls included.
    WallMs,
    /// Stack of the guest.
    StackBytes,
    /// What one call may make the hub allocate while values cross the boundary.
    HostCallBytes,
    /// Bytes that the hub keeps on the plugin's behalf over a run: state, open tables.
    RetainedBytes,
    /// Notes in the log.
    LogLines,
    /// Bytes of all notes in the log.
    LogBytes,
    /// Resource handles open at one time.
    Handles,
    /// Rows of all outputs.
    OutputRows,
    /// Bytes of all outputs.
    OutputBytes,
    /// Bytes of random numbers.
    RandomBytes,
    /// Bytes of a job's state.
    StateBytes,
    /// Requests that one session with a provider sends, redirects not counted.
    HttpRequests,
    /// Bytes of all requests of a session.
    HttpSentBytes,
    /// Bytes of all answers of a session.
    HttpReceivedBytes,
    /// Time of one request, from looking the name up to the last byte of the answer.
    HttpRequestMs,
    /// Size of an uploaded component.
    ComponentBytes,
    /// Time to compile a component.
    CompileMs,
    /// Memory to compile a component.
    CompileBytes,
}

/// What is known of one limit.
#[derive(Debug, Clone, Copy)]
pub struct LimitFact {
    /// Which.
    pub limit: Limit,
    /// Its name in `plugin.toml`, job files and the run record.
    pub name: &'static str,
    /// In force where nobody asks for another.
    pub default: u64,
    /// The highest that an operator may allow.
    pub ceiling: u64,
    /// Why it exists and why the default is what it is.
    pub why: &'static str,
}

impl Limit {
    /// What is known of it.
    #[must_use]
    pub fn fact(self) -> &'static LimitFact {
        LIMITS.iter().find(|fact| fact.limit == self).expect("every limit has its fact, as a test shows")
    }

    /// Its name in files and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.fact().name
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The amounts that are in force for a release or a run: one for each limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    amounts: Vec<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { amounts: LIMITS.iter().map(|fact| fact.default).collect() }
    }
}

/// An amount above what may be allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{limit} is {wanted} and may be at most {ceiling}")]
pub struct AboveCeiling {
    /// The limit.
    pub limit: Limit,
    /// What was wanted.
    pub wanted: u64,
    /// What may be allowed.
    pub ceiling: u64,
}

impl Limits {
    /// The amount in force.
    #[must_use]
    pub fn get(&self, limit: Limit) -> u64 {
        self.amounts[place(limit)]
    }

    /// Puts another amount in force.
    ///
    /// # Errors
    /// [`AboveCeiling`] if an operator could not allow that much.
    pub fn set(&mut self, limit: Limit, wanted: u64) -> Result<(), AboveCeiling> {
        let ceiling = limit.fact().ceiling;
        if wanted > ceiling {
            return Err(AboveCeiling { limit, wanted, ceiling });
        }
        self.amounts[place(limit)] = wanted;
        Ok(())
    }

    /// Every limit with its amount.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> + '_ {
        LIMITS.iter().map(|fact| fact.limit).zip(self.amounts.iter().copied())
    }

    /// The limit of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Limit> {
        LIMITS.iter().find(|fact| fact.name == name).map(|fact| fact.limit)
    }
}

fn place(limit: Limit) -> usize {
    LIMITS.iter().position(|fact| fact.limit == limit).expect("every limit has its fact, as a test shows")
}

/// What a run used of its limits, as far as it was measured: the most of a thing held at once, or all that was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    amounts: Vec<(Limit, u64)>,
}

impl Usage {
    /// Notes an amount, keeping the larger one.
    pub fn raise(&mut self, limit: Limit, amount: u64) {
        match self.amounts.iter_mut().find(|(noted, _)| *noted == limit) {
            Some((_, most)) => *most = (*most).max(amount),
            None => self.amounts.push((limit, amount)),
        }
    }

    /// What was used, where it was measured.
    #[must_use]
    pub fn get(&self, limit: Limit) -> Option<u64> {
        self.amounts.iter().find(|(noted, _)| *noted == limit).map(|(_, amount)| *amount)
    }

    /// All that was measured.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> + '_ {
        self.amounts.iter().copied()
    }
}

// ── limits of the hub itself ────────────────────────────────────────────────

/// Rows of a batch. Measured: batches of 64 cost 8 % more a row, and above 1,024 nothing is won.
pub const BATCH_ROWS: usize = 1_024;

/// Text bytes of a batch, after which it is closed early, so that long texts do not make a batch large.
pub const BATCH_TEXT_BYTES_MAX: usize = 1 << 20;

/// Longest record of a file that is read. A longer one is rejected by its offset and length, and the file goes on.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// Longest raw record that is kept with a reject. The artefact has the rest.
pub const REJECT_RAW_BYTES_MAX: usize = 64 << 10;

/// Rows that a job may reject before the run is held, where the job does not say.
pub const REJECT_ROWS_DEFAULT: u64 = 1_000;

/// Days that a reject may wait before it is overdue, where the job does not say: a working week.
pub const REJECTS_OVERDUE_DAYS_DEFAULT: u32 = 5;

/// Most days that a job may let its rejects wait.
pub const REJECTS_OVERDUE_DAYS_MAX: u32 = 366;

/// Most days that a partner may say it keeps something: a hundred years.
pub const RETENTION_DAYS_MAX: u32 = 36_525;

/// Most clean runs that a partner may ask of a release before it becomes active: a year of days.
pub const PROOF_RUNS_MAX: u32 = 366;

/// Largest file of corrected rows that is taken: it lies on the hub's disk, sealed, while its rows are told apart.
pub const CORRECTED_BYTES_MAX: u64 = 64 << 20;

/// Most rows that a job may allow to be rejected: they are held in memory until the run is written.
pub const REJECT_ROWS_MAX: u64 = 100_000;

/// Bytes of raw and decoded records that a run keeps with its rejects and warnings, in memory and then in the ledger.
/// Beyond it only places and reasons are kept; the artefact has the rest.
pub const NOTED_BYTES_MAX: usize = 64 << 20;

/// Warnings kept with a run; further ones are counted.
pub const WARNINGS_KEPT_MAX: u64 = 10_000;

/// Codes under which a run counts the rows that its plugin skipped: they stand in its log, a line each. Rows of further codes are
/// counted together.
pub const SKIP_CODES_MAX: usize = 100;

/// Rows of one answer of a table lookup.
pub const LOOKUP_ROWS_MAX: usize = 1_024;

/// Groups of an aggregate output: they are held in memory until the run ends.
pub const AGGREGATE_GROUPS_MAX: usize = 100_000;

/// Keys held in memory for one uniqueness check, after which they are written to disk in sorted runs.
pub const UNIQUE_KEYS_IN_MEMORY: usize = 1 << 20;

/// Size of an input from which it is cut into partitions where a job does not say, as one hub takes some seconds over it.
pub const PARTITIONED_FROM_BYTES: u64 = 64 << 20;

/// Bytes of a partition where a job does not say: large enough that starting a plugin for it costs nothing to speak of.
pub const PARTITION_BYTES: u64 = 16 << 20;

/// Most partitions of a run: each is a row that hubs look through, and a file of its own for every output.
pub const PARTITIONS_MAX: u64 = 1_000;

/// Longest message, reason or name of a party that a plugin writes for people, in bytes. A longer one is cut.
pub const MESSAGE_BYTES_MAX: usize = 1_000;

/// Longest note in a run's log, in bytes. A longer one is cut: a log is read by people, a line at a time.
pub const LOG_NOTE_BYTES_MAX: usize = 4 << 10;

/// Longest JSON Pointer that a decision gives as evidence, in bytes.
pub const EVIDENCE_BYTES_MAX: usize = 500;

/// Random bytes of one call, as the contract says.
pub const RANDOM_BYTES_PER_CALL_MAX: u32 = 65_536;

/// Time for a plugin's `initialize` at install, in milliseconds. One that takes longer runs without a snapshot.
pub const INITIALISE_MS_MAX: u64 = 2_000;

/// Linked releases that a worker thread keeps: about 50 kB each, and one open file.
pub const RELEASES_LINKED_MAX: usize = 1_024;

/// Pieces of work that wait for the sandbox's threads of one kind; more wait with whoever brings them.
pub const SANDBOX_QUEUE_MAX: usize = 1_024;

/// Longest cursor that a provider's connector leaves for the next run, in bytes.
pub const CURSOR_BYTES_MAX: usize = 1_024;

/// Largest case of a rule set, in bytes of JSON.
pub const CASE_BYTES_MAX: usize = 1 << 20;

/// Cases in one request for decisions.
pub const CASES_PER_REQUEST_MAX: usize = 1_000;

/// Time for all cases of one request for decisions, in milliseconds. Whoever asks over HTTP hardly waits longer.
pub const DECISIONS_MS_MAX: u64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_fact_once() {
        // A new variant does not compile until it stands here, and fails here until it stands in LIMITS.
        for fact in LIMITS {
            match fact.limit {
                Limit::MemoryBytes
                | Limit::TableEntries
                | Limit::Instances
                | Limit::CpuMs
                | Limit::WallMs
                | Limit::StackBytes
                | Limit::HostCallBytes
                | Limit::RetainedBytes
                | Limit::LogLines
                | Limit::LogBytes
                | Limit::Handles
                | Limit::OutputRows
                | Limit::OutputBytes
                | Limit::RandomBytes
                | Limit::StateBytes
                | Limit::HttpRequests
                | Limit::HttpSentBytes
                | Limit::HttpReceivedBytes
                | Limit::HttpRequestMs
                | Limit::ComponentBytes
                | Limit::CompileMs
                | Limit::CompileBytes => {}
            }
            assert_eq!(LIMITS.iter().filter(|other| other.limit == fact.limit || other.name == fact.name).count(), 1, "{}", fact.name);
            assert!(fact.default <= fact.ceiling, "{}", fact.name);
        }
        assert_eq!(LIMITS.len(), 22);
    }

    #[test]
    fn ceilings_hold() {
        let mut limits = Limits::default();
        assert_eq!(limits.set(Limit::CpuMs, 2_000), Ok(()));
        assert_eq!(limits.get(Limit::CpuMs), 2_000);
        assert!(limits.set(Limit::CpuMs, 60_001).is_err());
        assert_eq!(limits.get(Limit::CpuMs), 2_000);
    }
}
