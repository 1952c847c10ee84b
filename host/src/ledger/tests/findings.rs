//! Rejects, warnings and log lines: written with their processing, read by page, never twice.

use std::time::Instant;

use super::*;
use crate::model::outcome;
use crate::model::personal::Kept;

on_both![
    findings_read_back_page_by_page,
    only_what_stands_is_seen_after_another_attempt,
    a_corrected_reject_that_comes_back_is_linked,
    ten_thousand_rejects_are_written_in_seconds
];

fn finding(effect: FoundEffect, row: u64) -> NewFinding {
    let reason = |column: Option<&str>, code: &str| outcome::Reason {
        column: column.map(str::to_owned),
        code: code.to_owned(),
        message: format!("Row {row} is refused: £ \"quoted\"."),
    };
    NewFinding {
        effect,
        port: "payroll".to_owned(),
        row: Some(row),
        line: Some(row + 2),
        byte_offset: Some(row * 82),
        reasons: vec![reason(Some("ni_number"), "ni-number-invalid"), reason(None, "late")],
        record: if row.is_multiple_of(2) {
            Kept::plain(Some(vec![b'a', 0xff, 0]), Some(format!("{{\"row\":{row}}}")))
        } else {
            Kept::sealed(vec![1, 0xff, 0])
        },
        supersedes: None,
    }
}

fn found(rejects: u64, warnings: u64) -> Found {
    let rejects = (0..rejects).map(|row| finding(FoundEffect::Reject, row));
    let warnings =
        (0..warnings).map(|row| NewFinding { record: Kept::default(), line: None, byte_offset: None, ..finding(FoundEffect::Warn, row) });
    let log = (0..3).map(|line| LogLine { level: "info".to_owned(), message: format!("line {line}") });
    Found { findings: rejects.chain(warnings).collect(), log: log.collect() }
}

async fn all(house: &House, run: RunId, effect: FoundEffect, page: u32) -> Vec<StoredFinding> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = house.ledger.findings((Scope::Hub, run), effect, after, page).await.unwrap();
        seen.extend(page.items);
        if page.next.is_none() {
            return seen;
        }
        after = page.next;
    }
}

async fn findings_read_back_page_by_page(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1).await;
    let claim = house.claim(1).await;
    let found = found(1_203, 5);
    house.append(&claim, 2, processed_with(&["return"], found.clone())).await;
    let rejects = all(&house, run, FoundEffect::Reject, 100).await;
    assert_eq!(rejects.iter().map(|reject| &reject.found).collect::<Vec<_>>(), found.findings[..1_203].iter().collect::<Vec<_>>());
    assert_eq!(all(&house, run, FoundEffect::Reject, 1_203).await, rejects);
    let warnings = all(&house, run, FoundEffect::Warn, 5).await;
    assert_eq!(warnings.iter().map(|warning| &warning.found).collect::<Vec<_>>(), found.findings[1_203..].iter().collect::<Vec<_>>());
    assert_eq!(rejects[7].id.to_string().parse(), Ok(rejects[7].id));

    let fire = name("fire");
    assert!(house.ledger.findings((Scope::Partner(&fire), run), FoundEffect::Reject, None, 9).await.unwrap().items.is_empty());
    assert!(house.ledger.log_lines((Scope::Partner(&fire), run), None, 9).await.unwrap().items.is_empty());
    let lines = house.ledger.log_lines((Scope::Hub, run), Some(1), 1).await.unwrap();
    assert_eq!((lines.items[0].1.message.as_str(), lines.next), ("line 1", Some(2)));
}

async fn only_what_stands_is_seen_after_another_attempt(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1).await;
    let claim = house.claim(1).await;
    house.append(&claim, 2, processed_with(&["return"], found(4, 2))).await;
    house.append(&claim, 3, failed(None)).await;
    assert_eq!(all(&house, run, FoundEffect::Reject, 10).await.len(), 4, "a failed run shows what it found");
    house.ledger.instruct(Scope::Hub, run, Instruction::Retry { afresh: true, why: String::new() }, &person(4)).await.unwrap();
    assert!(all(&house, run, FoundEffect::Reject, 10).await.is_empty());
    let claim = house.claim(5).await;
    house.append(&claim, 6, processed_with(&["return"], found(2, 0))).await;
    let rejects = all(&house, run, FoundEffect::Reject, 10).await;
    assert_eq!(rejects.iter().map(|reject| reject.id.lease).collect::<Vec<_>>(), [2, 2]);
    assert!(all(&house, run, FoundEffect::Warn, 10).await.is_empty());
    assert_eq!(house.ledger.log_lines((Scope::Hub, run), None, 10).await.unwrap().items.len(), 3);
}

async fn a_corrected_reject_that_comes_back_is_linked(on: Kind) {
    let house = House::new(on).await;
    let first = house.enqueue(1).await;
    let claim = house.claim(1).await;
    house.append(&claim, 2, processed_with(&[], found(2, 0))).await;
    house.append(&claim, 3, Step::Closed(Closed { outcome: Outcome::Delivered, state: Vec::new() })).await;
    let old = all(&house, first, FoundEffect::Reject, 10).await[1].id;

    let again = NewRun { trigger: Trigger::Resubmission(first), ..request("lgps", None) };
    let again = house.ledger.enqueue(&again, &person(4)).await.unwrap().run;
    let claim = house.claim(5).await;
    let mut refused = found(1, 0);
    refused.findings[0].supersedes = Some(old);
    house.append(&claim, 6, processed_with(&[], refused)).await;
    let new = all(&house, again, FoundEffect::Reject, 10).await[0].clone();
    assert_eq!(new.found.supersedes, Some(old));
    let superseded: Vec<_> = all(&house, first, FoundEffect::Reject, 10).await.iter().map(|reject| reject.superseded_by).collect();
    assert_eq!(superseded, [None, Some(new.id)]);
}

async fn ten_thousand_rejects_are_written_in_seconds(on: Kind) {
    let house = House::new(on).await;
    house.enqueue(1).await;
    let claim = house.claim(1).await;
    let found = found(10_000, 0);
    let begun = Instant::now();
    house.append(&claim, 2, processed_with(&["return"], found)).await;
    let took = begun.elapsed();
    // Measured below a tenth of a second. One commit a row would take a minute where the disk syncs 200 times a second.
    assert!(took.as_secs() < 5, "{took:?}");
}
