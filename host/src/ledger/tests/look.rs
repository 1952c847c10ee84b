//! What is read of many runs at once: counted by day, what waits for somebody, what was delivered, and never another partner's.

use super::*;

on_both![a_day_is_counted_by_what_came_of_its_runs, what_waits_for_somebody_is_found];

/// A run that fetched no file, to its end.
async fn deliver(house: &House, claim: &Claim, now_ms: i64) {
    house.append(claim, now_ms, processed(&["return", "ctr1"])).await;
    for port in ["return", "ctr1"] {
        house.append(claim, now_ms, delivered(port)).await;
    }
    house.append(claim, now_ms, closed()).await;
}

async fn a_day_is_counted_by_what_came_of_its_runs(on: Kind) {
    let house = House::new(on).await;
    // One before midnight, two after: one of them is delivered. Ids never go back within a process, so midnight follows from the first.
    let first = house.enqueue(999).await;
    let midnight = i64::from_str_radix(&first.to_string()[..12], 16).unwrap() + 1_000;
    let before = house.claim(midnight - 1).await;
    deliver(&house, &before, midnight - 1).await;
    let run = house.enqueue(midnight).await;
    let claim = house.claim(midnight + 1).await;
    deliver(&house, &claim, midnight + 3).await;
    house.enqueue(midnight + 1_000).await;
    let counts = house.ledger.counts_since(Scope::Hub, midnight).await.unwrap();
    let states: Vec<(RunState, u64)> = counts.iter().map(|count| (count.state, count.runs)).collect();
    assert_eq!(states, [(RunState::Closed, 1), (RunState::Queued, 1)]);
    let owner = house.run(run).await.partner().clone();
    let delivered = house.ledger.delivered_since(&owner, midnight, 10).await.unwrap();
    assert_eq!(delivered.iter().map(|totals| totals.run).collect::<Vec<_>>(), [run]);
    assert_eq!(house.ledger.delivered_since(&owner, 0, 10).await.unwrap().len(), 2);
    let other = name("fire");
    assert!(house.ledger.counts_since(Scope::Partner(&other), 0).await.unwrap().is_empty());
    assert!(house.ledger.delivered_since(&other, 0, 10).await.unwrap().is_empty());
}

async fn what_waits_for_somebody_is_found(on: Kind) {
    let house = House::new(on).await;
    let held = house.enqueue(1).await;
    let claim = house.claim(1).await;
    house.append(&claim, 2, processed(&["return"])).await;
    house.append(&claim, 3, Step::Held(reason("totals-do-not-balance"))).await;
    let uncertain = house.enqueue(4).await;
    let claim = house.claim(4).await;
    house.append(&claim, 5, processed(&["return"])).await;
    let begins = BegunDelivery { port: "return".to_owned(), digest: Some(Digest::of(b"return")), hidden: None };
    house.ledger.begin_delivery(&claim.lease, 5, &begins).await.unwrap();
    let failed = Failed { reason: reason(DELIVERY_UNCERTAIN), retry_at_ms: None, waits: false, limits: Vec::new(), log: Vec::new() };
    house.append(&claim, 6, Step::Failed(failed)).await;
    house.enqueue(7).await;
    let waiting = house.ledger.runs_that_need_somebody(Scope::Hub, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|run| run.id).collect::<Vec<_>>(), [uncertain, held], "newest first, and not what is in the queue");
    assert_eq!(house.ledger.begun_outputs(Scope::Hub, uncertain).await.unwrap(), ["return"]);
    assert!(house.ledger.begun_outputs(Scope::Hub, held).await.unwrap().is_empty());
    let other = name("fire");
    assert!(house.ledger.runs_that_need_somebody(Scope::Partner(&other), 10).await.unwrap().is_empty());
    assert!(house.ledger.begun_outputs(Scope::Partner(&other), uncertain).await.unwrap().is_empty());
    assert!(house.ledger.runs_of_origin(Scope::Hub, held).await.unwrap().is_empty());
}
