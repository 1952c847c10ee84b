//! The whiplash tariff: what it gives for a duration, and whether the damages claimed are that.

use bailiwick_sdk::{Date, Failure, Hub, RuleReason};

use crate::case::{Injury, InjuryKind};
use crate::wording::Pounds;

const RULE: &str = "whiplash-tariff";

/// What the tariff of the day of the accident says of an injury; nothing of injuries other than whiplash.
///
/// No tariff on file is no failure: the claim can be routed without one.
pub(crate) fn compare(injury: Injury, accident: Date, hub: &Hub) -> Result<Option<RuleReason>, Failure> {
    if injury.kind != InjuryKind::Whiplash {
        return Ok(None);
    }
    let Some(months) = injury.months else {
        return Ok(Some(
            RuleReason::cannot_check(RULE, "The duration of the whiplash is missing, so its tariff cannot be told.").on("/injury/months"),
        ));
    };
    let table = match hub.table("whiplash-tariff", accident) {
        Err(Failure::TableMissing { .. }) => {
            let text = format!("No whiplash tariff is on file for accidents on {accident}, so it cannot be checked.");
            return Ok(Some(RuleReason::cannot_check(RULE, text).on("/accident_date")));
        }
        opened => opened?,
    };
    let column = if injury.psychological { "with_psychological" } else { "whiplash" };
    for row in table.read_all() {
        if i64::from(months) <= row.integer("months_max")? {
            let tariff = row.money(column)?;
            let text = format!("The tariff for {months} months is {}", Pounds(tariff));
            let reason = match injury.damages {
                Some(damages) if damages != tariff => {
                    RuleReason::refer(RULE, format!("{text}, and the claim says {}.", Pounds(damages))).on("/injury/damages")
                }
                _ => RuleReason::applies(RULE, format!("{text}.")),
            };
            return Ok(Some(reason.on("/injury/months").on("/accident_date")));
        }
    }
    Ok(Some(
        RuleReason::refer(RULE, format!("The tariff does not reach to {months} months: somebody must value the injury."))
            .on("/injury/months"),
    ))
}
