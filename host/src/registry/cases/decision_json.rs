//! A decision as JSON: the one form that case files, the command line and the API share.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::outcome::{Decision, Verdict};

/// The JSON form of a decision. What is not known is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionJson {
    outcome: String,
    reasons: Vec<ReasonJson>,
    actions: Vec<ActionJson>,
    figures: BTreeMap<String, String>,
    tables: Vec<TableJson>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ReasonJson {
    rule: String,
    verdict: &'static str,
    text: String,
    evidence: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ActionJson {
    kind: String,
    party: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct TableJson {
    table: String,
    version: String,
    effective_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<String>,
}

/// A decision as a JSON value.
#[must_use]
pub fn decision_json(decision: &Decision) -> serde_json::Value {
    serde_json::to_value(DecisionJson::from(decision)).expect("texts and lists are always JSON")
}

impl From<&Decision> for DecisionJson {
    fn from(decision: &Decision) -> Self {
        let reasons = decision.reasons.iter().map(|reason| ReasonJson {
            rule: reason.rule.clone(),
            verdict: verdict_word(reason.verdict),
            text: reason.text.clone(),
            evidence: reason.evidence.clone(),
        });
        let actions = decision.actions.iter().map(|action| ActionJson {
            kind: action.kind.clone(),
            party: action.party.clone(),
            text: action.text.clone(),
            due: action.due.map(|due| due.to_string()),
        });
        let tables = decision.tables.iter().map(|version| TableJson {
            table: version.table.clone(),
            version: version.version.clone(),
            effective_from: version.effective_from.to_string(),
            effective_to: version.effective_to.map(|date| date.to_string()),
            published: version.published.map(|date| date.to_string()),
        });
        Self {
            outcome: decision.outcome.clone(),
            reasons: reasons.collect(),
            actions: actions.collect(),
            figures: decision.figures.iter().map(|(name, amount)| (name.clone(), amount.to_string())).collect(),
            tables: tables.collect(),
        }
    }
}

const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Refer => "refer",
        Verdict::Fail => "fail",
        Verdict::CannotCheck => "cannot-check",
        Verdict::Applies => "applies",
    }
}
