//! Attacks on the rule that nobody vouches for their own work, and on what a release has to show: each is refused.

use super::*;

on_both!(
    nobody_is_a_second_person_to_themselves_through_tokens,
    whoever_brings_a_signature_is_no_second_person,
    a_pin_goes_past_nothing_that_activation_asks,
    a_release_proves_nothing_on_its_own_runs,
    a_key_that_was_revoked_vouches_for_nothing_more,
);

const OLD: &str = "00000000000000aa";
const NEW: &str = "00000000000000bb";

fn by(name: &str) -> By {
    let actor = name.strip_prefix("token:").map_or_else(|| Actor::person(name), |token| Actor::token(&police(), token));
    By { actor, ..person(5) }
}

fn approval() -> Judgement<'static> {
    Judgement { standing: ReleaseStanding::Approved, why: "good", grant: None, review: None }
}

fn own<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> String {
    match result {
        Err(error @ LedgerError::OwnWork { .. }) => error.to_string(),
        result => panic!("{result:?}"),
    }
}

fn signed(version: &str, key: &str) -> NewRelease {
    let signature = ReleaseSignature { key: key.to_owned(), text: key.to_owned(), comment: String::new() };
    NewRelease { signature: Some(signature), ..release(version) }
}

async fn keys(house: &House) {
    for id in [OLD, NEW] {
        let key = NewSigningKey { partner: police(), id: id.to_owned(), public_key: id.to_owned(), owner: "lead".to_owned() };
        house.ledger.add_signing_key(&key, &person(2)).await.unwrap();
    }
}

async fn ask(house: &House, releases: ReleasePolicy) {
    let mut declared = declaration("police", &["lgps", "other"]);
    declared.partner.releases = releases;
    house.ledger.apply(&declared, &person(4)).await.unwrap();
}

async fn nobody_is_a_second_person_to_themselves_through_tokens(on: Kind) {
    let house = House::new(on).await;
    for (token, maker) in [("ci", "ann"), ("gate", "ann"), ("deep", "token:ci"), ("bobs", "bob")] {
        let hash = Digest::of(token.as_bytes());
        let new = NewToken { partner: police(), name: token.to_owned(), hash, scopes: Vec::new(), expires_at_ms: None };
        house.ledger.create_token(&new, &by(maker)).await.unwrap();
    }
    for (place, (adds, approves, why)) in [
        ("token:ci", "token:gate", "person:ann, who stands behind token:police/gate and token:police/ci, added this release"),
        ("token:ci", "ann", "person:ann, who stands behind token:police/ci, added this release"),
        ("ann", "token:gate", "person:ann, who stands behind token:police/gate, added this release"),
        ("ann", "token:deep", "person:ann, who stands behind token:police/deep, added this release"),
        ("token:ci", "token:ci", "person:ann, who stands behind token:police/ci, added this release"),
        ("ann", "ann", "person:ann added this release"),
        ("token:ci", "bob", ""),
        ("ann", "token:bobs", ""),
        ("token:bobs", "token:gate", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let new = release(&format!("1.0.{place}"));
        house.ledger.put_release(&new, &by(adds)).await.unwrap();
        let approved = house.ledger.judge_release(&new.key, &approval(), &by(approves)).await;
        if why.is_empty() {
            assert!(approved.unwrap(), "{adds} {approves}");
            continue;
        }
        assert_eq!(own(approved), format!("{why}, so another person has to do this"));
        own(house.ledger.explain(&new.key, ("rejects", "meant"), &by(approves)).await);
    }
    let change = NewChange { partner: police(), content: "{}".to_owned(), difference: Vec::new() };
    let (change, _) = house.ledger.propose_change(&change, &by("token:gate")).await.unwrap();
    let declared = declaration("police", &["lgps"]);
    let whole = Whole { declaration: &declared, releases: &[], activate: &[], tables: &[] };
    let refused = own(house.ledger.approve_change(&change, &whole, "mine", &by("ann")).await);
    assert!(refused.starts_with("person:ann, who stands behind token:police/gate, proposed this change"), "{refused}");
    house.ledger.approve_change(&change, &whole, "seen", &by("bob")).await.unwrap();

    // Who approved by a token is no third person either.
    ask(&house, ReleasePolicy::ThreePersons).await;
    let new = signed("2.0.0", OLD);
    house.ledger.put_release(&new, &by("ann")).await.unwrap();
    house.ledger.judge_release(&new.key, &approval(), &by("token:bobs")).await.unwrap();
    let refused = own(house.ledger.activate(&new.key, &by("bob")).await);
    assert!(refused.contains("who stands behind token:police/bobs, approved this release"), "{refused}");
    assert!(house.ledger.activate(&new.key, &by("cat")).await.unwrap());
    // Rows that were written past the hub and name each other keep nobody waiting.
    house.raw("UPDATE tokens SET created_by = 'token:police/deep' WHERE token = 'ci'").await.unwrap();
    house.ledger.judge_release(&release("1.0.8").key, &approval(), &by("token:deep")).await.map(drop).unwrap();
}

async fn whoever_brings_a_signature_is_no_second_person(on: Kind) {
    let house = House::new(on).await;
    keys(&house).await;
    house.ledger.put_release(&release("1.0.0"), &by("root")).await.unwrap();
    let new = signed("1.0.0", OLD);
    house.ledger.put_release(&new, &by("ann")).await.unwrap();
    let refused = own(house.ledger.judge_release(&new.key, &approval(), &by("ann")).await);
    assert!(refused.starts_with("person:ann brought the signature of this release"), "{refused}");
    assert!(house.ledger.judge_release(&new.key, &approval(), &by("bob")).await.unwrap());
    // Nor the other way round.
    house.ledger.put_release(&release("2.0.0"), &by("root")).await.unwrap();
    house.ledger.judge_release(&release("2.0.0").key, &approval(), &by("ann")).await.unwrap();
    assert!(own(house.ledger.put_release(&signed("2.0.0", OLD), &by("ann")).await).contains("approved this release"));
    assert!(house.ledger.release(&release("2.0.0").key).await.unwrap().unwrap().release.signature.is_none(), "nothing was changed");
    assert!(house.ledger.verify_audit().await.unwrap().is_sound());
}

async fn a_pin_goes_past_nothing_that_activation_asks(on: Kind) {
    let strict = Proof { clean_runs: 3, explained: false };
    for (policy, proof, version, why) in [
        (ReleasePolicy::Approved, Proof::default(), "1.9.0", "older than 2.0.0, which is active, and was never active itself"),
        (ReleasePolicy::Open, strict, "2.1.0", "it is clean on 0 runs beside the active one"),
        (ReleasePolicy::ThreePersons, Proof::default(), "2.1.0", "asks for a third person to put a release in use"),
        (ReleasePolicy::Approved, Proof::default(), "2.1.0", ""),
    ] {
        let house = House::new(on).await;
        let (active, pinned) = (signed("2.0.0", OLD), signed(version, OLD));
        for release in [&active, &pinned] {
            house.ledger.put_release(release, &by("ann")).await.unwrap();
            house.ledger.judge_release(&release.key, &approval(), &by("bob")).await.unwrap();
        }
        house.ledger.activate(&active.key, &by("cat")).await.unwrap();
        let declared = |policy, proof, named: bool| {
            let mut declared = declaration("police", &["lgps", "other"]);
            (declared.partner.releases, declared.partner.proofs.all) = (policy, proof);
            if named {
                let text = format!("sha256:{}", pinned.key.digest);
                // Another choice is another file.
                (declared.jobs[0].release, declared.jobs[0].definition) = (text.parse().unwrap(), Digest::of(text.as_bytes()));
                declared.sources.push(Source { name: "choice.toml".to_owned(), text });
            }
            declared
        };
        house.ledger.apply(&declared(policy, proof, false), &by("ann")).await.unwrap();
        let applied = house.ledger.apply(&declared(policy, proof, true), &by("ann")).await;
        if why.is_empty() {
            applied.unwrap();
            assert_eq!(delivered_run(&house, "a", 10).await.pins.release, Some(pinned.key.digest));
            continue;
        }
        assert!(lacks(applied).contains(why), "{why}");
        assert_eq!(house.ledger.job(&police(), &lgps()).await.unwrap().release, ReleaseChoice::Active, "nothing was changed");
        // What was named before more was asked is not run either, until it was put in use as any other.
        house.ledger.apply(&declared(ReleasePolicy::Open, Proof::default(), true), &by("ann")).await.unwrap();
        house.ledger.apply(&declared(policy, proof, true), &by("ann")).await.unwrap();
        house.ledger.enqueue(&request("lgps", Some("b")), &person(20)).await.unwrap();
        assert_eq!(house.claim(20).await.pins.release, None, "{why}");
    }
}

async fn a_release_proves_nothing_on_its_own_runs(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0", "2.0.0"]).await;
    let key = &releases[1].key;
    declare(&house, Proof::default(), format!("sha256:{}", key.digest).parse().unwrap()).await;
    let mut now_ms = 10;
    for slot in ["a", "b", "c"] {
        let origin = delivered_run(&house, slot, now_ms).await;
        assert_eq!(origin.pins.release, Some(key.digest));
        let again = NewRun { trigger: Trigger::Replay(origin.run.id), dry_run: true, release: Some(key.digest), ..request("lgps", None) };
        house.ledger.enqueue(&again, &person(now_ms + 1)).await.unwrap();
        let claim = house.claim(now_ms + 1).await;
        house.append(&claim, now_ms + 1, processed(&["return"])).await;
        let same = NewTrial { outcome: TrialOutcome::Same, kinds: Vec::new(), differences: None };
        house.ledger.record_trial(&claim.lease, now_ms + 1, &same).await.unwrap();
        house.append(&claim, now_ms + 1, Step::Closed(Closed { outcome: Outcome::DryRun, state: Vec::new() })).await;
        now_ms += 10;
    }
    declare(&house, Proof { clean_runs: 3, explained: true }, ReleaseChoice::Active).await;
    let proof = house.ledger.proof(key).await.unwrap();
    assert_eq!((proof.trials.len(), proof.clean, proof.trials.iter().any(|trial| trial.proves)), (3, 0, false));
    assert!(lacks(house.ledger.activate(key, &person(now_ms)).await).contains("clean on 0 runs"));
}

async fn a_key_that_was_revoked_vouches_for_nothing_more(on: Kind) {
    let house = House::new(on).await;
    keys(&house).await;
    ask(&house, ReleasePolicy::Approved).await;
    let (one, two, three, four) = (signed("1.0.0", NEW), signed("2.0.0", OLD), signed("3.0.0", NEW), signed("4.0.0", OLD));
    for release in [&one, &two, &three, &four] {
        house.ledger.put_release(release, &by("ann")).await.unwrap();
    }
    for release in [&one, &two, &three] {
        house.ledger.judge_release(&release.key, &approval(), &by("bob")).await.unwrap();
        house.ledger.activate(&release.key, &by("bob")).await.unwrap();
    }
    house.ledger.put_release(&signed("4.0.0", NEW), &by("ann")).await.unwrap();
    let kept = async |release: &NewRelease| house.ledger.release(&release.key).await.unwrap().unwrap().release.signature.unwrap().key;
    assert_eq!(kept(&four).await, OLD, "a key in use is not put in the place of another");
    house.ledger.revoke_signing_key((&police(), OLD), "lost", &by("ann")).await.unwrap();
    let why = format!("the key {OLD} that signed it was revoked");
    assert_eq!(lacks(house.ledger.judge_release(&four.key, &approval(), &by("bob")).await), why);
    assert_eq!(lacks(house.ledger.begin_candidate(&candidate(&four.key, CandidateWay::Parallel), &by("bob")).await), why);
    // The way back passes over what lacks something now, to the one before.
    assert_eq!(house.ledger.roll_back((&police(), &name("lgps-return")), &by("bob")).await.unwrap(), one.key);
    // It is signed again, by a key in use, and not by whoever approved it.
    assert!(own(house.ledger.put_release(&signed("2.0.0", NEW), &by("bob")).await).contains("approved this release"));
    assert!(!house.ledger.put_release(&signed("4.0.0", NEW), &by("ann")).await.unwrap());
    assert_eq!(kept(&four).await, NEW);
    let last = house.ledger.audit(Scope::Partner(&police()), None, 1).await.unwrap().items.remove(0);
    assert_eq!(last.action, "release.sign");
    house.ledger.judge_release(&four.key, &approval(), &by("bob")).await.unwrap();
    // What is active stays so in a folder, whatever is said of it since, and nothing else of the folder waits for that.
    let refused = Judgement { standing: ReleaseStanding::Refused, ..approval() };
    house.ledger.judge_release(&one.key, &refused, &by("cat")).await.unwrap();
    let mut declared = declaration("police", &["lgps"]);
    declared.partner.releases = ReleasePolicy::Approved;
    let whole = Whole { declaration: &declared, releases: &[], activate: std::slice::from_ref(&one.key), tables: &[] };
    assert!(house.ledger.apply_all(&[whole], &by("ann")).await.unwrap()[0].activated.is_empty());
    assert!(house.ledger.verify_audit().await.unwrap().is_sound());
}
