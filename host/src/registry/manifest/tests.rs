//! Manifests that are read, and every way in which one can be wrong, with its line.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::registry::package::{PackageError, read_folder};

pub(in crate::registry) const ADAPTER: &str = r#"name = "lgps-return"
version = "1.0.0"
kind = "adapter"
contract = "0.1.0"
title = "LGPS monthly return"
about = "Monthly rows."

[wants]
log = true
lookup = ["lgps-bands"]

[limits]
memory-bytes = 33554432

[settings]
schema = "settings.schema.json"

[rows]
independent = true

[[inputs]]
name = "payroll"
about = "One line a month."
optional = false
unique = [["employee_number", "period"]]
columns = [
  { name = "employee_number", type = "text", length-max = 20, about = "As on the payslip." },
  { name = "period", type = "date" },
  { name = "pay", type = "money" },
  { name = "hours", type = "decimal", scale = 3, required = false },
  { name = "ni_number", type = "text", personal = true },
  { name = "casual", type = "boolean" },
]

[[outputs]]
name = "return"
columns = [{ name = "pay", type = "money" }, { name = "ni_number", type = "text" }]

[[outputs]]
name = "ctr1"
aggregate-by = ["employer"]
columns = [{ name = "employer", type = "text" }, { name = "pay", type = "money" }, { name = "heads", type = "integer" }]

[[balance]]
name = "pay equals CTR1"
holds = "sum(return.pay) = sum(ctr1.pay)"
"#;

pub(in crate::registry) const SETTINGS_SCHEMA: &str = r#"{"type": "object", "properties": {"employer_code": {"type": "string"}}}"#;

pub(in crate::registry) const RULE_SET: &str = r#"name = "claim-routing"
version = "1.0.0"
kind = "rule-set"
contract = "0.1.0"
title = "Claim routing"

[case]
schema = "case.schema.json"
reference = "/reference"
amounts = { loss = "/loss", excess = "/excess" }
personal = ["/claimant/name"]

[decision]
outcomes = ["fund", "insurer"]
figures = ["fund_share"]

[[balance]]
name = "shares"
holds = "sum(decision.fund_share) = sum(case.loss) - sum(case.excess)"
"#;

const FORMAT: &str = r#"name = "bacs"
version = "1.0.0"
kind = "format"
contract = "0.2.0"
title = "Bacs"
ways = ["write", "read"]
columns = [
  { name = "payee", type = "text", length-max = 18 },
  { name = "amount", type = "money" },
]

[wants]
log = true
"#;

pub(in crate::registry) const CASE_SCHEMA: &str = r#"{"type": "object", "additionalProperties": false, "properties": {
  "reference": {"type": "string"}, "loss": {"type": "string"}, "excess": {"type": "string"},
  "claimant": {"type": "object", "additionalProperties": false, "properties": {"name": {"type": "string"}}}}}"#;

/// A manifest of an adapter.
pub(in crate::registry) fn adapter() -> Manifest {
    read_text(ADAPTER).unwrap()
}

fn read_text(manifest: &str) -> Result<Manifest, Problems> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("plugin.toml", manifest), ("settings.schema.json", SETTINGS_SCHEMA), ("case.schema.json", CASE_SCHEMA)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    match read_folder(folder.path()) {
        Ok(package) => Ok(package.manifest),
        Err(PackageError::Wrong(problems)) => Err(problems),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn an_adapter_is_read() {
    let manifest = read_text(ADAPTER).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.kind_name(), manifest.contract.as_str()), ("lgps-return", "adapter", "0.1.0"));
    assert_eq!(manifest.wants, Wants { log: true, lookup: vec!["lgps-bands".to_owned()], ..Wants::default() });
    assert_eq!(manifest.limits, [(Limit::MemoryBytes, 33_554_432)]);
    assert!(manifest.settings_schema.is_some());
    assert_eq!(manifest.balances[0].to_string(), "sum(return.pay) = sum(ctr1.pay)");
    let Kind::Adapter(shape) = manifest.kind else { panic!("an adapter") };
    assert!(shape.independent_rows);
    let payroll = &shape.inputs[0];
    assert_eq!(payroll.unique, [[0, 1]]);
    let kinds: Vec<_> = payroll.columns.iter().map(|column| column.kind).collect();
    let decimal = ColumnKind::Decimal { scale: 3 };
    assert_eq!(kinds, [ColumnKind::Text, ColumnKind::Date, ColumnKind::Money { scale: 2 }, decimal, ColumnKind::Text, ColumnKind::Boolean]);
    assert_eq!(payroll.columns.iter().map(|column| column.required).collect::<Vec<_>>(), [true, true, true, false, true, true]);
    assert!(payroll.columns[4].personal && payroll.columns[0].length_max == Some(20));
    assert_eq!((shape.outputs[0].aggregate_by.as_deref(), shape.outputs[1].aggregate_by.as_deref()), (None, Some(&[0][..])));
}

#[test]
fn a_rule_set_is_read() {
    let manifest = read_text(RULE_SET).unwrap();
    let Kind::RuleSet(shape) = manifest.kind else { panic!("a rule set") };
    assert_eq!(shape.amounts, [("loss".to_owned(), "/loss".to_owned()), ("excess".to_owned(), "/excess".to_owned())]);
    assert_eq!((shape.outcomes.join(" "), shape.figures.join(" ")), ("fund insurer".to_owned(), "fund_share".to_owned()));
    assert_eq!((shape.reference.as_str(), shape.personal[0].as_str()), ("/reference", "/claimant/name"));
}

#[test]
fn a_format_is_read() {
    let manifest = read_text(FORMAT).unwrap();
    assert_eq!((manifest.kind_name(), manifest.contract.as_str()), ("format", "0.2.0"));
    let Kind::Format(shape) = manifest.kind else { panic!("a format") };
    assert!(shape.writes && shape.reads);
    assert_eq!(shape.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["payee", "amount"]);
    let Kind::Format(shape) = read_text(&FORMAT.replace("\"write\", ", "")).unwrap().kind else { panic!("a format") };
    assert!(shape.reads && !shape.writes);
}

#[test]
fn wrong_formats_are_refused_with_their_line() {
    for (from, to, at, told) in [
        ("contract = \"0.2.0\"", "contract = \"0.1.0\"", "contract", "has no plugins of this kind"),
        ("ways = [\"write\", \"read\"]", "ways = []", "ways", "at least one way"),
        ("ways = [\"write\", \"read\"]", "ways = [\"both\"]", "ways", "unknown variant"),
        ("ways = [\"write\", \"read\"]\n", "", "kind", "at least one way"),
        ("\"amount\", type = \"money\"", "\"payee\", type = \"money\"", "money", "stands here twice"),
        ("\"amount\", type", "\"Amount\", type", "Amount", "not a column's name"),
        ("[wants]", "[rows]\nindependent = true\n[wants]", "[rows]", "a format has no rows"),
        ("log = true", "random = true", "random", "a format has no wants.random"),
        ("log = true", "state = true", "state", "a format has no wants.state"),
        ("[wants]", "[[inputs]]\nname = \"in\"\ncolumns = []\n[wants]", "[[inputs]]", "a format has no inputs"),
        ("[wants]", "[[balance]]\nname = \"b\"\nholds = \"count(a) = 0\"\n[wants]", "name = \"b\"", "a format has no balance"),
    ] {
        refused(FORMAT, (from, to), at, told);
    }
    for good in [ADAPTER, RULE_SET] {
        refused(good, ("contract = \"0.1.0\"", "contract = \"0.2.0\""), "contract", "has no plugins of this kind");
        refused(good, ("title =", "ways = [\"read\"]\ntitle ="), "ways", "only a format has ways");
    }
}

/// Replaces the first `from` of a good manifest by `to`; then the line that holds `at` must be told, in these words.
fn refused(good: &str, (from, to): (&str, &str), at: &str, told: &str) {
    assert!(good.contains(from), "{from}");
    let text = good.replacen(from, to, 1);
    let problems = read_text(&text).expect_err(to);
    let found = problems.as_slice().iter().find(|problem| problem.what().contains(told));
    let problem = found.unwrap_or_else(|| panic!("{to}: {problems}"));
    let line = text.lines().position(|line| line.contains(at)).map(|line| line + 1);
    assert_eq!(problem.line(), line, "{to}: {problem}");
    assert!(!problem.to_do().is_empty());
}

#[test]
fn wrong_adapters_are_refused_with_their_line() {
    for (from, to, at, told) in [
        ("[wants]", "colour = 1\n[wants]", "colour", "unknown field"),
        ("log = true", "logs = true", "logs", "unknown field"),
        ("type = \"text\", length-max", "type = \"txt\", length-max", "txt", "unknown variant"),
        ("name = \"lgps-return\"", "name = \"LGPS\"", "LGPS", "is not a name"),
        ("\"1.0.0\"", "\"1.0\"", "\"1.0\"", "not a version"),
        ("\"1.0.0\"", "\"1.0.01\"", "1.0.01", "not a version"),
        ("contract = \"0.1.0\"", "contract = \"9.0.0\"", "9.0.0", "does not serve contract"),
        ("title = \"LGPS monthly return\"", "title = \"\"", "title", "not one line"),
        ("[\"lgps-bands\"]", "[\"a\", \"a\"]", "lookup", "stands here twice"),
        ("[\"lgps-bands\"]", "[\"A\"]", "lookup", "not a table's name"),
        ("memory-bytes = 33554432", "memory = 1", "memory = 1", "there is no limit \"memory\""),
        ("memory-bytes = 33554432", "memory-bytes = 99000000000", "memory-bytes", "may be at most 1073741824"),
        ("memory-bytes = 33554432", "memory-bytes = 0", "memory-bytes", "nothing could run"),
        ("memory-bytes = 33554432", "memory-bytes = -1", "memory-bytes", "invalid value"),
        ("\"settings.schema.json\"", "\"other.schema.json\"", "other.schema", "there is no file"),
        ("\"settings.schema.json\"", "\"../x.schema.json\"", "../x", "not the name of a schema file"),
        ("name = \"payroll\"", "name = \"pay roll\"", "pay roll", "not a port's name"),
        ("name = \"payroll\"", "name = \"findings\"", "name = \"findings\"", "not a port's name"),
        ("name = \"ctr1\"", "name = \"payroll\"", "name = \"payroll\"", "stands here twice"),
        ("[\"employee_number\", \"period\"]", "[\"employee\"]", "[\"employee\"]", "no column \"employee\""),
        ("[\"employee_number\", \"period\"]", "[]", "unique", "names no column"),
        ("[\"employee_number\", \"period\"]", "[\"period\", \"period\"]", "unique", "stands here twice"),
        ("name = \"period\"", "name = \"Period\"", "Period", "not a column's name"),
        ("{ name = \"hours\"", "{ name = \"pay\"", "name = \"pay\", type = \"decimal\"", "stands here twice"),
        ("scale = 3", "scale = 19", "scale = 19", "no room in 64 bits"),
        ("scale = 3, ", "", "\"hours\"", "says its scale"),
        ("type = \"date\"", "type = \"date\", scale = 2", "type = \"date\"", "only decimal and money"),
        ("type = \"date\"", "type = \"date\", length-max = 2", "type = \"date\"", "only text columns"),
        ("length-max = 20", "length-max = 0", "length-max = 0", "cannot be held"),
        ("optional = false", "aggregate-by = [\"period\"]", "aggregate-by", "input cannot be an aggregate"),
        ("aggregate-by = [\"employer\"]", "aggregate-by = [\"pay\"]", "aggregate-by", "employer is text and cannot be added up"),
        ("aggregate-by = [\"employer\"]", "optional = true", "optional = true", "output cannot be optional"),
        ("aggregate-by = [\"employer\"]", "unique = [[\"employer\"]]", "unique = [[\"employer\"]]", "output cannot be unique"),
        ("sum(ctr1.pay)", "sum(ctr1.pay", "holds", "not a balance"),
        ("sum(ctr1.pay)", "sum(ctr2.pay)", "holds", "no input or output \"ctr2\""),
        ("sum(ctr1.pay)", "sum(ctr1.employer)", "holds", "could be added up"),
        (
            "[[balance]]",
            "[case]\nschema = \"case.schema.json\"\nreference = \"/reference\"\n[[balance]]",
            "[case]",
            "an adapter has no [case]",
        ),
        ("kind = \"adapter\"", "kind = \"rule-set\"", "kind", "a rule set has a [case]"),
        ("kind = \"adapter\"", "kind = \"rule-set\"", "[[inputs]]", "has no inputs and outputs"),
        ("kind = \"adapter\"", "kind = \"formats\"", "kind", "unknown variant"),
    ] {
        let line_twice = to == "name = \"payroll\"";
        let good = if line_twice { ADAPTER.replacen("name = \"payroll\"", "name = 'payroll'", 1) } else { ADAPTER.to_owned() };
        refused(&good, (from, to), at, told);
    }
}

#[test]
fn wrong_rule_sets_are_refused_with_their_line() {
    for (from, to, at, told) in [
        ("reference = \"/reference\"", "reference = \"reference\"", "reference = ", "not a JSON Pointer"),
        ("reference = \"/reference\"", "reference = \"/number\"", "reference = ", "nothing at /number"),
        ("loss = \"/loss\"", "loss = \"/los\"", "amounts", "nothing at /los"),
        ("loss = \"/loss\"", "Loss = \"/loss\"", "amounts", "not a name for this amount"),
        ("/claimant/name", "/claimant/surname", "personal", "nothing at /claimant/surname"),
        ("[\"fund\", \"insurer\"]", "[]", "outcomes", "at least one outcome"),
        ("[\"fund\", \"insurer\"]", "[\"fund\", \"fund\"]", "outcomes", "stands here twice"),
        ("[\"fund_share\"]", "[\"fund-share\"]", "figures", "not a name for this figure"),
        ("sum(decision.fund_share)", "sum(decision.share)", "holds", "could be added up"),
        ("sum(decision.fund_share)", "sum(cases.loss)", "holds", "ports are case and decision"),
        ("[decision]", "[rows]\nindependent = true\n[decision]", "[rows]", "has no [rows]"),
        ("kind = \"rule-set\"", "kind = \"adapter\"", "kind", "at least one input"),
    ] {
        refused(RULE_SET, (from, to), at, told);
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let text = ADAPTER.replace("\"1.0.0\"", "\"one\"").replace("scale = 3", "scale = 30").replace("sum(ctr1.pay)", "sum(ctr1.nothing)");
    let lines: Vec<_> = read_text(&text).unwrap_err().as_slice().iter().map(Problem::line).collect();
    assert_eq!(lines, [Some(2), Some(30)]);
}

#[test]
fn lists_that_would_take_for_ever_to_compare_are_refused_at_once() {
    // A package may be large enough for a million names, which are half a million million pairs.
    let many = |each: &dyn Fn(usize) -> String| (0..20_000).map(each).collect::<Vec<_>>();
    let names = many(&|place| format!("\"a{place}\"")).join(",");
    let columns = many(&|place| format!("{{ name = \"c{place}\", type = \"integer\" }}")).join(",");
    let port = |place| format!("[[outputs]]\nname = \"p{place}\"\ncolumns = [{{ name = \"a\", type = \"integer\" }}]\n");
    let balance = |place| format!("[[balance]]\nname = \"b{place}\"\nholds = \"0 = 0\"\n");
    for (good, from, to, told) in [
        (ADAPTER, "\"lgps-bands\"", names.clone(), "the first table beyond 1000, and there are 20000"),
        (ADAPTER, "\"employee_number\", \"period\"", names.clone(), "the first column beyond 1000, and there are 20000"),
        (ADAPTER, "{ name = \"period\", type = \"date\" }", columns, "payroll has 20005 columns"),
        (ADAPTER, "[[balance]]\n", many(&port).concat() + "[[balance]]\n", "the first port beyond 1000, and there are 20003"),
        (ADAPTER, "[[balance]]\n", many(&balance).concat() + "[[balance]]\n", "the first balance beyond 1000, and there are 20001"),
        (RULE_SET, "\"fund\", \"insurer\"", names.clone(), "the first outcome beyond 1000, and there are 20000"),
        (RULE_SET, "\"fund_share\"", names, "the first figure beyond 1000, and there are 20000"),
    ] {
        let problems = read_text(&good.replacen(from, &to, 1)).expect_err(told);
        assert!(problems.as_slice().iter().any(|problem| problem.what().contains(told)), "{told}: {}", problems.as_slice()[0]);
    }
}
