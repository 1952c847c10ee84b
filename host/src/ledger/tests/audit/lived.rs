//! A ledger in which something of everything has happened, for whoever tampers with it.

use super::*;
use crate::model::personal::Kept;
use crate::model::table::TableVersion;
use secrecy::SecretString;

/// A ledger in which something of everything has happened.
pub(super) async fn lived_in(on: Kind) -> House {
    let house = House::new(on).await;
    let ledger = &house.ledger;
    let key = ReleaseKey { partner: police(), plugin: name("lgps-return"), digest: Digest::of(b"1.0.0") };
    let signature = Some(ReleaseSignature { key: "00AB".to_owned(), text: "s".to_owned(), comment: "c".to_owned() });
    let (version, manifest, artefact) = ("1.0.0".to_owned(), "name = \"lgps-return\"".to_owned(), "releases/1".to_owned());
    let release = NewRelease { key: key.clone(), version, manifest, size_bytes: 5, artefact, signature };
    ledger.put_release(&release, &person(2)).await.unwrap();
    ledger
        .judge_release(
            &key,
            &Judgement { standing: ReleaseStanding::Approved, why: "good", grant: None, review: None },
            &By { actor: Actor::person("a.other"), ..person(3) },
        )
        .await
        .unwrap();
    ledger.activate(&key, &person(4)).await.unwrap();
    let signer = NewSigningKey { partner: police(), id: "00AB".to_owned(), public_key: "x".to_owned(), owner: "lead".to_owned() };
    ledger.add_signing_key(&signer, &person(4)).await.unwrap();
    let secret = NewSecret { partner: police(), name: name("fund"), key_id: "k1".to_owned(), sealed: "sealed".to_owned() };
    ledger.put_secret(&secret, &person(5)).await.unwrap();
    let token = NewToken {
        partner: police(),
        name: "finance".to_owned(),
        hash: Digest::of(b"t"),
        scopes: vec!["read".to_owned()],
        expires_at_ms: Some(FOR_EVER),
    };
    ledger.create_token(&token, &person(6)).await.unwrap();
    let bands = TableVersion {
        table: "bands".to_owned(),
        version: "2026-27".to_owned(),
        effective_from: jiff::civil::date(2026, 4, 1),
        effective_to: None,
        published: None,
    };
    let table = NewTable { partner: police(), version: bands, source: "circular".to_owned(), content: "a,b\n1,2\n".to_owned() };
    ledger.put_table(&table, &person(7)).await.unwrap();
    let change = NewChange { partner: police(), content: "{}".to_owned(), difference: vec!["job other removed".to_owned()] };
    ledger.propose_change(&change, &person(8)).await.unwrap();
    people_and_keys(ledger).await;
    for at_ms in [10, 20] {
        house.enqueue(at_ms).await;
        let claim = house.claim(at_ms + 1).await;
        outside(ledger, claim.run.id, at_ms).await;
        house.append(&claim, at_ms + 2, pulled(&format!("pay-{at_ms}.csv"))).await;
        let found = Found { findings: vec![rejected()], log: vec![LogLine { level: "info".to_owned(), message: "noted".to_owned() }] };
        house.append(&claim, at_ms + 3, processed_with(&["return", "ctr1"], found)).await;
        for port in ["return", "ctr1"] {
            house.append(&claim, at_ms + 4, delivered(port)).await;
        }
        house.append(&claim, at_ms + 5, closed()).await;
    }
    amends(&house).await;
    stands_still(&house).await;
    beside(&house).await;
    let check = ledger.verify_audit().await.unwrap();
    assert!(check.is_sound() && check.rows.fitting > 25 && check.rows.uncovered == 0, "{check:?}");
    house
}

/// People, who is signed in, keys, and what stands still.
async fn people_and_keys(ledger: &Ledger) {
    let told = DeclaredWebhook {
        name: name("told"),
        events: vec![WebhookEvent::RunClosed],
        definition: Digest::of(declaration("police", &["lgps", "other"]).sources[0].text.as_bytes()),
    };
    // A text that is in force no longer afterwards.
    let mut earlier = declaration("police", &["lgps", "other"]);
    earlier.sources.push(Source { name: "connections.toml".to_owned(), text: "inbox, as it was".to_owned() });
    ledger.apply(&earlier, &person(8)).await.unwrap();
    ledger.apply(&Declaration { webhooks: vec![told], ..declaration("police", &["lgps", "other"]) }, &person(8)).await.unwrap();
    let joan = NewPerson {
        name: name("joan"),
        display_name: "Joan".to_owned(),
        email: Some("joan@police.example".to_owned()),
        password: Some(SecretString::from("$argon2id$canary")),
        hub_operator: false,
    };
    ledger.add_person(&joan, &person(8)).await.unwrap();
    assert!(ledger.grant_role(NewRole { partner: &police(), person: &joan.name, role: "viewer" }, &person(8)).await.unwrap());
    assert!(ledger.account_is(&joan.name, "issuer joan", &person(8)).await.unwrap());
    let stamp = ledger.password_of(&joan.name).await.unwrap().unwrap().stamp;
    let (came_from, way) = ("192.0.2.1".to_owned(), "password".to_owned());
    let session = NewSession { hash: Digest::of(b"session"), person: joan.name, stamp, came_from, way };
    ledger.begin_session(&session, &person(8)).await.unwrap();
    assert!(ledger.put_data_key((&police(), 1), ("k1", "sealed"), &person(8)).await.unwrap());
    let hub_key =
        NewHubKey { key_id: "00CD".to_owned(), public_key: "y".to_owned(), master_key: "k1".to_owned(), sealed: "sealed".to_owned() };
    assert!(ledger.put_hub_key(&hub_key, &person(8)).await.unwrap());
    assert!(ledger.pause((&police(), &name("other")), "year end", &person(9)).await.unwrap());
}

/// What a run asks of a provider, and the mark that came with its file.
async fn outside(ledger: &Ledger, run: RunId, at_ms: i64) {
    let of = SessionOf { partner: police(), run, session: "pull:payroll".to_owned() };
    let exchange = Exchange {
        lease: 1,
        seq: 1,
        request: Digest::of(b"request"),
        method: "GET".to_owned(),
        target: "/pay".to_owned(),
        answer: "200".to_owned(),
        body: None,
        sent_bytes: 1,
        received_bytes: 2,
        took_ms: 3,
        at_ms,
        sealed: Some(vec![1, 0]),
    };
    ledger.put_exchange(&of, &exchange).await.unwrap();
    let mark = MarkOf { partner: &police(), job: &lgps(), connection: &name("inbox"), file: "pay-*.csv" };
    ledger.note_mark(mark, run, "etag").await.unwrap();
}

/// Of two rejects one is dismissed and the other is on its way back; and somebody looked at it.
async fn amends(house: &House) {
    let waiting = house.ledger.waiting(Scope::Hub, &QuarantineFilter::default(), None, 10).await.unwrap().items;
    let [first, second] = [0, 1].map(|place: usize| waiting[place].finding.id.run);
    house.ledger.dismiss_rejects(Scope::Hub, (first, &Chosen::default()), "nothing is to be done", &person(50)).await.unwrap();
    house.ledger.assign_rejects(Scope::Hub, (second, &Chosen::default()), "joan", &person(51)).await.unwrap();
    house.ledger.note_sight(&police(), second, &person(52)).await.unwrap();
    let back = NewResubmission {
        origin: second,
        port: "payroll".to_owned(),
        artefact: Digest::of(b"corrected"),
        size_bytes: 9,
        rows: vec![(1, 0)],
        afresh: false,
    };
    house.ledger.resubmit(Scope::Hub, &back, &person(53)).await.unwrap();
    let claim = house.claim(54).await;
    assert_eq!(claim.run.trigger(), Trigger::Resubmission(second));
    house.append(&claim, 55, failed(None)).await;
}

/// A run that is held, and of which something may have been sent.
async fn stands_still(house: &House) {
    house.enqueue(60).await;
    let claim = house.claim(61).await;
    house.append(&claim, 62, pulled("pay-60.csv")).await;
    house.append(&claim, 63, processed(&["return", "ctr1"])).await;
    let begins = BegunDelivery { port: "return".to_owned(), digest: Some(Digest::of(b"return")), hidden: Some(".return".to_owned()) };
    house.ledger.begin_delivery(&claim.lease, 64, &begins).await.unwrap();
    house.append(&claim, 65, Step::Held(reason("delivery-uncertain"))).await;
}

/// A release that was given up, and one that is tried beside the active one.
async fn beside(house: &House) {
    let ledger = &house.ledger;
    let mut keys = Vec::new();
    for version in ["0.9.0", "2.0.0"] {
        let key = ReleaseKey { partner: police(), plugin: name("lgps-return"), digest: Digest::of(version.as_bytes()) };
        let artefact = format!("releases/{version}");
        let manifest = "name = \"lgps-return\"".to_owned();
        let release = NewRelease { key: key.clone(), version: version.to_owned(), manifest, size_bytes: 5, artefact, signature: None };
        ledger.put_release(&release, &person(70)).await.unwrap();
        keys.push(key);
    }
    assert!(ledger.retire(&keys[0], "it is old", &person(71)).await.unwrap());
    let candidate = NewCandidate { key: keys[1].clone(), way: CandidateWay::Parallel, choice_key: Digest::of(b"key") };
    ledger.begin_candidate(&candidate, &person(72)).await.unwrap();
    house.enqueue(73).await;
    let claim = house.claim(74).await;
    house.finish(&claim, 75).await;
    let again = house.claim(76).await;
    house.append(&again, 77, processed(&["return"])).await;
    let kinds = vec!["return.pay".to_owned()];
    let new = NewTrial { outcome: TrialOutcome::Differs, kinds, differences: Some("{}".to_owned()) };
    ledger.record_trial(&again.lease, 78, &new).await.unwrap();
    house.append(&again, 79, Step::Closed(Closed { outcome: Outcome::DryRun, state: Vec::new() })).await;
    let other = By { actor: Actor::person("a.other"), ..person(80) };
    ledger.explain(&keys[1], ("return.pay", "the rounding is right now"), &other).await.unwrap();
}

fn rejected() -> NewFinding {
    NewFinding {
        effect: FoundEffect::Reject,
        port: "payroll".to_owned(),
        row: Some(1),
        line: Some(3),
        byte_offset: Some(82),
        reasons: vec![crate::model::outcome::Reason { column: None, code: "late".to_owned(), message: "It is late.".to_owned() }],
        record: Kept::plain(Some(vec![b'a', 0xff, 0]), Some("{}".to_owned())),
        supersedes: None,
    }
}
