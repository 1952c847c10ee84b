//! The audit trail against whoever can write to the database: signed, left elsewhere, written out, checked without a hub.

use std::path::Path;
use std::process::Command;

use bailiwick::ledger::{Database, Ledger, Scope};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use crate::support::*;

/// A site where two runs were made and the trail signed after each, with the hub's public key kept apart.
fn signed() -> Site {
    let site = Site::staffordshire();
    done(says(&site, "ann", &["apply", "."]));
    done(say(&site, &["run", "claim-routing"]));
    std::fs::write(site.path("hub.pub"), done(say(&site, &["audit", "key"])).out).unwrap();
    assert!(done(say(&site, &["audit", "checkpoint"])).out.starts_with("checkpoint 1: "));
    done(say(&site, &["run", LGPS]));
    assert!(done(say(&site, &["audit", "checkpoint"])).out.starts_with("checkpoint 2: "));
    assert!(done(say(&site, &["audit", "checkpoint"])).out.contains("covers every entry"));
    site
}

fn says(site: &Site, person: &str, arguments: &[&str]) -> Said {
    bailiwick(site, arguments).env("USER", person).output().expect("the program starts").into()
}

#[track_caller]
fn done(said: Said) -> Said {
    assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
    said
}

#[track_caller]
fn found(said: &Said, words: &str) {
    assert!(said.code == Some(1) && said.out.contains(words), "{words:?} in {} {}", said.out, said.err);
}

/// What somebody does who may write to the database, and takes its guards away.
fn force(site: &Site, sql: &str) {
    wait(async {
        let options = SqliteConnectOptions::new().filename(site.data().join("ledger.sqlite")).foreign_keys(false);
        let mut ledger = options.connect().await.unwrap();
        for guard in ["audit_is_not_changed", "audit_is_not_removed"] {
            ledger.execute(AssertSqlSafe(format!("DROP TRIGGER IF EXISTS {guard}"))).await.unwrap();
        }
        ledger.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
        ledger.close().await.unwrap();
    });
}

#[test]
fn a_checkpoint_is_checked_by_minisign_and_vouches_for_the_trail() {
    let site = signed();
    let sound = done(say(&site, &["audit", "verify", "--public-key", "hub.pub"]));
    assert!(sound.out.contains("2 checkpoints, which vouch for entries up to") && !sound.out.contains("that the ledger itself names"));
    assert!(sound.out.contains("things in the database are as the trail says"), "{}", sound.out);
    done(say(&site, &["audit", "checkpoints", "kept"]));
    for (folder, code) in [("kept/0000000002.txt", 0), ("kept/0000000001.txt", 0)] {
        let checked = Command::new("minisign").args(["-Vm", folder, "-p", "hub.pub"]).current_dir(site.config()).status().unwrap();
        assert_eq!(checked.code(), Some(code));
    }
    let from = done(says(&site, "ann", &["audit", "export", "--partner", POLICE])).out;
    assert!(from.contains("\"from\":\"command line on ") && from.contains(" as ann (uid "), "{from}");
    // Another hub's key vouches for nothing here.
    let other = Site::staffordshire();
    done(say(&other, &["apply", "."]));
    std::fs::write(site.path("other.pub"), done(say(&other, &["audit", "key"])).out).unwrap();
    found(&say(&site, &["audit", "verify", "--public-key", "other.pub"]), "which is not among those that count");
    let text = String::from_utf8(site.read("kept/0000000002.txt")).unwrap();
    site.write("kept/0000000002.txt", text.replace("entry: ", "entry: 1"));
    found(&say(&site, &["audit", "verify", "--against", "kept", "--public-key", "hub.pub"]), "has a signature that does not fit");
}

#[test]
fn a_tail_that_was_cut_with_all_that_speaks_of_it_is_missed() {
    let site = signed();
    done(say(&site, &["audit", "checkpoints", "kept"]));
    let seq: i64 = wait(async {
        let options = SqliteConnectOptions::new().filename(site.data().join("ledger.sqlite"));
        let mut ledger = options.connect().await.unwrap();
        sqlx::query_scalar("SELECT seq FROM audit_checkpoints WHERE number = 1").fetch_one(&mut ledger).await.unwrap()
    });
    force(
        &site,
        &format!(
            "DELETE FROM audit WHERE seq > {seq}; DELETE FROM audit_checkpoints WHERE number > 1;
             UPDATE audit_head SET seq = {seq}, hash = (SELECT hash FROM audit WHERE seq = {seq})"
        ),
    );
    let missing = format!("audit entry {} is missing: checkpoint 2", seq + 1);
    found(&say(&site, &["audit", "verify"]), &missing);
    // The hub itself signs nothing on top of that.
    let refused = say(&site, &["audit", "checkpoint"]);
    assert!(refused.err.contains("the ledger was cut, or is an older copy"), "{} {}", refused.out, refused.err);
    // The file beside the ledger is cut too; what lies elsewhere is not.
    let lines = std::fs::read_to_string(site.data().join("audit/checkpoints.jsonl")).unwrap();
    std::fs::write(site.data().join("audit/checkpoints.jsonl"), format!("{}\n", lines.lines().next().unwrap())).unwrap();
    let blind = say(&site, &["audit", "verify"]);
    assert!(!blind.out.contains(&missing), "nothing here knows of it any more: {}", blind.out);
    found(&say(&site, &["audit", "verify", "--against", "kept", "--public-key", "hub.pub"]), &missing);
}

#[test]
fn a_trail_that_was_rewritten_from_end_to_end_is_told_from_the_one_that_was_signed() {
    let site = signed();
    let updates = wait(async {
        let ledger = Ledger::open_to_verify(&Database::Sqlite(site.data().join("ledger.sqlite"))).await.unwrap();
        let entries = ledger.audit_after(Scope::Hub, 0, 1_000).await.unwrap().items;
        let mut previous = bailiwick::model::ids::Digest::new([0; 32]);
        let mut updates = String::new();
        for mut entry in entries {
            if entry.seq == 2 {
                entry.subject = "job:another".to_owned();
            }
            let hash = entry.content().after(&previous);
            updates += &format!(
                "UPDATE audit SET subject = '{}', previous_hash = '{previous}', hash = '{hash}' WHERE seq = {};",
                entry.subject, entry.seq
            );
            previous = hash;
        }
        ledger.close().await;
        updates + &format!("UPDATE audit_head SET hash = '{previous}'")
    });
    force(&site, &updates);
    let said = say(&site, &["audit", "verify"]);
    found(&said, "audit entry 1 or one after it, up to ");
    assert!(said.out.contains("was rewritten: checkpoint 1 of "), "{}", said.out);
}

#[test]
fn an_export_is_checked_without_a_hub_whole_or_held_to_a_partner() {
    let site = signed();
    let file = |name: &str| site.path(name).to_str().unwrap().to_owned();
    done(say(&site, &["audit", "export", "--out", &file("all.jsonl")]));
    done(say(&site, &["audit", "export", "--csv", "--out", &file("all.csv")]));
    done(say(&site, &["audit", "export", "--partner", POLICE, "--out", &file("police.jsonl")]));
    done(say(&site, &["audit", "export", "--partner", POLICE, "--csv", "--from", "2020-01-01", "--out", &file("police.csv")]));
    done(say(&site, &["audit", "checkpoints", "kept"]));
    let police = String::from_utf8(site.read("police.jsonl")).unwrap();
    assert!(!police.contains(FIRE), "what another partner did is not in it: {police}");
    // Elsewhere: no ledger, no hub, only the files.
    let elsewhere = tempfile::tempdir().unwrap();
    let verify = |name: &str, more: &[&str]| -> Said {
        let mut command = Command::new(compiler_path());
        command.args(["audit", "verify", &file(name)]).args(more).current_dir(elsewhere.path()).env("NO_COLOR", "1");
        command.output().unwrap().into()
    };
    let key = ["--public-key", &file("hub.pub")];
    let against = ["--public-key", &file("hub.pub"), "--against", &file("kept")];
    for (name, more) in [("all.jsonl", &key[..]), ("police.jsonl", &key[..]), ("all.csv", &against[..]), ("police.csv", &against[..])] {
        let said = done(verify(name, more));
        assert!(said.out.contains("checkpoints, which vouch for entries up to"), "{name}: {}", said.out);
        assert_eq!(said.out.contains("left out"), name.starts_with("police"), "{name}: {}", said.out);
        every_harm_is_found(&site, name, |harmed| verify(harmed, more));
    }
}

/// Changes each line in some way, takes each out, swaps it with the next: nothing of that fits.
fn every_harm_is_found(site: &Site, name: &str, verify: impl Fn(&str) -> Said) {
    let text = String::from_utf8(site.read(name)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let end = Path::new(name).extension().unwrap().to_str().unwrap();
    let harmed = format!("harmed.{end}");
    let first = usize::from(end == "csv");
    for place in (first..lines.len()).step_by(3) {
        let line = lines[place];
        if line.contains("\"checkpoint\"") {
            continue;
        }
        let mut all = vec![[&lines[..place], &lines[place + 1..]].concat().iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()];
        for (from, to) in [
            ("person:ann", "person:bob"),
            ("hub:main", "hub:other"),
            ("staffordshire", "shropshire"),
            ("sha256", "sha-256"),
            ("uid", "u1d"),
            ("a", "b"),
            ("1", "2"),
        ] {
            if line.contains(from) {
                let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                changed[place] = line.replacen(from, to, 1);
                all.push(changed);
            }
        }
        for lines in all {
            // What follows the last entry that one has may be cut off; only a checkpoint of one's own misses it.
            if lines.len() == place && end == "jsonl" {
                continue;
            }
            site.write(&harmed, format!("{}\n", lines.join("\n")));
            let said = verify(&harmed);
            let cut_behind_what_is_vouched_for = lines.len() == place;
            assert!(said.code == Some(1) || cut_behind_what_is_vouched_for, "{name} line {}: {line}\n{} {}", place + 1, said.out, said.err);
        }
    }
}

#[test]
fn a_hub_that_serves_signs_when_it_stops_and_leaves_it_in_a_folder() {
    let site = Site::staffordshire();
    let outside = site.path("outside");
    let mut serving = Serving::start_with(&site, &[("BAILIWICK_CHECKPOINTS", outside.to_str().unwrap())]);
    assert_eq!(serving.terminate(), Some(0));
    let lines = std::fs::read_to_string(site.data().join("audit/checkpoints.jsonl")).unwrap();
    assert!(lines.lines().count() >= 1);
    assert!(outside.join("0000000001.txt").is_file() && outside.join("0000000001.txt.minisig").is_file());
    let key = site.data().join("audit/main.pub");
    let said = done(say(&site, &["audit", "verify", "--against", outside.to_str().unwrap(), "--public-key", key.to_str().unwrap()]));
    assert!(said.out.contains("vouch for entries up to"), "{}", said.out);
    // The key that signs is sealed again with every other secret.
    done(say(&site, &["secret", "rotate"]));
    done(say(&site, &["run", "claim-routing"]));
    done(say(&site, &["audit", "checkpoint"]));
    done(say(&site, &["audit", "verify", "--public-key", key.to_str().unwrap()]));
}
