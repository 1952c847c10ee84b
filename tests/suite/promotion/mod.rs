//! docs/releases.md, typed: a release with a defect is caught beside the one in use, to the row and the penny; the one after it is proven,
//! approved by a second person, activated and taken back; and the audit trail tells it all. Beside it, what is refused on the way.

mod desk;
mod ways;

use crate::support::*;
use desk::{site, typed};

const PAGE: &str = include_str!("../../../docs/releases.md");

/// What stands before the page's commands: a month of payroll arrives before each run.
const BEFORE: &str = r#"
bailiwick() {
    if [ "$1" = run ]; then
        months=$((${months:-0} + 1))
        head -n $((1500 - months)) payroll.csv > "data/payroll/payroll-month-$months.csv"
    fi
    command bailiwick "$@"
}
"#;

/// The commands of the page's console blocks.
fn commands() -> String {
    let (mut script, mut inside) = (format!("set -eu -o pipefail\n{BEFORE}"), false);
    for line in PAGE.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            command if inside => script += &format!("{command}\n"),
            _ => {}
        }
    }
    script
}

/// What the partner asks, as the page has it.
fn ask_for_proof(site: &Site) {
    let line = format!("name = {POLICE:?}\ntitle = \"Staffordshire Police\"\n");
    let asked = "releases = \"approved\"\n[partner.proof]\nclean-runs = 3\ndifferences = \"explained\"\n";
    site.edit("partners.toml", &line, &format!("{line}{asked}"));
}

fn json(site: &Site, name: &str) -> serde_json::Value {
    serde_json::from_slice(&site.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_page_is_typed_and_the_trail_tells_it() {
    let site = site();
    ask_for_proof(&site);
    let said = typed(&site, &commands());
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
    assert!(commands().lines().filter(|line| line.starts_with("bailiwick plugin ")).count() > 20);

    // The rows and pennies, worked out here from what the release in use delivered.
    let trials = json(&site, "trials.json");
    let trial = &trials["trials"][0];
    assert_eq!((trials["trials"].as_array().unwrap().len(), &trial["outcome"]), (1, &serde_json::json!("differs")), "{trials}");
    assert_eq!(trial["kinds"], serde_json::json!(["return.pension_accrued"]), "and nothing else differs");
    let delivered = site.read(&format!("out/pension-fund/lgps-return-{}.csv", trial["origin"].as_str().unwrap()));
    let lines = Csv::read(&delivered);
    let (sections, care, accrued) = (lines.column("section"), lines.pence("care_pay"), lines.pence("pension_accrued"));
    let short: Vec<usize> = (0..lines.len()).filter(|row| sections[*row] == "5050" && 2 * (care[*row] % 98) >= 98).collect();
    assert!(short.len() > 10 && sections.iter().filter(|section| **section == "5050").count() > short.len());
    let output = &trial["differences"]["outputs"][0];
    let penny = pounds(-(short.len() as i128));
    assert_eq!(output["changed"], short.len(), "{output}");
    assert_eq!(output["columns"]["pension_accrued"], serde_json::json!({ "rows": short.len(), "change": penny }));
    for (example, row) in output["examples"].as_array().unwrap().iter().zip(&short) {
        let (was, is) = (pounds(accrued[*row]), pounds(accrued[*row] - 1));
        assert_eq!(*example, serde_json::json!({ "row": row + 1, "column": "pension_accrued", "was": was, "is": is }));
    }
    assert!(said.out.contains("it cannot be activated: it differs on run"), "{}", said.out);

    // The releases that the runs had: the first four with 1.0.0, then 3.0.0, then 1.0.0 again.
    let releases = say(&site, &["plugin", "releases", "--partner", POLICE, "--json"]).json();
    let version = |digest: &str| {
        let found = releases.as_array().unwrap().iter().find(|release| release["digest"] == digest);
        found.unwrap_or_else(|| panic!("{digest} in {releases}"))["version"].as_str().unwrap().to_owned()
    };
    let runs = say(&site, &["runs", "--json"]).json();
    let own = |run: &&serde_json::Value| run["trigger"] == "request";
    let had_by = |run: &serde_json::Value| {
        let shown = say(&site, &["show", run["id"].as_str().unwrap(), "--json"]).json();
        version(shown["release"].as_str().unwrap())
    };
    let mut had: Vec<String> = runs.as_array().unwrap().iter().filter(own).map(had_by).collect();
    had.reverse();
    assert_eq!(had, ["1.0.0", "1.0.0", "1.0.0", "1.0.0", "3.0.0", "1.0.0"]);
    assert_eq!(site.names("out/pension-fund").len(), 12, "two files a run, and none of a trial");
    the_trail_tells(&site, &releases);
}

/// Who did what to which release, in the order of the audit export.
fn the_trail_tells(site: &Site, releases: &serde_json::Value) {
    let version = |digest: &str| {
        let found = releases.as_array().unwrap().iter().find(|release| release["digest"] == digest);
        found.map_or_else(|| digest.to_owned(), |release| release["version"].as_str().unwrap().to_owned())
    };
    let trail = String::from_utf8(site.read("trail.jsonl")).unwrap();
    let told: Vec<String> = trail
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|entry| entry["partner"] == POLICE)
        .filter_map(|entry| {
            let (subject, after) = (entry["subject"].as_str().unwrap(), &entry["after"]);
            let of = subject.strip_prefix("release:").or(after["digest"].as_str()).or(entry["before"]["digest"].as_str())?;
            let outcome = after["outcome"].as_str().map_or_else(String::new, |outcome| format!(" {outcome}"));
            let actor = entry["actor"].as_str().unwrap();
            Some(format!("{actor} {} {}{outcome}", entry["action"].as_str().unwrap(), version(of)))
        })
        .skip_while(|line| !line.starts_with("person:ann release.add 2.0.0"))
        .collect();
    let expected = [
        "person:ann release.add 2.0.0",
        "person:ann candidate.begin 2.0.0",
        "hub:main trial.record 2.0.0 differs",
        "person:bob release.refuse 2.0.0",
        "person:bob candidate.end 2.0.0",
        "person:ann release.add 3.0.0",
        "person:ann candidate.begin 3.0.0",
        "hub:main trial.record 3.0.0 same",
        "hub:main trial.record 3.0.0 same",
        "hub:main trial.record 3.0.0 same",
        "person:bob release.approve 3.0.0",
        "person:bob candidate.end 3.0.0",
        "person:bob candidate.begin 3.0.0",
        "person:bob release.activate 3.0.0",
        "person:bob candidate.end 3.0.0",
        "person:bob release.roll-back 1.0.0",
        "person:bob release.retire 2.0.0",
    ];
    assert_eq!(told, expected);
    assert!(trail.contains("the 50/50 section rounds down"), "the reason stands with the refusal");
}
