//! Digests of the rows that an act leaves, put into its entry of the trail: what a run's log says, its totals and receipts, which release
//! is active, who approved it, which keys are trusted.
//!
//! The last entry that speaks of something says what its rows are now. What is not named here is not covered: `SECURITY.md` says which.
//! Must not know what the rows mean.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, count, query, to_stored};
use crate::model::ids::{Digest, PartnerName, RunId};

/// Where an entry's `after` has them.
pub(super) const FIELD: &str = "covers";

/// Highest text of all, in the order of bytes.
pub(super) const LAST_KEY: &str = "\u{10FFFF}";

/// Rows that are read at one time of a run's rejects, of which there may be very many.
const REJECTS_AT_ONCE: i64 = 1_000;

/// A kind of thing whose rows are covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::ledger) enum CoveredKind {
    /// The log of a run, up to an event.
    Log,
    /// An ended run: its row with its totals, its receipts, the files that it took.
    Run,
    /// The rejects of an ended run.
    Rejects,
    /// What a job remembers from one run to the next.
    State,
    /// What a partner declared.
    Declared,
    /// A release, and what people said of it.
    Release,
    /// Which release of a plugin is active, and which were.
    Active,
    /// A sealed credential.
    Secret,
    /// The key of a signer.
    SigningKey,
    /// A token.
    Token,
    /// Versions of a partner's tables.
    Tables,
    /// A proposed change.
    Change,
}

impl CoveredKind {
    pub(super) const ALL: [Self; 12] = [
        Self::Log,
        Self::Run,
        Self::Rejects,
        Self::State,
        Self::Declared,
        Self::Release,
        Self::Active,
        Self::Secret,
        Self::SigningKey,
        Self::Token,
        Self::Tables,
        Self::Change,
    ];

    /// The word for it in an entry.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "run-log",
            Self::Run => "run",
            Self::Rejects => "run-rejects",
            Self::State => "job-state",
            Self::Declared => "declaration",
            Self::Release => "release",
            Self::Active => "active-release",
            Self::Secret => "secret",
            Self::SigningKey => "signing-key",
            Self::Token => "token",
            Self::Tables => "tables",
            Self::Change => "change",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether its rows are found by a run's id.
    pub(super) const fn is_of_run(self) -> bool {
        matches!(self, Self::Log | Self::Run | Self::Rejects)
    }

    /// Its rows, each with what it belongs to, its place there, and its columns as one text; of keys from `$1` to `$2`.
    const fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Log => LOG,
            Self::Run => RUN,
            Self::Rejects => REJECTS,
            Self::State => STATE,
            Self::Declared => DECLARED,
            Self::Release => RELEASE,
            Self::Active => ACTIVE,
            Self::Secret => SECRET,
            Self::SigningKey => SIGNING_KEY,
            Self::Token => TOKEN,
            Self::Tables => TABLES,
            Self::Change => CHANGE,
        }
    }
}

impl fmt::Display for CoveredKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A thing whose rows an act leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) struct Covered {
    pub(super) kind: CoveredKind,
    pub(super) key: String,
    /// Of a log, the last event.
    pub(super) through: Option<u64>,
}

impl Covered {
    /// A run's log up to its last event.
    pub(in crate::ledger) fn log(run: RunId, through: u64) -> Self {
        Self { kind: CoveredKind::Log, key: run.to_string(), through: Some(through) }
    }

    /// Something else of a run.
    pub(in crate::ledger) fn run(kind: CoveredKind, run: RunId) -> Self {
        Self { kind, key: run.to_string(), through: None }
    }

    /// What a partner has one of.
    pub(in crate::ledger) fn partner(kind: CoveredKind, partner: &PartnerName) -> Self {
        Self { kind, key: partner.to_string(), through: None }
    }

    /// One of those that a partner has.
    pub(in crate::ledger) fn named(kind: CoveredKind, partner: &PartnerName, name: &str) -> Self {
        Self { kind, key: format!("{partner}/{name}"), through: None }
    }
}

/// What is said of something in an entry.
pub(super) async fn said(transaction: &mut Transaction, covered: &Covered) -> Result<Value, LedgerError> {
    let digest = digest_of(transaction, covered).await?;
    let mut said = json!({ "what": covered.kind.as_str(), "of": covered.key, "sha256": digest.to_string() });
    if let Some(through) = covered.through {
        said["through"] = through.into();
    }
    Ok(said)
}

/// SHA-256 of the rows of one thing; of no rows, where there are none.
pub(in crate::ledger) async fn digest_of(transaction: &mut Transaction, covered: &Covered) -> Result<Digest, LedgerError> {
    let through = |key: &str| (key == covered.key).then_some(covered.through).flatten();
    let found = digests(transaction, covered.kind, (&covered.key, &covered.key), through).await?;
    Ok(found.into_iter().next().map_or_else(|| Folded::default().digest(), |(_, folded)| folded.digest()))
}

/// Of each key in a range, the rows that are there now.
pub(super) async fn digests(
    transaction: &mut Transaction,
    kind: CoveredKind,
    (first, last): (&str, &str),
    through: impl Fn(&str) -> Option<u64>,
) -> Result<BTreeMap<String, Folded>, LedgerError> {
    let mut found: BTreeMap<String, Folded> = BTreeMap::new();
    for (part, sql) in kind.parts().iter().enumerate() {
        // One key has its rejects read bit by bit; nothing else has so many rows.
        let paged = kind == CoveredKind::Rejects && first == last;
        let mut place = -1;
        loop {
            let mut ask = query(sql);
            if paged {
                ask.push(" AND findings.number > $3 ORDER BY 1, 2 LIMIT $4");
            }
            let ask = ask.bind(first).bind(last);
            let ask = if paged { ask.bind(place).bind(REJECTS_AT_ONCE) } else { ask };
            let mut rows: Vec<(String, i64, String)> = ask.fetch_all(&mut *transaction).await?;
            // Here, as the two databases need not agree on the order of texts.
            rows.sort_unstable();
            let full = paged && rows.len() as i64 == REJECTS_AT_ONCE;
            place = rows.last().map_or(place, |(_, place, _)| *place);
            for (key, place, line) in rows {
                let through = through(&key);
                found.entry(key).or_default().take(part, (count(place), &line), through);
            }
            if !full {
                break;
            }
        }
    }
    Ok(found)
}

/// The rows of one thing, as they are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Folded {
    hash: Sha256,
    /// Of a log, the last event that is there.
    pub(super) last: u64,
}

impl Folded {
    fn take(&mut self, part: usize, (place, line): (u64, &str), through: Option<u64>) {
        self.last = self.last.max(place);
        if through.is_some_and(|through| place > through) {
            return;
        }
        self.hash.update(to_stored(part as u64).to_be_bytes());
        self.hash.update((line.len() as u64).to_be_bytes());
        self.hash.update(line.as_bytes());
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::new(self.hash.clone().finalize().into())
    }
}

/// A column as text behind its length, so that nothing can be moved from one to the next; a dash where there is nothing.
macro_rules! column {
    ($name:literal) => {
        concat!("COALESCE(LENGTH(CAST(", $name, " AS TEXT)) || ':' || CAST(", $name, " AS TEXT), '-')")
    };
}

/// `rows!(key, place, table and condition; columns)`.
macro_rules! rows {
    ($key:literal, $place:literal, $from:literal; $first:literal $(, $next:literal)*) => {
        concat!(
            "SELECT ", $key, " AS key, CAST(", $place, " AS BIGINT) AS place, ",
            column!($first), $(" || ", column!($next),)*
            " AS line FROM ", $from, " AND ", $key, " >= $1 AND ", $key, " <= $2"
        )
    };
}

const LOG: &[&str] = &[rows!("run_events.run", "seq", "run_events WHERE seq >= 1";
    "partner", "run", "seq", "kind", "at_ms", "actor", "hub", "lease", "body")];

const RUN: &[&str] = &[
    rows!("runs.run", "0", "runs WHERE 1 = 1";
        "partner", "job", "slot", "trigger_kind", "origin_run", "dry_run", "logical_ms", "seed", "calendar", "asked_release",
        "first_pins", "definition", "release_digest", "tables_through", "state", "enqueued_at_ms", "started_at_ms", "ended_at_ms",
        "rows_read", "rows_accepted", "rows_rejected", "rows_skipped", "rows_written", "warnings", "processed_event", "processed_lease",
        "outputs", "deliveries", "released", "outcome", "reason_code", "reason"),
    rows!("receipts.run", "0", "receipts WHERE 1 = 1";
        "partner", "port", "connection", "target", "digest", "size_bytes", "receipt", "already_there", "delivered_at_ms"),
    rows!("taken_files.run", "0", "taken_files WHERE 1 = 1";
        "partner", "job", "connection", "path", "size_bytes", "modified_ms", "digest", "taken_at_ms", "duplicate_of"),
];

const REJECTS: &[&str] = &[rows!("findings.run", "findings.number",
    "findings JOIN runs ON runs.run = findings.run AND runs.processed_lease = findings.lease WHERE findings.effect = 'reject'";
    "findings.partner", "findings.number", "findings.port", "findings.row_number", "findings.line", "findings.byte_offset",
    "findings.code", "findings.reasons", "HEX(findings.raw)", "findings.decoded", "HEX(findings.sealed)")];

const STATE: &[&str] = &[rows!("partner || '/' || job", "0", "job_state WHERE 1 = 1"; "entry", "HEX(content)", "written_by_run")];

const DECLARED: &[&str] = &[
    rows!("partner", "0", "partners WHERE 1 = 1";
        "title", "releases", "changes", "runs_max", "keep_artefacts_days", "keep_rejects_days", "keep_events_days", "proofs"),
    rows!("partner", "0", "sources WHERE 1 = 1"; "source", "definition"),
    rows!("partner", "0", "connections WHERE removed_at_ms IS NULL"; "connection", "definition", "runs_max"),
    rows!("partner", "0", "jobs WHERE removed_at_ms IS NULL";
        "job", "title", "plugin", "definition", "schedule", "runs_max", "priority", "overlap", "overdue_after_ms",
        "rejects_overdue_days", "notices", "release_choice"),
    rows!("partner", "0", "job_connections WHERE 1 = 1"; "job", "connection"),
    rows!("partner", "0", "webhooks WHERE removed_at_ms IS NULL"; "webhook", "definition", "events"),
];

const RELEASE: &[&str] = &[
    rows!("partner || '/' || digest", "0", "releases WHERE 1 = 1";
        "plugin", "version", "manifest", "size_bytes", "artefact", "added_at_ms", "added_by", "signed_by", "signature", "signature_comment"),
    rows!("partner || '/' || digest", "number", "release_verdicts WHERE 1 = 1"; "plugin", "number", "verdict", "why", "at_ms", "said_by", "granted", "reviewed"),
];

const ACTIVE: &[&str] = &[
    rows!("partner || '/' || plugin", "0", "active_releases WHERE 1 = 1"; "digest", "activated_at_ms", "activated_by"),
    rows!("partner || '/' || plugin", "number", "activations WHERE 1 = 1"; "number", "digest", "at_ms", "done_by"),
];

const SECRET: &[&str] = &[rows!("partner || '/' || secret", "0", "secrets WHERE 1 = 1"; "key_id", "sealed", "set_at_ms", "set_by")];

const SIGNING_KEY: &[&str] = &[rows!("partner || '/' || key_id", "0", "signing_keys WHERE 1 = 1";
    "public_key", "owner", "added_at_ms", "added_by", "revoked_at_ms", "revoked_by", "revoked_why")];

const TOKEN: &[&str] = &[rows!("partner || '/' || token", "0", "tokens WHERE 1 = 1";
    "hash", "scopes", "created_at_ms", "created_by", "expires_at_ms", "revoked_at_ms")];

const TABLES: &[&str] = &[rows!("partner", "number", "table_versions WHERE 1 = 1";
    "number", "table_name", "version", "effective_from", "effective_to", "published", "source", "digest", "added_at_ms", "added_by")];

const CHANGE: &[&str] = &[rows!("partner || '/' || number", "0", "proposed_changes WHERE 1 = 1";
    "digest", "base", "difference", "proposed_at_ms", "proposed_by", "state", "decided_at_ms", "decided_by", "why")];
