//! Exclusion grounds of the Procurement Act 2023, in force from 24 February 2025.
//!
//! Excluded: a mandatory ground (Schedule 6) that goes on or is likely to occur again, or the debarment list for one; such a
//! supplier must be left out. Excludable: a discretionary ground (Schedule 7); such a supplier may be left out, so a person decides.

use bailiwick_sdk::Date;

use super::Look;
use crate::case::{Ground, GroundKind, Recurrence, Subject};
use crate::findings::{Findings, rule};

const GROUNDS: &str = "exclusion-grounds";

pub(crate) fn check(look: &Look<'_>, findings: &mut Findings) {
    let Some(exclusions) = &look.case.exclusions else {
        if look.settings.exclusions_required {
            findings.cannot_check(rule(GROUNDS, &[]), "Nobody has looked for exclusion grounds.");
            findings.action("assess-exclusions", "Procurement", "Look for exclusion grounds, and at the debarment list.", None);
        } else {
            findings.applies(rule(GROUNDS, &[]), "The settings do not ask for exclusion grounds.");
        }
        return;
    };
    scope(look, &exclusions.assessed, findings);
    if exclusions.grounds.is_empty() {
        findings.pass(rule(GROUNDS, &["/exclusions/grounds"]), "No exclusion ground was found.");
    }
    for (place, ground) in exclusions.grounds.iter().enumerate() {
        judge(look, ground, &format!("/exclusions/grounds/{place}"), findings);
    }
}

fn scope(look: &Look<'_>, assessed: &[Subject], findings: &mut Findings) {
    let missing: Vec<&str> =
        look.settings.exclusion_scope.iter().filter(|subject| !assessed.contains(subject)).map(|subject| called(*subject)).collect();
    let rule = rule("exclusion-scope", &["/exclusions/assessed"]);
    if missing.is_empty() {
        findings.pass(rule, "Everybody whom the settings name was looked at for exclusion grounds.");
    } else {
        findings.cannot_check(rule, &format!("Not looked at for exclusion grounds: {}.", missing.join(", ")));
        findings.action("assess-exclusions", "Procurement", &format!("Look for exclusion grounds of: {}.", missing.join(", ")), None);
    }
}

fn judge(look: &Look<'_>, ground: &Ground, pointer: &str, findings: &mut Findings) {
    let evidence = [pointer];
    let rule = rule(GROUNDS, &evidence);
    let name = ground.ground.as_str();
    if let Some(happened) = ground.happened_on
        && !ground.debarred
        && happened < first_day(look.today, look.settings.exclusion_look_back_years)
    {
        findings.applies(
            rule,
            &format!("{name}: more than {} years ago, so it is left out of account.", look.settings.exclusion_look_back_years),
        );
        return;
    }
    match (ground.kind, ground.debarred, ground.likely_to_recur) {
        (GroundKind::Mandatory, true, _) => {
            findings.fail(rule, &format!("{name}: on the debarment list for a mandatory ground. The supplier must be excluded."))
        }
        (GroundKind::Mandatory, false, Recurrence::Yes) => {
            findings.fail(rule, &format!("{name}: a mandatory ground that is likely to occur again. The supplier must be excluded."));
        }
        (GroundKind::Mandatory, false, Recurrence::No) => {
            findings
                .refer(rule, &format!("{name}: a mandatory ground that is judged not likely to occur again. A person must confirm that."));
        }
        (GroundKind::Mandatory, false, Recurrence::NotAssessed) => {
            findings.cannot_check(rule, &format!("{name}: a mandatory ground, and nobody has judged whether it is likely to occur again."));
            findings.action("assess-exclusions", "Procurement", "Judge whether the ground goes on or is likely to occur again.", None);
        }
        (GroundKind::Discretionary, _, _) => {
            findings.refer(rule, &format!("{name}: a discretionary ground. The supplier may be excluded: a person must decide."));
        }
    }
}

/// The first day that counts: a ground of exactly so many years ago is still in account.
fn first_day(today: Date, years: i32) -> Date {
    today.add_months(-12 * years)
}

const fn called(subject: Subject) -> &'static str {
    match subject {
        Subject::Supplier => "the supplier",
        Subject::ConnectedPerson => "connected persons",
        Subject::AssociatedPerson => "associated persons",
        Subject::SubContractor => "sub-contractors",
    }
}
