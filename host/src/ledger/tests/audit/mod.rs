//! The audit trail's chain, and tokens.

mod lived;
mod tamper;
mod walk;

use super::*;

on_both![
    an_untouched_trail_fits_and_is_read_by_page,
    tampering_is_found_where_it_was_done,
    what_people_and_runs_do_is_in_the_trail,
    tokens_are_found_by_hash_until_they_end
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
