//! The database itself: how it is opened, who may write, how numbers and names are put into it and taken out.
//!
//! Must not know what the tables mean.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::error::{LedgerError, corrupt};

/// How long a write waits for another process that is writing, before it gives up.
pub(super) const BUSY_SECONDS: u64 = 10;

/// Readers beside the one writer. A page of a console asks for a handful of things; more readers would only wait for the disk.
const READERS_MAX: u32 = 8;

/// One connection that writes, some that read.
///
/// SQLite has one writer at a time whatever the number of connections; waiting for it here is fair and in order, where waiting
/// inside SQLite is neither. Write-ahead logging lets readers go on meanwhile. `synchronous = FULL` makes a commit
/// survive a power cut, which payments need; each costs one sync of the disk.
#[derive(Debug, Clone)]
pub(super) struct Store {
    writer: SqlitePool,
    pub(super) readers: SqlitePool,
}

impl Store {
    /// Opens the database, making its file and folder if need be, and brings its tables up to date.
    pub(super) async fn open(path: &Path) -> Result<Self, LedgerError> {
        let cannot = |why: String| LedgerError::CannotOpen { path: path.to_owned(), why };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| cannot(error.to_string()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(BUSY_SECONDS));
        let writer = pool(1).connect_with(options.clone()).await.map_err(|error| cannot(error.to_string()))?;
        sqlx::migrate!("./migrations").run(&writer).await.map_err(|error| cannot(error.to_string()))?;
        // A query that writes through a reader is a defect, and fails.
        let readers =
            pool(READERS_MAX).connect_with(options.pragma("query_only", "ON")).await.map_err(|error| cannot(error.to_string()))?;
        Ok(Self { writer, readers })
    }

    /// Begins to write. Dropped without a commit, nothing has happened.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, LedgerError> {
        // A transaction that begins by reading and then writes could find that another process wrote in between; this one cannot.
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn pool(connections_max: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections_max).test_before_acquire(false).idle_timeout(None).max_lifetime(None)
}

/// A count as the database holds it. Counts beyond nine quintillion do not come up.
pub(super) fn to_stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as it was stored.
pub(super) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A name, id or digest as it was stored.
pub(super) fn parsed<T: FromStr<Err: Display>>(text: &str, what: &str) -> Result<T, LedgerError> {
    text.parse().map_err(|why: T::Err| corrupt(format!("{what} {text:?}"), &why))
}

/// The same where there may be none.
pub(super) fn parsed_option<T: FromStr<Err: Display>>(text: Option<&str>, what: &str) -> Result<Option<T>, LedgerError> {
    text.map(|text| parsed(text, what)).transpose()
}
