//! Which hubs there are, by their own word, and what the database is that they share.
//!
//! Must not know what a hub does.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{count, query, query_scalar};
use crate::ledger::who::{HubId, Scope};

/// How long a hub is remembered that gives no word any more.
const REMEMBERED_MS: i64 = 30 * 86_400_000;

/// A hub, as it last gave word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHub {
    /// Its name.
    pub hub: HubId,
    /// The version of its program.
    pub version: String,
    /// When it started.
    pub started_at_ms: i64,
    /// When it last gave word.
    pub seen_at_ms: i64,
    /// How many runs it is at, of those that may be seen.
    pub runs: u64,
}

/// What the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// `sqlite` or `postgres`.
    pub kind: &'static str,
    /// The version of the database's own program.
    pub version: String,
    /// How much room it takes.
    pub size_bytes: u64,
    /// The step to which its tables were brought.
    pub step: u64,
}

impl Ledger {
    /// Keeps a hub's word that it is there, and forgets those that have long given none.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn say_hub(&self, hub: &HubId, version: &str, (started_at_ms, now_ms): (i64, i64)) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                query(
                    "INSERT INTO hubs (hub, version, started_at_ms, seen_at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (hub) DO UPDATE
                     SET version = excluded.version, started_at_ms = excluded.started_at_ms, seen_at_ms = excluded.seen_at_ms",
                )
                .bind(hub.as_str())
                .bind(version)
                .bind(started_at_ms)
                .bind(now_ms)
                .execute(&mut transaction)
                .await?;
                query("DELETE FROM hubs WHERE seen_at_ms < $1").bind(now_ms - REMEMBERED_MS).execute(&mut transaction).await?;
                transaction.commit().await
            })
            .await
    }

    /// The hubs that there are, by name, each with how many runs it is at.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn hubs(&self, scope: Scope<'_>) -> Result<Vec<StoredHub>, LedgerError> {
        let rows: Vec<(String, String, i64, i64, i64)> = query(
            "SELECT hubs.hub, hubs.version, hubs.started_at_ms, hubs.seen_at_ms, (SELECT COUNT(*) FROM runs
               WHERE runs.hub = hubs.hub AND runs.state IN ('running', 'staged', 'delivering') AND claimable_at_ms IS NOT NULL
                 AND ($1 = '' OR runs.partner = $1))
             FROM hubs ORDER BY hubs.hub",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        let hub = |(hub, version, started_at_ms, seen_at_ms, runs): (String, String, i64, i64, i64)| StoredHub {
            hub: HubId::new(hub),
            version,
            started_at_ms,
            seen_at_ms,
            runs: count(runs),
        };
        Ok(rows.into_iter().map(hub).collect())
    }

    /// What the database is, and how large.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn database_facts(&self) -> Result<DatabaseFacts, LedgerError> {
        let kind = self.database();
        let (version, size) = if kind == "sqlite" {
            ("SELECT sqlite_version()", "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        } else {
            ("SELECT current_setting('server_version')", "SELECT pg_database_size(current_database())")
        };
        let version: String = query_scalar(version).fetch_one(&self.store).await?;
        let size: i64 = query_scalar(size).fetch_one(&self.store).await?;
        Ok(DatabaseFacts { kind, version, size_bytes: count(size), step: count(self.steps().await?.0) })
    }
}
