//! The log is the truth: whatever becomes of the rows beside it, they are worked out from it again; and what was not committed never was.

use super::*;

on_both![
    events_are_neither_changed_nor_removed,
    a_log_cut_short_anywhere_is_gone_on_with,
    rows_that_ran_ahead_or_were_lost_are_worked_out_again,
    a_log_that_cannot_be_read_is_named,
    a_write_that_is_dropped_is_done_or_never_was
];

async fn events_are_neither_changed_nor_removed(on: Kind) {
    let house = House::new(on).await;
    house.enqueue(1).await;
    for harm in
        ["UPDATE run_events SET actor = 'person:nobody'", "DELETE FROM run_events", "UPDATE audit SET actor = 'x'", "DELETE FROM audit"]
    {
        let refused = house.raw(harm).await.unwrap_err();
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

async fn a_log_cut_short_anywhere_is_gone_on_with(on: Kind) {
    for life in 0..4 {
        let events = {
            let house = House::new(on).await;
            let run = lead(&house, life).await;
            house.kinds(run).await.len()
        };
        for kept in 0..events {
            let mut house = House::new(on).await;
            let run = lead(&house, life).await;
            let whole = house.ledger.events(Scope::Hub, run, 0).await.unwrap();
            house.harm("run_events", &format!("DELETE FROM run_events WHERE run = '{run}' AND seq > {kept}")).await;
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

async fn rows_that_ran_ahead_or_were_lost_are_worked_out_again(on: Kind) {
    for harm in [
        "UPDATE runs SET state = 'closed', last_event = 99, deliveries = 7",
        "UPDATE runs SET last_event = 1, state = 'queued'",
        "DELETE FROM runs; DELETE FROM receipts",
    ] {
        let mut house = House::new(on).await;
        let run = lead(&house, 0).await;
        let whole = house.run(run).await;
        house.harm("run_events", harm).await;
        assert_eq!(house.reopen().await, [run], "{harm}");
        assert_eq!(house.run(run).await, whole);
        assert_eq!(house.ledger.receipts(Scope::Hub, run).await.unwrap().len(), 2);
        assert_eq!(house.ledger.job_state(&police(), &lgps()).await.unwrap().len(), 2);
    }
}

async fn a_log_that_cannot_be_read_is_named(on: Kind) {
    let house = House::new(on).await;
    let run = lead(&house, 0).await;
    house.harm("run_events", "UPDATE run_events SET body = '{}' WHERE seq = 4; UPDATE runs SET last_event = 1").await;
    house.ledger.close().await;
    let error = Ledger::open(&house.database).await.unwrap_err();
    assert!(error.to_string().contains("event 4 (processed)"), "{error} of {run}");
}

/// The files as a kill would leave them, cut short where a power cut would cut them, opened by another hub.
async fn after_a_crash(house: &House, wal_bytes: Option<usize>) -> (TempDir, Ledger, Vec<RunId>) {
    let folder = TempDir::new().unwrap();
    let from = house.folder.path().join("data");
    let wal = std::fs::read(from.join("ledger.db-wal")).unwrap();
    std::fs::copy(from.join("ledger.db"), folder.path().join("ledger.db")).unwrap();
    std::fs::write(folder.path().join("ledger.db-wal"), &wal[..wal_bytes.unwrap_or(wal.len())]).unwrap();
    let database = Database::Sqlite(folder.path().join("ledger.db"));
    let (ledger, repaired) = Ledger::open_and_repair(&database).await.unwrap();
    (folder, ledger, repaired)
}

#[tokio::test]
async fn what_was_not_committed_never_was() {
    let house = House::new(Kind::Sqlite).await;
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
    let house = House::new(Kind::Sqlite).await;
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

/// Commits in a write-ahead log: frames that say how large the database is afterwards.
fn commits(house: &House) -> usize {
    const HEADER_BYTES: usize = 32;
    const FRAME_HEADER_BYTES: usize = 24;
    let wal = std::fs::read(house.folder.path().join("data/ledger.db-wal")).unwrap();
    let page_bytes = u32::from_be_bytes(wal[8..12].try_into().unwrap()) as usize;
    let frames = wal[HEADER_BYTES..].chunks_exact(FRAME_HEADER_BYTES + page_bytes);
    // What is left of the log before it was begun anew bears another salt.
    frames.filter(|frame| frame[8..16] == wal[16..24] && frame[4..8] != [0; 4]).count()
}

#[tokio::test]
async fn who_waits_to_write_shares_a_commit() {
    const WRITES: i64 = 64;
    let house = std::sync::Arc::new(House::new(Kind::Sqlite).await);
    let before = commits(&house);
    house.enqueue(1).await;
    assert_eq!(commits(&house), before + 1, "who is alone has a commit of its own");
    let writes = (0..WRITES).map(|now_ms| {
        let house = std::sync::Arc::clone(&house);
        tokio::spawn(async move { house.enqueue(now_ms).await })
    });
    let writes: Vec<_> = writes.collect();
    for write in writes {
        write.await.unwrap();
    }
    let shared = commits(&house) - before - 1;
    assert!(shared < WRITES as usize / 4, "{WRITES} writes in {shared} commits");
    let (_folder, ledger, _) = after_a_crash(&house, None).await;
    assert_eq!(ledger.run_counts(Scope::Hub).await.unwrap(), [(RunState::Queued, 1 + WRITES as u64)], "what was answered is there");
    assert_eq!(ledger.verify_audit().await.unwrap().broken, None);
}

/// As when a caller goes away, or a run's lease is lost, in the middle of a write.
async fn a_write_that_is_dropped_is_done_or_never_was(on: Kind) {
    let mut house = House::new(on).await;
    let mut answered = 0;
    for micros in 0..150_u64 {
        let (new, by) = (request("lgps", None), person(10));
        let dropped = house.ledger.enqueue(&new, &by);
        answered += u64::from(tokio::time::timeout(std::time::Duration::from_micros(micros * 40), dropped).await.is_ok());
    }
    // Whoever comes next is not kept waiting by it.
    house.enqueue(11).await;
    // Nothing is under way any more.
    assert!(house.reopen().await.is_empty());
    let runs = house.ledger.runs(Scope::Hub, &RunFilter::default(), 1_000).await.unwrap().items;
    assert!(runs.len() as u64 > answered && answered < 150, "{answered} answered, {} there", runs.len());
    for run in &runs {
        assert_eq!(house.kinds(run.id).await, ["enqueued"]);
    }
    let entries = house.ledger.audit(Scope::Hub, None, 1_000).await.unwrap().items;
    assert_eq!(entries.iter().filter(|entry| entry.action == "run.request").count(), runs.len());
    assert_eq!(house.ledger.verify_audit().await.unwrap().broken, None);
}
