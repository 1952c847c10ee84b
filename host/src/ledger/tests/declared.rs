//! What is declared: applied, planned, paused; releases and tables.

use super::*;
use crate::model::table::TableVersion;

on_both![
    a_declaration_is_planned_applied_and_applied_again,
    another_schedule_begins_at_its_apply,
    a_definition_must_be_among_the_sources,
    a_job_is_paused_and_resumed_once,
    runs_are_pinned_to_the_release_and_tables_of_their_first_claim,
    a_configuration_is_in_force_whole_or_not_at_all,
    a_table_version_never_changes,
    a_release_is_used_once_its_partner_is_content
];

fn lines(applied: &Applied) -> Vec<String> {
    applied.changes.iter().map(|change| format!("{} {} {}", change.what, change.name, change.how.as_str())).collect()
}

async fn a_declaration_is_planned_applied_and_applied_again(on: Kind) {
    let house = House::new(on).await;
    let same = declaration("police", &["lgps", "other"]);
    assert_eq!(house.ledger.apply(&same, &person(2)).await.unwrap(), Applied::default());
    let entries = house.ledger.verify_audit().await.unwrap().entries;

    let mut next = declaration("police", &["lgps", "new"]);
    next.partner.title = "Staffordshire Police".to_owned();
    next.connections[0].name = name("sftp");
    let planned = house
        .ledger
        .plan_all(&[Whole { declaration: &next, releases: &[], activate: &[], tables: &[] }], &person(3))
        .await
        .unwrap()
        .remove(0)
        .declared;
    let expected = [
        "partner police changed",
        "connection sftp added",
        "connection inbox removed",
        "job lgps changed",
        "job new added",
        "job other removed",
    ];
    assert_eq!(lines(&planned), expected);
    assert_eq!(house.ledger.jobs(Scope::Hub).await.unwrap()[1].name.as_str(), "other", "a plan changes nothing");

    let waiting = house.ledger.enqueue(&request("other", None), &person(3)).await.unwrap().run;
    let applied = house.ledger.apply(&next, &person(4)).await.unwrap();
    assert_eq!((lines(&applied), applied.cancelled), (expected.map(str::to_owned).to_vec(), vec![waiting]));
    assert_eq!(house.run(waiting).await.state, RunState::Cancelled);
    assert_eq!(house.ledger.verify_audit().await.unwrap().entries, entries + 2);
    let jobs = house.ledger.jobs(Scope::Hub).await.unwrap();
    assert_eq!(jobs.iter().map(|job| (job.name.as_str(), job.scheduled_through_ms)).collect::<Vec<_>>(), [("lgps", 1), ("new", 4)]);
    assert_eq!(house.ledger.connections(Scope::Hub).await.unwrap()[0].name.as_str(), "sftp");
    assert_eq!(house.ledger.partners(Scope::Hub).await.unwrap(), [next.partner.clone()]);
    assert_eq!(house.ledger.sources(&police()).await.unwrap(), next.sources);
    assert!(house.ledger.definition(&police(), same.jobs[0].definition).await.unwrap().is_some(), "what was once declared is kept");

    house.ledger.apply(&same, &person(9)).await.unwrap();
    let other = house.ledger.job(&police(), &name("other")).await.unwrap();
    assert_eq!(other.scheduled_through_ms, 9, "a job that comes back begins now");
    assert!(matches!(house.ledger.job(&police(), &name("new")).await, Err(LedgerError::NoSuchJob { .. })));
}

async fn another_schedule_begins_at_its_apply(on: Kind) {
    let house = House::new(on).await;
    let mut next = declaration("police", &["lgps", "other"]);
    next.jobs[0].title = "Another title".to_owned();
    next.jobs[1].schedule = Some("0 7 * * * (Europe/London)".to_owned());
    house.ledger.apply(&next, &person(50)).await.unwrap();
    let cursors: Vec<_> = house.ledger.jobs(Scope::Hub).await.unwrap().iter().map(|job| job.scheduled_through_ms).collect();
    assert_eq!(cursors, [1, 50]);
}

async fn a_definition_must_be_among_the_sources(on: Kind) {
    let house = House::new(on).await;
    let mut wrong = declaration("police", &["lgps"]);
    wrong.jobs[0].definition = Digest::of(b"elsewhere");
    assert!(matches!(house.ledger.apply(&wrong, &person(1)).await, Err(LedgerError::NotFound { .. })));
}

async fn a_job_is_paused_and_resumed_once(on: Kind) {
    let house = House::new(on).await;
    let (police, lgps) = (police(), lgps());
    let job = (&police, &lgps);
    assert!(house.ledger.pause(job, "year end", &person(5)).await.unwrap());
    assert!(!house.ledger.pause(job, "again", &person(6)).await.unwrap());
    let paused = house.ledger.job(&police, &lgps).await.unwrap().paused.unwrap();
    assert_eq!((paused.at_ms, paused.by, paused.why.as_str()), (5, Actor::person("j.smith"), "year end"));
    house.enqueue(6).await;
    assert!(house.ledger.claim(&hub("main"), 7, LEASE_MS).await.unwrap().is_some(), "what is asked for runs");
    assert!(house.ledger.resume(job, &person(8)).await.unwrap());
    assert!(!house.ledger.resume(job, &person(8)).await.unwrap());
    assert_eq!(house.ledger.job(&police, &lgps).await.unwrap().paused, None);
    assert!(house.ledger.pause((&police, &name("unheard-of")), "", &person(1)).await.is_err());
}

fn release(version: &str) -> NewRelease {
    let key = ReleaseKey { partner: police(), plugin: name("lgps-return"), digest: Digest::of(version.as_bytes()) };
    NewRelease {
        key,
        version: version.to_owned(),
        manifest: "name = \"lgps-return\"".to_owned(),
        size_bytes: 5,
        artefact: format!("releases/{version}"),
        signature: None,
    }
}

async fn a_configuration_is_in_force_whole_or_not_at_all(on: Kind) {
    let house = House::new(on).await;
    house.ledger.put_table(&table("2026-27", "a,b\n1,2\n"), &person(2)).await.unwrap();
    let (one, fire) = (release("1.0.0"), declaration("fire", &["lgps"]));
    let more = declaration("police", &["lgps", "other", "third"]);
    let other_rows = [table("2027-28", "a,b\n"), table("2026-27", "a,b\n3,4\n")];
    let (releases, activate) = ([one.clone()], [one.key.clone()]);
    let wholes = |tables| {
        [
            Whole { declaration: &fire, releases: &[], activate: &[], tables: &[] },
            Whole { declaration: &more, releases: &releases, activate: &activate, tables },
        ]
    };
    let refused = house.ledger.apply_all(&wholes(&other_rows), &person(3)).await;
    assert!(matches!(refused, Err(LedgerError::VersionDiffers { .. })), "{refused:?}");
    assert_eq!(house.ledger.jobs(Scope::Hub).await.unwrap().len(), 2, "neither the partner before it nor the new job");
    assert_eq!(house.ledger.releases(Scope::Hub).await.unwrap(), []);
    assert_eq!(house.ledger.tables_through(&police()).await.unwrap(), 1);
    let applied = house.ledger.apply_all(&wholes(&other_rows[..1]), &person(4)).await.unwrap();
    assert_eq!((&applied[1].activated[..], &applied[1].added[..]), (&activate[..], &[true][..]));
    assert_eq!(house.ledger.jobs(Scope::Hub).await.unwrap().len(), 4);
    assert_eq!(house.ledger.active_release(&police(), &one.key.plugin).await.unwrap().unwrap().release, one);
    let again = house.ledger.apply_all(&wholes(&other_rows[..1]), &person(5)).await.unwrap();
    assert!(
        again.iter().all(|applied| applied.declared.changes.is_empty()) && again[1].activated.is_empty() && !again[1].added[0],
        "{again:?}"
    );
}

async fn runs_are_pinned_to_the_release_and_tables_of_their_first_claim(on: Kind) {
    let house = House::new(on).await;
    let (one, two) = (release("1.0.0"), release("2.0.0"));
    let early = house.ledger.activate(&one.key, &person(1)).await;
    assert!(matches!(early, Err(LedgerError::NoSuchRelease { .. })));
    assert!(house.ledger.put_release(&one, &person(1)).await.unwrap());
    assert!(!house.ledger.put_release(&one, &person(2)).await.unwrap());
    assert!(house.ledger.put_release(&two, &person(2)).await.unwrap());
    assert!(house.ledger.activate(&one.key, &person(3)).await.unwrap());
    assert!(!house.ledger.activate(&one.key, &person(3)).await.unwrap());

    house.enqueue(4).await;
    let asked = NewRun { release: Some(two.key.digest), ..request("other", None) };
    house.ledger.enqueue(&asked, &person(5)).await.unwrap();
    let claim = house.claim(6).await;
    assert_eq!(claim.pins.release, Some(one.key.digest));
    assert_eq!(house.claim(6).await.pins.release, Some(two.key.digest), "as was asked for");

    house.ledger.put_table(&table("2026-27", "a,b\n1,2\n"), &person(7)).await.unwrap();
    house.ledger.activate(&two.key, &person(7)).await.unwrap();
    house.append(&claim, 8, failed(Some(9))).await;
    let again = house.claim(9).await;
    assert_eq!(again.pins, claim.pins, "every attempt works with the same");
    house.append(&again, 10, failed(None)).await;
    house.ledger.instruct(Scope::Hub, again.run.id, Instruction::Retry { afresh: true, why: String::new() }, &person(11)).await.unwrap();
    let afresh = house.claim(12).await.pins;
    assert_eq!((afresh.release, afresh.tables_through), (Some(two.key.digest), 1));

    assert!(house.ledger.activate(&one.key, &person(13)).await.unwrap(), "rolled back");
    let active = house.ledger.active_release(&police(), &name("lgps-return")).await.unwrap().unwrap();
    assert_eq!((active.release, active.active_since_ms), (one.clone(), Some(13)));
    assert_eq!(house.ledger.release(&two.key).await.unwrap().unwrap().active_since_ms, None);
    assert_eq!(house.ledger.releases(Scope::Partner(&name("fire"))).await.unwrap(), []);
    let stranger = NewRelease { key: ReleaseKey { partner: name("fire"), ..one.key.clone() }, ..one };
    assert!(matches!(house.ledger.put_release(&stranger, &person(1)).await, Err(LedgerError::NotFound { what: "partner", .. })));
}

fn table(version: &str, content: &str) -> NewTable {
    let version = TableVersion {
        table: "bands".to_owned(),
        version: version.to_owned(),
        effective_from: jiff::civil::date(2026, 4, 1),
        effective_to: None,
        published: Some(jiff::civil::date(2026, 2, 14)),
    };
    NewTable { partner: police(), version, source: "LGPS circular".to_owned(), content: content.to_owned() }
}

async fn a_table_version_never_changes(on: Kind) {
    let house = House::new(on).await;
    let first = table("2025-26", "pay,rate\n1,5.5\n");
    assert!(house.ledger.put_table(&first, &person(1)).await.unwrap());
    assert!(!house.ledger.put_table(&first, &person(2)).await.unwrap());
    let other_rows = house.ledger.put_table(&table("2025-26", "pay,rate\n1,5.8\n"), &person(3)).await;
    assert!(matches!(other_rows, Err(LedgerError::VersionDiffers { .. })));
    let mut other_dates = first.clone();
    other_dates.version.effective_to = Some(jiff::civil::date(2027, 3, 31));
    assert!(house.ledger.put_table(&other_dates, &person(3)).await.is_err());
    assert!(house.ledger.put_table(&table("2026-27", "x\n"), &person(4)).await.unwrap());

    let all = house.ledger.tables(&police(), None).await.unwrap();
    assert_eq!(all.iter().map(|kept| kept.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((&all[0].table, all[0].digest), (&first, Digest::of(first.content.as_bytes())));
    assert_eq!(house.ledger.tables(&police(), Some(1)).await.unwrap(), all[..1]);
}

fn said(standing: ReleaseStanding, why: &str) -> Judgement<'_> {
    Judgement { standing, why, grant: None, review: None }
}

async fn a_release_is_used_once_its_partner_is_content(on: Kind) {
    let house = House::new(on).await;
    let mut strict = declaration("police", &["lgps"]);
    strict.partner.releases = ReleasePolicy::Approved;
    house.ledger.apply(&strict, &person(1)).await.unwrap();
    assert_eq!(house.ledger.partners(Scope::Hub).await.unwrap()[0].releases, ReleasePolicy::Approved);
    let other = By { actor: Actor::person("a.other"), ..person(5) };
    let (one, two, three) = (release("1.0.0"), release("2.0.0"), release("3.0.0"));
    for release in [&one, &two, &three] {
        house.ledger.put_release(release, &person(2)).await.unwrap();
    }
    let lacks = |result: Result<bool, LedgerError>| match result {
        Err(LedgerError::NotVouchedFor { lacks, .. }) => lacks,
        result => panic!("{result:?}"),
    };
    assert_eq!(lacks(house.ledger.activate(&one.key, &person(3)).await), "it is not signed");
    let key = NewSigningKey { partner: police(), id: "00AB".to_owned(), public_key: "x".to_owned(), owner: "lead".to_owned() };
    house.ledger.add_signing_key(&key, &person(3)).await.unwrap();
    assert!(matches!(house.ledger.add_signing_key(&key, &person(3)).await, Err(LedgerError::AlreadyThere { .. })));
    for release in [&one, &two, &three] {
        let signature = ReleaseSignature { key: "00AB".to_owned(), text: "s".to_owned(), comment: "c".to_owned() };
        let signed = NewRelease { signature: Some(signature), ..release.clone() };
        assert!(!house.ledger.put_release(&signed, &person(4)).await.unwrap(), "it is kept already, and has a signature now");
    }
    assert_eq!(lacks(house.ledger.activate(&one.key, &person(3)).await), "nobody has approved it");
    let approve = |release: &NewRelease, by: By| {
        let (ledger, key) = (house.ledger.clone(), release.key.clone());
        async move { ledger.judge_release(&key, &said(ReleaseStanding::Approved, "good"), &by).await }
    };
    assert!(matches!(approve(&one, person(5)).await, Err(LedgerError::OwnWork { .. })));
    for release in [&one, &two, &three] {
        assert!(approve(release, other.clone()).await.unwrap());
        assert!(!approve(release, other.clone()).await.unwrap(), "an approval counts once");
        assert!(house.ledger.activate(&release.key, &person(6)).await.unwrap());
    }
    // Of those before the third, the second was refused since: the way back passes it over.
    house.ledger.judge_release(&two.key, &said(ReleaseStanding::Refused, "bad"), &other).await.unwrap();
    assert_eq!(lacks(house.ledger.activate(&two.key, &person(7)).await), "it was refused");
    let plugin = name("lgps-return");
    assert_eq!(house.ledger.roll_back((&police(), &plugin), &person(8)).await.unwrap(), one.key);
    assert!(matches!(house.ledger.roll_back((&police(), &plugin), &person(8)).await, Err(LedgerError::NotFound { .. })));
    house.ledger.revoke_signing_key((&police(), "00AB"), "lost", &person(9)).await.unwrap();
    assert_eq!(lacks(house.ledger.activate(&three.key, &person(9)).await), "the key 00AB that signed it was revoked");
    assert_eq!(house.ledger.active_release(&police(), &plugin).await.unwrap().unwrap().release.key, one.key);
    assert!(house.ledger.signing_keys(Scope::Partner(&name("fire"))).await.unwrap().is_empty(), "another partner sees no keys");
    assert!(house.ledger.verify_audit().await.unwrap().is_sound());
}
