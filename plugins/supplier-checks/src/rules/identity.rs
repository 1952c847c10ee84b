//! Whether the supplier's name and numbers can be what they claim to be.

use super::Look;
use crate::case::{LegalForm, VatStatus};
use crate::findings::{Findings, rule};
use crate::names::{has_hidden_characters, mixes_alphabets};
use crate::numbers::vat::{VatFault, VatKind};
use crate::numbers::{company, utr, vat};

pub(crate) fn check(look: &Look<'_>, findings: &mut Findings) {
    characters(look, findings);
    vat_number(look, findings);
    taxpayer_reference(look, findings);
    company_number(look, findings);
}

fn characters(look: &Look<'_>, findings: &mut Findings) {
    let case = look.case;
    let mut names = vec![("/name".to_owned(), &case.name)];
    names.extend(case.trading_names.iter().enumerate().map(|(place, name)| (format!("/trading_names/{place}"), name)));
    names.extend(case.bank.iter().map(|bank| ("/bank/account_name".to_owned(), &bank.account_name)));
    for (pointer, name) in names {
        let evidence = [pointer.as_str()];
        let rule = rule("name-characters", &evidence);
        if has_hidden_characters(name) {
            findings.refer(
                rule,
                "The name has characters that do not show or that turn the direction of writing: it may read as another name.",
            );
        } else if mixes_alphabets(name) {
            findings.refer(rule, "The name mixes Latin letters with others that look like them: it may read as another name.");
        }
    }
}

fn vat_number(look: &Look<'_>, findings: &mut Findings) {
    let vat = &look.case.vat;
    let registration = rule("vat-registration", &["/vat/status"]);
    let Some(number) = &vat.number else {
        match vat.status {
            VatStatus::NotRegistered => {
                findings.applies(registration, "The supplier is not registered for VAT, so there is no number to check.")
            }
            VatStatus::Registered => {
                findings.refer(registration, "The supplier says that it is registered for VAT but gives no number.");
                findings.ask("Ask the supplier for its VAT number.");
            }
            VatStatus::Unknown => {
                findings.cannot_check(registration, "Nobody knows whether the supplier is registered for VAT.");
                findings.ask("Ask the supplier whether it is registered for VAT.");
            }
        }
        return;
    };
    if vat.status == VatStatus::NotRegistered {
        findings.refer(
            rule("vat-registration", &["/vat/status", "/vat/number"]),
            "The supplier says that it is not registered for VAT but gives a number.",
        );
    }
    let rule = rule("vat-number", &["/vat/number"]);
    match vat::check(number, look.settings.residue_55_accepted) {
        Ok(VatKind::Residue55) => findings
            .pass(rule, "The VAT number has the form and a remainder of 55, which the settings take (format only: HMRC was not asked)."),
        Ok(_) => findings.pass(rule, "The VAT number has the right form and check digits (format only: HMRC was not asked)."),
        Err(VatFault::OtherCountry) => findings.cannot_check(rule, "The VAT number is of another country: its form is not known here."),
        Err(VatFault::Malformed) => {
            findings.fail(rule, "The VAT number is neither 9 nor 12 digits, nor one of a department or health authority.")
        }
        Err(VatFault::OutOfRange) => {
            findings.fail(rule, "The VAT number is outside the range of departments (000 to 499) or health authorities (500 to 999).")
        }
        Err(VatFault::CheckDigits) => findings.fail(rule, "The check digits of the VAT number are wrong: there is no such number."),
    }
}

fn taxpayer_reference(look: &Look<'_>, findings: &mut Findings) {
    let Some(utr) = &look.case.utr else { return };
    let rule = rule("utr", &["/utr"]);
    match utr::check(utr) {
        Ok(()) => {
            findings.pass(rule, "The unique taxpayer reference has the right form and check digit (format only: HMRC was not asked).")
        }
        Err(utr::UtrFault::Malformed) => findings.fail(rule, "The unique taxpayer reference is not ten digits."),
        Err(utr::UtrFault::CheckDigit) => {
            findings.fail(rule, "The check digit of the unique taxpayer reference is wrong: there is no such reference.")
        }
    }
}

fn company_number(look: &Look<'_>, findings: &mut Findings) {
    let form = look.case.legal_form;
    let expected = matches!(form, LegalForm::Company | LegalForm::LimitedLiabilityPartnership);
    let Some(number) = &look.case.company_number else {
        let rule = rule("company-number", &["/legal_form"]);
        if expected {
            findings.refer(rule, "A company or limited liability partnership has a company number, but none is given.");
            findings.ask("Ask the supplier for its company number.");
        } else {
            findings.applies(rule, "Suppliers of this legal form need no company number, and none is given.");
        }
        return;
    };
    let rule = rule("company-number", &["/company_number"]);
    match company::check(number) {
        Ok(found) if found.register.is_some() => {
            findings.pass(rule, "The company number has the right form (format only: Companies House was not asked).")
        }
        Ok(_) => findings.refer(rule, "The company number begins with letters that stand for no register known here."),
        Err(company::Malformed) if form == LegalForm::OverseasCompany => {
            findings.cannot_check(rule, "The number is not one of Companies House, and registers of other countries are not known here.");
        }
        Err(company::Malformed) => {
            findings.fail(rule, "The company number is neither up to eight digits nor letters with digits to eight characters.")
        }
    }
}
