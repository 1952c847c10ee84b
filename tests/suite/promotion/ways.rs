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
    let sentence = "release 3.0.0 (";
    let starved = "of lgps-return in use cannot work with what it is lent: it imports clock, which is kept back. So the next run of \
                   lgps-monthly-return fails before its first row";
    let planned = desk.done("ann", &["plan", "."]);
    assert!(planned.contains(sentence) && planned.contains(starved), "{planned}");
    let applied = desk.done("ann", &["apply", "."]);
    assert!(
        applied.contains(sentence) && applied.contains(starved),
        "it is told, and what the operator keeps back is kept back: {applied}"
    );
    assert_eq!(desk.says("ann", &["plan", ".", "--drift"]).code, Some(2));
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
    // A job whose file names another release is not among what does not fit, and is again where it names this one.
    let named = |version: &str| {
        let releases = desk.says("ann", &["plugin", "releases", "--json"]).json();
        let found = releases.as_array().unwrap().iter().find(|release| release["version"] == version && release["plugin"] == "lgps-return");
        format!("release = \"sha256:{}\"\n", found.unwrap()["digest"].as_str().unwrap())
    };
    let job = String::from_utf8(desk.site.read("jobs/lgps-monthly-return.toml")).unwrap();
    let runs = "plugin = \"lgps-return\"\n";
    let mut findings = Vec::new();
    for line in [named("1.0.0"), named("4.0.0")] {
        desk.site.write("jobs/lgps-monthly-return.toml", job.replacen(runs, &format!("{runs}{line}"), 1));
        desk.done("ann", &["apply", "."]);
        findings.push(desk.done("bob", &["plugin", "review", "lgps-return@4.0.0"]).contains("no column \"scapc\""));
    }
    assert_eq!(findings, [false, true]);
    desk.site.write("jobs/lgps-monthly-return.toml", job);
    desk.done("ann", &["apply", "."]);

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
    // A release that was refused is named by no job: whoever plans is told as whoever applies.
    assert_eq!(choose("active").code, Some(0));
    desk.done("bob", &["plugin", "refuse", "lgps-return@2.0.0", "--why", "not yet"]);
    let applied = choose(&format!("sha256:{}", &digest("2.0.0")[..16]));
    let planned = desk.says("ann", &["plan", "."]);
    assert!(applied.code == Some(1) && applied.err.contains("it was refused"), "{}", applied.err);
    assert_eq!((planned.code, &planned.err), (applied.code, &applied.err));
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

#[test]
fn an_explanation_is_of_the_trials_that_were_seen() {
    let desk = Desk::new();
    let payroll = desk.site.read("payroll.csv");
    let trials = |month: usize| {
        let rows: Vec<u8> = payroll.split_inclusive(|byte| *byte == b'\n').take(1_500 - month).flatten().copied().collect();
        desk.site.write(&format!("data/payroll/payroll-{month}.csv"), rows);
        desk.done("ann", &["run", LGPS]);
        desk.done("bob", &["plugin", "trials", "lgps-return@2.0.0", "--wait"]);
        desk.says("bob", &["plugin", "trials", "lgps-return@2.0.0", "--json"]).json()
    };
    desk.done("ann", &["plugin", "parallel", "lgps-return@2.0.0"]);
    let seen = trials(1);
    let now = trials(2);
    assert_eq!(now["trials"].as_array().unwrap().len(), 2, "{now}");
    let explain = |code: &serde_json::Value, kind: &'static str| {
        let code = code.as_str().unwrap().to_owned();
        ["plugin", "explain", "lgps-return@2.0.0", "--difference", kind, "--why", "meant", "--trials"]
            .map(str::to_owned)
            .into_iter()
            .chain([code])
            .collect::<Vec<_>>()
    };
    let kind = "return.pension_accrued";
    let words = explain(&seen["code"], kind);
    desk.refused("bob", &words.iter().map(String::as_str).collect::<Vec<_>>(), "another came to something else since");
    let told = desk.says("bob", &["plugin", "trials", "lgps-return@2.0.0", "--json"]).json();
    assert!(told["trials"].as_array().unwrap().iter().all(|trial| trial["explained"] == false), "{told}");
    let activate = |code: &serde_json::Value| {
        let code = code.as_str().unwrap().to_owned();
        desk.says("bob", &["plugin", "activate", "lgps-return@2.0.0", "--trials", &code])
    };
    let refused = activate(&seen["code"]);
    assert!(refused.code == Some(1) && refused.err.contains("another came to something else since"), "{}", refused.err);
    let words = explain(&now["code"], kind);
    let said = desk.done("bob", &words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("2 held trials go on"), "{said}");
    desk.refused(
        "bob",
        &["plugin", "end-candidate", "lgps-return", "--partner", POLICE, "--release", "lgps-return@3.0.0", "--why", "x"],
        "look again, and end what you mean",
    );
    let ended = desk.done("bob", &["plugin", "end-candidate", "lgps-return", "--partner", POLICE, "--why", "enough"]);
    assert!(ended.contains("lgps-return 2.0.0 (") && ended.contains("in parallel, since"), "{ended}");
}
