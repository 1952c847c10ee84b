//! Somebody with a database tool, who takes the guards away: whatever they change, swap, put in or take out is found and named.

use super::*;
use crate::model::personal::Kept;
use crate::model::table::TableVersion;
use proptest::prelude::*;

on_both![every_column_that_is_covered_is_missed_when_it_changes, rows_put_in_and_taken_out_are_missed, old_entries_still_fit];

/// Tables with the columns whose change has to be found: text, and numbers.
const COVERED: [(&str, &[&str], &[&str]); 17] = [
    ("run_events", &["kind", "actor", "hub", "body"], &["at_ms", "lease"]),
    (
        "runs",
        &["trigger_kind", "origin_run", "seed", "calendar", "asked_release", "first_pins", "definition", "release_digest", "reason"],
        &[
            "dry_run",
            "logical_ms",
            "tables_through",
            "enqueued_at_ms",
            "started_at_ms",
            "ended_at_ms",
            "rows_read",
            "rows_accepted",
            "rows_rejected",
            "rows_skipped",
            "rows_written",
            "warnings",
            "outputs",
            "deliveries",
            "released",
        ],
    ),
    ("receipts", &["port", "connection", "target", "digest", "receipt"], &["size_bytes", "already_there", "delivered_at_ms"]),
    ("taken_files", &["connection", "path", "digest", "duplicate_of"], &["size_bytes", "modified_ms", "taken_at_ms"]),
    ("findings", &["port", "code", "reasons", "decoded"], &["row_number", "line", "byte_offset"]),
    ("job_state", &["entry", "written_by_run"], &[]),
    ("partners", &["title", "releases", "changes"], &["runs_max", "keep_artefacts_days", "keep_rejects_days", "keep_events_days"]),
    ("sources", &["source", "definition"], &[]),
    ("definitions", &["content"], &[]),
    ("connections", &["connection", "definition"], &["runs_max"]),
    ("jobs", &["title", "plugin", "definition", "schedule", "priority", "overlap", "notices"], &["runs_max", "rejects_overdue_days"]),
    ("releases", &["version", "manifest", "artefact", "added_by", "signed_by", "signature"], &["size_bytes", "added_at_ms"]),
    ("active_releases", &["digest", "activated_by"], &["activated_at_ms"]),
    ("activations", &["digest", "done_by"], &["at_ms"]),
    ("secrets", &["key_id", "sealed", "set_by"], &["set_at_ms"]),
    ("tokens", &["hash", "scopes", "created_by"], &["created_at_ms", "expires_at_ms", "revoked_at_ms"]),
    ("table_versions", &["content", "source", "digest", "effective_to"], &["added_at_ms"]),
];

/// A ledger in which something of everything has happened.
async fn lived_in(on: Kind) -> House {
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
    for at_ms in [10, 20] {
        house.enqueue(at_ms).await;
        let claim = house.claim(at_ms + 1).await;
        house.append(&claim, at_ms + 2, pulled(&format!("pay-{at_ms}.csv"))).await;
        let found = Found { findings: vec![rejected()], log: Vec::new() };
        house.append(&claim, at_ms + 3, processed_with(&["return", "ctr1"], found)).await;
        for port in ["return", "ctr1"] {
            house.append(&claim, at_ms + 4, delivered(port)).await;
        }
        house.append(&claim, at_ms + 5, closed()).await;
    }
    let check = ledger.verify_audit().await.unwrap();
    assert!(check.is_sound() && check.rows.fitting > 10 && check.rows.uncovered == 0, "{check:?}");
    house
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

impl House {
    /// Does something to any table, as somebody does who may do everything.
    async fn force(&self, table: &str, sql: &str) {
        if ["audit", "run_events"].contains(&table) {
            return self.harm(table, sql).await;
        }
        let forced = match self.database {
            Database::Sqlite(_) => format!("PRAGMA foreign_keys = OFF; {sql};"),
            Database::Postgres(_) => format!("SET session_replication_role = replica; {sql};"),
        };
        self.raw(&forced).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn found(&self, sql: &str) -> AuditCheck {
        let check = self.ledger.verify_audit().await.unwrap();
        assert!(check.broken.is_none() && !check.rows.faults.is_empty(), "not found: {sql}");
        check
    }
}

async fn every_column_that_is_covered_is_missed_when_it_changes(on: Kind) {
    let house = lived_in(on).await;
    for (table, texts, numbers) in COVERED {
        for column in texts {
            let fill = format!("UPDATE {table} SET {column} = CASE WHEN {column} IS NULL THEN 'x~' ELSE {column} || '~' END");
            let back = format!(
                "UPDATE {table} SET {column} = CASE WHEN {column} = 'x~' THEN NULL ELSE SUBSTR({column}, 1, LENGTH({column}) - 1) END"
            );
            house.force(table, &fill).await;
            house.found(&fill).await;
            house.force(table, &back).await;
        }
        for column in numbers {
            let fill = format!("UPDATE {table} SET {column} = CASE WHEN {column} IS NULL THEN -1 ELSE {column} + 1000000 END");
            let back = format!("UPDATE {table} SET {column} = CASE WHEN {column} = -1 THEN NULL ELSE {column} - 1000000 END");
            house.force(table, &fill).await;
            house.found(&fill).await;
            house.force(table, &back).await;
        }
        let check = house.ledger.verify_audit().await.unwrap();
        assert!(check.is_sound(), "{table} is as it was: {check:?}");
    }
}

async fn rows_put_in_and_taken_out_are_missed(on: Kind) {
    for (table, sql, named) in [
        ("runs", "UPDATE runs SET state = 'cancelled'", "run "),
        ("receipts", "DELETE FROM receipts WHERE port = 'return'", "run "),
        ("run_events", "DELETE FROM run_events WHERE seq = 3", "run-log "),
        ("run_events", "DELETE FROM run_events", "run-log "),
        ("runs", "DELETE FROM runs", "run-log "),
        (
            "run_events",
            "INSERT INTO run_events (partner, run, seq, kind, at_ms, actor, hub, lease, body)
             SELECT partner, run, 99, 'resent', at_ms, actor, hub, lease, '{}' FROM run_events WHERE seq = 1",
            "run-log ",
        ),
        ("findings", "DELETE FROM findings", "run-rejects "),
        ("findings", "UPDATE findings SET raw = NULL", "run-rejects "),
        ("job_state", "DELETE FROM job_state WHERE entry = 'last'", "job-state police/lgps "),
        ("active_releases", "DELETE FROM active_releases", "active-release police/lgps-return "),
        (
            "active_releases",
            "INSERT INTO active_releases (partner, plugin, digest, activated_at_ms, activated_by) VALUES ('police', 'evil', 'd', 1, 'x')",
            "active-release police/evil is there, and no entry of the trail says so",
        ),
        ("release_verdicts", "DELETE FROM release_verdicts", "release police/"),
        ("release_verdicts", "UPDATE release_verdicts SET verdict = 'refused'", "release police/"),
        ("secrets", "DELETE FROM secrets", "secret police/fund is gone"),
        ("signing_keys", "UPDATE signing_keys SET public_key = 'mine'", "signing-key police/00AB "),
        ("tokens", "DELETE FROM tokens", "token police/finance is gone"),
        ("proposed_changes", "UPDATE proposed_changes SET state = 'approved'", "change police/1 "),
        ("jobs", "UPDATE jobs SET removed_at_ms = 5 WHERE job = 'other'", "declaration police "),
    ] {
        let house = lived_in(on).await;
        house.force(table, sql).await;
        let check = house.found(sql).await;
        let told: Vec<String> = check.rows.faults.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|fault| fault.starts_with(named)), "{sql}: {told:?}");
    }
}

/// Entries as they were written before they had a digest of their content and said from where.
async fn old_entries_still_fit(on: Kind) {
    let house = House::new(on).await;
    let old = |previous: &str, seq: i64| {
        let mut bytes = Vec::new();
        let fields = [previous, &seq.to_string(), "7", "police", "person:j.smith", "job.pause", "job:lgps"];
        for field in fields.map(Some).into_iter().chain([None, None]) {
            bytes.push(u8::from(field.is_some()));
            let text: &str = field.unwrap_or_default();
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Digest::of(&bytes).to_string()
    };
    let zeros = "0".repeat(64);
    let hash = old(&zeros, 1);
    let insert = format!(
        "DELETE FROM audit; INSERT INTO audit (seq, at_ms, partner, actor, action, subject, previous_hash, hash)
         VALUES (1, 7, 'police', 'person:j.smith', 'job.pause', 'job:lgps', '{zeros}', '{hash}');
         UPDATE audit_head SET seq = 1, hash = '{hash}'"
    );
    house.force("audit", &insert).await;
    assert!(house.ledger.verify_audit().await.unwrap().broken.is_none());
    house.ledger.pause((&police(), &lgps()), "year end", &person(9)).await.unwrap();
    assert_eq!(house.ledger.verify_audit().await.unwrap().broken, None, "new entries go on from old ones");
    house.force("audit", "UPDATE audit SET came_from = 'elsewhere' WHERE seq = 1").await;
    assert_eq!(house.ledger.verify_audit().await.unwrap().broken.unwrap().seq, 1);
}

/// What somebody does to the trail itself.
#[derive(Debug, Clone)]
enum Harm {
    Change { column: &'static str, seq: u64 },
    Remove { seq: u64 },
    Swap { seq: u64 },
    PutIn { seq: u64 },
    Cut { from: u64 },
}

const ENTRIES: u64 = 8;
const COLUMNS: [&str; 9] = ["partner", "actor", "action", "subject", "before_json", "after_json", "came_from", "previous_hash", "hash"];

fn harms() -> impl Strategy<Value = Harm> {
    let seq = 1..=ENTRIES;
    prop_oneof![
        (proptest::sample::select(&COLUMNS[..]), seq.clone()).prop_map(|(column, seq)| Harm::Change { column, seq }),
        seq.clone().prop_map(|seq| Harm::Remove { seq }),
        (1..ENTRIES).prop_map(|seq| Harm::Swap { seq }),
        seq.clone().prop_map(|seq| Harm::PutIn { seq }),
        seq.prop_map(|from| Harm::Cut { from }),
    ]
}

impl Harm {
    /// As SQL, and the first entry that is broken by it.
    fn sql(&self) -> (String, u64) {
        match self {
            Self::Change { column, seq } => (format!("UPDATE audit SET {column} = COALESCE({column}, '') || '~' WHERE seq = {seq}"), *seq),
            Self::Remove { seq } => (format!("DELETE FROM audit WHERE seq = {seq}"), *seq),
            Self::Swap { seq } => (
                format!(
                    "UPDATE audit SET seq = 900 WHERE seq = {seq}; UPDATE audit SET seq = {seq} WHERE seq = {next};
                     UPDATE audit SET seq = {next} WHERE seq = 900",
                    next = seq + 1
                ),
                *seq,
            ),
            Self::PutIn { seq } => (
                format!(
                    "UPDATE audit SET seq = seq + 900 WHERE seq >= {seq}; UPDATE audit SET seq = seq - 899 WHERE seq > 900;
                     INSERT INTO audit (seq, at_ms, actor, action, subject, previous_hash, hash)
                     SELECT {seq}, at_ms, 'person:forger', action, subject, previous_hash, hash FROM audit WHERE seq = {next}",
                    next = seq + 1
                ),
                *seq,
            ),
            Self::Cut { from } => (format!("DELETE FROM audit WHERE seq >= {from}"), *from),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_done_to_the_trail_is_found_where_it_was_done(harm in harms(), postgres: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = trail(if postgres { Kind::Postgres } else { Kind::Sqlite }, i64::try_from(ENTRIES).unwrap()).await;
            let (sql, broken) = harm.sql();
            house.harm("audit", &sql).await;
            let check = house.ledger.verify_audit().await.unwrap();
            assert_eq!(check.broken.map(|entry| entry.seq), Some(broken), "{sql}");
        });
    }
}
