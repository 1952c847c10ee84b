//! Versions of reference tables that an operator has added.

use jiff::civil::Date;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, count, parsed, parsed_option, query, query_scalar, to_stored};
use crate::ledger::who::{Actor, By};
use crate::model::ids::{Digest, PartnerName};
use crate::model::table::TableVersion;

use super::require_partner;

/// A version of a table to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTable {
    /// Whose.
    pub partner: PartnerName,
    /// Which version of which table.
    pub version: TableVersion,
    /// Where it comes from, for people.
    pub source: String,
    /// Its rows as CSV with a heading line.
    pub content: String,
}

/// A version of a table as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTable {
    /// 1, 2, 3 within its partner, in the order of arrival. Pins name the last one that a run may see.
    pub number: u64,
    /// What was kept.
    pub table: NewTable,
    /// SHA-256 of its content.
    pub digest: Digest,
    /// When it was added.
    pub added_at_ms: i64,
    /// By whom.
    pub added_by: Actor,
}

#[derive(sqlx::FromRow)]
struct TableRow {
    partner: String,
    number: i64,
    table_name: String,
    version: String,
    effective_from: String,
    effective_to: Option<String>,
    published: Option<String>,
    source: String,
    digest: String,
    content: String,
    added_at_ms: i64,
    added_by: String,
}

impl TryFrom<TableRow> for StoredTable {
    type Error = LedgerError;

    fn try_from(row: TableRow) -> Result<Self, LedgerError> {
        let version = TableVersion {
            table: row.table_name,
            version: row.version,
            effective_from: parsed(&row.effective_from, "date")?,
            effective_to: parsed_option(row.effective_to.as_deref(), "date")?,
            published: parsed_option(row.published.as_deref(), "date")?,
        };
        Ok(Self {
            number: count(row.number),
            table: NewTable { partner: parsed(&row.partner, "partner")?, version, source: row.source, content: row.content },
            digest: parsed(&row.digest, "digest of a table")?,
            added_at_ms: row.added_at_ms,
            added_by: Actor::stored(row.added_by),
        })
    }
}

impl Ledger {
    /// Keeps a version of a table. Answers false if the very same is kept already.
    ///
    /// # Errors
    /// [`LedgerError::VersionDiffers`] if there is one of that name with other rows or dates; [`LedgerError::NotFound`] if there is no
    /// such partner; or what the database failed of.
    pub async fn put_table(&self, new: &NewTable, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let added = keep(&mut transaction, new, by).await?;
                transaction.commit().await?;
                Ok(added)
            })
            .await
    }

    /// The number of the version that a partner added last; 0 if there is none. Runs that begin now see versions up to it.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn tables_through(&self, partner: &PartnerName) -> Result<u64, LedgerError> {
        let number: i64 = query_scalar("SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) FROM table_versions WHERE partner = $1")
            .bind(partner.as_str())
            .fetch_one(&self.store)
            .await?;
        Ok(count(number))
    }

    /// Versions of a partner's tables in the order of their arrival: all of them, or those that a run pinned to a number may see.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn tables(&self, partner: &PartnerName, through: Option<u64>) -> Result<Vec<StoredTable>, LedgerError> {
        let rows: Vec<TableRow> = query("SELECT * FROM table_versions WHERE partner = $1 AND number <= $2 ORDER BY number")
            .bind(partner.as_str())
            .bind(through.map_or(i64::MAX, to_stored))
            .fetch_all(&self.store)
            .await?;
        rows.into_iter().map(StoredTable::try_from).collect()
    }
}

/// Keeps a version within a transaction. Answers false if the very same is kept already.
pub(super) async fn keep(transaction: &mut Transaction, new: &NewTable, by: &By) -> Result<bool, LedgerError> {
    require_partner(transaction, &new.partner).await?;
    let version = &new.version;
    let digest = Digest::of(new.content.as_bytes());
    let kept: Option<TableRow> = query("SELECT * FROM table_versions WHERE partner = $1 AND table_name = $2 AND version = $3")
        .bind(new.partner.as_str())
        .bind(version.table.as_str())
        .bind(version.version.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some(kept) = kept.map(StoredTable::try_from).transpose()? {
        let same = kept.digest == digest && kept.table.version == *version;
        let differs = || LedgerError::VersionDiffers { table: version.table.clone(), version: version.version.clone() };
        return same.then_some(false).ok_or_else(differs);
    }
    let date = |date: Option<Date>| date.map(|date| date.to_string());
    query(
        "INSERT INTO table_versions (partner, number, table_name, version, effective_from, effective_to, published, source, digest,
               content, added_at_ms, added_by)
             VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM table_versions WHERE partner = $1),
               $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(new.partner.as_str())
    .bind(version.table.as_str())
    .bind(version.version.as_str())
    .bind(version.effective_from.to_string())
    .bind(date(version.effective_to))
    .bind(date(version.published))
    .bind(new.source.as_str())
    .bind(digest.to_string())
    .bind(new.content.as_str())
    .bind(by.now_ms)
    .bind(by.actor.as_str())
    .execute(&mut *transaction)
    .await?;
    let after = serde_json::json!({
        "version": version.version,
        "effective-from": version.effective_from.to_string(),
        "effective-to": date(version.effective_to),
        "source": new.source,
        "digest": digest.to_string(),
    });
    let subject = format!("table:{}", version.table);
    let act = Act { partner: Some(&new.partner), action: "table.add", subject, before: None, after: Some(after) };
    audit::append_over(transaction, act, &[Covered::partner(CoveredKind::Tables, &new.partner)], by).await?;
    Ok(true)
}
