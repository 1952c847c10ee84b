//! Entries of the trail, page by page; and the whole chain worked out again.
//!
//! Must not know what an export looks like.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{AuditEntry, AuditRow, columns};
use super::rows::{Claims, RowsCheck};
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Database, Query, Store, Transaction, count, query, query_scalar, to_stored};
use crate::ledger::who::{Page, Scope, page_items};
use crate::model::ids::{Digest, PartnerName};

/// Entries that are read at one time while the chain is worked out again.
const VERIFY_ENTRIES: i64 = 2_000;

/// What came of working the chain out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// Entries that fit.
    pub entries: u64,
    /// The hash of the last one that fits. Noted elsewhere, it shows later that nothing up to it was rewritten.
    pub head: Digest,
    /// The first that does not fit; none if all do.
    pub broken: Option<BrokenEntry>,
    /// What the rows of the database say against the trail; not looked at where the trail itself does not fit.
    pub rows: RowsCheck,
    /// The hashes of the entries that were asked about, of those that are there and fit.
    pub hashes: BTreeMap<u64, Digest>,
}

impl AuditCheck {
    /// Whether the trail fits, and every row that it speaks of is as it says.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.broken.is_none() && self.rows.faults.is_empty()
    }
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

/// What is sought in the trail. What is not said is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditSought {
    /// Who did it.
    pub actor: Words,
    /// What was done.
    pub action: Words,
    /// To what.
    pub subject: Words,
    /// From this moment on.
    pub from_ms: Option<i64>,
    /// Up to before this moment.
    pub until_ms: Option<i64>,
}

/// How a text is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Words {
    /// As it likes.
    #[default]
    Any,
    /// This.
    Are(String),
    /// Beginning with this.
    Begin(String),
    /// With this somewhere in it, in capitals or not.
    Have(String),
}

impl Words {
    fn text(&self) -> &str {
        match self {
            Self::Any => "",
            Self::Are(text) | Self::Begin(text) | Self::Have(text) => text,
        }
    }

    fn push(&self, column: &'static str, ask: &mut Query) {
        let of = |ask: &mut Query, before: &'static str, after: &'static str| {
            ask.push(before).push(column).push(after);
        };
        match self {
            Self::Any => {}
            Self::Are(text) => {
                of(ask, " AND ", " = ");
                ask.push_bind(text.as_str());
            }
            Self::Begin(text) => {
                // PostgreSQL counts characters with numbers of this size alone.
                of(ask, " AND SUBSTR(", ", 1, CAST(");
                ask.push_bind(to_stored(text.chars().count() as u64)).push(" AS INTEGER)) = ").push_bind(text.as_str());
            }
            Self::Have(text) => {
                of(ask, " AND LOWER(", ") LIKE ");
                let mut like = String::from("%");
                for letter in text.to_ascii_lowercase().chars() {
                    if matches!(letter, '%' | '_' | '\\') {
                        like.push('\\');
                    }
                    like.push(letter);
                }
                like.push('%');
                ask.push_bind(like).push(" ESCAPE '\\'");
            }
        }
    }
}

impl Ledger {
    /// Opens a ledger to look whether anybody has tampered with it: nothing is set right, so that what is wrong is still there to be seen.
    /// Its tables are brought up to date.
    ///
    /// # Errors
    /// [`LedgerError::CannotOpen`] if its file or its server cannot be used.
    pub async fn open_to_verify(database: &Database) -> Result<Self, LedgerError> {
        Ok(Self::over(Store::open(database).await?))
    }

    /// Entries of the audit trail, newest first, from before one.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn audit(&self, scope: Scope<'_>, before: Option<u64>, limit: u32) -> Result<Page<AuditEntry, u64>, LedgerError> {
        let limit = page_items(limit);
        let sql = concat!("SELECT ", columns!(), " FROM audit WHERE ($1 = '' OR partner = $1) AND seq < $2 ORDER BY seq DESC LIMIT $3");
        let rows: Vec<AuditRow> = query(sql)
            .bind(scope.text())
            .bind(before.map_or(i64::MAX, to_stored))
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.store)
            .await?;
        page(rows, limit)
    }

    /// Those entries that are sought, newest first, from before one.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn audit_sought(
        &self,
        scope: Scope<'_>,
        sought: &AuditSought,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page<AuditEntry, u64>, LedgerError> {
        let limit = page_items(limit);
        // Nothing that is kept has such a character, and PostgreSQL takes no text that has.
        if [&sought.actor, &sought.action, &sought.subject].iter().any(|words| words.text().contains('\0')) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let mut ask = query(concat!("SELECT ", columns!(), " FROM audit WHERE seq < "));
        ask.push_bind(before.map_or(i64::MAX, to_stored));
        if let Scope::Partner(partner) = scope {
            ask.push(" AND partner = ").push_bind(partner.as_str());
        }
        let columns = [("actor", &sought.actor), ("action", &sought.action), ("subject", &sought.subject)];
        for (column, words) in columns {
            words.push(column, &mut ask);
        }
        if let Some(from_ms) = sought.from_ms {
            ask.push(" AND at_ms >= ").push_bind(from_ms);
        }
        if let Some(until_ms) = sought.until_ms {
            ask.push(" AND at_ms < ").push_bind(until_ms);
        }
        let rows: Vec<AuditRow> = ask.push(" ORDER BY seq DESC LIMIT ").push_bind(i64::from(limit) + 1).fetch_all(&self.store).await?;
        page(rows, limit)
    }

    /// Entries of the audit trail, oldest first, from after one: to be kept elsewhere.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn audit_after(&self, scope: Scope<'_>, after: u64, limit: u32) -> Result<Page<AuditEntry, u64>, LedgerError> {
        let limit = page_items(limit);
        let sql = concat!("SELECT ", columns!(), " FROM audit WHERE ($1 = '' OR partner = $1) AND seq > $2 ORDER BY seq LIMIT $3");
        let rows: Vec<AuditRow> =
            query(sql).bind(scope.text()).bind(to_stored(after)).bind(i64::from(limit) + 1).fetch_all(&self.store).await?;
        page(rows, limit)
    }

    /// How far the trail reaches as a partner sees it: the number of the last entry that concerns it.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn trail_end(&self, partner: &PartnerName) -> Result<u64, LedgerError> {
        let last: Option<i64> =
            query_scalar("SELECT MAX(seq) FROM audit WHERE partner = $1").bind(partner.as_str()).fetch_one(&self.store).await?;
        Ok(last.map_or(0, count))
    }

    /// How far the trail reaches: its last entry and that one's hash.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn audit_end(&self) -> Result<(u64, Digest), LedgerError> {
        let last: Option<AuditRow> =
            query(concat!("SELECT ", columns!(), " FROM audit ORDER BY seq DESC LIMIT 1")).fetch_optional(&self.store).await?;
        last.map_or(Ok((0, Digest::new([0; 32]))), |row| AuditEntry::try_from(row).map(|entry| (entry.seq, entry.hash)))
    }

    /// Works the whole chain out again, and compares the rows of the database with what it says of them.
    ///
    /// # Errors
    /// What the database failed of. A chain that does not fit is no error: it is the answer.
    pub async fn verify_audit(&self) -> Result<AuditCheck, LedgerError> {
        self.verify_audit_at(&BTreeSet::new()).await
    }

    /// The same, and tells the hashes of some entries.
    ///
    /// # Errors
    /// As for [`Ledger::verify_audit`].
    pub async fn verify_audit_at(&self, asked: &BTreeSet<u64>) -> Result<AuditCheck, LedgerError> {
        // One transaction, so that the end that is compared is the end of what was read, and its rows are those of that moment.
        let mut reader = self.store.read().await?;
        let head: Option<(i64, String)> = query("SELECT seq, hash FROM audit_head WHERE one = 1").fetch_optional(&mut reader).await?;
        let mut chain = Chain { seq: 0, hash: Digest::new([0; 32]).to_string(), broken: None, hashes: BTreeMap::new() };
        let mut claims = Claims::default();
        while chain.broken.is_none() && chain.page(&mut reader, asked, &mut claims).await? {}
        if chain.broken.is_none() && head.is_none_or(|head| head != (chain.seq, chain.hash.clone())) {
            let why = "is missing: the trail once reached further, or its end was rewritten";
            chain.broken = Some(BrokenEntry { seq: count(chain.seq + 1), why });
        }
        // What a trail says that was tampered with proves nothing of the rows.
        let rows = if chain.broken.is_none() { claims.compare(&mut reader).await? } else { RowsCheck::default() };
        let head = chain.hash.parse().expect("an entry that fits has a digest");
        Ok(AuditCheck { entries: count(chain.seq), head, broken: chain.broken, rows, hashes: chain.hashes })
    }
}

/// The chain as far as it was worked out.
struct Chain {
    seq: i64,
    hash: String,
    broken: Option<BrokenEntry>,
    hashes: BTreeMap<u64, Digest>,
}

impl Chain {
    /// Goes on by some entries. Answers whether there were any.
    async fn page(&mut self, reader: &mut Transaction, asked: &BTreeSet<u64>, claims: &mut Claims) -> Result<bool, LedgerError> {
        let sql = concat!("SELECT ", columns!(), " FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
        let rows: Vec<AuditRow> = query(sql).bind(self.seq).bind(VERIFY_ENTRIES).fetch_all(reader).await?;
        for row in &rows {
            self.broken = misfit(row, self.seq, &self.hash);
            if self.broken.is_some() {
                break;
            }
            self.seq = row.seq;
            self.hash.clone_from(&row.hash);
            if asked.contains(&count(row.seq)) {
                self.hashes.extend(row.hash.parse().map(|hash| (count(row.seq), hash)));
            }
            claims.take(row);
        }
        Ok(!rows.is_empty())
    }
}

fn misfit(row: &AuditRow, previous_seq: i64, previous_hash: &str) -> Option<BrokenEntry> {
    let why = if row.seq != previous_seq + 1 {
        return Some(BrokenEntry { seq: count(previous_seq + 1), why: "is missing" });
    } else if row.previous_hash != previous_hash {
        "does not follow from the entry before it"
    } else if !row.fits() {
        "does not hold what it held when it was written"
    } else {
        return None;
    };
    Some(BrokenEntry { seq: count(row.seq), why })
}

fn page(rows: Vec<AuditRow>, limit: u32) -> Result<Page<AuditEntry, u64>, LedgerError> {
    let entries: Vec<AuditEntry> = rows.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?;
    Ok(Page::cut(entries, limit, |last| last.seq))
}
