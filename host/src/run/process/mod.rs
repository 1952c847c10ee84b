//! The data phase of a run: bytes to batches, through the plugin, to staged outputs, with the totals that the hub keeps itself.
//!
//! It runs on one of the sandbox's threads, from the first row to the last, with threads of its own for the ends of a long
//! run, and knows neither the ledger nor where outputs will be delivered.

mod adapter;
pub(super) mod aggregate;
pub(super) mod book;
mod file;
mod outlet;
mod rule_set;
pub(super) mod tally;
mod unique;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::connection::{Artefacts, ConnectionError, Stored};
use crate::format::FormatError;
use crate::model::ids::{Digest, PluginName};
use crate::model::limits::{NOTED_BYTES_MAX, REJECT_RAW_BYTES_MAX, Usage};
use crate::model::manifest::Kind;
use crate::model::outcome::{Effect, Reason};
use crate::model::rows::UnwritableRow;
use crate::model::totals::{Balance, BalanceResult, ControlTotals, NoSuchTotal};
use crate::registry::schema::Schema;
use crate::sandbox::{CallError, FailedCall, LogNote, Report, Setup, Worker};

pub(super) use adapter::{repeated, uniques};
pub(crate) use file::{FileForm, Repeats, Slice};

/// Rows that cannot be written which an error tells of; the others are counted.
const UNWRITABLE_TOLD_MAX: usize = 5;

/// What is to be done.
pub(crate) struct Work {
    /// The plugin and all that it may know.
    pub(crate) setup: Arc<Setup>,
    /// The artefact of each input, in declared order; none where an optional input is absent.
    pub(crate) inputs: Vec<Option<InputFile>>,
    /// The form of each output, in declared order; none where the job does not use it.
    pub(crate) outputs: Vec<Option<FileForm>>,
    /// Of a rule set: what a case must be like.
    pub(crate) case_schema: Option<Arc<Schema>>,
    /// Where outputs are staged.
    pub(crate) artefacts: Artefacts,
    /// Where keys go that memory does not hold.
    pub(crate) spill: PathBuf,
    /// How far it has come, and whether it is to stop.
    pub(crate) progress: Arc<Progress>,
}

/// One input, pulled.
#[derive(Debug, Clone)]
pub(crate) struct InputFile {
    /// Its bytes.
    pub(crate) artefact: Digest,
    /// How to read them.
    pub(crate) form: FileForm,
    /// The part of it that is to be read; none for the whole. Only of the last input of an adapter whose rows are independent.
    pub(crate) slice: Option<Arc<Slice>>,
}

impl Work {
    /// The part of the last input that this is about; none if it is about all of it.
    pub(crate) fn slice(&self) -> Option<&Arc<Slice>> {
        self.inputs.last()?.as_ref()?.slice.as_ref()
    }
}

/// How far a run has come. Shared with whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    stop: AtomicBool,
    left: OnceLock<Left>,
}

/// What a plugin left when it ended, well or not.
#[derive(Debug)]
pub(crate) struct Left {
    /// What it used of its limits.
    pub(crate) usage: Usage,
    /// The last of what it noted.
    pub(crate) log: Vec<LogNote>,
}

/// Notes that are kept of a plugin that failed.
const NOTES_OF_FAILED_MAX: usize = 20;

impl Progress {
    /// Rows read so far, of all inputs.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Asks the run to stop after the batch at hand.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// What the plugin left; none until it has ended, well or not.
    pub(crate) fn left(&self) -> Option<&Left> {
        self.left.get()
    }

    /// Whether it is to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Notes what a plugin left that ended badly. The first to do so is what a failure is told with.
    pub(crate) fn leave(&self, report: &Report) {
        self.left.get_or_init(|| {
            let log = &report.log;
            Left { usage: report.usage.clone(), log: log[log.len().saturating_sub(NOTES_OF_FAILED_MAX)..].to_vec() }
        });
    }

    /// Says how many rows have been read, where others read them.
    pub(super) fn reach(&self, rows: u64) {
        self.rows.store(rows, Ordering::Relaxed);
    }

    pub(super) fn add(&self, rows: u64) -> Result<(), ProcessError> {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        if self.is_stopped() { Err(ProcessError::Stopped) } else { Ok(()) }
    }
}

/// A row that is worth keeping: refused, or warned about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotedRow {
    pub(crate) input: String,
    pub(crate) effect: Effect,
    /// Its number among the rows that could be read; none where it could not.
    pub(crate) row: Option<u64>,
    /// Line of the file, from 1.
    pub(crate) line: u64,
    pub(crate) byte_offset: u64,
    pub(crate) byte_length: u64,
    /// The record as it stood in the file, or its beginning.
    pub(crate) raw: Vec<u8>,
    /// The row as a JSON object, where it could be read.
    pub(crate) decoded: Option<String>,
    pub(crate) reasons: Vec<Reason>,
}

/// Room for what is kept of rows.
#[derive(Debug)]
pub(super) struct Room {
    bytes: usize,
}

impl Room {
    pub(super) const fn new() -> Self {
        Self { bytes: NOTED_BYTES_MAX }
    }

    /// Cuts a note to what one record may keep, and to its place and reasons where no more room is left. The first that finds none
    /// is the last that looks for it, so that what is kept is the beginning, in one run or joined from parts.
    pub(super) fn fit(&mut self, noted: &mut NotedRow) {
        noted.raw.truncate(REJECT_RAW_BYTES_MAX);
        noted.decoded.take_if(|decoded| decoded.len() > REJECT_RAW_BYTES_MAX);
        let wanted = noted.raw.len() + noted.decoded.as_ref().map_or(0, String::len);
        match self.bytes.checked_sub(wanted) {
            Some(left) => self.bytes = left,
            None => {
                self.close();
                noted.raw = Vec::new();
                noted.decoded = None;
            }
        }
    }

    /// Leaves no more room.
    pub(super) const fn close(&mut self) {
        self.bytes = 0;
    }
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Processed {
    pub(crate) totals: ControlTotals,
    pub(crate) balances: Vec<BalanceResult>,
    pub(crate) noted: Vec<NotedRow>,
    /// Rows warned about, those not kept included.
    pub(crate) warnings: u64,
    /// How many rows were skipped, by reason.
    pub(crate) skipped: BTreeMap<String, u64>,
    /// The staged outputs, in declared order; none where the job does not use one, or the run did not come so far.
    pub(crate) outputs: Vec<Option<Stored>>,
    pub(crate) report: Report,
    pub(crate) took: Duration,
    /// Why it went no further. The rest then tells how far it came.
    pub(crate) error: Option<ProcessError>,
}

/// Why the data phase went no further.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The sender mends the file, or the operator the job's format: the inner error says which.
    #[error("input {input}: {error}")]
    Input {
        /// The input.
        input: String,
        /// What is wrong with it.
        error: FormatError,
    },
    /// The job's file gives a column too little room, most likely; the inner error says.
    #[error("output {output}: {error}")]
    Output {
        /// The output.
        output: String,
        /// What is wrong with it.
        error: FormatError,
    },
    /// The sender mends the file: so many rejects are not rows that are wrong, but a file that is.
    #[error(
        "more than {rejects_max} rows were rejected, which is as many as a run keeps: look at the first of them and send a mended file"
    )]
    TooManyRejects {
        /// How many a run keeps.
        rejects_max: u64,
    },
    /// The plugin's author mends the plugin, or the operator the settings.
    #[error(transparent)]
    Call(#[from] CallError),
    /// As the inner error says, of the plugin that reads or writes a file.
    #[error("{port}, by the format {plugin}: {error}")]
    File {
        /// The input or output.
        port: String,
        /// The format.
        plugin: PluginName,
        /// Why it went no further.
        error: CallError,
    },
    /// Whoever makes the rows mends them: nothing is cut off, so nothing is delivered.
    #[error("output {output}: the format {plugin} cannot write {}", told(rows))]
    Unwritable {
        /// The output.
        output: String,
        /// The format.
        plugin: PluginName,
        /// The rows of one batch that it cannot write; at least one.
        rows: Vec<UnwritableRow>,
    },
    /// The plugin's author mends the plugin.
    #[error("the plugin rejects or skips row {row} of {input}, which was rejected or skipped before: its findings cannot be trusted")]
    DecidedTwice {
        /// The input.
        input: String,
        /// Its number.
        row: u64,
    },
    /// The plugin's author mends the plugin.
    #[error("the plugin speaks of row {row} of input {input}, which it was not given: its findings cannot be trusted")]
    NoSuchRow {
        /// The input.
        input: String,
        /// Its number.
        row: u64,
    },
    /// The plugin's author mends the plugin.
    #[error("the plugin answered with {what}, which its manifest does not declare")]
    NotDeclared {
        /// What it answered with.
        what: String,
    },
    /// The plugin's author chooses another key.
    #[error("the aggregate output {output} has more than {groups_max} groups: its key is too fine")]
    TooManyGroups {
        /// The output.
        output: String,
        /// How many there may be.
        groups_max: usize,
    },
    /// The plugin's author chooses another scale.
    #[error("the sum of column {column} of output {output} is too large to be written")]
    SumTooLarge {
        /// The output.
        output: String,
        /// The column.
        column: String,
    },
    /// The hub mends itself: a balance that the manifest was checked for has no total.
    #[error(transparent)]
    NoSuchTotal(#[from] NoSuchTotal),
    /// The hub tries again: its own disk failed.
    #[error("the hub could not use its own folder: {0}")]
    Disk(#[from] std::io::Error),
    /// The hub tries again: the system had no room for another thread.
    #[error("the hub could not start a thread for a long run: {0}")]
    Thread(std::io::Error),
    /// The hub tries again: an artefact could not be read or stored.
    #[error(transparent)]
    Store(#[from] ConnectionError),
    /// Somebody asked it to stop, or another hub took the run over.
    #[error("the run was stopped")]
    Stopped,
}

/// Rows that cannot be written, the first of them with their reasons; rows are counted from 1, as the lines of an output are.
fn told(rows: &[UnwritableRow]) -> String {
    let reason = |reason: &Reason| {
        let column = reason.column.as_ref().map_or_else(String::new, |column| format!("column {column}: "));
        format!("{column}{} ({})", reason.message, reason.code)
    };
    let row = |row: &UnwritableRow| format!("row {}, {}", row.row + 1, row.reasons.iter().map(reason).collect::<Vec<_>>().join(", "));
    let first: Vec<String> = rows.iter().take(UNWRITABLE_TOLD_MAX).map(row).collect();
    let more = rows.len() - first.len();
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    first.join("; ") + &more
}

impl From<Box<FailedCall>> for ProcessError {
    fn from(failed: Box<FailedCall>) -> Self {
        Self::Call(failed.error)
    }
}

/// Does the work. Never fails as such: how far it came is always told.
pub(crate) fn process(worker: &Worker, work: &Work) -> Processed {
    let processed = match &work.setup.release.manifest.kind {
        Kind::Adapter(shape) => adapter::process(worker, work, shape),
        Kind::RuleSet(shape) => rule_set::process(worker, work, shape),
        Kind::Format(_) | Kind::Connector(_) => unreachable!("a job with a format or a connector for its plugin does not pass its check"),
    };
    work.progress.leave(&processed.report);
    processed
}

pub(super) fn work_out(balances: &[Balance], totals: &ControlTotals) -> Result<Vec<BalanceResult>, ProcessError> {
    balances.iter().map(|balance| balance.work_out(totals).map_err(ProcessError::from)).collect()
}
