//! The same input run in two hubs gives the same bytes, whatever the hubs are called and however often they look.

use bailiwick::ledger::{RunState, Scope};

use crate::support::*;

fn all_jobs(hub_name: &str) -> Vec<(String, Vec<u8>)> {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.reopen_as(hub_name, &clock_at("2026-11-18T09:00:00Z")).await;
        site.apply(&hub).await;
        let jobs = hub.ledger().jobs(Scope::Hub).await.unwrap();
        for job in &jobs {
            request(&hub, job.partner.as_str(), job.name.as_str()).await;
        }
        // All at the same time in one hub, one after the other in the other.
        if hub_name == "one" {
            let (a, b, c, d) = tokio::join!(hub.work_once(), hub.work_once(), hub.work_once(), hub.work_once());
            assert!([a, b, c, d].into_iter().all(|run| matches!(run, Ok(Some((_, RunState::Closed))))));
        } else {
            assert!(drain(&hub).await.iter().all(|(_, state)| *state == RunState::Closed));
        }
    });
    site.delivered()
}

#[test]
fn two_hubs_deliver_the_same_bytes() {
    let (one, other) = (all_jobs("one"), all_jobs("other"));
    assert_eq!(one.iter().map(|(name, _)| name).collect::<Vec<_>>(), other.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(one.len(), 7);
    for ((name, one), (_, other)) in one.iter().zip(&other) {
        assert!(one == other, "{name} differs");
    }
}
