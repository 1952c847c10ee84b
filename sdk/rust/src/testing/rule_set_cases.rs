//! Cases of rule sets: each JSON file in `cases/` holds cases and what is expected of their decisions.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::case_files::{listed, name, text};
use super::manifest::Manifest;
use super::{TestHub, report};
use crate::hub::{Hub, TableVersion};
use crate::rule_set::{Decision, RuleSet, Verdict, decide};
use crate::values::Date;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(default, rename = "about")]
    _about: String,
    today: Date,
    #[serde(default)]
    settings: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    name: String,
    case: Value,
    expect: Option<Value>,
    absent: Option<Value>,
    expect_failure: Option<String>,
}

/// Runs every case in `cases/` of a rule set's folder, `env!("CARGO_MANIFEST_DIR")`.
///
/// # Panics
/// If any case comes out otherwise than expected, with every difference; and if there is no case.
pub fn run_rule_set_cases<R: RuleSet>(folder: &str) {
    let folder = Path::new(folder);
    let manifest = Manifest::read(folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(manifest.kind == "rule-set", "plugin.toml says kind = {:?}, and a rule set is registered", manifest.kind);
    let hub = TestHub::of(&manifest, folder).unwrap_or_else(|error| panic!("{error}"));
    let (mut cases, mut wrong, mut hub) = (0, Vec::new(), hub);
    for path in listed(&folder.join("cases")).unwrap_or_else(|error| panic!("{error}")) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let read = text(&path).and_then(|text| serde_json::from_str::<CaseFile>(&text).map_err(|error| error.to_string()));
        let file = match read {
            Ok(file) => file,
            Err(error) => {
                cases += 1;
                wrong.push((name(&path), error));
                continue;
            }
        };
        hub = hub.today(file.today);
        let settings = Value::Object(file.settings).to_string();
        for case in &file.cases {
            cases += 1;
            let what = differences::<R>(&manifest, case, &settings, &hub.hub());
            if !what.is_empty() {
                wrong.push((format!("{}: {}", name(&path), case.name), what.join("\n")));
            }
        }
    }
    report(folder, cases, &wrong);
}

/// Everything in which a decision differs from what is expected of it.
fn differences<R: RuleSet>(manifest: &Manifest, case: &Case, settings: &str, hub: &Hub) -> Vec<String> {
    if case.expect.is_none() && case.absent.is_none() && case.expect_failure.is_none() {
        return vec!["the case expects nothing: give it \"expect\", \"absent\" or \"expect-failure\"".to_owned()];
    }
    match (decide::<R>(&case.case.to_string(), || settings.to_owned(), hub), &case.expect_failure) {
        (Err(failure), Some(kind)) if failure.kind() == kind => Vec::new(),
        (Err(failure), Some(kind)) => vec![format!("expected the failure {kind}, and it failed otherwise: {failure}")],
        (Err(failure), None) => vec![format!("it failed: {failure}")],
        (Ok(_), Some(kind)) => vec![format!("expected the failure {kind}, and it did not fail")],
        (Ok((decision, tables)), None) => {
            let mut differences = undeclared(manifest, &decision);
            let found = json_of(&decision, &tables);
            if let Some(expected) = &case.expect {
                differences.extend(unmatched(expected, &found, "").err());
            }
            if case.absent.as_ref().is_some_and(|absent| unmatched(absent, &found, "").is_ok()) {
                differences.push("it matches \"absent\", which it must not".to_owned());
            }
            if !differences.is_empty() {
                differences.push(format!("the decision was {found:#}"));
            }
            differences
        }
    }
}

/// What the hub would refuse of a decision.
fn undeclared(manifest: &Manifest, decision: &Decision) -> Vec<String> {
    let Some(declared) = &manifest.decision else { return vec!["plugin.toml has no [decision]".to_owned()] };
    let mut wrong = Vec::new();
    if !declared.outcomes.iter().any(|outcome| **outcome == *decision.outcome) {
        wrong.push(format!("plugin.toml declares no outcome {:?}", decision.outcome));
    }
    for (figure, _) in &decision.figures {
        if !declared.figures.iter().any(|declared| **declared == **figure) {
            wrong.push(format!("plugin.toml declares no figure {figure:?}"));
        }
    }
    let pointers = decision.reasons.iter().flat_map(|reason| &reason.evidence);
    wrong.extend(pointers.filter(|pointer| !pointer.is_empty() && !pointer.starts_with('/')).map(|p| format!("{p:?} is no JSON Pointer")));
    wrong
}

fn json_of(decision: &Decision, tables: &[TableVersion]) -> Value {
    let reasons = decision.reasons.iter().map(|reason| {
        let verdict = match reason.verdict {
            Verdict::Pass => "pass",
            Verdict::Refer => "refer",
            Verdict::Fail => "fail",
            Verdict::CannotCheck => "cannot-check",
            Verdict::Applies => "applies",
        };
        json!({"rule": reason.rule, "verdict": verdict, "text": reason.text, "evidence": reason.evidence})
    });
    let actions = decision.actions.iter();
    let actions = actions.map(|action| json!({"kind": action.kind, "party": action.party, "text": action.text, "due": action.due}));
    let figures: Map<String, Value> = decision.figures.iter().map(|(name, amount)| (name.to_string(), json!(amount))).collect();
    let tables = tables.iter().map(|version| {
        json!({
            "table": version.table, "version": version.version, "effective-from": version.effective_from,
            "effective-to": version.effective_to, "published": version.published,
        })
    });
    json!({
        "outcome": decision.outcome, "reasons": reasons.collect::<Vec<_>>(), "actions": actions.collect::<Vec<_>>(),
        "figures": figures, "tables": tables.collect::<Vec<_>>(),
    })
}

/// Whether everything that is expected is there: every key of an object, some element for every element of a list.
fn unmatched(expected: &Value, found: &Value, at: &str) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected.iter().try_for_each(|(key, value)| {
            let at = format!("{at}/{key}");
            found.get(key).map_or_else(|| Err(format!("{at}: nothing there, expected {value}")), |found| unmatched(value, found, &at))
        }),
        (Value::Array(expected), Value::Array(found)) => expected.iter().try_for_each(|value| {
            let any = found.iter().any(|found| unmatched(value, found, at).is_ok());
            if any { Ok(()) } else { Err(format!("{at}: no element matches {value}")) }
        }),
        _ if expected == found => Ok(()),
        _ => Err(format!("{at}: expected {expected}, found {found}")),
    }
}
