//! PostgreSQL: many writers over many hubs, and connections that can be lost at any moment.
//!
//! Who reads to write takes the rows' locks (`Query::locked`), so that of two writers to one run one waits for the other. What a lost
//! connection or a deadlock took with it is done again from the beginning. Where the connection is lost during the commit itself,
//! the server is asked afterwards what became of that transaction, so that nothing is done twice.
//!
//! Must not know what is written.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::bell::Bell;
use super::{Connection, Transaction};
use crate::ledger::error::LedgerError;

/// The steps by which tables are brought up to date.
pub(super) static STEPS: Migrator = sqlx::migrate!("./migrations/postgres");

/// How long a database that is away is waited for.
pub(in crate::ledger) const AWAY_SECONDS: u64 = 30;

/// How long opening a ledger waits: a person is told soon that the address is wrong.
const OPEN_WAIT: Duration = Duration::from_secs(5);

/// Connections of one hub. More would wait for the same processors.
const CONNECTIONS_MAX: u32 = 16;

/// How often two writers may come between each other before it is called a fault.
const CONFLICTS_MAX: u32 = 20;

/// What the server does about a hub that sleeps or is cut off in the middle, with locks that others wait for: between two statements
/// of a transaction it has nothing to wait for itself. Soon enough that its runs are taken over in time.
const SESSION: [(&str, &str); 5] = [
    ("idle_in_transaction_session_timeout", "4s"),
    ("lock_timeout", "20s"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
];

/// Names the lock of those who claim, among the advisory locks of the database: `bailiwic` in ASCII.
const CLAIM_LOCK: i64 = 0x6261_696c_6977_6963;

/// Takes the lock of those who claim, and has the planner go through the queue in its order until there are enough. Left to itself it
/// reads and sorts the whole queue for each claim, as it counts on few rows where a table has just grown: with 8,000 runs waiting that
/// was measured to take 90 ms in place of 1.
const CLAIMING: &str =
    "SELECT pg_advisory_xact_lock($1), set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)";

/// An open database.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Postgres {
    pool: PgPool,
    pub(super) bell: Bell,
    /// Who claims in this process takes turns before a connection is taken for it.
    pub(super) claiming: Arc<Mutex<()>>,
}

/// A transaction that is under way, and where to ask what became of it.
pub(super) struct Open {
    pub(super) transaction: sqlx::Transaction<'static, sqlx::Postgres>,
    pool: PgPool,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Open {
    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        self.transaction.rollback().await
    }
}

/// What may come of a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cure {
    /// The database is away; it may come back.
    Wait,
    /// Another writer came between: the same again, now that it is through.
    Again,
    /// None.
    Nothing,
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?.application_name("bailiwick");
        let options = options.options(SESSION);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(Duration::from_secs(AWAY_SECONDS))
            .connect_lazy_with(options);
        let migrate = || async { STEPS.run(&pool).await.map_err(sqlx::Error::from) };
        // Hubs that start together take turns: the migrator holds an advisory lock.
        patiently_for(OPEN_WAIT, migrate).await?;
        Ok(Self { bell: Bell::over(pool.clone()), pool, claiming: Arc::default() })
    }

    pub(super) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins to read; all of it as it was at one moment.
    pub(super) async fn begin_reading(&self) -> Result<Open, sqlx::Error> {
        let begin = || self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        Ok(Open { transaction: patiently(begin).await?, pool: self.pool.clone(), _turn: None })
    }

    /// Takes a name with a connection of its own, which is answered with its number; none if another has it.
    pub(super) async fn hold_name(&self, name: &str) -> Result<Option<(i64, PgConnection)>, sqlx::Error> {
        let mut connection = patiently(|| async { self.pool.acquire().await }).await?.detach();
        let ask = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, $2))").bind(name).bind(CLAIM_LOCK);
        let mine: bool = ask.fetch_one(&mut connection).await?;
        let number: i64 = sqlx::query_scalar("SELECT CAST(pg_backend_pid() AS BIGINT)").fetch_one(&mut connection).await?;
        Ok(mine.then_some((number, connection)))
    }

    /// Begins to write.
    pub(super) async fn begin(&self) -> Result<Open, sqlx::Error> {
        Ok(Open { transaction: self.pool.begin().await?, pool: self.pool.clone(), _turn: None })
    }

    /// The same, to claim: what is under way is counted over all hubs, so claims are made one after the other.
    pub(super) async fn begin_claim(&self) -> Result<Open, sqlx::Error> {
        let turn = Arc::clone(&self.claiming).lock_owned().await;
        let mut open = Open { _turn: Some(turn), ..self.begin().await? };
        sqlx::query(CLAIMING).bind(CLAIM_LOCK).execute(&mut *open.transaction).await?;
        Ok(open)
    }
}

/// Does a piece of writing from the beginning again, until it is done or there is no use in it.
pub(super) async fn again<T, F: Future<Output = Result<T, LedgerError>>>(work: impl Fn() -> F) -> Result<T, LedgerError> {
    let mut patience = Patience::of(Duration::from_secs(AWAY_SECONDS));
    loop {
        match work().await {
            Err(LedgerError::Store(error) | LedgerError::Away(error)) if patience.take(&error).await => {}
            answer => return answer,
        }
    }
}

/// Does something that may be done any number of times until the database answers.
pub(super) async fn patiently<T, F: Future<Output = Result<T, sqlx::Error>>>(ask: impl Fn() -> F) -> Result<T, sqlx::Error> {
    patiently_for(Duration::from_secs(AWAY_SECONDS), ask).await
}

async fn patiently_for<T, F: Future<Output = Result<T, sqlx::Error>>>(time: Duration, ask: impl Fn() -> F) -> Result<T, sqlx::Error> {
    let mut patience = Patience::of(time);
    loop {
        match ask().await {
            Err(error) if patience.take(&error).await => {}
            answer => return answer,
        }
    }
}

/// Commits what was written, the audit trail last.
pub(super) async fn commit(mut transaction: Transaction) -> Result<(), sqlx::Error> {
    transaction.finish().await?;
    let Connection::Postgres(Open { transaction: mut open, pool, _turn }) = transaction.connection else {
        unreachable!("its caller looked")
    };
    // None where nothing was written, and nothing can be lost.
    let id: Option<String> = sqlx::query_scalar("SELECT CAST(pg_current_xact_id_if_assigned() AS TEXT)").fetch_one(&mut *open).await?;
    match (open.commit().await, id) {
        (Err(error), Some(id)) if cure(&error) == Cure::Wait => became_of(&pool, &id, error).await,
        (committed, _) => committed,
    }
}

/// What became of a transaction whose connection was lost while it was committed: done, or the error for which it is done again.
async fn became_of(pool: &PgPool, id: &str, lost: sqlx::Error) -> Result<(), sqlx::Error> {
    let mut patience = Patience::of(Duration::from_secs(AWAY_SECONDS));
    loop {
        let ask = || sqlx::query_scalar("SELECT pg_xact_status(CAST(CAST($1 AS TEXT) AS xid8))").bind(id.to_owned()).fetch_one(pool);
        let status: Option<String> = patiently(ask).await?;
        match status.as_deref() {
            Some("committed") => return Ok(()),
            Some("in progress") if patience.pause().await => {}
            _ => return Err(lost),
        }
    }
}

/// How long something is still tried, with growing pauses in between.
struct Patience {
    until: Instant,
    pause: Duration,
    conflicts: u32,
}

impl Patience {
    fn of(time: Duration) -> Self {
        Self { until: Instant::now() + time, pause: Duration::from_millis(10), conflicts: 0 }
    }

    /// Whether to try again after an error; if so, the pause before it has passed.
    async fn take(&mut self, error: &sqlx::Error) -> bool {
        match cure(error) {
            Cure::Wait => self.pause().await,
            Cure::Again => {
                self.conflicts += 1;
                self.conflicts <= CONFLICTS_MAX
            }
            Cure::Nothing => false,
        }
    }

    async fn pause(&mut self) -> bool {
        if Instant::now() + self.pause > self.until {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(1));
        true
    }
}

fn cure(error: &sqlx::Error) -> Cure {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => Cure::Wait,
        sqlx::Error::Migrate(error) => match &**error {
            sqlx::migrate::MigrateError::Execute(error) => cure(error),
            _ => Cure::Nothing,
        },
        sqlx::Error::Database(failure) => match failure.code().as_deref() {
            // Connections are lost or refused: the server stops, starts, or has too many.
            Some(code) if code.starts_with("08") || ["57P01", "57P02", "57P03", "57P05", "25P03", "53300"].contains(&code) => Cure::Wait,
            // A serialization failure, a deadlock, a lock that was waited for too long, a row that another has just written.
            Some("40001" | "40P01" | "55P03" | "23505") => Cure::Again,
            _ => Cure::Nothing,
        },
        _ => Cure::Nothing,
    }
}
