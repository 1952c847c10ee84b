//! awa: enqueues a batch of jobs, so many at a time, and runs them, so many at a time. Prints one line of JSON.
//!
//! ```text
//! awa-peer ADDRESS JOBS AT-ONCE
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use awa::{Client, InsertOpts, JobArgs, JobEvent, JobResult, QueueConfig, insert_with, migrations};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Notify;

#[derive(Debug, Serialize, Deserialize, JobArgs)]
struct Nothing {
    number: usize,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, jobs, at_once] = &arguments[..] else { anyhow::bail!("awa-peer ADDRESS JOBS AT-ONCE") };
    let (jobs, at_once): (usize, usize) = (jobs.parse()?, at_once.parse()?);
    let pool = PgPoolOptions::new().max_connections(16).connect(address).await?;
    migrations::run(&pool).await?;

    let (began, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..at_once)
        .map(|_| {
            let (pool, next) = (pool.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= jobs {
                        return anyhow::Ok(());
                    }
                    insert_with(&pool, &Nothing { number }, InsertOpts { queue: "nothing".into(), ..InsertOpts::default() }).await?;
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await??;
    }
    let enqueued = began.elapsed();

    let (done, finished) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counter, tell) = (Arc::clone(&done), Arc::clone(&finished));
    let queue = QueueConfig { max_workers: u32::try_from(at_once)?, ..QueueConfig::default() };
    let client = Client::builder(pool.clone())
        .queue("nothing", queue)
        .register::<Nothing, _, _>(|_, _| async { Ok(JobResult::Completed) })
        // Told once it is written down as done.
        .on_event::<Nothing, _, _>(move |event| {
            let (counter, tell) = (Arc::clone(&counter), Arc::clone(&tell));
            async move {
                if matches!(event, JobEvent::Completed { .. }) && counter.fetch_add(1, Ordering::SeqCst) + 1 == jobs {
                    tell.notify_one();
                }
            }
        })
        .build()?;
    client.start().await?;
    tokio::time::timeout(Duration::from_secs(300), finished.notified()).await.context("not all jobs were done")?;
    let took = began.elapsed();
    let per_second = jobs as f64 / took.as_secs_f64();
    println!(
        "{}",
        serde_json::json!({
            "jobs": jobs, "per_second": per_second,
            "enqueue_ms": enqueued.as_secs_f64() * 1e3, "work_ms": (took - enqueued).as_secs_f64() * 1e3,
        })
    );
    Ok(())
}
