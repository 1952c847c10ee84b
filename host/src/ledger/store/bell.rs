//! A bell that is rung when there is work to claim, so that hubs need not look again and again: it is heard in this process, and
//! over PostgreSQL in the others. A ring may be missed while a connection is lost, so a hub looks now and then all the same.
//!
//! Must not know what the work is.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::{Notify, mpsc};

/// The channel of the database on which it is heard.
const CHANNEL: &str = "bailiwick_work";

/// How long a listener that lost its connection waits before it makes another.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Shortest time between two rings to other hubs: what comes in between is told by the second.
const RING_PAUSE: Duration = Duration::from_millis(5);

/// The bell of a store.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Bell {
    heard: Arc<Notify>,
    /// Rings it in other processes.
    afar: Option<mpsc::Sender<()>>,
}

impl Bell {
    /// One that is heard in this process.
    pub(super) fn near() -> Self {
        Self { heard: Arc::default(), afar: None }
    }

    /// One that is heard by every hub on a database.
    pub(super) fn over(pool: PgPool) -> Self {
        // One word is enough: whatever is committed before it is told is found by those who hear it.
        let (afar, mut asked) = mpsc::channel(1);
        // Ends when the last clone of the bell is gone. The word is not part of the transactions that it tells of, as PostgreSQL
        // lets no two transactions that notify commit at the same time.
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                if let Err(error) = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&pool).await {
                    tracing::debug!(%error, "other hubs were not woken; they look of themselves");
                }
                tokio::time::sleep(RING_PAUSE).await;
            }
        });
        Self { heard: Arc::default(), afar: Some(afar) }
    }

    /// Rings it here and elsewhere.
    pub(in crate::ledger) fn ring(&self) {
        self.ring_here();
        if let Some(afar) = &self.afar {
            let _already_asked = afar.try_send(());
        }
    }

    /// Rings it in this process.
    pub(in crate::ledger) fn ring_here(&self) {
        self.heard.notify_one();
    }

    /// Waits until it has been rung.
    pub(in crate::ledger) async fn heard(&self) {
        self.heard.notified().await;
    }

    /// Listens for the rings of other hubs, for ever.
    pub(super) async fn listen(&self, pool: &PgPool) {
        loop {
            if let Err(error) = self.listen_once(pool).await {
                tracing::debug!(%error, "the bell of the database is not heard; trying again");
            }
            tokio::time::sleep(LISTEN_AGAIN).await;
        }
    }

    async fn listen_once(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        // What was rung before it listened.
        self.ring_here();
        while listener.try_recv().await?.is_some() {
            self.ring_here();
        }
        Ok(())
    }
}
