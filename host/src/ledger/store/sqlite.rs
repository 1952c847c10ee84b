//! SQLite: one writer, whose commits are shared by all who wait for it, and some readers.
//!
//! A commit with `synchronous = FULL` survives a power cut, which payments need, and costs one sync of the disk: some hundreds a
//! second on a poor disk, whatever is in them. So a commit is not made by whoever writes. Each writer in turn adds its work to the
//! open transaction, in a savepoint of its own, and waits; once the first has asked for the commit, it comes behind those who
//! stood in line by then, and answers all of them.
//!
//! Must not know what is written.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, watch};

use super::bell::Bell;
use super::version::Versions;
use super::{Connection, Transaction};
use crate::ledger::audit::Noted;
use crate::model::ids::PartnerName;

/// The steps by which tables are brought up to date.
pub(super) static STEPS: Migrator = sqlx::migrate!("./migrations/sqlite");

/// How long a write waits for another process that is writing, before it gives up.
pub(in crate::ledger) const BUSY_SECONDS: u64 = 10;

/// Statements that the writer keeps read: an insert of many rows is one for each power of two of them.
const STATEMENTS_KEPT: usize = 256;

/// Readers beside the one writer. A page of a console asks for a handful of things; more readers would only wait for the disk.
const READERS_MAX: u32 = 8;

/// An open file.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Sqlite {
    writer: Arc<Mutex<Writer>>,
    /// Asks for the commit of what has been written.
    commits: mpsc::Sender<()>,
    pub(super) readers: SqlitePool,
    pub(super) versions: Versions,
    pub(super) bell: Bell,
}

/// The one who has the right to write.
pub(super) type WriterGuard = OwnedMutexGuard<Writer>;

/// The connection that writes, and what it has written that is not yet committed.
#[derive(Debug)]
pub(super) struct Writer {
    /// None once it is closed.
    connection: Option<SqliteConnection>,
    batch: Option<Batch>,
    /// Whether a transaction was begun of which nobody knows whether it is open: whoever began it went away meanwhile.
    beginning: bool,
    work: Work,
}

/// Whose savepoint is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Nobody's.
    None,
    /// Somebody has asked for one, and may have gone away before it was there.
    Asked,
    /// Somebody is at work, or has gone away without a word.
    Begun,
}

/// Work that is committed together.
#[derive(Debug)]
struct Batch {
    acts: Vec<Noted>,
    done: watch::Sender<Option<Result<(), Arc<sqlx::Error>>>>,
}

impl Sqlite {
    pub(super) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(BUSY_SECONDS));
        // Of a new file alone, so that it shrinks again when retention has removed what filled it: of an old one it would change nothing,
        // and wait for whoever writes.
        let new = std::fs::metadata(path).map_or(true, |file| file.len() == 0);
        let making = if new { options.clone().auto_vacuum(SqliteAutoVacuum::Incremental) } else { options.clone() };
        let mut connection = making.statement_cache_capacity(STATEMENTS_KEPT).connect().await?;
        STEPS.run(&mut connection).await.map_err(sqlx::Error::from)?;
        // What would take back a statement or a piece of work is kept in memory: the pages that they change, as they were. In a file it
        // takes a tenth of the time of all writing. Not before the steps, which sort whole tables.
        sqlx::query("PRAGMA temp_store = MEMORY").execute(&mut connection).await?;
        // A query that writes through a reader is a defect, and fails.
        let readers =
            SqlitePoolOptions::new().max_connections(READERS_MAX).test_before_acquire(false).idle_timeout(None).max_lifetime(None);
        let readers = readers.connect_with(options.pragma("query_only", "ON")).await?;
        let versions = Versions::of(path).map_err(|error| sqlx::Error::Configuration(error.into()))?;
        let writer = Arc::new(Mutex::new(Writer { connection: Some(connection), batch: None, beginning: false, work: Work::None }));
        // One word is enough: whoever comes before it is heard is in the same commit.
        let (commits, asked) = mpsc::channel(1);
        // Ends when the last clone of the store is gone, and nobody can ask it for anything.
        tokio::spawn(commit_when_asked(Arc::clone(&writer), asked));
        Ok(Self { writer, commits, readers, versions, bell: Bell::near() })
    }

    /// Waits for the right to write, and begins.
    pub(super) async fn begin(&self) -> Result<WriterGuard, sqlx::Error> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        // Asked for before anything is done, so that what is done is committed, or taken back, though its future may be dropped.
        // The channel is full if a commit has been asked for and not yet begun, which then is the one.
        let _already_asked = self.commits.try_send(());
        writer.enter().await?;
        Ok(writer)
    }

    /// Cuts off the end of the file what is free in it, once what has been written is committed.
    pub(super) async fn give_back_space(&self) -> Result<(), sqlx::Error> {
        let mut writer = commit(Arc::clone(&self.writer).lock_owned().await).await;
        writer.execute("PRAGMA incremental_vacuum").await
    }

    /// Copies all that is committed into a new file, as it was at one moment, while others go on writing. Answers when it is durable.
    pub(super) async fn copy_to(&self, path: &Path) -> Result<(), sqlx::Error> {
        // Readers may not write, and this writes, though elsewhere.
        let options = (*self.readers.connect_options()).clone().pragma("query_only", "OFF");
        let mut connection = options.connect().await?;
        let to = path.to_str().ok_or_else(|| sqlx::Error::Configuration("the name of the copy is not UTF-8".into()))?;
        sqlx::query("VACUUM INTO $1").bind(to).execute(&mut connection).await?;
        connection.close().await?;
        Ok(std::fs::File::open(path)?.sync_all()?)
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        writer = commit(writer).await;
        if let Some(connection) = writer.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the ledger was not closed in order; nothing that was answered is lost");
        }
    }
}

/// Ends a piece of work, with what goes into the audit trail, and waits for its commit.
pub(super) async fn leave(mut writer: WriterGuard, acts: Vec<Noted>) -> Result<(), sqlx::Error> {
    writer.execute("RELEASE work").await?;
    writer.work = Work::None;
    let batch = writer.batch.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
    batch.acts.extend(acts);
    let mut done = batch.done.subscribe();
    drop(writer);
    let told = done.wait_for(Option::is_some).await.map_err(|_| sqlx::Error::WorkerCrashed)?.clone();
    match told {
        Some(Err(error)) => Err(sqlx::Error::Protocol(format!("the commit that was shared with others failed: {error}"))),
        _ => Ok(()),
    }
}

/// Ends a piece of work as if it had not been begun.
pub(super) async fn take_back(mut writer: WriterGuard) {
    writer.settle().await;
}

async fn commit_when_asked(writer: Arc<Mutex<Writer>>, mut asked: mpsc::Receiver<()>) {
    while asked.recv().await.is_some() {
        drop(commit(Arc::clone(&writer).lock_owned().await).await);
    }
}

/// Commits what has been written, if anything has, and tells those who wait.
async fn commit(mut writer: WriterGuard) -> WriterGuard {
    writer.settle().await;
    writer.unbegin().await;
    let Some(batch) = &mut writer.batch else { return writer };
    let acts = std::mem::take(&mut batch.acts);
    let mut transaction = Transaction { acts, ..Transaction::over(Connection::SqliteWriter(writer)) };
    let finished = transaction.finish().await;
    let Connection::SqliteWriter(mut writer) = transaction.connection else { unreachable!("it was begun as this") };
    let committed = match finished {
        Ok(()) => writer.execute("COMMIT").await,
        Err(error) => Err(error),
    };
    match committed {
        Err(error) => writer.lose(Arc::new(error)).await,
        Ok(()) => {
            if let Some(batch) = writer.batch.take() {
                // Nobody listens where all have gone away.
                batch.done.send_replace(Some(Ok(())));
            }
        }
    }
    writer
}

impl Writer {
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Whether something of a partner waits for the same commit, and so stands in no table of the trail yet.
    pub(super) fn has_acts_of(&self, partner: &PartnerName, counts: impl Fn(&str) -> bool) -> bool {
        let mut acts = self.batch.iter().flat_map(|batch| &batch.acts);
        acts.any(|act| act.partner() == Some(partner.as_str()) && counts(act.action()))
    }

    async fn execute(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(self.connection()?).await.map(drop)
    }

    /// Takes back what somebody left who failed, or went away in the middle.
    async fn settle(&mut self) {
        let work = self.work;
        if work == Work::None {
            return;
        }
        let undone = match self.execute("ROLLBACK TO work").await {
            Ok(()) => self.execute("RELEASE work").await,
            // It never was there, and there is nothing to take back.
            Err(_) if work == Work::Asked => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = undone {
            self.lose(Arc::new(error)).await;
        }
        // Only now: whoever settles may go away too.
        self.work = Work::None;
    }

    /// Gives up what has not been committed, and tells those who wait for it.
    async fn lose(&mut self, error: Arc<sqlx::Error>) {
        // SQLite may have rolled back of itself.
        drop(self.execute("ROLLBACK").await);
        if let Some(batch) = self.batch.take() {
            batch.done.send_replace(Some(Err(error)));
        }
    }

    /// Lets go of the right to write of somebody who went away while they waited for it.
    async fn unbegin(&mut self) {
        if self.beginning {
            // Fails where they had not got it.
            drop(self.execute("ROLLBACK").await);
            // Only now: whoever lets go may go away too.
            self.beginning = false;
        }
    }

    /// Begins a piece of work.
    async fn enter(&mut self) -> Result<(), sqlx::Error> {
        self.settle().await;
        if self.batch.is_none() {
            self.unbegin().await;
            self.beginning = true;
            // A transaction that begins by reading and then writes could find that another process wrote in between; this one cannot.
            self.work = Work::Asked;
            self.execute("BEGIN IMMEDIATE; SAVEPOINT work").await?;
            self.batch = Some(Batch { acts: Vec::new(), done: watch::Sender::new(None) });
            self.beginning = false;
        } else {
            self.work = Work::Asked;
            self.execute("SAVEPOINT work").await?;
        }
        self.work = Work::Begun;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where by itself")]
mod tests {
    use super::*;

    async fn other(path: &Path) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_millis(500));
        options.connect().await.unwrap()
    }

    #[tokio::test]
    async fn who_goes_away_while_they_wait_for_the_right_to_write_keeps_nobody_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let sqlite = Sqlite::open(&path).await.unwrap();
        let mut other = other(&path).await;
        // The more often it is looked after, the further it has come.
        for looks in 0..40 {
            let mut beginning = Box::pin(sqlite.begin());
            for _ in 0..looks {
                if futures_util::poll!(beginning.as_mut()).is_ready() {
                    break;
                }
                tokio::time::sleep(Duration::from_micros(20)).await;
            }
            drop(beginning);
            sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap_or_else(|error| panic!("after {looks} looks: {error}"));
            sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
        }
    }

    #[tokio::test]
    async fn who_reads_does_not_wait_for_who_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        Sqlite::open(&path).await.unwrap().close().await;
        let mut other = other(&path).await;
        let kind: i64 = sqlx::query_scalar("PRAGMA auto_vacuum").fetch_one(&mut other).await.unwrap();
        assert_eq!(kind, 2, "a new file is made to shrink again");
        sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        let begun = std::time::Instant::now();
        let sqlite = Sqlite::open(&path).await.unwrap();
        let partners: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM partners").fetch_one(&sqlite.readers).await.unwrap();
        assert_eq!(partners, 0);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}
