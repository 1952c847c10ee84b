//! Changes that take two persons: proposed by one, in force by another; and drift, which is never passed over.

use crate::support::*;

struct Two {
    site: Site,
}

impl Two {
    /// A site where what the police declares takes two persons.
    fn new() -> Self {
        let two = Self { site: Site::staffordshire() };
        let line = "title = \"Staffordshire Police\"";
        two.site.edit("partners.toml", line, &format!("{line}\nchanges = \"two-persons\""));
        let said = two.done("ann", &["apply", "."]);
        assert!(!said.contains("proposed"), "what is there from the first is declared by one: {said}");
        two
    }

    fn says(&self, person: &str, arguments: &[&str]) -> Said {
        bailiwick(&self.site, arguments).env("USER", person).output().expect("the program starts").into()
    }

    #[track_caller]
    fn done(&self, person: &str, arguments: &[&str]) -> String {
        let said = self.says(person, arguments);
        assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
        said.out
    }

    #[track_caller]
    fn refused(&self, person: &str, arguments: &[&str], why: &str) {
        let said = self.says(person, arguments);
        assert!(said.code == Some(1) && said.err.contains(why), "{why:?} in {:?} {:?}", said.out, said.err);
    }

    fn states(&self) -> Vec<String> {
        let changes: serde_json::Value = serde_json::from_str(&self.done("ann", &["change", "list", "--json"])).unwrap();
        changes.as_array().unwrap().iter().map(|change| change["state"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_protected_change_is_in_force_once_a_second_person_says_so() {
    let two = Two::new();
    two.site.edit("connections.toml", "path = \"out/pension-fund\"", "path = \"out/insurance-2\"");
    two.site.edit(&format!("jobs/{LGPS}.toml"), "title = \"LGPS monthly return\"", "title = \"LGPS return\"");
    std::fs::create_dir_all(two.site.path("out/insurance-2")).unwrap();
    let planned = two.done("ann", &["plan", "."]);
    assert!(planned.contains("would be proposed") && planned.contains("connection pension-fund changed"), "{planned}");
    assert_eq!(two.says("ann", &["plan", ".", "--drift"]).code, Some(2));

    let applied = two.done("ann", &["apply", "."]);
    assert!(applied.contains("job lgps-monthly-return changed") && applied.contains("proposed as change 1"), "{applied}");
    assert!(two.done("ann", &["apply", "."]).contains("proposed already as change 1"), "the same is the same change");
    two.done("ann", &["run", LGPS]);
    assert!(two.site.names("out/insurance-2").is_empty() && !two.site.names("out/pension-fund").is_empty(), "it is not in force");
    let shown = two.done("ann", &["change", "show", POLICE, "1"]);
    assert!(shown.contains("- ") && shown.contains("+ ") && shown.contains("insurance-2"), "{shown}");

    two.refused("ann", &["change", "approve", POLICE, "1", "--why", "mine"], "person:ann proposed this change");
    two.done("bob", &["change", "approve", POLICE, "1", "--why", "seen"]);
    two.refused("bob", &["change", "approve", POLICE, "1", "--why", "again"], "it is approved");
    assert!(two.done("ann", &["plan", ".", "--drift"]).contains("nothing to change"), "what was approved is what the folder says");
    let trail = two.done("ann", &["audit", "export", "--partner", POLICE]);
    assert!(trail.contains("\"change.propose\"") && trail.contains("\"change.approve\""), "{trail}");
    assert!(trail.lines().any(|line| line.contains("\"change.turn-away\"") && line.contains("person:ann proposed this change")), "{trail}");
    two.done("ann", &["audit", "verify"]);
}

#[test]
fn what_is_protected_waits_and_the_rest_does_not() {
    for (file, from, to, held) in [
        ("jobs/claim-routing.toml", "title = ", "protected = true\ntitle = ", "job claim-routing becomes protected"),
        ("partners.toml", "changes = \"two-persons\"", "changes = \"one-person\"", "changes = \"one-person\" in place of \"two-persons\""),
        ("jobs/claim-routing.toml", "title = ", "title = \"x\" # ", ""),
        ("jobs/claim-routing.toml", "connection = \"insurance-unit\"", "connection = \"procurement\"", "delivers to another place"),
        ("jobs/lgps-monthly-return.toml", "cron = \"0 7 19 * *\"", "cron = \"0 8 19 * *\"", ""),
    ] {
        let two = Two::new();
        two.site.edit(file, from, to);
        let out = two.done("ann", &["apply", "."]);
        assert_eq!(out.contains("proposed as change 1"), !held.is_empty(), "{to}: {out}");
        assert!(out.contains(held), "{to}: {out}");
    }
}

#[test]
fn a_change_on_a_state_that_moved_is_refused_and_a_new_one_takes_its_place() {
    let two = Two::new();
    two.site.edit("connections.toml", "path = \"out/pension-fund\"", "path = \"out/other\"");
    two.done("ann", &["apply", "."]);
    // Somebody changes what one person may: the second person looked at something else.
    two.site.edit("connections.toml", "path = \"out/other\"", "path = \"out/pension-fund\"");
    two.site.edit(&format!("jobs/{LGPS}.toml"), "rows-max = 100", "rows-max = 99");
    two.done("cat", &["apply", "."]);
    two.refused("bob", &["change", "approve", POLICE, "1", "--why", "late"], "no longer in force");
    two.site.edit("connections.toml", "path = \"out/pension-fund\"", "path = \"out/other\"");
    assert!(two.done("ann", &["apply", "."]).contains("proposed as change 2"));
    assert_eq!(two.states(), ["proposed", "superseded"]);
    two.done("bob", &["change", "refuse", POLICE, "2", "--why", "wrong folder"]);
    two.refused("cat", &["change", "approve", POLICE, "2", "--why", "x"], "it is refused");
    assert_eq!(two.states(), ["refused", "superseded"]);
}

#[test]
fn drift_is_found_both_ways() {
    let two = Two::new();
    assert_eq!(two.says("ann", &["plan", ".", "--drift"]).code, Some(0));
    std::fs::remove_file(two.site.path("jobs/claim-routing.toml")).unwrap();
    let said = two.says("ann", &["plan", ".", "--drift"]);
    assert!(said.code == Some(2) && said.out.contains("job claim-routing removed"), "{}", said.out);
}
