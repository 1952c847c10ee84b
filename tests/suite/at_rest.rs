//! What lies on disk: nothing of people's data or of credentials can be read from it, what was altered is named and never used, and
//! keys are changed in the middle of work.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bailiwick::access::{Caller, Role};
use bailiwick::ledger::{By, FoundEffect, Run, RunEvent, RunState, Scope};
use bailiwick::model::ids::Digest;
use bailiwick::model::personal::Sight;
use bailiwick::run::{Hub, Look};

use crate::support::*;

const NOVEMBER: &str = "2026-11-18T09:00:00Z";
const PAYROLL: &str = "data/payroll/payroll-2026-10.csv";

/// Somebody who is nobody, in every row in which the example has a Baker.
const SURNAME: &str = "Quibblethwaite";
const SECRET: &str = "correct-horse-battery-staple-91ce";

fn done(said: Said) -> Said {
    assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
    said
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The files below some folders that hold one of some texts, as it is or in hexadecimal.
fn holding(folders: &[PathBuf], texts: &[&str]) -> Vec<String> {
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        needles.push(text.as_bytes().to_vec());
        needles.push(text.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
    }
    let mut found = Vec::new();
    for path in folders.iter().flat_map(|folder| files_below(folder)) {
        let bytes = std::fs::read(&path).expect("it can be read");
        if needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle)) {
            found.push(path.display().to_string());
        }
    }
    found
}

async fn pulled(hub: &Hub, run: &Run) -> Vec<(String, Digest)> {
    let events = hub.ledger().events(Scope::Hub, run.id, 0).await.expect("the ledger answers");
    let pulled = events.into_iter().find_map(|event| if let RunEvent::Pulled(pulled) = event.event { Some(pulled) } else { None });
    pulled.expect("it read something").inputs.into_iter().map(|file| (file.port, file.digest)).collect()
}

async fn replayed(hub: &Hub, origin: &Run) -> Run {
    let run = hub.replay(Scope::Partner(origin.partner()), origin.id, &operator(hub)).await.expect("it can be replayed");
    drain(hub).await;
    ended(hub, run).await
}

#[test]
fn nothing_that_is_written_holds_a_person_or_a_credential() {
    let site = Site::staffordshire();
    let payroll: Vec<u8> = site.read(PAYROLL);
    let payroll = String::from_utf8_lossy(&payroll).replace(",Baker,", &format!(",{SURNAME},"));
    // Two rows that are refused, and one that cannot even be read.
    let (heading, rows) = payroll.split_once('\n').expect("a heading");
    let refused = rows.lines().filter(|row| row.contains(SURNAME)).take(2).map(|row| row.replacen(",TY", ",QQ", 1));
    let refused: Vec<String> = refused.collect();
    let number = refused[0].split(',').nth(1).expect("a number").to_owned();
    let text = format!("{heading}\n{}\n1,2,{SURNAME}\n{rows}", refused.join("\n"));
    site.write(PAYROLL, text);
    let mut said = String::new();
    let trace = |arguments: &[&str]| {
        let mut command = bailiwick(&site, arguments);
        command.env("BAILIWICK_LOG", "trace").stdin(Stdio::null());
        let output: Said = command.output().expect("it starts").into();
        assert!(matches!(output.code, Some(0 | 1)), "{arguments:?}: {} {}", output.out, output.err);
        format!("{}{}", output.out, output.err)
    };
    let applied = trace(&["apply", "."]);
    assert!(applied.contains("made the master key") && applied.contains("master.key"), "{applied}");
    said.push_str(&applied);
    let mut set = bailiwick(&site, &["secret", "set", POLICE, "fund"]);
    let mut set = set.env("BAILIWICK_LOG", "trace").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    set.stdin.take().unwrap().write_all(SECRET.as_bytes()).unwrap();
    let set = done(set.wait_with_output().unwrap().into());
    said.push_str(&format!("{}{}", set.out, set.err));
    let run = done(say(&site, &["run", LGPS, "--json"])).json();
    let run = run["run"].as_str().or(run["id"].as_str()).expect("it has an id").to_owned();
    let backup = site.config().with_file_name("backup");
    for arguments in [
        &["show", &run, "--json"][..],
        &["rejects", &run],
        &["rejects", &run, "--json"],
        &["rejects", "--json"],
        &["replay", &run],
        &["secret", "rotate", "--partner", POLICE],
        &["run", LGPS],
        &["secret", "rotate"],
        &["audit", "verify"],
        &["audit", "export"],
        &["backup", backup.to_str().expect("a plain path")],
    ] {
        said.push_str(&trace(arguments));
    }
    wait(async {
        let hub = site.reopen(&clock_at(NOVEMBER)).await;
        let (id, by) = (run.parse().expect("an id"), operator(&hub));
        let rejects = hub.ledger().findings((Scope::Hub, id), FoundEffect::Reject, None, 100).await.unwrap().items;
        let full = hub.view(id, Look { scope: Scope::Hub, sight: Sight::Full, by: &by }).await.unwrap();
        let raw: Vec<u8> = rejects.iter().flat_map(|reject| full.raw(reject).unwrap().unwrap_or_default()).collect();
        assert!(String::from_utf8_lossy(&raw).contains(SURNAME), "there is something to be hidden");
        hub.ledger().close().await;
    });
    assert!(!said.contains(SURNAME) && !said.contains(SECRET), "it was said");
    assert!(site.delivered().iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(SURNAME)), "it is delivered");
    let folders = [site.data(), backup];
    assert_eq!(holding(&folders, &[SURNAME, SECRET, &number]), Vec::<String>::new(), "it lies open");
    let key = std::fs::read_to_string(site.data().join("master.key")).expect("there is a key");
    assert_eq!(holding(&folders, &[key.trim()]).len(), 1, "the master key is in its own file alone");
}

#[test]
fn an_artefact_that_was_altered_is_named_and_not_used() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let origin = finished(&hub, POLICE, LGPS).await;
        assert_eq!(replayed(&hub, &origin).await.state, RunState::Closed);
        let inputs = pulled(&hub, &origin).await;
        let (payroll, previous) = (inputs[0].1, inputs[1].1);
        let path = hub.artefact_path(&partner(POLICE), payroll);
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[100_000] ^= 1;
        let other = std::fs::read(hub.artefact_path(&partner(POLICE), previous)).unwrap();
        let plain = content(&hub, &partner(POLICE), payroll).await.unwrap();
        for (what, bytes) in [("a byte", flipped), ("cut", whole[..whole.len() - 5_000].to_vec()), ("another's", other), ("plain", plain)] {
            std::fs::write(&path, bytes).unwrap();
            let run = replayed(&hub, &origin).await;
            assert_eq!(run.state, RunState::Failed, "{what}: {:?}", run.reason);
            let told = reason(&run).1;
            assert!(told.contains(&payroll.to_string()) && told.contains("is not what the hub wrote"), "{what}: {told}");
        }
        std::fs::write(&path, whole).unwrap();
        assert_eq!(replayed(&hub, &origin).await.state, RunState::Closed, "put back, it is used again");
    });
}

#[test]
fn what_an_earlier_version_kept_as_it_was_is_still_read() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let origin = finished(&hub, POLICE, LGPS).await;
        for (_, digest) in pulled(&hub, &origin).await {
            let (plain, sealed) = (content(&hub, &partner(POLICE), digest).await.unwrap(), hub.artefact_path(&partner(POLICE), digest));
            std::fs::remove_file(sealed).unwrap();
            let folder = site.data().join("artefacts").join(&digest.to_string()[..2]);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(digest.to_string()), plain).unwrap();
        }
        assert_eq!(replayed(&hub, &origin).await.state, RunState::Closed);
        // It is not sealed, so its name alone vouches for it.
        let digest = pulled(&hub, &origin).await[0].1;
        let plain = site.data().join("artefacts").join(&digest.to_string()[..2]).join(digest.to_string());
        let mut bytes = std::fs::read(&plain).unwrap();
        bytes[5_000] ^= 1;
        std::fs::write(&plain, bytes).unwrap();
        let run = replayed(&hub, &origin).await;
        assert_eq!(run.state, RunState::Failed, "{:?}", run.reason);
        assert!(reason(&run).1.contains("has the bytes of"), "{:?}", run.reason);
    });
}

#[test]
fn a_partner_gets_a_new_key_and_the_earlier_ones_open_what_was_before() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let first = finished(&hub, POLICE, LGPS).await;
        let header = |digest: Digest| std::fs::read(hub.artefact_path(&partner(POLICE), digest)).unwrap()[16..24].to_vec();
        let before: BTreeSet<Vec<u8>> = pulled(&hub, &first).await.into_iter().map(|(_, digest)| header(digest)).collect();
        assert_eq!(hub.rotate_data_key(&partner(POLICE), &operator(&hub)).await.unwrap(), 2);
        // A hub that has the earlier keys at hand finds the new one, and one that starts now has both.
        let rows = site.read(PAYROLL);
        let cut = rows.iter().rposition(|byte| *byte == b'\n').and_then(|end| rows[..end].iter().rposition(|byte| *byte == b'\n'));
        site.write("data/payroll/payroll-2026-11.csv", &rows[..=cut.unwrap()]);
        let second = hub.replay(Scope::Hub, first.id, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!(ended(&hub, second).await.state, RunState::Closed, "the same bytes");
        let processed = hub.ledger().processed(Scope::Hub, second).await.unwrap().unwrap();
        let after: BTreeSet<Vec<u8>> = processed.outputs.iter().map(|output| header(output.artefact)).collect();
        assert!(before.len() == 1 && after.len() == 1 && before.is_disjoint(&after), "{before:?} {after:?}");
        hub.ledger().close().await;
        let again = site.reopen(&clock_at(NOVEMBER)).await;
        assert_eq!(replayed(&again, &first).await.state, RunState::Closed);
        let acts = again.ledger().audit(Scope::Hub, None, 100).await.unwrap().items;
        assert_eq!(acts.iter().filter(|act| act.action == "data-key.make").count(), 2);
    });
}

#[test]
fn a_rotation_of_the_master_key_that_is_killed_is_finished_later() {
    let site = Site::staffordshire();
    done(say(&site, &["apply", "."]));
    let run = done(say(&site, &["run", LGPS, "--json"])).json();
    let run = run["run"].as_str().or(run["id"].as_str()).expect("it has an id").to_owned();
    let keys = |site: &Site| std::fs::read_to_string(site.data().join("master.key")).unwrap().lines().count();
    let first = std::fs::read_to_string(site.data().join("master.key")).unwrap();
    let mut interrupted = 0;
    for wait_ms in (0..80).step_by(8) {
        let mut child = bailiwick(&site, &["secret", "rotate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        interrupted += usize::from(keys(&site) > 1);
        // Whatever came of it, everything opens.
        assert!(done(say(&site, &["rejects", &run, "--json"])).out.contains("values"), "after {wait_ms} ms");
    }
    // The step between is reached for certain: a new key is in force, and nothing is sealed under it yet.
    let text = std::fs::read_to_string(site.data().join("master.key")).unwrap();
    std::fs::write(site.data().join("master.key"), format!("{}\n{text}", "0f".repeat(32))).unwrap();
    assert_eq!(done(say(&site, &["replay", &run])).code, Some(0));
    let finished = done(say(&site, &["secret", "rotate"]));
    assert!(finished.out.contains("keys of partners") && keys(&site) == 1, "{} ({interrupted} were interrupted)", finished.out);
    assert!(!std::fs::read_to_string(site.data().join("master.key")).unwrap().contains(first.trim()), "the first key is forgotten");
    assert_eq!(done(say(&site, &["replay", &run])).code, Some(0));
    // Without the key nothing begins, and the reason is told.
    std::fs::rename(site.data().join("master.key"), site.data().join("elsewhere")).unwrap();
    let refused = say(&site, &["run", LGPS]);
    assert!(refused.code == Some(1) && refused.err.contains("there is no master key in"), "{}", refused.err);
    assert!(!site.data().join("master.key").exists(), "no other is made in its place");
}

#[test]
fn that_somebody_sees_personal_values_is_in_the_audit_trail_once_an_hour() {
    let site = Site::staffordshire();
    wait(async {
        let clock = clock_at(NOVEMBER);
        let hub = site.hub(&clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        let reject = hub.ledger().findings((Scope::Hub, run.id), FoundEffect::Reject, None, 1).await.unwrap().items.remove(0);
        let look = async |sight, name: &str, scope: Scope<'_>| {
            let by = By {
                actor: bailiwick::ledger::Actor::person(name),
                hub: hub.id().clone(),
                from: None,
                now_ms: clock.now_ms(),
                as_of: None,
            };
            hub.view(run.id, Look { scope, sight, by: &by }).await
        };
        let seen = async || {
            let acts = hub.ledger().audit(Scope::Hub, None, 200).await.unwrap().items;
            acts.into_iter().filter(|act| act.action == "personal.see").map(|act| act.actor.to_string()).collect::<Vec<_>>()
        };
        let police = partner(POLICE);
        let masked = look(Sight::Masked, "amy", Scope::Partner(&police)).await.unwrap();
        assert_eq!((masked.raw(&reject).unwrap(), masked.sight()), (None, Sight::Masked));
        assert_eq!(masked.row(&reject).unwrap().unwrap()["surname"], "••••••");
        assert_eq!((masked.cell("surname", "Baker"), masked.cell("employment_number", "7")), ("••••••".to_owned(), "7".to_owned()));
        assert!(seen().await.is_empty());
        let full = look(Sight::Full, "amy", Scope::Partner(&police)).await.unwrap();
        assert_ne!(full.row(&reject).unwrap().unwrap()["surname"], "••••••");
        assert!(full.raw(&reject).unwrap().unwrap().len() > 20);
        for _ in 0..3 {
            look(Sight::Full, "amy", Scope::Partner(&police)).await.unwrap();
            look(Sight::Full, "bob", Scope::Partner(&police)).await.unwrap();
        }
        assert_eq!(seen().await.len(), 2, "one for each person in this hour");
        clock.advance(jiff::SignedDuration::from_hours(1));
        look(Sight::Full, "amy", Scope::Partner(&police)).await.unwrap();
        assert_eq!(seen().await, ["person:amy", "person:bob", "person:amy"]);
        // Whoever may not see them is refused, and sees them masked if they do not ask.
        for (role, may) in [(Role::Viewer, false), (Role::Admin, false), (Role::Operator, true), (Role::Approver, true)] {
            let caller = Caller::new(police.clone(), bailiwick::ledger::Actor::person("amy"), role.allows());
            assert_eq!(caller.sight(false).unwrap(), Sight::Masked, "{role}");
            assert_eq!(caller.sight(true).ok(), may.then_some(Sight::Full), "{role}");
        }
        let fire = partner(FIRE);
        assert!(look(Sight::Full, "amy", Scope::Partner(&fire)).await.is_err(), "another partner's run is none of theirs");
        assert_eq!(seen().await.len(), 3);
    });
}

#[test]
fn keys_of_partners_are_their_own() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = finished(&hub, POLICE, LGPS).await;
        hub.make_keys().await.unwrap();
        let (police, fire) = (keys_of(&hub, &partner(POLICE)).await, keys_of(&hub, &partner(FIRE)).await);
        let sealed = police.seal("row", b"row");
        assert!(fire.open("row", &sealed).is_err() && police.open("row", &sealed).is_ok());
        let digest = pulled(&hub, &run).await[0].1;
        let (ours, theirs) = (hub.artefact_path(&partner(POLICE), digest), hub.artefact_path(&partner(FIRE), digest));
        std::fs::create_dir_all(theirs.parent().unwrap()).unwrap();
        std::fs::copy(ours, theirs).unwrap();
        assert!(content(&hub, &partner(FIRE), digest).await.is_none(), "moved to another partner, it opens nothing");
    });
}
