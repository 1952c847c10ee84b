//! SFTP against OpenSSH's server, over a wire that can be cut.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use bailiwick::connection::{ConnectionError, Notes, Outside, Step, WhyLeft, check_target, deliver, deliver_noting, list, pull};
use bailiwick::ledger::RunState;
use bailiwick::model::ids::Digest;
use bailiwick::model::job::{Place, SftpPlace};

use super::{World, delivery, looking, only, with};
use crate::support::*;

fn outside(sshd: &Sshd, place: SftpPlace) -> Outside {
    with(Place::Sftp(place), &[("sftp-key", &sshd.key("user"))])
}

fn open(sshd: &Sshd, world: &World) -> Outside {
    outside(sshd, sshd.place(&world.there()))
}

/// The same, over a wire.
fn over(wire: &Wire, sshd: &Sshd, world: &World) -> Outside {
    outside(sshd, SftpPlace { port: wire.port, ..sshd.place(&world.there()) })
}

#[test]
fn files_are_listed_and_copied() {
    let (sshd, world) = (Sshd::start(), World::new());
    let _entered = world.runtime.enter();
    let content = b"surname\nA\n".repeat(300_000);
    world.write("pay-1.csv", &content);
    for (name, bytes) in [("pay-2.csv.part", "x"), (".pay-3.csv", "x"), ("other.csv", "x"), ("pay-4.csv", "")] {
        world.write(name, bytes.as_bytes());
    }
    fs::create_dir(world.there().join("pay-5.csv")).unwrap();
    world.write("pay-\u{202e}7.csv", b"x");
    std::os::unix::fs::symlink("/etc/passwd", world.there().join("pay-6.csv")).unwrap();
    let place = open(&sshd, &world);
    let listing = list(&place, &looking("pay-*")).unwrap();
    assert_eq!(listing.files.iter().map(|file| (file.name.as_str(), file.size)).collect::<Vec<_>>(), [("pay-1.csv", 3_000_000)]);
    let left: Vec<_> = listing.left.iter().map(|left| (left.name.as_str(), left.why)).collect();
    let expect = [
        ("pay-4.csv", WhyLeft::Empty),
        ("pay-5.csv", WhyLeft::NotAPlainFile),
        ("pay-6.csv", WhyLeft::NotAPlainFile),
        ("pay-\\u202e7.csv", WhyLeft::NameMisleads),
    ];
    assert_eq!(left, expect);
    let fetched = pull(&place, &listing.files[0], &world.artefacts).unwrap().unwrap();
    assert_eq!((fetched.stored.digest, fetched.stored.size, fetched.mark), (Digest::of(&content), 3_000_000, None));
    let mut back = Vec::new();
    world.artefacts.read(&fetched.stored.digest).unwrap().read_to_end(&mut back).unwrap();
    assert!(back == content);

    let small = outside(&sshd, SftpPlace { file_bytes_max: 2_999_999, ..sshd.place(&world.there()) });
    assert_eq!(list(&small, &looking("pay-1*")).unwrap().left[0].why, WhyLeft::TooLarge);
    let nowhere = outside(&sshd, sshd.place(&world.there().join("nowhere")));
    let error = list(&nowhere, &looking("*")).unwrap_err();
    assert!(matches!(&error, ConnectionError::Refused { step: Step::List, why, .. } if why.contains("no such file")), "{error}");
}

#[test]
fn a_file_that_grows_is_left_alone() {
    let (sshd, world) = (Sshd::start(), World::new());
    let _entered = world.runtime.enter();
    world.write("pay-1.csv", b"done");
    world.write("pay-2.csv", b"begun");
    let growing = world.there().join("pay-2.csv");
    let place = outside(&sshd, SftpPlace { settle_ms: 600, ..sshd.place(&world.there()) });
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                File::options().append(true).open(&growing).unwrap().write_all(b"more").unwrap();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let listing = list(&place, &looking("pay-*")).unwrap();
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(listing.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["pay-1.csv"]);
        assert_eq!(
            listing.left.iter().map(|left| (left.name.as_str(), left.why)).collect::<Vec<_>>(),
            [("pay-2.csv", WhyLeft::NotSettled)]
        );
    });
    let listed = list(&place, &looking("pay-2*")).unwrap().files.remove(0);
    for change in [b"grown further" as &[u8], b"", b"12345"] {
        fs::write(&growing, change).unwrap();
        let error = pull(&place, &listed, &world.artefacts).unwrap_err();
        assert!(matches!(error, ConnectionError::StillBeingWritten { .. }), "{error}");
    }
    fs::remove_file(&growing).unwrap();
    assert!(matches!(pull(&place, &listed, &world.artefacts), Err(ConnectionError::StillBeingWritten { .. })));
    std::os::unix::fs::symlink("/etc/passwd", &growing).unwrap();
    assert!(matches!(pull(&place, &listed, &world.artefacts), Err(ConnectionError::NotAPlainFile { .. })));
}

#[test]
fn only_the_pinned_server_is_greeted() {
    let (sshd, world, other) = (Sshd::start(), World::new(), Sshd::start());
    let _entered = world.runtime.enter();
    world.write("a.csv", b"x");
    for pins in [vec![sshd.host_key()], vec![other.fingerprint(), sshd.fingerprint()]] {
        only(&outside(&sshd, SftpPlace { host_keys: pins, ..sshd.place(&world.there()) }), "a.csv");
    }
    for pins in [vec![other.fingerprint()], vec![other.host_key()]] {
        let wrong = outside(&sshd, SftpPlace { host_keys: pins, ..sshd.place(&world.there()) });
        let error = list(&wrong, &looking("*")).unwrap_err();
        assert!(!error.may_pass() && matches!(&error, ConnectionError::HostKey { .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains(&sshd.fingerprint()) && said.contains(&other.fingerprint()), "both keys are named: {said}");
    }
}

#[test]
fn whoever_is_not_let_in_is_told_by_what() {
    let (sshd, world) = (Sshd::start(), World::new());
    let _entered = world.runtime.enter();
    let keyed = |key: &str, passphrase: Option<&str>| {
        let place = SftpPlace { key_passphrase: passphrase.map(|_| "opener".parse().unwrap()), ..sshd.place(&world.there()) };
        let place = with(Place::Sftp(place), &[("sftp-key", key), ("opener", passphrase.unwrap_or_default())]);
        list(&place, &looking("*"))
    };
    assert!(keyed(&sshd.key("user"), None).is_ok());
    assert!(keyed(sshd.key("user").trim_end(), None).is_ok(), "the end of the last line is not needed");
    assert!(keyed(&sshd.key("locked"), Some("opens it")).is_ok());
    let stranger = keyed(&sshd.key("stranger"), None).unwrap_err();
    assert!(matches!(&stranger, ConnectionError::SignIn { why, .. } if why.contains("key of secret sftp-key")), "{stranger}");
    assert!(!stranger.may_pass());
    for (key, passphrase) in [(sshd.key("locked"), None), (sshd.key("locked"), Some("wrong")), ("hunter2".to_owned(), None)] {
        let error = keyed(&key, passphrase).unwrap_err();
        assert!(matches!(&error, ConnectionError::Credential { .. }), "{error}");
        assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let missing = with(Place::Sftp(sshd.place(&world.there())), &[]);
    assert!(matches!(list(&missing, &looking("*")), Err(ConnectionError::Credential { .. })));
    let nobody = Outside::open(Place::Sftp(SftpPlace { port: 1, ..sshd.place(&world.there()) }));
    let error = list(&nobody, &looking("*")).unwrap_err();
    assert!(error.may_pass() && matches!(error, ConnectionError::Unreachable { step: Step::Connect, .. }), "{error}");
}

#[test]
fn a_password_is_given_as_such_or_as_an_answer() {
    let world = World::new();
    let _entered = world.runtime.enter();
    for asks in [false, true] {
        let server = PasswordServer::start("hunter2", asks);
        let signed_in = |password: &str| list(&with(Place::Sftp(server.place()), &[("word", password)]), &looking("*"));
        assert!(signed_in("hunter2").unwrap().files.is_empty(), "asks: {asks}");
        let error = signed_in("hunter3").unwrap_err();
        assert!(matches!(&error, ConnectionError::SignIn { why, .. } if why.contains("password of secret word")), "{error}");
        assert!(!error.to_string().contains("hunter"), "{error}");
    }
}

#[test]
fn a_listing_without_end_is_given_up() {
    let world = World::new();
    let _entered = world.runtime.enter();
    let server = PasswordServer::start_with("hunter2", false, 400_000);
    let place = with(Place::Sftp(server.place()), &[("word", "hunter2")]);
    let error = list(&place, &looking("*")).unwrap_err();
    assert!(matches!(&error, ConnectionError::Refused { step: Step::List, why, .. } if why.contains("100000")), "{error}");
    assert!(server.listed.swap(0, std::sync::atomic::Ordering::SeqCst) <= 102_000);
    // A delivery looks for what earlier attempts left, and no further than a listing.
    let error = deliver(&place, &delivery(world.stored(b"sums")), &world.artefacts).unwrap_err();
    assert!(error.may_pass(), "nothing can be written there: {error}");
    assert!((100_000..=102_000).contains(&server.listed.load(std::sync::atomic::Ordering::SeqCst)), "{:?}", server.listed);
}

#[test]
fn delivered_once_however_often_and_never_over_another_file() {
    let (sshd, world) = (Sshd::start(), World::new());
    let _entered = world.runtime.enter();
    let place = open(&sshd, &world);
    let digest = world.stored(b"rows");
    assert!(!check_target(&place, &delivery(digest)).unwrap());
    let first = deliver(&place, &delivery(digest), &world.artefacts).unwrap();
    assert_eq!((first.size, first.already_there), (4, false));
    assert!(first.target.starts_with("sftp://") && first.target.ends_with("/there/return-2026-10.csv"), "{}", first.target);
    assert_eq!(fs::read(world.there().join("return-2026-10.csv")).unwrap(), b"rows");
    assert!(check_target(&place, &delivery(digest)).unwrap());
    assert!(deliver(&place, &delivery(digest), &world.artefacts).unwrap().already_there);
    type Taken = fn(&Path);
    let takers: [Taken; 3] = [
        |path| fs::write(path, b"ROWS").unwrap(),
        |path| fs::create_dir(path).unwrap(),
        |path| std::os::unix::fs::symlink("/nowhere", path).unwrap(),
    ];
    for take in takers {
        let target = world.there().join("return-2026-10.csv");
        drop(fs::remove_file(&target));
        take(&target);
        for error in
            [check_target(&place, &delivery(digest)).unwrap_err(), deliver(&place, &delivery(digest), &world.artefacts).unwrap_err()]
        {
            assert!(matches!(error, ConnectionError::TargetTaken { .. }), "{error}");
        }
        assert_eq!(world.names(), ["return-2026-10.csv"], "nothing is left");
        if target.is_dir() {
            fs::remove_dir(target).unwrap();
        }
    }
    fs::remove_file(world.there().join("return-2026-10.csv")).unwrap();
    fs::write(world.artefacts.path(&digest), b"r0ws").unwrap();
    assert!(matches!(deliver(&place, &delivery(digest), &world.artefacts), Err(ConnectionError::ArtefactDamaged { .. })));
    assert_eq!(world.names(), Vec::<String>::new(), "what was begun is removed");
}

#[test]
fn cut_off_at_any_byte_a_file_is_copied_whole_or_not_at_all() {
    let (sshd, world) = (Sshd::start(), World::new());
    let _entered = world.runtime.enter();
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    world.write("a.bin", &content);
    let listed = only(&open(&sshd, &world), "a.bin");
    let whole = Wire::to(sshd.port(), Cut::Never);
    let stored = pull(&over(&whole, &sshd, &world), &listed, &world.artefacts).unwrap().unwrap().stored;
    assert_eq!(stored.digest, Digest::of(&content));
    let (up, down) = whole.passed();
    let mut failed = 0;
    let cuts = (1..12).map(|part| Cut::Down(down * part / 12)).chain((1..6).map(|part| Cut::Up(up * part / 6)));
    for cut in cuts {
        world.artefacts.remove(&stored.digest).unwrap();
        let wire = Wire::to(sshd.port(), cut);
        match pull(&over(&wire, &sshd, &world), &listed, &world.artefacts) {
            Ok(fetched) => assert_eq!(fetched.unwrap().stored, stored, "{cut:?}"),
            Err(error) => {
                assert!(error.may_pass(), "{cut:?}: {error}");
                assert!(!world.artefacts.holds(&stored.digest), "{cut:?}");
                failed += 1;
            }
        }
    }
    assert!(failed >= 14, "only {failed} of the cuts were felt");
}

#[test]
fn cut_off_at_any_byte_one_file_is_delivered() {
    let (sshd, world) = (Sshd::start(), World::new());
    let _entered = world.runtime.enter();
    let content: Vec<u8> = (0..60_000_u32).flat_map(u32::to_le_bytes).collect();
    let digest = world.stored(&content);
    let target = world.there().join("return-2026-10.csv");
    let whole = Wire::to(sshd.port(), Cut::Never);
    let naming = std::cell::Cell::new((0, 0));
    let begin = |_: Option<&str>| {
        naming.set(whole.passed());
        Ok(())
    };
    let notes = Notes { earlier: None, begin: &begin };
    deliver_noting(&over(&whole, &sshd, &world), &delivery(digest), &world.artefacts, notes).unwrap();
    let (up, down) = whole.passed();
    let spread = (1..10).flat_map(|part| [Cut::Up(up * part / 10), Cut::Down(down * part / 10)]);
    // Around the moment at which the file is given its name: the request for it, and the answer to that.
    let (up, down) = naming.get();
    let end = (0..16).map(move |step| Cut::Up((up + step * 12).saturating_sub(60)));
    // How long the answers before it are is up to the padding.
    let end = end.chain((0..60).map(move |step| Cut::Down((down + step * 8).saturating_sub(40))));
    let (mut failed, mut named) = (0, 0);
    for cut in spread.chain(end) {
        fs::remove_file(&target).unwrap();
        let wire = Wire::to(sshd.port(), cut);
        let first = deliver(&over(&wire, &sshd, &world), &delivery(digest), &world.artefacts);
        drop(wire);
        if let Err(error) = &first {
            assert!(error.may_pass(), "{cut:?}: {error}");
            failed += 1;
            named += usize::from(target.exists());
        }
        let second = deliver(&open(&sshd, &world), &delivery(digest), &world.artefacts).unwrap();
        assert_eq!(second.digest, digest);
        assert!(fs::read(&target).unwrap() == content, "{cut:?}");
        assert_eq!(world.names(), ["return-2026-10.csv"], "{cut:?}: nothing else is left");
    }
    assert!(failed >= 18 && named >= 1, "{failed} cuts were felt, {named} after the file had its name");
}

/// Its receiver takes every file away at once, so that a file which is there says nothing any more.
#[test]
fn cut_off_at_any_byte_a_receiver_that_collects_gets_one_file() {
    let (sshd, world) = (Sshd::start(), World::new());
    let _entered = world.runtime.enter();
    let digest = world.stored(&[7; 50_000]);
    let target = world.there().join("return-2026-10.csv");
    let collect = || usize::from(fs::remove_file(&target).is_ok());
    let whole = Wire::to(sshd.port(), Cut::Never);
    let passed = std::cell::Cell::new((0, 0));
    let begin = |_: Option<&str>| {
        passed.set(whole.passed());
        Ok(())
    };
    let notes = Notes { earlier: None, begin: &begin };
    deliver_noting(&over(&whole, &sshd, &world), &delivery(digest), &world.artefacts, notes).unwrap();
    assert_eq!(collect(), 1);
    // Around the moment from which on its receiver may see it: the request for the name, and the answer to that.
    let (up, down) = passed.get();
    let (mut named, mut unnamed) = (0, 0);
    for cut in (0..16).flat_map(|step| [Cut::Up((up + step * 12).saturating_sub(60)), Cut::Down((down + step * 8).saturating_sub(40))]) {
        let noted = std::cell::RefCell::new(None);
        let attempt = |place: &Outside| {
            let earlier = noted.borrow().clone();
            let begin = |hidden: Option<&str>| {
                *noted.borrow_mut() = hidden.map(str::to_owned);
                Ok(())
            };
            deliver_noting(place, &delivery(digest), &world.artefacts, Notes { earlier: earlier.as_deref(), begin: &begin })
        };
        let wire = Wire::to(sshd.port(), cut);
        let first = attempt(&over(&wire, &sshd, &world));
        drop(wire);
        let taken = collect();
        let Err(error) = first else {
            assert_eq!(taken, 1, "{cut:?}");
            continue;
        };
        assert!(noted.borrow().is_none() || !error.is_certain(), "{cut:?}: nobody can say that nothing arrived: {error}");
        let second = attempt(&open(&sshd, &world));
        assert_eq!(taken + collect(), 1, "{cut:?}: it is delivered once: {error}; {second:?}");
        match second {
            Ok(_) => unnamed += 1,
            Err(error) => {
                assert!(matches!(error, ConnectionError::Uncertain { .. }), "{cut:?}: {error}");
                named += 1;
            }
        }
        assert_eq!(world.names(), Vec::<String>::new(), "{cut:?}: nothing is left");
    }
    assert!(named >= 1 && unnamed >= 5, "{named} cuts came after the file had its name, {unnamed} before");
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for() {
    let (sshd, world) = (Sshd::start(), World::new());
    let _entered = world.runtime.enter();
    world.write("a.bin", &vec![7; 1 << 20]);
    let listed = only(&open(&sshd, &world), "a.bin");
    for bytes in [0, 1_000, 2_600, 100_000] {
        let wire = Wire::to(sshd.port(), Cut::Silence(bytes));
        let place = SftpPlace { port: wire.port, silence_seconds_max: 1, ..sshd.place(&world.there()) };
        let began = Instant::now();
        let error = pull(&outside(&sshd, place), &listed, &world.artefacts).unwrap_err();
        assert!(error.may_pass(), "{bytes}: {error}");
        assert!(began.elapsed() < Duration::from_secs(15), "{bytes}: {:?}", began.elapsed());
    }
}

/// The example's connection of a name, now on a server.
fn moved_to(sshd: &Sshd, site: &Site, name: &str) {
    let text = String::from_utf8(site.read("connections.toml")).unwrap();
    let at = text.find(&format!("name = \"{name}\"")).unwrap();
    let end = text[at..].find("[[connection]]").map_or(text.len(), |end| at + end);
    let folder = text[at..end].lines().find_map(|line| line.strip_prefix("path = \"")).unwrap().trim_end_matches('"');
    let entry = format!(
        "name = \"{name}\"\nkind = \"sftp\"\nhost = \"127.0.0.1\"\nport = {}\nuser = \"{}\"\nhost-key = \"{}\"\nkey-secret = \"sftp-key\"\n\
         folder = \"{}\"\nsettle-ms = 50\n\n",
        sshd.port(),
        sshd.user(),
        sshd.fingerprint(),
        site.path(folder).display()
    );
    site.write("connections.toml", format!("{}{entry}{}", &text[..at], &text[end..]));
}

#[test]
fn a_job_takes_a_file_from_a_server_once_and_delivers_to_it() {
    let sshd = Sshd::start();
    let (by_folder, by_server) = (Site::staffordshire(), Site::staffordshire());
    let clock = clock_at("2026-10-19T06:00:00Z");
    wait(async {
        let hub = by_folder.hub(&clock).await;
        assert_eq!(finished(&hub, POLICE, LGPS).await.state, RunState::Closed);
    });
    for name in ["payroll-drop", "pension-fund"] {
        moved_to(&sshd, &by_server, name);
    }
    wait(async {
        let hub = by_server.hub(&clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "secret-unavailable"), "{:?}", run.reason);
        assert!(reason(&run).1.contains("bailiwick secret set staffordshire-police sftp-key"), "{}", reason(&run).1);
        let key = sshd.key("user").into();
        hub.set_secret(&partner(POLICE), &"sftp-key".parse().unwrap(), key, &operator(&hub)).await.unwrap();
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        assert!(by_server.delivered() == by_folder.delivered(), "the same bytes arrive");
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Skipped, "no-input"), "a file is taken once: {:?}", run.reason);
    });
}
