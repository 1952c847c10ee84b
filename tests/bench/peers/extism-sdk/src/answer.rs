//! A decision as JSON, in the form that Bailiwick's API has.

use std::borrow::Cow;
use std::collections::BTreeMap;

use real::{Date, Decision, Verdict};
use serde::Serialize;

use crate::tables::Which;

#[derive(Serialize)]
struct DecisionJson<'a> {
    outcome: &'a str,
    reasons: Vec<ReasonJson<'a>>,
    actions: Vec<ActionJson<'a>>,
    figures: BTreeMap<&'a str, String>,
    tables: Vec<Which>,
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    rule: &'a str,
    verdict: &'static str,
    text: &'a str,
    evidence: &'a [Cow<'static, str>],
}

#[derive(Serialize)]
struct ActionJson<'a> {
    kind: &'a str,
    party: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Date>,
}

/// Writes a decision with the versions of tables that it rests on.
pub fn json(decision: &Decision, tables: Vec<Which>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&shaped(decision, tables))
}

fn shaped(decision: &Decision, tables: Vec<Which>) -> DecisionJson<'_> {
    let reasons = decision.reasons.iter().map(|reason| ReasonJson {
        rule: &reason.rule,
        verdict: word(reason.verdict),
        text: &reason.text,
        evidence: &reason.evidence,
    });
    let actions =
        decision.actions.iter().map(|action| ActionJson { kind: &action.kind, party: &action.party, text: &action.text, due: action.due });
    DecisionJson {
        outcome: &decision.outcome,
        reasons: reasons.collect(),
        actions: actions.collect(),
        figures: decision.figures.iter().map(|(name, amount)| (&**name, amount.to_string())).collect(),
        tables,
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Refer => "refer",
        Verdict::Fail => "fail",
        Verdict::CannotCheck => "cannot-check",
        Verdict::Applies => "applies",
    }
}
