//! Whether anything has been committed to a SQLite file since it was last asked, here or by another process.
//!
//! SQLite counts that itself (`PRAGMA data_version`), apart for each connection: the number is another one once any other connection has
//! committed. So this has a connection of its own that nothing is written by, and asks on the caller's thread: a statement that
//! goes to a connection's own thread wakes two threads for it.
//!
//! Must not know what is in the file.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The connection that asks. Clones are the same one.
#[derive(Clone)]
pub(super) struct Versions {
    connection: Arc<Mutex<Connection>>,
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Versions")
    }
}

impl Versions {
    /// Of a file that is there already.
    pub(super) fn of(path: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.pragma_update(None, "query_only", true)?;
        // Whoever asks is to be told at once, or not at all.
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// The version as it stands; none where the file cannot tell at once.
    pub(super) fn now(&self) -> Option<i64> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked = connection.prepare_cached("PRAGMA data_version").ok()?;
        asked.query_row([], |row| row.get(0)).ok()
    }
}
