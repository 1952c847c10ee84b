//! Answers that are kept: told again, refused to another request, begun again after a kill, and given up after a day.

use crate::ledger::tests::*;

on_both!(
    an_answer_is_told_again_for_a_day,
    another_request_under_the_key_is_told_apart_and_another_caller_has_keys_of_its_own,
    what_a_hub_began_and_did_not_end_is_begun_again_by_its_next_life,
    a_request_that_did_nothing_gives_its_key_back,
);

const DAY_MS: i64 = 86_400_000;

fn request(key: &str, life: &str) -> KeyedRequest {
    let partner = name::<PartnerName>("police");
    let caller = Actor::token(&partner, "test");
    KeyedRequest { partner, caller, key: key.to_owned(), digest: Digest::of(b"POST /"), life: life.to_owned() }
}

fn answer() -> KeptAnswer {
    KeptAnswer { status: 202, body: Some("{\"id\":\"1\"}".to_owned()) }
}

async fn an_answer_is_told_again_for_a_day(kind: Kind) {
    let house = House::new(kind).await;
    let of = request("k", "one");
    assert_eq!(house.ledger.begin_answer(&of, &person(1)).await.unwrap(), Repeat::First);
    assert_eq!(house.ledger.begin_answer(&of, &person(2)).await.unwrap(), Repeat::UnderWay);
    house.ledger.end_answer(&of, Some(&answer())).await.unwrap();
    for now_ms in [3, DAY_MS] {
        assert_eq!(house.ledger.begin_answer(&request("k", "two"), &person(now_ms)).await.unwrap(), Repeat::Answered(answer()));
    }
    assert_eq!(house.ledger.begin_answer(&of, &person(DAY_MS + 2)).await.unwrap(), Repeat::First);
    house.ledger.end_answer(&of, Some(&KeptAnswer { status: 201, body: None })).await.unwrap();
    let told = house.ledger.begin_answer(&of, &person(DAY_MS + 3)).await.unwrap();
    assert_eq!(told, Repeat::Answered(KeptAnswer { status: 201, body: None }));
}

async fn another_request_under_the_key_is_told_apart_and_another_caller_has_keys_of_its_own(kind: Kind) {
    let house = House::new(kind).await;
    let of = request("k", "one");
    house.ledger.begin_answer(&of, &person(1)).await.unwrap();
    let other = KeyedRequest { digest: Digest::of(b"another"), ..of.clone() };
    assert_eq!(house.ledger.begin_answer(&other, &person(2)).await.unwrap(), Repeat::Other);
    house.ledger.end_answer(&of, Some(&answer())).await.unwrap();
    assert_eq!(house.ledger.begin_answer(&other, &person(3)).await.unwrap(), Repeat::Other);
    let theirs = KeyedRequest { caller: Actor::token(&of.partner, "another"), ..other };
    assert_eq!(house.ledger.begin_answer(&theirs, &person(4)).await.unwrap(), Repeat::First);
}

async fn what_a_hub_began_and_did_not_end_is_begun_again_by_its_next_life(kind: Kind) {
    let house = House::new(kind).await;
    let (first, second) = (request("k", "one"), request("k", "two"));
    house.ledger.begin_answer(&first, &person(1)).await.unwrap();
    let elsewhere = By { hub: hub("second"), ..person(2) };
    assert_eq!(house.ledger.begin_answer(&second, &elsewhere).await.unwrap(), Repeat::UnderWay, "another hub may be at it");
    assert_eq!(house.ledger.begin_answer(&second, &person(3)).await.unwrap(), Repeat::First);
    house.ledger.end_answer(&first, Some(&answer())).await.unwrap();
    assert_eq!(house.ledger.begin_answer(&second, &person(4)).await.unwrap(), Repeat::UnderWay, "the first life says nothing more");
    let late = By { hub: hub("second"), ..person(3 + 900_001) };
    assert_eq!(house.ledger.begin_answer(&second, &late).await.unwrap(), Repeat::First, "no request takes so long");
}

async fn a_request_that_did_nothing_gives_its_key_back(kind: Kind) {
    let house = House::new(kind).await;
    let of = request("k", "one");
    house.ledger.begin_answer(&of, &person(1)).await.unwrap();
    house.ledger.end_answer(&of, None).await.unwrap();
    assert_eq!(house.ledger.begin_answer(&of, &person(2)).await.unwrap(), Repeat::First);
    house.ledger.end_answer(&of, Some(&answer())).await.unwrap();
    house.ledger.end_answer(&of, None).await.unwrap();
    assert_eq!(house.ledger.begin_answer(&of, &person(3)).await.unwrap(), Repeat::Answered(answer()), "what was answered stays so");
}
