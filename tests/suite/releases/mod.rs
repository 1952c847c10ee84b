//! Releases from hand to use: signed as minisign signs, approved by a second person, activated, rolled back; and what is turned away.

mod standing;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::*;

const JOB: &str = "shared-services-apportionment";
const COMPONENT: &str = "cost-apportionment.wasm";

/// A site whose fire service names its component in a folder of its own, where a signature has its place.
struct Stage {
    site: Site,
}

impl Stage {
    fn new() -> Self {
        let site = Site::staffordshire();
        let original = plugin_path("cost-apportionment");
        std::fs::copy(&original, site.path(COMPONENT)).expect("it is copied");
        site.edit("plugins.toml", original.to_str().expect("a plain path"), COMPONENT);
        done(say(&site, &["apply", "."]));
        Self { site }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.site.path(name)
    }

    /// From now on the fire service asks this of releases.
    fn ask_for(&self, word: &str) {
        let line = "name = \"staffordshire-fire\"";
        self.site.edit("partners.toml", line, &format!("{line}\nreleases = \"{word}\""));
    }

    /// What the program says to a person.
    fn says(&self, person: &str, arguments: &[&str]) -> Said {
        let mut command = bailiwick(&self.site, arguments);
        command.env("USER", person).env("BAILIWICK_KEY_PASSPHRASE", "").output().expect("the program starts").into()
    }

    fn done(&self, person: &str, arguments: &[&str]) -> String {
        done(self.says(person, arguments)).out
    }

    #[track_caller]
    fn refused(&self, person: &str, arguments: &[&str], why: &str) {
        let said = self.says(person, arguments);
        assert!(said.code == Some(1) && said.err.contains(why), "{why:?} in {:?} {:?}", said.out, said.err);
    }

    /// A pair of keys, registered for the fire service; its id.
    fn key(&self, name: &str) -> String {
        let made = self.done("ann", &["key", "new", name, "--no-passphrase"]);
        self.done("ann", &["key", "add", FIRE, &format!("{name}.pub"), "--owner", name]);
        made.split_whitespace().nth(1).expect("an id").trim_end_matches(':').to_owned()
    }

    /// Another release of the component: its version is another, and nothing else.
    fn version(&self, version: &str) -> String {
        let name = format!("cost-apportionment-{version}.wasm");
        let mut bytes = std::fs::read(self.path(COMPONENT)).expect("it is there");
        let (from, to) = ("version = \\\"1.0.0\\\"", format!("version = \\\"{version}\\\""));
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("the manifest says its version");
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        std::fs::write(self.path(&name), bytes).expect("it is written");
        name
    }

    fn sign(&self, component: &str, key: &str) {
        self.done("ann", &["plugin", "sign", component, "--key", &format!("{key}.key"), "--comment", "for the new year"]);
    }

    fn push(&self, person: &str, component: &str) -> String {
        let said = self.done(person, &["plugin", "push", component, "--partner", FIRE]);
        said.split_whitespace().nth(2).expect("a digest").trim_end_matches(':').to_owned()
    }

    fn approve(&self, person: &str, release: &str, why: &str) -> Said {
        let review = self.says(person, &["plugin", "review", release, "--json"]).json();
        self.says(person, &["plugin", "approve", release, "--review", review["review"].as_str().expect("a code"), "--why", why])
    }

    fn releases(&self) -> serde_json::Value {
        done(self.says("ann", &["plugin", "releases", "--partner", FIRE, "--json"])).json()
    }

    fn active(&self) -> String {
        let releases = self.releases();
        let active = releases.as_array().unwrap().iter().find(|release| !release["active-since"].is_null()).expect("one is active");
        active["version"].as_str().unwrap().to_owned()
    }
}

#[track_caller]
fn done(said: Said) -> Said {
    assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
    said
}

fn minisign(folder: &Path, arguments: &[&str]) {
    let output = Command::new("minisign").args(arguments).current_dir(folder).output().expect("minisign is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn minisign_verifies_ours_and_we_verify_minisigns() {
    let stage = Stage::new();
    let folder = stage.site.config();
    stage.key("ours");
    stage.sign(COMPONENT, "ours");
    minisign(&folder, &["-Vm", COMPONENT, "-p", "ours.pub"]);
    stage.push("ann", COMPONENT);

    minisign(&folder, &["-G", "-W", "-p", "theirs.pub", "-s", "theirs.key"]);
    stage.done("ann", &["key", "add", FIRE, "theirs.pub", "--owner", "the other program"]);
    let other = stage.version("1.0.1");
    minisign(&folder, &["-Sm", &other, "-s", "theirs.key", "-t", "from the other program"]);
    stage.push("ann", &other);
    let releases = stage.releases();
    let theirs = releases.as_array().unwrap().iter().find(|release| release["version"] == "1.0.1").expect("it is kept");
    assert_eq!(theirs["signer-says"], "from the other program");
    // minisign reads our secret key too.
    minisign(&folder, &["-Sm", &other, "-s", "ours.key", "-x", "again.minisig"]);
    minisign(&folder, &["-Vm", &other, "-p", "ours.pub", "-x", "again.minisig"]);
}

#[test]
fn what_is_not_signed_by_a_key_in_use_is_turned_away_and_noted() {
    let stage = Stage::new();
    let key = stage.key("lead");
    stage.ask_for("signed");
    stage.refused("ann", &["apply", "."], "takes signed components only");
    stage.sign(COMPONENT, "lead");
    stage.done("ann", &["apply", "."]);

    let other = stage.version("1.0.1");
    let push = ["plugin", "push", other.as_str(), "--partner", FIRE];
    stage.refused("ann", &push, "takes signed components only");
    std::fs::copy(stage.path(&format!("{COMPONENT}.minisig")), stage.path(&format!("{other}.minisig"))).expect("it is copied");
    stage.refused("ann", &push, "does not fit: the component");
    stage.done("ann", &["key", "new", "stranger", "--no-passphrase"]);
    stage.sign(&other, "stranger");
    stage.refused("ann", &push, "has not registered");
    stage.sign(&other, "lead");
    let release = stage.push("ann", &other);
    let revoked = stage.done("ann", &["key", "revoke", FIRE, &key, "--why", "the laptop was lost"]);
    assert!(revoked.contains("1.0.0, which it signed, is still in use"), "{revoked}");
    stage.refused("ann", &push, "revoked: the laptop was lost");
    stage.refused("ann", &["plugin", "activate", &release], "that signed it was revoked");
    stage.refused("ann", &["key", "add", FIRE, "lead.pub", "--owner", "lead"], "already");
    assert_eq!(stage.active(), "1.0.0", "nothing was changed");

    let verified = stage.done("ann", &["audit", "verify"]);
    assert!(verified.contains("entries fit"), "{verified}");
    let trail = stage.done("ann", &["audit", "export"]);
    assert_eq!(trail.lines().filter(|line| line.contains("release.turn-away")).count(), 6, "each is noted: {trail}");
}

#[test]
fn nobody_approves_their_own_work_and_a_roll_back_is_one_command() {
    let stage = Stage::new();
    stage.key("lead");
    stage.sign(COMPONENT, "lead");
    // The one in use was declared by whoever runs these tests; another person approves it.
    let first = stage.push("ann", COMPONENT);
    stage.ask_for("approved");
    stage.refused("ann", &["apply", "."], "uses approved releases only");
    done(stage.approve("bob", &first, "as it was"));
    stage.done("ann", &["apply", "."]);

    let (second, third) = (stage.version("1.0.1"), stage.version("1.0.2"));
    [&second, &third].iter().for_each(|component| stage.sign(component, "lead"));
    let (second, third) = (stage.push("ann", &second), stage.push("ann", &third));
    stage.refused("ann", &["plugin", "activate", &second], "nobody has approved it");
    let own = stage.approve("ann", &second, "mine");
    assert!(own.code == Some(1) && own.err.contains("another person has to do this"), "{}", own.err);
    let review = stage.done("bob", &["plugin", "review", &second]);
    for told in ["It reads the rows of drivers", "The version was 1.0.0 and is 1.0.1.", "for the new year", "no network"] {
        assert!(review.contains(told), "{told:?} in {review}");
    }
    stage.done("bob", &["plugin", "refuse", &second, "--why", "the shares do not add up"]);
    stage.refused("ann", &["plugin", "activate", &second], "it was refused");
    done(stage.approve("bob", &third, "three months compared"));
    stage.done("ann", &["plugin", "activate", &third]);
    assert_eq!(stage.active(), "1.0.2");
    let run = done(stage.says("ann", &["run", JOB, "--json"])).json();
    assert_eq!(run["state"], "closed", "{run}");

    stage.done("ann", &["plugin", "roll-back", "cost-apportionment", "--partner", FIRE]);
    assert_eq!(stage.active(), "1.0.0");
    stage.refused("ann", &["plugin", "roll-back", "cost-apportionment", "--partner", FIRE], "no earlier release");
    assert!(stage.done("ann", &["audit", "verify"]).contains("entries fit"));
}

#[test]
fn a_third_person_puts_a_release_in_use_where_the_partner_asks_for_one() {
    let stage = Stage::new();
    stage.key("lead");
    stage.sign(COMPONENT, "lead");
    let first = stage.push("ann", COMPONENT);
    done(stage.approve("bob", &first, "as it was"));
    stage.ask_for("three-persons");
    stage.done("ann", &["apply", "."]);
    let second = stage.version("1.0.1");
    stage.sign(&second, "lead");
    let second = stage.push("ann", &second);
    stage.refused("cat", &["plugin", "activate", &second], "nobody has approved it");
    done(stage.approve("bob", &second, "compared"));
    stage.refused("ann", &["plugin", "activate", &second], "added this release");
    stage.refused("bob", &["plugin", "activate", &second], "approved this release");
    stage.refused("bob", &["plugin", "canary", &second, "--share", "10"], "approved this release");
    // Nor by a folder that names it, which is planned by anybody.
    stage.site.edit("plugins.toml", COMPONENT, "cost-apportionment-1.0.1.wasm");
    assert!(stage.done("ann", &["plan", "."]).contains("cost-apportionment 1.0.1"));
    stage.refused("ann", &["apply", "."], "person:ann added this release");
    assert_eq!(stage.active(), "1.0.0", "nothing was changed");
    stage.done("cat", &["plugin", "activate", &second]);
    assert_eq!(stage.active(), "1.0.1");
    // The way back is for whoever is there when it is needed.
    stage.done("ann", &["plugin", "roll-back", "cost-apportionment", "--partner", FIRE]);
    assert_eq!(stage.active(), "1.0.0");
    let trail = stage.done("ann", &["audit", "export"]);
    assert_eq!(trail.lines().filter(|line| line.contains("release.turn-away")).count(), 5, "each is noted: {trail}");
}

#[test]
fn a_release_that_jobs_do_not_fit_is_not_activated() {
    let stage = Stage::new();
    let name = "cost-apportionment-9.wasm";
    let mut bytes = std::fs::read(stage.path(COMPONENT)).expect("it is there");
    // A column that the manifest's own balances do not name.
    let (from, to) = ("name = \\\"journal\\\"", "name = \\\"ledgers\\\"");
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, window)| *window == from.as_bytes()).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 1);
    bytes[places[0]..places[0] + from.len()].copy_from_slice(to.as_bytes());
    for (from, to) in [("(journal.", "(ledgers.")] {
        while let Some(at) = bytes.windows(from.len()).position(|window| window == from.as_bytes()) {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
    }
    // Its cases are of the port that it no longer has.
    std::fs::write(stage.path(name), without_cases(&bytes)).expect("it is written");
    let release = stage.push("ann", name);
    let review = stage.done("bob", &["plugin", "review", &release]);
    assert!(review.contains("Jobs that do not fit it") && review.contains("Gone output: journal."), "{review}");
    stage.refused("ann", &["plugin", "activate", &release], "jobs do not fit it");
    assert_eq!(stage.active(), "1.0.0");
}

/// A copy of a component in which a text of its manifest, schemas or tables is another of the same length.
fn altered(site: &Site, plugin: &str, name: &str, changes: &[(&str, &str)]) {
    let mut bytes = std::fs::read(plugin_path(plugin)).expect("it is built");
    for (from, to) in changes {
        assert_eq!(from.len(), to.len());
        let places: Vec<usize> =
            bytes.windows(from.len()).enumerate().filter(|(_, window)| *window == from.as_bytes()).map(|(at, _)| at).collect();
        assert!(!places.is_empty(), "{from:?}");
        places.iter().for_each(|at| bytes[*at..*at + from.len()].copy_from_slice(to.as_bytes()));
    }
    std::fs::write(site.path(name), bytes).expect("it is written");
}

/// A component built without its cases.
fn without_cases(component: &[u8]) -> Vec<u8> {
    let section = bailiwick::sandbox::read_section(component).expect("a component").expect("a manifest");
    let mut section: serde_json::Value = serde_json::from_slice(&section).expect("JSON");
    assert!(section.as_object_mut().expect("an object").remove("cases").is_some(), "it brought some");
    bailiwick::sandbox::embed_section(component, section.to_string().as_bytes()).expect("a component")
}

#[test]
fn a_component_is_judged_by_the_cases_that_it_brings() {
    let site = Site::staffordshire();
    let ok = |arguments: &[&str]| done(say(&site, arguments));
    ok(&["apply", "."]);
    // Its author expects another outcome than it has.
    altered(&site, "claim-routing", "wrong.wasm", &[(r#"\"outcome\": \"advice\""#, r#"\"outcome\": \"settle\""#)]);
    let refused = say(&site, &["plugin", "push", "wrong.wasm", "--partner", POLICE]);
    let told = "cases that the component brings come out otherwise than they say: advice: ";
    assert!(refused.code != Some(0) && refused.err.contains(told), "{}", refused.err);
    let digest = bailiwick::model::ids::Digest::of(&std::fs::read(site.path("wrong.wasm")).unwrap()).to_string();
    let listed = ok(&["plugin", "releases", "--partner", POLICE]).out;
    assert!(!listed.contains(&digest[..12]), "{listed}");
    let trail = ok(&["audit", "export", "--partner", POLICE]).out;
    assert!(trail.contains("release.turn-away") && trail.contains(&digest) && trail.contains(told), "it is noted: {trail}");
    let kept = site.data().join("releases").join(format!("{digest}.wasm"));
    assert!(!kept.exists(), "nothing of it is kept");
    // Nor does a folder bring it: nothing of that is in force, and whoever plans is told.
    let sound = plugin_path("claim-routing").display().to_string();
    site.edit("plugins.toml", &sound, "wrong.wasm");
    site.edit("partners.toml", "Staffordshire Police", "Police of Staffordshire");
    for command in ["plan", "apply"] {
        let refused = say(&site, &[command, "."]);
        assert!(refused.code == Some(1) && refused.err.contains(told), "{} {}", refused.out, refused.err);
    }
    let trail = ok(&["audit", "export", "--partner", POLICE]).out;
    assert_eq!(trail.lines().filter(|line| line.contains("release.turn-away") && line.contains(&digest)).count(), 3, "{trail}");
    let listed = ok(&["plugin", "releases", "--partner", POLICE]).out;
    assert!(!listed.contains(&digest[..12]), "{listed}");
    site.edit("plugins.toml", "wrong.wasm", &sound);
    assert!(ok(&["plan", "."]).out.contains("partner staffordshire-police changed"), "none of it had come into force");
    // Cases that cannot be read are told as the component's.
    altered(&site, "claim-routing", "unread.wasm", &[(r#"\"expect\":"#, r#"\"expezt\":"#)]);
    let refused = say(&site, &["plugin", "push", "unread.wasm", "--partner", POLICE]);
    assert!(refused.code != Some(0) && refused.err.contains("cannot be played to their end"), "{}", refused.err);
    // Nor does a file that is no case pass for one.
    let none = without_cases(&std::fs::read(plugin_path("claim-routing")).unwrap());
    let mut section: serde_json::Value = serde_json::from_slice(&bailiwick::sandbox::read_section(&none).unwrap().unwrap()).expect("JSON");
    section["cases"] = serde_json::json!({ "notes.txt": "there is no case here" });
    let noted = bailiwick::sandbox::embed_section(&none, section.to_string().as_bytes()).expect("a component");
    std::fs::write(site.path("noted.wasm"), noted).unwrap();
    let refused = say(&site, &["plugin", "push", "noted.wasm", "--partner", POLICE]);
    assert!(refused.code != Some(0) && refused.err.contains("cannot be played to their end"), "{}", refused.err);
    let pushed = ok(&["plugin", "push", plugin_path("claim-routing").to_str().unwrap(), "--partner", POLICE]).out;
    assert!(pushed.contains("cases that it brings come out as they say"), "{pushed}");
    std::fs::write(site.path("none.wasm"), none).unwrap();
    let pushed = ok(&["plugin", "push", "none.wasm", "--partner", POLICE]).out;
    assert!(pushed.contains("it brings no cases of its own"), "{pushed}");
    let release = pushed.split_whitespace().nth(2).expect("a digest").trim_end_matches(':');
    let review = ok(&["plugin", "review", release]).out;
    assert!(review.contains("It brings no cases of its own"), "{review}");
}

#[test]
fn a_release_is_tried_on_what_ran_and_its_differences_are_shown() {
    let site = Site::staffordshire();
    let ok = |arguments: &[&str]| done(say(&site, arguments));
    ok(&["apply", "."]);
    ok(&["run", "claim-routing"]);
    let delivered = site.delivered();
    let version = ("version = \\\"1.0.0\\\"", "version = \\\"1.0.1\\\"");
    altered(&site, "claim-routing", "same.wasm", &[version]);
    altered(&site, "claim-routing", "other.wasm", &[("motor-own-damage,100000.00", "motor-own-damage,010000.00")]);
    let push = |name: &str| {
        let said = ok(&["plugin", "push", name, "--partner", POLICE]).out;
        said.split_whitespace().nth(2).expect("a digest").trim_end_matches(':').to_owned()
    };
    let same = push("same.wasm");
    let other = push("other.wasm");

    let tried = ok(&["plugin", "try", &same]).out;
    assert!(tried.contains("the same, byte by byte") && tried.contains("1 of 1 trials"), "{tried}");

    let tried = say(&site, &["plugin", "try", &other, "--job", "claim-routing"]);
    assert_eq!(tried.code, Some(1), "{}", tried.err);
    for told in ["came to something else", "column figure fund_share", "0 of 1 trials", "Nothing was delivered"] {
        assert!(tried.out.contains(told), "{told:?} in {}", tried.out);
    }
    let runs = ok(&["runs", "--json"]).json();
    let held = runs.as_array().unwrap().iter().find(|run| run["state"] == "held").expect("the trial is held");
    let id = held["id"].as_str().unwrap();
    let found = ok(&["plugin", "differences", id, "--json"]).json();
    let figure = |name: &str| -> rust_decimal::Decimal {
        let change = &found["outputs"][0]["columns"][format!("figure {name}")]["change"];
        change.as_str().unwrap_or_else(|| panic!("{name} in {found}")).parse().unwrap()
    };
    assert!(figure("fund_share") < rust_decimal::Decimal::ZERO, "the fund bears less: {found}");
    assert_eq!(figure("fund_share") + figure("insurer_share"), rust_decimal::Decimal::ZERO, "to the penny what the insurer bears more");
    ok(&["release", id, "--why", "the excess is lower from April"]);
    let shown = ok(&["runs", "--json"]).json();
    let state = shown.as_array().unwrap().iter().find(|run| run["id"] == id).expect("it is there")["state"].clone();
    assert!(state == "staged" || state == "closed" || state == "queued", "{state}");
    assert_eq!(site.delivered(), delivered, "nothing of a trial is delivered");
    assert!(
        say(&site, &["plugin", "differences", runs.as_array().unwrap().last().unwrap()["id"].as_str().unwrap()])
            .err
            .contains("tried no release")
    );
}
