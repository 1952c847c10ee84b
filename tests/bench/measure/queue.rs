//! The ledger as a queue: runs put into it, claimed and ended, so many in flight, each step durable before the next; and what schedules
//! cost, due and at rest. What runs do in between is not in it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick::clock::Clock;
use bailiwick::ledger::{
    Actor, By, Claim, Database, Declaration, DeclaredJob, HubId, Ledger, NewRun, Reason, Scope, Source, Step, Trigger,
};
use bailiwick::model::ids::Digest;
use bailiwick::model::job::{ChangePolicy, Partner, Proofs, Queue, ReleaseChoice, ReleasePolicy, Retention};
use bailiwick::run::{Hub, HubOptions, Sharing};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify, mpsc};

use super::clock::process_cpu;
use super::stage;

/// How long a claim lasts.
const LEASE_MS: i64 = 60_000;

/// Looking again for what is due, where the hub would.
const TICK: Duration = Duration::from_millis(250);

/// The ledger at a place: a folder, or the address of a server.
fn database(place: &str) -> Database {
    if place.starts_with("postgres://") {
        Database::Postgres(place.to_owned())
    } else {
        Database::Sqlite(Path::new(place).join("ledger.sqlite"))
    }
}

/// Puts runs into the queue, so many at a time, and takes them to their end, so many at a time.
pub(crate) fn lifecycles(place: &str, runs: usize, in_flight: usize) -> Result<Value> {
    runtime()?.block_on(async {
        let ledger = Ledger::open(&database(place)).await?;
        let clock = Clock::machine();
        declare(&ledger, &clock, (1, None)).await?;
        let began = Instant::now();
        enqueue(&ledger, runs, in_flight).await?;
        let enqueued = began.elapsed();
        let (to_do, work) = mpsc::channel::<Claim>(in_flight);
        let work = Arc::new(Mutex::new(work));
        let free = Arc::new(tokio::sync::Semaphore::new(in_flight));
        let workers: Vec<_> =
            (0..in_flight).map(|_| tokio::spawn(end_them(ledger.clone(), Arc::clone(&work), Arc::clone(&free)))).collect();
        let mut claimed = 0;
        while claimed < runs {
            // As a hub does: as many as there are places, once there is one.
            drop(free.acquire().await?);
            let claims = ledger.claim_some(&hub(), clock.now_ms(), LEASE_MS, free.available_permits()).await?;
            for claim in claims {
                claimed += 1;
                free.acquire().await?.forget();
                to_do.send(claim).await?;
            }
        }
        drop(to_do);
        for worker in workers {
            worker.await??;
        }
        let took = began.elapsed();
        let left = ledger.claim(&hub(), clock.now_ms(), LEASE_MS).await?;
        ensure!(left.is_none(), "something is left in the queue");
        ledger.close().await;
        Ok(json!({
            "runs": runs, "per_second": runs as f64 / took.as_secs_f64(),
            "enqueue_ms": enqueued.as_secs_f64() * 1e3, "work_ms": (took - enqueued).as_secs_f64() * 1e3,
        }))
    })
}

async fn enqueue(ledger: &Ledger, runs: usize, in_flight: usize) -> Result<()> {
    let left = Arc::new(std::sync::atomic::AtomicUsize::new(runs));
    let senders: Vec<_> = (0..in_flight)
        .map(|_| {
            let (ledger, left) = (ledger.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                use std::sync::atomic::Ordering::Relaxed;
                let clock = Clock::machine();
                while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                    ledger.enqueue(&new_run(&clock)?, &by(&clock)).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for sender in senders {
        sender.await??;
    }
    Ok(())
}

/// Ends runs as one that found nothing to do.
async fn end_them(ledger: Ledger, work: Arc<Mutex<mpsc::Receiver<Claim>>>, free: Arc<tokio::sync::Semaphore>) -> Result<()> {
    let clock = Clock::machine();
    loop {
        let next = work.lock().await.recv().await;
        let Some(claim) = next else { return Ok(()) };
        let nothing = Reason { code: "no-input".to_owned(), sentence: "There is nothing to do.".to_owned() };
        ledger.append(&claim.lease, clock.now_ms(), Step::Skipped(nothing)).await?;
        free.add_permits(1);
    }
}

/// Schedules that are due in the same second: milliseconds from their moment until the last hundredth of them is claimed.
pub(crate) fn due(folder: &str, schedules: usize) -> Result<Value> {
    runtime()?.block_on(async {
        let (hub, clock) = (open(folder).await?, Clock::machine());
        declare(hub.ledger(), &clock, (schedules, Some("* * * * *"))).await?;
        // The first look works out when each is due.
        settle(&hub).await?;
        let due_ms = hub.ledger().next_due_ms().await?.context("schedules are due at some time")?;
        let mut delays = Vec::with_capacity(schedules);
        while delays.len() < schedules {
            let wait_ms = u64::try_from(due_ms - clock.now_ms()).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(wait_ms).min(TICK)).await;
            hub.tick().await?;
            let claims = hub.ledger().claim_some(hub.id(), clock.now_ms(), LEASE_MS, schedules).await?;
            let now_ms = clock.now_ms();
            delays.extend(claims.iter().map(|_| (now_ms - due_ms) as f64));
            ensure!(now_ms < due_ms + 55_000, "only {} of {schedules} were claimed", delays.len());
        }
        delays.sort_by(f64::total_cmp);
        hub.ledger().close().await;
        Ok(json!({ "p50_ms": delays[delays.len() / 2], "p99_ms": delays[delays.len() * 99 / 100], "max_ms": delays[delays.len() - 1] }))
    })
}

/// Schedules at rest: per cent of one processor that a hub takes which serves them.
pub(crate) fn idle(folder: &str, schedules: usize, seconds: u64) -> Result<Value> {
    runtime()?.block_on(async {
        let (hub, clock) = (open(folder).await?, Clock::machine());
        declare(hub.ledger(), &clock, (schedules, Some("0 3 1 1 *"))).await?;
        settle(&hub).await?;
        let stop = Arc::new(Notify::new());
        let serving = tokio::spawn({
            let (hub, stop) = (hub.clone(), Arc::clone(&stop));
            async move { hub.serve(stop).await }
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (cpu, began) = (process_cpu(), Instant::now());
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let percent = (process_cpu() - cpu).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
        stop.notify_one();
        serving.await?;
        hub.ledger().close().await;
        Ok(json!({ "percent": percent }))
    })
}

async fn open(folder: &str) -> Result<Hub> {
    let options = HubOptions {
        data: folder.into(),
        name: "measured".to_owned(),
        compiler: stage::compiler(),
        clock: Clock::machine(),
        runs_at_once: 2,
        works: true,
    };
    Ok(Hub::open_shared(options, Sharing::default()).await?)
}

/// Looks until every schedule has been looked at.
async fn settle(hub: &Hub) -> Result<()> {
    while hub.ledger().next_due_ms().await? == Some(0) {
        hub.tick().await?;
    }
    Ok(())
}

/// Declares a partner with jobs that all are of one text.
async fn declare(ledger: &Ledger, clock: &Clock, (jobs, cron): (usize, Option<&str>)) -> Result<()> {
    let schedule = cron.map(|cron| format!("[schedule]\ncron = \"{cron}\"\ncatch-up = \"once\"\n")).unwrap_or_default();
    let text = format!(
        "partner = \"partner\"\nname = \"job-0\"\ntitle = \"Nothing\"\nplugin = \"nothing\"\nzone = \"Europe/London\"\n{schedule}\
         [[input]]\nport = \"lines\"\nconnection = \"in\"\nfile = \"*.csv\"\ntake = \"next\"\n\
         format = {{ kind = \"csv\", encoding = \"utf-8\", dates = \"iso\" }}\n"
    );
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let job = |number: usize| {
        Ok(DeclaredJob {
            name: format!("job-{number}").parse()?,
            title: "Nothing".to_owned(),
            plugin: "nothing".parse()?,
            release: ReleaseChoice::default(),
            schedule: cron.map(|cron| format!("{cron} (Europe/London)")),
            queue: Queue { runs_at_once: 1_000, ..Queue::default() },
            notices: Vec::new(),
            rejects_overdue_days: 30,
            connections: BTreeSet::new(),
            definition: Digest::of(text.as_bytes()),
        })
    };
    let declared = Declaration {
        partner: Partner {
            name: "partner".parse()?,
            title: "Partner".to_owned(),
            runs_at_once: None,
            releases: ReleasePolicy::default(),
            proofs: Proofs::default(),
            changes: ChangePolicy::default(),
            retention: Retention::default(),
        },
        sources: vec![
            source("partners.toml", "[[partner]]\nname = \"partner\"\ntitle = \"Partner\"\n"),
            source("connections.toml", "[[connection]]\npartner = \"partner\"\nname = \"in\"\nkind = \"folder\"\npath = \"/in\"\n"),
            source("jobs/job-0.toml", &text),
        ],
        connections: Vec::new(),
        webhooks: Vec::new(),
        jobs: (0..jobs).map(job).collect::<Result<_>>()?,
    };
    ledger.apply(&declared, &by(clock)).await?;
    ensure!(ledger.jobs(Scope::Hub).await?.len() == jobs, "not all jobs are there");
    Ok(())
}

fn new_run(clock: &Clock) -> Result<NewRun> {
    Ok(NewRun {
        partner: "partner".parse()?,
        job: "job-0".parse()?,
        trigger: Trigger::Request,
        slot: None,
        logical_ms: clock.now_ms(),
        calendar: "none".to_owned(),
        dry_run: false,
        release: None,
    })
}

/// The hub itself, so that the audit trail has no part in it.
fn by(clock: &Clock) -> By {
    By { actor: Actor::hub(&hub()), hub: hub(), from: None, now_ms: clock.now_ms(), as_of: None }
}

fn hub() -> HubId {
    HubId::new("measured".to_owned())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
