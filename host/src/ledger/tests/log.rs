//! The log is the truth: whatever becomes of the rows beside it, they are worked out from it again; and what was not committed never was.

use std::path::Path;

use sqlx::Connection;

use super::*;

const UNLOCK: &str = "DROP TRIGGER run_events_are_not_removed; DROP TRIGGER run_events_are_not_changed;";
const LOCK: &str = "
CREATE TRIGGER run_events_are_not_removed BEFORE DELETE ON run_events BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER run_events_are_not_changed BEFORE UPDATE ON run_events BEGIN SELECT RAISE(ABORT, 'append-only'); END;";

#[tokio::test]
async fn events_are_neither_changed_nor_removed() {
    let house = House::new().await;
    house.enqueue(1).await;
    let mut raw = house.raw().await;
    for harm in
        ["UPDATE run_events SET actor = 'person:nobody'", "DELETE FROM run_events", "UPDATE audit SET actor = 'x'", "DELETE FROM audit"]
    {
        let refused = sqlx::query(harm).execute(&mut raw).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{harm}: {refused}");
    }
}

/// Lives that runs lead, each as a function of the house that leads one from the queue to its end.
async fn lead(house: &House, life: usize) -> RunId {
    let run = house.enqueue(1_000).await;
    let claim = house.claim(1_000).await;
    match life {
        0 => {
            house.finish(&claim, 1_010).await;
        }
        1 => {
            house.append(&claim, 1_001, pulled("pay.csv")).await;
            house.append(&claim, 1_002, failed(Some(2_000))).await;
            let claim = house.claim(2_000).await;
            house.append(&claim, 2_001, processed(&["return", "ctr1"])).await;
            house.append(&claim, 2_002, delivered("return")).await;
            let claim = house.claim(FOR_EVER / 2).await;
            house.finish(&claim, FOR_EVER / 2 + 1).await;
        }
        2 => {
            house.append(&claim, 1_001, processed(&["return"])).await;
            house.append(&claim, 1_002, Step::Held(reason("totals"))).await;
            let release = Instruction::Release { why: "fine".to_owned() };
            house.ledger.instruct(Scope::Hub, run, release, &person(1_003)).await.unwrap();
            let claim = house.claim(1_004).await;
            house.append(&claim, 1_005, failed(None)).await;
            let retry = Instruction::Retry { afresh: true, why: "mended".to_owned() };
            house.ledger.instruct(Scope::Hub, run, retry, &person(1_006)).await.unwrap();
            let claim = house.claim(1_007).await;
            house.finish(&claim, 1_008).await;
        }
        _ => {
            house.append(&claim, 1_001, pulled("pay.csv")).await;
            house.append(&claim, 1_002, Step::Skipped(reason("empty"))).await;
        }
    }
    run
}

#[tokio::test]
async fn a_log_cut_short_anywhere_is_gone_on_with() {
    for life in 0..4 {
        let events = {
            let house = House::new().await;
            let run = lead(&house, life).await;
            house.kinds(run).await.len()
        };
        for kept in 0..events {
            let mut house = House::new().await;
            let run = lead(&house, life).await;
            let whole = house.ledger.events(Scope::Hub, run, 0).await.unwrap();
            let mut raw = house.raw().await;
            let cut = format!("{UNLOCK} DELETE FROM run_events WHERE run = '{run}' AND seq > {kept}; {LOCK}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(cut)).execute(&mut raw).await.unwrap();
            raw.close().await.unwrap();
            assert_eq!(house.reopen().await, [run], "life {life} cut after {kept}");
            check_repaired(&house, run, &whole[..kept]).await;
            assert!(house.reopen().await.is_empty(), "what was repaired agrees");
        }
    }
}

async fn check_repaired(house: &House, run: RunId, kept: &[LoggedEvent]) {
    let stored = house.ledger.run(Scope::Hub, run).await.unwrap();
    assert_eq!(stored, Run::fold(run, kept).unwrap());
    let count = |kind| kept.iter().filter(|logged| logged.event.kind() == kind).count();
    assert_eq!(house.ledger.receipts(Scope::Hub, run).await.unwrap().len(), count("delivered"));
    let inbox = name("inbox");
    let taken = house.ledger.taken_files((&police(), &lgps()), &inbox, FileQuestion::Path("pay.csv")).await.unwrap();
    assert_eq!(taken.len(), count("pulled").min(1));
    assert!(house.ledger.job_state(&police(), &lgps()).await.unwrap().is_empty(), "only a closed run leaves state");

    let Some(stored) = stored else { return };
    let claim = house.ledger.claim(&hub("main"), FOR_EVER, LEASE_MS).await.unwrap();
    if matches!(stored.state, RunState::Held | RunState::Failed) {
        assert!(claim.is_none());
        let retry = Instruction::Retry { afresh: false, why: String::new() };
        house.ledger.instruct(Scope::Hub, run, retry, &person(FOR_EVER)).await.unwrap();
    }
    let claim = match claim {
        Some(claim) => claim,
        None => house.claim(FOR_EVER).await,
    };
    assert_eq!((claim.run.id, claim.lease.number), (run, stored.lease + 1));
    close(house, &claim).await;
    assert_eq!(house.run(run).await.state, RunState::Closed);
    assert_eq!(house.ledger.job_state(&police(), &lgps()).await.unwrap().len(), 2);
}

/// Brings a run to its end whatever outputs its earlier attempts staged.
async fn close(house: &House, claim: &Claim) {
    let Some(processed) = &claim.processed else {
        house.finish(claim, FOR_EVER).await;
        return;
    };
    for output in &processed.outputs {
        if !claim.delivered.iter().any(|delivered| delivered.port == output.port) {
            house.append(claim, FOR_EVER, delivered(&output.port)).await;
        }
    }
    house.append(claim, FOR_EVER, closed()).await;
}

#[tokio::test]
async fn rows_that_ran_ahead_or_were_lost_are_worked_out_again() {
    for harm in [
        "UPDATE runs SET state = 'closed', last_event = 99, deliveries = 7",
        "UPDATE runs SET last_event = 1, state = 'queued'",
        "PRAGMA foreign_keys = OFF; DELETE FROM runs; DELETE FROM receipts",
    ] {
        let mut house = House::new().await;
        let run = lead(&house, 0).await;
        let whole = house.run(run).await;
        let mut raw = house.raw().await;
        sqlx::raw_sql(harm).execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
        assert_eq!(house.reopen().await, [run], "{harm}");
        assert_eq!(house.run(run).await, whole);
        assert_eq!(house.ledger.receipts(Scope::Hub, run).await.unwrap().len(), 2);
        assert_eq!(house.ledger.job_state(&police(), &lgps()).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_named() {
    let mut house = House::new().await;
    let run = lead(&house, 0).await;
    let mut raw = house.raw().await;
    let harm = format!("{UNLOCK} UPDATE run_events SET body = '{{}}' WHERE seq = 4; UPDATE runs SET last_event = 1; {LOCK}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(harm)).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
    house.ledger.close().await;
    let error = Ledger::open(&house.folder.path().join("data/ledger.db")).await.unwrap_err();
    assert!(error.to_string().contains("event 4 (processed)"), "{error} of {run}");
    house.ledger = Ledger::open(&house.folder.path().join("another.db")).await.unwrap();
}

/// The files as a kill would leave them, cut short where a power cut would cut them, opened by another hub.
async fn after_a_crash(house: &House, wal_bytes: Option<usize>) -> (TempDir, Ledger, Vec<RunId>) {
    let folder = TempDir::new().unwrap();
    let from = house.folder.path().join("data");
    let wal = std::fs::read(from.join("ledger.db-wal")).unwrap();
    std::fs::copy(from.join("ledger.db"), folder.path().join("ledger.db")).unwrap();
    std::fs::write(folder.path().join("ledger.db-wal"), &wal[..wal_bytes.unwrap_or(wal.len())]).unwrap();
    let path: &Path = &folder.path().join("ledger.db");
    let (ledger, repaired) = Ledger::open_and_repair(path).await.unwrap();
    (folder, ledger, repaired)
}

#[tokio::test]
async fn what_was_not_committed_never_was() {
    let house = House::new().await;
    let run = house.enqueue(1_000).await;
    let claim = house.claim(1_000).await;
    house.append(&claim, 1_001, pulled("pay.csv")).await;
    let committed = house.run(run).await;

    let mut transaction = house.ledger.store.begin().await.unwrap();
    let mut run_in_hand = runs::load(&mut transaction, run).await.unwrap().unwrap();
    let event = RunEvent::Held(reason("half-way"));
    runs::record(&mut transaction, &mut run_in_hand, event, &person(1_002)).await.unwrap();
    let (_folder, ledger, repaired) = after_a_crash(&house, None).await;
    assert!(repaired.is_empty());
    assert_eq!(ledger.run(Scope::Hub, run).await.unwrap(), Some(committed.clone()));
    ledger.close().await;

    drop(transaction);
    assert_eq!(house.run(run).await, committed);
    assert_eq!(house.append(&claim, 1_003, processed(&["return"])).await.state, RunState::Staged);
}

#[tokio::test]
async fn a_write_ahead_log_torn_anywhere_leaves_whole_transactions() {
    let house = House::new().await;
    let run = lead(&house, 0).await;
    let wal_bytes = std::fs::metadata(house.folder.path().join("data/ledger.db-wal")).unwrap().len() as usize;
    let mut lengths = Vec::new();
    for part in 0..24 {
        let (_folder, ledger, repaired) = after_a_crash(&house, Some(wal_bytes * part / 24 + part * 7)).await;
        assert!(repaired.is_empty(), "a row and its events are written together");
        let events = ledger.events(Scope::Hub, run, 0).await.unwrap();
        assert_eq!(ledger.run(Scope::Hub, run).await.unwrap(), Run::fold(run, &events).unwrap());
        assert_eq!(ledger.verify_audit().await.unwrap().broken, None);
        lengths.push(events.len());
        ledger.close().await;
    }
    assert!(lengths.is_sorted() && lengths.first() < lengths.last(), "{lengths:?}");
}
