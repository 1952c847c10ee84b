//! `bailiwick connection check`: every step that can fail, failing.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::support::*;

/// A site whose police have one connection: `pension-fund`, to which a job delivers, or `tried`, which no job knows.
fn site(connection: &str, delivers: bool) -> Site {
    let name = if delivers { "pension-fund" } else { "tried" };
    let entry = format!("[[connection]]\npartner = \"{POLICE}\"\nname = \"{name}\"\n{connection}\n\n");
    let site = if delivers {
        let site = Site::staffordshire();
        let text = String::from_utf8(site.read("connections.toml")).unwrap();
        let others = text.split("[[connection]]").skip(1).filter(|other| !other.contains("\"pension-fund\""));
        let others: String = others.map(|other| format!("[[connection]]{other}")).collect();
        site.write("connections.toml", format!("{entry}{others}"));
        site
    } else {
        let site = Site::bare();
        site.write("partners.toml", format!("[[partner]]\nname = \"{POLICE}\"\ntitle = \"Police\"\n"));
        site.write("connections.toml", entry);
        site
    };
    let applied = say(&site, &["apply", "."]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    site
}

fn set(site: &Site, name: &str, value: &str) {
    let mut child = bailiwick(site, &["secret", "set", POLICE, name]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// The steps that succeeded, and the one that failed with why and what to do.
fn checked(site: &Site, name: &str) -> (Vec<String>, serde_json::Value) {
    let said = say(site, &["connection", "check", POLICE, name, "--json"]);
    let json = said.json();
    assert_eq!(said.code, Some(i32::from(json["works"] == false)), "{} {}", said.out, said.err);
    let steps = json["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap().to_owned()).collect();
    (steps, json["failed"].clone())
}

fn sftp(sshd: &Sshd, (port, host_key, folder): (u16, &str, &str)) -> String {
    format!(
        "kind = \"sftp\"\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"{}\"\nhost-key = \"{host_key}\"\nkey-secret = \"sftp-key\"\nfolder = \"{folder}\"",
        sshd.user()
    )
}

#[test]
fn a_server_that_works_is_tried_to_the_end_and_left_as_it_was() {
    let (sshd, there) = (Sshd::start(), tempfile::tempdir().unwrap());
    let folder = there.path().to_str().unwrap();
    for (delivers, name, more) in [(false, "tried", &[][..]), (true, "pension-fund", &["write", "rename", "remove"])] {
        let site = site(&sftp(&sshd, (sshd.port(), &sshd.fingerprint(), folder)), delivers);
        let unset = say(&site, &["connection", "check", POLICE, name]);
        assert!(unset.code == Some(1) && unset.err.contains("bailiwick secret set staffordshire-police sftp-key"), "{}", unset.err);
        set(&site, "sftp-key", &sshd.key("user"));
        let (steps, failed) = checked(&site, name);
        assert!(failed.is_null(), "{failed}");
        assert_eq!(steps, [&["resolve", "connect", "host-key", "sign-in", "list"], more].concat());
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "nothing is left");
        let told = say(&site, &["connection", "check", POLICE, name]);
        assert!(told.code == Some(0) && told.out.contains("works") && told.out.contains("signing in"), "{}", told.out);
    }
}

#[test]
fn the_step_that_fails_is_named_with_what_to_do() {
    let (sshd, other, there) = (Sshd::start(), Sshd::start(), tempfile::tempdir().unwrap());
    let (folder, pin) = (there.path().to_str().unwrap(), sshd.fingerprint());
    let wire = Wire::to(sshd.port(), Cut::Down(10));
    for (place, key, step, says) in [
        ((1, pin.as_str(), folder), "user", "connect", "look at the port"),
        ((wire.port, &pin, folder), "user", "host-key", "look whether this port is the right one"),
        ((sshd.port(), &other.fingerprint(), folder), "user", "host-key", pin.as_str()),
        ((sshd.port(), &pin, folder), "stranger", "sign-in", "bailiwick secret set"),
        ((sshd.port(), &pin, "/no/such/folder"), "user", "list", "look at the place in connections.toml"),
    ] {
        let site = site(&sftp(&sshd, place), false);
        set(&site, "sftp-key", &sshd.key(key));
        let (steps, failed) = checked(&site, "tried");
        assert_eq!(failed["step"], step, "{failed}");
        assert!(!steps.contains(&step.to_owned()), "{steps:?}");
        let told = say(&site, &["connection", "check", POLICE, "tried"]);
        assert!(told.code == Some(1) && told.out.contains(says), "{says:?} in {}", told.out);
    }
    let named = sftp(&sshd, (22, &pin, folder)).replace("127.0.0.1", "no-such-host.invalid");
    let site = site(&named, false);
    set(&site, "sftp-key", &sshd.key("user"));
    assert_eq!(checked(&site, "tried").1["step"], "resolve");
    let unknown = say(&site, &["connection", "check", POLICE, "nowhere"]);
    assert!(unknown.code == Some(1) && unknown.err.contains("nowhere is not declared"), "{}", unknown.err);
}

#[test]
fn web_servers_and_folders_are_tried_too() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let _entered = runtime.enter();
    let web = Web::start(|asked, _| (if asked.header("authorization") == "Bearer hunter2" { 404 } else { 401 }, Vec::new(), Vec::new()));
    let ca = web.place().ca_file.unwrap();
    let entry =
        format!("kind = \"https\"\nurl = \"https://127.0.0.1:{}/api\"\ntoken-secret = \"word\"\nca-file = \"{}\"", web.port, ca.display());
    let tried = site(&entry, true);
    set(&tried, "word", "hunter2\n");
    let (steps, failed) = checked(&tried, "pension-fund");
    assert_eq!((steps.join(" "), failed.is_null()), ("resolve connect certificate sign-in".to_owned(), true), "{failed}");
    assert!(web.asked().iter().all(|asked| asked.method == "HEAD" && asked.body.is_empty()), "nothing is sent: {:?}", web.asked());
    set(&tried, "word", "hunter3");
    let (steps, failed) = checked(&tried, "pension-fund");
    assert_eq!((steps.join(" "), &failed["step"]), ("resolve connect certificate".to_owned(), &"sign-in".into()));
    let strange = site(&entry.replace("ca-file", "# ca-file"), false);
    set(&strange, "word", "hunter2");
    assert_eq!(checked(&strange, "tried").1["step"], "certificate");

    let there = tempfile::tempdir().unwrap();
    let folder = format!("kind = \"folder\"\npath = \"{}\"", there.path().display());
    let tried = site(&folder, true);
    assert_eq!(checked(&tried, "pension-fund").0, ["list", "write", "remove"]);
    assert_eq!(fs::read_dir(there.path()).unwrap().count(), 0);
    fs::set_permissions(there.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::remove_dir(there.path()).unwrap();
    assert_eq!(checked(&tried, "pension-fund").1["step"], "list");
}

#[test]
fn a_bucket_is_tried_too_and_left_as_it_was() {
    let s3 = S3::start();
    let entry = format!(
        "kind = \"s3\"\nurl = \"https://127.0.0.1:{}\"\nregion = \"eu-west-2\"\nbucket = \"{}\"\nprefix = \"out\"\naccess-key = \"AKIAPOLICE\"\n\
         key-secret = \"archive-key\"\nca-file = \"{}\"",
        s3.port,
        S3::BUCKET,
        s3.ca_file().display()
    );
    for (delivers, name, more) in [(false, "tried", &[][..]), (true, "pension-fund", &["write", "remove"])] {
        let tried = site(&entry, delivers);
        set(&tried, "archive-key", S3::SECRET);
        let (steps, failed) = checked(&tried, name);
        assert!(failed.is_null(), "{failed}");
        assert_eq!(steps, [&["resolve", "connect", "certificate", "sign-in", "list"], more].concat());
        assert!(s3.keys().is_empty(), "nothing is left: {:?}", s3.keys());
    }
    for (change, secret, step, says) in [
        (("", ""), "hunter3", "sign-in", "SignatureDoesNotMatch"),
        ((S3::BUCKET, "another-bucket"), S3::SECRET, "list", "NoSuchBucket"),
        (("ca-file", "# ca-file"), S3::SECRET, "certificate", "ca-file"),
    ] {
        let tried = site(&if change.0.is_empty() { entry.clone() } else { entry.replace(change.0, change.1) }, false);
        set(&tried, "archive-key", secret);
        let (_, failed) = checked(&tried, "tried");
        assert_eq!(failed["step"], step, "{failed}");
        let told = say(&tried, &["connection", "check", POLICE, "tried"]);
        assert!(told.code == Some(1) && told.out.contains(says) && !told.out.contains("hunter"), "{says:?} in {}", told.out);
    }
}

#[test]
fn a_mail_server_is_tried_without_a_message() {
    let (smtp, other) = (Smtp::start(), Smtp::start());
    let entry = smtp.entry(POLICE).split("kind = ").nth(1).map(|rest| format!("kind = {}", rest.trim_end())).unwrap();
    for (change, password, steps, step) in [
        (("", ""), Smtp::PASSWORD, "resolve connect certificate sign-in", None),
        (("", ""), "hunter3", "resolve connect certificate", Some("sign-in")),
        ((smtp.ca_file().to_str().unwrap(), other.ca_file().to_str().unwrap()), Smtp::PASSWORD, "", Some("certificate")),
        (("ca-file", "# ca-file"), Smtp::PASSWORD, "", Some("certificate")),
    ] {
        let tried = site(&if change.0.is_empty() { entry.clone() } else { entry.replace(change.0, change.1) }, false);
        set(&tried, "mail-password", password);
        let (done, failed) = checked(&tried, "tried");
        assert_eq!((done.join(" ").as_str(), failed["step"].as_str()), (steps, step), "{failed}");
        let told = say(&tried, &["connection", "check", POLICE, "tried"]);
        assert!(!told.out.contains("hunter") && told.out.contains("smtp://localhost") == step.is_some(), "{}", told.out);
    }
    let tried = site(&entry.replace(&format!("port = {}", smtp.port), "port = 1"), false);
    set(&tried, "mail-password", Smtp::PASSWORD);
    assert_eq!(checked(&tried, "tried").1["step"], "connect");
    assert!(smtp.messages().is_empty());
}
