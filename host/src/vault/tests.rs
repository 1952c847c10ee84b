//! Tests of the vault: what opens, what does not, and a rotation that is interrupted at every step.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use secrecy::ExposeSecret as _;

use super::*;

const LABEL: Label<'_> = Label { partner: "police", name: "fund" };

fn own(folder: &std::path::Path) -> Arc<Vault> {
    Arc::new(Vault::new(KeySource::File { path: folder.join("master.key"), own: true }, folder))
}

fn value(text: &str) -> SecretString {
    SecretString::from(text)
}

fn opened(vault: &Vault, sealed: &Sealed) -> String {
    vault.open(LABEL, sealed).unwrap().expose_secret().to_owned()
}

#[test]
fn what_is_sealed_opens_for_its_label_alone() {
    let folder = tempfile::tempdir().unwrap();
    let vault = own(folder.path());
    let sealed = vault.hold().unwrap().seal(LABEL, &value("hunter2"), true).unwrap();
    assert_eq!(opened(&vault, &sealed.to_string().parse().unwrap()), "hunter2");
    assert_eq!(opened(&own(folder.path()), &sealed), "hunter2", "another process opens it too");
    assert_eq!(fs::metadata(folder.path().join("master.key")).unwrap().permissions().mode() & 0o777, 0o600);
    for label in [Label { partner: "fire", ..LABEL }, Label { name: "funds", ..LABEL }, Label { partner: "policef", name: "und" }] {
        assert!(matches!(vault.open(label, &sealed), Err(VaultError::Altered { .. })), "{label:?}");
    }
    let again = vault.hold().unwrap().seal(LABEL, &value("hunter2"), false).unwrap();
    assert_ne!(again, sealed, "the same value is sealed differently each time");
}

#[test]
fn a_sealed_value_with_any_byte_changed_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let vault = own(folder.path());
    let text = vault.hold().unwrap().seal(LABEL, &value("hunter2"), true).unwrap().to_string();
    for at in (0..text.len()).step_by(2) {
        let byte = u8::from_str_radix(&text[at..at + 2], 16).unwrap() ^ 1;
        let changed = format!("{}{byte:02x}{}", &text[..at], &text[at + 2..]);
        let opens = changed.parse::<Sealed>().ok().is_some_and(|sealed| vault.open(LABEL, &sealed).is_ok());
        assert!(!opens, "byte {} changed", at / 2);
    }
    for cut in [0, 1, 2, 20, 66, text.len() - 2] {
        assert!(!text[..cut].parse::<Sealed>().is_ok_and(|sealed| vault.open(LABEL, &sealed).is_ok()), "cut at {cut}");
    }
}

#[test]
fn a_rotation_may_be_interrupted_at_any_step() {
    for interrupted in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let vault = own(folder.path());
        let old: Vec<Sealed> = ["a", "b"].iter().map(|text| vault.hold().unwrap().seal(LABEL, &value(text), true).unwrap()).collect();
        let serving = own(folder.path());
        assert_eq!(opened(&serving, &old[0]), "a");
        let key = vault.hold().unwrap().begin_rotation().unwrap();
        assert_ne!(key, *old[0].key_id());
        let first = vault.hold().unwrap().reseal(LABEL, &old[0]).unwrap();
        assert_eq!((opened(&serving, &first), opened(&serving, &old[1])), ("a".to_owned(), "b".to_owned()), "both keys are read");
        let vault = if interrupted { own(folder.path()) } else { vault };
        assert_eq!(vault.hold().unwrap().begin_rotation().unwrap(), key, "it goes on under the same key");
        let second = vault.hold().unwrap().reseal(LABEL, &old[1]).unwrap();
        assert!(vault.hold().unwrap().finish_rotation().unwrap());
        assert_eq!((opened(&vault, &first), opened(&vault, &second)), ("a".to_owned(), "b".to_owned()));
        assert!(matches!(own(folder.path()).open(LABEL, &old[0]), Err(VaultError::NoSuchKey { .. })));
    }
}

#[test]
fn a_master_key_that_is_lost_is_not_replaced_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = own(folder.path()).hold().unwrap().seal(LABEL, &value("a"), true).unwrap();
    fs::remove_file(folder.path().join("master.key")).unwrap();
    let vault = own(folder.path());
    assert!(matches!(vault.open(LABEL, &sealed), Err(VaultError::NoMasterKey { .. })));
    assert!(matches!(vault.hold().unwrap().seal(LABEL, &value("b"), false), Err(VaultError::NoMasterKey { .. })));
    let named = Arc::new(Vault::new(KeySource::File { path: folder.path().join("named.key"), own: false }, folder.path()));
    assert!(matches!(named.hold().unwrap().seal(LABEL, &value("b"), true), Err(VaultError::NoMasterKey { .. })));
}

#[test]
fn keys_that_are_no_keys_and_keys_that_lie_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let key = "0f".repeat(32);
    for (text, good) in [(format!("# ours\n\n{key}\n"), true), (String::new(), false), ("0f".repeat(31), false), ("é".repeat(32), false)] {
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let sealed = own(folder.path()).hold().unwrap().seal(LABEL, &value("a"), true);
        assert_eq!(sealed.is_ok(), good, "{text:?}");
        if let Err(error) = sealed {
            assert!(!error.to_string().contains("0f0f") && !format!("{error:?}").contains("0f0f"), "{error}");
        }
    }
    fs::write(&path, &key).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(own(folder.path()).hold().unwrap().seal(LABEL, &value("a"), true), Err(VaultError::KeyExposed { .. })));
}

#[test]
fn a_command_gives_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = ("0f".repeat(32), "1e".repeat(32));
    let by = |command: String| Arc::new(Vault::new(KeySource::Command(command), folder.path()));
    let sealed = by(format!("echo {old}")).hold().unwrap().seal(LABEL, &value("a"), true).unwrap();
    assert!(matches!(by(format!("echo {old}")).hold().unwrap().begin_rotation(), Err(VaultError::NothingToRotate)));
    let both = by(format!("echo {new}; echo {old}"));
    let key = both.hold().unwrap().begin_rotation().unwrap();
    let again = both.hold().unwrap().reseal(LABEL, &sealed).unwrap();
    assert_eq!(*again.key_id(), key);
    assert!(!both.hold().unwrap().finish_rotation().unwrap(), "the earlier key is for the command's owner to forget");
    assert_eq!(opened(&by(format!("echo {new}")), &again), "a");
    for (command, says) in [("exit 3", "exit status: 3"), ("true", "no line"), ("printf '\\377'", "no text")] {
        let error = by(command.to_owned()).open(LABEL, &sealed).unwrap_err().to_string();
        assert!(error.contains(says), "{command}: {error}");
    }
}

#[test]
fn nothing_shows_a_value_or_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let vault = own(folder.path());
    let sealed = vault.hold().unwrap().seal(LABEL, &value("hunter2"), true).unwrap();
    let key = fs::read_to_string(folder.path().join("master.key")).unwrap();
    let shown = format!("{vault:?} {sealed:?} {sealed} {:?}", vault.open(LABEL, &sealed).unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains(key.trim()), "{shown}");
    for length in [0, VALUE_BYTES_MAX + 1] {
        let refused = vault.hold().unwrap().seal(LABEL, &value(&"x".repeat(length)), false);
        assert!(matches!(refused, Err(VaultError::ValueLength { bytes }) if bytes == length));
    }
}

#[test]
fn a_master_key_of_two_ledgers_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let vault = own(folder.path());
    let held = |whose: &str| vault.hold().unwrap().used_for(whose).unwrap();
    let sealed = held("one").seal(LABEL, &value("hunter2"), true).unwrap();
    held("one").begin_rotation().unwrap();
    held("one").reseal(LABEL, &sealed).unwrap();
    held("one").finish_rotation().unwrap();

    let others = held("other").seal(LABEL, &value("hunter3"), true).unwrap();
    let before = fs::read(folder.path().join("master.key")).unwrap();
    let refused = held("one").begin_rotation().unwrap_err();
    assert!(refused.to_string().contains("(other)") && refused.to_string().contains("secrets.lock"), "{refused}");
    assert!(matches!(held("other").begin_rotation(), Err(VaultError::OtherLedger { .. })));
    assert_eq!(fs::read(folder.path().join("master.key")).unwrap(), before);
    assert_eq!(opened(&vault, &others), "hunter3");

    fs::write(folder.path().join("secrets.lock"), "one\n").unwrap();
    held("one").begin_rotation().unwrap();
}
