//! The audit trail: who did what, each entry chained to the one before by SHA-256.
//!
//! Must not know what the acts mean. Personal data is masked before it comes here.

use serde_json::Value;

use super::Ledger;
use super::error::LedgerError;
use super::store::{Transaction, count, parsed, parsed_option, query, to_stored};
use super::who::{Actor, By, Page, Scope, page_items};
use crate::model::ids::{Digest, PartnerName};

/// Entries that are read at one time while the chain is worked out again.
const VERIFY_ENTRIES: i64 = 1_000;

/// Entries of one insert: each number of them is a statement of its own to the database, so there are few such numbers.
const INSERT_ROWS: usize = 100;

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

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// 1, 2, 3 over the whole hub.
    pub seq: u64,
    /// When.
    pub at_ms: i64,
    /// Whom it concerns; none if the hub as a whole.
    pub partner: Option<PartnerName>,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// How it was before, as JSON.
    pub before: Option<String>,
    /// How it was afterwards, as JSON.
    pub after: Option<String>,
    /// Covers all of the above and the hash of the entry before.
    pub hash: Digest,
}

/// What came of working the chain out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// Entries that fit.
    pub entries: u64,
    /// The hash of the last one that fits. Noted elsewhere, it shows later that nothing up to it was rewritten.
    pub head: Digest,
    /// The first that does not fit; none if all do.
    pub broken: Option<BrokenEntry>,
}

/// The first entry of the chain that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("audit entry {seq} {why}")]
pub struct BrokenEntry {
    /// Its number.
    pub seq: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

/// An act as it goes into the trail: by whom and when, as text.
#[derive(Debug)]
pub(super) struct Noted {
    at_ms: i64,
    partner: Option<String>,
    actor: String,
    action: String,
    subject: String,
    before_json: Option<String>,
    after_json: Option<String>,
}

#[derive(sqlx::FromRow)]
struct AuditRow {
    seq: i64,
    at_ms: i64,
    partner: Option<String>,
    actor: String,
    action: String,
    subject: String,
    before_json: Option<String>,
    after_json: Option<String>,
    previous_hash: String,
    hash: String,
}

impl AuditRow {
    /// The entry of an act that follows another.
    fn after(seq: i64, previous_hash: String, noted: Noted) -> Self {
        let Noted { at_ms, partner, actor, action, subject, before_json, after_json } = noted;
        let hash = String::new();
        let row = Self { seq: seq + 1, at_ms, partner, actor, action, subject, before_json, after_json, previous_hash, hash };
        Self { hash: row.digest().to_string(), ..row }
    }

    /// SHA-256 over every field, each behind its length, so that nothing can be moved from one to the next.
    fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        let (seq, at_ms) = (self.seq.to_string(), self.at_ms.to_string());
        let fields = [
            Some(self.previous_hash.as_str()),
            Some(seq.as_str()),
            Some(at_ms.as_str()),
            self.partner.as_deref(),
            Some(self.actor.as_str()),
            Some(self.action.as_str()),
            Some(self.subject.as_str()),
            self.before_json.as_deref(),
            self.after_json.as_deref(),
        ];
        for field in fields {
            bytes.push(u8::from(field.is_some()));
            let text = field.unwrap_or_default();
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Digest::of(&bytes)
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = LedgerError;

    fn try_from(row: AuditRow) -> Result<Self, LedgerError> {
        Ok(Self {
            seq: count(row.seq),
            at_ms: row.at_ms,
            partner: parsed_option(row.partner.as_deref(), "partner")?,
            actor: Actor::stored(row.actor),
            action: row.action,
            subject: row.subject,
            before: row.before_json,
            after: row.after_json,
            hash: parsed(&row.hash, "hash of an audit entry")?,
        })
    }
}

/// Puts an act into the trail with the transaction of the act itself, so that neither is there without the other.
pub(super) fn append(transaction: &mut Transaction, act: Act<'_>, by: &By) {
    transaction.note(Noted {
        at_ms: by.now_ms,
        partner: act.partner.map(|partner| partner.as_str().to_owned()),
        actor: by.actor.as_str().to_owned(),
        action: act.action.to_owned(),
        subject: act.subject,
        before_json: act.before.map(|value| value.to_string()),
        after_json: act.after.map(|value| value.to_string()),
    });
}

/// Writes entries at the end of the chain.
pub(super) async fn write(transaction: &mut Transaction, acts: Vec<Noted>) -> Result<(), sqlx::Error> {
    let (mut seq, mut hash): (i64, String) =
        query("SELECT seq, hash FROM audit_head WHERE one = 1").locked().fetch_one(&mut *transaction).await?;
    let mut rows = Vec::with_capacity(acts.len());
    for act in acts {
        let row = AuditRow::after(seq, hash, act);
        (seq, hash) = (row.seq, row.hash.clone());
        rows.push(row);
    }
    for some in rows.chunks(INSERT_ROWS) {
        let columns = "INSERT INTO audit (seq, at_ms, partner, actor, action, subject, before_json, after_json, previous_hash, hash)";
        let values = |row: &AuditRow| {
            [
                row.seq.into(),
                row.at_ms.into(),
                row.partner.as_deref().into(),
                row.actor.as_str().into(),
                row.action.as_str().into(),
                row.subject.as_str().into(),
                row.before_json.as_deref().into(),
                row.after_json.as_deref().into(),
                row.previous_hash.as_str().into(),
                row.hash.as_str().into(),
            ]
        };
        let mut insert = query(columns);
        insert.push_rows(some, values).execute(&mut *transaction).await?;
    }
    query("UPDATE audit_head SET seq = $1, hash = $2 WHERE one = 1").bind(seq).bind(hash).execute(transaction).await?;
    Ok(())
}

impl Ledger {
    /// Notes an act that the ledger itself does not see: signing in, changing a connection's credentials.
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

    /// Entries of the audit trail, newest first, from before one.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn audit(&self, scope: Scope<'_>, before: Option<u64>, limit: u32) -> Result<Page<AuditEntry, u64>, LedgerError> {
        let limit = page_items(limit);
        let rows: Vec<AuditRow> = query(
            "SELECT seq, at_ms, partner, actor, action, subject, before_json, after_json, previous_hash, hash FROM audit
             WHERE ($1 = '' OR partner = $1) AND seq < $2 ORDER BY seq DESC LIMIT $3",
        )
        .bind(scope.text())
        .bind(before.map_or(i64::MAX, to_stored))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.store)
        .await?;
        let entries: Vec<AuditEntry> = rows.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(entries, limit, |last| last.seq))
    }

    /// Entries of the audit trail, oldest first, from after one: to be kept elsewhere.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn audit_after(&self, scope: Scope<'_>, after: u64, limit: u32) -> Result<Page<AuditEntry, u64>, LedgerError> {
        let limit = page_items(limit);
        let rows: Vec<AuditRow> = query(
            "SELECT seq, at_ms, partner, actor, action, subject, before_json, after_json, previous_hash, hash FROM audit
             WHERE ($1 = '' OR partner = $1) AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(scope.text())
        .bind(to_stored(after))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.store)
        .await?;
        let entries: Vec<AuditEntry> = rows.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(entries, limit, |last| last.seq))
    }

    /// Works the whole chain out again.
    ///
    /// # Errors
    /// What the database failed of. A chain that does not fit is no error: it is the answer.
    pub async fn verify_audit(&self) -> Result<AuditCheck, LedgerError> {
        // One transaction, so that the end that is compared is the end of what was read.
        let mut reader = self.store.read().await?;
        let head: Option<(i64, String)> = query("SELECT seq, hash FROM audit_head WHERE one = 1").fetch_optional(&mut reader).await?;
        let (mut seq, mut hash) = (0, Digest::new([0; 32]).to_string());
        let mut broken = None;
        while broken.is_none() {
            let rows: Vec<AuditRow> = query(
                "SELECT seq, at_ms, partner, actor, action, subject, before_json, after_json, previous_hash, hash FROM audit
                 WHERE seq > $1 ORDER BY seq LIMIT $2",
            )
            .bind(seq)
            .bind(VERIFY_ENTRIES)
            .fetch_all(&mut reader)
            .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                broken = misfit(row, seq, &hash);
                if broken.is_some() {
                    break;
                }
                (seq, hash) = (row.seq, row.hash.clone());
            }
        }
        if broken.is_none() && head.is_none_or(|head| head != (seq, hash.clone())) {
            broken = Some(BrokenEntry { seq: count(seq + 1), why: "is missing: the trail once reached further, or its end was rewritten" });
        }
        Ok(AuditCheck { entries: count(seq), head: parsed(&hash, "hash of an audit entry")?, broken })
    }
}

fn misfit(row: &AuditRow, previous_seq: i64, previous_hash: &str) -> Option<BrokenEntry> {
    let why = if row.seq != previous_seq + 1 {
        return Some(BrokenEntry { seq: count(previous_seq + 1), why: "is missing" });
    } else if row.previous_hash != previous_hash {
        "does not follow from the entry before it"
    } else if row.hash != row.digest().to_string() {
        "does not hold what it held when it was written"
    } else {
        return None;
    };
    Some(BrokenEntry { seq: count(row.seq), why })
}
