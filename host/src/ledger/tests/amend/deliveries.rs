//! Uncertain deliveries settled, and outputs sent again: what may be done to which run, and what is kept of it.

use super::*;

on_both![what_arrived_counts_as_delivered, what_is_missing_is_sent_again, only_what_was_delivered_is_sent_again];

/// A run of two outputs, the first of which may have arrived or not.
async fn in_doubt(house: &House) -> RunId {
    let run = house.enqueue(1).await;
    let claim = house.claim(1).await;
    house.append(&claim, 2, processed(&["return", "ctr1"])).await;
    let begins = BegunDelivery { port: "return".to_owned(), digest: Some(Digest::of(b"return")), hidden: None };
    house.ledger.begin_delivery(&claim.lease, 2, &begins).await.unwrap();
    let uncertain = Failed { reason: reason(DELIVERY_UNCERTAIN), retry_at_ms: None, waits: false, limits: Vec::new(), log: Vec::new() };
    house.append(&claim, 3, Step::Failed(uncertain)).await;
    run
}

async fn what_arrived_counts_as_delivered(on: Kind) {
    let mut house = House::new(on).await;
    let run = in_doubt(&house).await;
    let fire = name("fire");
    let theirs = house.ledger.settle_delivery(Scope::Partner(&fire), (run, "return"), (true, "asked"), &person(4)).await;
    assert!(matches!(theirs, Err(LedgerError::NotFound { .. })));
    for port in ["ctr1", "none"] {
        assert!(house.ledger.settle_delivery(Scope::Hub, (run, port), (true, "asked"), &person(4)).await.is_err(), "{port}");
    }
    let settled = house.ledger.settle_delivery(Scope::Hub, (run, "return"), (true, "asked"), &person(4)).await.unwrap();
    assert_eq!((settled.state, settled.deliveries(), settled.attempt), (RunState::Queued, 1, 0));
    assert!(house.ledger.settle_delivery(Scope::Hub, (run, "return"), (true, "asked"), &person(4)).await.is_err(), "once");
    let claim = house.claim(5).await;
    assert_eq!((claim.run.state, claim.delivered.len()), (RunState::Delivering, 1));
    assert_eq!(house.finish(&claim, 6).await.state, RunState::Closed);
    assert_eq!(house.ledger.receipts(Scope::Hub, run).await.unwrap().len(), 2);
    // The row can be worked out from the log again, receipts and all.
    house.raw(&format!("UPDATE runs SET deliveries = 0, last_event = 2 WHERE run = '{run}'")).await.unwrap();
    assert_eq!(house.reopen().await, [run]);
    assert_eq!((house.run(run).await.deliveries(), house.ledger.receipts(Scope::Hub, run).await.unwrap().len()), (2, 2));
}

async fn what_is_missing_is_sent_again(on: Kind) {
    let house = House::new(on).await;
    let run = in_doubt(&house).await;
    let settled = house.ledger.settle_delivery(Scope::Hub, (run, "return"), (false, "asked"), &person(4)).await.unwrap();
    assert_eq!((settled.state, settled.deliveries()), (RunState::Queued, 0));
    let claim = house.claim(5).await;
    assert_eq!(house.ledger.begun_delivery(&claim.lease, "return").await.unwrap(), None, "the person has decided");
    assert_eq!(house.finish(&claim, 6).await.deliveries(), 2);
    assert!(house.kinds(run).await.contains(&"settled"));
}

async fn only_what_was_delivered_is_sent_again(on: Kind) {
    let house = House::new(on).await;
    let ask = |port: &str, new_key| ResendAsk { port: port.to_owned(), target: None, new_key, why: "lost".to_owned() };
    let run = in_doubt(&house).await;
    assert!(house.ledger.begin_resend(Scope::Hub, run, &ask("return", false), &person(4)).await.is_err(), "nothing of it was delivered");
    house.ledger.settle_delivery(Scope::Hub, (run, "return"), (true, "asked"), &person(4)).await.unwrap();
    let claim = house.claim(5).await;
    assert!(house.ledger.begin_resend(Scope::Hub, run, &ask("return", false), &person(5)).await.is_err(), "a hub is at work on it");
    house.finish(&claim, 6).await;
    assert!(house.ledger.begin_resend(Scope::Hub, run, &ask("none", false), &person(7)).await.is_err());
    let mut keys = Vec::new();
    for new_key in [false, true, true] {
        let (_, number, begun) = house.ledger.begin_resend(Scope::Hub, run, &ask("ctr1", new_key), &person(7)).await.unwrap();
        keys.push(begun.new_key);
        let resent = Resent { begun: number, delivered: None, failed: Some(reason("remote-away")) };
        house.ledger.end_resend(run, &resent, &person(8)).await.unwrap();
    }
    assert_eq!(keys, [None, Some(2), Some(3)], "no two of them are the same");
    let after = house.run(run).await;
    assert_eq!((after.state, after.deliveries()), (RunState::Closed, 2), "the run stands as it stood");
    let acts = house.ledger.audit(Scope::Hub, None, 20).await.unwrap().items;
    assert_eq!(acts.iter().filter(|act| act.action == "delivery.resend").count(), 3);
    assert!(house.ledger.verify_audit().await.unwrap().is_sound());
}
