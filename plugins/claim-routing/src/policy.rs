//! Who pays what: the terms of the policy, the excess, and the fund's stop for the year.

use bailiwick_sdk::{Decimal, Failure, Hub, Money, Rounding, RuleReason, TableRow};

use crate::case::Claim;
use crate::wording::Pounds;

/// The terms that decide the split.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// The fund bears each loss up to and including this.
    pub excess: Money,
    /// The fund bears no more than this for the class in a policy year.
    pub aggregate_stop: Option<Money>,
}

/// A loss, shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Split {
    /// What the fund pays.
    pub fund: Money,
    /// What the insurer pays.
    pub insurer: Money,
    /// Whether the stop left the fund with less than the excess alone would have.
    pub stopped: bool,
}

/// The policy that a claim falls under.
#[derive(Debug)]
pub(crate) struct Policy {
    /// What decides the split.
    pub terms: Terms,
    row: TableRow,
}

impl Policy {
    /// The policy of the claim's class on the day of its accident.
    pub(crate) fn of(claim: &Claim, accident: bailiwick_sdk::Date, hub: &Hub) -> Result<Self, Failure> {
        let class = claim.class.name();
        let mut rows = hub.table("insurance-policy", accident)?.find("class", class)?;
        let Some(row) = rows.pop() else {
            let message = format!("The insurance policy of {accident} has no row for {class}: add it to the table insurance-policy.");
            return Err(Failure::settings("policy-lacks-class", message));
        };
        let aggregate_stop = match row.get("aggregate_stop") {
            Some(_) => Some(row.money("aggregate_stop")?),
            None => None,
        };
        Ok(Self { terms: Terms { excess: row.money("excess")?, aggregate_stop }, row })
    }

    /// Who handles a claim whose loss is within the excess, or above it.
    pub(crate) fn handler(&self, above: bool) -> Result<String, Failure> {
        Ok(self.row.text(if above { "handler_above" } else { "handler_within" })?.to_owned())
    }

    /// Why the insurer must be told of the claim, if it must.
    pub(crate) fn insurer_notification(&self, claim: &Claim) -> Result<Option<RuleReason>, Failure> {
        const RULE: &str = "insurer-notification";
        if let Some(injury) = claim.injury {
            let kind = injury.kind.name();
            if self.row.get("always_notify").is_some_and(|kinds| kinds.split(' ').any(|named| named == kind)) {
                let text = format!("The insurer must be told of every claim for injury of this kind: {kind}.");
                return Ok(Some(RuleReason::applies(RULE, text).on("/injury/kind")));
            }
        }
        let hundredth = self.row.decimal("insurer_notify_percent")? * Decimal::new(1, 2);
        let threshold = self.terms.excess.checked_times(hundredth, Rounding::Up)?;
        if claim.loss < threshold {
            return Ok(None);
        }
        let text = format!("The insurer must be told of a loss from {} on.", Pounds(threshold));
        Ok(Some(RuleReason::applies(RULE, text).on("/loss")))
    }
}

/// Shares a loss out. `paid` is what the fund has paid in the policy year before; unknown counts as nothing.
pub(crate) fn split(loss: Money, terms: Terms, paid: Option<Money>) -> Split {
    let by_excess = loss.min(terms.excess);
    let left = match (terms.aggregate_stop, paid) {
        (Some(stop), Some(paid)) if paid < stop => less(stop, paid),
        (Some(_), Some(_)) => Money::ZERO,
        _ => by_excess,
    };
    let fund = by_excess.min(left);
    Split { fund, insurer: less(loss, fund), stopped: fund < by_excess }
}

/// What is left of the larger of two amounts that are not negative.
fn less(larger: Money, smaller: Money) -> Money {
    larger.checked_sub(smaller).expect("the difference of two amounts that are not negative fits")
}

/// The split in words.
pub(crate) fn split_reason(loss: Money, split: Split, terms: Terms) -> RuleReason {
    let (loss_text, excess) = (Pounds(loss), Pounds(terms.excess));
    let text = if loss.is_zero() {
        "The fund pays nothing yet: no reserve is set.".into()
    } else if split.stopped && split.fund.is_zero() {
        format!("The insurer pays all of {loss_text}: the fund has reached its stop for the policy year.")
    } else if split.insurer.is_zero() {
        format!("The fund pays all of {loss_text}: it is within the excess of {excess}.")
    } else {
        format!("Of {loss_text} the fund pays {} and the insurer {}: the excess is {excess}.", Pounds(split.fund), Pounds(split.insurer))
    };
    RuleReason::applies("fund-insurer-split", text).on("/loss").on("/class").on("/accident_date")
}

/// What the stop made of the claim, where the policy has one.
pub(crate) fn stop_reason(claim: &Claim, split: Split, terms: Terms) -> Option<RuleReason> {
    const RULE: &str = "aggregate-stop";
    let stop = Pounds(terms.aggregate_stop?);
    let Some(paid) = claim.paid_this_policy_year else {
        let text = format!("What the fund has paid this policy year is missing, so its stop of {stop} cannot be checked.");
        return Some(RuleReason::cannot_check(RULE, text).on("/paid_this_policy_year"));
    };
    let paid = Pounds(paid);
    let text = if split.stopped {
        format!("The fund has paid {paid} this policy year and stops at {stop}: the insurer pays what is beyond.")
    } else {
        format!("The fund has paid {paid} this policy year, and this claim keeps it within its stop of {stop}.")
    };
    Some(RuleReason::applies(RULE, text).on("/paid_this_policy_year"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXCESS: i64 = 10_000_000;
    const STOP: i64 = 150_000_000;

    fn pence(amount: i64) -> Money {
        Money::from_pence(amount)
    }

    #[test]
    fn a_penny_either_side_of_the_excess() {
        let terms = Terms { excess: pence(EXCESS), aggregate_stop: None };
        for (loss, fund, insurer) in [
            (0, 0, 0),
            (1, 1, 0),
            (EXCESS - 1, EXCESS - 1, 0),
            (EXCESS, EXCESS, 0),
            (EXCESS + 1, EXCESS, 1),
            (13_850_000, EXCESS, 3_850_000),
        ] {
            let expected = Split { fund: pence(fund), insurer: pence(insurer), stopped: false };
            assert_eq!(split(pence(loss), terms, None), expected, "{loss}");
        }
    }

    #[test]
    fn a_penny_either_side_of_the_stop() {
        let terms = Terms { excess: pence(EXCESS), aggregate_stop: Some(pence(STOP)) };
        for (paid, fund, stopped) in [
            (None, EXCESS, false),
            (Some(0), EXCESS, false),
            (Some(STOP - EXCESS), EXCESS, false),
            (Some(STOP - EXCESS + 1), EXCESS - 1, true),
            (Some(STOP - 1), 1, true),
            (Some(STOP), 0, true),
            (Some(STOP + 1), 0, true),
        ] {
            let split = split(pence(13_850_000), terms, paid.map(pence));
            assert_eq!((split.fund, split.stopped), (pence(fund), stopped), "{paid:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(loss in 0..=i64::MAX, excess in 0..=i64::MAX, stop in prop::option::of(0..=i64::MAX), paid in prop::option::of(0..=i64::MAX)) {
            let terms = Terms { excess: pence(excess), aggregate_stop: stop.map(pence) };
            let split = split(pence(loss), terms, paid.map(pence));
            prop_assert_eq!(split.fund.checked_add(split.insurer), Ok(pence(loss)));
            prop_assert!(!split.fund.is_negative() && split.fund <= terms.excess);
            if let (Some(stop), Some(paid)) = (stop, paid) {
                prop_assert!(split.fund.is_zero() || i128::from(paid) + i128::from(split.fund.coefficient()) <= i128::from(stop));
            }
        }
    }
}
