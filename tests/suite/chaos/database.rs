//! PostgreSQL restarted, its connections killed, all of them taken: hubs wait, and go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::run::Hub;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::books::Books;
use super::trial::Trial;
use super::world::{Ends, World, all_runs, ask, to_rest, until_done};
use crate::support::*;

/// Rows of a file.
const ROWS: u64 = 500;

/// How long a run stays with a hub that gives no word.
const LEASE: Duration = Duration::from_secs(2);

/// Connections of a server that has few.
const FEW: u32 = 24;

/// Connections of every hub killed.
const KILL: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bailiwick' AND pid <> pg_backend_pid()";

/// Two hubs at work on a server of their own.
struct AtWork {
    server: Postgres,
    world: World,
    hubs: [Hub; 2],
    duties: Vec<(Arc<Notify>, JoinHandle<()>)>,
}

impl AtWork {
    async fn begin(server: Postgres) -> Self {
        let mut world = World::new(&Ends::folders());
        world.database = Some(server.database().await);
        let clock = Clock::machine();
        let hubs = [world.reopen("first", &clock, LEASE).await, world.reopen("second", &clock, LEASE).await];
        world.site.apply(&hubs[0]).await;
        let work = |hub: &Hub| {
            let (hub, stop) = (hub.clone(), Arc::new(Notify::new()));
            let told = Arc::clone(&stop);
            (stop, tokio::spawn(async move { hub.serve(told).await }))
        };
        let duties = hubs.iter().map(work).collect();
        Self { server, world, hubs, duties }
    }

    /// Some files come while something happens to the database; then all must come to its end.
    async fn round<F: Future<Output = ()>>(&self, trial: &mut Trial, (name, faults): (&str, u64), fault: impl Fn() -> F) {
        for number in 0..4 {
            self.world.place(&format!("{name}-{number}"), ROWS, trial.once_in(8));
            ask(&self.hubs[usize::try_from(trial.below(2)).expect("it is 0 or 1")]).await;
        }
        let mut last = Instant::now();
        for _ in 0..faults {
            tokio::time::sleep(trial.within(Duration::from_millis(400))).await;
            fault().await;
            trial.tried();
            last = Instant::now();
        }
        until_done(&self.hubs[0]).await;
        trial.recovered(last.elapsed());
    }

    async fn end(self, trial: Trial) {
        for (stop, duties) in self.duties {
            stop.notify_one();
            duties.await.unwrap();
        }
        to_rest(&self.hubs[0]).await;
        assert!(all_runs(&self.hubs[0]).await.len() > 4);
        trial.end(&Books::ask(&self.world, &self.hubs[0]).await);
        for hub in &self.hubs {
            hub.ledger().close().await;
        }
        drop(self.server);
    }
}

#[test]
fn restarted() {
    let mut trial = Trial::of("PostgreSQL killed and started again");
    wait(async {
        let at_work = AtWork::begin(Postgres::own()).await;
        let crash = || async {
            // Once it is back from the last time.
            at_work.server.execute("SELECT 1").await;
            at_work.server.crash();
        };
        for round in 0..trial.times(1) {
            at_work.round(&mut trial, (&format!("restart-{round}"), 2), crash).await;
        }
        at_work.end(trial).await;
    });
}

#[test]
fn connections_killed() {
    let mut trial = Trial::of("PostgreSQL's backends killed (pg_terminate_backend)");
    wait(async {
        let at_work = AtWork::begin(Postgres::own()).await;
        for round in 0..trial.times(2) {
            at_work.round(&mut trial, (&format!("kill-{round}"), 4), || at_work.server.execute(KILL)).await;
        }
        at_work.end(trial).await;
    });
}

#[test]
fn connections_all_taken() {
    let mut trial = Trial::of("all connections of PostgreSQL taken for two seconds");
    wait(async {
        let at_work = AtWork::begin(Postgres::own_with(FEW)).await;
        let take_all = || async {
            at_work.server.execute(KILL).await;
            let (mut taken, began) = (Vec::new(), Instant::now());
            // The hubs try too, and what one of them gets it keeps until it is taken from it.
            while began.elapsed() < Duration::from_secs(2) {
                match PgConnection::connect(at_work.world.database.as_ref().expect("it has one")).await {
                    Ok(connection) => taken.push(connection),
                    Err(error) => {
                        assert!(error.to_string().contains("too many clients") || error.to_string().contains("reserved"), "{error}");
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
            assert!(taken.len() > 4, "only {} connections were left to take", taken.len());
        };
        for round in 0..trial.times(1) {
            at_work.round(&mut trial, (&format!("taken-{round}"), 1), take_all).await;
        }
        at_work.end(trial).await;
    });
}
