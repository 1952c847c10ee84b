//! Credentials as a person keeps them: by the program itself, and that a value is found nowhere but where it is used.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::support::*;

const CANARY: &str = "correct-horse-battery-staple-7f3a";

/// Starts the program with something on standard input.
fn told(site: &Site, arguments: &[&str], input: &str) -> Said {
    let mut child =
        bailiwick(site, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // It may refuse before it reads.
    drop(child.stdin.take().expect("a pipe").write_all(input.as_bytes()));
    child.wait_with_output().expect("it ends").into()
}

#[track_caller]
fn done(said: Said) -> Said {
    assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
    said
}

fn applied() -> Site {
    let site = Site::staffordshire();
    done(say(&site, &["apply", "."]));
    site
}

/// The files below a folder that hold some bytes.
fn holding(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, wanted));
        } else if std::fs::read(&path).expect("it can be read").windows(wanted.len()).any(|window| window == wanted) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_secret_is_set_listed_rotated_and_removed() {
    let site = applied();
    let set = ["secret", "set", POLICE, "pension-fund"];
    assert_eq!(done(say(&site, &["secret", "list"])).out, "no secrets: set one with `bailiwick secret set PARTNER NAME < FILE`\n");
    assert!(done(told(&site, &set, &format!("{CANARY}\n"))).out.ends_with("pension-fund of staffordshire-police set\n"));
    assert!(done(told(&site, &set, CANARY)).out.contains("replaced"));
    done(told(&site, &["secret", "set", FIRE, "finance"], "-----BEGIN KEY-----\nx\n-----END KEY-----\n"));
    let listed = done(say(&site, &["secret", "list", "--json"])).json();
    let keys: Vec<&str> = listed.as_array().unwrap().iter().map(|secret| secret["key"].as_str().unwrap()).collect();
    assert_eq!((keys.len(), keys[0]), (2, keys[1]), "both are under one key");
    assert_eq!(done(say(&site, &["secret", "list", "--json", "--partner", FIRE])).json()[0]["name"], "finance");

    let rotated = done(say(&site, &["secret", "rotate"]));
    assert!(rotated.out.contains("2 of 2 secrets encrypted again") && !rotated.out.contains(keys[0]), "{}", rotated.out);
    let listed = done(say(&site, &["secret", "list", "--json"])).json();
    assert_ne!(listed[0]["key"], keys[0]);

    done(say(&site, &["secret", "remove", POLICE, "pension-fund"]));
    let gone = say(&site, &["secret", "remove", POLICE, "pension-fund"]);
    assert_eq!((gone.code, gone.err.contains("there is no secret staffordshire-police pension-fund")), (Some(1), true), "{}", gone.err);
    assert!(done(say(&site, &["audit", "verify"])).out.contains("entries fit"));
}

#[test]
fn a_value_is_refused_as_an_argument_or_without_an_owner() {
    let site = applied();
    assert_eq!(told(&site, &["secret", "set", POLICE, "fund", CANARY], "").code, Some(2), "there is no place for it");
    let nobody = told(&site, &["secret", "set", "nobody", "fund"], CANARY);
    assert_eq!((nobody.code, nobody.err.contains("partner")), (Some(1), true), "{}", nobody.err);
    for (value, says) in [(String::new(), "0 bytes"), ("x".repeat(70_000), "bytes, and a secret has 1 to 65536")] {
        let refused = told(&site, &["secret", "set", POLICE, "fund"], &value);
        assert!(refused.code == Some(1) && refused.err.contains(says), "{}", refused.err);
    }
}

#[test]
fn a_value_is_nowhere_to_be_read() {
    let site = applied();
    let mut outputs = String::new();
    let mut hear = |said: Said| outputs.push_str(&format!("{}{}", said.out, said.err));
    for (partner, name, value) in [(POLICE, "fund", CANARY.to_owned()), (FIRE, "finance", format!("{CANARY}-2"))] {
        let mut set = bailiwick(&site, &["--log-json", "secret", "set", partner, name]);
        set.env("BAILIWICK_LOG", "trace").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = set.spawn().expect("it starts");
        child.stdin.take().expect("a pipe").write_all(value.as_bytes()).expect("it reads");
        hear(done(child.wait_with_output().expect("it ends").into()));
    }
    for arguments in [
        &["secret", "list", "--json"][..],
        &["secret", "rotate"],
        &["run", LGPS, "--json"],
        &["audit", "verify"],
        &["audit", "export"],
        &["secret", "set", POLICE, "fund", CANARY],
        &["secret", "remove", FIRE, "finance"],
    ] {
        let said: Said = bailiwick(&site, arguments).env("BAILIWICK_LOG", "trace").output().expect("it starts").into();
        // An argument that is too much is repeated by the command line itself, to the person who typed it.
        if !arguments.contains(&CANARY) {
            hear(said);
        }
    }
    assert!(!outputs.contains(CANARY), "it was said");
    assert_eq!(holding(&site.data(), CANARY.as_bytes()), Vec::<String>::new(), "it lies open");
    let hexadecimal: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(holding(&site.data(), hexadecimal.as_bytes()), Vec::<String>::new(), "it lies open in hexadecimal");
    let key = std::fs::read_to_string(site.data().join("master.key")).expect("there is a key");
    assert_eq!(holding(&site.data(), key.trim().as_bytes()).len(), 1, "the key is in its own file alone");
    assert!(!outputs.contains(key.trim()));
}
