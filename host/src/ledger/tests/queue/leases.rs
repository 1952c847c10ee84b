//! Leases: who wins, who has lost, and what a hub that comes back may still do.

use super::*;

on_both![
    of_two_claims_one_wins,
    two_hubs_on_one_database_share_the_work,
    the_oldest_goes_first_and_the_next_when_it_has_ended,
    who_was_overtaken_changes_nothing,
    a_hub_that_starts_again_takes_its_runs_over_at_once,
    futures_can_move_between_threads
];

async fn of_two_claims_one_wins(on: Kind) {
    let house = House::new(on).await;
    for now_ms in 0..5 {
        house.enqueue(now_ms).await;
    }
    let claims = (0..8).map(|hub_number| {
        let ledger = house.ledger.clone();
        tokio::spawn(async move { ledger.claim(&hub(&format!("hub-{hub_number}")), 10, LEASE_MS).await.unwrap() })
    });
    let claims: Vec<_> = claims.collect();
    let mut won = Vec::new();
    for claim in claims {
        won.extend(claim.await.unwrap());
    }
    assert_eq!(won.len(), 1, "one run of a job at a time, and one hub for it");
    let other = house.ledger.enqueue(&request("other", None), &person(11)).await.unwrap().run;
    assert_eq!(house.claim(12).await.run.id, other, "another job is not kept waiting");
}

async fn two_hubs_on_one_database_share_the_work(on: Kind) {
    let house = House::new(on).await;
    let mine = house.enqueue(1).await;
    let theirs = house.ledger.enqueue(&request("other", None), &person(2)).await.unwrap().run;
    let second = Ledger::open(&house.database).await.unwrap();
    assert_eq!(house.claim(3).await.run.id, mine);
    assert_eq!(second.claim(&hub("second"), 3, LEASE_MS).await.unwrap().unwrap().run.id, theirs);
    assert!(second.claim(&hub("second"), 3, LEASE_MS).await.unwrap().is_none());
}

async fn the_oldest_goes_first_and_the_next_when_it_has_ended(on: Kind) {
    let house = House::new(on).await;
    let (first, second) = (house.enqueue(1).await, house.enqueue(2).await);
    let claim = house.claim(3).await;
    assert_eq!(claim.run.id, first);
    assert!(house.ledger.claim(&hub("main"), 3, LEASE_MS).await.unwrap().is_none());
    house.append(&claim, 4, Step::Held(reason("look"))).await;
    assert_eq!(house.claim(5).await.run.id, second, "a held run keeps nobody waiting");
}

async fn who_was_overtaken_changes_nothing(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1).await;
    let slow = house.claim(1_000).await;
    house.append(&slow, 1_001, pulled("pay.csv")).await;
    assert!(house.ledger.heartbeat(&slow.lease, 5_000, LEASE_MS).await.unwrap());
    assert!(house.ledger.claim(&hub("second"), 14_999, LEASE_MS).await.unwrap().is_none(), "the lease was renewed");

    let quick = house.ledger.claim(&hub("second"), 15_000, LEASE_MS).await.unwrap().unwrap();
    assert_eq!((quick.run.id, quick.lease.number, quick.run.attempt), (run, 2, 2));
    assert!(matches!(pulled("pay.csv"), Step::Pulled(files) if quick.pulled.as_ref() == Some(&files)));

    let before = (house.run(run).await, house.ledger.events(Scope::Hub, run, 0).await.unwrap());
    assert!(!house.ledger.heartbeat(&slow.lease, 15_001, LEASE_MS).await.unwrap());
    let found = Found { findings: Vec::new(), log: vec![LogLine { level: "info".to_owned(), message: "late".to_owned() }] };
    for step in [
        pulled("other.csv"),
        processed_with(&["return"], found),
        delivered("return"),
        closed(),
        Step::Held(reason("x")),
        failed(None),
        Step::Skipped(reason("x")),
    ] {
        let lost = house.ledger.append(&slow.lease, 15_002, step).await.unwrap_err();
        assert!(matches!(lost, LedgerError::LeaseLost { lease: 1, current: 2, .. }), "{lost}");
    }
    assert_eq!((house.run(run).await, house.ledger.events(Scope::Hub, run, 0).await.unwrap()), before);
    assert_eq!(house.finish(&quick, 15_003).await.state, RunState::Closed);
}

async fn a_hub_that_starts_again_takes_its_runs_over_at_once(on: Kind) {
    let mut house = House::new(on).await;
    let run = house.enqueue(1).await;
    house.ledger.enqueue(&request("other", None), &person(2)).await.unwrap();
    let dead = house.claim(1_000).await;
    house.append(&dead, 1_001, processed(&["return", "ctr1"])).await;
    house.append(&dead, 1_002, delivered("return")).await;
    house.ledger.claim(&hub("second"), 1_003, LEASE_MS).await.unwrap().unwrap();

    assert!(house.reopen().await.is_empty());
    assert!(house.ledger.claim(&hub("main"), 1_004, LEASE_MS).await.unwrap().is_none());
    assert_eq!(house.ledger.forget_leases(&hub("main"), 1_004).await.unwrap(), 1, "not those of the other hub");
    let claim = house.claim(1_004).await;
    assert_eq!((claim.run.id, claim.run.state, claim.delivered.len()), (run, RunState::Delivering, 1));
    assert_eq!(house.finish(&claim, 1_005).await.state, RunState::Closed);
    assert_eq!(house.ledger.receipts(Scope::Hub, run).await.unwrap().len(), 2);
}

async fn futures_can_move_between_threads(on: Kind) {
    fn movable<F: Future + Send>(future: F) -> F {
        future
    }
    let house = House::new(on).await;
    let ledger = &house.ledger;
    let by = person(1);
    movable(ledger.enqueue(&request("lgps", None), &by)).await.unwrap();
    let claim = movable(ledger.claim(&by.hub, 2, LEASE_MS)).await.unwrap().unwrap();
    movable(ledger.append(&claim.lease, 3, processed(&["return"]))).await.unwrap();
    movable(ledger.instruct(Scope::Hub, claim.run.id, Instruction::Cancel { why: String::new() }, &by)).await.unwrap();
    movable(ledger.apply(&declaration("fire", &["lgps"]), &by)).await.unwrap();
    movable(ledger.verify_audit()).await.unwrap();
    movable(ledger.runs(Scope::Hub, &RunFilter::default(), 10)).await.unwrap();
    movable(ledger.findings((Scope::Hub, claim.run.id), FoundEffect::Warn, None, 1)).await.unwrap();
}

/// What a connection that is lost took with it is done again, and what was done is not done twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_are_ridden_out() {
    const WORKERS: i64 = 4;
    const RUNS: i64 = 12;
    let house = std::sync::Arc::new(House::new(Kind::Postgres).await);
    let workers = (0..WORKERS).map(|worker| {
        let house = std::sync::Arc::clone(&house);
        tokio::spawn(async move {
            for now_ms in 0..RUNS {
                house.ledger.enqueue(&request(if worker % 2 == 0 { "lgps" } else { "other" }, None), &person(now_ms)).await.unwrap();
            }
            let mut closed = 0;
            while house.ledger.run_counts(Scope::Hub).await.unwrap() != [(RunState::Closed, (WORKERS * RUNS) as u64)] {
                let Some(claim) = house.ledger.claim(&hub(&format!("hub-{worker}")), 100, FOR_EVER).await.unwrap() else {
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                    continue;
                };
                house.append(&claim, 101, processed(&["return"])).await;
                house.append(&claim, 102, delivered("return")).await;
                house.append(&claim, 103, closed_without_state()).await;
                closed += 1;
            }
            closed
        })
    });
    let workers: Vec<_> = workers.collect();
    let saboteur = tokio::spawn({
        let house = std::sync::Arc::clone(&house);
        async move {
            // Rarer with time, so that a busy machine comes to an end too.
            for pause_ms in (15..).step_by(3) {
                let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'bailiwick' AND random() < 0.5";
                house.raw(kill).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
            }
        }
    });
    let mut closed = 0;
    for worker in workers {
        closed += worker.await.unwrap();
    }
    saboteur.abort();
    assert_eq!(closed, WORKERS * RUNS, "each was closed by the one who had it");
    let audit = house.ledger.verify_audit().await.unwrap();
    // The apply, and of each run that it was asked for and closed.
    assert_eq!((audit.entries, audit.broken), ((1 + 2 * WORKERS * RUNS) as u64, None));
}

fn closed_without_state() -> Step {
    Step::Closed(Closed { outcome: Outcome::Delivered, state: Vec::new() })
}
