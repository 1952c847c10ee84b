//! Whether the account is the supplier's, and whether a request to pay elsewhere is genuine.

use super::Look;
use super::bank::british;
use crate::case::{BankChange, CallAnswer, CaseKind, PayeeCheck};
use crate::findings::{Findings, rule};
use crate::numbers::iban;

const PAYEE: &str = "confirmation-of-payee";

pub(crate) fn check(look: &Look<'_>, findings: &mut Findings) {
    confirmation(look, findings);
    match (&look.case.bank_change, look.case.kind) {
        (Some(change), _) => {
            call_back(change, findings);
            approvals(look, change, findings);
            cooling_off(look, change, findings);
            checked_again(look, change, findings);
        }
        (None, CaseKind::BankChange) => {
            findings.cannot_check(rule("bank-change", &["/kind"]), "Nothing is said of the request to change the bank account.");
            findings.call_back("Call the supplier back on a number held before the request, and note the date of the request.");
        }
        (None, _) => {}
    }
}

fn confirmation(look: &Look<'_>, findings: &mut Findings) {
    let Some(bank) = &look.case.bank else { return };
    let parsed = bank.iban.as_deref().and_then(|text| iban::parse(text).ok());
    if british(bank, parsed.as_deref()).is_none() {
        if parsed.is_some() {
            findings.applies(rule(PAYEE, &["/bank/iban"]), "Confirmation of payee is for British accounts only.");
        }
        return;
    }
    let Some(answer) = &look.case.payee_check else {
        if look.settings.payee_check_required {
            findings.cannot_check(rule(PAYEE, &["/bank"]), "Nobody has asked the bank whose account it is.");
            findings.check_payee();
        } else {
            findings.applies(rule(PAYEE, &["/bank"]), "The settings do not ask for a confirmation of payee.");
        }
        return;
    };
    if (0..=look.settings.payee_check_age_days_max).contains(&(look.today - answer.checked_on)) {
        response(answer, findings);
    } else {
        let text =
            format!("The answer of the bank is not of the last {} days, so it does not count.", look.settings.payee_check_age_days_max);
        findings.cannot_check(rule(PAYEE, &["/payee_check/checked_on"]), &text);
        findings.check_payee();
    }
}

/// What each code of the service means for us.
fn response(answer: &PayeeCheck, findings: &mut Findings) {
    let mut evidence = vec!["/payee_check/code"];
    if answer.returned_name.is_some() {
        evidence.push("/payee_check/returned_name");
    }
    let rule = rule(PAYEE, &evidence);
    match answer.code.as_str() {
        "MATC" => findings.pass(rule, "The bank says that name and account match."),
        "MBAM" => findings
            .refer(rule, "The bank says that the name is close, but not the same (MBAM): compare it with the name that the bank gave."),
        "BANM" => findings.refer(rule, "The name matches, but the account is a business account and a personal one was asked for (BANM)."),
        "PANM" => findings.refer(rule, "The name matches, but the account is a personal account and a business one was asked for (PANM)."),
        "BAMM" => {
            findings.refer(rule, "The name is close, and the account is a business account where a personal one was asked for (BAMM).")
        }
        "PAMM" => {
            findings.refer(rule, "The name is close, and the account is a personal account where a business one was asked for (PAMM).")
        }
        "ANNM" => findings.fail(rule, "The bank says that the account is in another name (ANNM)."),
        "AC01" => findings.fail(rule, "The bank says that there is no such account (AC01)."),
        "CASS" => findings.fail(rule, "The account was moved to another bank (CASS): the supplier must give its new account."),
        "IVCR" | "ACNS" | "OPTO" | "SCNS" => {
            findings.cannot_check(rule, "The bank does not answer for this account, so nobody knows whose it is.");
            findings.call_back("Call the supplier back on a number held before, and have it read out sort code and account number.");
        }
        _ => {
            findings.cannot_check(rule, "The code that the bank answered with is not known here.");
            findings.call_back("Call the supplier back on a number held before, and have it read out sort code and account number.");
        }
    }
}

fn call_back(change: &BankChange, findings: &mut Findings) {
    const ID: &str = "bank-change-call-back";
    let again = "Call the supplier back on a number held before the request, and ask whether it asked for the change.";
    let Some(call) = &change.call_back else {
        findings.refer(rule(ID, &["/bank_change"]), "The supplier was not called back about the change of its bank account.");
        findings.call_back(again);
        return;
    };
    let answer = rule(ID, &["/bank_change/call_back/answer"]);
    match call.answer {
        CallAnswer::Denied => findings.fail(answer, "The supplier says that it did not ask for the change: somebody else did."),
        CallAnswer::NotReached => {
            findings.refer(answer, "The supplier was called back but not reached.");
            findings.call_back(again);
        }
        CallAnswer::Confirmed if !call.number_held_before => {
            findings.refer(
                rule(ID, &["/bank_change/call_back/number_held_before"]),
                "The call went to a number that was not held before the request.",
            );
            findings.call_back(again);
        }
        CallAnswer::Confirmed if call.called_on < change.requested_on => {
            let evidence = ["/bank_change/call_back/called_on", "/bank_change/requested_on"];
            findings.refer(rule(ID, &evidence), "The call was made before the request came.");
            findings.call_back(again);
        }
        CallAnswer::Confirmed => findings.pass(answer, "The supplier confirmed the change on a number held before the request."),
    }
}

fn approvals(look: &Look<'_>, change: &BankChange, findings: &mut Findings) {
    let mut people: Vec<String> =
        change.approved_by.iter().map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()).collect();
    people.sort();
    people.dedup();
    let least = look.settings.approvals_min;
    let rule = rule("bank-change-approvals", &["/bank_change/approved_by"]);
    if people.len() >= least {
        findings.pass(rule, &format!("{} people approved the change.", people.len()));
    } else {
        findings.refer(rule, &format!("{} of {least} people approved the change.", people.len()));
        findings.action("approve", "Exchequer", &format!("Have {least} people approve the change of the bank account."), None);
    }
}

fn cooling_off(look: &Look<'_>, change: &BankChange, findings: &mut Findings) {
    let rule = rule("bank-change-cooling-off", &["/bank_change/requested_on"]);
    let first = change.requested_on.checked_add_days(look.settings.cooling_off_days).unwrap_or(change.requested_on);
    if change.requested_on > look.today {
        findings.cannot_check(rule, "The date of the request is still to come.");
    } else if look.today >= first {
        findings.pass(rule, &format!("{} days have passed since the request.", look.settings.cooling_off_days));
    } else {
        findings.refer(rule, &format!("The change may not be used before {first}."));
        findings.action("wait", "Exchequer", "Look at the change again when the cooling-off period is over.", Some(first));
    }
}

/// An answer about the old account says nothing of the new one.
fn checked_again(look: &Look<'_>, change: &BankChange, findings: &mut Findings) {
    let Some(answer) = &look.case.payee_check else { return };
    let rule = rule("bank-change-payee-check", &["/payee_check/checked_on", "/bank_change/requested_on"]);
    if answer.checked_on >= change.requested_on {
        findings.pass(rule, "The bank was asked about the account after the request.");
    } else {
        findings.cannot_check(rule, "The bank was asked before the request, so its answer is not about the new account.");
        findings.check_payee();
    }
}
