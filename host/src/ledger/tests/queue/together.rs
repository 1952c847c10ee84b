//! What comes at the same time shares a transaction, and each still gets what it would have got alone.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

on_both![
    runs_that_come_together_are_each_put_in_the_queue_once,
    steps_that_come_together_stand_each_for_itself,
    what_is_refused_of_one_leaves_the_others_as_they_are,
    more_than_are_looked_at_together_are_claimed_within_what_is_allowed,
];

async fn runs_that_come_together_are_each_put_in_the_queue_once(on: Kind) {
    let house = House::new(on).await;
    let asks = (0..240_i64).map(|number| {
        let ledger = house.ledger.clone();
        // A third without a slot, a third of 8 slots, a third of a job that is not there.
        let new = match number % 3 {
            0 => request("lgps", None),
            1 => request("other", Some(&format!("key-{}", number % 8))),
            _ => request("not-there", None),
        };
        tokio::spawn(async move { (number, ledger.enqueue(&new, &person(number)).await) })
    });
    let asks: Vec<_> = asks.collect();
    let (mut without, mut of_slots, mut new_of_slots) = (BTreeSet::new(), BTreeMap::new(), 0);
    for asked in asks {
        let (number, answer) = asked.await.unwrap();
        match (number % 3, answer) {
            (0, Ok(queued)) => assert!(queued.new && without.insert(queued.run)),
            (1, Ok(queued)) => {
                new_of_slots += usize::from(queued.new);
                assert_eq!(*of_slots.entry(number % 8).or_insert(queued.run), queued.run, "a slot has one run");
            }
            (2, Err(LedgerError::NoSuchJob { .. })) => {}
            (_, answer) => panic!("{number}: {answer:?}"),
        }
    }
    assert_eq!((without.len(), of_slots.len(), new_of_slots), (80, 8, 8));
    for run in without.iter().chain(of_slots.values()) {
        assert_eq!(house.kinds(*run).await, ["enqueued"]);
    }
    // Each was asked for by a person, and stands in the audit trail as often as it is in the queue.
    let asked = house.ledger.audit_after(Scope::Hub, 0, PAGE_ITEMS_MAX).await.unwrap().items;
    assert_eq!(asked.iter().filter(|entry| entry.action == "run.request").count(), 88);
    assert!(house.ledger.verify_audit().await.unwrap().broken.is_none());
}

async fn steps_that_come_together_stand_each_for_itself(on: Kind) {
    let mut house = House::new(on).await;
    house.ledger.apply(&waiting(|declared| declared.jobs[0].queue.runs_at_once = 100), &person(1)).await.unwrap();
    for now_ms in 2..62 {
        house.enqueue(now_ms).await;
    }
    let claims = house.ledger.claim_some(&hub("main"), 100, LEASE_MS, 60).await.unwrap();
    assert_eq!(claims.len(), 60);
    let appended = claims.iter().enumerate().map(|(number, claim)| {
        let (ledger, mut lease) = (house.ledger.clone(), claim.lease.clone());
        let step = match number % 4 {
            0 => Step::Held(reason("look")),
            1 => failed(Some(5_000)),
            2 => Step::Skipped(reason("no-input")),
            _ => {
                lease.number += 1;
                Step::Skipped(reason("no-input"))
            }
        };
        tokio::spawn(async move { ledger.append(&lease, 101, step).await })
    });
    let appended: Vec<_> = appended.collect();
    for (number, appended) in appended.into_iter().enumerate() {
        let (appended, id) = (appended.await.unwrap(), claims[number].run.id);
        let run = house.run(id).await;
        let state = [RunState::Held, RunState::Queued, RunState::Skipped, RunState::Running][number % 4];
        assert_eq!(run.state, state);
        match appended {
            Ok(answered) => assert_eq!(answered, run, "what was answered is what stands"),
            Err(LedgerError::LeaseLost { run, .. }) => assert!(number % 4 == 3 && run == id),
            Err(error) => panic!("{number}: {error}"),
        }
    }
    assert_eq!(house.reopen().await, [], "every row agrees with its log");
}

async fn what_is_refused_of_one_leaves_the_others_as_they_are(on: Kind) {
    let house = House::new(on).await;
    house.ledger.apply(&waiting(|declared| declared.jobs[0].queue.runs_at_once = 100), &person(1)).await.unwrap();
    for now_ms in 2..22 {
        house.enqueue(now_ms).await;
    }
    let claims = house.ledger.claim_some(&hub("main"), 100, LEASE_MS, 20).await.unwrap();
    // Nothing is staged, so no delivery is permitted; and of two steps of one run, the second finds it ended.
    let appended = claims.iter().enumerate().flat_map(|(number, claim)| {
        let steps = if number % 2 == 0 { vec![delivered("return")] } else { vec![Step::Held(reason("look")), Step::Held(reason("look"))] };
        steps.into_iter().map(move |step| (number, claim.lease.clone(), step))
    });
    let appended: Vec<_> = appended
        .map(|(number, lease, step)| {
            let ledger = house.ledger.clone();
            tokio::spawn(async move { (number, ledger.append(&lease, 101, step).await) })
        })
        .collect();
    let mut came = BTreeMap::<usize, Vec<bool>>::new();
    for appended in appended {
        let (number, appended) = appended.await.unwrap();
        let expected = match &appended {
            Ok(run) => run.state == RunState::Held,
            Err(LedgerError::WrongState { .. }) => number % 2 == 0,
            Err(LedgerError::LeaseLost { .. }) => number % 2 == 1,
            Err(_) => false,
        };
        assert!(expected, "{number}: {appended:?}");
        came.entry(number).or_default().push(appended.is_ok());
    }
    for (number, claim) in claims.iter().enumerate() {
        let done = came[&number].iter().filter(|done| **done).count();
        assert_eq!(done, number % 2, "{number}");
        let kinds = house.kinds(claim.run.id).await;
        assert_eq!(kinds, if number % 2 == 0 { &["enqueued", "claimed"][..] } else { &["enqueued", "claimed", "held"] });
    }
}

async fn more_than_are_looked_at_together_are_claimed_within_what_is_allowed(on: Kind) {
    let house = House::new(on).await;
    let declared = waiting(|declared| {
        declared.partner.runs_at_once = Some(300);
        declared.jobs[0].queue.runs_at_once = 280;
        declared.jobs[1].queue.runs_at_once = 1_000;
    });
    house.ledger.apply(&declared, &person(1)).await.unwrap();
    for (job, runs, now_ms) in [("lgps", 320, 2), ("other", 60, 3)] {
        let asks = (0..runs).map(|_| {
            let ledger = house.ledger.clone();
            tokio::spawn(async move { ledger.enqueue(&request(job, None), &person(now_ms)).await.unwrap() })
        });
        for asked in asks.collect::<Vec<_>>() {
            asked.await.unwrap();
        }
    }
    let taken = async |now_ms| {
        let claims = house.ledger.claim_some(&hub("main"), now_ms, LEASE_MS, 1_000).await.unwrap();
        let of_lgps = claims.iter().filter(|claim| *claim.run.job() == lgps()).count();
        (claims.iter().map(|claim| claim.run.id).collect::<BTreeSet<_>>(), of_lgps)
    };
    let (first, of_lgps) = taken(10).await;
    assert_eq!((first.len(), of_lgps), (300, 280));
    assert_eq!(taken(11).await.0.len(), 0, "there is no more room");
    // What is taken over when its lease has run out takes no more room than it had.
    let (again, of_lgps) = taken(FOR_EVER).await;
    assert_eq!((again == first, of_lgps), (true, 280));
}
