//! Retention in the ledger: what goes, what stays, and that nothing of a run that waits is ever touched.

use std::time::Instant;

use super::*;
use crate::model::limits::{Limits, Usage};
use crate::model::outcome;
use crate::model::personal::Kept;

on_both![
    artefacts_go_when_the_last_run_that_used_them_expires,
    nothing_of_a_run_that_waits_expires,
    rejects_are_cleared_and_logs_trimmed,
    a_log_is_not_touched_otherwise
];

const DAY_MS: i64 = 86_400_000;

fn found() -> Found {
    let reason = |code: &str| vec![outcome::Reason { column: None, code: code.to_owned(), message: "It is refused.".to_owned() }];
    let finding = |effect, number: u64| NewFinding {
        effect,
        port: "payroll".to_owned(),
        row: Some(number),
        line: Some(number),
        byte_offset: Some(number * 90),
        reasons: reason("ni-number-invalid"),
        record: Kept::plain(Some(b"TY306837C,Baker".to_vec()), Some("{\"surname\":\"Baker\"}".to_owned())),
        supersedes: None,
    };
    let log = vec![LogLine { level: "info".to_owned(), message: "noted".to_owned() }];
    Found { findings: vec![finding(FoundEffect::Reject, 1), finding(FoundEffect::Warn, 2)], log }
}

/// A run that read a file of a name, and ended at a moment; its reject is dismissed if that is wanted.
async fn ended(house: &House, path: &str, (at_ms, dismissed): (i64, bool)) -> RunId {
    let run = house.enqueue(at_ms).await;
    let claim = house.claim(at_ms).await;
    let Step::Pulled(mut files) = pulled(path) else { unreachable!() };
    files.inputs[0].taken = false;
    house.append(&claim, at_ms, Step::Pulled(files)).await;
    house.append(&claim, at_ms, processed_with(&["return", "ctr1"], found())).await;
    house.finish(&claim_of(house, &claim).await, at_ms).await;
    if dismissed {
        house.ledger.dismiss_rejects(Scope::Hub, (run, &Chosen::default()), "so", &person(at_ms)).await.unwrap();
    }
    run
}

/// The claim as it stands after its rows were processed.
async fn claim_of(house: &House, claim: &Claim) -> Claim {
    let processed = house.ledger.processed(Scope::Hub, claim.lease.run).await.unwrap();
    Claim { processed, ..claim.clone() }
}

async fn expire(house: &House, what: Keeping, before_ms: i64) -> Vec<RunId> {
    house.ledger.expire(what, &police(), before_ms, &person(1_000 * DAY_MS)).await.unwrap()
}

async fn artefacts_go_when_the_last_run_that_used_them_expires(on: Kind) {
    let house = House::new(on).await;
    let first = ended(&house, "one.csv", (1_000, true)).await;
    let second = ended(&house, "two.csv", (2_000, true)).await;
    let one = Digest::of(b"one.csv");
    assert!(house.ledger.artefact_is_used(Scope::Hub, one).await.unwrap());
    assert_eq!(expire(&house, Keeping::Artefacts, 999).await, []);
    assert_eq!(expire(&house, Keeping::Artefacts, 1_000).await, [first]);
    assert_eq!(house.ledger.expired_at_ms(Scope::Hub, first).await.unwrap(), Some(1_000 * DAY_MS));
    assert_eq!(house.ledger.expired_at_ms(Scope::Hub, second).await.unwrap(), None);
    // The outputs of both are the same bytes: they stay for the second.
    assert_eq!(house.ledger.artefacts_going(None, 9).await.unwrap(), [(one, police())]);
    assert_eq!(expire(&house, Keeping::Artefacts, 1_000).await, [], "once");
    assert_eq!(expire(&house, Keeping::Artefacts, 2_000).await, [second]);
    let going = house.ledger.artefacts_going(None, 9).await.unwrap();
    assert_eq!(going.len(), 4, "both inputs and both outputs");
    // What is used again before it is removed stays.
    ended(&house, "one.csv", (3_000, true)).await;
    assert!(house.ledger.artefact_is_used(Scope::Hub, one).await.unwrap());
    house.ledger.artefact_gone(one, &police()).await.unwrap();
    assert_eq!(house.ledger.artefacts_going(None, 9).await.unwrap().len(), 3);
    // What was stored for a moment goes too, and not if a run uses the same bytes.
    let passing = Digest::of(b"judged, and not brought back");
    for digest in [passing, passing, one] {
        house.ledger.artefact_passes(digest, &police()).await.unwrap();
    }
    let going = house.ledger.artefacts_going(None, 9).await.unwrap();
    assert!(going.len() == 4 && going.contains(&(passing, police())) && !going.contains(&(one, police())), "{going:?}");
    let act = &house.ledger.audit(Scope::Hub, None, 20).await.unwrap().items;
    assert_eq!(act.iter().filter(|act| act.action == "retention.apply").count(), 2);
}

async fn nothing_of_a_run_that_waits_expires(on: Kind) {
    let house = House::new(on).await;
    let waits = ended(&house, "rejects.csv", (1, false)).await;
    let held = house.enqueue(2).await;
    let claim = house.claim(2).await;
    house.append(&claim, 2, processed(&["return"])).await;
    house.append(&claim, 2, Step::Held(reason("too-many-rejects"))).await;
    let uncertain = house.enqueue(3).await;
    let claim = house.claim(3).await;
    house.append(&claim, 3, processed(&["return"])).await;
    let failure = Failed { reason: reason(DELIVERY_UNCERTAIN), retry_at_ms: None, limits: Vec::new(), log: Vec::new(), waits: false };
    house.append(&claim, 3, Step::Failed(failure)).await;
    let replayed = ended(&house, "replayed.csv", (4, true)).await;
    let replay = NewRun { trigger: Trigger::Replay(replayed), dry_run: true, ..request("lgps", None) };
    let replay = house.ledger.enqueue(&replay, &person(5)).await.unwrap().run;
    for what in [Keeping::Artefacts, Keeping::Rejects, Keeping::Log] {
        assert_eq!(expire(&house, what, FOR_EVER).await, [], "{what:?}");
    }
    assert_eq!((house.run(held).await.state, house.run(uncertain).await.state), (RunState::Held, RunState::Failed));
    house.ledger.instruct(Scope::Hub, replay, Instruction::Cancel { why: "so".to_owned() }, &person(6)).await.unwrap();
    house.ledger.dismiss_rejects(Scope::Hub, (waits, &Chosen::default()), "so", &person(7)).await.unwrap();
    let expired = expire(&house, Keeping::Artefacts, FOR_EVER).await;
    assert!(expired.contains(&waits) && expired.contains(&replayed) && !expired.contains(&held) && !expired.contains(&uncertain));
}

async fn rejects_are_cleared_and_logs_trimmed(on: Kind) {
    let mut house = House::new(on).await;
    let run = ended(&house, "one.csv", (1, true)).await;
    let (before, totals) = (house.run(run).await, house.ledger.processed(Scope::Hub, run).await.unwrap().unwrap());
    assert_eq!(expire(&house, Keeping::Log, 1).await, [], "not before its files have expired");
    assert_eq!(expire(&house, Keeping::Artefacts, 1).await, [run]);
    assert_eq!(expire(&house, Keeping::Rejects, 1).await, [run]);
    assert_eq!(expire(&house, Keeping::Log, 1).await, [run]);
    let rejects = house.ledger.findings((Scope::Hub, run), FoundEffect::Reject, None, 9).await.unwrap().items;
    assert!(rejects.len() == 1 && rejects[0].found.record.is_nothing());
    assert_eq!((rejects[0].found.line, rejects[0].quarantine.left.as_ref().unwrap().how.as_str()), (Some(1), "dismissed"));
    assert!(house.ledger.findings((Scope::Hub, run), FoundEffect::Warn, None, 9).await.unwrap().items.is_empty());
    assert!(house.ledger.log_lines((Scope::Hub, run), None, 9).await.unwrap().items.is_empty());
    assert_eq!(house.kinds(run).await, ["pulled", "processed", "closed"]);
    let after = house.ledger.processed(Scope::Hub, run).await.unwrap().unwrap();
    assert_eq!(after, Processed { limits: Vec::new(), ..totals }, "totals, digests and tables stay");
    assert_eq!(house.ledger.receipts(Scope::Hub, run).await.unwrap().len(), 2);
    // A hub that opens the ledger takes the row as it is.
    assert_eq!(house.reopen().await, []);
    assert_eq!(house.run(run).await, before);
    assert!(house.ledger.verify_audit().await.unwrap().is_sound());
}

async fn a_log_is_not_touched_otherwise(on: Kind) {
    let house = House::new(on).await;
    let run = ended(&house, "one.csv", (1, true)).await;
    for sql in ["DELETE FROM run_events WHERE seq = 2", "UPDATE run_events SET kind = 'claimed' WHERE seq = 2"] {
        assert!(house.raw(sql).await.is_err(), "{sql}");
    }
    assert_eq!(house.kinds(run).await.len(), 7);
}

/// Runs of which the ledger is measured; `BAILIWICK_LEDGER_RUNS` asks for another number.
const RUNS: usize = 100;

/// Bytes of a ledger's file, once all of it is in there.
async fn ledger_bytes(house: &House) -> u64 {
    house.raw("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    std::fs::metadata(house.folder.path().join("data/ledger.db")).unwrap().len()
}

/// A run as schedules make them: every limit told, a file in and two out, and now and then a reject, which is dismissed.
async fn usual(house: &House, number: i64) {
    let by = By::hub(&hub("main"), number);
    let run = house.ledger.enqueue(&request("lgps", Some(&format!("slot-{number}"))), &by).await.unwrap().run;
    let claim = house.claim(number).await;
    house.append(&claim, number, pulled(&format!("payroll-{number}.csv"))).await;
    let some = if number % 20 == 0 { found() } else { Found { findings: found().findings[1..].to_vec(), ..found() } };
    let Step::Processed(mut processed, some) = processed_with(&["return", "ctr1"], some) else { unreachable!() };
    processed.limits = LimitUse::all(&Limits::default(), &Usage::default());
    processed.totals.inputs[0].rows.rejected = u64::from(number % 20 == 0);
    house.append(&claim, number, Step::Processed(processed, some)).await;
    house.finish(&claim_of(house, &claim).await, number).await;
    if number % 20 == 0 {
        house.ledger.dismiss_rejects(Scope::Hub, (run, &Chosen::default()), "so", &person(number)).await.unwrap();
    }
}

#[tokio::test]
async fn the_ledger_stays_small() {
    let runs = std::env::var("BAILIWICK_LEDGER_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let house = House::new(Kind::Sqlite).await;
    let empty = ledger_bytes(&house).await;
    let began = Instant::now();
    for run in 0..runs {
        usual(&house, run as i64).await;
    }
    let full = ledger_bytes(&house).await;
    let took = began.elapsed();
    let began = Instant::now();
    for what in [Keeping::Artefacts, Keeping::Rejects, Keeping::Log] {
        while !expire(&house, what, FOR_EVER).await.is_empty() {}
    }
    for (digest, partner) in house.ledger.artefacts_going(None, u32::MAX).await.unwrap() {
        house.ledger.artefact_gone(digest, &partner).await.unwrap();
    }
    house.ledger.give_back_space().await.unwrap();
    let small = ledger_bytes(&house).await;
    let each = |bytes: u64| bytes.saturating_sub(empty) / runs as u64;
    println!(
        "{runs} runs: {} bytes a run before retention, {} after; made in {took:.1?}, retained in {:.1?}",
        each(full),
        each(small),
        began.elapsed()
    );
    assert!(each(small) * 3 < each(full) * 2, "{} bytes a run before, {} after: a third at least goes", each(full), each(small));
}
