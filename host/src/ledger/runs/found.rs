//! What was found about single rows, and what the plugin noted: written with the processing, read by page.
//!
//! Only what belongs to the processing that stands is read; what an overtaken attempt wrote stays beside it, unseen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;
use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::store::{Transaction, count, parsed, parsed_option, query, to_stored};
use crate::ledger::who::{Page, Scope, page_items};
use crate::model::ids::RunId;
use crate::model::outcome;
use crate::model::personal::{Form, Kept};

use super::run::Run;

/// Rows of one insert: 15 values each, and SQLite takes 32,766 values a statement.
const INSERT_ROWS: usize = 500;

/// What is written with a processing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Rejects and warnings, in the order in which they were found.
    pub findings: Vec<NewFinding>,
    /// What the plugin noted, in order.
    pub log: Vec<LogLine>,
}

/// What a finding means for its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundEffect {
    /// Refused: it waits in quarantine.
    Reject,
    /// Accepted, and somebody should look at it.
    Warn,
}

impl FoundEffect {
    /// The word for it, as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Warn => "warn",
        }
    }
}

/// A finding to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFinding {
    /// What it means for the row.
    pub effect: FoundEffect,
    /// The input.
    pub port: String,
    /// The row's number in that input, from 0 over all rows that could be read; none if it could not be.
    pub row: Option<u64>,
    /// The line of the file, from 1.
    pub line: Option<u64>,
    /// The byte of the file, from 0.
    pub byte_offset: Option<u64>,
    /// Why; at least one.
    pub reasons: Vec<outcome::Reason>,
    /// The record, of a reject as it stood in the file too.
    pub record: Kept,
    /// The reject that was corrected and came back as this row.
    pub supersedes: Option<FindingId>,
}

/// What names a finding: its run, the lease under which it was written, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId {
    /// The run.
    pub run: RunId,
    /// The lease.
    pub lease: u64,
    /// 1, 2, 3 in the order in which they were found.
    pub number: u64,
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.run, self.lease, self.number)
    }
}

/// A text that names no finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no reject: it is a run's id and two numbers, with hyphens between")]
pub struct NotAFindingId {
    /// What was given.
    pub text: String,
}

impl FromStr for FindingId {
    type Err = NotAFindingId;

    fn from_str(text: &str) -> Result<Self, NotAFindingId> {
        let read = || {
            let mut parts = text.splitn(3, '-');
            let run = parts.next()?.parse().ok()?;
            Some(Self { run, lease: parts.next()?.parse().ok()?, number: parts.next()?.parse().ok()? })
        };
        read().ok_or_else(|| NotAFindingId { text: text.to_owned() })
    }
}

/// A finding as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFinding {
    /// What names it.
    pub id: FindingId,
    /// What was found.
    pub found: NewFinding,
    /// The reject that took its place after it was corrected and refused again.
    pub superseded_by: Option<FindingId>,
    /// How it stands in quarantine.
    pub quarantine: Quarantine,
}

/// How a reject stands in quarantine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quarantine {
    /// Since when it has been there; none before its run closes, and for what is no reject.
    pub since_ms: Option<i64>,
    /// Who sees to it.
    pub owner: Option<String>,
    /// The run by which it comes back corrected, or came.
    pub resubmitted_by: Option<RunId>,
    /// How it left; none while it waits.
    pub left: Option<LeftQuarantine>,
}

/// How a reject left quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftQuarantine {
    /// `dismissed`, or `superseded` by a row of another run.
    pub how: String,
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub by: String,
    /// What a person gave as reason.
    pub why: Option<String>,
}

/// One note of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The note, bounded and cleaned by the sandbox.
    pub message: String,
}

#[derive(Serialize, Deserialize)]
struct ReasonWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    code: String,
    message: String,
}

/// Writes what belongs to a run's processing. What was written under the same lease before gives way.
pub(super) async fn insert(transaction: &mut Transaction, run: &Run, found: &Found) -> Result<(), LedgerError> {
    for stale in ["DELETE FROM findings WHERE run = $1 AND lease = $2", "DELETE FROM log_lines WHERE run = $1 AND lease = $2"] {
        query(stale).bind(run.id.to_string()).bind(to_stored(run.lease)).execute(&mut *transaction).await?;
    }
    let numbered: Vec<_> = (1_i64..).zip(&found.findings).collect();
    for some in numbered.chunks(INSERT_ROWS) {
        insert_findings(transaction, run, some).await?;
    }
    let numbered: Vec<_> = (1_i64..).zip(&found.log).collect();
    for some in numbered.chunks(INSERT_ROWS) {
        insert_log(transaction, run, some).await?;
    }
    Ok(())
}

async fn insert_findings(transaction: &mut Transaction, run: &Run, some: &[(i64, &NewFinding)]) -> Result<(), LedgerError> {
    let mut insert = query(
        "INSERT INTO findings (partner, run, lease, number, effect, port, row_number, line, byte_offset, code, reasons, raw, decoded,
         sealed, supersedes)",
    );
    let values = |(number, finding): &(i64, &NewFinding)| {
        let (raw, decoded, sealed) = match finding.record.form() {
            Form::Nothing => (None, None, None),
            Form::Plain { raw, decoded } => (raw.as_deref(), decoded.as_deref(), None),
            Form::Sealed(bytes) => (None, None, Some(bytes.as_slice())),
        };
        [
            run.partner().as_str().into(),
            run.id.to_string().into(),
            to_stored(run.lease).into(),
            (*number).into(),
            finding.effect.as_str().into(),
            finding.port.as_str().into(),
            finding.row.map(to_stored).into(),
            finding.line.map(to_stored).into(),
            finding.byte_offset.map(to_stored).into(),
            finding.reasons.first().map_or("", |reason| reason.code.as_str()).into(),
            reasons_text(&finding.reasons).into(),
            raw.into(),
            decoded.into(),
            sealed.into(),
            finding.supersedes.map(|id| id.to_string()).into(),
        ]
    };
    insert.push_rows(some, values).execute(transaction).await?;
    Ok(())
}

async fn insert_log(transaction: &mut Transaction, run: &Run, some: &[(i64, &LogLine)]) -> Result<(), LedgerError> {
    let mut insert = query("INSERT INTO log_lines (partner, run, lease, number, level, message)");
    let values = |(number, line): &(i64, &LogLine)| {
        [
            run.partner().as_str().into(),
            run.id.to_string().into(),
            to_stored(run.lease).into(),
            (*number).into(),
            line.level.as_str().into(),
            line.message.as_str().into(),
        ]
    };
    insert.push_rows(some, values).execute(transaction).await?;
    Ok(())
}

fn reasons_text(reasons: &[outcome::Reason]) -> String {
    let wire =
        |reason: &outcome::Reason| ReasonWire { column: reason.column.clone(), code: reason.code.clone(), message: reason.message.clone() };
    serde_json::to_string(&reasons.iter().map(wire).collect::<Vec<_>>()).expect("reasons have only text keys")
}

/// What is read of a finding; `superseded_by` comes to it.
pub(super) const FINDING_COLUMNS: &str = "findings.run, findings.lease, findings.number, findings.effect, findings.port, \
  findings.row_number, findings.line, findings.byte_offset, findings.reasons, findings.raw, findings.decoded, findings.sealed, findings.supersedes, \
  findings.waiting_since_ms, findings.owner, findings.resubmitted_by, findings.left_how, findings.left_at_ms, findings.left_by, findings.left_why";

#[derive(sqlx::FromRow)]
pub(super) struct FindingRow {
    run: String,
    lease: i64,
    number: i64,
    effect: String,
    port: String,
    row_number: Option<i64>,
    line: Option<i64>,
    byte_offset: Option<i64>,
    reasons: String,
    raw: Option<Vec<u8>>,
    decoded: Option<String>,
    sealed: Option<Vec<u8>>,
    supersedes: Option<String>,
    superseded_by: Option<String>,
    waiting_since_ms: Option<i64>,
    owner: Option<String>,
    resubmitted_by: Option<String>,
    left_how: Option<String>,
    left_at_ms: Option<i64>,
    left_by: Option<String>,
    left_why: Option<String>,
}

impl TryFrom<FindingRow> for StoredFinding {
    type Error = LedgerError;

    fn try_from(row: FindingRow) -> Result<Self, LedgerError> {
        let id = FindingId { run: parsed(&row.run, "run id")?, lease: count(row.lease), number: count(row.number) };
        let reasons: Vec<ReasonWire> = serde_json::from_str(&row.reasons).map_err(|why| corrupt(format!("the reasons of {id}"), &why))?;
        let reason = |wire: ReasonWire| outcome::Reason { column: wire.column, code: wire.code, message: wire.message };
        let found = NewFinding {
            effect: if row.effect == FoundEffect::Reject.as_str() { FoundEffect::Reject } else { FoundEffect::Warn },
            port: row.port,
            row: row.row_number.map(count),
            line: row.line.map(count),
            byte_offset: row.byte_offset.map(count),
            reasons: reasons.into_iter().map(reason).collect(),
            record: row.sealed.map_or_else(|| Kept::plain(row.raw, row.decoded), Kept::sealed),
            supersedes: parsed_option(row.supersedes.as_deref(), "id of a reject")?,
        };
        let left = row.left_how.map(|how| {
            let by = row.left_by.unwrap_or_default();
            LeftQuarantine { how, at_ms: row.left_at_ms.unwrap_or_default(), by, why: row.left_why }
        });
        let resubmitted_by = parsed_option(row.resubmitted_by.as_deref(), "run id")?;
        let quarantine = Quarantine { since_ms: row.waiting_since_ms, owner: row.owner, resubmitted_by, left };
        Ok(Self { id, found, superseded_by: parsed_option(row.superseded_by.as_deref(), "id of a reject")?, quarantine })
    }
}

impl Ledger {
    /// Rejects or warnings of the processing that stands, in the order in which they were found. `after` is the number of the last
    /// one that was seen, as the page before gave it.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn findings(
        &self,
        of: (Scope<'_>, RunId),
        effect: FoundEffect,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Page<StoredFinding, u64>, LedgerError> {
        let (scope, run) = of;
        let limit = page_items(limit);
        let mut query = query("SELECT ");
        query.push(FINDING_COLUMNS).push(
            ", (SELECT MAX(later.run || '-' || CAST(later.lease AS TEXT) || '-' || CAST(later.number AS TEXT)) FROM findings AS later
                JOIN runs AS later_run ON later_run.run = later.run AND later_run.processed_lease = later.lease
                WHERE later.supersedes = findings.run || '-' || CAST(findings.lease AS TEXT) || '-' || CAST(findings.number AS TEXT)
               ) AS superseded_by
             FROM findings JOIN runs ON runs.run = findings.run AND runs.processed_lease = findings.lease
             WHERE findings.run = $1 AND ($2 = '' OR findings.partner = $2) AND findings.effect = $3 AND findings.number > $4
             ORDER BY findings.number LIMIT $5",
        );
        let query = query.bind(run.to_string()).bind(scope.text()).bind(effect.as_str());
        let query = query.bind(to_stored(after.unwrap_or(0))).bind(i64::from(limit) + 1);
        let rows: Vec<FindingRow> = query.fetch_all(&self.store).await?;
        let items: Vec<StoredFinding> = rows.into_iter().map(StoredFinding::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(items, limit, |last| last.id.number))
    }

    /// What the plugin noted while it worked on the processing that stands, from after a line on.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn log_lines(
        &self,
        of: (Scope<'_>, RunId),
        after: Option<u64>,
        limit: u32,
    ) -> Result<Page<(u64, LogLine), u64>, LedgerError> {
        let (scope, run) = of;
        let limit = page_items(limit);
        let rows: Vec<(i64, String, String)> = query(
            "SELECT log_lines.number, log_lines.level, log_lines.message
             FROM log_lines JOIN runs ON runs.run = log_lines.run AND runs.processed_lease = log_lines.lease
             WHERE log_lines.run = $1 AND ($2 = '' OR log_lines.partner = $2) AND log_lines.number > $3
             ORDER BY log_lines.number LIMIT $4",
        )
        .bind(run.to_string())
        .bind(scope.text())
        .bind(to_stored(after.unwrap_or(0)))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.store)
        .await?;
        let items = rows.into_iter().map(|(number, level, message)| (count(number), LogLine { level, message })).collect();
        Ok(Page::cut(items, limit, |(number, _)| *number))
    }
}
