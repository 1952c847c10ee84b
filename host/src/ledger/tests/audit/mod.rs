//! The audit trail's chain, and tokens.

mod lived;
mod tamper;
mod walk;

use super::*;

on_both![
    an_untouched_trail_fits_and_is_read_by_page,
    tampering_is_found_where_it_was_done,
    what_people_and_runs_do_is_in_the_trail,
    tokens_are_found_by_hash_until_they_end,
    what_somebody_else_wrote_is_found_by_the_next_question,
    entries_are_sought_by_who_what_to_what_and_when,
    of_two_who_saw_the_same_end_one_acts,
    hubs_give_word_and_are_forgotten,
    very_many_runs_are_compared_a_few_at_a_time
];

async fn trail(on: Kind, entries: i64) -> House {
    let house = House::new(on).await;
    let police = police();
    for now_ms in 0..entries - 1 {
        let after = Some(serde_json::json!({ "from": now_ms }));
        let partner = (now_ms % 2 == 0).then_some(&police);
        house
            .ledger
            .note(Act { partner, action: "person.sign-in", subject: "person:j.smith".to_owned(), before: None, after }, &person(now_ms))
            .await
            .unwrap();
    }
    house
}

async fn an_untouched_trail_fits_and_is_read_by_page(on: Kind) {
    let house = trail(on, 6).await;
    let check = house.ledger.verify_audit().await.unwrap();
    assert_eq!((check.entries, check.broken), (6, None));
    let newest = house.ledger.audit(Scope::Hub, None, 4).await.unwrap();
    assert_eq!(newest.items.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [6, 5, 4, 3]);
    assert_eq!(newest.items[0].hash, check.head);
    let rest = house.ledger.audit(Scope::Hub, newest.next, 4).await.unwrap();
    assert_eq!((rest.items.iter().map(|entry| entry.seq).collect::<Vec<_>>(), rest.next), (vec![2, 1], None));
    let own = house.ledger.audit(Scope::Partner(&police()), None, 10).await.unwrap();
    assert_eq!(own.items.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [6, 4, 2, 1]);
}

async fn tampering_is_found_where_it_was_done(on: Kind) {
    for (harm, broken) in [
        ("UPDATE audit SET actor = 'person:nobody' WHERE seq = 3", 3),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET partner = NULL WHERE seq = 4", 4),
        ("UPDATE audit SET before_json = after_json, after_json = NULL WHERE seq = 5", 5),
        ("UPDATE audit SET before_json = '' WHERE seq = 5", 5),
        ("UPDATE audit SET previous_hash = hash WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq >= 5", 5),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit_head", 7),
        ("UPDATE audit SET seq = 9 WHERE seq = 6", 6),
        ("DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq > 2", 2),
    ] {
        let house = trail(on, 6).await;
        house.harm("audit", harm).await;
        let check = house.ledger.verify_audit().await.unwrap();
        assert_eq!(check.broken.map(|entry| entry.seq), Some(broken), "{harm}");
        assert_eq!(check.entries, broken - 1, "{harm}");
    }
}

async fn what_people_and_runs_do_is_in_the_trail(on: Kind) {
    let house = House::new(on).await;
    house.enqueue(1).await;
    let claim = house.claim(2).await;
    house.finish(&claim, 3).await;
    let entries = house.ledger.audit(Scope::Hub, None, 10).await.unwrap().items;
    let seen: Vec<_> = entries.iter().map(|entry| (entry.action.as_str(), entry.actor.as_str())).collect();
    assert_eq!(seen, [("run.close", "hub:main"), ("run.request", "person:j.smith"), ("partner.apply", "person:j.smith")]);
}

async fn tokens_are_found_by_hash_until_they_end(on: Kind) {
    let house = House::new(on).await;
    let hash = Digest::of(b"secret");
    let new = NewToken {
        partner: police(),
        name: "finance".to_owned(),
        hash,
        scopes: vec!["runs:read".to_owned(), "runs:start".to_owned()],
        expires_at_ms: Some(1_000_000),
    };
    house.ledger.create_token(&new, &person(1)).await.unwrap();
    assert!(matches!(house.ledger.create_token(&new, &person(1)).await, Err(LedgerError::AlreadyThere { .. })));
    assert!(house.ledger.token(Digest::of(b"guess")).await.unwrap().is_none());
    let token = house.ledger.token(hash).await.unwrap().unwrap();
    assert!(token.is_valid(999_999) && !token.is_valid(1_000_000), "expired");
    assert_eq!((&token.scopes, token.last_used_at_ms), (&new.scopes, None));

    house.ledger.touch_token(&token, 100_000).await.unwrap();
    let token = house.ledger.token(hash).await.unwrap().unwrap();
    house.ledger.touch_token(&token, 159_999).await.unwrap();
    assert_eq!(house.ledger.token(hash).await.unwrap().unwrap().last_used_at_ms, Some(100_000));
    house.ledger.touch_token(&token, 160_000).await.unwrap();
    assert_eq!(house.ledger.token(hash).await.unwrap().unwrap().last_used_at_ms, Some(160_000));

    house.ledger.revoke_token(&police(), "finance", &person(5)).await.unwrap();
    assert!(house.ledger.revoke_token(&police(), "finance", &person(6)).await.is_err());
    let revoked = house.ledger.token(hash).await.unwrap().unwrap();
    assert!(!revoked.is_valid(7));
    for tried_ms in [7, 8, 3_600_006, 3_600_007, 3_600_008] {
        house.ledger.refuse_token(&revoked, &hub("main"), tried_ms).await.unwrap();
    }
    let entries = house.ledger.audit(Scope::Partner(&police()), None, 100).await.unwrap().items;
    let noted: Vec<_> =
        entries.iter().filter(|entry| entry.action == "token.refuse").map(|entry| (entry.at_ms, entry.after.as_deref())).collect();
    assert_eq!(noted, [(3_600_007, Some(r#"{"why":"revoked"}"#)), (7, Some(r#"{"why":"revoked"}"#))], "once an hour");
    assert_eq!(house.ledger.tokens(Scope::Partner(&police())).await.unwrap()[0].revoked_at_ms, Some(5));
    assert!(house.ledger.tokens(Scope::Partner(&name("fire"))).await.unwrap().is_empty());
}

/// What was read is kept for as long as nothing is committed: by this process, by another hub, or by hand.
async fn what_somebody_else_wrote_is_found_by_the_next_question(on: Kind) {
    let house = House::new(on).await;
    let elsewhere = Ledger::open(&house.database).await.unwrap();
    for number in 0..20 {
        let (name, hash) = (format!("t{number}"), Digest::of(&[number]));
        let new = NewToken { partner: police(), name: name.clone(), hash, scopes: vec!["decide".to_owned()], expires_at_ms: None };
        assert_eq!(house.ledger.token(hash).await.unwrap(), None);
        elsewhere.create_token(&new, &person(1)).await.unwrap();
        for _ in 0..3 {
            assert!(house.ledger.token(hash).await.unwrap().unwrap().is_valid(2));
        }
        match number % 2 {
            0 => elsewhere.revoke_token(&police(), &name, &person(2)).await.unwrap(),
            _ => house.raw(&format!("UPDATE tokens SET revoked_at_ms = 2 WHERE token = '{name}'")).await.unwrap(),
        }
        assert!(!house.ledger.token(hash).await.unwrap().unwrap().is_valid(3), "{name} was revoked");
    }
}

async fn entries_are_sought_by_who_what_to_what_and_when(on: Kind) {
    let house = House::new(on).await;
    let (police, fire): (PartnerName, PartnerName) = (police(), name("fire"));
    house.ledger.apply(&declaration("fire", &["other"]), &person(1)).await.unwrap();
    for (at_ms, partner, actor, action, subject) in [
        (10, &police, "a.able", "run.cancel", "run:1"),
        (20, &police, "b.baker", "run.retry", "run:1"),
        (30, &police, "A_Able", "job.pause", "job:100%"),
        (40, &fire, "a.able", "run.cancel", "run:2"),
    ] {
        let by = By { actor: Actor::person(actor), ..person(at_ms) };
        let act = Act { partner: Some(partner), action, subject: subject.to_owned(), before: None, after: None };
        house.ledger.note(act, &by).await.unwrap();
    }
    let any = AuditSought::default;
    let are = |text: &str| AuditWords::Are(text.to_owned());
    let have = |text: &str| AuditWords::Have(text.to_owned());
    let begin = |text: &str| AuditWords::Begin(text.to_owned());
    let cases: &[(AuditSought, &[i64])] = &[
        (AuditSought { actor: are("person:a.able"), ..any() }, &[10]),
        (AuditSought { actor: have("ABLE"), ..any() }, &[30, 10]),
        (AuditSought { actor: have("a_able"), ..any() }, &[30]),
        (AuditSought { action: begin("run."), ..any() }, &[20, 10]),
        (AuditSought { action: begin("run.c"), subject: are("run:1"), ..any() }, &[10]),
        (AuditSought { subject: have("0%"), ..any() }, &[30]),
        (AuditSought { subject: have("%"), from_ms: Some(5), ..any() }, &[30]),
        (AuditSought { subject: have("\\"), ..any() }, &[]),
        (AuditSought { subject: are("run:1\0"), ..any() }, &[]),
        (AuditSought { from_ms: Some(10), until_ms: Some(30), ..any() }, &[20, 10]),
        (AuditSought { from_ms: Some(31), ..any() }, &[]),
    ];
    for (sought, times) in cases {
        let found = house.ledger.audit_sought(Scope::Partner(&police), sought, None, 10).await.unwrap();
        assert_eq!(found.items.iter().map(|entry| entry.at_ms).collect::<Vec<_>>(), *times, "{sought:?}");
    }
    let cancelled = AuditSought { action: are("run.cancel"), ..any() };
    let first = house.ledger.audit_sought(Scope::Hub, &cancelled, None, 1).await.unwrap();
    assert_eq!((first.items[0].at_ms, first.next.is_some()), (40, true));
    let second = house.ledger.audit_sought(Scope::Hub, &cancelled, first.next, 1).await.unwrap();
    assert_eq!((second.items[0].at_ms, second.next), (10, None));
}

async fn of_two_who_saw_the_same_end_one_acts(on: Kind) {
    let house = House::new(on).await;
    let (police, lgps): (PartnerName, JobName) = (police(), name("lgps"));
    for round in 0..20 {
        let seen = house.ledger.trail_end(&police).await.unwrap();
        let act = async |actor: &str| {
            let by = By { actor: Actor::person(actor), ..person(round) }.as_of(seen);
            let note = Act { partner: Some(&police), action: "job.note", subject: format!("job:{lgps}"), before: None, after: None };
            house.ledger.note(note, &by).await
        };
        let (one, other) = tokio::join!(act("a.able"), act("b.baker"));
        assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1, "{one:?} {other:?}");
        assert!(matches!(one.and(other), Err(LedgerError::ChangedMeanwhile { .. })));
    }
    let seen = house.ledger.trail_end(&police).await.unwrap();
    house.ledger.apply(&declaration("fire", &["other"]), &person(30)).await.unwrap();
    assert!(house.ledger.pause((&police, &lgps), "why", &person(31).as_of(seen)).await.unwrap(), "what another partner does is no matter");
    assert!(house.ledger.resume((&police, &lgps), &person(32).as_of(seen)).await.is_err());
    let jobs = house.ledger.jobs(Scope::Partner(&police)).await.unwrap();
    assert!(jobs.iter().any(|job| job.name == lgps && job.paused.is_some()), "nothing of it was done");
    assert_eq!(house.ledger.verify_audit().await.unwrap().broken, None);
}

async fn hubs_give_word_and_are_forgotten(on: Kind) {
    const DAY_MS: i64 = 86_400_000;
    let house = House::new(on).await;
    house.ledger.say_hub(&hub("one"), "0.1.0", (1, 2)).await.unwrap();
    house.ledger.say_hub(&hub("two"), "0.1.0", (3, 29 * DAY_MS)).await.unwrap();
    house.ledger.say_hub(&hub("one"), "0.2.0", (5, 6)).await.unwrap();
    let told = house.ledger.hubs(Scope::Hub).await.unwrap();
    let one = StoredHub { hub: hub("one"), version: "0.2.0".to_owned(), started_at_ms: 5, seen_at_ms: 6, runs: 0 };
    assert_eq!((told.len(), &told[0]), (2, &one));
    house.ledger.say_hub(&hub("two"), "0.1.0", (3, 31 * DAY_MS)).await.unwrap();
    assert_eq!(house.ledger.hubs(Scope::Hub).await.unwrap().len(), 1, "it has long given no word");
    let facts = house.ledger.database_facts().await.unwrap();
    assert!(facts.size_bytes > 10_000 && facts.version.starts_with(|first: char| first.is_ascii_digit()), "{facts:?}");
}

/// More is said of runs than is held at one time: what is said of those that are there is found among it, and of all others it is said
/// that they are gone.
async fn very_many_runs_are_compared_a_few_at_a_time(on: Kind) {
    const RUNS: u64 = 40_000;
    let house = House::new(on).await;
    let police = police();
    let there = house.enqueue(1).await;
    let claim = house.claim(2).await;
    house.finish(&claim, 3).await;
    assert!(house.ledger.verify_audit().await.unwrap().is_sound());
    let digest = Digest::of(b"rows").to_string();
    for some in (0..RUNS).collect::<Vec<_>>().chunks(1_000) {
        let mut transaction = house.ledger.store.begin().await.unwrap();
        for number in some {
            // In no order, before and after the one that is there.
            let run = format!("{:032x}", u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64);
            let after = serde_json::json!({ "covers": [{ "what": "run", "of": run, "sha256": digest, "form": 3 }] });
            let act = Act { partner: Some(&police), action: "run.close", subject: format!("run:{run}"), before: None, after: Some(after) };
            crate::ledger::audit::append(&mut transaction, act, &person(9));
        }
        transaction.commit().await.unwrap();
    }
    let check = house.ledger.verify_audit().await.unwrap();
    assert_eq!((check.rows.faults.len(), check.rows.more), (100, RUNS - 100));
    assert!(
        check.rows.faults.iter().all(|fault| fault.of != there.to_string() && fault.why.contains("is gone")),
        "{:?}",
        check.rows.faults
    );
    assert!(check.rows.fitting > 2, "{check:?}");
}
