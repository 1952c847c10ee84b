//! Runs asked for and taken to their end, and what the ledger says of them.

use bailiwick::ledger::{Actor, By, Run, RunFilter, RunState, Scope};
use bailiwick::model::ids::{JobName, PartnerName, RunId};
use bailiwick::run::{Hub, Request};

/// The partners of the example.
pub(crate) const POLICE: &str = "staffordshire-police";
pub(crate) const FIRE: &str = "staffordshire-fire";

pub(crate) fn partner(name: &str) -> PartnerName {
    name.parse().expect("a partner's name")
}

pub(crate) fn job(name: &str) -> JobName {
    name.parse().expect("a job's name")
}

/// A person acting now.
pub(crate) fn operator(hub: &Hub) -> By {
    By { actor: Actor::person("operator"), hub: hub.id().clone(), from: None, now_ms: hub.clock().now_ms(), as_of: None }
}

/// Puts a run in the queue.
pub(crate) async fn request(hub: &Hub, owner: &str, name: &str) -> RunId {
    let request = Request { partner: partner(owner), job: job(name), dry_run: false, key: None };
    hub.request(&request, &operator(hub)).await.expect("there is such a job").run
}

/// Works until nothing can be claimed.
pub(crate) async fn drain(hub: &Hub) -> Vec<(RunId, RunState)> {
    let mut worked = Vec::new();
    while let Some(run) = hub.work_once().await.expect("the ledger answers") {
        worked.push(run);
        assert!(worked.len() < 1_000, "the hub does not come to rest: {worked:?}");
    }
    worked
}

/// A run as it stands.
pub(crate) async fn ended(hub: &Hub, run: RunId) -> Run {
    hub.ledger().run(Scope::Hub, run).await.expect("the ledger answers").expect("there is such a run")
}

/// Runs a job and says how it ended.
pub(crate) async fn finished(hub: &Hub, owner: &str, name: &str) -> Run {
    let run = request(hub, owner, name).await;
    drain(hub).await;
    ended(hub, run).await
}

/// Every run of a job, oldest first.
pub(crate) async fn runs_of(hub: &Hub, name: &str) -> Vec<Run> {
    let filter = RunFilter { job: Some(job(name)), ..RunFilter::default() };
    let mut runs = hub.ledger().runs(Scope::Hub, &filter, 1_000).await.expect("the ledger answers").items;
    runs.reverse();
    runs
}

/// Why a run is as it is: code and sentence.
pub(crate) fn reason(run: &Run) -> (&str, &str) {
    run.reason.as_ref().map_or(("", ""), |reason| (reason.code.as_str(), reason.sentence.as_str()))
}
