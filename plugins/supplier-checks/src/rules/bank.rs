//! Whether the bank account can exist. Whether it is the supplier's, its bank must say: see `payee`.

use bailiwick_sdk::Failure;

use super::Look;
use crate::case::{Bank, Case};
use crate::findings::{Findings, rule};
use crate::names::{Likeness, likeness, words};
use crate::numbers::iban::{self, IbanFault};
use crate::numbers::modulus::{self, Account, AccountFault, Answer, LongNumbers};
use crate::settings::Settings;

const PAIR: &[&str] = &["/bank/sort_code", "/bank/account_number"];

/// A British account as a case writes it.
#[derive(Clone, Copy)]
pub(super) struct British<'a> {
    pub(super) sort_code: &'a str,
    pub(super) number: &'a str,
    pub(super) evidence: &'static [&'static str],
}

pub(crate) fn check(look: &Look<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let Some(bank) = &look.case.bank else {
        findings.refer(rule("bank-details", &[]), "No bank account is given.");
        findings.ask("Ask the supplier for its bank account.");
        return Ok(());
    };
    complete(bank, findings);
    account_name(look.case, bank, findings);
    let international = bank.iban.as_deref().map(iban::parse);
    if let Some(parsed) = &international {
        international_number(look, parsed.as_deref(), findings)?;
    }
    let parsed = international.and_then(Result::ok);
    match british(bank, parsed.as_deref()) {
        Some(account) => {
            same_account(look, bank, parsed.as_deref(), findings);
            account_modulus(look, account, findings)?;
        }
        None if parsed.is_some() => {
            findings.applies(rule("account-modulus", &["/bank/iban"]), "The account is not British, so the modulus check is not for it.");
        }
        None => {}
    }
    Ok(())
}

/// The British account of a case: as sort code and account number, else from the international number.
pub(super) fn british<'a>(bank: &'a Bank, iban: Option<&'a str>) -> Option<British<'a>> {
    if let (Some(sort_code), Some(number)) = (&bank.sort_code, &bank.account_number) {
        return Some(British { sort_code, number, evidence: PAIR });
    }
    let (sort_code, number) = iban.and_then(iban::british_account)?;
    Some(British { sort_code, number, evidence: &["/bank/iban"] })
}

/// A British account in the form that is compared.
pub(super) fn eight_digits(account: British<'_>, settings: &Settings) -> Result<Account, AccountFault> {
    let long = LongNumbers {
        nine: &settings.nine_digit_sort_codes,
        ten_first_eight: &settings.ten_digit_first_eight_sort_codes,
        ten_last_eight: &settings.ten_digit_last_eight_sort_codes,
    };
    modulus::account(account.sort_code, account.number, long)
}

fn complete(bank: &Bank, findings: &mut Findings) {
    match (&bank.sort_code, &bank.account_number, &bank.iban) {
        (Some(_), Some(_), _) | (None, None, Some(_)) => {}
        (None, None, None) => {
            findings.refer(rule("bank-details", &["/bank"]), "The bank account has neither sort code and account number nor an IBAN.");
            findings.ask("Ask the supplier for sort code and account number, or for an IBAN.");
        }
        _ => {
            findings.refer(rule("bank-details", &["/bank"]), "Sort code and account number belong together, and one of them is not given.");
            findings.ask("Ask the supplier for sort code and account number.");
        }
    }
}

fn account_name(case: &Case, bank: &Bank, findings: &mut Findings) {
    let account = words(&bank.account_name);
    let like = std::iter::once(&case.name).chain(&case.trading_names).any(|name| likeness(&words(name), &account) == Some(Likeness::Same));
    let rule = rule("account-name", &["/bank/account_name", "/name"]);
    if like {
        findings.pass(rule, "The account is in the supplier's name or one that it trades under.");
    } else {
        findings.refer(rule, "The account is in another name than the supplier's.");
    }
}

fn international_number(look: &Look<'_>, parsed: Result<&str, &IbanFault>, findings: &mut Findings) -> Result<(), Failure> {
    let rule = rule("iban", &["/bank/iban"]);
    let Ok(number) = parsed else {
        findings.fail(rule, "The IBAN is not two letters, two digits and up to 30 more characters.");
        return Ok(());
    };
    let Some(structure) = look.tables.iban_structure(&number[..2])? else {
        findings.cannot_check(rule, "The country of the IBAN is not in the table of countries, so its length cannot be checked.");
        return Ok(());
    };
    match iban::check(number, &structure) {
        Ok(()) => findings.pass(rule, "The IBAN has the length of its country and the right check digits."),
        Err(IbanFault::CheckDigits) => findings.fail(rule, "The check digits of the IBAN are wrong: there is no such account."),
        Err(IbanFault::Structure | IbanFault::Malformed) => {
            findings.fail(rule, "The IBAN has not the length and characters that its country gives.")
        }
    }
    Ok(())
}

/// Where both ways of writing are given, they must name one account.
fn same_account(look: &Look<'_>, bank: &Bank, iban: Option<&str>, findings: &mut Findings) {
    let (Some(iban), Some(pair)) = (iban, british(bank, None)) else { return };
    let rule = rule("iban-agrees", &["/bank/iban", "/bank/sort_code", "/bank/account_number"]);
    let Some((sort_code, number)) = iban::british_account(iban) else {
        findings.refer(rule, "The IBAN is of another country than the sort code: two accounts are given.");
        return;
    };
    let from_iban = eight_digits(British { sort_code, number, evidence: &[] }, look.settings);
    match (eight_digits(pair, look.settings), from_iban) {
        (Ok(one), Ok(other)) if one == other => findings.pass(rule, "The IBAN names the account of the sort code and account number."),
        (Ok(_), Ok(_)) => findings.fail(rule, "The IBAN names another account than the sort code and account number."),
        _ => findings.cannot_check(rule, "The IBAN cannot be compared with the sort code and account number."),
    }
}

fn account_modulus(look: &Look<'_>, british: British<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let rule = rule("account-modulus", british.evidence);
    let account = match eight_digits(british, look.settings) {
        Ok(account) => account,
        Err(AccountFault::SortCode) => {
            findings.fail(rule, "The sort code is not six digits.");
            return Ok(());
        }
        Err(AccountFault::Number) => {
            findings.fail(rule, "The account number is not six to ten digits.");
            return Ok(());
        }
        Err(AccountFault::NineDigits | AccountFault::TenDigits) => {
            findings
                .cannot_check(rule, "The account number has more than eight digits, and it is not known which of them this bank counts.");
            return Ok(());
        }
    };
    let rows = look.tables.weights(&account.sort_code)?;
    let substitute = if rows.iter().any(|row| row.exception == Some(5)) { look.tables.substitute(&account.sort_code)? } else { None };
    match modulus::check(&account, &rows, substitute) {
        Answer::Agrees => findings.pass(rule, "The account number agrees with the sort code (modulus check: such an account can exist)."),
        Answer::ForeignCurrency => {
            findings.pass(rule, "The account is in a foreign currency; the modulus check takes it without arithmetic.")
        }
        Answer::Disagrees => {
            findings.fail(rule, "The account number does not agree with the sort code (modulus check): there is no such account.")
        }
        Answer::NoRow => {
            findings.cannot_check(rule, "The weight table has no row for the sort code, so the account number cannot be checked.")
        }
    }
    Ok(())
}
