//! Routes an insurance claim: who handles it, what the fund and the insurer each pay, who must be told and by when.
//!
//! Amounts, limits, terms and departments are tables; the code knows only how they are put together.

#![forbid(unsafe_code)]

mod case;
mod policy;
mod portal;
mod tariff;
mod tasks;
mod term;
mod wording;

use bailiwick_sdk::{Action, Date, Decision, Failure, Hub, Money, RuleReason, RuleSet, register};

use policy::{Policy, Split};
use tasks::Tasks;

pub use case::{Change, Claim, Claimant, Class, Equipment, Injury, InjuryKind, PortalState, Riddor, Vehicle};
pub use term::Term;

/// The rule set.
#[derive(Debug)]
pub struct ClaimRouting;

impl RuleSet for ClaimRouting {
    type Settings = ();
    type Case = Claim;

    fn decide(claim: &Claim, (): &(), hub: &Hub) -> Result<Decision, Failure> {
        match claim.accident_date {
            Some(accident) => route(claim, accident, hub),
            None => advise(claim, hub),
        }
    }
}

register!(rule_set ClaimRouting);

/// Says whether a planned change needs the insurance unit's advice.
fn advise(claim: &Claim, hub: &Hub) -> Result<Decision, Failure> {
    const RULE: &str = "insurance-advice";
    let mut tasks = Tasks::new(claim, hub)?;
    tasks.because_of(tasks::advice(claim.change))?;
    let (outcome, reason) = if tasks.actions.is_empty() {
        ("no-action", RuleReason::pass(RULE, "A change of this kind needs no advice on insurance."))
    } else {
        ("advice", RuleReason::applies(RULE, "A change of this kind needs the insurance unit's advice beforehand."))
    };
    let nothing = Split { fund: Money::ZERO, insurer: Money::ZERO, stopped: false };
    Ok(decision(outcome, nothing, vec![reason.on("/change")], tasks.actions))
}

/// Routes a claim.
fn route(claim: &Claim, accident: Date, hub: &Hub) -> Result<Decision, Failure> {
    let policy = Policy::of(claim, accident, hub)?;
    let split = policy::split(claim.loss, policy.terms, claim.paid_this_policy_year);
    let mut reasons = Vec::with_capacity(8);
    reasons.push(dates_in_order(claim, accident, hub.today()));
    reasons.push(policy::split_reason(claim.loss, split, policy.terms));
    reasons.extend(policy::stop_reason(claim, split, policy.terms));
    if reasons[0].verdict == bailiwick_sdk::Verdict::Fail {
        let action = Action::new("check-dates", "insurance-unit", "Find out the right dates; nothing else is set in motion until then.");
        return Ok(decision("refer", split, reasons, vec![action]));
    }

    let mut tasks = Tasks::new(claim, hub)?;
    let scope = claim.injury.map(|injury| portal::scope(claim, injury, accident, hub)).transpose()?;
    let (portal_reason, portal_event) = scope.map_or((None, None), |scope| (Some(scope.reason), scope.event));
    tasks.actions.push(handling(&policy, split, portal_event.is_some())?);
    if let Some(reason) = policy.insurer_notification(claim)? {
        reasons.push(reason);
        tasks.because_of("insurer-must-know")?;
    }
    if let Some((reason, event)) = reserve(claim, policy.terms.excess) {
        reasons.push(reason);
        tasks.because_of(event)?;
    }
    for event in tasks::events(claim) {
        tasks.because_of(event)?;
    }
    if let Some(event) = &portal_event {
        tasks.because_of(event)?;
    }

    reasons.extend(portal_reason);
    if let Some(injury) = claim.injury {
        reasons.extend(tariff::compare(injury, accident, hub)?);
    }
    reasons.extend(equipment_unknown(claim));
    reasons.extend(limitation(claim, &tasks.actions));
    reasons.append(&mut tasks.reasons);
    Ok(decision(outcome(split, portal_event.is_some()), split, reasons, tasks.actions))
}

fn outcome(split: Split, in_portal: bool) -> &'static str {
    match (in_portal, split.fund.is_zero(), split.insurer.is_zero()) {
        (true, ..) => "portal",
        (false, _, true) => "fund",
        (false, true, false) => "insurer",
        (false, false, false) => "split",
    }
}

fn dates_in_order(claim: &Claim, accident: Date, today: Date) -> RuleReason {
    const RULE: &str = "dates-in-order";
    let reason = if accident > claim.received_date {
        RuleReason::fail(RULE, "The claim came in before the accident: one of the dates is wrong.")
    } else if claim.received_date > today {
        RuleReason::fail(RULE, "The claim is said to have come in after today: the date is wrong.")
    } else {
        RuleReason::pass(RULE, "The accident was not after the day on which the claim came in.")
    };
    reason.on("/accident_date").on("/received_date")
}

fn handling(policy: &Policy, split: Split, in_portal: bool) -> Result<Action, Failure> {
    let text = match (in_portal, split.insurer.is_zero()) {
        (true, _) => "Handle the claim in its portal.",
        (false, true) => "Handle the claim: the fund bears all of it.",
        (false, false) => "Handle the claim: the insurer bears a part or all of it.",
    };
    Ok(Action::new("handle", policy.handler(!split.insurer.is_zero())?, text))
}

fn equipment_unknown(claim: &Claim) -> Option<RuleReason> {
    let unknown = claim.class == Class::Engineering && claim.equipment.is_none();
    let text = "The claim does not say whether the equipment belongs to a building or a vehicle, so no department can be told.";
    unknown.then(|| RuleReason::cannot_check("departments", text).on("/equipment"))
}

fn reserve(claim: &Claim, excess: Money) -> Option<(RuleReason, &'static str)> {
    let (text, event) = if claim.loss.is_zero() {
        ("No reserve is set.", "reserve-not-set")
    } else if claim.loss > excess {
        ("The reserve is above the excess.", "reserve-above-excess")
    } else {
        return None;
    };
    Some((RuleReason::refer("reserve", text).on("/loss"), event))
}

/// Whether the claim came in before the end of limitation, as the diary has it.
fn limitation(claim: &Claim, actions: &[Action]) -> Option<RuleReason> {
    const RULE: &str = "limitation";
    let end = actions.iter().find(|action| action.kind == "diarise-limitation")?.due?;
    if claim.received_date <= end {
        return Some(RuleReason::pass(RULE, "The claim came in within limitation.").on("/accident_date").on("/received_date"));
    }
    if claim.claimant.child && claim.injury.is_some() {
        let text = "Limitation of a child's claim runs from the 18th birthday, which is not in the case.";
        return Some(RuleReason::cannot_check(RULE, text).on("/claimant/child"));
    }
    let text = format!("The claim came in after {end}, when limitation ended unless it ran from a later day of knowledge.");
    Some(RuleReason::refer(RULE, text).on("/accident_date").on("/received_date"))
}

/// Puts a decision together, actions in the order in which they fall due; those without a date are for at once.
fn decision(outcome: &'static str, split: Split, reasons: Vec<RuleReason>, mut actions: Vec<Action>) -> Decision {
    actions.sort_by_key(|action| action.due);
    let mut decision = Decision::new(outcome).figure("fund_share", split.fund).figure("insurer_share", split.insurer);
    (decision.reasons, decision.actions) = (reasons, actions);
    decision
}
