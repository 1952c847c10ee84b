//! Keys of partners, and who saw what they protect.

use super::*;

on_both![keys_of_partners_are_made_once_and_sealed_again, a_sight_is_noted_once_an_hour];

async fn keys_of_partners_are_made_once_and_sealed_again(on: Kind) {
    let house = House::new(on).await;
    let (police, by) = (police(), person(1));
    assert!(house.ledger.put_data_key((&police, 1), ("old", "aa"), &by).await.unwrap());
    assert!(!house.ledger.put_data_key((&police, 1), ("old", "bb"), &by).await.unwrap(), "another hub was first");
    assert!(house.ledger.put_data_key((&police, 2), ("old", "cc"), &by).await.unwrap());
    assert!(house.ledger.put_data_key((&name("nobody"), 1), ("old", "dd"), &by).await.is_err());
    let kept = house.ledger.data_keys(Scope::Partner(&police)).await.unwrap();
    assert_eq!(kept.iter().map(|key| (key.generation, key.sealed.as_str())).collect::<Vec<_>>(), [(1, "aa"), (2, "cc")]);
    assert!(house.ledger.reseal_data_key(&kept[0], ("new", "ee"), &by).await.unwrap());
    assert!(!house.ledger.reseal_data_key(&kept[0], ("new", "ff"), &by).await.unwrap(), "it was sealed again meanwhile");
    let all = house.ledger.data_keys(Scope::Hub).await.unwrap();
    assert_eq!(all.iter().map(|key| (key.key_id.as_str(), key.sealed.as_str())).collect::<Vec<_>>(), [("new", "ee"), ("old", "cc")]);
}

async fn a_sight_is_noted_once_an_hour(on: Kind) {
    let house = House::new(on).await;
    let (police, run) = (police(), house.enqueue(1).await);
    for (at_ms, expected) in [(0, 1), (3_599_999, 1), (3_600_000, 2), (3_600_000 * 100, 3), (3_600_000 * 100 + 5, 3)] {
        house.ledger.note_sight(&police, run, &person(at_ms)).await.unwrap();
        let acts = house.ledger.audit(Scope::Hub, None, 50).await.unwrap().items;
        assert_eq!(acts.iter().filter(|act| act.action == "personal.see").count(), expected, "at {at_ms}");
    }
}
