//! What is kept for places outside: sealed credentials, marks of pulls, deliveries that were begun.

use super::*;

on_both![
    a_secret_is_replaced_resealed_and_removed,
    a_mark_counts_once_its_run_has_taken_the_file,
    a_delivery_that_was_begun_is_told_to_the_next_attempt
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

async fn a_delivery_that_was_begun_is_told_to_the_next_attempt(on: Kind) {
    let house = House::new(on).await;
    house.enqueue(1).await;
    let lease = house.claim(2).await.lease;
    let begin = async |attempt| house.ledger.begin_delivery(&lease, "return", attempt).await.unwrap();
    assert!(!begin(1).await);
    assert!(begin(2).await, "the attempt before it had begun");
    house.ledger.forget_delivery(&lease, "return").await.unwrap();
    assert!(!begin(3).await, "what was not sent is forgotten");
    assert!(!begin(1).await, "a person has sent the run on its way again");
}
