//! What a partition came to, as a file that the hub which joins them reads: all that a run comes to, but for what only the whole can tell.
//!
//! Raw records are not in it: they stand in the input. It is read by hubs of the same version only, and is gone when the run is processed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::connection::Stored;
use crate::model::ids::Digest;
use crate::model::limits::{Limits, Usage};
use crate::model::outcome::{Effect, Reason};
use crate::model::rows::Amount;
use crate::model::table::TableVersion;
use crate::model::totals::{ControlTotals, PortTotals, RowCounts};
use crate::run::process::aggregate::{Aggregate, Key};
use crate::run::process::{NotedRow, Processed};
use crate::sandbox::{LogLevel, LogNote, Report};

/// What a partition came to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PartitionResult {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    /// Of each output the piece that was written; none where the job does not use it, or adds it up.
    pub(super) pieces: Vec<Option<Piece>>,
    /// Of each aggregate output the groups with their sums.
    pub(super) groups: Vec<Option<Vec<Group>>>,
    pub(super) noted: Vec<Noted>,
    pub(super) warnings: u64,
    pub(super) skipped: BTreeMap<String, u64>,
    usage: Vec<(String, u64)>,
    log: Vec<(String, String)>,
    log_dropped: u64,
    characters_stripped: u64,
    tables: Vec<Table>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Port {
    port: String,
    read: u64,
    accepted: u64,
    rejected: u64,
    skipped: u64,
    sums: Vec<(String, String)>,
}

/// Part of an output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Piece {
    digest: String,
    size: u64,
}

/// A group of an aggregate output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) key: Vec<Key>,
    sums: Vec<String>,
}

/// A row that is worth keeping, without its raw record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Noted {
    input: String,
    reject: bool,
    row: Option<u64>,
    line: u64,
    byte_offset: u64,
    byte_length: u64,
    /// Whether there was room for the record.
    pub(super) kept: bool,
    decoded: Option<String>,
    reasons: Vec<(Option<String>, String, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    table: String,
    version: String,
    effective_from: jiff::civil::Date,
    effective_to: Option<jiff::civil::Date>,
    published: Option<jiff::civil::Date>,
}

impl PartitionResult {
    /// What was processed, with the groups of its aggregate outputs.
    pub(super) fn new(processed: Processed, groups: Vec<Option<Aggregate>>) -> Self {
        let Processed { totals, noted, warnings, skipped, outputs, report, .. } = processed;
        let group = |(key, sums): (Vec<Key>, Vec<i128>)| Group { key, sums: sums.iter().map(i128::to_string).collect() };
        let piece = |stored: Option<Stored>| stored.map(|stored| Piece { digest: stored.digest.to_string(), size: stored.size });
        Self {
            inputs: totals.inputs.into_iter().map(Port::from).collect(),
            outputs: totals.outputs.into_iter().map(Port::from).collect(),
            pieces: outputs.into_iter().map(piece).collect(),
            groups: groups.into_iter().map(|sums| sums.map(|sums| sums.into_groups().map(group).collect())).collect(),
            noted: noted.into_iter().map(Noted::from).collect(),
            warnings,
            skipped,
            usage: report.usage.iter().map(|(limit, amount)| (limit.name().to_owned(), amount)).collect(),
            log: report.log.into_iter().map(|note| (note.level.as_str().to_owned(), note.message)).collect(),
            log_dropped: report.log_dropped,
            characters_stripped: report.characters_stripped,
            tables: report.tables.into_iter().map(Table::from).collect(),
        }
    }

    /// Records read of the last input: the one that was cut.
    pub(super) fn rows_read(&self) -> u64 {
        self.inputs.last().map_or(0, |port| port.read)
    }

    /// Control totals. Those of aggregate outputs are nothing yet.
    pub(super) fn totals(&self) -> Result<ControlTotals, Damaged> {
        let ports = |ports: &[Port]| ports.iter().map(PortTotals::try_from).collect::<Result<_, _>>();
        Ok(ControlTotals { inputs: ports(&self.inputs)?, outputs: ports(&self.outputs)? })
    }

    /// What the plugin used and logged.
    pub(super) fn report(&mut self) -> Report {
        let mut usage = Usage::default();
        for (name, amount) in &self.usage {
            if let Some(limit) = Limits::named(name) {
                usage.raise(limit, *amount);
            }
        }
        Report {
            usage,
            log: std::mem::take(&mut self.log).into_iter().map(note).collect(),
            // Whoever joins the results holds the log to the run's limit.
            log_lines_max: 0,
            log_dropped: self.log_dropped,
            characters_stripped: self.characters_stripped,
            tables: std::mem::take(&mut self.tables).into_iter().map(TableVersion::from).collect(),
            state: None,
        }
    }
}

/// A result that is not what a hub of this version writes.
#[derive(Debug, thiserror::Error)]
#[error("the result of a partition cannot be read: {0}")]
pub(super) struct Damaged(pub(super) String);

impl Piece {
    pub(super) fn stored(&self) -> Result<Stored, Damaged> {
        let digest: Digest = self.digest.parse().map_err(|_| Damaged(format!("{:?} is no digest", self.digest)))?;
        Ok(Stored { digest, size: self.size })
    }
}

impl Group {
    pub(super) fn sums(&self) -> Result<Vec<i128>, Damaged> {
        self.sums.iter().map(|sum| sum.parse().map_err(|_| Damaged(format!("{sum:?} is no sum")))).collect()
    }
}

impl Noted {
    /// The row with its raw record, where there was room for it.
    pub(super) fn into_row(self, raw: Vec<u8>) -> NotedRow {
        NotedRow {
            input: self.input,
            effect: if self.reject { Effect::Reject } else { Effect::Warn },
            row: self.row,
            line: self.line,
            byte_offset: self.byte_offset,
            byte_length: self.byte_length,
            raw,
            decoded: self.decoded,
            reasons: self.reasons.into_iter().map(|(column, code, message)| Reason { column, code, message }).collect(),
        }
    }

    /// Where it stands, and in which input.
    pub(super) fn place(&self) -> (&str, crate::format::RecordPlace) {
        let Self { line, byte_offset, byte_length, .. } = *self;
        (&self.input, crate::format::RecordPlace { line, byte_offset, byte_length })
    }
}

impl From<NotedRow> for Noted {
    fn from(noted: NotedRow) -> Self {
        Self {
            input: noted.input,
            reject: noted.effect == Effect::Reject,
            row: noted.row,
            line: noted.line,
            byte_offset: noted.byte_offset,
            byte_length: noted.byte_length,
            // A record has at least a byte.
            kept: !noted.raw.is_empty(),
            decoded: noted.decoded,
            reasons: noted.reasons.into_iter().map(|reason| (reason.column, reason.code, reason.message)).collect(),
        }
    }
}

impl From<PortTotals> for Port {
    fn from(totals: PortTotals) -> Self {
        let RowCounts { read, accepted, rejected, skipped } = totals.rows;
        let sums = totals.sums.into_iter().map(|(column, sum)| (column, sum.to_string())).collect();
        Self { port: totals.port, read, accepted, rejected, skipped, sums }
    }
}

impl TryFrom<&Port> for PortTotals {
    type Error = Damaged;

    fn try_from(port: &Port) -> Result<Self, Damaged> {
        let rows = RowCounts { read: port.read, accepted: port.accepted, rejected: port.rejected, skipped: port.skipped };
        let amount = |(column, sum): &(String, String)| {
            let sum: Amount = sum.parse().map_err(|_| Damaged(format!("{sum:?} is no amount")))?;
            Ok((column.clone(), sum))
        };
        Ok(Self { port: port.port.clone(), rows, sums: port.sums.iter().map(amount).collect::<Result<_, Damaged>>()? })
    }
}

impl From<TableVersion> for Table {
    fn from(version: TableVersion) -> Self {
        let TableVersion { table, version, effective_from, effective_to, published } = version;
        Self { table, version, effective_from, effective_to, published }
    }
}

impl From<Table> for TableVersion {
    fn from(written: Table) -> Self {
        let Table { table, version, effective_from, effective_to, published } = written;
        Self { table, version, effective_from, effective_to, published }
    }
}

fn note((level, message): (String, String)) -> LogNote {
    let levels = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
    LogNote { level: levels.into_iter().find(|known| known.as_str() == level).unwrap_or(LogLevel::Info), message }
}
