//! Releases on their way into use: grants, choices of jobs, trials and what is asked of them, canaries, and the end of a release.

mod hands;

use super::*;
use crate::model::grant::Grant;
use crate::model::job::Proof;
use crate::model::limits::Limit;

on_both!(
    an_approval_keeps_what_it_grants,
    jobs_choose_their_release,
    a_release_proves_itself_before_it_is_active,
    no_word_covers_a_trial_that_nobody_had_seen,
    what_is_judged_is_what_is_written,
    every_delivered_run_is_done_again_in_parallel,
    a_canary_takes_its_share_and_is_taken_back,
    a_release_that_is_given_up_is_used_no_more,
    the_way_back_is_the_only_way_down,
    a_third_person_puts_a_release_in_use_and_anybody_takes_it_back,
);

fn release(version: &str) -> NewRelease {
    let digest = Digest::of(version.as_bytes());
    NewRelease {
        key: ReleaseKey { partner: police(), plugin: name("lgps-return"), digest },
        version: version.to_owned(),
        manifest: "name = \"lgps-return\"".to_owned(),
        size_bytes: 9,
        artefact: format!("releases/{version}"),
        signature: None,
    }
}

fn other(now_ms: i64) -> By {
    By { actor: Actor::person("a.other"), ..person(now_ms) }
}

fn lacks<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> String {
    match result {
        Err(LedgerError::NotVouchedFor { lacks, .. }) => lacks,
        result => panic!("{result:?}"),
    }
}

/// A house with releases of these versions, the first of which is active.
async fn with_releases(on: Kind, versions: &[&str]) -> (House, Vec<NewRelease>) {
    let house = House::new(on).await;
    let releases: Vec<NewRelease> = versions.iter().map(|version| release(version)).collect();
    for release in &releases {
        house.ledger.put_release(release, &person(2)).await.unwrap();
    }
    house.ledger.activate(&releases[0].key, &person(3)).await.unwrap();
    (house, releases)
}

/// The partner's declaration with something else asked of releases, or another choice of its jobs.
async fn declare(house: &House, proof: Proof, choice: ReleaseChoice) {
    let mut declared = declaration("police", &["lgps", "other"]);
    declared.partner.proofs.all = proof;
    let text = format!("{choice} {proof:?}");
    let definition = Digest::of(text.as_bytes());
    declared.sources.push(Source { name: "choice.toml".to_owned(), text });
    for job in &mut declared.jobs {
        (job.release, job.definition) = (choice.clone(), definition);
    }
    house.ledger.apply(&declared, &person(4)).await.unwrap();
    assert_eq!(house.ledger.partners(Scope::Hub).await.unwrap()[0].proofs.all, proof);
    assert_eq!(house.ledger.jobs(Scope::Hub).await.unwrap()[0].release, choice);
}

/// Takes a job's next run to its end and answers it.
async fn delivered_run(house: &House, slot: &str, now_ms: i64) -> Claim {
    house.ledger.enqueue(&request("lgps", Some(slot)), &person(now_ms)).await.unwrap();
    let claim = house.claim(now_ms).await;
    close(house, &claim, now_ms).await;
    claim
}

async fn close(house: &House, claim: &Claim, now_ms: i64) {
    house.append(claim, now_ms, processed(&["return"])).await;
    house.append(claim, now_ms, delivered("return")).await;
    house.append(claim, now_ms, closed()).await;
}

async fn an_approval_keeps_what_it_grants(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0"]).await;
    let key = &releases[0].key;
    assert_eq!(house.ledger.granted(key).await.unwrap(), Grant::default(), "nobody has said, so all that it asks for");
    let grant = Grant { without: ["http".parse().unwrap(), "table:bands".parse().unwrap()].into(), limits: [(Limit::CpuMs, 500)].into() };
    let judgement = Judgement { standing: ReleaseStanding::Approved, why: "good", grant: Some(grant.clone()), review: Some("0f") };
    assert!(house.ledger.judge_release(key, &judgement, &other(5)).await.unwrap());
    assert!(!house.ledger.judge_release(key, &judgement, &other(5)).await.unwrap());
    assert_eq!(house.ledger.granted(key).await.unwrap(), grant);
    assert_eq!(house.ledger.release(key).await.unwrap().unwrap().grant(), grant);
    let wider = Judgement { grant: Some(Grant::default()), ..judgement };
    assert!(house.ledger.judge_release(key, &wider, &other(6)).await.unwrap(), "another grant is another word");
    assert_eq!(house.ledger.granted(key).await.unwrap(), Grant::default());
}

async fn jobs_choose_their_release(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0", "1.1.0", "2.0.0"]).await;
    house.ledger.activate(&releases[1].key, &person(5)).await.unwrap();
    house.ledger.activate(&releases[2].key, &person(6)).await.unwrap();
    let mut at = 10;
    let mut pinned = async |choice: &str| {
        at += 10;
        declare(&house, Proof::default(), choice.parse().unwrap()).await;
        delivered_run(&house, &format!("{at}"), at).await.pins.release
    };
    let digest = |place: usize| Some(releases[place].key.digest);
    assert_eq!(pinned("active").await, digest(2));
    assert_eq!(pinned("^1").await, digest(1), "the last that was active within the range");
    assert_eq!(pinned("=1.0.0").await, digest(0));
    assert_eq!(pinned("^3").await, None);
    assert_eq!(pinned(&format!("sha256:{}", releases[0].key.digest)).await, digest(0));
    let refused = Judgement { standing: ReleaseStanding::Refused, why: "bad", grant: None, review: None };
    house.ledger.judge_release(&releases[1].key, &refused, &other(7)).await.unwrap();
    assert_eq!(pinned("^1").await, digest(0), "a release that was refused is passed over");
    assert_eq!(pinned(&format!("sha256:{}", releases[1].key.digest.short())).await, None);
}

async fn a_release_proves_itself_before_it_is_active(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0", "2.0.0"]).await;
    let (key, strict) = (&releases[1].key, Proof { clean_runs: 2, explained: false });
    declare(&house, strict, ReleaseChoice::Active).await;
    assert!(lacks(house.ledger.activate(key, &person(5)).await).contains("clean on 0 runs"));
    house.ledger.begin_candidate(&candidate(key, CandidateWay::Parallel), &person(6)).await.unwrap();

    let (same, differs) = (TrialOutcome::Same, TrialOutcome::Differs);
    trial(&house, ("a", 20), (same, &[])).await;
    assert!(lacks(house.ledger.activate(key, &person(30)).await).contains("clean on 1 runs"));
    trial(&house, ("b", 40), (differs, &["return.pay", "rejects"])).await;
    assert!(lacks(house.ledger.activate(key, &person(50)).await).contains("asks for runs without differences"));

    declare(&house, Proof { explained: true, ..strict }, ReleaseChoice::Active).await;
    assert!(lacks(house.ledger.activate(key, &person(51)).await).contains("nobody has explained"));
    let own = house.ledger.explain(key, ("rejects", "meant"), &person(52)).await;
    assert!(matches!(own, Err(LedgerError::OwnWork { .. })), "{own:?}");
    let unknown = house.ledger.explain(key, ("return.colour", "meant"), &other(52)).await;
    assert!(matches!(unknown, Err(LedgerError::NotFound { .. })), "{unknown:?}");
    house.ledger.explain(key, ("rejects", "meant"), &other(53)).await.unwrap();
    assert!(lacks(house.ledger.activate(key, &person(54)).await).contains("nobody has explained"), "one of two kinds");
    house.ledger.explain(key, ("return.pay", "meant"), &other(55)).await.unwrap();
    let proof = house.ledger.proof(key).await.unwrap();
    assert_eq!((proof.clean, proof.lacks, proof.explanations.len()), (2, None, 2));

    trial(&house, ("c", 60), (differs, &["rejects"])).await;
    assert!(lacks(house.ledger.activate(key, &person(70)).await).contains("nobody has explained"), "what came after was not seen");
    house.ledger.explain(key, ("rejects", "the same again"), &other(71)).await.unwrap();
    assert!(house.ledger.activate(key, &person(72)).await.unwrap());
    let ended = house.ledger.candidates(Scope::Partner(&police()), None).await.unwrap();
    assert_eq!(ended[0].ended.as_ref().unwrap().0, 72, "what is active stands beside nothing");
    assert!(house.ledger.proof(&releases[0].key).await.unwrap().trials.is_empty(), "trials are of one release");
    assert!(house.ledger.verify_audit().await.unwrap().broken.is_none());
}

async fn no_word_covers_a_trial_that_nobody_had_seen(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0", "2.0.0"]).await;
    let key = &releases[1].key;
    house.ledger.begin_candidate(&candidate(key, CandidateWay::Parallel), &person(6)).await.unwrap();
    let explained = async || house.ledger.proof(key).await.unwrap().trials.iter().map(|trial| trial.explained).collect::<Vec<_>>();
    trial(&house, ("a", 100), (TrialOutcome::Differs, &["rejects"])).await;
    let code = house.ledger.proof(key).await.unwrap().code();
    // The clock of who explains is behind that of the hub which tried it: the trial was seen all the same.
    house.ledger.explain(key, ("rejects", "meant"), &other(50)).await.unwrap();
    assert_eq!(explained().await, [true]);
    assert_eq!(house.ledger.proof(key).await.unwrap().code(), code, "a word is no trial");
    trial(&house, ("b", 110), (TrialOutcome::Same, &[])).await;
    assert_eq!(house.ledger.proof(key).await.unwrap().code(), code, "nothing came to anything else");
    house.ledger.explain(key, ("rejects", "again"), &other(500)).await.unwrap();
    // And one that is written down after a word is not covered by it, however far behind its hub's clock is.
    trial(&house, ("c", 120), (TrialOutcome::Differs, &["rejects"])).await;
    assert_eq!(explained().await, [true, false, false]);
    assert_ne!(house.ledger.proof(key).await.unwrap().code(), code);
    assert!(house.ledger.verify_audit().await.unwrap().broken.is_none());
}

async fn what_is_judged_is_what_is_written(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0", "2.0.0"]).await;
    let key = &releases[1].key;
    let active = async || house.ledger.active_release(&police(), &key.plugin).await.unwrap().unwrap().release.key;
    let seen = house.ledger.trail_end(&police()).await.unwrap();
    let refused = Judgement { standing: ReleaseStanding::Refused, why: "no", grant: None, review: None };
    house.ledger.judge_release(&releases[0].key, &refused, &other(5)).await.unwrap();
    let late = house.ledger.activate(key, &person(6).judged_as_of(seen)).await;
    assert!(matches!(late, Err(LedgerError::JudgedMeanwhile { .. })), "{late:?}");
    assert_eq!(active().await, releases[0].key, "nothing was written");
    let seen = house.ledger.trail_end(&police()).await.unwrap();
    house.ledger.pause((&police(), &name("lgps")), "a holiday", &person(7)).await.unwrap();
    let whole = house.ledger.activate(key, &person(8).judged_as_of(seen).as_of(seen)).await;
    assert!(matches!(whole, Err(LedgerError::ChangedMeanwhile { .. })), "{whole:?}");
    assert!(house.ledger.activate(key, &person(8).judged_as_of(seen)).await.unwrap(), "no release is judged by what was done");
    assert_eq!(active().await, *key);
    // Of two candidates, the one that is meant is ended and no other.
    house.ledger.begin_candidate(&candidate(&releases[0].key, CandidateWay::Parallel), &person(9)).await.unwrap_err();
    let third = release("3.0.0");
    house.ledger.put_release(&third, &person(9)).await.unwrap();
    house.ledger.begin_candidate(&candidate(&third.key, CandidateWay::Parallel), &person(10)).await.unwrap();
    let of = (&police(), &key.plugin);
    let other_stands = house.ledger.end_candidate(of, (Some(releases[0].key.digest), "slow"), &person(11)).await;
    assert!(matches!(other_stands, Err(LedgerError::OtherStands { .. })), "{other_stands:?}");
    let ended = house.ledger.end_candidate(of, (Some(third.key.digest), "slow"), &person(12)).await.unwrap();
    assert_eq!((ended.key, ended.ended.map(|(at, ..)| at)), (third.key, Some(12)));
}

fn candidate(key: &ReleaseKey, way: CandidateWay) -> NewCandidate {
    NewCandidate { key: key.clone(), way, choice_key: Digest::of(b"key") }
}

/// A delivered run, and its trial with what that came to.
async fn trial(house: &House, (slot, now_ms): (&str, i64), (outcome, kinds): (TrialOutcome, &[&str])) {
    let origin = delivered_run(house, slot, now_ms).await;
    let claim = house.claim(now_ms + 1).await;
    assert_eq!(claim.run.trigger(), Trigger::Replay(origin.run.id));
    house.append(&claim, now_ms + 1, processed(&["return"])).await;
    let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let new = NewTrial { outcome, kinds, differences: Some("{}".to_owned()) };
    house.ledger.record_trial(&claim.lease, now_ms + 1, &new).await.unwrap();
    let stale = Lease { number: claim.lease.number + 1, ..claim.lease.clone() };
    assert!(matches!(house.ledger.record_trial(&stale, now_ms + 1, &new).await, Err(LedgerError::LeaseLost { .. })));
    house.append(&claim, now_ms + 1, Step::Closed(Closed { outcome: Outcome::DryRun, state: Vec::new() })).await;
}

async fn every_delivered_run_is_done_again_in_parallel(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0", "2.0.0"]).await;
    let key = &releases[1].key;
    assert!(
        lacks(house.ledger.begin_candidate(&candidate(&releases[0].key, CandidateWay::Parallel), &person(5)).await)
            .contains("active itself")
    );
    house.ledger.begin_candidate(&candidate(key, CandidateWay::Parallel), &person(5)).await.unwrap();
    let origin = delivered_run(&house, "a", 10).await;
    assert_eq!(origin.pins.release, Some(releases[0].key.digest), "it delivers with the active one");
    let again = house.claim(11).await;
    assert_eq!((again.pins.release, again.run.enqueued.dry_run), (Some(key.digest), true));
    assert_eq!((again.run.enqueued.seed, again.run.enqueued.logical_ms), (origin.run.enqueued.seed, origin.run.enqueued.logical_ms));
    house.append(&again, 12, failed(None)).await;
    assert_eq!(house.ledger.proof(key).await.unwrap().trials[0].trial.outcome, TrialOutcome::Failed);

    house.ledger.end_candidate((&police(), &key.plugin), (None, "enough"), &person(13)).await.unwrap();
    assert!(matches!(
        house.ledger.end_candidate((&police(), &key.plugin), (None, "enough"), &person(13)).await,
        Err(LedgerError::NotFound { .. })
    ));
    delivered_run(&house, "b", 20).await;
    assert!(house.ledger.claim(&hub("main"), 21, LEASE_MS).await.unwrap().is_none(), "nothing is done again any more");
    assert!(house.ledger.candidates(Scope::Partner(&name("fire")), None).await.unwrap().is_empty(), "another partner sees none");
}

async fn a_canary_takes_its_share_and_is_taken_back(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0", "2.0.0"]).await;
    let key = &releases[1].key;
    let bounds = |share| CanaryBounds { share, failures_max: 0, held_max: 0, took_ms_max: None };
    house.ledger.begin_candidate(&candidate(key, CandidateWay::Canary(bounds(3_000))), &person(5)).await.unwrap();
    let (mut at, mut chosen) = (10, 0);
    for slot in 0..40 {
        at += 10;
        let claim = delivered_run(&house, &format!("slot-{slot}"), at).await;
        chosen += usize::from(claim.pins.release == Some(key.digest));
    }
    assert!((4..=22).contains(&chosen), "{chosen} of 40 for 30 in a hundred");
    let stands = house.ledger.candidates(Scope::Hub, None).await.unwrap();
    assert_eq!((stands[0].runs.0, &stands[0].ended), (chosen as u64, &None));

    house.ledger.begin_candidate(&candidate(key, CandidateWay::Canary(bounds(10_000))), &person(at)).await.unwrap();
    house.ledger.enqueue(&request("lgps", Some("bad")), &person(at + 1)).await.unwrap();
    let first = house.claim(at + 2).await;
    house.append(&first, at + 3, failed(Some(at + 4))).await;
    let second = house.claim(at + 5).await;
    assert_eq!((first.pins.release, second.pins.release), (Some(key.digest), Some(key.digest)), "a retry keeps its choice");
    assert!(house.ledger.candidates(Scope::Hub, None).await.unwrap()[0].ended.is_none(), "it may still come to a good end");
    house.append(&second, at + 6, failed(None)).await;
    let ended = house.ledger.candidates(Scope::Hub, None).await.unwrap();
    assert!(ended[0].ended.as_ref().is_some_and(|(_, _, why)| why.contains("1 of its runs failed, and 0 may")), "{ended:?}");
    let audit = house.ledger.audit(Scope::Partner(&police()), None, 20).await.unwrap().items;
    assert!(audit.iter().any(|entry| entry.action == "canary.roll-back"), "{audit:?}");
    let instruction = Instruction::Retry { afresh: true, why: String::new() };
    house.ledger.instruct(Scope::Hub, second.run.id, instruction, &person(at + 7)).await.unwrap();
    assert_eq!(house.claim(at + 8).await.pins.release, Some(releases[0].key.digest), "from the next claim on, the active one");
}

async fn a_release_that_is_given_up_is_used_no_more(on: Kind) {
    let (house, releases) = with_releases(on, &["1.0.0", "2.0.0"]).await;
    let (first, second) = (&releases[0].key, &releases[1].key);
    let used = |result: Result<bool, LedgerError>| match result {
        Err(LedgerError::StillUsed { how, .. }) => how,
        result => panic!("{result:?}"),
    };
    assert_eq!(used(house.ledger.retire(first, "old", &person(5)).await), "it is active");
    house.ledger.begin_candidate(&candidate(second, CandidateWay::Parallel), &person(6)).await.unwrap();
    assert!(used(house.ledger.retire(second, "old", &person(7)).await).contains("candidate"));
    house.ledger.enqueue(&request("lgps", Some("a")), &person(8)).await.unwrap();
    let under_way = house.claim(8).await;
    house.ledger.activate(second, &person(9)).await.unwrap();
    declare(&house, Proof::default(), format!("sha256:{}", first.digest.short()).parse().unwrap()).await;
    assert!(used(house.ledger.retire(first, "old", &person(10)).await).contains("job lgps names it"));
    declare(&house, Proof::default(), ReleaseChoice::Active).await;
    assert!(house.ledger.retire(first, "old", &person(11)).await.unwrap());
    assert!(!house.ledger.retire(first, "old", &person(12)).await.unwrap());
    assert_eq!(house.ledger.release(first).await.unwrap().unwrap().retired.unwrap().why, "old");
    close(&house, &under_way, 13).await;
    assert_eq!(lacks(house.ledger.activate(first, &person(14)).await), "it was given up");
    let back = house.ledger.roll_back((&police(), &first.plugin), &person(15)).await;
    assert!(matches!(back, Err(LedgerError::NotFound { .. })), "{back:?}");
}

async fn the_way_back_is_the_only_way_down(on: Kind) {
    let (house, releases) = with_releases(on, &["2.0.0", "1.9.9", "2.0.1"]).await;
    assert!(lacks(house.ledger.activate(&releases[1].key, &person(5)).await).contains("older than 2.0.0, which is active"));
    let bounds = CanaryBounds { share: 100, failures_max: 0, held_max: 0, took_ms_max: None };
    let canary = house.ledger.begin_candidate(&candidate(&releases[1].key, CandidateWay::Canary(bounds)), &person(5)).await;
    assert!(lacks(canary).contains("older than 2.0.0"));
    house.ledger.activate(&releases[2].key, &person(6)).await.unwrap();
    assert!(house.ledger.activate(&releases[0].key, &person(7)).await.unwrap(), "it was active before");
    let last = house.ledger.audit(Scope::Partner(&police()), None, 1).await.unwrap().items.remove(0);
    assert_eq!(last.action, "release.roll-back");
}

async fn a_third_person_puts_a_release_in_use_and_anybody_takes_it_back(on: Kind) {
    let house = House::new(on).await;
    let mut strict = declaration("police", &["lgps"]);
    strict.partner.releases = ReleasePolicy::ThreePersons;
    house.ledger.apply(&strict, &person(1)).await.unwrap();
    assert_eq!(house.ledger.partners(Scope::Hub).await.unwrap()[0].releases, ReleasePolicy::ThreePersons);
    let third = |now_ms| By { actor: Actor::person("t.third"), ..person(now_ms) };
    let signature = ReleaseSignature { key: "0f0f0f0f0f0f0f0f".to_owned(), text: String::new(), comment: String::new() };
    let signed = |version: &str| NewRelease { signature: Some(signature.clone()), ..release(version) };
    let (one, two) = (signed("1.0.0"), signed("2.0.0"));
    for release in [&one, &two] {
        house.ledger.put_release(release, &person(2)).await.unwrap();
    }
    assert!(lacks(house.ledger.activate(&one.key, &third(3)).await).contains("nobody has approved it"));
    let approved = Judgement { standing: ReleaseStanding::Approved, why: "good", grant: None, review: None };
    for release in [&one, &two] {
        house.ledger.judge_release(&release.key, &approved, &other(4)).await.unwrap();
    }
    let own = |result: Result<bool, LedgerError>| match result {
        Err(LedgerError::OwnWork { what, .. }) => what,
        result => panic!("{result:?}"),
    };
    assert_eq!(own(house.ledger.activate(&one.key, &person(5)).await), "added this release");
    assert_eq!(own(house.ledger.activate(&one.key, &other(5)).await), "approved this release");
    let token = By { actor: Actor::token(&police(), "nightly"), ..person(5) };
    assert!(matches!(house.ledger.activate(&one.key, &token).await, Err(LedgerError::NotAPerson { .. })));
    assert!(house.ledger.activate(&one.key, &third(6)).await.unwrap());
    // That somebody else said the same of it since makes the one who said it first no third person.
    house.ledger.judge_release(&two.key, &Judgement { grant: Some(Grant::default()), ..approved }, &third(7)).await.unwrap();
    assert_eq!(own(house.ledger.activate(&two.key, &other(8)).await), "approved this release");
    // A canary delivers, so it is held to the same; a parallel run is not.
    let bounds = CanaryBounds { share: 1_000, failures_max: 0, held_max: 0, took_ms_max: None };
    let begun = house.ledger.begin_candidate(&candidate(&two.key, CandidateWay::Canary(bounds)), &person(9)).await;
    assert!(matches!(begun, Err(LedgerError::OwnWork { .. })), "{begun:?}");
    house.ledger.begin_candidate(&candidate(&two.key, CandidateWay::Parallel), &person(9)).await.unwrap();
    let fourth = By { actor: Actor::person("f.fourth"), ..person(10) };
    assert!(house.ledger.activate(&two.key, &fourth).await.unwrap());
    // The way back is taken in an emergency, by whoever is there.
    assert_eq!(house.ledger.roll_back((&police(), &name("lgps-return")), &person(11)).await.unwrap(), one.key);
}
