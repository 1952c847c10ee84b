//! The case and decision of a rule set.

use toml::Spanned;

use crate::model::ids::is_name;
use crate::model::manifest::RuleSetShape;

use super::Reader;
use super::ports::is_column_name;
use super::written::{Case, Decision, Written};
use crate::registry::schema;

impl Reader<'_> {
    pub(super) fn rule_set(&mut self, written: &Written) -> Option<RuleSetShape> {
        self.no_format_keys(written);
        for port in written.inputs.iter().chain(&written.outputs) {
            self.wrong(port.span(), "a rule set has no inputs and outputs", "declare [case] and [decision], or write kind = \"adapter\"");
        }
        if let Some(rows) = &written.rows {
            self.wrong(rows.span(), "a rule set has no [rows]", "take it out: every case is decided apart from the others");
        }
        for (missing, key) in [(written.case.is_none(), "case"), (written.decision.is_none(), "decision")] {
            if missing {
                let kind = self.source.span_of(&["kind"]);
                self.problems.add(self.source.problem(kind, format!("a rule set has a [{key}]"), format!("add [{key}]")));
            }
        }
        let (case, decision) = (written.case.as_ref(), written.decision.as_ref());
        let outcomes = decision.map(|decision| self.outcomes(decision.get_ref()));
        let case = case.and_then(|case| self.case(case.get_ref()));
        let (decision, case, outcomes) = (decision?.get_ref(), case?, outcomes?);
        let figures = decision.figures.iter().map(|figure| figure.get_ref().clone()).collect();
        Some(RuleSetShape { outcomes, figures, ..case })
    }

    /// The case's part of the shape.
    fn case(&mut self, case: &Case) -> Option<RuleSetShape> {
        let schema = self.schema(&case.schema);
        let amounts = case.amounts.0.iter();
        let names: Vec<_> = amounts.clone().map(|(name, _)| name.clone()).collect();
        self.names(&names, "amount");
        for pointer in [&case.reference].into_iter().chain(amounts.clone().map(|(_, pointer)| pointer)).chain(&case.personal) {
            self.pointer(pointer, schema.as_ref());
        }
        let written = self.files.get(case.schema.get_ref()).ok();
        Some(RuleSetShape {
            case_schema: schema?,
            case_order: written.map(|source| schema::names_in_order(&source.text)).unwrap_or_default(),
            reference: case.reference.get_ref().clone(),
            amounts: amounts.map(|(name, pointer)| (name.get_ref().clone(), pointer.get_ref().clone())).collect(),
            personal: case.personal.iter().map(|pointer| pointer.get_ref().clone()).collect(),
            outcomes: Vec::new(),
            figures: Vec::new(),
        })
    }

    fn outcomes(&mut self, decision: &Decision) -> Vec<String> {
        let outcomes = decision.outcomes.get_ref();
        if outcomes.is_empty() {
            self.wrong(decision.outcomes.span(), "a decision has at least one outcome", "name the outcomes");
        }
        for outcome in outcomes {
            if !is_name(outcome.get_ref()) {
                self.wrong(
                    outcome.span(),
                    format!("{:?} is not an outcome's name", outcome.get_ref()),
                    "use lower-case letters, digits and hyphens",
                );
            }
        }
        self.once(outcomes, "outcome");
        self.names(&decision.figures, "figure");
        outcomes.iter().map(|outcome| outcome.get_ref().clone()).collect()
    }

    fn names(&mut self, names: &[Spanned<String>], what: &str) {
        for name in names {
            if !is_column_name(name.get_ref()) {
                self.wrong(
                    name.span(),
                    format!("{:?} is not a name for this {what}", name.get_ref()),
                    "use lower-case letters, digits and underscores",
                );
            }
        }
        self.once(names, what);
    }

    fn pointer(&mut self, pointer: &Spanned<String>, case_schema: Option<&serde_json::Value>) {
        let text = pointer.get_ref();
        if text.is_empty() || !schema::is_pointer(text) {
            self.wrong(pointer.span(), format!("{text:?} is not a JSON Pointer into a case"), "write, for instance, \"/claimant/name\"");
        } else if case_schema.is_some_and(|case_schema| !schema::admits(case_schema, text)) {
            self.wrong(pointer.span(), format!("the case's schema has nothing at {text}"), "point to a property that the schema lists");
        }
    }
}
