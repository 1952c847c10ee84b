//! Somebody with a database tool, who takes the guards away: whatever they change, swap, put in or take out is found and named.

use super::lived::lived_in;
use super::*;
use crate::ledger::store::query;
use proptest::prelude::*;

on_both![
    rows_put_in_and_taken_out_are_missed,
    every_text_that_was_declared_and_every_reason_is_covered_by_itself,
    what_an_act_covers_up_is_found,
    a_session_that_ended_is_not_put_back,
    old_entries_still_fit,
];

impl House {
    /// Does something to any table, as somebody does who may do everything.
    pub(super) async fn force(&self, table: &str, sql: &str) {
        if ["audit", "run_events"].contains(&table) {
            return self.harm(table, sql).await;
        }
        let forced = match self.database {
            Database::Sqlite(_) => format!("PRAGMA foreign_keys = OFF; {sql};"),
            Database::Postgres(_) => format!("SET session_replication_role = replica; {sql};"),
        };
        self.raw(&forced).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(super) async fn found(&self, sql: &str) -> AuditCheck {
        let check = self.ledger.verify_audit().await.unwrap();
        assert!(check.broken.is_none() && !check.rows.faults.is_empty(), "not found: {sql}");
        check
    }
}

/// What is done to which table, and how that is told.
const DONE: &[(&str, &str, &str)] = &[
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
    ("people", "UPDATE people SET password = '$argon2id$mine' WHERE person = 'joan'", "person joan "),
    ("people", "UPDATE people SET hub_operator = 1 WHERE person = 'joan'", "person joan "),
    ("roles", "INSERT INTO roles VALUES ('police', 'joan', 'admin', 5, 'person:root')", "person joan "),
    ("sessions", "UPDATE sessions SET ends_at_ms = ends_at_ms + 1000000", "session "),
    (
        "sessions",
        "INSERT INTO sessions VALUES ('00', 'joan', 1, 1, 1125899906842624, 1125899906842624, '', 'password')",
        "session 00 is there, and no entry of the trail says so",
    ),
    ("data_keys", "UPDATE data_keys SET sealed = 'mine'", "data-keys police "),
    ("hub_keys", "UPDATE hub_keys SET public_key = 'mine'", "hub-key main "),
    ("releases", "UPDATE releases SET retired_at_ms = NULL, retired_by = NULL, retired_why = NULL", "retired-release police/"),
    ("candidates", "UPDATE candidates SET share = 10000, way = 'canary'", "candidates police/lgps-return "),
    ("trials", "UPDATE trials SET outcome = 'same', kinds = ''", "trial "),
    ("trial_explanations", "UPDATE trial_explanations SET kind = 'return.colour'", "explanations police/"),
    ("jobs", "UPDATE jobs SET paused_at_ms = NULL, paused_by = NULL, paused_why = NULL", "paused-job police/other "),
    (
        "findings",
        "UPDATE findings SET left_how = 'dismissed', left_by = 'person:x', left_at_ms = 5 WHERE left_how IS NULL",
        "reject-fates ",
    ),
    ("findings", "UPDATE findings SET left_how = NULL WHERE left_how IS NOT NULL", "reject-fates "),
    ("exchanges", "UPDATE exchanges SET answer = '201'", "run-outside "),
    ("pull_marks", "UPDATE pull_marks SET mark = 'later'", "run-outside "),
    ("begun_deliveries", "DELETE FROM begun_deliveries", "begun-deliveries "),
    ("resubmissions", "UPDATE resubmissions SET artefact = 'another'", "resubmission "),
    ("definitions", "DELETE FROM definitions", "definition police/"),
    (
        "definitions",
        "DELETE FROM definitions WHERE digest NOT IN (SELECT definition FROM sources)",
        "definitions police is not what audit entry",
    ),
    ("runs", "UPDATE runs SET reason = 'nothing happened' WHERE state = 'held'", "run-reason "),
    ("runs", "UPDATE runs SET reason_code = 'other' WHERE state = 'failed'", "run-reason "),
    ("runs", "UPDATE runs SET reason_code = NULL, reason = NULL WHERE state = 'failed'", "run-reason "),
    ("proposed_changes", "UPDATE proposed_changes SET content = '{}{}'", "change police/1 "),
];

async fn rows_put_in_and_taken_out_are_missed(on: Kind) {
    for (table, sql, named) in DONE {
        let house = lived_in(on).await;
        house.force(table, sql).await;
        let check = house.found(sql).await;
        let told: Vec<String> = check.rows.faults.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|fault| fault.starts_with(named)), "{sql}: {told:?}");
    }
}

/// Each row for itself, not all of a table at once: no text takes the place of one that is in force no longer, and no run that stands
/// still is given another reason, or a run a reason that had none.
async fn every_text_that_was_declared_and_every_reason_is_covered_by_itself(on: Kind) {
    let house = lived_in(on).await;
    let store = &house.ledger.store;
    let texts: Vec<(String,)> = query("SELECT digest FROM definitions ORDER BY digest").fetch_all(store).await.unwrap();
    let runs: Vec<(String, String)> = query("SELECT run, state FROM runs WHERE reason_code IS NOT NULL").fetch_all(store).await.unwrap();
    let superseded = "SELECT digest FROM definitions WHERE digest NOT IN (SELECT definition FROM sources)";
    assert!(!query(superseded).fetch_all::<(String,)>(store).await.unwrap().is_empty(), "one was in force before");
    assert!(["held", "failed"].iter().all(|state| runs.iter().any(|(_, with)| with == state)), "{runs:?}");
    let mut harms = vec![(
        "definitions",
        format!("INSERT INTO definitions SELECT partner, '{}', 'mine', stored_at_ms FROM keep WHERE 1 = 1 LIMIT 1", Digest::of(b"mine")),
    )];
    for (digest,) in &texts {
        let mine = Digest::of(b"mine");
        harms.push(("definitions", format!("DELETE FROM definitions WHERE digest = '{digest}'")));
        harms.push(("definitions", format!("UPDATE definitions SET content = content || ' ' WHERE digest = '{digest}'")));
        harms.push(("definitions", format!("UPDATE definitions SET digest = '{mine}', content = 'mine' WHERE digest = '{digest}'")));
    }
    for (run, _) in &runs {
        for set in ["reason = reason || '!'", "reason_code = 'other'", "reason = NULL, reason_code = NULL"] {
            harms.push(("runs", format!("UPDATE runs SET {set} WHERE run = '{run}'")));
        }
    }
    let closed = "SELECT MIN(run) FROM runs WHERE reason_code IS NULL AND state = 'closed'";
    harms.push(("runs", format!("UPDATE runs SET reason_code = 'x', reason = 'y' WHERE run = ({closed})")));
    for (table, sql) in harms {
        house.force(table, &format!("CREATE TABLE keep AS SELECT * FROM {table}")).await;
        house.force(table, &sql).await;
        house.found(&sql).await;
        house.force(table, &format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM keep; DROP TABLE keep")).await;
    }
    assert!(house.ledger.verify_audit().await.unwrap().is_sound(), "everything was put back");
}

/// Whoever changes a row and waits until somebody acts on the same thing, so that the act's digest is of what they left, is found by what
/// that act found.
async fn what_an_act_covers_up_is_found(on: Kind) {
    for (table, sql, named) in [
        ("roles", "INSERT INTO roles VALUES ('police', 'joan', 'admin', 5, 'person:root')", "person joan was changed past the hub"),
        ("tokens", "UPDATE tokens SET scopes = 'read write'", "token police/finance was changed past the hub"),
        ("signing_keys", "UPDATE signing_keys SET public_key = 'mine'", "signing-key police/00AB was changed past the hub"),
        ("data_keys", "UPDATE data_keys SET sealed = 'mine'", "data-keys police was changed past the hub"),
        ("jobs", "UPDATE jobs SET paused_why = 'x' WHERE job = 'other'", "paused-job police/other was changed past the hub"),
    ] {
        let house = lived_in(on).await;
        let (ledger, joan) = (&house.ledger, name("joan"));
        house.force(table, sql).await;
        ledger.set_password(&joan, &secrecy::SecretString::from("$argon2id$next"), &person(900)).await.unwrap();
        ledger.revoke_token(&police(), "finance", &person(901)).await.unwrap();
        ledger.revoke_signing_key((&police(), "00AB"), "lost", &person(902)).await.unwrap();
        ledger.put_data_key((&police(), 2), ("k1", "sealed 2"), &person(903)).await.unwrap();
        ledger.resume((&police(), &name("other")), &person(904)).await.unwrap();
        let check = house.found(sql).await;
        let told: Vec<String> = check.rows.faults.iter().map(ToString::to_string).collect();
        assert!(told.len() == 1 && told[0].starts_with(named), "{sql}: {told:?}");
    }
}

/// A session that was ended is not brought back by its row.
async fn a_session_that_ended_is_not_put_back(on: Kind) {
    let house = lived_in(on).await;
    house.force("sessions", "CREATE TABLE keep_sessions AS SELECT * FROM sessions").await;
    house.ledger.end_session(Digest::of(b"session"), &person(900)).await.unwrap();
    assert!(house.ledger.verify_audit().await.unwrap().is_sound());
    let back = "INSERT INTO sessions SELECT * FROM keep_sessions";
    house.force("sessions", back).await;
    house.found(back).await;
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
