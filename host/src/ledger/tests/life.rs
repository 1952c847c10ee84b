//! The life of a run in order, and how runs come into the queue.

use super::*;

on_both![
    a_run_from_queue_to_close,
    steps_out_of_order_are_refused_and_change_nothing,
    a_dry_run_delivers_nothing,
    people_release_retry_and_cancel,
    what_is_due_is_written_once,
    a_key_has_one_run_and_a_replay_keeps_what_it_replays,
    a_file_is_taken_once_by_each_job,
    lists_are_cut_into_pages_and_held_to_their_partner
];

async fn a_run_from_queue_to_close(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1_000).await;
    assert_eq!(house.run(run).await.state, RunState::Queued);

    let claim = house.claim(2_000).await;
    assert_eq!((claim.run.id, claim.run.state, claim.run.attempt, claim.lease.number), (run, RunState::Running, 1, 1));
    assert_eq!(claim.until_ms, 2_000 + LEASE_MS);
    assert_eq!((claim.pins.release, claim.pins.tables_through), (None, 0));
    let definition = house.ledger.definition(&police(), claim.pins.definition).await.unwrap();
    assert_eq!(definition.as_deref(), Some("police [\"lgps\", \"other\"]"));

    house.append(&claim, 2_100, pulled("pay.csv")).await;
    let staged = house.append(&claim, 2_200, processed(&["return", "ctr1"])).await;
    assert_eq!(staged.state, RunState::Staged);
    assert_eq!(staged.rows, RunRows { read: 4, accepted: 2, rejected: 1, skipped: 1, written: 4 });
    assert_eq!(house.append(&claim, 2_300, delivered("return")).await.state, RunState::Delivering);

    let early = house.ledger.append(&claim.lease, 2_350, closed()).await.unwrap_err();
    assert!(early.to_string().contains("1 of its 2 outputs have been delivered"), "{early}");
    house.append(&claim, 2_400, delivered("ctr1")).await;
    let done = house.append(&claim, 2_500, closed()).await;
    assert_eq!((done.state, done.outcome, done.ended_at_ms), (RunState::Closed, Some(Outcome::Delivered), Some(2_500)));
    assert_eq!(done, house.run(run).await);
    assert_eq!(house.kinds(run).await, ["enqueued", "claimed", "pulled", "processed", "delivered", "delivered", "closed"]);

    let Step::Processed(expected, _) = processed(&["return", "ctr1"]) else { unreachable!() };
    assert_eq!(house.ledger.processed(Scope::Hub, run).await.unwrap(), Some(*expected));
    let receipts = house.ledger.receipts(Scope::Hub, run).await.unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt.delivered.port.as_str()).collect::<Vec<_>>(), ["return", "ctr1"]);
    assert_eq!(house.ledger.receipts_of_content(Scope::Hub, Digest::of(b"ctr1")).await.unwrap().len(), 1);
    let state = house.ledger.job_state(&police(), &lgps()).await.unwrap();
    assert_eq!(state, [("bytes".to_owned(), vec![0, 255]), ("last".to_owned(), b"2026-03".to_vec())]);
    assert!(house.ledger.claim(&hub("main"), FOR_EVER, LEASE_MS).await.unwrap().is_none());
}

async fn steps_out_of_order_are_refused_and_change_nothing(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1_000).await;
    let claim = house.claim(1_000).await;
    for step in [delivered("return"), closed()] {
        assert!(matches!(house.ledger.append(&claim.lease, 1_001, step).await, Err(LedgerError::WrongState { .. })));
    }
    house.append(&claim, 1_002, processed(&["return"])).await;
    let other_bytes = match delivered("return") {
        Step::Delivered(delivered) => Step::Delivered(Delivered { digest: Digest::of(b"something else"), ..delivered }),
        step => step,
    };
    for step in [processed(&["return"]), pulled("a"), other_bytes, delivered("ctr1"), Step::Skipped(reason("late"))] {
        assert!(matches!(house.ledger.append(&claim.lease, 1_003, step).await, Err(LedgerError::WrongState { .. })));
    }
    house.append(&claim, 1_004, delivered("return")).await;
    assert!(matches!(house.ledger.append(&claim.lease, 1_005, delivered("return")).await, Err(LedgerError::WrongState { .. })));
    assert_eq!(house.kinds(run).await, ["enqueued", "claimed", "processed", "delivered"]);
    assert_eq!(house.run(run).await.deliveries(), 1);
}

async fn a_dry_run_delivers_nothing(on: Kind) {
    let house = House::new(on).await;
    house.ledger.enqueue(&NewRun { dry_run: true, ..request("lgps", None) }, &person(1)).await.unwrap();
    let claim = house.claim(2).await;
    house.append(&claim, 3, processed(&["return"])).await;
    for step in [delivered("return"), closed()] {
        assert!(matches!(house.ledger.append(&claim.lease, 4, step).await, Err(LedgerError::WrongState { .. })));
    }
    let dry = Step::Closed(Closed { outcome: Outcome::DryRun, state: Vec::new() });
    assert_eq!(house.append(&claim, 5, dry).await.outcome, Some(Outcome::DryRun));
}

async fn people_release_retry_and_cancel(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1_000).await;
    let claim = house.claim(1_000).await;
    house.append(&claim, 1_001, processed(&["return"])).await;
    let held = house.append(&claim, 1_002, Step::Held(reason("totals-do-not-balance"))).await;
    assert_eq!((held.state, held.reason), (RunState::Held, Some(reason("totals-do-not-balance"))));
    assert!(house.ledger.claim(&hub("main"), FOR_EVER, LEASE_MS).await.unwrap().is_none());

    let why = || "checked with payroll".to_owned();
    let act = async |instruction, now_ms| house.ledger.instruct(Scope::Hub, run, instruction, &person(now_ms)).await;

    act(Instruction::Release { why: why() }, 1_003).await.unwrap();
    let claim = house.claim(1_004).await;
    assert!(claim.run.released && claim.processed.is_some());
    assert_eq!((claim.run.state, claim.run.attempt), (RunState::Staged, 1));
    let pins = claim.pins.clone();

    house.append(&claim, 1_005, failed(Some(5_000))).await;
    assert!(house.ledger.claim(&hub("main"), 4_999, LEASE_MS).await.unwrap().is_none());
    let claim = house.claim(5_000).await;
    assert_eq!((claim.run.attempt, &claim.pins), (2, &pins));
    house.append(&claim, 5_001, failed(None)).await;

    house.ledger.apply(&declaration("police", &["lgps"]), &person(5_002)).await.unwrap();
    assert!(act(Instruction::Release { why: why() }, 5_003).await.is_err());
    act(Instruction::Retry { afresh: true, why: why() }, 5_004).await.unwrap();
    let claim = house.claim(5_005).await;
    assert_eq!((claim.run.state, claim.run.attempt, claim.lease.number), (RunState::Running, 1, 4));
    assert!(claim.processed.is_none() && !claim.run.released && claim.pins != pins);
    assert_eq!(claim.run.enqueued.seed, held.enqueued.seed);

    house.append(&claim, 5_006, processed(&["return"])).await;
    house.append(&claim, 5_007, delivered("return")).await;
    house.append(&claim, 5_008, failed(None)).await;
    let refused = act(Instruction::Retry { afresh: true, why: why() }, 5_009).await.unwrap_err();
    assert!(refused.to_string().contains("have been delivered"), "{refused}");
    act(Instruction::Retry { afresh: false, why: why() }, 5_010).await.unwrap();
    let claim = house.claim(5_011).await;
    assert_eq!((claim.run.state, claim.delivered.len()), (RunState::Delivering, 1));

    let other = name("fire");
    let hidden = house.ledger.instruct(Scope::Partner(&other), run, Instruction::Cancel { why: why() }, &person(6_000)).await;
    assert!(matches!(hidden, Err(LedgerError::NotFound { .. })));
    assert_eq!(act(Instruction::Cancel { why: why() }, 6_001).await.unwrap().state, RunState::Cancelled);
    assert!(matches!(house.ledger.append(&claim.lease, 6_002, closed()).await, Err(LedgerError::LeaseLost { .. })));
    assert!(act(Instruction::Cancel { why: why() }, 6_003).await.is_err());
}

fn due(since_ms: i64, through_ms: i64, slots: &[(&str, bool)]) -> Due {
    let slot = |(key, runs): &(&str, bool)| DueSlot {
        key: (*key).to_owned(),
        logical_ms: 77,
        trigger: Trigger::Schedule,
        skip: (!runs).then(|| reason("caught-up")),
    };
    Due {
        partner: police(),
        job: lgps(),
        since_ms,
        through_ms,
        next_ms: through_ms + 1_000,
        calendar: "england-2026".to_owned(),
        slots: slots.iter().map(slot).collect(),
    }
}

async fn what_is_due_is_written_once(on: Kind) {
    let house = House::new(on).await;
    let by = By::hub(&hub("main"), 5_000);
    let stretch = due(1, 5_000, &[("a", false), ("b", true), ("c", true)]);
    let runs = house.ledger.record_due(&stretch, &by).await.unwrap().unwrap();
    assert_eq!(runs.len(), 3);
    assert!(runs.is_sorted(), "runs sort as their slots do");
    let skipped = house.run(runs[0]).await;
    assert_eq!((skipped.state, skipped.reason), (RunState::Skipped, Some(reason("caught-up"))));
    assert_eq!(house.run(runs[2]).await.enqueued.calendar, "england-2026");
    assert_eq!(house.ledger.job(&police(), &lgps()).await.unwrap().scheduled_through_ms, 5_000);

    assert_eq!(house.ledger.record_due(&stretch, &by).await.unwrap(), None, "the cursor has moved on");
    let next = due(5_000, 6_000, &[("c", true), ("d", true)]);
    assert_eq!(house.ledger.record_due(&next, &by).await.unwrap().unwrap().len(), 1, "c has its run");

    house.ledger.pause((&police(), &lgps()), "audit", &person(1)).await.unwrap();
    assert_eq!(house.ledger.record_due(&due(6_000, 7_000, &[("e", true)]), &by).await.unwrap(), None);
    house.ledger.resume((&police(), &lgps()), &person(1)).await.unwrap();
    assert_eq!(house.ledger.record_due(&due(6_000, 7_000, &[("e", true)]), &by).await.unwrap().unwrap().len(), 1);
    let counts = house.ledger.run_counts(Scope::Hub).await.unwrap();
    assert_eq!(counts, [(RunState::Queued, 4), (RunState::Skipped, 1)]);
}

async fn a_key_has_one_run_and_a_replay_keeps_what_it_replays(on: Kind) {
    let house = House::new(on).await;
    let first = house.ledger.enqueue(&request("lgps", Some("key-1")), &person(1_000)).await.unwrap();
    let again = house.ledger.enqueue(&request("lgps", Some("key-1")), &person(2_000)).await.unwrap();
    assert_eq!((first.new, again), (true, Queued { run: first.run, new: false }));
    assert!(house.ledger.enqueue(&request("other", Some("key-1")), &person(2_000)).await.unwrap().new);
    let missing = house.ledger.enqueue(&request("unheard-of", None), &person(1)).await;
    assert!(matches!(missing, Err(LedgerError::NoSuchJob { .. })));

    let origin = house.claim(3_000).await;
    house.append(&origin, 3_001, Step::Skipped(reason("no-file"))).await;
    let replay = NewRun { trigger: Trigger::Replay(first.run), logical_ms: 9_999, ..request("lgps", None) };
    let replay = house.ledger.enqueue(&replay, &person(4_000)).await.unwrap().run;
    let replayed = house.run(replay).await;
    assert_eq!(replayed.enqueued.logical_ms, 500);
    assert_eq!(replayed.enqueued.seed, origin.run.enqueued.seed);
    assert_eq!(replayed.pins, Some(origin.pins));
    let elsewhere = NewRun { trigger: Trigger::Replay(first.run), ..request("other", None) };
    assert!(matches!(house.ledger.enqueue(&elsewhere, &person(1)).await, Err(LedgerError::NotFound { .. })));
}

async fn a_file_is_taken_once_by_each_job(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1).await;
    let claim = house.claim(1).await;
    house.append(&claim, 2, pulled("pay.csv")).await;
    house.append(&claim, 3, pulled("pay.csv")).await;
    house.append(&claim, 4, failed(None)).await;

    let inbox = name("inbox");
    let (police, lgps, digest) = (police(), lgps(), Digest::of(b"pay.csv"));
    for question in [FileQuestion::Path("pay.csv"), FileQuestion::Digest(digest)] {
        let taken = house.ledger.taken_files((&police, &lgps), &inbox, question).await.unwrap();
        assert_eq!(taken.iter().map(|file| (file.run, file.size_bytes)).collect::<Vec<_>>(), [(run, 82)]);
        let other = name("other");
        assert!(house.ledger.taken_files((&police, &other), &inbox, question).await.unwrap().is_empty());
    }

    let second = house.enqueue(5).await;
    let claim = house.claim(5).await;
    let refused = house.ledger.append(&claim.lease, 6, pulled("pay.csv")).await.unwrap_err();
    assert!(matches!(refused, LedgerError::FileTaken { run: owner, .. } if owner == run), "{refused}");
    assert_eq!(house.kinds(second).await, ["enqueued", "claimed"]);
    let Step::Pulled(mut kept) = pulled("pay.csv") else { unreachable!() };
    kept.inputs[0].taken = false;
    house.append(&claim, 7, Step::Pulled(kept)).await;
}

async fn lists_are_cut_into_pages_and_held_to_their_partner(on: Kind) {
    let house = House::new(on).await;
    house.ledger.apply(&declaration("fire", &["lgps"]), &person(1)).await.unwrap();
    let mut expected = Vec::new();
    for now_ms in 0..7 {
        expected.push(house.enqueue(now_ms).await);
    }
    let fire = house.ledger.enqueue(&NewRun { partner: name("fire"), ..request("lgps", None) }, &person(100)).await.unwrap().run;
    expected.reverse();

    let police = police();
    let mut seen = Vec::new();
    let mut filter = RunFilter::default();
    loop {
        let page = house.ledger.runs(Scope::Partner(&police), &filter, 3).await.unwrap();
        seen.extend(page.items.iter().map(|run| run.id));
        // A run that comes in while somebody turns the pages does not move the others.
        house.ledger.enqueue(&request("other", None), &person(200)).await.unwrap();
        let Some(next) = page.next else { break };
        filter.before = Some(next);
    }
    assert_eq!(seen, expected);

    let of_job = RunFilter { job: Some(name("other")), state: Some(RunState::Queued), before: None };
    assert_eq!(house.ledger.runs(Scope::Hub, &of_job, 100).await.unwrap().items.len(), 3);
    assert!(house.ledger.run(Scope::Partner(&police), fire).await.unwrap().is_none());
    let (whole, none) = (fire.to_string(), Vec::<RunId>::new());
    assert_eq!(house.ledger.runs_beginning(Scope::Hub, &whole).await.unwrap(), [fire]);
    assert_eq!(house.ledger.runs_beginning(Scope::Partner(&police), &whole).await.unwrap(), none);
    assert_eq!(house.ledger.runs_beginning(Scope::Hub, &whole[..1]).await.unwrap().len(), 2, "more than one is all that is told");
    assert_eq!(house.ledger.runs_beginning(Scope::Hub, "' OR ''='").await.unwrap(), none);
    assert!(house.ledger.events(Scope::Partner(&police), fire, 0).await.unwrap().is_empty());
    assert_eq!(house.ledger.run_counts(Scope::Partner(&name("fire"))).await.unwrap(), [(RunState::Queued, 1)]);
    let last = house.ledger.last_runs(Scope::Hub).await.unwrap();
    assert_eq!(
        last.iter().map(|run| (run.partner().as_str(), run.job().as_str())).collect::<Vec<_>>(),
        [("fire", "lgps"), ("police", "lgps"), ("police", "other")]
    );
    assert_eq!(last[1].id, expected[0]);
}
