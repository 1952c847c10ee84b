//! A rule tried in the console: the form of its schema, what is wrong at its field, the decision, and the case that `plugin test` reads.

use super::Desk;
use crate::support::*;

const FORM: &str = "/p/staffordshire-police/rules/claim-routing";

/// A claim of damage to property.
const CLAIM: [(&str, &str); 5] = [
    ("/reference", "SP-00777"),
    ("/class", "property"),
    ("/loss", "1250.00"),
    ("/received_date", "2026-11-02"),
    ("/accident_date", "30 October 2026"),
];

#[test]
fn a_case_is_filled_in_mended_decided_and_saved() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let clerk = desk.clerk("omar", POLICE, &["operator"]).await;
        clerk.get("/p/staffordshire-police/rules").await.is(200).says(&["Insurance claim routing", "Supplier"]);
        let fields = ["id=\"/reference\"", "name=\"/class\"", "id=\"/received_date\"", "Claimant", "name=\"/injury/kind\""];
        clerk.get(FORM).await.is(200).says(&fields).says(&["Date of accident (optional)"]);

        let wrong = [("/reference", "<b>sp</b>"), ("/class", "property"), ("/loss", "£1"), ("/received_date", "2026-11-02")];
        let refused = clerk.post(FORM, &wrong).await;
        refused.is(422).says(&["There is a problem", "href=\"#/loss\"", "href=\"#/accident_date\"", "&lt;b&gt;sp&lt;/b&gt;"]);
        refused.hides(&["<b>sp", "id=\"decision\""]);

        let decided = clerk.post(FORM, &CLAIM).await;
        decided.is(200).says(&["Outcome", "£1,250.00", "Insurance policy", "href=\"#/loss\"", "Save as a case", "value=\"SP-00777\""]);

        let case =
            r#"{"reference":"SP-00777","class":"property","loss":"1250.00","received_date":"2026-11-02","accident_date":"2026-10-30"}"#;
        let saved = clerk.post(&format!("{FORM}/case"), &[("case", case), ("case-name", "Small <loss>")]).await;
        let file: serde_json::Value = serde_json::from_str(&saved.is(200).text).unwrap();
        assert_eq!((&file["today"], &file["cases"][0]["case"]["loss"]), (&"2026-11-18".into(), &"1250.00".into()));

        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("claim-routing");
        std::fs::create_dir_all(copy.join("cases")).unwrap();
        for name in ["plugin.toml", "case.schema.json"] {
            std::fs::copy(root().join("plugins/claim-routing").join(name), copy.join(name)).unwrap();
        }
        std::fs::write(copy.join("cases/saved.json"), &saved.text).unwrap();
        let shape = match bailiwick::registry::package::read_folder(&root().join("plugins/claim-routing")).unwrap().manifest.kind {
            bailiwick::model::manifest::Kind::RuleSet(shape) => shape,
            other => panic!("{other:?}"),
        };
        let read = bailiwick::registry::cases::rule_set_cases(&copy, &shape).unwrap();
        assert_eq!((read.len(), read[0].cases[0].name.as_str()), (1, "Small <loss>"));
    });
}

#[test]
fn entries_of_lists_come_and_go_and_enter_decides() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let clerk = desk.clerk("omar", POLICE, &["operator"]).await;
        let form = "/p/staffordshire-police/rules/supplier-checks";
        let blank = clerk.get(form).await;
        blank.is(200).says(&["value=\"/connected_persons\"", "id=\"/address/lines/0\""]).hides(&["/connected_persons/0/name"]);
        let first = blank.text.find("<button class=\"hidden\"").expect("Enter decides");
        assert!(first < blank.text.find("name=\"add\"").expect("a list"), "the first button of the form is not one that adds");
        let added = clerk.post(form, &[("/name", "Trent Supplies"), ("add", "/connected_persons")]).await;
        added.is(200).says(&["name=\"/connected_persons/0/name\"", "value=\"Trent Supplies\""]);
        let two = [("/connected_persons/0/name", "Ann"), ("/connected_persons/1/name", "Bob"), ("remove", "/connected_persons/0")];
        clerk.post(form, &two).await.is(200).says(&["value=\"Bob\""]).hides(&["value=\"Ann\""]);
    });
}

#[test]
fn who_may_not_decide_tries_nothing() {
    let site = Site::staffordshire();
    wait(async {
        let desk = Desk::at(site.hub(&clock_at("2026-11-18T09:00:00Z")).await);
        let viewer = desk.clerk("vera", POLICE, &["viewer"]).await;
        viewer.get(FORM).await.is(403);
        viewer.post(FORM, &CLAIM).await.is(403);
        viewer.get("/p/staffordshire-police").await.is(200).hides(&["Try a rule"]);
        let elsewhere = desk.clerk("fred", FIRE, &["operator"]).await;
        elsewhere.get(FORM).await.is(404);
        elsewhere.get("/p/staffordshire-fire/rules/claim-routing").await.is(404);
        let operator = desk.clerk("omar", POLICE, &["operator"]).await;
        operator.post_bare(FORM, &CLAIM).await.is(403);
    });
}
