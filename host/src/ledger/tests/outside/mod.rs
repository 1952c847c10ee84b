//! What is kept for places outside: sealed credentials, marks of pulls, deliveries that were begun, notices, messages; and how much
//! waits, for whoever watches.

mod answers;
mod keys;
mod told;

use super::*;

on_both![
    a_secret_is_replaced_resealed_and_removed,
    a_mark_counts_once_its_run_has_taken_the_file,
    a_delivery_that_was_begun_is_told_until_it_is_resolved,
    what_may_have_been_sent_stays_taken,
    a_persons_word_resolves_what_is_uncertain,
    the_same_content_is_judged_by_who_took_it_first,
    of_two_hubs_that_take_the_same_content_one_has_it,
    exchanges_are_kept_by_session_and_lease,
    a_notice_comes_with_its_event_and_is_sent_by_one,
    a_job_that_tells_nobody_has_no_notices,
    a_message_comes_with_its_event_and_is_sent_by_one,
    a_release_that_waits_for_approval_is_told,
    how_the_queue_stands_is_counted
];

async fn a_secret_is_replaced_resealed_and_removed(on: Kind) {
    let house = House::new(on).await;
    let ledger = &house.ledger;
    let new = |sealed: &str| NewSecret { partner: police(), name: name("fund"), key_id: "k1".to_owned(), sealed: sealed.to_owned() };
    assert!(!ledger.put_secret(&new("sealed-one"), &person(1)).await.unwrap());
    let old = ledger.secrets(Scope::Hub).await.unwrap().remove(0);
    assert!(ledger.put_secret(&new("sealed-two"), &person(2)).await.unwrap());
    assert!(!ledger.reseal_secret(&old, "k2", "sealed-three", &person(3)).await.unwrap(), "it was set since it was read");
    let now = ledger.secrets(Scope::Partner(&police())).await.unwrap().remove(0);
    assert!(ledger.reseal_secret(&now, "k2", "sealed-four", &person(4)).await.unwrap());
    let kept = ledger.secrets(Scope::Hub).await.unwrap();
    assert_eq!(kept, [StoredSecret { key_id: "k2".to_owned(), sealed: "sealed-four".to_owned(), ..now.clone() }]);
    assert_eq!(kept[0].set_at_ms, 2, "sealing it again does not set it");
    assert_eq!(ledger.secrets(Scope::Partner(&name("nobody"))).await.unwrap(), []);
    ledger.remove_secret(&police(), &name("fund"), &person(5)).await.unwrap();
    assert!(matches!(ledger.remove_secret(&police(), &name("fund"), &person(6)).await, Err(LedgerError::NotFound { .. })));
    let nobodys = NewSecret { partner: name("nobody"), ..new("sealed-five") };
    assert!(matches!(ledger.put_secret(&nobodys, &person(7)).await, Err(LedgerError::NotFound { .. })));
    let trail = ledger.audit(Scope::Partner(&police()), None, 4).await.unwrap().items;
    let actions: Vec<&str> = trail.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["secret.remove", "secret.reseal", "secret.set", "secret.set"]);
    assert!(trail.iter().all(|entry| !format!("{entry:?}").contains("sealed-")), "what is sealed is not in the trail: {trail:?}");
}

async fn a_mark_counts_once_its_run_has_taken_the_file(on: Kind) {
    let house = House::new(on).await;
    let (police, lgps, connection) = (police(), lgps(), name("inbox"));
    let of = MarkOf { partner: &police, job: &lgps, connection: &connection, file: "claims?since={since}" };
    let first = house.enqueue(1).await;
    let claim = house.claim(2).await;
    for mark in ["m0", "m1"] {
        house.ledger.note_mark(of, first, mark).await.unwrap();
    }
    let later = RunId::at(1_000);
    assert_eq!(house.ledger.mark(of, later).await.unwrap(), None, "nothing was taken yet");
    house.append(&claim, 3, pulled("claims")).await;
    assert_eq!(house.ledger.mark(of, later).await.unwrap().as_deref(), Some("m1"));
    assert_eq!(house.ledger.mark(of, first).await.unwrap(), None, "a run does not go on from itself");
    assert_eq!(house.ledger.mark(MarkOf { file: "other", ..of }, later).await.unwrap(), None);
}

fn begins(content: &str) -> BegunDelivery {
    let (digest, hidden) = (Some(Digest::of(content.as_bytes())), Some(".hidden".to_owned()));
    BegunDelivery { port: "return".to_owned(), digest, hidden }
}

/// A run whose output is staged, and which has begun to deliver it.
async fn sending(house: &House) -> Claim {
    house.enqueue(1).await;
    let claim = house.claim(2).await;
    house.append(&claim, 3, pulled("pay.csv")).await;
    house.append(&claim, 4, processed(&["return"])).await;
    house.ledger.begin_delivery(&claim.lease, 5, &begins("return")).await.unwrap();
    claim
}

async fn a_delivery_that_was_begun_is_told_until_it_is_resolved(on: Kind) {
    let house = House::new(on).await;
    let first = sending(&house).await;
    let second = house.ledger.claim(&hub("second"), FOR_EVER, LEASE_MS).await.unwrap().unwrap();
    let begun = async || house.ledger.begun_delivery(&second.lease, "return").await.unwrap();
    assert_eq!(begun().await, Some(begins("return")), "the attempt before it had begun");
    assert_eq!(house.ledger.begun_delivery(&second.lease, "ctr1").await.unwrap(), None);
    let other = house.ledger.begin_delivery(&second.lease, FOR_EVER, &begins("other")).await;
    assert!(matches!(other, Err(LedgerError::WrongState { .. })), "{other:?}");

    // The hub that was thought dead wakes.
    let lost = [
        house.ledger.begin_delivery(&first.lease, FOR_EVER, &begins("return")).await.unwrap_err(),
        house.ledger.forget_delivery(&first.lease, "return").await.unwrap_err(),
        house.ledger.begun_delivery(&first.lease, "return").await.unwrap_err(),
    ];
    assert!(lost.iter().all(|error| matches!(error, LedgerError::LeaseLost { .. })), "{lost:?}");
    assert_eq!(begun().await, Some(begins("return")), "it changed nothing");

    house.ledger.forget_delivery(&second.lease, "return").await.unwrap();
    assert_eq!(begun().await, None, "what was refused is forgotten");
    house.ledger.begin_delivery(&second.lease, FOR_EVER, &begins("return")).await.unwrap();
    house.append(&second, FOR_EVER, delivered("return")).await;
    assert_eq!(begun().await, None, "a receipt resolves it");
}

async fn what_may_have_been_sent_stays_taken(on: Kind) {
    let mut house = House::new(on).await;
    let claim = sending(&house).await;
    let run = claim.lease.run;
    let cancel = Instruction::Cancel { why: "they have it".to_owned() };
    let refused = house.ledger.instruct(Scope::Hub, run, cancel.clone(), &person(6)).await.unwrap_err().to_string();
    assert!(refused.contains("is being sent"), "{refused}");
    house.append(&claim, 7, failed(None)).await;
    let afresh = Instruction::Retry { afresh: true, why: "once more".to_owned() };
    let refused = house.ledger.instruct(Scope::Hub, run, afresh.clone(), &person(8)).await.unwrap_err().to_string();
    assert!(refused.contains("may have been delivered"), "{refused}");
    house.ledger.instruct(Scope::Hub, run, cancel.clone(), &person(9)).await.unwrap();
    let (inbox, content) = (name("inbox"), FileQuestion::Path("pay.csv"));
    let taken = async |house: &House| house.ledger.taken_files((&police(), &lgps()), &inbox, content).await.unwrap();
    assert_eq!(taken(&house).await.len(), 1, "the next run must not send it again");
    house.raw(&format!("UPDATE runs SET last_event = 1 WHERE run = '{run}'")).await.unwrap();
    assert_eq!(house.reopen().await, [run]);
    assert_eq!(taken(&house).await.len(), 1, "not after a repair either");

    // Where nothing was sent, and that is certain, the file is free.
    let house = House::new(on).await;
    let claim = sending(&house).await;
    house.ledger.forget_delivery(&claim.lease, "return").await.unwrap();
    house.ledger.instruct(Scope::Hub, claim.lease.run, cancel, &person(6)).await.unwrap();
    assert_eq!(taken(&house).await, []);
}

async fn a_persons_word_resolves_what_is_uncertain(on: Kind) {
    for (code, known) in [(DELIVERY_UNCERTAIN, true), ("connection-failed", false)] {
        let house = House::new(on).await;
        let claim = sending(&house).await;
        let failed = Failed { reason: reason(code), retry_at_ms: None, waits: false, limits: Vec::new(), log: Vec::new() };
        house.append(&claim, 6, Step::Failed(failed)).await;
        let again = Instruction::Retry { afresh: false, why: "they have nothing".to_owned() };
        house.ledger.instruct(Scope::Hub, claim.lease.run, again, &person(7)).await.unwrap();
        let next = house.claim(8).await;
        let begun = house.ledger.begun_delivery(&next.lease, "return").await.unwrap();
        assert_eq!(begun.is_none(), known, "{code}: of what nobody asked, nobody knows");
    }
}

/// Content under a name.
fn content(path: &str, content: &str) -> Pulled {
    let Step::Pulled(mut pulled) = pulled(path) else { unreachable!("it is what was fetched") };
    pulled.inputs[0].digest = Digest::of(content.as_bytes());
    pulled
}

/// Takes content for the next run, and lets that run fail. Answers its id, and the run that was first.
async fn takes(house: &House, now_ms: i64, path: &str) -> (RunId, Option<RunId>) {
    let claim = house.claim(FOR_EVER).await;
    let taken = house.ledger.take(&claim.lease, now_ms, content(path, "rows")).await.unwrap();
    house.append(&claim, now_ms, failed(None)).await;
    (claim.lease.run, taken.inputs[0].duplicate_of.as_ref().map(|earlier| earlier.run))
}

async fn the_same_content_is_judged_by_who_took_it_first(on: Kind) {
    let house = House::new(on).await;
    let instruct = async |run, instruction| house.ledger.instruct(Scope::Hub, run, instruction, &person(300)).await.unwrap();
    let afresh = || Instruction::Retry { afresh: true, why: "again".to_owned() };
    house.enqueue(1).await;
    let (first, judged) = takes(&house, 100, "a.csv").await;
    assert_eq!(judged, None);
    // Another hub, whose clock is behind.
    house.enqueue(2).await;
    let (second, judged) = takes(&house, 50, "b.csv").await;
    assert_eq!(judged, Some(first));
    instruct(first, afresh()).await;
    assert_eq!(takes(&house, 200, "a.csv").await, (first, None), "what it took itself is still its own");
    instruct(first, Instruction::Cancel { why: "not this one".to_owned() }).await;
    instruct(second, afresh()).await;
    assert_eq!(takes(&house, 210, "b.csv").await, (second, None), "nobody else has it now");
    house.enqueue(3).await;
    assert_eq!(takes(&house, 40, "c.csv").await.1, Some(second));
}

async fn of_two_hubs_that_take_the_same_content_one_has_it(on: Kind) {
    let house = House::new(on).await;
    let mut declared = declaration("police", &["lgps", "other"]);
    declared.jobs[0].queue.runs_at_once = 2;
    declared.jobs[0].title = "Two at once".to_owned();
    house.ledger.apply(&declared, &person(2)).await.unwrap();
    for round in 0..6 {
        let (one, two) = (house.enqueue(3).await, house.enqueue(4).await);
        let claims = house.ledger.claim_some(&hub("main"), FOR_EVER, LEASE_MS, 2).await.unwrap();
        assert_eq!(claims.iter().map(|claim| claim.lease.run).collect::<Vec<_>>(), [one, two]);
        let file = |name: &str| content(&format!("{name}-{round}.csv"), &format!("rows {round}"));
        let (first, second) =
            tokio::join!(house.ledger.take(&claims[0].lease, 5, file("a")), house.ledger.take(&claims[1].lease, 5, file("b")),);
        let taken = [first.unwrap(), second.unwrap()];
        let duplicates = taken.iter().filter(|taken| taken.inputs[0].duplicate_of.is_some()).count();
        assert_eq!(duplicates, 1, "{taken:?}");
        for claim in &claims {
            house.append(claim, 6, failed(None)).await;
        }
    }
}

async fn exchanges_are_kept_by_session_and_lease(on: Kind) {
    let house = House::new(on).await;
    let run = house.enqueue(1).await;
    let of = |session: &str| SessionOf { partner: police(), run, session: session.to_owned() };
    let exchange = |lease, seq, body: Option<&[u8]>| Exchange {
        lease,
        seq,
        request: Digest::of(b"GET /v2/payments"),
        method: "GET".to_owned(),
        target: "/v2/payments?page=1".to_owned(),
        answer: r#"{"status":200}"#.to_owned(),
        body: body.map(Digest::of),
        sent_bytes: 22,
        received_bytes: 1 << 40,
        took_ms: 7,
        at_ms: 3,
        sealed: (seq == 2).then(|| vec![1, 0xff]),
    };
    let kept = [exchange(1, 1, Some(b"{}")), exchange(1, 2, None), exchange(2, 1, Some(b"[]"))];
    for one in &kept {
        house.ledger.put_exchange(&of("pull:lines"), one).await.unwrap();
    }
    house.ledger.put_exchange(&of("push:payments"), &kept[0]).await.unwrap();
    assert!(house.ledger.put_exchange(&of("pull:lines"), &kept[0]).await.is_err(), "what was kept is never written over");
    assert_eq!(house.ledger.exchanges_of(&of("pull:lines")).await.unwrap(), kept);
    let anothers = SessionOf { partner: name("nobody"), ..of("pull:lines") };
    assert_eq!(house.ledger.exchanges_of(&anothers).await.unwrap(), []);
    let sessions = house.ledger.sessions(Scope::Partner(&police()), run).await.unwrap();
    assert_eq!(sessions, [of("pull:lines"), of("push:payments")]);
    assert_eq!(house.ledger.sessions(Scope::Partner(&name("nobody")), run).await.unwrap(), []);
}

async fn a_notice_comes_with_its_event_and_is_sent_by_one(on: Kind) {
    let house = House::new(on).await;
    let ledger = &house.ledger;
    let run = house.enqueue(1).await;
    let claim = house.claim(2).await;
    assert_eq!(ledger.take_notices(9, 100).await.unwrap(), []);
    house.append(&claim, 3, Step::Held(reason("totals-do-not-balance"))).await;
    let (one, other) = tokio::join!(ledger.take_notices(10, 100), ledger.take_notices(10, 100));
    let taken = [one.unwrap(), other.unwrap()].concat();
    assert_eq!((taken.len(), taken[0].run, taken[0].told, taken[0].at_ms, taken[0].attempts), (1, run, Told::Held, 3, 1));
    assert_eq!(ledger.take_notices(109, 100).await.unwrap(), [], "it is left to who took it");
    let late = ledger.take_notices(110, 100).await.unwrap().remove(0);
    assert_eq!(late.attempts, 2);
    let sent = |notice: &Notice, at_ms| Notice { sent_at_ms: Some(at_ms), next_at_ms: None, ..notice.clone() };
    assert!(!ledger.settle_notice(&sent(&taken[0], 111)).await.unwrap(), "another has it now");
    assert!(ledger.settle_notice(&sent(&late, 112)).await.unwrap());
    assert!(!ledger.settle_notice(&sent(&late, 113)).await.unwrap(), "it is sent once");
    assert_eq!(ledger.take_notices(i64::MAX - 1_000, 100).await.unwrap(), []);
    assert_eq!(ledger.notices(Scope::Partner(&police()), run).await.unwrap(), [sent(&late, 112)]);
    assert_eq!(ledger.notices(Scope::Partner(&name("nobody")), run).await.unwrap(), []);
}

async fn a_job_that_tells_nobody_has_no_notices(on: Kind) {
    let house = House::new(on).await;
    for (told, comes) in [(vec![], false), (vec![Told::Failed, Told::Overdue], false), (vec![Told::Held, Told::Skipped], true)] {
        let mut declared = declaration("police", &[lgps().as_str()]);
        for job in &mut declared.jobs {
            job.notices.clone_from(&told);
            job.title = format!("told {told:?}");
        }
        house.ledger.apply(&declared, &person(1)).await.unwrap();
        let run = house.enqueue(2).await;
        let claim = house.claim(3).await;
        house.append(&claim, 4, Step::Skipped(reason("no-input"))).await;
        assert_eq!(house.ledger.notices(Scope::Hub, run).await.unwrap().len(), usize::from(comes), "{told:?}");
    }
}

async fn a_message_comes_with_its_event_and_is_sent_by_one(on: Kind) {
    let house = House::new(on).await;
    let ledger = &house.ledger;
    let mut declared = declaration("police", &["lgps", "other"]);
    let webhook = |of: &str, events: &[WebhookEvent]| DeclaredWebhook {
        name: name(of),
        events: events.to_vec(),
        definition: declared.jobs[0].definition,
    };
    let told = [webhook("desk", &[WebhookEvent::RunHeld, WebhookEvent::RunClosed]), webhook("other", &[WebhookEvent::RunFailed])];
    declared.webhooks = told.to_vec();
    let changes = ledger.apply(&declared, &person(1)).await.unwrap().changes;
    assert_eq!(changes.iter().filter(|change| change.what == "webhook").count(), 2, "{changes:?}");
    let run = house.enqueue(1).await;
    let claim = house.claim(2).await;
    house.append(&claim, 3, Step::Held(reason("totals-do-not-balance"))).await;
    let (police, desk) = (police(), name("desk"));
    assert_eq!(ledger.webhooks_due(2).await.unwrap(), []);
    assert_eq!(ledger.webhooks_due(3).await.unwrap(), [(police.clone(), name("desk"))], "one is told of that");
    let take = |now_ms| ledger.take_webhook_messages((&police, &desk), now_ms, 100);
    let (one, other) = tokio::join!(take(10), take(10));
    let taken = [one.unwrap(), other.unwrap()].concat();
    assert_eq!((taken.len(), taken[0].event.as_str(), taken[0].at_ms, taken[0].attempts), (1, "run.held", 3, 1));
    assert_eq!(taken[0].subject, format!("run:{run}"));
    assert!(taken[0].body.contains("totals-do-not-balance") && taken[0].body.contains(&taken[0].id), "{}", taken[0].body);
    assert_eq!(ledger.webhooks_waiting().await.unwrap(), [("police".to_owned(), 1)]);
    let late = take(110).await.unwrap().remove(0);
    let ends = |of: &WebhookMessage, at_ms| WebhookMessage {
        next_at_ms: None,
        taken_at_ms: Some(at_ms),
        ended_at_ms: Some(at_ms),
        status: Some(204),
        took_ms: Some(7),
        ..of.clone()
    };
    assert!(!ledger.settle_webhook_message(&ends(&taken[0], 111)).await.unwrap(), "another has it now");
    assert!(ledger.settle_webhook_message(&ends(&late, 112)).await.unwrap());
    assert!(!ledger.settle_webhook_message(&ends(&late, 113)).await.unwrap(), "it is taken once");
    let kept = ledger.webhook_messages(Scope::Partner(&police), &MessagesSought::default(), None, 9).await.unwrap();
    assert_eq!((kept.items, kept.next), (vec![ends(&late, 112)], None));
    assert_eq!(ledger.forget_webhook_messages(&police, 111).await.unwrap(), 0);
    assert_eq!(ledger.forget_webhook_messages(&name("nobody"), 200).await.unwrap(), 0);
    assert_eq!(ledger.forget_webhook_messages(&police, 112).await.unwrap(), 1);
    declared.webhooks.remove(0);
    assert_eq!(ledger.apply(&declared, &person(200)).await.unwrap().changes.len(), 1);
    let run = house.enqueue(201).await;
    ledger.instruct(Scope::Hub, run, Instruction::Cancel { why: "enough".to_owned() }, &person(202)).await.unwrap();
    assert!(ledger.webhooks_due(FOR_EVER).await.unwrap().is_empty());
}

async fn a_release_that_waits_for_approval_is_told(on: Kind) {
    let house = House::new(on).await;
    let mut declared = declaration("police", &["lgps"]);
    let events = vec![WebhookEvent::ReleaseAwaitingApproval];
    declared.webhooks = vec![DeclaredWebhook { name: name("desk"), events, definition: declared.jobs[0].definition }];
    let release = |content: &[u8]| NewRelease {
        key: ReleaseKey { partner: police(), plugin: name("lgps-return"), digest: Digest::of(content) },
        version: "9.9.9".to_owned(),
        manifest: String::new(),
        size_bytes: 1,
        artefact: String::new(),
        signature: None,
    };
    for (policy, told) in [(ReleasePolicy::Open, 0), (ReleasePolicy::Signed, 0), (ReleasePolicy::Approved, 1)] {
        declared.partner.releases = policy;
        house.ledger.apply(&declared, &person(2)).await.unwrap();
        let new = release(policy.as_str().as_bytes());
        assert!(house.ledger.put_release(&new, &person(3)).await.unwrap());
        assert!(!house.ledger.put_release(&new, &person(4)).await.unwrap());
        let messages = house.ledger.webhook_messages(Scope::Partner(&police()), &MessagesSought::default(), None, 9).await.unwrap().items;
        assert_eq!(messages.len(), told, "{policy:?}");
        assert!(messages.iter().all(|message| message.body.contains("9.9.9") && message.body.contains(&new.key.digest.to_string())));
    }
}

async fn how_the_queue_stands_is_counted(on: Kind) {
    let house = House::new(on).await;
    let (found, known) = house.ledger.steps().await.unwrap();
    assert!(found == known && known > 10);
    assert_eq!(house.ledger.standing(5).await.unwrap(), QueueStanding::default());
    house.enqueue(10).await;
    let claim = house.claim(20).await;
    house.ledger.enqueue(&request("other", None), &person(30)).await.unwrap();
    let now = house.ledger.standing(40).await.unwrap();
    assert_eq!((now.claimable, now.claimable_since_ms, now.leases_expired), (1, Some(30), 0));
    assert_eq!(now.leases, [("main".to_owned(), 1)]);
    let open: Vec<_> = now.open.iter().map(|of| (of.job.as_str(), of.state.as_str(), of.runs)).collect();
    assert_eq!(open, [("lgps", "running", 1), ("other", "queued", 1)]);
    assert_eq!(house.ledger.standing(20 + LEASE_MS).await.unwrap().leases_expired, 1);
    house.append(&claim, 50, failed(None)).await;
    let now = house.ledger.standing(60).await.unwrap();
    assert!(now.leases.is_empty() && now.open.iter().any(|of| (of.state.as_str(), of.uncertain) == ("failed", 0)), "{now:?}");
    assert!(house.ledger.rejects_waiting().await.unwrap().is_empty());
    assert!(house.ledger.connections_open().0 >= 0);
    // A name is lost with the connection that holds it.
    let held = house.ledger.hold_name(&hub("first")).await.unwrap().unwrap();
    assert!(house.ledger.still_holds(&held).await.unwrap());
    if on == Kind::Postgres {
        house
            .raw(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .await
            .unwrap();
        // The server's process takes a moment to end.
        while house.ledger.still_holds(&held).await.unwrap() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
