//! Case files that are read, what is wrong with others, and where results part from what was expected.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use jiff::civil::date;
use serde_json::{Value, json};

use super::*;
use crate::model::manifest::{AdapterShape, Kind, RuleSetShape};
use crate::model::outcome::{Action, Decision, Effect, Reason, RuleReason, Verdict};
use crate::model::rows::Amount;
use crate::model::table::TableVersion;
use crate::registry::manifest::tests::{ADAPTER, CASE_SCHEMA, RULE_SET, SETTINGS_SCHEMA};
use crate::registry::package;

fn plugin(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("settings.schema.json", SETTINGS_SCHEMA), ("case.schema.json", CASE_SCHEMA)].iter().chain(files) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn adapter_shape(folder: &Path) -> AdapterShape {
    let Kind::Adapter(shape) = package::read_folder(folder).unwrap().manifest.kind else { panic!("an adapter") };
    shape
}

fn rule_set_shape(folder: &Path) -> RuleSetShape {
    let Kind::RuleSet(shape) = package::read_folder(folder).unwrap().manifest.kind else { panic!("a rule set") };
    shape
}

const CASE: &str = "about = \"One month\"\ntoday = 2026-10-19\n[settings]\nemployer_code = \"0042\"\n";
const FINDINGS: &str = "input,row,effect,column,code\npayroll,1,reject,ni_number,ni-number-invalid\npayroll,1,reject,,unknown\n";

fn adapter_files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("plugin.toml", ADAPTER),
        ("cases/month/case.toml", CASE),
        ("cases/month/in/payroll.csv", "employee_number\n"),
        ("cases/month/expected/return.csv", "pay,ni_number\n1.00,A\n2.00,B\n"),
        ("cases/month/expected/findings.csv", FINDINGS),
        (
            "cases/month/tables/t.toml",
            "table = \"t\"\n[[versions]]\nversion = \"1\"\neffective-from = 2026-04-01\nsource = \"s\"\nrows = \"t.csv\"\n",
        ),
        ("cases/month/tables/t.csv", "a\n1\n"),
        ("cases/fails/case.toml", "today = 2026-10-19\nexpect-failure = \"table-missing\"\n"),
        ("cases/fails/in/payroll.csv", "employee_number\n"),
    ]
}

fn load_adapter(files: &[(&str, &str)]) -> (Result<Vec<AdapterCase>, CaseError>, AdapterShape) {
    let folder = plugin(files);
    let shape = adapter_shape(folder.path());
    (adapter_cases(folder.path(), &shape), shape)
}

#[test]
fn an_adapters_cases_are_read() {
    let (cases, _) = load_adapter(&adapter_files());
    let cases = cases.unwrap();
    let [fails, month] = &cases[..] else { panic!("two cases") };
    assert_eq!((fails.name.as_str(), fails.expect_failure), ("fails", Some(FailureKind::TableMissing)));
    assert_eq!((month.name.as_str(), month.about.as_str(), month.today), ("month", "One month", date(2026, 10, 19)));
    assert_eq!(month.settings, json!({"employer_code": "0042"}));
    assert_eq!(month.inputs[0].0, "payroll");
    assert_eq!(month.outputs, [("return".to_owned(), b"pay,ni_number\n1.00,A\n2.00,B\n".to_vec())]);
    assert_eq!(month.findings, ["payroll,1,reject,ni_number,ni-number-invalid", "payroll,1,reject,,unknown"]);
    assert_eq!(month.tables[0].rows, [["1"]]);
}

#[test]
fn wrong_cases_are_refused() {
    for (name, text, told) in [
        ("cases/month/case.toml", "today = 2026-10-19\ncolour = 1\n", "line 2: unknown field"),
        ("cases/month/case.toml", "today = 2026-10-19\n[settings]\nrate = 5.5\n", "line 3: settings.rate is a floating-point"),
        ("cases/month/case.toml", "today = 2026-10-19\nexpect-failure = \"boom\"\n", "line 2: unknown variant"),
        ("cases/month/in/payrol.csv", "", "no port of the plugin"),
        ("cases/month/expected/returns.csv", "", "no port of the plugin"),
        ("cases/month/expected/findings.csv", "row,code\n", "line 1: this is not the first line of findings"),
        ("cases/empty/case.toml", "today = 2026-10-19\n", "has no in/payroll.csv"),
    ] {
        let mut files = adapter_files();
        files.push((name, text));
        let error = load_adapter(&files).0.unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("cases/"), "{name}: {error}");
    }
}

fn happened() -> AdapterHappened {
    let reason =
        |column: Option<&str>, code: &str| Reason { column: column.map(ToOwned::to_owned), code: code.to_owned(), message: "m".to_owned() };
    AdapterHappened {
        outputs: vec![
            ("return".to_owned(), b"pay,ni_number\n1.00,A\n2.00,B\n".to_vec()),
            ("ctr1".to_owned(), b"employer,pay,heads\n".to_vec()),
        ],
        findings: vec![Finding {
            input: 0,
            row: 1,
            effect: Effect::Reject,
            reasons: vec![reason(Some("ni_number"), "ni-number-invalid"), reason(None, "unknown")],
        }],
        failure: None,
    }
}

#[test]
fn results_of_an_adapter_are_compared() {
    let (cases, shape) = load_adapter(&adapter_files());
    let cases = cases.unwrap();
    let (fails, month) = (&cases[0], &cases[1]);
    assert_eq!(compare_adapter(month, &happened(), &shape), []);
    assert_eq!(findings_csv(&shape, &happened().findings), FINDINGS);
    let missing = PluginFailure::TableMissing { table: "t".to_owned(), on: "2026-10-19".to_owned() };
    let failed = AdapterHappened { failure: Some(missing.clone()), ..AdapterHappened::default() };
    assert_eq!(compare_adapter(fails, &failed, &shape), []);

    let defect =
        AdapterHappened { failure: Some(PluginFailure::PluginDefect { code: "c".to_owned(), message: "m".to_owned() }), ..happened() };
    let apart = |change: &dyn Fn(&mut AdapterHappened)| {
        let mut happened = happened();
        change(&mut happened);
        compare_adapter(month, &happened, &shape).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for (told, shown) in [
        (
            apart(&|happened| happened.outputs[0].1[14] = b'9'),
            "expected/return.csv: 1 of 3 lines differ\n  line 2\n    expected 1.00,A\n    got      9.00,A",
        ),
        (
            apart(&|happened| happened.outputs[0].1.truncate(21)),
            "expected/return.csv: 1 of 3 lines differ\n  line 3\n    expected 2.00,B\n    got      (no line)",
        ),
        (apart(&|happened| happened.outputs.clear()), "expected/return.csv: 3 of 3 lines differ"),
        (apart(&|happened| happened.outputs[0].1.truncate(27)), "expected Some(\"2.00,B\\n\")\n    got      Some(\"2.00,B\")"),
        (
            apart(&|happened| happened.outputs[1].1.extend(b"E,1.00,1\n")),
            "expected/ctr1.csv: there is no such file, and the plugin wrote rows",
        ),
        (
            apart(&|happened| happened.findings[0].row = 2),
            "expected/findings.csv: 2 of 3 lines differ\n  line 2\n    expected payroll,1,reject,ni_number,ni-number-invalid\n    got      payroll,2,",
        ),
        (apart(&|happened| happened.findings.clear()), "got      (no line)"),
        (apart(&|happened| happened.failure = Some(missing.clone())), "failure: the plugin failed of table-missing"),
        (compare_adapter(fails, &happened(), &shape)[0].to_string(), "failure: expected table-missing, and the plugin did not fail"),
        (compare_adapter(fails, &defect, &shape)[0].to_string(), "failure: expected table-missing, and the plugin failed of plugin-defect"),
    ] {
        assert!(told.contains(shown), "{told}");
    }
}

#[test]
fn long_differences_are_cut() {
    let (cases, shape) = load_adapter(&adapter_files());
    let rows: String = (0..50).map(|row| format!("{row}\n")).collect();
    let happened = AdapterHappened { outputs: vec![("return".to_owned(), rows.into_bytes())], ..happened() };
    let told = compare_adapter(&cases.unwrap()[1], &happened, &shape)[0].to_string();
    assert!(told.contains("50 of 50 lines differ") && told.ends_with("and 40 more") && told.lines().count() == 32, "{told}");
}

const RULES: &str = r#"{"about": "Who pays", "today": "2026-11-02", "settings": {"a": 1}, "cases": [
  {"name": "small", "case": {"reference": "R1", "loss": "10.00"}, "expect": {"outcome": "fund"}, "absent": {"actions": [{"kind": "notify"}]}},
  {"name": "no table", "case": {"reference": "R2"}, "expect-failure": "table-missing"}]}"#;

#[test]
fn a_rule_sets_cases_are_read() {
    let load = |text: &str| {
        let folder = plugin(&[("plugin.toml", RULE_SET), ("cases/paying.json", text)]);
        rule_set_cases(folder.path(), &rule_set_shape(folder.path()))
    };
    let read = load(RULES).unwrap();
    assert_eq!((read[0].name.as_str(), read[0].today, read[0].settings.clone()), ("paying", date(2026, 11, 2), json!({"a": 1})));
    assert_eq!(read[0].cases[1].expected, Expected::Failure(FailureKind::TableMissing));
    for (from, to, told) in [
        ("\"about\"", "\"abaut\"", "unknown field `abaut`"),
        ("2026-11-02", "2026-11-31", "no file of cases"),
        (
            "\"expect\": {\"outcome\": \"fund\"}, \"absent\": {\"actions\": [{\"kind\": \"notify\"}]}",
            "\"expect-failure\": null",
            "must say what is expected",
        ),
        ("\"expect\": {", "\"expect-failure\": \"table-missing\", \"expect\": {", "must say what is expected"),
        ("\"loss\": \"10.00\"", "\"loss\": 10", "does not fit the schema of cases at \"/loss\""),
        ("\"table-missing\"}]}", "\"table-missing\"}]", "line 3: this is not JSON"),
    ] {
        assert!(RULES.contains(from), "{from}");
        let error = load(&RULES.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("cases/paying.json"), "{to}: {error}");
    }
}

fn decision() -> Decision {
    Decision {
        outcome: "fund".to_owned(),
        reasons: vec![
            RuleReason {
                rule: "below-excess".to_owned(),
                verdict: Verdict::Applies,
                text: "t".to_owned(),
                evidence: vec!["/loss".to_owned()],
            },
            RuleReason { rule: "vat".to_owned(), verdict: Verdict::CannotCheck, text: "t".to_owned(), evidence: vec![] },
        ],
        actions: vec![Action {
            kind: "acknowledge".to_owned(),
            party: "claimant".to_owned(),
            text: "t".to_owned(),
            due: Some(date(2026, 11, 3)),
        }],
        figures: vec![("fund_share".to_owned(), Amount::new(10_000_000, 2))],
        tables: vec![TableVersion {
            table: "bands".to_owned(),
            version: "2026".to_owned(),
            effective_from: date(2026, 4, 1),
            effective_to: None,
            published: None,
        }],
    }
}

#[test]
fn decisions_have_one_json_form() {
    let expected = json!({
        "outcome": "fund",
        "reasons": [{"rule": "below-excess", "verdict": "applies", "text": "t", "evidence": ["/loss"]}, {"rule": "vat", "verdict": "cannot-check", "text": "t", "evidence": []}],
        "actions": [{"kind": "acknowledge", "party": "claimant", "text": "t", "due": "2026-11-03"}],
        "figures": {"fund_share": "100000.00"},
        "tables": [{"table": "bands", "version": "2026", "effective-from": "2026-04-01"}],
    });
    assert_eq!(decision_json(&decision()), expected);
}

#[test]
fn decisions_are_compared_by_what_is_given() {
    let apart = |subset: Option<Value>, absent: Option<Value>| {
        let case = RuleCase { name: "c".to_owned(), case: json!({}), expected: Expected::Decision { subset, absent } };
        compare_rule_set(&case, &Ok(decision())).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for subset in [
        json!({}),
        json!({"outcome": "fund", "figures": {"fund_share": "100000.00"}}),
        json!({"reasons": [{"rule": "vat"}, {"rule": "below-excess", "evidence": ["/loss"]}], "tables": []}),
        json!({"actions": [{"due": "2026-11-03"}]}),
    ] {
        assert_eq!(apart(Some(subset), None), "");
    }
    for (subset, told) in [
        (json!({"outcome": "insurer"}), "c: /outcome: expected \"insurer\", got \"fund\""),
        (json!({"figures": {"other": "1"}}), "/figures/other: expected \"1\", and there is none"),
        (json!({"figures": {"fund_share": "100000.0"}}), "/figures/fund_share: expected"),
        (json!({"reasons": [{"rule": "vat", "verdict": "pass"}]}), "/reasons: expected an item with"),
        (json!({"reasons": [{"rule": "vat", "evidence": ["/loss"]}]}), "/reasons: expected an item with"),
        (json!({"tables": {}}), "/tables: expected {}, got ["),
    ] {
        let found = apart(Some(subset), None);
        assert!(found.contains(told) && found.contains("the decision was"), "{found}");
    }
    assert_eq!(apart(None, Some(json!({"actions": [{"kind": "notify"}]}))), "");
    assert_eq!(apart(None, Some(json!({"outcome": "fund", "actions": [{"kind": "notify"}]}))), "");
    assert!(apart(None, Some(json!({"actions": [{"kind": "acknowledge"}]}))).contains("what must be absent"));

    let failure = || PluginFailure::InputUnusable { code: "c".to_owned(), message: "m".to_owned() };
    for (expected, happened, passes) in [
        (Expected::Failure(FailureKind::InputUnusable), Err(failure()), true),
        (Expected::Failure(FailureKind::TableMissing), Err(failure()), false),
        (Expected::Failure(FailureKind::TableMissing), Ok(decision()), false),
        (Expected::Decision { subset: Some(json!({})), absent: None }, Err(failure()), false),
    ] {
        let case = RuleCase { name: "c".to_owned(), case: json!({}), expected };
        assert_eq!(compare_rule_set(&case, &happened).is_empty(), passes, "{happened:?}");
    }
}
