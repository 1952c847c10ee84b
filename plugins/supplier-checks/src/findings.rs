//! What the rules find, gathered in order, and the outcome that follows from it. It knows no rule.

use bailiwick_sdk::{Action, Date, Decision, RuleReason, Verdict};

/// Reasons and actions of one case.
#[derive(Default)]
pub(crate) struct Findings {
    reasons: Vec<RuleReason>,
    actions: Vec<Action>,
}

/// A rule and what of the case it rests on, as JSON Pointers.
#[derive(Clone, Copy)]
pub(crate) struct Rule<'a> {
    id: &'static str,
    evidence: &'a [&'a str],
}

/// A rule that rests on these places of the case.
pub(crate) const fn rule<'a>(id: &'static str, evidence: &'a [&'a str]) -> Rule<'a> {
    Rule { id, evidence }
}

impl Findings {
    /// The rule was applied and is content.
    pub(crate) fn pass(&mut self, rule: Rule<'_>, text: &str) {
        self.add(rule, Verdict::Pass, text);
    }

    /// The rule was applied and a person must look.
    pub(crate) fn refer(&mut self, rule: Rule<'_>, text: &str) {
        self.add(rule, Verdict::Refer, text);
    }

    /// The rule was applied and is against.
    pub(crate) fn fail(&mut self, rule: Rule<'_>, text: &str) {
        self.add(rule, Verdict::Fail, text);
    }

    /// The rule could not be applied, for want of data.
    pub(crate) fn cannot_check(&mut self, rule: Rule<'_>, text: &str) {
        self.add(rule, Verdict::CannotCheck, text);
    }

    /// The rule has nothing to judge here, and says why.
    pub(crate) fn applies(&mut self, rule: Rule<'_>, text: &str) {
        self.add(rule, Verdict::Applies, text);
    }

    /// Something to be done. The same thing is not asked for twice.
    pub(crate) fn action(&mut self, kind: &'static str, party: &'static str, text: &str, due: Option<Date>) {
        let action = Action { due, ..Action::new(kind, party, text.to_owned()) };
        if !self.actions.contains(&action) {
            self.actions.push(action);
        }
    }

    /// The supplier must be asked for something.
    pub(crate) fn ask(&mut self, text: &str) {
        self.action("ask-supplier", "Supplier", text, None);
    }

    /// The supplier must be called back.
    pub(crate) fn call_back(&mut self, text: &str) {
        self.action("call-back", "Exchequer", text, None);
    }

    /// The bank must be asked whose account it is.
    pub(crate) fn check_payee(&mut self) {
        self.action("check-payee", "Exchequer", "Ask for a confirmation of payee.", None);
    }

    /// The decision: one rule against rejects, one open question refers, and only what is free of both is approved.
    pub(crate) fn decide(self) -> Decision {
        let any = |wanted: &[Verdict]| self.reasons.iter().any(|reason| wanted.contains(&reason.verdict));
        let outcome = if any(&[Verdict::Fail]) {
            "reject"
        } else if any(&[Verdict::Refer, Verdict::CannotCheck]) {
            "refer"
        } else {
            "approve"
        };
        let mut actions = self.actions;
        // In the order in which they fall due; what has no date is due now.
        actions.sort_by_key(|action| action.due);
        Decision { actions, ..Decision::new(outcome).because_of(self.reasons) }
    }

    fn add(&mut self, rule: Rule<'_>, verdict: Verdict, text: &str) {
        let reason = RuleReason::new(rule.id, verdict, text.to_owned());
        self.reasons.push(rule.evidence.iter().fold(reason, |reason, pointer| reason.on((*pointer).to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERDICTS: [Verdict; 5] = [Verdict::Pass, Verdict::Refer, Verdict::Fail, Verdict::CannotCheck, Verdict::Applies];

    proptest::proptest! {
        #[test]
        fn nothing_open_is_ever_approved(places in proptest::collection::vec(0_usize..5, 0..8)) {
            let mut findings = Findings::default();
            for place in &places {
                findings.add(rule("any", &[]), VERDICTS[*place], "");
            }
            let has = |verdict| places.iter().any(|place| VERDICTS[*place] == verdict);
            let expect = if has(Verdict::Fail) { "reject" } else if has(Verdict::Refer) || has(Verdict::CannotCheck) { "refer" } else { "approve" };
            proptest::prop_assert_eq!(findings.decide().outcome, expect);
        }
    }
}
