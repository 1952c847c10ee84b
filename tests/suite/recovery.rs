//! A log that was cut at every point, as a kill leaves it: whatever is lost, the run ends as it would have, and delivers once.

use std::fs;
use std::path::{Path, PathBuf};

use bailiwick::ledger::{Instruction, Processed, RunEvent, RunState, Scope};
use bailiwick::model::ids::RunId;
use bailiwick::run::Hub;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};

use crate::support::*;

const NOVEMBER: &str = "2026-11-18T09:00:00Z";

/// What became of a delivered file whose event was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// The hub was killed after the file had its name.
    TheWord,
    /// It was killed before.
    TheFile,
}

/// A site with one run that has ended, and a copy of its hub's folder.
pub(crate) struct Ended {
    pub(crate) site: Site,
    pub(crate) run: RunId,
    pub(crate) kinds: Vec<String>,
    kept: PathBuf,
}

impl Ended {
    /// Runs a job to its end on a site, closes the hub and copies its folder.
    pub(crate) async fn make(site: Site, name: &str, state: RunState) -> Self {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let owner = hub.ledger().jobs(Scope::Hub).await.unwrap().into_iter().find(|each| each.name == job(name)).unwrap().partner;
        let run = finished(&hub, owner.as_str(), name).await;
        assert_eq!(run.state, state, "{:?}", run.reason);
        let events = hub.ledger().events(Scope::Hub, run.id, 0).await.unwrap();
        hub.ledger().close().await;
        let kept = site.config().with_file_name("kept");
        copy(&site.data(), &kept);
        Self { site, run: run.id, kinds: events.iter().map(|event| event.event.kind().to_owned()).collect(), kept }
    }

    /// Puts the hub's folder back as it was after the first `events` events of the run, and opens the hub.
    pub(crate) async fn cut(&self, events: usize) -> Hub {
        fs::remove_dir_all(self.site.data()).unwrap();
        copy(&self.kept, &self.site.data());
        cut(&self.site.data().join("ledger.sqlite"), self.run, events, &self.kinds).await;
        self.site.reopen(&clock_at(NOVEMBER)).await
    }
}

/// Removes a run's events after the first few, and what was written in the same transactions.
async fn cut(ledger: &Path, run: RunId, events: usize, kinds: &[String]) {
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(ledger)).await.unwrap();
    connection.execute("DROP TRIGGER run_events_are_not_removed").await.unwrap();
    let cut = sqlx::query("DELETE FROM run_events WHERE run = $1 AND seq > $2").bind(run.to_string()).bind(i64::try_from(events).unwrap());
    cut.execute(&mut connection).await.unwrap();
    if !kinds[..events].iter().any(|kind| kind == "processed") {
        for with_it in ["DELETE FROM findings WHERE run = $1", "DELETE FROM log_lines WHERE run = $1"] {
            sqlx::query(with_it).bind(run.to_string()).execute(&mut connection).await.unwrap();
        }
    }
    connection.close().await.unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if from.ends_with("compiled") {
            // What is compiled never changes.
            fs::hard_link(entry.path(), target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn processed(hub: &Hub, run: RunId) -> Processed {
    hub.ledger().processed(Scope::Hub, run).await.unwrap().expect("it was processed")
}

/// What of a processing must be the same whenever it is done again.
fn comparable(processed: &Processed) -> String {
    format!("{:?} {:?} {:?} {:?} {}", processed.totals, processed.balances, processed.outputs, processed.tables, processed.rejects)
}

#[test]
fn a_run_that_is_cut_anywhere_ends_closed_with_one_delivery() {
    let cut = || crate::partitions::site(crate::partitions::pools(2_500).as_bytes(), "rows = 1000");
    let sites: [(&str, &dyn Fn() -> Site, usize, usize); 4] = [
        (LGPS, &Site::staffordshire, 2, 5),
        ("shared-services-apportionment", &Site::staffordshire, 3, 5),
        ("shared-services-apportionment", &cut, 3, 6),
        ("claim-routing", &Site::staffordshire, 1, 5),
    ];
    for (name, site, outputs, others) in sites {
        wait(async {
            let ended = Ended::make(site(), name, RunState::Closed).await;
            let delivered = ended.site.delivered();
            assert_eq!((delivered.len(), ended.kinds.len()), (outputs, others + outputs), "{:?}", ended.kinds);
            let whole = comparable(&processed(&ended.cut(ended.kinds.len()).await, ended.run).await);
            for events in 1..=ended.kinds.len() {
                for lost in [Lost::TheWord, Lost::TheFile] {
                    let told = format!("{name} cut after {events} events of {:?}, lost {lost:?}", ended.kinds);
                    one_cut(&ended, (events, lost), (&delivered, &whole)).await.unwrap_or_else(|why| panic!("{told}: {why}"));
                }
            }
        });
    }
}

/// Cuts, opens, works, and compares with what it was before the cut.
async fn one_cut(ended: &Ended, (events, lost): (usize, Lost), (before, whole): (&[(String, Vec<u8>)], &str)) -> Result<(), String> {
    let site = &ended.site;
    let told = ended.kinds[..events].iter().filter(|kind| *kind == "delivered").count();
    let hub = ended.cut(events).await;
    let targets: Vec<String> = delivery_order(before, ended, &hub).await;
    if lost == Lost::TheFile {
        targets[told..].iter().for_each(|target| fs::remove_file(site.path(target)).unwrap());
    }
    drain(&hub).await;
    let run = crate::support::ended(&hub, ended.run).await;
    let receipts = hub.ledger().receipts(Scope::Hub, ended.run).await.unwrap();
    let after = processed(&hub, ended.run).await;
    let mut artefacts: Vec<Vec<u8>> = Vec::new();
    for output in &after.outputs {
        artefacts.push(content(&hub, run.partner(), output.artefact).await.unwrap_or_default());
    }
    let of =
        |target: &String| receipts.iter().filter(|receipt| target.ends_with(&format!("/{}", receipt.delivered.target))).collect::<Vec<_>>();
    let again: Vec<Vec<bool>> =
        targets.iter().map(|target| of(target).iter().map(|receipt| receipt.delivered.already_there).collect()).collect();
    hub.ledger().close().await;
    let expected: Vec<Vec<bool>> = (0..targets.len()).map(|place| vec![place >= told && lost == Lost::TheWord]).collect();
    let bytes = |target: &String| before.iter().find(|(name, _)| name == target).map(|(_, bytes)| bytes.clone()).unwrap();
    match () {
        () if run.state != RunState::Closed => Err(format!("it is {}: {:?}", run.state, run.reason)),
        () if site.delivered() != before => Err("the delivered files are others".to_owned()),
        () if comparable(&after) != whole => Err("the totals are others".to_owned()),
        () if again != expected => Err(format!("receipts say {again:?} and should say {expected:?}")),
        () if artefacts != targets.iter().map(bytes).collect::<Vec<_>>() => Err("the artefacts are others".to_owned()),
        () => Ok(()),
    }
}

/// The delivered files in the order in which the job delivers.
async fn delivery_order(before: &[(String, Vec<u8>)], ended: &Ended, hub: &Hub) -> Vec<String> {
    let owner = crate::support::ended(hub, ended.run).await;
    let source = hub.ledger().sources(owner.partner()).await.unwrap().into_iter().find(|source| source.text.contains(owner.job().as_str()));
    let text = source.expect("the job's file").text;
    let mut targets: Vec<(usize, String)> = Vec::new();
    for (name, _) in before {
        let stem = name.rsplit('/').next().unwrap().split("-2026").next().unwrap();
        targets.push((text.find(&format!("file = \"{stem}-{{")).expect("the job names it"), name.clone()));
    }
    targets.sort();
    targets.into_iter().map(|(_, name)| name).collect()
}

async fn kinds(hub: &Hub, run: RunId) -> Vec<&'static str> {
    hub.ledger().events(Scope::Hub, run, 0).await.unwrap().iter().map(|event| event.event.kind()).collect()
}

#[test]
fn a_run_that_must_be_held_is_held_wherever_it_was_cut() {
    let site = Site::staffordshire();
    site.edit(&format!("jobs/{LGPS}.toml"), "rows-max = 100", "rows-max = 26");
    wait(async {
        let ended = Ended::make(site, LGPS, RunState::Held).await;
        assert_eq!(ended.kinds, ["enqueued", "claimed", "pulled", "processed", "held"]);
        for events in 1..=ended.kinds.len() {
            let hub = ended.cut(events).await;
            drain(&hub).await;
            let run = crate::support::ended(&hub, ended.run).await;
            assert_eq!(
                (run.state, reason(&run).0),
                (RunState::Held, "too-many-rejects"),
                "cut after {events}: {:?}",
                kinds(&hub, run.id).await
            );
            assert_eq!(ended.site.delivered(), [], "cut after {events}");
            hub.ledger().close().await;
        }
        // Only a person's release lets it go; to be sent on its way again is not enough.
        let hub = ended.cut(ended.kinds.len()).await;
        let instruct = |instruction| {
            let hub = hub.clone();
            let run = ended.run;
            async move { hub.ledger().instruct(Scope::Hub, run, instruction, &operator(&hub)).await.unwrap() }
        };
        instruct(Instruction::Retry { afresh: false, why: "once more".to_owned() }).await;
        drain(&hub).await;
        assert_eq!((crate::support::ended(&hub, ended.run).await.state, ended.site.delivered().len()), (RunState::Held, 0));
        instruct(Instruction::Release { why: "the 27 are known".to_owned() }).await;
        drain(&hub).await;
        assert_eq!((crate::support::ended(&hub, ended.run).await.state, ended.site.delivered().len()), (RunState::Closed, 2));
    });
}

#[test]
fn a_duplicate_is_refused_wherever_its_run_was_cut() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        assert_eq!(finished(&hub, POLICE, LGPS).await.state, RunState::Closed);
        hub.ledger().close().await;
        site.write("data/payroll/payroll-copy.csv", site.read("data/payroll/payroll-2026-10.csv"));
        let delivered = site.delivered();
        let ended = Ended::make(site, LGPS, RunState::Failed).await;
        assert_eq!(ended.kinds, ["enqueued", "claimed", "pulled", "failed"]);
        for events in 1..=ended.kinds.len() {
            let hub = ended.cut(events).await;
            drain(&hub).await;
            let run = crate::support::ended(&hub, ended.run).await;
            assert_eq!((run.state, reason(&run).0), (RunState::Failed, "duplicate-file"), "cut after {events}");
            assert_eq!(ended.site.delivered(), delivered, "cut after {events}");
            hub.ledger().close().await;
        }
    });
}

#[test]
fn the_first_of_two_equal_files_is_not_taken_for_the_copy() {
    retried(false);
    retried(true);
}

fn retried(afresh: bool) {
    let site = Site::staffordshire();
    let dated = site.read("data/payroll/payroll-2026-10.csv");
    // The first run fails for a reason of its own, which the operator then mends.
    fs::rename(site.path("out/pension-fund"), site.path("out/elsewhere")).unwrap();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let first = finished(&hub, POLICE, LGPS).await;
        assert_eq!((first.state, reason(&first).0), (RunState::Failed, "connection-failed"));
        hub.clock().advance(jiff::SignedDuration::from_mins(1));
        site.write("data/payroll/payroll-copy.csv", dated);
        let copy = finished(&hub, POLICE, LGPS).await;
        assert_eq!((copy.state, reason(&copy).0), (RunState::Failed, "duplicate-file"));
        fs::rename(site.path("out/elsewhere"), site.path("out/pension-fund")).unwrap();
        let retry = Instruction::Retry { afresh, why: "the folder is back".to_owned() };
        hub.ledger().instruct(Scope::Hub, first.id, retry, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        let first = ended(&hub, first.id).await;
        assert_eq!(first.state, RunState::Closed, "{:?}", first.reason);
        assert_eq!(site.delivered().len(), 2);
    });
}

#[test]
fn another_hub_takes_over_when_the_lease_has_run_out() {
    let site = Site::staffordshire();
    wait(async {
        let clock = clock_at(NOVEMBER);
        let hub = site.hub(&clock).await;
        let run = request(&hub, POLICE, LGPS).await;
        // Claimed, and never heard of again.
        hub.ledger().claim(hub.id(), hub.clock().now_ms(), 15_000).await.unwrap().expect("it waits");
        hub.ledger().close().await;
        let other = site.reopen_as("standby", &clock).await;
        assert_eq!(drain(&other).await, [], "the lease holds");
        clock.advance(jiff::SignedDuration::from_secs(16));
        drain(&other).await;
        let events = other.ledger().events(Scope::Hub, run, 0).await.unwrap();
        let leases =
            events.iter().filter(|event| matches!(event.event, RunEvent::Claimed(_))).map(|event| (event.hub.as_str(), event.lease));
        assert_eq!(leases.collect::<Vec<_>>(), [("main", 1), ("standby", 2)]);
        assert_eq!((ended(&other, run).await.state, site.delivered().len()), (RunState::Closed, 2));
    });
}

#[test]
fn a_run_that_takes_the_hub_with_it_each_time_is_left_to_a_person() {
    let site = Site::staffordshire();
    wait(async {
        let clock = clock_at(NOVEMBER);
        let hub = site.hub(&clock).await;
        let run = request(&hub, POLICE, LGPS).await;
        // Five attempts of which nothing is heard again.
        for _ in 0..5 {
            hub.ledger().claim(hub.id(), hub.clock().now_ms(), 15_000).await.unwrap().expect("it waits");
            clock.advance(jiff::SignedDuration::from_secs(16));
        }
        drain(&hub).await;
        let left = ended(&hub, run).await;
        assert_eq!((left.state, reason(&left).0), (RunState::Failed, "hub-ended-each-time"));
        assert!(
            reason(&left).1.contains("the hub itself ended 5 times") && reason(&left).1.contains("bailiwick retry"),
            "{:?}",
            left.reason
        );
        let retry = Instruction::Retry { afresh: false, why: "there is more memory now".to_owned() };
        hub.ledger().instruct(Scope::Hub, run, retry, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!((ended(&hub, run).await.state, site.delivered().len()), (RunState::Closed, 2));
    });
}

/// The word of a delivery is lost, and its receiver has taken the file away by the time somebody looks.
#[test]
fn what_its_receiver_took_away_is_not_delivered_again() {
    let site = Site::staffordshire();
    let clock = clock_at(NOVEMBER);
    let raw = async |sql: &'static str| {
        let options = SqliteConnectOptions::new().filename(site.data().join("ledger.sqlite"));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        connection.execute(sql).await.unwrap();
        connection.close().await.unwrap();
    };
    wait(async {
        let hub = site.hub(&clock).await;
        raw("CREATE TRIGGER cut_off BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, 'cut off'); END").await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Queued, "ledger-failed"), "{:?}", run.reason);
        let arrived = site.delivered();
        assert_eq!(arrived.len(), 1);
        fs::remove_file(site.path(&arrived[0].0)).unwrap();
        raw("DROP TRIGGER cut_off").await;
        clock.advance(jiff::SignedDuration::from_secs(60));
        drain(&hub).await;
        let run = ended(&hub, run.id).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "delivery-uncertain"), "{:?}", run.reason);
        assert_eq!(site.delivered(), [], "nothing is delivered again by itself");
        let again = Instruction::Retry { afresh: false, why: "the fund has lost it".to_owned() };
        hub.ledger().instruct(Scope::Hub, run.id, again, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!((ended(&hub, run.id).await.state, site.delivered().len()), (RunState::Closed, 2));
    });
}
