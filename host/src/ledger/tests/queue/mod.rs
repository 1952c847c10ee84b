//! Who goes first, how many go at one time, what happens to runs that meet, and what is overdue.

mod leases;
mod partitions;
mod together;

use super::*;
use crate::model::job::{Overlap, Priority};

on_both![
    as_many_go_as_their_job_their_partner_and_their_connections_allow,
    who_is_urgent_goes_first_and_nobody_waits_for_ever,
    a_few_are_claimed_at_once,
    runs_that_meet_wait_or_skip_or_make_way,
    what_is_sending_or_delivering_does_not_make_way,
    a_run_is_overdue_once,
    jobs_are_looked_at_when_they_may_be_due,
];

/// A declaration whose jobs `lgps` and `other` wait in a way of their own. Its text differs, so that it is seen as changed.
fn waiting(change: impl Fn(&mut Declaration)) -> Declaration {
    let mut declared = declaration("police", &["lgps", "other"]);
    change(&mut declared);
    let text = format!("{declared:?}");
    let definition = Digest::of(text.as_bytes());
    declared.sources[0].text = text;
    declared.jobs.iter_mut().for_each(|job| job.definition = definition);
    declared.connections.iter_mut().for_each(|connection| connection.definition = definition);
    declared
}

async fn claimed(house: &House, now_ms: i64) -> Vec<Claim> {
    let mut claims = Vec::new();
    while let Some(claim) = house.ledger.claim(&hub("main"), now_ms, LEASE_MS).await.unwrap() {
        claims.push(claim);
    }
    claims
}

async fn as_many_go_as_their_job_their_partner_and_their_connections_allow(on: Kind) {
    for (of_job, of_partner, of_connection, under_way) in
        [(1, None, None, 2), (2, None, None, 4), (9, Some(3), None, 3), (9, None, Some(1), 1), (2, Some(3), Some(9), 3), (3, None, None, 6)]
    {
        let house = House::new(on).await;
        let declared = waiting(|declared| {
            declared.partner.runs_at_once = of_partner;
            declared.connections[0].runs_at_once = of_connection;
            declared.jobs.iter_mut().for_each(|job| job.queue.runs_at_once = of_job);
        });
        house.ledger.apply(&declared, &person(1)).await.unwrap();
        for now_ms in 2..5 {
            house.enqueue(now_ms).await;
            house.ledger.enqueue(&request("other", None), &person(now_ms)).await.unwrap();
        }
        // Another partner is not kept waiting.
        house.ledger.apply(&declaration("fire", &["lgps"]), &person(1)).await.unwrap();
        house.ledger.enqueue(&NewRun { partner: name("fire"), ..request("lgps", None) }, &person(9)).await.unwrap();
        let claims = claimed(&house, 10).await;
        assert_eq!(claims.len(), under_way + 1, "{of_job} {of_partner:?} {of_connection:?}");
        // What ends makes room for one.
        house.append(&claims[0], 11, failed(None)).await;
        assert_eq!(claimed(&house, 12).await.len(), usize::from(under_way < 6));
        // What is taken over is not counted twice.
        assert_eq!(claimed(&house, FOR_EVER).await.len(), if under_way < 6 { under_way + 1 } else { under_way });
    }
}

async fn who_is_urgent_goes_first_and_nobody_waits_for_ever(on: Kind) {
    let house = House::new(on).await;
    let urgent = waiting(|declared| {
        declared.jobs[0].queue.runs_at_once = 100;
        declared.jobs[1].queue = Queue { priority: Priority::High, runs_at_once: 100, ..Queue::default() };
    });
    house.ledger.apply(&urgent, &person(1)).await.unwrap();
    let normal = house.enqueue(10).await;
    let mut urgent = Vec::new();
    for now_ms in [20, 3_600_009, 3_600_011] {
        urgent.push(house.ledger.enqueue(&request("other", None), &person(now_ms)).await.unwrap().run);
    }
    let order: Vec<RunId> = claimed(&house, 4_000_000).await.iter().map(|claim| claim.run.id).collect();
    assert_eq!(order, [urgent[0], urgent[1], normal, urgent[2]]);
}

async fn a_few_are_claimed_at_once(on: Kind) {
    let house = House::new(on).await;
    house.ledger.apply(&waiting(|declared| declared.jobs[0].queue.runs_at_once = 4), &person(1)).await.unwrap();
    let mut queued = Vec::new();
    for now_ms in 2..8 {
        queued.push(house.enqueue(now_ms).await);
    }
    let some = async |most| house.ledger.claim_some(&hub("main"), 10, LEASE_MS, most).await.unwrap();
    let ids = |claims: Vec<Claim>| claims.iter().map(|claim| claim.run.id).collect::<Vec<_>>();
    assert_eq!(ids(some(0).await), []);
    assert_eq!(ids(some(3).await), queued[..3]);
    assert_eq!(ids(some(3).await), queued[3..4], "the job has room for one more");
}

fn due(at_ms: i64, keys: &[&str]) -> Due {
    let slot = |key: &&str| DueSlot { key: (*key).to_owned(), logical_ms: at_ms, trigger: Trigger::Schedule, skip: None };
    Due {
        partner: police(),
        job: lgps(),
        since_ms: at_ms - 10,
        through_ms: at_ms,
        next_ms: at_ms + 10,
        calendar: "2026".to_owned(),
        slots: keys.iter().map(slot).collect(),
    }
}

async fn overlapping(on: Kind, overlap: Overlap) -> House {
    let house = House::new(on).await;
    let declared = waiting(|declared| {
        declared.jobs[0].queue.overlap = overlap;
        // Its schedule begins at the apply, so at 90.
        declared.jobs[0].schedule = Some("* * * * * (Europe/London)".to_owned());
    });
    house.ledger.apply(&declared, &person(90)).await.unwrap();
    house
}

async fn runs_that_meet_wait_or_skip_or_make_way(on: Kind) {
    use RunState::{Cancelled, Queued, Skipped};
    for (overlap, expected) in [
        (Overlap::Queue, [Queued, Queued, Queued, Queued, Queued]),
        (Overlap::Skip, [Queued, Queued, Queued, Skipped, Skipped]),
        (Overlap::CancelOlder, [Queued, Cancelled, Cancelled, Cancelled, Queued]),
    ] {
        let house = overlapping(on, overlap).await;
        let by = |now_ms| By::hub(&hub("main"), now_ms);
        // What a person asked for is neither in the way nor made to give way.
        let mut runs = vec![house.enqueue(95).await];
        // Due together, as after a night without a hub: that both run is what the catch-up rule says.
        runs.extend(house.ledger.record_due(&due(100, &["a", "b"]), &by(100)).await.unwrap().unwrap());
        runs.extend(house.ledger.record_due(&due(110, &["c"]), &by(110)).await.unwrap().unwrap());
        runs.extend(house.ledger.record_due(&due(120, &["d"]), &by(120)).await.unwrap().unwrap());
        let mut states = Vec::new();
        for run in &runs {
            states.push(house.run(*run).await.state);
        }
        assert_eq!(states, expected, "{overlap:?}");
        if overlap == Overlap::Skip {
            let reason = house.run(runs[3]).await.reason.unwrap();
            assert!(reason.code == "overlap" && reason.sentence.contains(&runs[1].to_string()), "{reason:?}");
        }
        let cancels = house.ledger.audit(Scope::Hub, None, 100).await.unwrap().items;
        let cancels = cancels.iter().filter(|entry| entry.action == "run.cancel").count();
        assert_eq!(cancels, expected.iter().filter(|state| **state == Cancelled).count());
    }
}

async fn what_is_sending_or_delivering_does_not_make_way(on: Kind) {
    let house = overlapping(on, Overlap::CancelOlder).await;
    let by = |now_ms| By::hub(&hub("main"), now_ms);
    house.ledger.record_due(&due(100, &["a"]), &by(100)).await.unwrap().unwrap();
    let claim = house.claim(101).await;
    house.append(&claim, 102, processed(&["return", "ctr1"])).await;
    let begins = BegunDelivery { port: "return".to_owned(), digest: None, hidden: None };
    house.ledger.begin_delivery(&claim.lease, 103, &begins).await.unwrap();
    house.ledger.record_due(&due(110, &["b"]), &by(110)).await.unwrap().unwrap();
    house.append(&claim, 111, delivered("return")).await;
    house.ledger.record_due(&due(120, &["c"]), &by(120)).await.unwrap().unwrap();
    assert_eq!(house.append(&claim, 121, delivered("ctr1")).await.state, RunState::Delivering);
    house.append(&claim, 122, closed()).await;

    let working = house.claim(123).await;
    house.ledger.record_due(&due(130, &["d"]), &by(130)).await.unwrap().unwrap();
    let lost = house.ledger.append(&working.lease, 131, processed(&["return"])).await.unwrap_err();
    assert!(matches!(lost, LedgerError::LeaseLost { state: RunState::Cancelled, .. }), "{lost}");
}

async fn a_run_is_overdue_once(on: Kind) {
    let house = House::new(on).await;
    let declared = waiting(|declared| {
        declared.jobs[0].queue = Queue { overdue_minutes: Some(1), ..Queue::default() };
        declared.jobs[1].schedule = Some("* * * * * (Europe/London)".to_owned());
    });
    house.ledger.apply(&declared, &person(90)).await.unwrap();
    let by = |now_ms| By::hub(&hub("main"), now_ms);
    let in_time = house.enqueue(100).await;
    let claim = house.claim(100).await;
    house.append(&claim, 101, failed(None)).await;
    let late = house.enqueue(100).await;
    // Of a job that says nothing: by the time at which it runs next.
    let next = Due { job: name("other"), ..due(100, &["a"]) };
    let scheduled = house.ledger.record_due(&next, &by(99)).await.unwrap().unwrap()[0];

    assert_eq!(house.ledger.record_overdue(&by(109)).await.unwrap(), []);
    assert_eq!(house.ledger.record_overdue(&by(110)).await.unwrap(), [scheduled]);
    assert_eq!(house.ledger.record_overdue(&by(60_099)).await.unwrap(), []);
    let working = house.claim(60_099).await;
    assert_eq!(house.ledger.record_overdue(&by(60_100)).await.unwrap(), [late]);
    assert_eq!(house.ledger.record_overdue(&by(60_101)).await.unwrap(), [], "once");
    assert_eq!((house.run(late).await.overdue, house.run(in_time).await.overdue), (true, false));
    assert_eq!(working.run.id, scheduled, "it came first");
    // It goes on all the same, and what its log says of it is what its row says.
    house.append(&working, 60_102, processed(&["return"])).await;
    for run in [late, scheduled, in_time] {
        let events = house.ledger.events(Scope::Hub, run, 0).await.unwrap();
        assert_eq!(Run::fold(run, &events).unwrap().unwrap(), house.run(run).await);
    }
    assert_eq!(house.kinds(late).await, ["enqueued", "overdue"]);
}

async fn jobs_are_looked_at_when_they_may_be_due(on: Kind) {
    let house = House::new(on).await;
    let names = async |now_ms| {
        let jobs = house.ledger.jobs_due(now_ms).await.unwrap();
        jobs.iter().map(|job| job.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(1).await, ["lgps", "other"], "nobody has looked yet");
    let by = By::hub(&hub("main"), 100);
    let stretch = |job: &str, next_ms| Due { job: name(job), since_ms: 1, next_ms, ..due(100, &[]) };
    house.ledger.record_due(&stretch("lgps", 500), &by).await.unwrap().unwrap();
    house.ledger.record_due(&stretch("other", 400), &by).await.unwrap().unwrap();
    assert_eq!((names(399).await, house.ledger.next_due_ms().await.unwrap()), (vec![], Some(400)));
    assert_eq!(names(500).await, ["other", "lgps"]);
    house.ledger.pause((&police(), &name("other")), "year end", &person(410)).await.unwrap();
    assert_eq!((names(600).await, house.ledger.next_due_ms().await.unwrap()), (vec!["lgps".to_owned()], Some(500)));
    house.ledger.apply(&waiting(|_| {}), &person(420)).await.unwrap();
    house.ledger.resume((&police(), &name("other")), &person(430)).await.unwrap();
    assert_eq!(house.ledger.next_due_ms().await.unwrap(), Some(0), "what is declared anew is looked at");
}
