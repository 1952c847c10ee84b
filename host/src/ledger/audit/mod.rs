//! The audit trail: who did what, from where, each entry chained to the one before by SHA-256.
//!
//! ```text
//! entry        an entry, its digest, and the hash that chains it
//! read         entries page by page; the chain worked out again
//! covers       digests of the rows that an act leaves, in its entry
//! parts        the rows of each kind of thing, as lines of text
//! rows         the rows compared with what the trail says of them
//! old          what entries spoke of before there were digests
//! checkpoints  how far the trail reached, signed; and the keys that sign
//! ```
//!
//! Must not know what the acts mean, nor how a signature is made. Personal data is masked before it comes here.

mod checkpoints;
mod covers;
mod entry;
mod old;
mod parts;
mod read;
mod rows;

use serde_json::Value;

use super::Ledger;
use super::error::LedgerError;
use super::store::{Transaction, query, query_scalar, to_stored};
use super::who::By;
use crate::model::ids::PartnerName;
use entry::{AuditRow, Noted as NotedRow};

pub use checkpoints::{NewCheckpoint, NewHubKey, StoredCheckpoint, StoredHubKey};
pub use entry::{AuditEntry, ContentDigest};
pub use read::{AuditCheck, AuditSought, BrokenEntry, Words};
pub use rows::{RowFault, RowsCheck};

pub(super) use covers::{Covered, CoveredKind, digest_of};
pub(super) use entry::Noted;

/// Entries of one insert: each number of them is a statement of its own to the database, so there are few such numbers.
const INSERT_ROWS: usize = 100;

/// The act of which nothing came: somebody was refused what they asked for.
pub(super) const REFUSED: &str = "access.refuse";

/// Something that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Act<'a> {
    /// Whom it concerns; none if the hub as a whole.
    pub partner: Option<&'a PartnerName>,
    /// What was done: `release.activate`.
    pub action: &'a str,
    /// To what: `run:0192…`, `job:lgps-return`.
    pub subject: String,
    /// How it was before, where that says something.
    pub before: Option<Value>,
    /// How it is now.
    pub after: Option<Value>,
}

/// Puts an act into the trail with the transaction of the act itself, so that neither is there without the other.
pub(super) fn append(transaction: &mut Transaction, act: Act<'_>, by: &By) {
    if let (Some(partner), Some(as_of)) = (act.partner, by.as_of) {
        transaction.unless_since(partner, as_of);
    }
    transaction.note(Noted {
        at_ms: by.now_ms,
        partner: act.partner.map(|partner| partner.as_str().to_owned()),
        actor: by.actor.as_str().to_owned(),
        action: act.action.to_owned(),
        subject: act.subject,
        before_json: act.before.map(|value| value.to_string()),
        after_json: act.after.map(|value| value.to_string()),
        came_from: by.from.clone(),
    });
}

/// The same, with digests of the rows that the act leaves: whoever changes one of them afterwards has the trail against them.
/// The rows are written before.
pub(super) async fn append_over(transaction: &mut Transaction, mut act: Act<'_>, covered: &[Covered], by: &By) -> Result<(), LedgerError> {
    let mut all = Vec::with_capacity(covered.len());
    let (mut ended, mut dealt) = (None, false);
    for one in covered {
        let (said, dealt_outside) = covers::said(transaction, one).await?;
        all.push(said);
        dealt |= one.kind == CoveredKind::Log && dealt_outside;
        ended = ended.or((one.kind == CoveredKind::Run).then_some(one));
    }
    if let Some(run) = ended.filter(|_| dealt) {
        all.push(covers::said(transaction, &Covered::of_hub(CoveredKind::Outside, run.key.as_str())).await?.0);
    }
    let mut after = act.after.take().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    after[covers::FIELD] = Value::Array(all);
    act.after = Some(after);
    append(transaction, act, by);
    Ok(())
}

/// Whether a partner's trail has gone on since it reached an entry, by acts that count. Nobody else writes its end until the transaction ends.
pub(super) async fn went_on(
    transaction: &mut Transaction,
    partner: &PartnerName,
    since: u64,
    counts: impl Fn(&str) -> bool,
) -> Result<bool, sqlx::Error> {
    let _end: i64 = query_scalar("SELECT seq FROM audit_head WHERE one = 1").locked().fetch_one(&mut *transaction).await?;
    let newer: Vec<String> = query_scalar("SELECT DISTINCT action FROM audit WHERE partner = $1 AND seq > $2")
        .bind(partner.as_str())
        .bind(to_stored(since))
        .fetch_all(transaction)
        .await?;
    Ok(newer.iter().any(|action| counts(action)))
}

/// Whether an act changes what a release is judged by. Nothing of it is changed without an act.
pub(super) fn judges(action: &str) -> bool {
    let of = action.split_once('.').map_or(action, |(of, _)| of);
    matches!(of, "partner" | "release" | "key" | "table" | "trial" | "candidate" | "change")
}

/// Writes entries at the end of the chain.
pub(super) async fn write(transaction: &mut Transaction, acts: Vec<NotedRow>) -> Result<(), sqlx::Error> {
    let (mut seq, mut hash): (i64, String) =
        query("SELECT seq, hash FROM audit_head WHERE one = 1").locked().fetch_one(&mut *transaction).await?;
    let mut rows = Vec::with_capacity(acts.len());
    for act in acts {
        let row = AuditRow::after(seq, hash, act);
        (seq, hash) = (row.seq, row.hash.clone());
        rows.push(row);
    }
    for some in rows.chunks(INSERT_ROWS) {
        let columns =
            "INSERT INTO audit (seq, at_ms, partner, actor, action, subject, before_json, after_json, came_from, previous_hash, hash)";
        let mut insert = query(columns);
        insert.push_rows(some, AuditRow::values).execute(&mut *transaction).await?;
    }
    query("UPDATE audit_head SET seq = $1, hash = $2 WHERE one = 1").bind(seq).bind(hash).execute(transaction).await?;
    Ok(())
}

impl Ledger {
    /// Notes an act that the ledger itself does not see: signing in, a component that was turned away.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn note(&self, act: Act<'_>, by: &By) -> Result<(), LedgerError> {
        let act = &act;
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                append(&mut transaction, act.clone(), by);
                transaction.commit().await?;
                Ok(())
            })
            .await
    }
}
