//! Tests with real files, and with a hub that is killed between any two steps.
#![allow(clippy::unwrap_used)]

mod artefacts;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::deliver::steps::{killed_while_staged, woken_before_the_name};
use super::*;
use crate::model::ids::Digest;
use crate::model::job::Place;

const NOW_MS: i64 = 1_800_000_000_000;

struct World {
    _folder: tempfile::TempDir,
    inbox: PathBuf,
    artefacts: Artefacts,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    World { artefacts: Artefacts::open(folder.path().join("artefacts")).unwrap(), inbox, _folder: folder }
}

impl World {
    fn place(&self) -> Outside {
        Outside::open(Place::Folder { path: self.inbox.clone(), settle_ms: 1_000 })
    }

    fn file(&self, name: &str, content: &[u8], age_ms: i64) -> PathBuf {
        let path = self.inbox.join(name);
        fs::write(&path, content).unwrap();
        set_age(&path, age_ms);
        path
    }

    fn listed(&self, pattern: &str) -> (Vec<String>, Vec<(String, WhyLeft)>) {
        let listing = list(&self.place(), &looking(pattern)).unwrap();
        (listing.files.into_iter().map(|file| file.name).collect(), listing.left.into_iter().map(|left| (left.name, left.why)).collect())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.inbox).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

const fn looking(pattern: &str) -> Looking<'_> {
    Looking { pattern, now_ms: NOW_MS, mark: None }
}

fn set_age(path: &Path, age_ms: i64) {
    let moment = UNIX_EPOCH + Duration::from_millis(u64::try_from(NOW_MS - age_ms).unwrap());
    File::options().write(true).open(path).unwrap().set_modified(moment).unwrap();
}

#[test]
fn only_finished_plain_files_are_taken() {
    let world = world();
    for (name, content, age_ms) in [
        ("pay-2.csv", "b", 5_000),
        ("pay-1.csv", "a", 1_000),
        ("pay-3.csv", "c", 999),
        ("pay-4.csv", "", 5_000),
        ("pay-5.csv", "d", -60_000),
        ("other.csv", "x", 5_000),
        (".pay-6.csv", "x", 5_000),
        ("pay-7.csv.part", "x", 5_000),
        ("pay-8.csv.FILEPART", "x", 5_000),
        ("pay-9.tmp", "x", 5_000),
    ] {
        world.file(name, content.as_bytes(), age_ms);
    }
    fs::create_dir(world.inbox.join("pay-folder.csv")).unwrap();
    symlink("/etc/passwd", world.inbox.join("pay-link.csv")).unwrap();
    let (files, left) = world.listed("pay-*");
    assert_eq!(files, ["pay-1.csv", "pay-2.csv"]);
    let expect = [
        ("pay-3.csv", WhyLeft::NotSettled),
        ("pay-4.csv", WhyLeft::Empty),
        ("pay-5.csv", WhyLeft::NotSettled),
        ("pay-folder.csv", WhyLeft::NotAPlainFile),
        ("pay-link.csv", WhyLeft::NotAPlainFile),
    ];
    assert_eq!(left, expect.map(|(name, why)| (name.to_owned(), why)));
    assert_eq!(world.listed("pay-?.csv").0, ["pay-1.csv", "pay-2.csv"]);
    assert_eq!(world.listed(".*").0, Vec::<String>::new());
}

#[test]
fn names_that_mislead_are_left_alone_and_never_written() {
    let world = world();
    for name in ["pay-\u{202e}vsc.csv", "pay-\x1b]0;x\x07.csv", "pay-\u{200b}.csv", "pay-é.csv"] {
        world.file(name, b"a", 5_000);
    }
    let (files, left) = world.listed("pay-*");
    assert_eq!(files, ["pay-é.csv"]);
    let expect = ["pay-\\u001b]0;x\\u0007.csv", "pay-\\u200b.csv", "pay-\\u202evsc.csv"];
    assert_eq!(left, expect.map(|name| (name.to_owned(), WhyLeft::NameMisleads)));
    for name in ["return-\u{202e}vsc.csv", "return-\x07.csv", "return-\u{feff}.csv"] {
        assert!(matches!(check_file_name(name), Err(ConnectionError::FileName { .. })), "{name:?}");
    }
    check_file_name("return-é.csv").unwrap();
}

#[test]
fn patterns_and_folders_that_cannot_be_used() {
    let world = world();
    for pattern in ["", "../*.csv", "a/b", "a\\b", "[a"] {
        assert!(matches!(check_pattern(pattern), Err(ConnectionError::Pattern { .. })), "{pattern}");
    }
    let gone = Outside::open(Place::Folder { path: world.inbox.join("gone"), settle_ms: 0 });
    let error = list(&gone, &looking("*")).unwrap_err();
    assert!(matches!(error, ConnectionError::FolderUnusable { .. }), "{error}");
    let file = Outside::open(Place::Folder { path: world.file("a.csv", b"x", 0), settle_ms: 0 });
    assert!(matches!(list(&file, &looking("*")), Err(ConnectionError::FolderUnusable { .. })));
}

#[test]
fn pulled_bytes_are_in_the_store() {
    let world = world();
    let content = b"surname\nA\n".repeat(100_000);
    world.file("a.csv", &content, 5_000);
    let found = list(&world.place(), &looking("*.csv")).unwrap().files.remove(0);
    let stored = pull(&world.place(), &found, &world.artefacts).unwrap().unwrap().stored;
    assert_eq!(stored, Stored { digest: Digest::of(&content), size: content.len() as u64 });
    let mut back = Vec::new();
    world.artefacts.read(&stored.digest).unwrap().read_to_end(&mut back).unwrap();
    assert_eq!(back, content);
    assert_eq!(world.names(), ["a.csv"], "the file stays where it is");
}

#[test]
fn a_file_that_changes_is_not_taken() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("grown", |path| {
            File::options().append(true).open(path).unwrap().write_all(b"more").unwrap();
            set_age(path, 5_000);
        }),
        ("rewritten", |path| fs::write(path, b"12345").unwrap()),
        ("replaced", |path| {
            let other = path.with_extension("new");
            fs::write(&other, b"12345").unwrap();
            set_age(&other, 5_000);
            fs::rename(other, path).unwrap();
        }),
        ("removed", |path| fs::remove_file(path).unwrap()),
        ("linked", |path| {
            fs::remove_file(path).unwrap();
            symlink("/etc/passwd", path).unwrap();
        }),
        ("folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (name, change) in changes {
        let world = world();
        let path = world.file("a.csv", b"54321", 5_000);
        let found = list(&world.place(), &looking("*.csv")).unwrap().files.remove(0);
        change(&path);
        let error = pull(&world.place(), &found, &world.artefacts).unwrap_err();
        let expected = match name {
            "linked" | "folder" => matches!(error, ConnectionError::NotAPlainFile { .. }),
            _ => matches!(error, ConnectionError::StillBeingWritten { .. }),
        };
        assert!(expected, "{name}: {error}");
        assert!(!world.artefacts.holds(&Digest::of(b"12345")), "{name}");
    }
}

fn delivery(digest: Digest) -> Delivery<'static> {
    Delivery { digest, name: "return-2026-10.csv", key: "run 1 output return" }
}

#[test]
fn delivered_once_however_often() {
    let world = world();
    let stored = world.artefacts.put(&b"rows"[..]).unwrap();
    let first = deliver(&world.place(), &delivery(stored.digest), &world.artefacts).unwrap();
    let target = world.inbox.join("return-2026-10.csv");
    assert_eq!(first, Receipt { target: target.display().to_string(), size: 4, digest: stored.digest, already_there: false, said: None });
    assert_eq!(fs::read(&target).unwrap(), b"rows");
    assert_ne!(fs::metadata(&target).unwrap().permissions().mode() & 0o600, 0);
    let again = deliver(&world.place(), &delivery(stored.digest), &world.artefacts).unwrap();
    assert_eq!(again, Receipt { already_there: true, ..first });
    assert_eq!(world.names(), ["return-2026-10.csv"]);
}

#[test]
fn nothing_is_overwritten() {
    let stored = |world: &World| world.artefacts.put(&b"rows"[..]).unwrap().digest;
    type Taken = fn(&Path);
    let takers: [Taken; 4] = [
        |path| fs::write(path, b"ROWS").unwrap(),
        |path| fs::write(path, b"").unwrap(),
        |path| fs::create_dir(path).unwrap(),
        |path| symlink("/nowhere", path).unwrap(),
    ];
    for take in takers {
        let world = world();
        take(&world.inbox.join("return-2026-10.csv"));
        let before = world.names();
        let error = deliver(&world.place(), &delivery(stored(&world)), &world.artefacts).unwrap_err();
        assert!(matches!(error, ConnectionError::TargetTaken { .. }), "{error}");
        assert_eq!(world.names(), before);
    }
}

#[test]
fn killed_at_any_moment_one_file_is_delivered() {
    let other = "run 2 output return";
    for left in 0..=4_usize {
        let world = world();
        let stored = world.artefacts.put(&b"rows"[..]).unwrap();
        let wanted = delivery(stored.digest);
        let hidden = killed_while_staged(&world.inbox, &wanted, &world.artefacts);
        let target = world.inbox.join(wanted.name);
        let bystander = killed_while_staged(&world.inbox, &Delivery { key: other, ..wanted }, &world.artefacts);
        let already_there = match left {
            // While copying: nothing yet, or part of it.
            0 | 1 => {
                File::options().write(true).open(&hidden).unwrap().set_len(left as u64 * 2).unwrap();
                false
            }
            // Before the rename.
            2 => false,
            // Where the name is given by a link, between link and unlink.
            3 => {
                fs::hard_link(&hidden, &target).unwrap();
                true
            }
            // After the rename, before the receipt.
            _ => {
                fs::rename(&hidden, &target).unwrap();
                true
            }
        };
        let receipt = deliver(&world.place(), &wanted, &world.artefacts).unwrap();
        assert_eq!(
            receipt,
            Receipt { target: target.display().to_string(), size: 4, digest: stored.digest, already_there, said: None },
            "{left}"
        );
        assert_eq!(fs::read(&target).unwrap(), b"rows");
        let hidden_name = bystander.file_name().unwrap().to_str().unwrap();
        assert_eq!(world.names(), [hidden_name, wanted.name], "another delivery's work stays: {left}");
    }
}

/// Goes on after an attempt that noted a hidden name. Answers what was noted now, too.
fn go_on(world: &World, delivery: &Delivery<'_>, hidden: &Path) -> (Result<Receipt, ConnectionError>, Option<String>) {
    let noted = std::cell::RefCell::new(None);
    let begin = |hidden: Option<&str>| {
        assert!(!world.inbox.join(delivery.name).exists(), "it is noted before it has its name");
        *noted.borrow_mut() = hidden.map(str::to_owned);
        Ok(())
    };
    let notes = Notes { earlier: hidden.file_name().and_then(|name| name.to_str()), begin: &begin };
    let receipt = deliver_noting(&world.place(), delivery, &world.artefacts, notes);
    (receipt, noted.into_inner())
}

#[test]
fn a_file_that_its_receiver_took_away_is_not_delivered_again() {
    let begun = || {
        let world = world();
        let stored = world.artefacts.put(&b"rows"[..]).unwrap();
        let hidden = killed_while_staged(&world.inbox, &delivery(stored.digest), &world.artefacts);
        let target = world.inbox.join(delivery(stored.digest).name);
        (world, delivery(stored.digest), hidden, target)
    };
    // Killed before the rename.
    let (world, wanted, hidden, _) = begun();
    let (receipt, noted) = go_on(&world, &wanted, &hidden);
    assert!(!receipt.unwrap().already_there);
    assert_eq!(noted.as_deref(), hidden.file_name().unwrap().to_str(), "the same file is given its name");
    assert_eq!(world.names(), [wanted.name]);
    // Killed after it.
    let (world, wanted, hidden, target) = begun();
    fs::rename(&hidden, &target).unwrap();
    assert!(go_on(&world, &wanted, &hidden).0.unwrap().already_there);
    // The same, and its receiver was there.
    fs::remove_file(&target).unwrap();
    let error = go_on(&world, &wanted, &hidden).0.unwrap_err();
    assert!(matches!(error, ConnectionError::Uncertain { .. }) && !error.may_pass() && !error.is_certain(), "{error}");
    assert_eq!(world.names(), Vec::<String>::new(), "nothing is sent again");
    // What was left is damaged: it was never seen, so it is written anew.
    let (world, wanted, hidden, target) = begun();
    File::options().write(true).open(&hidden).unwrap().set_len(2).unwrap();
    let (receipt, noted) = go_on(&world, &wanted, &hidden);
    assert!(receipt.is_ok() && noted.as_deref() != hidden.file_name().unwrap().to_str());
    assert_eq!((world.names(), fs::read(&target).unwrap()), (vec![wanted.name.to_owned()], b"rows".to_vec()));
    // A hub slept before the rename; another went on, and the receiver was there. The first wakes.
    let (world, wanted, hidden, target) = begun();
    go_on(&world, &wanted, &hidden).0.unwrap();
    fs::remove_file(&target).unwrap();
    let woken = woken_before_the_name(&world.inbox, &hidden, &wanted).unwrap_err();
    assert!(matches!(woken, ConnectionError::Uncertain { .. }), "{woken}");
    assert_eq!(world.names(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_noted_is_not_sent() {
    let world = world();
    let stored = world.artefacts.put(&b"rows"[..]).unwrap();
    let begin = |_: Option<&str>| Err(ConnectionError::NotNoted { why: "the lease is lost".to_owned() });
    let error =
        deliver_noting(&world.place(), &delivery(stored.digest), &world.artefacts, Notes { earlier: None, begin: &begin }).unwrap_err();
    assert!(matches!(error, ConnectionError::NotNoted { .. }), "{error}");
    assert_eq!(world.names(), Vec::<String>::new());
}

#[test]
fn a_damaged_or_missing_artefact_is_not_delivered() {
    let world = world();
    let stored = world.artefacts.put(&b"rows"[..]).unwrap();
    fs::write(world.artefacts.path(&stored.digest), b"r0ws").unwrap();
    let error = deliver(&world.place(), &delivery(stored.digest), &world.artefacts).unwrap_err();
    assert!(matches!(error, ConnectionError::ArtefactDamaged { .. }), "{error}");
    let error = deliver(&world.place(), &delivery(Digest::of(b"?")), &world.artefacts).unwrap_err();
    assert!(matches!(error, ConnectionError::ArtefactMissing { .. }), "{error}");
    assert_eq!(world.names(), Vec::<String>::new());
}

#[test]
fn names_for_delivered_files() {
    for name in ["a.csv", "Return 2026-10 (final).csv", "café.txt", "a..b"] {
        assert!(check_file_name(name).is_ok(), "{name}");
    }
    for name in ["", " ", "a/b", "a\\b", "..", ".a", "a\n", "a\0", " a", "a ", "a.part", "a.TMP", &"a".repeat(256)] {
        assert!(check_file_name(name).is_err(), "{name:?}");
    }
}

#[test]
fn two_at_once_deliver_one_file() {
    let world = world();
    let content = vec![7_u8; 1 << 20];
    let stored = world.artefacts.put(&content[..]).unwrap();
    let place = world.place();
    let delivered: usize = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..8)
            .map(|attempt| {
                let (place, artefacts) = (&place, &world.artefacts);
                scope.spawn(move || {
                    let key = format!("attempt {}", attempt % 2);
                    deliver(place, &Delivery { key: &key, ..delivery(stored.digest) }, artefacts)
                })
            })
            .collect();
        // One whose hidden file was removed by its twin fails and would be tried again; none may leave part of a file.
        attempts.into_iter().map(|attempt| usize::from(attempt.join().unwrap().is_ok_and(|receipt| !receipt.already_there))).sum()
    });
    assert_eq!(delivered, 1);
    assert_eq!(fs::read(world.inbox.join("return-2026-10.csv")).unwrap(), content);
}
