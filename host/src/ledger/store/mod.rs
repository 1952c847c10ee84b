//! The database itself: which one, how it is opened, who may write, how values are put into it and taken out.
//!
//! ```text
//! pending    rows that wait to be inserted together
//! query      one set of SQL texts, and values that both databases take
//! sqlite     one writer; whoever waits for it shares one commit, and so one sync of the disk
//! postgres   many writers; a connection that is lost is waited for, and what it took with it is done again
//! bell       wakes those who wait for work
//! version    whether anything was committed since
//! stored     counts, names and digests as they are stored
//! ```
//!
//! Must not know what the tables mean; only that the audit trail is written last, as its end is what all writers wait for.

mod bell;
mod pending;
mod postgres;
mod query;
mod sqlite;
mod stored;
mod version;

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::audit::{self, Noted};
use super::error::LedgerError;
use super::who::AsOf;
use crate::model::ids::PartnerName;
use pending::Pending;

pub(super) use pending::Insert;
pub(super) use postgres::AWAY_SECONDS;
pub(super) use query::{Query, Value, query, query_scalar};
pub(super) use sqlite::BUSY_SECONDS;
pub(super) use stored::{count, parsed, parsed_option, to_stored};

/// How long a transaction that many share waits to begin.
const SOON: Duration = Duration::from_secs(2);

/// Where a ledger is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file, for one hub, or for several on one machine.
    Sqlite(PathBuf),
    /// A server, for several hubs: `postgres://name:password@host:5432/database`.
    Postgres(String),
}

/// Without the password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
                write!(f, "{scheme}://{}", place.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An open database. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// A name that no other process has while this is kept. It falls with its connection.
#[derive(Debug)]
pub struct HeldName {
    held: Option<(i64, sqlx::PgConnection)>,
}

impl HeldName {
    /// The server's number for the connection that holds it; none where a file does.
    pub(super) fn holder(&self) -> Option<i64> {
        self.held.as_ref().map(|(number, _)| *number)
    }
}

/// What is written or read together: all of it or nothing.
pub(super) struct Transaction {
    connection: Connection,
    /// What goes into the audit trail when the rest is written.
    acts: Vec<Noted>,
    /// Rows that wait for the next statement.
    pending: Pending,
    /// What was read of things that it does not change, by the question.
    known: HashMap<(Cow<'static, str>, Vec<Value>), Box<dyn Any + Send + Sync>>,
    /// Whose trail must not have gone on since which entry, if any of this is to last.
    unless_since: Option<(PartnerName, AsOf)>,
}

enum Connection {
    SqliteWriter(sqlite::WriterGuard),
    SqliteReader(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(postgres::Open),
}

impl Store {
    /// Opens the database, making a file and its folder if need be, and brings its tables up to date.
    pub(super) async fn open(database: &Database) -> Result<Self, LedgerError> {
        let cannot = |error: sqlx::Error| LedgerError::CannotOpen { database: database.clone(), why: why_not(&error) };
        match database {
            Database::Sqlite(path) => sqlite::Sqlite::open(path).await.map(Self::Sqlite).map_err(cannot),
            Database::Postgres(url) => postgres::Postgres::open(url).await.map(Self::Postgres).map_err(cannot),
        }
    }

    /// Does something until it is done: from the beginning again where a connection was lost or another writer came between.
    pub(super) async fn again<T, F: Future<Output = Result<T, LedgerError>>>(&self, work: impl Fn() -> F) -> Result<T, LedgerError> {
        match self {
            Self::Sqlite(_) => work().await,
            Self::Postgres(_) => postgres::again(work).await,
        }
    }

    /// Begins to write. Dropped without a commit, nothing has happened.
    pub(super) async fn begin(&self) -> Result<Transaction, LedgerError> {
        let connection = match self {
            Self::Sqlite(sqlite) => Connection::SqliteWriter(sqlite.begin().await?),
            Self::Postgres(postgres) => Connection::Postgres(postgres.begin().await?),
        };
        Ok(Transaction::over(connection))
    }

    /// Begins to write, if the database answers soon: where many would wait for it in one, each rather waits for itself.
    pub(super) async fn begin_soon(&self) -> Result<Transaction, LedgerError> {
        let late = |_| LedgerError::from(sqlx::Error::PoolTimedOut);
        tokio::time::timeout(SOON, self.begin()).await.map_err(late)?
    }

    /// Begins to write when nobody else, here or on another hub, is claiming, and keeps others from it until the commit.
    /// SQLite has one writer in any case.
    pub(super) async fn begin_claim(&self) -> Result<Transaction, LedgerError> {
        let connection = match self {
            Self::Sqlite(sqlite) => Connection::SqliteWriter(sqlite.begin().await?),
            Self::Postgres(postgres) => Connection::Postgres(postgres.begin_claim().await?),
        };
        Ok(Transaction::over(connection))
    }

    /// A number that is another one as soon as anybody has committed anything; none where that is not told without asking the database itself.
    pub(super) fn version(&self) -> Option<i64> {
        match self {
            Self::Sqlite(sqlite) => sqlite.versions.now(),
            Self::Postgres(_) => None,
        }
    }

    /// Answers when what others were writing is durable, or taken back. On SQLite many share a commit, so that one may be told of what another
    /// has not committed yet; on PostgreSQL nobody sees it before.
    pub(super) async fn settled(&self) -> Result<(), LedgerError> {
        match self {
            Self::Sqlite(_) => self.begin().await?.commit().await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Begins to read what must fit together: nothing that is written meanwhile is seen.
    pub(super) async fn read(&self) -> Result<Transaction, LedgerError> {
        let connection = match self {
            Self::Sqlite(sqlite) => Connection::SqliteReader(sqlite.readers.begin().await?),
            Self::Postgres(postgres) => Connection::Postgres(postgres.begin_reading().await?),
        };
        Ok(Transaction::over(connection))
    }

    /// The last step of the tables that this program knows.
    pub(super) fn step_known(&self) -> i64 {
        let steps = match self {
            Self::Sqlite(_) => &sqlite::STEPS,
            Self::Postgres(_) => &postgres::STEPS,
        };
        steps.iter().map(|step| step.version).max().unwrap_or_default()
    }

    /// Connections: at work, and idle. SQLite's one writer is not counted.
    pub(super) fn connections_open(&self) -> (i64, i64) {
        let (all, idle) = match self {
            Self::Sqlite(sqlite) => (sqlite.readers.size(), sqlite.readers.num_idle()),
            Self::Postgres(postgres) => (postgres.pool().size(), postgres.pool().num_idle()),
        };
        let idle = i64::try_from(idle).unwrap_or(i64::MAX);
        (i64::from(all).saturating_sub(idle).max(0), idle)
    }

    /// Rung when there is work.
    pub(super) const fn bell(&self) -> &bell::Bell {
        match self {
            Self::Sqlite(sqlite) => &sqlite.bell,
            Self::Postgres(postgres) => &postgres.bell,
        }
    }

    /// Hears the bell when it is rung elsewhere, for as long as this is waited for.
    pub(super) async fn listen(&self) {
        match self {
            Self::Sqlite(_) => std::future::pending().await,
            Self::Postgres(postgres) => postgres.bell.listen(postgres.pool()).await,
        }
    }

    /// Takes a name for as long as the answer is kept; none if somebody else has it. On SQLite a name is held by a file.
    pub(super) async fn hold_name(&self, name: &str) -> Result<Option<HeldName>, LedgerError> {
        Ok(match self {
            Self::Sqlite(_) => Some(HeldName { held: None }),
            Self::Postgres(postgres) => postgres.hold_name(name).await?.map(|held| HeldName { held: Some(held) }),
        })
    }

    /// Gives the space of what was removed back to the disk. PostgreSQL does so by itself.
    pub(super) async fn give_back_space(&self) -> Result<(), LedgerError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.give_back_space().await?),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Copies all that is committed into a new file, as it was at one moment. Answers false where there is no file to copy: a server
    /// has tools of its own.
    pub(super) async fn copy_to(&self, path: &Path) -> Result<bool, LedgerError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.copy_to(path).await.map(|()| true)?),
            Self::Postgres(_) => Ok(false),
        }
    }

    /// Closes it once all that was begun has ended.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Postgres(postgres) => postgres.close().await,
        }
    }
}

impl Transaction {
    fn over(connection: Connection) -> Self {
        Self { connection, acts: Vec::new(), pending: Pending::default(), known: HashMap::new(), unless_since: None }
    }

    /// Puts an act into the audit trail, if all the rest is done.
    pub(super) fn note(&mut self, act: Noted) {
        self.acts.push(act);
    }

    /// Lets nothing of it last if a partner's trail has gone on since it reached an entry.
    pub(super) fn unless_since(&mut self, partner: &PartnerName, as_of: AsOf) {
        self.unless_since = Some((partner.clone(), as_of));
    }

    /// Makes all of it last. Answers when it is durable.
    pub(super) async fn commit(mut self) -> Result<(), LedgerError> {
        self.catch_up().await?;
        if let Some((partner, AsOf { anything, judging })) = self.unless_since.take() {
            if self.went_on(&partner, (anything, false)).await? {
                self.rollback().await?;
                return Err(LedgerError::ChangedMeanwhile { partner });
            }
            if self.went_on(&partner, (judging, true)).await? {
                self.rollback().await?;
                return Err(LedgerError::JudgedMeanwhile { partner });
            }
        }
        match self.connection {
            Connection::SqliteWriter(writer) => Ok(sqlite::leave(writer, self.acts).await?),
            Connection::SqliteReader(reader) => Ok(reader.commit().await?),
            Connection::Postgres(_) => Ok(postgres::commit(self).await?),
        }
    }

    /// Lets nothing of it have happened.
    pub(super) async fn rollback(self) -> Result<(), LedgerError> {
        match self.connection {
            Connection::SqliteWriter(writer) => sqlite::take_back(writer).await,
            Connection::SqliteReader(reader) => reader.rollback().await?,
            Connection::Postgres(open) => open.rollback().await?,
        }
        Ok(())
    }

    /// Whether something was done at a partner since an entry; or, of all that is done, something by which releases are judged.
    async fn went_on(&mut self, partner: &PartnerName, (since, judging): (Option<u64>, bool)) -> Result<bool, sqlx::Error> {
        let Some(since) = since else { return Ok(false) };
        // That somebody was refused something changed nothing.
        let counts = |action: &str| action != audit::REFUSED && (!judging || audit::judges(action));
        let shared = matches!(&self.connection, Connection::SqliteWriter(writer) if writer.has_acts_of(partner, counts));
        Ok(shared || audit::went_on(self, partner, since, counts).await?)
    }

    /// Writes the audit trail, last of all: whoever has its end keeps the others waiting until the commit.
    async fn finish(&mut self) -> Result<(), sqlx::Error> {
        let acts = std::mem::take(&mut self.acts);
        if acts.is_empty() { Ok(()) } else { audit::write(self, acts).await }
    }
}

/// Why a database cannot be opened, for a person.
fn why_not(error: &sqlx::Error) -> String {
    if let sqlx::Error::Migrate(migrate) = error
        && let sqlx::migrate::MigrateError::VersionMissing(step) = &**migrate
    {
        return format!(
            "a newer hub has brought its tables to step {step}, which this hub ({}) does not know. \
             Start the newer hub, or restore the backup from before the upgrade",
            env!("CARGO_PKG_VERSION")
        );
    }
    error.to_string()
}
