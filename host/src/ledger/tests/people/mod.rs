//! People, roles, sessions, and how failures to sign in are counted.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use secrecy::SecretString;

use super::*;
use crate::model::ids::PersonName;
use crate::model::limits::access::{SESSION_IDLE_MS, SESSION_MS_MAX, SESSIONS_OF_PERSON_MAX, THROTTLE_OF_NAME, Throttle};

on_both!(
    roles_are_kept_by_partner_and_seen_by_their_own_partner,
    whatever_changes_a_person_ends_their_sessions,
    a_session_ends_when_it_is_not_used_and_when_it_is_used_for_too_long,
    a_person_has_so_many_sessions_and_no_more,
    many_guesses_at_one_moment_are_counted_one_by_one,
    right_guesses_take_back_only_themselves_at_an_address,
    failures_are_noted_no_more_often_than_they_make_somebody_wait,
    failures_are_counted_as_a_simple_count_would,
    whose_it_is_that_was_asked_for_is_told_to_its_owner_alone,
);

fn joan() -> PersonName {
    name("joan")
}

async fn with_joan(on: Kind) -> House {
    let house = House::new(on).await;
    house.ledger.apply(&declaration("fire", &["pay"]), &person(1)).await.unwrap();
    let new = NewPerson {
        name: joan(),
        display_name: "Joan Éire".to_owned(),
        email: Some("joan@police.example".to_owned()),
        password: Some(SecretString::from("$argon2id$canary")),
        hub_operator: false,
    };
    house.ledger.add_person(&new, &person(1)).await.unwrap();
    assert!(matches!(house.ledger.add_person(&new, &person(2)).await, Err(LedgerError::AlreadyThere { .. })));
    house
}

fn role<'a>(partner: &'a PartnerName, who: &'a PersonName, role: &'a str) -> NewRole<'a> {
    NewRole { partner, person: who, role }
}

async fn begin(house: &House, number: u8, now_ms: i64) -> Result<Digest, LedgerError> {
    let hash = Digest::of(&[number]);
    let stamp = house.ledger.password_of(&joan()).await.unwrap().unwrap().stamp;
    let session = NewSession { hash, person: joan(), stamp, came_from: "192.0.2.1".to_owned(), way: "password".to_owned() };
    house.ledger.begin_session(&session, &person(now_ms)).await.map(|()| hash)
}

async fn roles_are_kept_by_partner_and_seen_by_their_own_partner(on: Kind) {
    let house = with_joan(on).await;
    let (police, fire, who) = (police(), name::<PartnerName>("fire"), joan());
    assert!(house.ledger.grant_role(role(&police, &who, "viewer"), &person(2)).await.unwrap());
    assert!(house.ledger.grant_role(role(&police, &who, "approver"), &person(2)).await.unwrap());
    assert!(!house.ledger.grant_role(role(&police, &who, "viewer"), &person(3)).await.unwrap(), "they have it");
    assert_eq!(house.ledger.people(Scope::Partner(&fire)).await.unwrap(), []);
    assert!(house.ledger.grant_role(role(&fire, &who, "admin"), &person(4)).await.unwrap());

    let of = |people: Vec<Person>| people.into_iter().map(|person| (person.name, person.roles)).collect::<Vec<_>>();
    let roles =
        |roles: &[(&str, &str)]| roles.iter().map(|(at, role)| (name(at), (*role).to_owned())).collect::<Vec<(PartnerName, String)>>();
    let at_police = of(house.ledger.people(Scope::Partner(&police)).await.unwrap());
    assert_eq!(at_police, [(joan(), roles(&[("police", "approver"), ("police", "viewer")]))], "what they are elsewhere is not told");
    let everywhere = of(house.ledger.people(Scope::Hub).await.unwrap());
    assert_eq!(everywhere, [(joan(), roles(&[("fire", "admin"), ("police", "approver"), ("police", "viewer")]))]);

    assert!(house.ledger.revoke_role(role(&police, &who, "viewer"), &person(5)).await.unwrap());
    assert!(!house.ledger.revoke_role(role(&police, &who, "viewer"), &person(6)).await.unwrap());
    let (nobody, nowhere) = (name::<PersonName>("nobody"), name::<PartnerName>("nowhere"));
    for wrong in [role(&police, &nobody, "viewer"), role(&nowhere, &who, "viewer")] {
        assert!(matches!(house.ledger.grant_role(wrong, &person(7)).await, Err(LedgerError::NotFound { .. })), "{wrong:?}");
    }
    let entries = house.ledger.audit(Scope::Partner(&police), None, 3).await.unwrap().items;
    let role_of = |entry: &AuditEntry| {
        let after: serde_json::Value = serde_json::from_str(entry.after.as_deref().unwrap()).unwrap();
        after["role"].as_str().unwrap().to_owned()
    };
    let told: Vec<_> = entries.iter().rev().map(|entry| (entry.action.as_str(), entry.subject.as_str(), role_of(entry))).collect();
    assert_eq!(
        told,
        [
            ("role.grant", "person:joan", "viewer".to_owned()),
            ("role.grant", "person:joan", "approver".to_owned()),
            ("role.revoke", "person:joan", "viewer".to_owned()),
        ]
    );
    let all = house.ledger.audit(Scope::Hub, None, 1_000).await.unwrap().items;
    assert!(!format!("{all:?}").contains("canary") && !format!("{:?}", house.ledger.password_of(&who).await).contains("canary"));
}

async fn whatever_changes_a_person_ends_their_sessions(on: Kind) {
    let house = with_joan(on).await;
    let (police, who, ledger) = (police(), joan(), &house.ledger);
    for change in 0..8 {
        let hash = begin(&house, 1, 10).await.unwrap();
        let before = ledger.password_of(&who).await.unwrap().unwrap();
        let stored = ledger.session(hash, 11).await.unwrap().expect("it has begun");
        assert_eq!((stored.person, stored.display_name.as_str(), stored.hub_operator), (joan(), "Joan Éire", change > 5), "{change}");
        assert_eq!(stored.partners.len(), if change > 5 { 2 } else { 0 });
        match change {
            0 | 1 => {
                let viewer = role(&police, &who, "viewer");
                let changed =
                    if change == 0 { ledger.grant_role(viewer, &person(12)).await } else { ledger.revoke_role(viewer, &person(12)).await };
                assert!(changed.unwrap());
                // What a role gives is read at each use: the session goes on, with it or without.
                let now = ledger.session(hash, 13).await.unwrap().expect("it goes on");
                assert_eq!(now.roles.iter().any(|(at, role)| *at == police && role == "viewer"), change == 0);
                ledger.end_session(hash, &person(13)).await.unwrap();
                continue;
            }
            2 => ledger.set_password(&who, &SecretString::from("other"), &person(12)).await.unwrap(),
            3 => assert!(ledger.disable_person(&who, true, &person(12)).await.unwrap()),
            4 => assert_eq!(ledger.end_sessions(&who, &person(12)).await.unwrap(), 1),
            5 | 6 => ledger.set_hub_operator(&who, change == 5, &person(12)).await.unwrap(),
            _ => ledger.end_session(hash, &person(12)).await.unwrap(),
        }
        assert_eq!(ledger.session(hash, 13).await.unwrap(), None, "{change}");
        if change < 7 {
            let late = NewSession { hash, person: joan(), stamp: before.stamp, came_from: String::new(), way: String::new() };
            assert!(matches!(ledger.begin_session(&late, &person(13)).await, Err(LedgerError::NotFound { .. })), "{change}");
        }
        if change == 3 {
            assert!(ledger.password_of(&who).await.unwrap().unwrap().disabled);
            assert!(begin(&house, 2, 13).await.is_err(), "disabled");
            assert!(!ledger.disable_person(&who, true, &person(14)).await.unwrap());
            assert!(ledger.disable_person(&who, false, &person(14)).await.unwrap());
        }
        if change == 6 {
            ledger.set_hub_operator(&who, true, &person(12)).await.unwrap();
        }
    }
    ledger.end_session(Digest::of(&[1]), &person(14)).await.unwrap();
    assert!(ledger.verify_audit().await.unwrap().broken.is_none());
}

async fn a_session_ends_when_it_is_not_used_and_when_it_is_used_for_too_long(on: Kind) {
    let house = with_joan(on).await;
    let hash = begin(&house, 1, 0).await.unwrap();
    let at = async |now_ms: i64| house.ledger.session(hash, now_ms).await.unwrap().is_some();
    assert!(at(SESSION_IDLE_MS - 1).await);
    assert!(at(SESSION_IDLE_MS + 5).await, "it was used in between");
    assert!(!at(2 * SESSION_IDLE_MS + 5).await);
    let hash = begin(&house, 2, 0).await.unwrap();
    let at = async |now_ms: i64| house.ledger.session(hash, now_ms).await.unwrap().is_some();
    for used in (0..SESSION_MS_MAX).step_by(usize::try_from(SESSION_IDLE_MS / 2).unwrap()) {
        assert!(at(used).await, "{used}");
    }
    assert!(at(SESSION_MS_MAX - 1).await && !at(SESSION_MS_MAX).await);
    assert_eq!(house.ledger.session(Digest::of(b"another"), 1).await.unwrap(), None);
}

async fn a_person_has_so_many_sessions_and_no_more(on: Kind) {
    let house = with_joan(on).await;
    for number in 0..u8::try_from(SESSIONS_OF_PERSON_MAX).unwrap() + 2 {
        begin(&house, number, i64::from(number) + 1).await.unwrap();
    }
    let live = house.ledger.live_sessions(Some(&joan()), 100).await.unwrap();
    assert_eq!(live.len(), SESSIONS_OF_PERSON_MAX);
    assert_eq!(live.last().unwrap().began_at_ms, 3, "those of longest ago have ended");
    assert_eq!(house.ledger.session(Digest::of(&[0]), 100).await.unwrap(), None);
    assert_eq!(house.ledger.live_sessions(Some(&name("nobody")), 100).await.unwrap(), []);
    assert_eq!(house.ledger.live_sessions(None, 100 + SESSION_MS_MAX).await.unwrap(), []);
}

fn guess_of(what: &str, throttle: Throttle) -> Guess {
    Guess { what: what.to_owned(), throttle }
}

async fn many_guesses_at_one_moment_are_counted_one_by_one(on: Kind) {
    let house = House::new(on).await;
    let guesses = [guess_of("address:x", THROTTLE_OF_NAME), guess_of("name:x", THROTTLE_OF_NAME)];
    let (ledger, guesses) = (&house.ledger, &guesses);
    let asked = (0..20).map(|_| async move { ledger.count_guess(guesses, 5).await.unwrap() });
    let answers = futures_util::future::join_all(asked).await;
    let judged = answers.iter().filter(|answer| matches!(answer, Counted::Judge(_))).count();
    assert_eq!(judged, usize::try_from(THROTTLE_OF_NAME.free).unwrap(), "{answers:?}");
}

async fn right_guesses_take_back_only_themselves_at_an_address(on: Kind) {
    let house = House::new(on).await;
    let of = |name: &str| [guess_of("address:x", THROTTLE_OF_NAME), guess_of(name, THROTTLE_OF_NAME)];
    assert_eq!(house.ledger.count_guess(&of("name:a"), 1).await.unwrap(), Counted::Judge(vec![1, 1]));
    assert_eq!(house.ledger.count_guess(&of("name:b"), 1).await.unwrap(), Counted::Judge(vec![2, 1]));
    house.ledger.guessed_right(&of("name:b"), 1).await.unwrap();
    assert_eq!(house.ledger.count_guess(&of("name:b"), 1).await.unwrap(), Counted::Judge(vec![2, 1]));
    assert_eq!(house.ledger.count_guess(&of("name:a"), 1).await.unwrap(), Counted::Judge(vec![3, 2]));
    assert_eq!(house.ledger.count_guess(&of("name:c"), 1).await.unwrap(), Counted::Wait(1_000));
    assert_eq!(
        house.ledger.count_guess(&[guess_of("name:c", THROTTLE_OF_NAME)], 1).await.unwrap(),
        Counted::Judge(vec![1]),
        "it was not counted"
    );
}

async fn failures_are_noted_no_more_often_than_they_make_somebody_wait(on: Kind) {
    let house = House::new(on).await;
    let guesses = [guess_of("name:x", THROTTLE_OF_NAME)];
    let day = 24 * 3_600_000;
    let mut tried = 0;
    for now_ms in (0..60_000).step_by(500).chain((60_000..day).step_by(60_000)) {
        // Only where it may be judged is anything counted, and so noted.
        if let Counted::Judge(failures) = house.ledger.count_guess(&guesses, now_ms).await.unwrap() {
            tried += 1;
            let of = (None, "192.0.2.1");
            house.ledger.guessed_wrong(&guesses, &failures, of, &person(now_ms)).await.unwrap();
        }
    }
    let entries = house.ledger.audit(Scope::Hub, None, 1_000).await.unwrap().items;
    let noted: Vec<_> = entries.iter().filter(|entry| entry.action == "session.refuse").collect();
    assert!((90..170).contains(&tried) && noted.len() == tried - 2, "{tried} guesses in a day, {} noted", noted.len());
    assert_eq!(noted.last().unwrap().subject, "person:unknown");
    assert_eq!(noted.last().unwrap().after.as_deref(), Some(r#"{"failures":3,"from":"192.0.2.1","waits-ms":1000}"#));
}

/// What the ledger does, in a map.
#[derive(Default)]
struct Simple(BTreeMap<String, (i64, i64, i64)>);

impl Simple {
    fn count(&mut self, guess: &Guess, now_ms: i64) -> Counted {
        let (failures, since_ms, waits_until_ms) = self.0.get(&guess.what).copied().unwrap_or((0, now_ms, 0));
        if now_ms < waits_until_ms {
            return Counted::Wait(waits_until_ms - now_ms);
        }
        let (mut left, mut since_ms) = (failures, since_ms);
        while left > 0 && since_ms + guess.throttle.forgives_every_ms <= now_ms {
            (left, since_ms) = (left - 1, since_ms + guess.throttle.forgives_every_ms);
        }
        let since_ms = if left == 0 { now_ms } else { since_ms };
        let failures = (left + 1).min(i64::from(guess.throttle.failures_max()));
        let counted = u32::try_from(failures).unwrap();
        self.0.insert(guess.what.clone(), (failures, since_ms, now_ms + guess.throttle.wait_ms(counted)));
        Counted::Judge(vec![counted])
    }
}

async fn failures_are_counted_as_a_simple_count_would(on: Kind) {
    let house = House::new(on).await;
    let moves = proptest::collection::vec((0..3_u8, 0..4_000_000_i64, any::<bool>(), 0..10_u8), 1..40);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for round in 0..if on == Kind::Sqlite { 40 } else { 8 } {
        let round_moves = moves.new_tree(&mut runner).unwrap();
        let (mut simple, mut now_ms) = (Simple::default(), 0);
        for (who, later_ms, soon, right) in round_moves.current() {
            now_ms += if soon { later_ms / 2_000 } else { later_ms };
            let guess = guess_of(&format!("name:{round}/{who}"), THROTTLE_OF_NAME);
            let counted = house.ledger.count_guess(std::slice::from_ref(&guess), now_ms).await.unwrap();
            assert_eq!(counted, simple.count(&guess, now_ms), "round {round} at {now_ms}");
            if right == 0 && matches!(counted, Counted::Judge(_)) {
                let aside = guess_of("address:aside", THROTTLE_OF_NAME);
                house.ledger.guessed_right(&[aside, guess.clone()], now_ms).await.unwrap();
                simple.0.remove(&guess.what);
            }
        }
    }
}

async fn whose_it_is_that_was_asked_for_is_told_to_its_owner_alone(on: Kind) {
    let house = House::new(on).await;
    let (police, fire): (PartnerName, PartnerName) = (police(), name("fire"));
    house.ledger.apply(&declaration("fire", &["pay"]), &person(1)).await.unwrap();
    let run = house.enqueue(1).await.to_string();
    let nobodys = "01931f1c8f4b70008000000000000001";
    let by = |now_ms| By { actor: Actor::token(&name("fire"), "clerk"), ..person(now_ms) };
    let refused = |run: &str| Refused {
        at: vec![name("fire")],
        route: "GET /api/v1/runs/{run}".to_owned(),
        why: "not-there",
        needs: None,
        asked: vec![("run".to_owned(), run.to_owned())],
    };
    let hour = 3_600_000;
    for (run, at_ms) in [(nobodys, 1), (run.as_str(), 2), (run.as_str(), 3), (nobodys, 4), (run.as_str(), hour + 1)] {
        house.ledger.note_refused(&refused(run), &by(at_ms)).await.unwrap();
        house.ledger.tell_owners(refused(run), vec![fire.clone()], by(at_ms)).await;
        // Its own are told nothing of what they asked for themselves.
        house.ledger.tell_owners(refused(run), vec![fire.clone(), police.clone()], by(at_ms)).await;
    }
    let mut tries = 0;
    let noted = async |partner: &PartnerName| {
        let mut all = house.ledger.audit(Scope::Partner(partner), None, 100).await.unwrap().items;
        all.retain(|act| act.action == "access.refuse");
        all.iter().rev().map(|act| (act.at_ms, act.subject.clone())).collect::<Vec<_>>()
    };
    while noted(&police).await.len() < 2 && tries < 500 {
        tries += 1;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(noted(&fire).await, [(1, format!("run:{nobodys}")), (hour + 1, format!("run:{run}"))], "once an hour, whatever it was");
    let told = noted(&police).await;
    assert!(told.len() == 2 && told.iter().all(|(_, subject)| *subject == format!("run:{run}")), "{told:?}");
    let check = house.ledger.verify_audit().await.unwrap();
    assert!(check.is_sound(), "{check:?}");
}
