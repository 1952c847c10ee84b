//! Quarantine: who waits, who has left and how, what may come back; and that no row is lost or counted twice whatever persons do.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::outcome;
use crate::model::personal::Kept;

on_both![
    rejects_wait_once_their_run_has_closed,
    rejects_are_assigned_and_dismissed,
    what_comes_back_does_so_once,
    a_cancelled_resubmission_gives_its_rows_back,
    a_partner_sees_and_does_nothing_of_anothers
];

fn reject(number: u64, supersedes: Option<FindingId>) -> NewFinding {
    let code = ["ni-number-invalid", "date-not-in-calendar"][(number % 2) as usize];
    NewFinding {
        effect: FoundEffect::Reject,
        port: "payroll".to_owned(),
        row: Some(number),
        line: Some(number + 2),
        byte_offset: Some(number * 10),
        reasons: vec![outcome::Reason { column: None, code: code.to_owned(), message: "It is refused.".to_owned() }],
        record: Kept::plain(Some(format!("row {number}").into_bytes()), None),
        supersedes,
    }
}

/// A processing that accepted and rejected so many rows, of a run that brings rows back with what they supersede.
fn came_to(accepted: u64, rejects: Vec<NewFinding>) -> Step {
    let rejected = rejects.len() as u64;
    let Step::Processed(mut processed, found) = processed_with(&[], Found { findings: rejects, log: Vec::new() }) else { unreachable!() };
    processed.totals.inputs[0].rows = RowCounts { read: accepted + rejected, accepted, rejected, skipped: 0 };
    processed.rejects = rejected;
    Step::Processed(processed, found)
}

fn close() -> Step {
    Step::Closed(Closed { outcome: Outcome::Delivered, state: Vec::new() })
}

/// A run that closed with some rejects, numbered from 1.
async fn closed_with(house: &House, rejects: u64, now_ms: i64) -> RunId {
    let run = house.enqueue(now_ms).await;
    let claim = house.claim(now_ms).await;
    house.append(&claim, now_ms, came_to(3, (1..=rejects).map(|number| reject(number, None)).collect())).await;
    house.append(&claim, now_ms, close()).await;
    run
}

fn back(origin: RunId, numbers: &[u64]) -> NewResubmission {
    let rows = numbers.iter().zip(0..).map(|(number, place): (_, u64)| (*number, place * 7)).collect();
    NewResubmission { origin, port: "payroll".to_owned(), artefact: Digest::of(b"corrected"), size_bytes: 70, rows, afresh: false }
}

async fn counts(house: &House, run: RunId) -> (u64, u64, u64) {
    let all = house.ledger.quarantined(Scope::Hub, run).await.unwrap();
    (all.waiting, all.dismissed, all.superseded)
}

async fn rejects_wait_once_their_run_has_closed(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1).await;
    let claim = house.claim(1).await;
    house.append(&claim, 2, came_to(3, vec![reject(1, None), reject(2, None)])).await;
    assert_eq!(counts(&house, run).await, (0, 0, 0), "until it closes the run waits as a whole");
    house.append(&claim, 5, close()).await;
    assert_eq!(counts(&house, run).await, (2, 0, 0));
    let dry = NewRun { dry_run: true, ..request("lgps", None) };
    let dry = house.ledger.enqueue(&dry, &person(6)).await.unwrap().run;
    let claim = house.claim(6).await;
    house.append(&claim, 7, came_to(1, vec![reject(1, None)])).await;
    house.append(&claim, 8, Step::Closed(Closed { outcome: Outcome::DryRun, state: Vec::new() })).await;
    assert_eq!(counts(&house, dry).await, (0, 0, 0), "nothing of a dry run is to be done");

    let other = closed_with(&house, 3, 1_000).await;
    let groups = house.ledger.waiting_groups(Scope::Hub, &QuarantineFilter::default()).await.unwrap();
    let told: Vec<_> = groups.iter().map(|group| (group.code.as_str(), group.rows, group.unowned, group.since_ms)).collect();
    assert_eq!(told, [("date-not-in-calendar", 3, 3, 5), ("ni-number-invalid", 2, 2, 5)]);
    assert_eq!(groups[0].due_ms, 5 + 5 * 86_400_000);
    let of = |filter: QuarantineFilter, after| {
        let ledger = house.ledger.clone();
        async move { ledger.waiting(Scope::Hub, &filter, after, 2).await.unwrap() }
    };
    let first = of(QuarantineFilter::default(), None).await;
    let second = of(QuarantineFilter::default(), first.next).await;
    let third = of(QuarantineFilter::default(), second.next).await;
    let all: Vec<_> =
        [first.items, second.items, third.items].concat().iter().map(|item| (item.finding.id.run, item.finding.id.number)).collect();
    assert_eq!((all, third.next), (vec![(run, 1), (run, 2), (other, 1), (other, 2), (other, 3)], None));
    for (filter, rows) in [
        (QuarantineFilter { since_ms: Some(5), ..Default::default() }, 2),
        (QuarantineFilter { run: Some(other), code: Some("ni-number-invalid".to_owned()), ..Default::default() }, 1),
        (QuarantineFilter { job: Some(name("other")), ..Default::default() }, 0),
        (QuarantineFilter { partner: Some(name("fire")), ..Default::default() }, 0),
    ] {
        assert_eq!(of(filter.clone(), None).await.items.len(), rows, "{filter:?}");
    }
}

async fn rejects_are_assigned_and_dismissed(on: Kind) {
    let house = House::new(on).await;
    let run = closed_with(&house, 5, 1).await;
    let some = |numbers: &[u64]| Chosen { code: None, numbers: Some(numbers.to_vec()) };
    assert_eq!(house.ledger.assign_rejects(Scope::Hub, (run, &some(&[1, 2, 9])), "Ann", &person(2)).await.unwrap(), 2);
    let hers = QuarantineFilter { owner: Some("Ann".to_owned()), ..Default::default() };
    assert_eq!(house.ledger.waiting(Scope::Hub, &hers, None, 9).await.unwrap().items.len(), 2);
    let nobodys = QuarantineFilter { owner: Some(String::new()), ..Default::default() };
    assert_eq!(house.ledger.waiting(Scope::Hub, &nobodys, None, 9).await.unwrap().items.len(), 3);
    assert_eq!(house.ledger.assign_rejects(Scope::Hub, (run, &some(&[2])), "", &person(2)).await.unwrap(), 1);

    let by_code = Chosen { code: Some("ni-number-invalid".to_owned()), numbers: None };
    assert_eq!(house.ledger.dismiss_rejects(Scope::Hub, (run, &by_code), "known to the fund", &person(3)).await.unwrap(), 2);
    assert!(house.ledger.dismiss_rejects(Scope::Hub, (run, &by_code), "again", &person(4)).await.is_err(), "they have left");
    assert!(house.ledger.dismiss_rejects(Scope::Hub, (run, &some(&[])), "none", &person(4)).await.is_err());
    assert_eq!(counts(&house, run).await, (3, 2, 0));
    let all = house.ledger.findings((Scope::Hub, run), FoundEffect::Reject, None, 9).await.unwrap().items;
    let left = all[1].quarantine.left.clone().unwrap();
    assert_eq!(
        (left.how.as_str(), left.by.as_str(), left.why.as_deref(), left.at_ms),
        ("dismissed", "person:j.smith", Some("known to the fund"), 3)
    );
    let acts = house.ledger.audit(Scope::Hub, None, 2).await.unwrap().items;
    assert_eq!((acts[0].action.as_str(), acts[1].action.as_str()), ("reject.dismiss", "reject.assign"));
    assert!(acts[0].after.as_ref().unwrap().contains("known to the fund"), "{acts:?}");
}

async fn what_comes_back_does_so_once(on: Kind) {
    let house = House::new(on).await;
    let origin = closed_with(&house, 4, 1).await;
    for (numbers, word) in
        [(&[1_u64, 9][..], "no reject of that number"), (&[1, 1], "the file has it twice"), (&[], "there is no row to resubmit")]
    {
        let refused = house.ledger.resubmit(Scope::Hub, &back(origin, numbers), &person(2)).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{refused}");
    }
    let elsewhere = NewResubmission { port: "previous".to_owned(), ..back(origin, &[1]) };
    assert!(house.ledger.resubmit(Scope::Hub, &elsewhere, &person(2)).await.is_err());
    let run = house.ledger.resubmit(Scope::Hub, &back(origin, &[2, 3]), &person(2)).await.unwrap();
    let again = house.ledger.resubmit(Scope::Hub, &back(origin, &[1, 3]), &person(2)).await.unwrap_err().to_string();
    assert!(again.contains("reject 3") && again.contains(&run.to_string()), "{again}");
    let made = house.run(run).await;
    assert_eq!(
        (made.trigger(), &made.enqueued.pins, made.enqueued.logical_ms),
        (Trigger::Resubmission(origin), &house.run(origin).await.pins, 500)
    );
    let one = Chosen { code: None, numbers: Some(vec![3]) };
    assert!(house.ledger.dismiss_rejects(Scope::Hub, (origin, &one), "no", &person(3)).await.is_err(), "it is in the run's hands");
    assert_eq!(house.ledger.quarantined(Scope::Hub, origin).await.unwrap().resubmitted, 2);

    let claim = house.claim(4).await;
    let kept = house.ledger.resubmitted(Scope::Hub, run).await.unwrap().unwrap();
    let offsets: Vec<(u64, u64)> = kept.supersedes.iter().map(|(offset, id)| (*offset, id.number)).collect();
    assert_eq!((kept.origin, kept.rows, offsets), (origin, 2, vec![(0, 2), (7, 3)]));
    // The second is refused again: it waits under the run that brought it back, and knows what it was.
    house.append(&claim, 5, came_to(1, vec![reject(1, Some(kept.supersedes[&7]))])).await;
    house.append(&claim, 6, close()).await;
    assert_eq!((counts(&house, origin).await, counts(&house, run).await), ((2, 0, 2), (1, 0, 0)));
    let late = house.ledger.resubmit(Scope::Hub, &back(origin, &[3]), &person(7)).await.unwrap_err().to_string();
    assert!(late.contains("was superseded by a row of run"), "{late}");
    assert_eq!(house.ledger.resubmissions_of(Scope::Hub, origin).await.unwrap(), [run]);
    let afresh = NewResubmission { afresh: true, ..back(run, &[1]) };
    let afresh = house.ledger.resubmit(Scope::Hub, &afresh, &person(8)).await.unwrap();
    assert_eq!(house.run(afresh).await.enqueued.pins, None);
}

async fn a_cancelled_resubmission_gives_its_rows_back(on: Kind) {
    let house = House::new(on).await;
    let origin = closed_with(&house, 2, 1).await;
    let cancel = || Instruction::Cancel { why: "a slip".to_owned() };
    for _ in 0..2 {
        let run = house.ledger.resubmit(Scope::Hub, &back(origin, &[1, 2]), &person(2)).await.unwrap();
        house.ledger.instruct(Scope::Hub, run, cancel(), &person(3)).await.unwrap();
        assert_eq!(house.ledger.quarantined(Scope::Hub, origin).await.unwrap(), Quarantined { waiting: 2, ..Default::default() });
    }
    let open = house.enqueue(4).await;
    let refused = house.ledger.resubmit(Scope::Hub, &back(open, &[1]), &person(4)).await.unwrap_err().to_string();
    assert!(refused.contains("once it has closed"), "{refused}");
}

async fn a_partner_sees_and_does_nothing_of_anothers(on: Kind) {
    let house = House::new(on).await;
    let run = closed_with(&house, 2, 1).await;
    let fire: PartnerName = name("fire");
    let theirs = Scope::Partner(&fire);
    assert!(house.ledger.waiting(theirs, &QuarantineFilter::default(), None, 9).await.unwrap().items.is_empty());
    assert!(house.ledger.waiting_groups(theirs, &QuarantineFilter::default()).await.unwrap().is_empty());
    assert_eq!(house.ledger.quarantined(theirs, run).await.unwrap(), Quarantined::default());
    assert!(house.ledger.assign_rejects(theirs, (run, &Chosen::default()), "me", &person(2)).await.is_err());
    assert!(house.ledger.dismiss_rejects(theirs, (run, &Chosen::default()), "so", &person(2)).await.is_err());
    assert!(house.ledger.resubmit(theirs, &back(run, &[1]), &person(2)).await.is_err());
    assert_eq!(counts(&house, run).await, (2, 0, 0));
}

#[derive(Debug, Clone)]
enum Move {
    Enqueue,
    Work { accepted: u64, rejects: u64, fails: bool },
    Dismiss { run: usize, mask: u8 },
    Resubmit { run: usize, mask: u8 },
    Cancel { run: usize },
    Retry { run: usize },
}

fn moves() -> impl Strategy<Value = Move> {
    let run = || 0..4_usize;
    prop_oneof![
        2 => Just(Move::Enqueue),
        6 => (0..3_u64, 0..4_u64, proptest::bool::weighted(0.2)).prop_map(|(accepted, rejects, fails)| Move::Work { accepted, rejects, fails }),
        2 => (run(), any::<u8>()).prop_map(|(run, mask)| Move::Dismiss { run, mask }),
        5 => (run(), any::<u8>()).prop_map(|(run, mask)| Move::Resubmit { run, mask }),
        1 => run().prop_map(|run| Move::Cancel { run }),
        1 => run().prop_map(|run| Move::Retry { run }),
    ]
}

/// Makes a move; whether it may be made is the ledger's to say.
async fn make(house: &House, runs: &mut Vec<RunId>, (next, now_ms): (&Move, i64)) {
    let numbers = |mask: u8| (1..=8_u64).filter(|bit| mask >> (bit - 1) & 1 == 1).collect::<Vec<_>>();
    let chosen = |run: usize, runs: &[RunId]| runs.len().checked_sub(run + 1).map(|place| runs[place]);
    match next {
        Move::Enqueue => runs.push(house.enqueue(now_ms).await),
        Move::Work { accepted, rejects, fails } => work(house, (*accepted, *rejects, *fails), now_ms).await,
        Move::Dismiss { run, mask } => {
            let Some(run) = chosen(*run, runs) else { return };
            let some = Chosen { code: None, numbers: Some(numbers(*mask)) };
            drop(house.ledger.dismiss_rejects(Scope::Hub, (run, &some), "so", &person(now_ms)).await);
        }
        Move::Resubmit { run, mask } => {
            let Some(run) = chosen(*run, runs) else { return };
            // What waits, and now and then something that does not.
            let filter = QuarantineFilter { run: Some(run), ..Default::default() };
            let waiting = house.ledger.waiting(Scope::Hub, &filter, None, 9).await.unwrap().items;
            let some: Vec<u64> =
                waiting.iter().map(|item| item.finding.id.number).filter(|number| numbers(*mask).contains(number)).collect();
            runs.extend(house.ledger.resubmit(Scope::Hub, &back(run, &some), &person(now_ms)).await);
        }
        Move::Cancel { run } | Move::Retry { run } => {
            let Some(run) = chosen(*run, runs) else { return };
            let why = "so".to_owned();
            let act =
                if matches!(next, Move::Cancel { .. }) { Instruction::Cancel { why } } else { Instruction::Retry { afresh: true, why } };
            drop(house.ledger.instruct(Scope::Hub, run, act, &person(now_ms)).await);
        }
    }
}

async fn work(house: &House, (accepted, rejects, fails): (u64, u64, bool), now_ms: i64) {
    let Some(claim) = house.ledger.claim(&hub("main"), now_ms, LEASE_MS).await.unwrap() else { return };
    let resubmitted = house.ledger.resubmitted(Scope::Hub, claim.lease.run).await.unwrap();
    let step = match &resubmitted {
        None => came_to(accepted, (1..=rejects).map(|number| reject(number, None)).collect()),
        Some(back) => {
            let again: Vec<FindingId> = back.supersedes.values().copied().take(rejects as usize).collect();
            assert_eq!(back.rows, back.supersedes.len() as u64, "what it was given is still its own");
            came_to(back.rows - again.len() as u64, again.iter().zip(1..).map(|(id, number)| reject(number, Some(*id))).collect())
        }
    };
    house.append(&claim, now_ms, step).await;
    house.append(&claim, now_ms, if fails { failed(None) } else { close() }).await;
}

/// Every row that a first run read is in exactly one place: accepted by a run that delivered, dismissed, or waiting.
async fn nothing_is_lost(house: &House) {
    let runs = house.ledger.runs(Scope::Hub, &RunFilter::default(), 1_000).await.unwrap().items;
    let (mut came, mut accepted, mut dismissed, mut waiting) = (0, 0, 0, 0);
    for run in runs.iter().filter(|run| run.outcome == Some(Outcome::Delivered)) {
        let all = house.ledger.quarantined(Scope::Hub, run.id).await.unwrap();
        assert_eq!(all.waiting + all.dismissed + all.superseded, run.rows.rejected, "{all:?}");
        accepted += run.rows.accepted;
        dismissed += all.dismissed;
        waiting += all.waiting;
        if run.trigger().origin().is_none() {
            came += run.rows.read;
        }
        let findings = house.ledger.findings((Scope::Hub, run.id), FoundEffect::Reject, None, 1_000).await.unwrap().items;
        for finding in &findings {
            let Some(by) = finding.quarantine.resubmitted_by else { continue };
            let by = runs.iter().find(|run| run.id == by).unwrap();
            assert_eq!(by.trigger(), Trigger::Resubmission(run.id));
            let superseded = finding.quarantine.left.as_ref().is_some_and(|left| left.how == "superseded");
            assert_eq!(superseded, by.state == RunState::Closed, "it leaves with the run that brings it back");
            assert!(by.state != RunState::Cancelled, "a cancelled run has nothing in hand");
        }
        let superseding: Vec<FindingId> = findings.iter().filter_map(|finding| finding.found.supersedes).collect();
        assert_eq!(superseding.iter().collect::<BTreeSet<_>>().len(), superseding.len(), "no two rows correct the same one");
        if let Some(origin) = run.trigger().origin() {
            let before = house.ledger.findings((Scope::Hub, origin), FoundEffect::Reject, None, 1_000).await.unwrap().items;
            let brought = before.iter().filter(|finding| finding.quarantine.resubmitted_by == Some(run.id)).count() as u64;
            assert_eq!(run.rows.read, brought, "it read the rows that it was given, and no other");
        }
    }
    assert_eq!(came, accepted + dismissed + waiting, "{accepted} accepted, {dismissed} dismissed, {waiting} waiting");
}

fn play(on: Kind, moves: &[Move]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let house = House::new(on).await;
        let mut runs = Vec::new();
        for (next, now_ms) in moves.iter().zip(10..) {
            make(&house, &mut runs, (next, now_ms)).await;
        }
        nothing_is_lost(&house).await;
        house.ledger.close().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_row_is_lost_or_counted_twice_on_sqlite(moves in proptest::collection::vec(moves(), 1..60)) {
        play(Kind::Sqlite, &moves);
    }

    #[test]
    fn no_row_is_lost_or_counted_twice_on_postgres(moves in proptest::collection::vec(moves(), 1..60)) {
        play(Kind::Postgres, &moves);
    }
}
