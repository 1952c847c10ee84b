//! Partitions: who gets which, who has lost one, and what becomes of them when their run ends, fails or begins afresh.

use super::*;

on_both![
    each_partition_goes_to_one_hub_in_the_order_of_the_input,
    who_was_overtaken_says_nothing_of_a_partition,
    partitions_of_a_run_that_is_not_under_way_are_nobodys,
    an_attempt_goes_on_with_what_the_one_before_cut,
    a_run_that_begins_afresh_is_cut_anew,
    a_run_that_is_taken_over_keeps_its_partitions,
    a_hub_that_starts_again_lets_go_of_its_partitions,
];

/// A run that a hub has, cut into so many partitions.
async fn cut(house: &House, partitions: u64) -> Claim {
    house.enqueue(1).await;
    let claim = house.claim(2).await;
    // A file of its own: what was taken by a run that ended is not there for the next.
    house.append(&claim, 3, pulled(&format!("{}.csv", claim.run.id))).await;
    house.append(&claim, 4, partitioned(partitions)).await;
    claim
}

impl House {
    async fn part(&self, id: &str, now_ms: i64) -> Option<PartitionClaim> {
        self.ledger.claim_partition(&hub(id), now_ms, LEASE_MS, None).await.unwrap()
    }

    async fn end(&self, claim: &PartitionClaim, now_ms: i64, end: PartitionEnd) -> Result<(), LedgerError> {
        self.ledger.end_partition(&claim.lease, now_ms, &end).await
    }

    async fn states(&self, run: RunId) -> Vec<&'static str> {
        self.ledger.partitions(Scope::Partner(&police()), run).await.unwrap().iter().map(Partition::state).collect()
    }
}

fn done() -> PartitionEnd {
    PartitionEnd::Done { rows_read: 7, result: Digest::of(b"result") }
}

fn broken(retry_at_ms: Option<i64>) -> PartitionEnd {
    let Step::Failed(failed) = failed(retry_at_ms) else { unreachable!("it is one") };
    PartitionEnd::Failed(failed)
}

async fn each_partition_goes_to_one_hub_in_the_order_of_the_input(on: Kind) {
    let house = House::new(on).await;
    let run = cut(&house, 5).await;
    let claims = (0..8).map(|number| {
        let ledger = house.ledger.clone();
        tokio::spawn(async move { ledger.claim_partition(&hub(&format!("hub-{number}")), 10, LEASE_MS, None).await.unwrap() })
    });
    let mut got = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        got.extend(claim.await.unwrap());
    }
    got.sort_by_key(|claim| claim.lease.partition);
    assert_eq!(got.iter().map(|claim| (claim.lease.partition, claim.claims)).collect::<Vec<_>>(), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
    for claim in &got {
        assert_eq!((&claim.run.pins, claim.pulled.inputs.len()), (&Some(claim.pins.clone()), 1));
        assert_eq!(Step::Partitioned(claim.cutting.at.clone()), partitioned(5));
        house.end(claim, 20, done()).await.unwrap();
    }
    assert_eq!(house.states(run.run.id).await, ["done"; 5]);
    assert!(house.part("late", FOR_EVER).await.is_none());
    // Another partner sees none of it.
    house.ledger.apply(&declaration("fire", &["lgps"]), &person(1)).await.unwrap();
    assert!(house.ledger.partitions(Scope::Partner(&name("fire")), run.run.id).await.unwrap().is_empty());
    house.finish(&Claim { pulled: Some(got[0].pulled.clone()), ..run }, 30).await;
}

async fn who_was_overtaken_says_nothing_of_a_partition(on: Kind) {
    let house = House::new(on).await;
    let run = cut(&house, 1).await.run.id;
    let slow = house.part("slow", 1_000).await.unwrap();
    assert!(house.ledger.keep_partition(&slow.lease, 5_000, LEASE_MS).await.unwrap());
    assert!(house.part("quick", 14_999).await.is_none(), "the lease was renewed");
    let quick = house.part("quick", 15_000).await.unwrap();
    assert_eq!((quick.lease.partition, quick.lease.number, quick.claims), (1, 2, 2));
    assert!(!house.ledger.keep_partition(&slow.lease, 15_001, LEASE_MS).await.unwrap());
    for end in [done(), broken(None)] {
        let refused = house.end(&slow, 15_002, end).await;
        assert!(matches!(refused, Err(LedgerError::LeaseLost { lease: 1, current: 2, .. })), "{refused:?}");
    }
    // Nor under a made-up name, nor twice.
    let forged = PartitionLease { hub: hub("other"), ..quick.lease.clone() };
    assert!(house.ledger.end_partition(&forged, 15_003, &done()).await.is_err());
    house.end(&quick, 15_004, done()).await.unwrap();
    assert!(house.end(&quick, 15_005, broken(None)).await.is_err());
    let stands = house.ledger.partitions(Scope::Hub, run).await.unwrap();
    assert_eq!((stands[0].hub.as_ref(), stands[0].rows_read, stands[0].state()), (Some(&hub("quick")), 7, "done"));
}

async fn partitions_of_a_run_that_is_not_under_way_are_nobodys(on: Kind) {
    let house = House::new(on).await;
    for step in [Step::Held(reason("held")), failed(None), failed(Some(9)), Step::Skipped(reason("none"))] {
        let run = cut(&house, 3).await;
        let first = house.part("main", 5).await.unwrap();
        house.append(&run, 6, step).await;
        assert!(!house.ledger.keep_partition(&first.lease, 7, LEASE_MS).await.unwrap());
        assert!(matches!(house.end(&first, 7, done()).await, Err(LedgerError::LeaseLost { .. })));
        assert!(house.part("main", FOR_EVER).await.is_none());
        if house.run(run.run.id).await.state != RunState::Skipped {
            let cancel = Instruction::Cancel { why: "no".to_owned() };
            house.ledger.instruct(Scope::Hub, run.run.id, cancel, &person(8)).await.unwrap();
        }
    }
    let run = cut(&house, 3).await;
    let first = house.part("main", 5).await.unwrap();
    house.ledger.instruct(Scope::Hub, run.run.id, Instruction::Cancel { why: "no".to_owned() }, &person(8)).await.unwrap();
    assert!(matches!(house.end(&first, 9, done()).await, Err(LedgerError::LeaseLost { state: RunState::Cancelled, .. })));
    assert!(house.part("main", FOR_EVER).await.is_none());
}

async fn an_attempt_goes_on_with_what_the_one_before_cut(on: Kind) {
    let house = House::new(on).await;
    let first = cut(&house, 4).await;
    let parts = [house.part("main", 5).await.unwrap(), house.part("main", 5).await.unwrap(), house.part("main", 5).await.unwrap()];
    house.end(&parts[0], 6, done()).await.unwrap();
    house.end(&parts[1], 6, broken(Some(6))).await.unwrap();
    house.append(&first, 7, failed(Some(100))).await;
    let second = house.claim(100).await;
    assert_eq!(second.cutting.as_ref().map(|cutting| cutting.event), Some(parts[0].lease.cutting));
    house.ledger.go_on_with_partitions(&second.lease, 101).await.unwrap();
    // The third was left by the attempt that ended, whoever was at it.
    assert!(matches!(house.end(&parts[2], 102, done()).await, Err(LedgerError::LeaseLost { .. })));
    let mut again = Vec::new();
    while let Some(part) = house.part("second", 102).await {
        again.push((part.lease.partition, part.lease.number, part.claims));
    }
    assert_eq!(again, [(2, 2, 1), (3, 2, 1), (4, 1, 1)], "claims are counted anew, leases are not");
    let refused = house.ledger.go_on_with_partitions(&first.lease, 103).await;
    assert!(matches!(refused, Err(LedgerError::LeaseLost { .. })), "{refused:?}");
}

async fn a_run_that_begins_afresh_is_cut_anew(on: Kind) {
    let house = House::new(on).await;
    let first = cut(&house, 2).await;
    let old = house.part("main", 5).await.unwrap();
    house.append(&first, 6, failed(None)).await;
    let retry = Instruction::Retry { afresh: true, why: "again".to_owned() };
    house.ledger.instruct(Scope::Hub, first.run.id, retry, &person(7)).await.unwrap();
    assert!(house.states(first.run.id).await.is_empty());
    let second = house.claim(8).await;
    assert_eq!((&second.cutting, &second.pulled), (&None, &None));
    house.append(&second, 9, pulled("pay.csv")).await;
    house.append(&second, 10, partitioned(2)).await;
    let new = house.part("main", 11).await.unwrap();
    assert!((new.lease.partition, new.lease.number) == (1, 1) && new.lease.cutting > old.lease.cutting);
    // The same hub, the same number, the same lease: of another cutting.
    assert!(house.end(&old, 12, done()).await.is_err());
    house.end(&new, 12, done()).await.unwrap();
}

async fn a_run_that_is_taken_over_keeps_its_partitions(on: Kind) {
    let house = House::new(on).await;
    let first = cut(&house, 3).await;
    let (left, kept) = (house.part("main", 5).await.unwrap(), house.part("second", 5).await.unwrap());
    assert!(house.ledger.keep_partition(&kept.lease, 9_000, LEASE_MS).await.unwrap());
    let second = house.ledger.claim(&hub("third"), 10_002, LEASE_MS).await.unwrap().unwrap();
    assert_eq!((second.run.id, second.lease.number), (first.run.id, 2));
    house.ledger.go_on_with_partitions(&second.lease, 10_003).await.unwrap();
    // Its holder lives on, and ends it; the one whose holder does not is taken over when its lease has run out.
    house.end(&kept, 10_004, done()).await.unwrap();
    let of_run = house.ledger.claim_partition(&hub("third"), 10_005, LEASE_MS, Some(first.run.id)).await.unwrap().unwrap();
    assert_eq!((of_run.lease.partition, of_run.lease.number), (left.lease.partition, 2));
    let other_run = house.ledger.claim_partition(&hub("third"), 10_005, LEASE_MS, Some(RunId::at(1))).await.unwrap();
    assert_eq!(other_run, None);
    assert_eq!(house.part("third", 10_006).await.unwrap().lease.partition, 3);
    assert!(house.part("third", 10_007).await.is_none());
}

async fn a_hub_that_starts_again_lets_go_of_its_partitions(on: Kind) {
    let mut house = House::new(on).await;
    let run = cut(&house, 2).await;
    let (mine, theirs) = (house.part("helper", 5).await.unwrap(), house.part("other", 5).await.unwrap());
    assert_eq!(house.reopen().await, []);
    house.ledger.forget_leases(&hub("helper"), 6).await.unwrap();
    let again = house.part("helper", 7).await.unwrap();
    assert_eq!((again.lease.partition, again.lease.number), (mine.lease.partition, 2));
    assert!(house.part("helper", 8).await.is_none() && theirs.lease.partition == 2);
    // A row that was lost is made again from the log, and so is what hangs on it.
    house.raw("DELETE FROM partitions").await.unwrap();
    house.raw("UPDATE runs SET last_event = 1").await.unwrap();
    assert_eq!(house.reopen().await, [run.run.id]);
    assert_eq!(house.states(run.run.id).await, ["waiting"; 2]);
}
