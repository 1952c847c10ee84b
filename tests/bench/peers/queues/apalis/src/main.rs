//! apalis-sqlite: enqueues a batch of jobs, so many at a time, and runs them, so many at a time. Prints one line of JSON.
//!
//! ```text
//! apalis-peer FILE JOBS AT-ONCE
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use apalis::prelude::*;
use apalis_sqlite::SqliteStorage;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// Jobs of which the handler has run.
static DONE: AtomicUsize = AtomicUsize::new(0);

async fn nothing(_: usize) -> Result<(), BoxDynError> {
    DONE.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, jobs, at_once] = &arguments[..] else { anyhow::bail!("apalis-peer FILE JOBS AT-ONCE") };
    let (jobs, at_once): (usize, usize) = (jobs.parse()?, at_once.parse()?);
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).busy_timeout(Duration::from_secs(30));
    let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)).await?;
    SqliteStorage::setup(&pool).await?;

    let (began, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..at_once)
        .map(|_| {
            let (mut backend, next) = (SqliteStorage::new(&pool), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= jobs {
                        return anyhow::Ok(());
                    }
                    backend.push(number).await.map_err(|error| anyhow::anyhow!("{error}"))?;
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await??;
    }
    let enqueued = began.elapsed();
    let worker = WorkerBuilder::new("nothing").backend(SqliteStorage::new(&pool)).concurrency(at_once).build(nothing);
    let worker = tokio::spawn(async move { worker.run().await.map_err(|error| anyhow::anyhow!("{error}")) });
    while DONE.load(Ordering::SeqCst) < jobs {
        anyhow::ensure!(!worker.is_finished() && began.elapsed() < Duration::from_secs(600), "not all jobs were done");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = began.elapsed();
    worker.abort();
    println!(
        "{}",
        serde_json::json!({
            "jobs": jobs, "per_second": jobs as f64 / took.as_secs_f64(),
            "enqueue_ms": enqueued.as_secs_f64() * 1e3, "work_ms": (took - enqueued).as_secs_f64() * 1e3,
        })
    );
    Ok(())
}
