//! Partitions shared by several hubs, of which one is killed, or only sleeps.

use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::ledger::{Actor, By, Database, HubId, NewRun, Trigger};
use bailiwick::run::Sharing;
use std::sync::Arc;
use tokio::sync::Notify;

use super::*;

/// Where the hubs of a test keep their ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// Enough that a kill meets a hub in the middle of a partition.
const MANY: usize = 120_000;

/// Eight batches each: more partitions than the hubs have places, so that each comes back for another.
const CUT: &str = "rows = 8192";
const PARTITIONS: usize = 15;

/// A site whose pools several hubs share, and what one hub makes of them.
struct Shared {
    site: Site,
    database: Database,
    environment: Vec<(&'static str, String)>,
    wanted: Came,
}

impl Shared {
    async fn new(on: Kind, lease_ms: Option<&str>) -> Self {
        let pools = pools(MANY);
        let wanted = alone(&site(pools.as_bytes(), "at-most = 1")).await.2;
        let site = site(pools.as_bytes(), CUT);
        let mut environment: Vec<_> = lease_ms.map(|ms| ("BAILIWICK_LEASE_MS", ms.to_owned())).into_iter().collect();
        let database = match on {
            Kind::Sqlite => Database::Sqlite(site.data().join("ledger.sqlite")),
            Kind::Postgres => {
                let url = Postgres::shared().database().await;
                environment.push(("BAILIWICK_DATABASE", url.clone()));
                Database::Postgres(url)
            }
        };
        Self { site, database, environment, wanted }
    }

    fn hub(&self, name: &str) -> Serving {
        let mut environment: Vec<(&str, &str)> = self.environment.iter().map(|(key, value)| (*key, value.as_str())).collect();
        environment.push(("BAILIWICK_HUB", name));
        Serving::start_with(&self.site, &environment)
    }

    /// Puts a run in the queue, due at the moment for which one hub did it.
    async fn request(&self, ledger: &Ledger) -> RunId {
        let logical_ms = clock_at(NOVEMBER).now_ms();
        let by =
            By { actor: Actor::person("operator"), hub: HubId::new("test"), from: None, now_ms: Clock::machine().now_ms(), as_of: None };
        let new = NewRun {
            partner: partner(FIRE),
            job: job(APPORTIONMENT),
            trigger: Trigger::Request,
            slot: None,
            logical_ms,
            calendar: String::new(),
            dry_run: false,
            release: None,
        };
        ledger.enqueue(&new, &by).await.unwrap().run
    }

    async fn check(&self, ledger: &Ledger, run: RunId) -> Run {
        let run = ledger.run(Scope::Hub, run).await.unwrap().unwrap();
        let sharing = Sharing { database: Some(self.database.clone()), ..Sharing::default() };
        let looks = self.site.reopen_shared("looks", &clock_at(NOVEMBER), sharing).await;
        let came = came(&self.site, &looks, &run).await;
        looks.ledger().close().await;
        assert!(came == self.wanted, "{:?} is not {:?}", came.totals, self.wanted.totals);
        assert_eq!(ledger.receipts(Scope::Hub, run.id).await.unwrap().len(), 3);
        let check = ledger.verify_audit().await.unwrap();
        assert!(check.is_sound(), "{check:?}");
        run
    }
}

/// Waits until the partitions of a run are as they should be.
async fn until(ledger: &Ledger, run: RunId, what: &str, is: impl Fn(&[Partition]) -> bool) -> Vec<Partition> {
    let began = Instant::now();
    loop {
        let partitions = partitions(ledger, run).await;
        if is(&partitions) {
            return partitions;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "they are not {what} in 120 s: {partitions:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn closed(ledger: &Ledger, run: RunId) {
    let began = Instant::now();
    while ledger.run(Scope::Hub, run).await.unwrap().unwrap().state != RunState::Closed {
        assert!(began.elapsed() < Duration::from_secs(120), "{:?}", ledger.run(Scope::Hub, run).await.unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn at_work(partition: &Partition, hub: &str) -> bool {
    partition.ended_at_ms.is_none() && partition.hub.as_ref().is_some_and(|holder| holder.as_str() == hub)
}

/// So that it is not at its end by the time that somebody has looked.
fn has_just_begun(partition: &Partition, hub: &str) -> bool {
    at_work(partition, hub) && partition.started_at_ms.is_some_and(|started| Clock::machine().now_ms() - started < 200)
}

fn names(partitions: &[Partition]) -> std::collections::BTreeSet<&str> {
    partitions.iter().filter_map(|partition| partition.hub.as_ref()).map(HubId::as_str).collect()
}

#[test]
fn two_hubs_share_the_partitions_of_a_run_on_postgres() {
    two_hubs_share(Kind::Postgres);
}

#[test]
fn two_hubs_share_the_partitions_of_a_run_on_sqlite() {
    two_hubs_share(Kind::Sqlite);
}

fn two_hubs_share(on: Kind) {
    wait(async {
        let shared = Shared::new(on, None).await;
        let (_first, _second) = (shared.hub("first"), shared.hub("second"));
        let ledger = Ledger::open(&shared.database).await.unwrap();
        let run = shared.request(&ledger).await;
        closed(&ledger, run).await;
        let partitions = partitions(&ledger, run).await;
        assert_eq!((partitions.len(), names(&partitions)), (PARTITIONS, ["first", "second"].into()), "{partitions:?}");
        assert!(partitions.iter().all(|partition| partition.claims == 1), "{partitions:?}");
        let run = shared.check(&ledger, run).await;
        assert_eq!((run.lease, run.attempt), (1, 1));
        ledger.close().await;
    });
}

#[test]
fn a_partition_of_a_killed_hub_is_done_again_by_another_on_postgres() {
    a_killed_hub_is_followed(Kind::Postgres, false);
}

#[test]
fn a_partition_of_a_killed_hub_is_done_again_by_another_on_sqlite() {
    a_killed_hub_is_followed(Kind::Sqlite, false);
}

#[test]
fn a_hub_that_had_the_run_and_is_killed_is_followed_by_one_that_goes_on_with_its_partitions() {
    a_killed_hub_is_followed(Kind::Postgres, true);
}

fn a_killed_hub_is_followed(on: Kind, leader: bool) {
    wait(async {
        let shared = Shared::new(on, Some("3000")).await;
        let mut hubs = [shared.hub("first"), shared.hub("second")];
        let ledger = Ledger::open(&shared.database).await.unwrap();
        let run = shared.request(&ledger).await;
        until(&ledger, run, "cut", |partitions| !partitions.is_empty()).await;
        let has = ledger.run(Scope::Hub, run).await.unwrap().unwrap().hub.unwrap();
        let other = if has.as_str() == "first" { "second" } else { "first" };
        let killed = if leader { has.as_str() } else { other };
        let done = |partition: &Partition| partition.result.is_some();
        until(&ledger, run, "under way", |partitions| {
            // In the middle: some are done, and the one to be killed has just begun another.
            partitions.iter().any(done) && partitions.iter().any(|partition| has_just_begun(partition, killed))
        })
        .await;
        hubs[usize::from(killed == "second")].kill();
        let at_kill = partitions(&ledger, run).await;
        closed(&ledger, run).await;
        let after = partitions(&ledger, run).await;
        for (before, after) in at_kill.iter().zip(&after) {
            if done(before) {
                assert_eq!(before, after, "what is done is not done again");
            } else if at_work(before, killed) {
                assert!(after.hub.as_ref().unwrap().as_str() != killed, "{after:?}");
            }
        }
        assert!(at_kill.iter().any(|partition| at_work(partition, killed)), "the kill met it between two partitions: {at_kill:?}");
        let run = shared.check(&ledger, run).await;
        assert_eq!(run.lease, if leader { 2 } else { 1 });
        ledger.close().await;
    });
}

/// A hub that is thought dead, and is not, says nothing of its partition when it wakes.
#[test]
fn a_hub_that_only_slept_cannot_end_a_partition_that_another_has() {
    wait(async {
        let shared = Shared::new(Kind::Postgres, Some("3000")).await;
        let mut hubs = [shared.hub("first"), shared.hub("second")];
        let ledger = Ledger::open(&shared.database).await.unwrap();
        let run = shared.request(&ledger).await;
        until(&ledger, run, "cut", |partitions| !partitions.is_empty()).await;
        let has = ledger.run(Scope::Hub, run).await.unwrap().unwrap().hub.unwrap();
        let sleeper = if has.as_str() == "first" { "second" } else { "first" };
        until(&ledger, run, "shared", |partitions| partitions.iter().any(|partition| has_just_begun(partition, sleeper))).await;
        let hub = &mut hubs[usize::from(sleeper == "second")];
        hub.freeze();
        let asleep = partitions(&ledger, run).await;
        closed(&ledger, run).await;
        let before = (partitions(&ledger, run).await, ledger.events(Scope::Hub, run, 0).await.unwrap(), shared.site.delivered());
        hub.thaw();
        // It stops once it has dropped what it was at.
        assert_eq!(hub.terminate(), Some(0));
        let after = (partitions(&ledger, run).await, ledger.events(Scope::Hub, run, 0).await.unwrap(), shared.site.delivered());
        assert!(before == after, "{before:?} {after:?}");
        let ended = shared.check(&ledger, run).await;
        for (then, now) in asleep.iter().zip(&after.0).filter(|(then, _)| at_work(then, sleeper)) {
            assert_eq!(now.hub.as_ref(), Some(&has), "{now:?}");
            // Whoever falls asleep with a row locked may cost the other its own lease: its next attempt counts claims anew.
            assert!(ended.lease > 1 || now.claims == then.claims + 1, "{then:?} {now:?}");
        }
        ledger.close().await;
    });
}

/// A hub with one place does a run that it has cut all the same, and a second one helps while it is at it.
#[test]
fn a_hub_without_a_run_of_its_own_helps() {
    let site = site(pools(20_000).as_bytes(), "rows = 1024");
    wait(async {
        let leader = site.hub(&Clock::machine()).await;
        let helper = site.reopen_shared("helper", &Clock::machine(), Sharing::default()).await;
        let run = request(&leader, FIRE, APPORTIONMENT).await;
        let stop = Arc::new(Notify::new());
        let claimed = leader.clone();
        let leading = tokio::spawn(async move { claimed.work_once().await });
        until(leader.ledger(), run, "cut", |partitions| !partitions.is_empty()).await;
        let helping = tokio::spawn({
            let (helper, stop) = (helper.clone(), Arc::clone(&stop));
            async move { helper.serve(stop).await }
        });
        assert_eq!(leading.await.unwrap().unwrap(), Some((run, RunState::Closed)));
        let partitions = partitions(leader.ledger(), run).await;
        assert_eq!((partitions.len(), names(&partitions)), (20, ["helper", "main"].into()));
        stop.notify_one();
        helping.await.unwrap();
        leader.ledger().close().await;
    });
}
