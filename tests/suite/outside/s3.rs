//! An S3-compatible store, over a wire that can be cut: an object is taken whole and delivered once.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bailiwick::clock::Clock;
use bailiwick::connection::{ConnectionError, Notes, Outside, Step, WhyLeft, check_target, deliver, deliver_noting, list, pull};
use bailiwick::ledger::RunState;
use bailiwick::model::ids::Digest;
use bailiwick::model::job::{Place, S3Place};

use super::{World, delivery, looking, only, with};
use crate::support::*;

/// Where a delivery goes.
const TARGET: &str = "incoming/return-2026-10.csv";

fn open(s3: &S3) -> Outside {
    at(s3.place())
}

fn at(place: S3Place) -> Outside {
    with(Place::S3(place), &[("archive-key", S3::SECRET)])
}

/// The same, over a wire.
fn over(wire: &Wire, s3: &S3) -> Outside {
    at(S3Place { url: format!("https://127.0.0.1:{}/", wire.port), ..s3.place() })
}

#[test]
fn objects_below_the_prefix_are_listed_and_copied() {
    let (s3, world) = (S3::start(), World::new());
    let _entered = world.runtime.enter();
    let content = b"surname\nA\n".repeat(300_000);
    s3.write("incoming/pay & 1=é.csv", &content);
    for key in ["pay-0.csv", "incoming/deeper/pay-2.csv", "incoming/pay-3.csv.part", "incoming/other.csv", "incomingpay-4.csv"] {
        s3.write(key, b"x");
    }
    s3.write("incoming/pay-5.csv", b"");
    let place = open(&s3);
    let listing = list(&place, &looking("pay*")).unwrap();
    let files: Vec<_> = listing.files.iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(files, [("pay & 1=é.csv", 3_000_000)]);
    assert!(listing.files[0].modified_ms > 1_700_000_000_000, "{listing:?}");
    assert_eq!(listing.left.iter().map(|left| (left.name.as_str(), left.why)).collect::<Vec<_>>(), [("pay-5.csv", WhyLeft::Empty)]);
    let fetched = pull(&place, &listing.files[0], &world.artefacts).unwrap().unwrap();
    assert_eq!((fetched.stored.digest, fetched.stored.size, fetched.mark), (Digest::of(&content), 3_000_000, None));

    let small = at(S3Place { file_bytes_max: 2_999_999, ..s3.place() });
    assert_eq!(list(&small, &looking("pay &*")).unwrap().left[0].why, WhyLeft::TooLarge);
    let all = at(S3Place { prefix: String::new(), ..s3.place() });
    let names: Vec<String> = list(&all, &looking("*")).unwrap().files.into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["incomingpay-4.csv", "pay-0.csv"]);
    let nowhere = at(S3Place { prefix: "nowhere/".to_owned(), ..s3.place() });
    assert!(list(&nowhere, &looking("*")).unwrap().files.is_empty());
}

#[test]
fn a_listing_of_many_pages_is_read_to_its_end() {
    let (s3, world) = (S3::start(), World::new());
    let _entered = world.runtime.enter();
    for number in 0..2_345 {
        s3.write(&format!("incoming/pay-{number:05}.csv"), b"x");
    }
    let listing = list(&open(&s3), &looking("pay-*")).unwrap();
    assert_eq!((listing.files.len(), listing.files[2_344].name.as_str()), (2_345, "pay-02344.csv"));
}

#[test]
fn an_object_that_is_not_the_listed_one_any_more_is_left_alone() {
    let (s3, world) = (S3::start(), World::new());
    let _entered = world.runtime.enter();
    s3.write("incoming/pay-1.csv", b"first");
    let place = open(&s3);
    let listed = only(&place, "pay-1.csv");
    for change in [Some(b"second" as &[u8]), Some(b""), None] {
        match change {
            Some(bytes) => s3.write("incoming/pay-1.csv", bytes),
            None => fs::remove_file(s3.object("incoming/pay-1.csv")).unwrap(),
        }
        let error = pull(&place, &listed, &world.artefacts).unwrap_err();
        assert!(matches!(error, ConnectionError::StillBeingWritten { .. }), "{error}");
    }
}

#[test]
fn whoever_is_not_let_in_is_told_by_what_and_no_signature_is_shown() {
    let (s3, other, world) = (S3::start(), S3::start(), World::new());
    let _entered = world.runtime.enter();
    type Wrong = fn(&ConnectionError) -> bool;
    let sign_in: Wrong = |error| matches!(error, ConnectionError::SignIn { .. });
    let refused: Wrong = |error| matches!(error, ConnectionError::Refused { step: Step::List, .. });
    let certificate: Wrong =
        |error| matches!(error, ConnectionError::Refused { step: Step::Certificate, why, .. } if why.contains("ca-file"));
    for (place, secret, wrong, says) in [
        (s3.place(), "hunter3hunter3", sign_in, "SignatureDoesNotMatch"),
        (S3Place { access_key: "AKIAFIRE".to_owned(), ..s3.place() }, S3::SECRET, sign_in, "403"),
        (S3Place { bucket: "no-such-bucket".to_owned(), ..s3.place() }, S3::SECRET, refused, "NoSuchBucket"),
        (S3Place { ca_file: None, ..s3.place() }, S3::SECRET, certificate, "certificate"),
        (S3Place { ca_file: Some(other.ca_file()), ..s3.place() }, S3::SECRET, certificate, "certificate"),
    ] {
        let error = list(&with(Place::S3(place), &[("archive-key", secret)]), &looking("*")).unwrap_err();
        assert!(wrong(&error) && error.to_string().contains(says) && !error.may_pass(), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter") && !shown.contains("X-Amz") && !shown.contains("AKIA"), "{shown}");
    }
    let nobody = at(S3Place { url: "https://127.0.0.1:1/".to_owned(), ..s3.place() });
    let error = list(&nobody, &looking("*")).unwrap_err();
    assert!(error.may_pass() && matches!(error, ConnectionError::Unreachable { step: Step::Connect, .. }), "{error}");
    let late = Outside { now_ms: Clock::machine().now_ms() - 3_600_000, ..open(&s3) };
    let error = list(&late, &looking("*")).unwrap_err();
    assert!(!error.may_pass() && !error.to_string().contains("X-Amz"), "a signature ends: {error}");
}

#[test]
fn delivered_once_however_often_and_never_over_another_object() {
    let (s3, world) = (S3::start(), World::new());
    let _entered = world.runtime.enter();
    let place = open(&s3);
    for content in [b"rows".to_vec(), Vec::new(), (0..9_000_000_u32).flat_map(u32::to_le_bytes).collect()] {
        let digest = world.stored(&content);
        assert!(!check_target(&place, &delivery(digest)).unwrap());
        let first = deliver(&place, &delivery(digest), &world.artefacts).unwrap();
        assert_eq!((first.size, first.already_there), (content.len() as u64, false));
        assert_eq!(first.target, "s3://police-archive/incoming/return-2026-10.csv");
        assert!(fs::read(s3.object(TARGET)).unwrap() == content);
        assert!(check_target(&place, &delivery(digest)).unwrap());
        assert!(deliver(&place, &delivery(digest), &world.artefacts).unwrap().already_there);
        let other = world.stored(b"r0ws");
        for error in [check_target(&place, &delivery(other)).unwrap_err(), deliver(&place, &delivery(other), &world.artefacts).unwrap_err()]
        {
            assert!(matches!(error, ConnectionError::TargetTaken { .. }), "{error}");
        }
        fs::remove_file(s3.object(TARGET)).unwrap();
    }
    let digest = world.stored(&vec![7; 20 << 20]);
    fs::write(world.artefacts.path(&digest), vec![8; 20 << 20]).unwrap();
    assert!(matches!(deliver(&place, &delivery(digest), &world.artefacts), Err(ConnectionError::ArtefactDamaged { .. })));
    assert!(!s3.object(TARGET).exists());
}

/// Both ways of putting an object: at once, and in parts.
fn small_and_large() -> [Vec<u8>; 2] {
    [b"rows".to_vec(), vec![7; 20 << 20]]
}

#[test]
fn a_name_that_is_taken_in_the_same_moment_is_not_given_twice() {
    let world = World::new();
    let _entered = world.runtime.enter();
    for content in small_and_large() {
        let digest = world.stored(&content);
        for (theirs, same) in [(content.clone(), true), (b"others".to_vec(), false)] {
            let at = Arc::new(OnceLock::<PathBuf>::new());
            let (there, bytes) = (Arc::clone(&at), theirs.clone());
            // Between the look and the last word, somebody else puts it.
            let s3 = S3::meddled(move |asked, _| {
                if asked.ends_with("if-none-match") {
                    fs::create_dir_all(there.get().unwrap().parent().unwrap()).unwrap();
                    fs::write(there.get().unwrap(), &bytes).unwrap();
                }
                Meddling::No
            });
            at.set(s3.object(TARGET)).unwrap();
            match deliver(&open(&s3), &delivery(digest), &world.artefacts) {
                Ok(receipt) => assert!(same && receipt.already_there),
                Err(error) => assert!(!same && matches!(error, ConnectionError::TargetTaken { .. }), "{error}"),
            }
            assert!(fs::read(s3.object(TARGET)).unwrap() == theirs);
        }
        // A server that cannot tell whether a key is new says so, and gets it all the same.
        let deaf = S3::meddled(|asked, _| if asked.ends_with("if-none-match") { Meddling::Before(501) } else { Meddling::No });
        assert!(!deliver(&open(&deaf), &delivery(digest), &world.artefacts).unwrap().already_there);
        assert!(fs::read(deaf.object(TARGET)).unwrap() == content);
    }
}

#[test]
fn a_lost_answer_is_looked_after_and_what_nobody_can_tell_is_uncertain() {
    let world = World::new();
    let _entered = world.runtime.enter();
    for content in small_and_large() {
        let digest = world.stored(&content);
        let large = content.len() > 100;
        let last_word = |asked: &str, before: usize| asked.ends_with("if-none-match") && before == 0;
        // It was done.
        let s3 = S3::meddled(move |asked, before| if last_word(asked, before) { Meddling::Lost } else { Meddling::No });
        assert!(!deliver(&open(&s3), &delivery(digest), &world.artefacts).unwrap().already_there);
        // It was done, and the server says that it failed.
        let s3 = S3::meddled(move |asked, before| if last_word(asked, before) { Meddling::After(500) } else { Meddling::No });
        assert!(deliver(&open(&s3), &delivery(digest), &world.artefacts).unwrap_err().may_pass());
        assert!(deliver(&open(&s3), &delivery(digest), &world.artefacts).unwrap().already_there);
        // It was not done; of parts that wait to be put together one can tell that.
        let s3 = S3::meddled(move |asked, before| if last_word(asked, before) { Meddling::Gone } else { Meddling::No });
        let error = deliver(&open(&s3), &delivery(digest), &world.artefacts).unwrap_err();
        assert!(error.may_pass() == large && (large || matches!(error, ConnectionError::Uncertain { .. })), "{error}");
        assert!(s3.keys().is_empty(), "{:?}", s3.keys());
        // It was done, and its receiver took it away before the hub could look.
        let at = Arc::new(OnceLock::<PathBuf>::new());
        let there = Arc::clone(&at);
        let s3 = S3::meddled(move |asked, before| {
            if asked.starts_with("HEAD") && before > 0 {
                fs::remove_file(there.get().unwrap()).unwrap();
            }
            if last_word(asked, before) { Meddling::Lost } else { Meddling::No }
        });
        at.set(s3.object(TARGET)).unwrap();
        let error = deliver(&open(&s3), &delivery(digest), &world.artefacts).unwrap_err();
        assert!(matches!(&error, ConnectionError::Uncertain { target, .. } if target.ends_with(TARGET)), "{error}");
    }
}

#[test]
fn cut_off_at_any_byte_an_object_is_taken_whole_and_delivered_once() {
    let (s3, world) = (S3::start(), World::new());
    let _entered = world.runtime.enter();
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    s3.write("incoming/a.bin", &content);
    let listed = only(&open(&s3), "a.bin");
    let whole = Wire::to(s3.port, Cut::Never);
    let stored = pull(&over(&whole, &s3), &listed, &world.artefacts).unwrap().unwrap().stored;
    assert_eq!(stored.digest, Digest::of(&content));
    let (up, down) = whole.passed();
    let mut failed = 0;
    for cut in (1..10).map(|part| Cut::Down(down * part / 10)).chain((1..4).map(|part| Cut::Up(up * part / 4))) {
        world.artefacts.remove(&stored.digest).unwrap();
        match pull(&over(&Wire::to(s3.port, cut), &s3), &listed, &world.artefacts) {
            Ok(fetched) => assert_eq!(fetched.unwrap().stored, stored, "{cut:?}"),
            Err(error) => {
                assert!(error.may_pass() && !world.artefacts.holds(&stored.digest), "{cut:?}: {error}");
                failed += 1;
            }
        }
    }
    assert!(failed >= 9, "only {failed} of the cuts were felt");
    let digest = world.stored(&content);
    let whole = Wire::to(s3.port, Cut::Never);
    deliver(&over(&whole, &s3), &delivery(digest), &world.artefacts).unwrap();
    let (up, down) = whole.passed();
    let spread = (1..8).flat_map(|part| [Cut::Up(up * part / 8), Cut::Down(down * part / 8)]);
    let end = (1..8).flat_map(|step| [Cut::Up(up.saturating_sub(step * 60)), Cut::Down(down.saturating_sub(step * 60))]);
    let mut failed = 0;
    for cut in spread.chain(end) {
        fs::remove_file(s3.object(TARGET)).unwrap();
        match deliver(&over(&Wire::to(s3.port, cut), &s3), &delivery(digest), &world.artefacts) {
            Ok(_) => {}
            // All was sent, as far as the hub can tell, and did not arrive.
            Err(error) => {
                assert!(error.may_pass() || matches!(error, ConnectionError::Uncertain { .. }), "{cut:?}: {error}");
                failed += 1;
            }
        }
        deliver(&open(&s3), &delivery(digest), &world.artefacts).unwrap();
        assert!(fs::read(s3.object(TARGET)).unwrap() == content, "{cut:?}");
        assert_eq!(s3.keys(), ["incoming/a.bin", TARGET], "{cut:?}: nothing else is left");
    }
    assert!(failed >= 12, "only {failed} of the cuts were felt");
}

#[test]
fn an_attempt_that_was_killed_is_gone_on_with_or_left_to_a_person() {
    let (s3, world) = (S3::start(), World::new());
    let _entered = world.runtime.enter();
    for content in small_and_large() {
        let digest = world.stored(&content);
        let noted = std::cell::RefCell::new(None);
        // Killed at the last moment before it may be seen: the note is all that is left.
        let killed = |note: Option<&str>| {
            noted.replace(note.map(str::to_owned));
            Err(ConnectionError::NotNoted { why: "killed".to_owned() })
        };
        let first = deliver_noting(&open(&s3), &delivery(digest), &world.artefacts, Notes { earlier: None, begin: &killed });
        assert!(matches!(first, Err(ConnectionError::NotNoted { .. })) && s3.keys().is_empty(), "{first:?}");
        let earlier = noted.take().unwrap();
        let again = |earlier: &str| {
            let notes = Notes { earlier: Some(earlier), begin: &|_| Ok(()) };
            deliver_noting(&open(&s3), &delivery(digest), &world.artefacts, notes)
        };
        // Neither the object nor parts of it: its receiver may have it.
        assert!(matches!(again(&earlier), Err(ConnectionError::Uncertain { .. })), "{earlier}");
        s3.write(TARGET, &content);
        assert!(again(&earlier).unwrap().already_there);
        fs::remove_file(s3.object(TARGET)).unwrap();
    }
}

/// The example's connection of a name, now in a bucket, with what lay in its folder.
fn moved_to(s3: &S3, site: &Site, name: &str) {
    let text = String::from_utf8(site.read("connections.toml")).unwrap();
    let at = text.find(&format!("name = \"{name}\"")).unwrap();
    let end = text[at..].find("[[connection]]").map_or(text.len(), |end| at + end);
    let folder = text[at..end].lines().find_map(|line| line.strip_prefix("path = \"")).unwrap().trim_end_matches('"').to_owned();
    let entry = format!(
        "name = \"{name}\"\nkind = \"s3\"\nurl = \"https://127.0.0.1:{}/\"\nregion = \"eu-west-2\"\nbucket = \"{}\"\nprefix = \"{name}\"\n\
         access-key = \"AKIAPOLICE\"\nkey-secret = \"archive-key\"\nca-file = \"{}\"\n\n",
        s3.port,
        S3::BUCKET,
        s3.ca_file().display()
    );
    site.write("connections.toml", format!("{}{entry}{}", &text[..at], &text[end..]));
    for file in site.names(&folder) {
        s3.write(&format!("{name}/{file}"), &site.read(&format!("{folder}/{file}")));
    }
}

#[test]
fn a_job_takes_an_object_once_and_delivers_one() {
    let (s3, site, by_folder) = (S3::start(), Site::staffordshire(), Site::staffordshire());
    let clock = Clock::machine();
    wait(async {
        let hub = by_folder.hub(&clock).await;
        assert_eq!(finished(&hub, POLICE, LGPS).await.state, RunState::Closed);
    });
    for name in ["payroll-drop", "pension-fund"] {
        moved_to(&s3, &site, name);
    }
    wait(async {
        let hub = site.hub(&clock).await;
        hub.set_secret(&partner(POLICE), &"archive-key".parse().unwrap(), S3::SECRET.into(), &operator(&hub)).await.unwrap();
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        let keys: Vec<String> = s3.keys().into_iter().filter(|key| key.starts_with("pension-fund/")).collect();
        let delivered = by_folder.delivered();
        assert_eq!((keys.len(), delivered.len()), (2, 2), "{keys:?}");
        for (name, bytes) in delivered {
            let key = name.strip_prefix("out/").unwrap();
            assert!(fs::read(s3.object(key)).unwrap() == bytes, "{key}");
        }
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Skipped, "no-input"), "an object is taken once: {:?}", run.reason);
    });
}
