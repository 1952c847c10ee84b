//! How a hub stops: what is under way is finished in time, or left so that another has it at once.

use std::time::{Duration, Instant};

use bailiwick::ledger::{Database, Ledger, RunState, Scope};

use crate::support::*;

/// Far longer than a hub may take that is told what was left.
const LEASE_MS: &str = "60000";

async fn until(ledger: &Ledger, what: &str, is: impl Fn(&bailiwick::ledger::Run) -> bool) -> bailiwick::ledger::Run {
    let began = Instant::now();
    loop {
        let runs = ledger.runs(Scope::Hub, &bailiwick::ledger::RunFilter::default(), 10).await.unwrap().items;
        if let Some(run) = runs.into_iter().find(&is) {
            return run;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "it is not {what} in 120 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn a_run_is_left_for_another(environment: &[(&str, &str)], database: impl Fn(&Site) -> Database) {
    let site = Site::large();
    let with =
        |hub: &'static str| [environment, &[("BAILIWICK_HUB", hub), ("BAILIWICK_LEASE_MS", LEASE_MS), ("BAILIWICK_DRAIN", "0")]].concat();
    let mut first = Serving::start_with(&site, &with("first"));
    let second = Serving::join(&site, &with("second"));
    // Whoever has it is the one to stop.
    first.run(LGPS);
    wait(async {
        let ledger = Ledger::open(&database(&site)).await.unwrap();
        let begun = until(&ledger, "begun", |run| run.state == RunState::Running).await;
        let mut second = second;
        let (stops, other) = match begun.hub.as_ref().unwrap().as_str() {
            "first" => (&mut first, "second"),
            _ => (&mut second, "first"),
        };
        let told = Instant::now();
        assert_eq!(stops.terminate(), Some(0));
        let stopped = told.elapsed();
        let taken = until(&ledger, "taken over", |run| run.lease == 2).await;
        let took = told.elapsed();
        assert!(stopped < Duration::from_secs(5) && took < Duration::from_secs(10), "{stopped:?} {took:?}");
        assert_eq!(taken.hub.unwrap().as_str(), other);
        let closed = until(&ledger, "closed", |run| run.state == RunState::Closed).await;
        assert_eq!(ledger.receipts(Scope::Hub, closed.id).await.unwrap().len(), 2);
        assert_eq!(site.delivered().len(), 2);
        ledger.close().await;
    });
}

#[test]
fn a_run_that_does_not_end_in_time_is_taken_over_at_once_on_sqlite() {
    a_run_is_left_for_another(&[], |site| Database::Sqlite(site.data().join("ledger.sqlite")));
}

#[test]
fn a_run_that_does_not_end_in_time_is_taken_over_at_once_on_postgres() {
    let url = wait(Postgres::shared().database());
    a_run_is_left_for_another(&[("BAILIWICK_DATABASE", &url)], |_| Database::Postgres(url.clone()));
}

#[test]
fn a_run_that_ends_in_time_is_finished_and_nothing_new_is_taken() {
    let site = Site::large();
    let mut serving = Serving::start_with(&site, &[("BAILIWICK_DRAIN", "120")]);
    serving.run(LGPS);
    wait(async {
        let ledger = Ledger::open(&Database::Sqlite(site.data().join("ledger.sqlite"))).await.unwrap();
        until(&ledger, "begun", |run| run.state == RunState::Running).await;
        serving.tell_to_stop();
        let closed = tokio::task::block_in_place(|| {
            let began = Instant::now();
            while std::net::TcpStream::connect(serving.address().trim_start_matches("http://")).is_ok() {
                assert!(began.elapsed() < Duration::from_secs(10), "it still takes calls");
                std::thread::sleep(Duration::from_millis(20));
            }
            loop {
                if let Some(code) = serving.has_ended() {
                    break code;
                }
                assert!(began.elapsed() < Duration::from_secs(120), "it does not end");
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        assert_eq!(closed, Some(0));
        let run = until(&ledger, "closed", |run| run.state == RunState::Closed).await;
        assert_eq!(run.lease, 1, "the hub that began it ended it");
        ledger.close().await;
    });
}

#[test]
fn told_twice_it_ends_at_once() {
    let site = Site::large();
    let mut serving = Serving::start_with(&site, &[("BAILIWICK_DRAIN", "600")]);
    serving.run(LGPS);
    wait(async {
        let ledger = Ledger::open(&Database::Sqlite(site.data().join("ledger.sqlite"))).await.unwrap();
        until(&ledger, "begun", |run| run.state == RunState::Running).await;
        ledger.close().await;
    });
    serving.tell_to_stop();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(serving.has_ended(), None, "it finishes what is under way");
    let told = Instant::now();
    assert_eq!(serving.terminate(), Some(1));
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
}
