//! Decides who approves a purchase. Change the structs, `plugin.toml`, the schemas and the cases together.

#![forbid(unsafe_code)]

use bailiwick_sdk::{Action, Date, Decision, Failure, Hub, Money, RuleReason, RuleSet, register};
use serde::Deserialize;

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

/// What the operator sets in the job.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Amount from which three quotations are needed.
    quotations_from: Money,
}

/// A case, as `case.schema.json` describes it.
#[derive(Debug, Deserialize)]
pub struct Purchase {
    ordered_on: Date,
    amount: Money,
    quotations: Option<u8>,
}

impl RuleSet for Plugin {
    type Settings = Settings;
    type Case = Purchase;

    fn decide(case: &Purchase, settings: &Settings, hub: &Hub) -> Result<Decision, Failure> {
        let quotations = quotations(case, settings);
        if quotations.verdict == bailiwick_sdk::Verdict::Fail {
            let mend = Action::new("complete", "requester", "Obtain three quotations and submit the request again.");
            return Ok(Decision::new("returned").because(quotations).action(mend).figure("committed", Money::ZERO));
        }
        let approver = approver(case, hub)?;
        let text = format!("A purchase of £{} is approved by the {approver}.", case.amount);
        let limit = RuleReason::applies("delegated-limit", text).on("/amount").on("/ordered_on");
        let outcome = if approver == "requester" { "approved" } else { "approval-needed" };
        let mut decision = Decision::new(outcome).because(quotations).because(limit).figure("committed", case.amount);
        if outcome == "approval-needed" {
            let ask = Action::new("approve", approver, "Approve or refuse the purchase.").by(case.ordered_on + 5);
            decision = decision.action(ask);
        }
        Ok(decision)
    }
}

fn quotations(case: &Purchase, settings: &Settings) -> RuleReason {
    const RULE: &str = "three-quotations";
    if case.amount < settings.quotations_from {
        return RuleReason::pass(RULE, "No quotations are needed below the limit.").on("/amount");
    }
    match case.quotations {
        None => RuleReason::cannot_check(RULE, "The request does not say how many quotations there are.").on("/amount"),
        Some(0..3) => RuleReason::fail(RULE, "Three quotations are needed.").on("/amount").on("/quotations"),
        Some(_) => RuleReason::pass(RULE, "There are three quotations or more.").on("/quotations"),
    }
}

/// Who may approve so much on the day of the order; the board where no limit in the table is high enough.
fn approver(case: &Purchase, hub: &Hub) -> Result<String, Failure> {
    for row in hub.table("approval-limits", case.ordered_on)?.read_all() {
        if case.amount <= row.money("up_to")? {
            return Ok(row.text("approver")?.to_owned());
        }
    }
    Ok("board".to_owned())
}

register!(rule_set Plugin);

#[cfg(test)]
mod tests {
    #[test]
    fn cases() {
        bailiwick_sdk::testing::run_cases::<super::Plugin>(env!("CARGO_MANIFEST_DIR"));
    }
}
