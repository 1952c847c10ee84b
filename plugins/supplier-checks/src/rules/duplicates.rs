//! Whether the supplier is one that the partner already has under another number, or shares its bank account.
//!
//! The table `known-suppliers` belongs to one partner, so nothing here ever sees another partner's suppliers.

use bailiwick_sdk::Failure;

use super::bank::{British, british, eight_digits};
use super::{Look, is_practice};
use crate::case::{Bank, CaseKind};
use crate::findings::{Findings, Rule, rule};
use crate::names::{Likeness, likeness, postcode, words};
use crate::numbers::{compact, company, iban, vat};
use crate::tables::{Known, KnownSuppliers};

pub(crate) fn check(look: &Look<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let known = look.tables.known_suppliers()?;
    if is_practice(known.version(), look) {
        findings.cannot_check(
            rule("known-suppliers", &[]),
            "The list in force is the practice list with invented rows: add the partner's suppliers as a table.",
        );
        findings.action("renew-table", "Operator", "Add the partner's suppliers as a version of the table known-suppliers.", None);
        return Ok(());
    }
    own_number(look, &known, findings)?;
    if let Some(bank) = &look.case.bank {
        bank_account(look, &known, bank, findings)?;
    }
    if let Some(number) = &look.case.vat.number {
        let core = vat::core(number);
        let same = others(look, known.find("vat_number", &[&core, &format!("GB{core}")])?);
        report(rule("duplicate-vat-number", &["/vat/number"]), &same, "VAT number", findings);
    }
    if let Some(number) = look.case.company_number.as_deref().and_then(|text| company::check(text).ok()) {
        let short = number.number.trim_start_matches('0');
        let same = others(look, known.find("company_number", &[&number.number, short])?);
        report(rule("duplicate-company-number", &["/company_number"]), &same, "company number", findings);
    }
    name_and_postcode(look, &known, findings)
}

/// A case about a known supplier must name one.
fn own_number(look: &Look<'_>, known: &KnownSuppliers, findings: &mut Findings) -> Result<(), Failure> {
    let rule = rule("known-suppliers", &["/supplier_id"]);
    let is_known = match &look.case.supplier_id {
        Some(id) => !known.find("supplier_id", &[id])?.is_empty(),
        None => false,
    };
    match (look.case.kind, is_known) {
        (CaseKind::New, true) => findings.refer(rule, "A new supplier bears the number of one that is known already."),
        (CaseKind::New, false) => {}
        (_, true) => findings.pass(rule, "The supplier is one of the known suppliers."),
        (_, false) => {
            findings.refer(rule, "The supplier is not among the known suppliers, so there is nothing to change or look at again.")
        }
    }
    Ok(())
}

fn bank_account(look: &Look<'_>, known: &KnownSuppliers, bank: &Bank, findings: &mut Findings) -> Result<(), Failure> {
    let parsed = bank.iban.as_deref().and_then(|text| iban::parse(text).ok());
    let mut same = Vec::new();
    if let Some(account) = british(bank, parsed.as_deref()).and_then(|account| eight_digits(account, look.settings).ok()) {
        let number: String = account.number.iter().map(|digit| char::from(b'0' + digit)).collect();
        let candidates = known.find("account_number", &[&number, number.trim_start_matches('0')])?;
        same.extend(candidates.into_iter().filter(|row| {
            let theirs = British { sort_code: &row.sort_code, number: &row.account_number, evidence: &[] };
            eight_digits(theirs, look.settings) == Ok(account)
        }));
    }
    if let Some(number) = &parsed {
        same.extend(known.find("iban", &[number])?.into_iter().filter(|row| compact(&row.iban) == *number));
    }
    let searched = parsed.is_some() || (bank.sort_code.is_some() && bank.account_number.is_some());
    if searched {
        let evidence = if parsed.is_some() { &["/bank/iban"][..] } else { &["/bank/sort_code", "/bank/account_number"][..] };
        report(rule("duplicate-bank-account", evidence), &others(look, same), "bank account", findings);
    }
    Ok(())
}

fn name_and_postcode(look: &Look<'_>, known: &KnownSuppliers, findings: &mut Findings) -> Result<(), Failure> {
    let rule = rule("duplicate-name", &["/name", "/address/postcode"]);
    let Some(text) = &look.case.address.postcode else {
        if look.case.address.country == "GB" {
            findings
                .cannot_check(rule, "The address has no postcode, so name and postcode cannot be compared with those of known suppliers.");
        }
        return Ok(());
    };
    let postcode = postcode(text);
    let own = words(&look.case.name);
    let mut same = others(look, known.find("postcode", &[&postcode, &postcode.replace(' ', "")])?);
    same.retain(|row| likeness(&own, &words(&row.name)) == Some(Likeness::Same));
    report(rule, &same, "name and postcode", findings);
    Ok(())
}

/// The suppliers found that are not the case's own.
fn others(look: &Look<'_>, found: Vec<Known>) -> Vec<Known> {
    found.into_iter().filter(|row| Some(&row.supplier_id) != look.case.supplier_id.as_ref() || look.case.kind == CaseKind::New).collect()
}

fn report(rule: Rule<'_>, same: &[Known], what: &str, findings: &mut Findings) {
    let mut ids: Vec<&str> = same.iter().map(|row| row.supplier_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        findings.pass(rule, &format!("No known supplier has the same {what}."));
    } else {
        findings.refer(rule, &format!("The same {what} belongs to known supplier {}.", ids.join(", ")));
        findings.action("compare", "Exchequer", &format!("Compare the case with known supplier {}.", ids.join(", ")), None);
    }
}
