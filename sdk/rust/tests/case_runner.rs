//! The runner of cases: it passes what is right, and shows every difference of what is not.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

use bailiwick_sdk::testing::{Cases, run_cases};
use bailiwick_sdk::{Action, Adapter, Context, Decision, Failure, Hub, Money, Out, Reject, Rows, RuleReason, RuleSet, register};
use serde::{Deserialize, Serialize};

struct Copy;

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    name: &'a str,
    amount: Money,
}

impl Adapter for Copy {
    type Settings = ();

    fn open(_: &Context, (): (), hub: &Hub) -> Result<Self, Failure> {
        hub.table("bands", hub.today()).map(|_| Self)
    }

    fn push(&mut self, _: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        for row in rows.read::<Line>() {
            if row.value.amount.is_negative() {
                out.reject(row.number, Reject::new("negative", "m").column("amount"));
            } else {
                out.write("lines", &row.value)?;
                out.write("sums", &row.value)?;
            }
        }
        Ok(())
    }
}

register!(adapter Copy);

const ADAPTER: &str = r#"
name = "copy"
version = "1.0.0"
kind = "adapter"
contract = "0.1.0"
title = "Copy"
[wants]
clock = true
lookup = ["bands"]
[[inputs]]
name = "in"
columns = [{ name = "name", type = "text", length-max = 12 }, { name = "amount", type = "money" }]
[[outputs]]
name = "lines"
columns = [{ name = "name", type = "text" }, { name = "amount", type = "money" }]
[[outputs]]
name = "sums"
aggregate-by = ["name"]
columns = [{ name = "name", type = "text" }, { name = "amount", type = "money" }]
"#;

const BANDS: &str = r#"
table = "bands"
[[versions]]
version = "v"
effective-from = 2026-04-01
source = "made up"
rows = "bands.csv"
"#;

struct Judge;

#[derive(Deserialize)]
struct Case {
    amount: Money,
}

impl RuleSet for Judge {
    type Settings = ();
    type Case = Case;

    fn decide(case: &Case, (): &(), hub: &Hub) -> Result<Decision, Failure> {
        let reason = RuleReason::pass("size", "Small.").on("/amount");
        let due = Action::new("pay", "clerk", "Pay.").by(hub.today() + 1);
        let outcome = if case.amount.is_negative() { "undeclared" } else { "paid" };
        Ok(Decision::new(outcome).because(reason).action(due).figure("sum", case.amount))
    }
}

register!(rule_set Judge);

const RULE_SET: &str = r#"
name = "judge"
version = "1.0.0"
kind = "rule-set"
contract = "0.1.0"
title = "Judge"
[wants]
clock = true
[decision]
outcomes = ["paid"]
figures = ["sum"]
"#;

/// A plugin's folder with some files; `changed` files replace those of the same name, empty ones are left out.
fn folder(name: &str, files: &[(&str, &str)], changed: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    for (path, text) in files.iter().filter(|(path, _)| !changed.iter().any(|(other, _)| path == other)).chain(changed) {
        if !text.is_empty() {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    folder
}

/// What the runner says; none if it is content.
fn verdict<P: Cases>(folder: &Path) -> Option<String> {
    let run = || run_cases::<P>(folder.to_str().unwrap());
    std::panic::catch_unwind(run).err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn adapters() {
    let files = [
        ("plugin.toml", ADAPTER),
        ("tables/bands.toml", BANDS),
        ("tables/bands.csv", "rate\n1\n"),
        ("cases/one/case.toml", "today = 2026-10-19\n"),
        ("cases/one/in/in.csv", "amount,name\n1.5,b\n-1,a\n2.00,a\n3,\"b\"\n4,\"x, \"\"y\"\"\"\n"),
        ("cases/one/expected/lines.csv", "name,amount\nb,1.50\na,2.00\nb,3.00\n\"x, \"\"y\"\"\",4.00\n"),
        ("cases/one/expected/sums.csv", "name,amount\na,2.00\nb,4.50\n\"x, \"\"y\"\"\",4.00\n"),
        ("cases/one/expected/findings.csv", "input,row,effect,column,code\nin,1,reject,amount,negative\n"),
    ];
    assert_eq!(verdict::<Copy>(&folder("right", &files, &[])), None);
    let fails = "today = 2026-03-31\nexpect-failure = \"table-missing\"\n";
    assert_eq!(verdict::<Copy>(&folder("fails", &files, &[("cases/one/case.toml", fails)])), None);
    for (number, (changed, told)) in [
        (("cases/one/expected/lines.csv", "name,amount\nb,1.50\n"), "line 3\n    expected \n    found    a,2.00"),
        (("cases/one/expected/lines.csv", ""), "expected/lines.csv"),
        (("cases/one/expected/sums.csv", "name,amount\nb,4.50\n"), "expected/sums.csv"),
        (("cases/one/expected/findings.csv", ""), "in,1,reject,amount,negative"),
        (("cases/one/expected/other.csv", "a\n"), "declares no such output"),
        (("cases/one/in/other.csv", "a\n"), "declares no such input"),
        (("cases/one/in/in.csv", ""), "in/in.csv is missing"),
        (("cases/one/in/in.csv", "name,amount\na,x\n"), "row 0 of in, column amount"),
        (("cases/one/in/in.csv", "name,amount\na,\n"), "the hub refuses a row without this value"),
        (("cases/one/in/in.csv", "name,amount\na,1.005\n"), "row 0 of in, column amount"),
        (("cases/one/in/in.csv", "name,amount\nabcdefghijklm,1\n"), "longer than length-max"),
        (("cases/one/in/in.csv", "name\na\n"), "the header lacks amount"),
        (("cases/one/in/in.csv", "name,amount,more\na,1,2\n"), "declares no column more"),
        (("cases/one/case.toml", "today = 2026-03-31\n"), "table bands has no version in force on 2026-03-31"),
        (("cases/one/case.toml", "today = 2026-10-19\nexpect-failure = \"table-missing\"\n"), "it did not fail"),
        (("cases/one/case.toml", "today = 2026-03-31\nexpect-failure = \"plugin-defect\"\n"), "it failed otherwise"),
        (("cases/one/case.toml", "today = 2026-10-19\ntomorrow = 1\n"), "unknown field `tomorrow`"),
        (("cases/two/case.toml", "today = 2026-10-19\n"), "1 of 2 cases"),
        (("plugin.toml", &ADAPTER.replace("columns", "colums")), "unknown field `colums`"),
        (("plugin.toml", &ADAPTER.replace("clock = true", "")), "write clock = true under [wants]"),
        (("plugin.toml", &ADAPTER.replace("\"adapter\"", "\"rule-set\"")), "an adapter is registered"),
    ]
    .into_iter()
    .enumerate()
    {
        let said = verdict::<Copy>(&folder(&format!("wrong-{number}"), &files, &[changed])).unwrap_or_default();
        assert!(said.contains(told), "{}: {told:?} is not in:\n{said}", changed.0);
    }
    let none: Vec<_> = files.iter().filter(|(path, _)| !path.starts_with("cases")).copied().collect();
    assert!(verdict::<Copy>(&folder("none", &none, &[])).unwrap().contains("holds no case"));
}

#[test]
fn rule_sets() {
    let file = |case: &str| format!(r#"{{"about": "", "today": "2026-10-31", "cases": [{{"name": "n", {case}}}]}}"#);
    let right = r#""case": {"amount": "5.00"}, "expect": {"outcome": "paid", "reasons": [{"evidence": ["/amount"]}], "actions": [{"due": "2026-11-01"}], "figures": {"sum": "5.00"}}, "absent": {"outcome": "unpaid"}"#;
    let judged = |name: &str, case: &str| verdict::<Judge>(&folder(name, &[("plugin.toml", RULE_SET), ("cases/a.json", &file(case))], &[]));
    assert_eq!(judged("judge-right", right), None);
    for (number, (from, to, told)) in [
        ("\"paid\"", "\"unpaid\"", "/outcome: expected \"unpaid\", found \"paid\""),
        ("\"unpaid\"", "\"paid\"", "matches \"absent\""),
        ("[\"/amount\"]", "[\"/sum\"]", "/reasons: no element matches"),
        ("\"sum\": ", "\"total\": ", "/figures/total: nothing there"),
        ("2026-11-01", "2026-11-02", "/actions: no element matches"),
        ("\"5.00\"}, \"exp", "\"-5.00\"}, \"exp", "declares no outcome \"undeclared\""),
        ("\"amount\": \"5.00\"", "\"amount\": 5", "case-unreadable"),
        ("\"expect\"", "\"expected\"", "unknown field `expected`"),
        ("\"absent\": {\"outcome\": \"unpaid\"}", "\"expect-failure\": \"table-missing\"", "it did not fail"),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(right.contains(from), "{from}");
        let said = judged(&format!("judge-wrong-{number}"), &right.replacen(from, to, 1)).unwrap_or_default();
        assert!(said.contains(told), "{told:?} is not in:\n{said}");
    }
    assert!(judged("judge-silent", r#""case": {"amount": "5.00"}"#).unwrap().contains("expects nothing"));
}
