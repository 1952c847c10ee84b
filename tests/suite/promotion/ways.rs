//! What is refused on the way into use, and what a grant, a job's choice and a canary come to.

use std::fs;

use super::desk::{Desk, copy};
use crate::support::*;

#[test]
fn an_approval_is_of_one_review_and_no_other() {
    let desk = Desk::new();
    let (second, third) = (desk.review("lgps-return@2.0.0"), desk.review("lgps-return@3.0.0"));
    let approve = |release: &'static str, review: &str, why: &str| {
        desk.refused("bob", &["plugin", "approve", release, "--review", review, "--why", "good"], why);
    };
    approve("lgps-return@3.0.0", &second, "is not of release");
    desk.done("bob", &["plugin", "refuse", "lgps-return@3.0.0", "--why", "not yet"]);
    approve("lgps-return@3.0.0", &third, "as things stand");
    let before = desk.review("lgps-return@3.0.0");
    desk.done("bob", &["plugin", "activate", "lgps-return@2.0.0"]);
    approve("lgps-return@3.0.0", &before, "as things stand");
    desk.approve("lgps-return@3.0.0", &[]);
    desk.refused("bob", &["plugin", "activate", "lgps-return@0.9.9"], "0 releases are");
    let trail = desk.done("ann", &["audit", "export"]);
    assert_eq!(trail.lines().filter(|line| line.contains("release.turn-away")).count(), 3, "each is noted: {trail}");
    assert!(desk.done("ann", &["audit", "verify"]).contains("entries fit"));
}

#[test]
fn what_is_kept_back_is_not_lent() {
    let desk = Desk::new();
    let review = desk.review("lgps-return@3.0.0");
    let approve = ["plugin", "approve", "lgps-return@3.0.0", "--review", &review, "--why", "good"];
    desk.refused("bob", &[&approve[..], &["--without", "table:lgps-bands"]].concat(), "it looks things up in table lgps-bands");
    desk.refused("bob", &[&approve[..], &["--without", "clock"]].concat(), "it imports clock, which is kept back");
    let said = desk.says("bob", &[&approve[..], &["--without", "sockets"]].concat());
    assert!(said.code == Some(2) && said.err.contains("is nothing that is lent"), "{}", said.err);

    // What the job asks for is more than what is granted.
    let text = String::from_utf8(desk.site.read("jobs/lgps-monthly-return.toml")).unwrap();
    desk.site.write("jobs/lgps-monthly-return.toml", format!("{text}\n[limits]\ncpu-ms = 2000\n"));
    desk.done("ann", &["apply", "."]);
    desk.approve("lgps-return@3.0.0", &["--limit", "cpu-ms=1500"]);
    let reviewed = desk.done("bob", &["plugin", "review", "lgps-return@3.0.0"]);
    assert!(reviewed.contains("Its limit cpu-ms is at most 1500."), "{reviewed}");
    desk.refused("bob", &["plugin", "activate", "lgps-return@3.0.0"], "is 2000, and 1500 is granted");
    desk.site.write("jobs/lgps-monthly-return.toml", text);
    desk.done("ann", &["apply", "."]);
    desk.done("bob", &["plugin", "activate", "lgps-return@3.0.0"]);
    fs::copy(desk.site.path("payroll.csv"), desk.site.path("data/payroll/payroll-1.csv")).unwrap();
    let run = desk.says("ann", &["run", LGPS, "--json"]).json();
    assert_eq!(run["state"], "closed", "{run}");
    let cpu = run["limits"].as_array().unwrap().iter().find(|limit| limit["limit"] == "cpu-ms").expect("it is told");
    assert_eq!(cpu["allowed"], 1_000, "what it asks for is below what is granted");

    // The operator of the hub lends no plugin a clock from now on: the next run fails before its first row.
    desk.site.write("hub.toml", "[ceiling]\nwithout = [\"clock\"]\n[ceiling.limits]\ncpu-ms = 800\n");
    desk.site.edit("plugins.toml", "lgps-return-1.wasm", "lgps-return-3.wasm");
    desk.done("ann", &["apply", "."]);
    let some = String::from_utf8_lossy(&desk.site.read("payroll.csv")).lines().take(50).collect::<Vec<_>>().join("\n");
    desk.site.write("data/payroll/payroll-2.csv", some);
    let run = desk.says("ann", &["run", LGPS, "--json"]).json();
    assert_eq!((&run["state"], &run["reason"]["code"]), (&serde_json::json!("failed"), &serde_json::json!("not-granted")), "{run}");
    desk.refused("bob", &["plugin", "parallel", "lgps-return@2.0.0"], "it imports clock, which is kept back");
}

#[test]
fn what_does_not_fit_is_told_when_it_is_handed_in() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let plugin = root().join("plugins/lgps-return");
    copy(&plugin.join("tables"), &folder.path().join("tables"));
    let schema = fs::read_to_string(plugin.join("settings.schema.json")).unwrap();
    fs::write(folder.path().join("settings.schema.json"), schema.replace("tolerance-percent", "tolerance-part")).unwrap();
    let manifest = fs::read_to_string(plugin.join("plugin.toml")).unwrap();
    let manifest = manifest
        .replace("version = \"1.0.0\"", "version = \"4.0.0\"")
        .replace("lookup = [\"lgps-bands\"]", "lookup = [\"lgps-bands\", \"rates-of-tomorrow\"]")
        .replace("name = \"scapc\", type = \"money\", required = false", "name = \"scapc-er\", type = \"money\", required = false")
        .replace("sum(payroll.scapc)", "sum(payroll.scapc-er)");
    fs::write(folder.path().join("plugin.toml"), manifest.replace("scapc-er", "scapc_er")).unwrap();
    desk.site.write("lgps-return-4.wasm", component_of(&desk.site.read("lgps-return-3.wasm"), folder.path()));
    let told = desk.done("ann", &["plugin", "push", "lgps-return-4.wasm", "--partner", POLICE]);
    for finding in ["no column \"scapc\"", "table rates-of-tomorrow, of which there is no version", "settings", "cannot be activated"] {
        assert!(told.contains(finding), "{finding:?} in {told}");
    }
    desk.refused("bob", &["plugin", "activate", "lgps-return@4.0.0"], "jobs do not fit it");
    desk.refused("bob", &["plugin", "canary", "lgps-return@4.0.0", "--share", "10"], "jobs do not fit it");

    // Its own manifest does not ask for what its code imports.
    let less = fs::read_to_string(plugin.join("plugin.toml")).unwrap().replace("clock = true\n", "");
    fs::write(folder.path().join("plugin.toml"), less).unwrap();
    fs::copy(plugin.join("settings.schema.json"), folder.path().join("settings.schema.json")).unwrap();
    desk.site.write("lgps-return-5.wasm", component_of(&desk.site.read("lgps-return-3.wasm"), folder.path()));
    desk.refused("ann", &["plugin", "push", "lgps-return-5.wasm", "--partner", POLICE], "does not ask for it");
    let trail = desk.done("ann", &["audit", "export"]);
    assert!(trail.lines().any(|line| line.contains("release.turn-away") && line.contains("does not ask for it")), "{trail}");
}

#[test]
fn a_job_runs_the_release_that_its_file_names() {
    let desk = Desk::new();
    let job = "jobs/lgps-monthly-return.toml";
    let choose = |choice: &str| {
        let text = String::from_utf8(desk.site.read(job)).unwrap();
        let kept: String = text.lines().filter(|line| !line.starts_with("release = ")).map(|line| format!("{line}\n")).collect();
        let plugin = "plugin = \"lgps-return\"\n";
        desk.site.write(job, kept.replacen(plugin, &format!("{plugin}release = {choice:?}\n"), 1));
        desk.says("ann", &["apply", "."])
    };
    let mut month = 0;
    let mut run = || {
        month += 1;
        let payroll = String::from_utf8_lossy(&desk.site.read("payroll.csv")).lines().take(50 + month).collect::<Vec<_>>().join("\n");
        desk.site.write(&format!("data/payroll/payroll-{month}.csv"), payroll);
        desk.says("ann", &["run", LGPS, "--json"]).json()
    };
    let digest = |version: &str| {
        let releases = desk.says("ann", &["plugin", "releases", "--json"]).json();
        let found = releases.as_array().unwrap().iter().find(|release| release["version"] == version && release["plugin"] == "lgps-return");
        found.unwrap()["digest"].as_str().unwrap().to_owned()
    };
    desk.done("bob", &["plugin", "activate", "lgps-return@3.0.0"]);
    assert_eq!(choose("^1").code, Some(0));
    assert_eq!(run()["release"], digest("1.0.0"), "the last of the range that was active");
    assert_eq!(choose(&format!("sha256:{}", &digest("2.0.0")[..16])).code, Some(0));
    assert_eq!(run()["release"], digest("2.0.0"));
    desk.refused("bob", &["plugin", "retire", "lgps-return@2.0.0", "--why", "old"], "names it");
    assert_eq!(choose("^9").code, Some(0));
    let failed = run();
    assert_eq!(failed["reason"]["code"], "no-active-release", "{failed}");
    assert!(failed["reason"]["sentence"].as_str().unwrap_or_default().contains("^9"), "{failed}");
    let wrong = choose("newest");
    assert!(wrong.code == Some(1) && wrong.err.contains("is none of"), "{}", wrong.err);
}

#[test]
fn a_canary_that_is_too_slow_is_taken_back_and_the_alarm_is_given() {
    let desk = Desk::new();
    // Nobody processes 1,500 rows in no time.
    desk.done("bob", &["plugin", "canary", "lgps-return@3.0.0", "--share", "100", "--took-ms-max", "0"]);
    fs::copy(desk.site.path("payroll.csv"), desk.site.path("data/payroll/payroll-1.csv")).unwrap();
    let mut asked = bailiwick(&desk.site, &["run", LGPS, "--json"]);
    let said: Said = asked.env("BAILIWICK_LOG", "warn").output().unwrap().into();
    let run = said.json();
    assert_eq!(run["state"], "closed", "its deliveries are real: {run}");
    assert!(said.err.contains("a canary was taken back"), "{}", said.err);
    let trials = desk.says("bob", &["plugin", "trials", "lgps-return@3.0.0", "--json"]).json();
    assert!(trials["canary-ended"].as_str().is_some_and(|why| why.contains("and 0 ms are allowed")), "{trials}");
    let some = String::from_utf8_lossy(&desk.site.read("payroll.csv")).lines().take(50).collect::<Vec<_>>().join("\n");
    desk.site.write("data/payroll/payroll-2.csv", some);
    let next = desk.says("ann", &["run", LGPS, "--json"]).json();
    assert_eq!(next["state"], "closed", "{next}");
    assert_ne!(next["release"], run["release"], "the next claim has the release in use");
    assert_eq!(site_deliveries(&desk.site), 4);
}

fn site_deliveries(site: &Site) -> usize {
    site.names("out/pension-fund").len()
}
