//! Conditions of trade that are no question of identity: modern slavery statement, construction industry, off-payroll working.

use super::Look;
use crate::findings::{Findings, rule};

pub(crate) fn check(look: &Look<'_>, findings: &mut Findings) {
    modern_slavery(look, findings);
    construction(look, findings);
    off_payroll(look, findings);
}

fn modern_slavery(look: &Look<'_>, findings: &mut Findings) {
    let Some(threshold) = look.settings.modern_slavery_turnover else { return };
    let both = ["/annual_turnover", "/modern_slavery_statement"];
    let Some(turnover) = look.case.annual_turnover else {
        findings.cannot_check(
            rule("modern-slavery", &[]),
            "The turnover is not known, so it cannot be told whether a modern slavery statement is needed.",
        );
        return;
    };
    if turnover < threshold {
        findings.applies(
            rule("modern-slavery", &both[..1]),
            "The turnover is below the figure from which a modern slavery statement is asked for.",
        );
        return;
    }
    match look.case.modern_slavery_statement {
        Some(true) => findings.pass(rule("modern-slavery", &both), "The supplier has published a modern slavery statement."),
        Some(false) => {
            findings.refer(rule("modern-slavery", &both), "The turnover asks for a modern slavery statement, and there is none.");
            findings.ask("Ask the supplier for its modern slavery statement.");
        }
        None => {
            findings.cannot_check(
                rule("modern-slavery", &both[..1]),
                "The turnover asks for a modern slavery statement, and nobody knows whether there is one.",
            );
            findings.ask("Ask the supplier for its modern slavery statement.");
        }
    }
}

fn construction(look: &Look<'_>, findings: &mut Findings) {
    let Some(construction) = look.case.construction.as_ref().filter(|construction| construction.applies) else { return };
    match (&construction.verification_number, &construction.deduction_percent) {
        (Some(_), Some(percent)) => {
            let rule = rule("construction-scheme", &["/construction/verification_number", "/construction/deduction_percent"]);
            findings
                .pass(rule, &format!("HMRC verified the supplier for the Construction Industry Scheme: {percent} per cent is deducted."));
        }
        _ => {
            let rule = rule("construction-scheme", &["/construction"]);
            findings.cannot_check(
                rule,
                "HMRC has not verified the supplier for the Construction Industry Scheme, so the deduction is not known.",
            );
            findings.action("verify", "Exchequer", "Verify the supplier with HMRC for the Construction Industry Scheme.", None);
        }
    }
    if look.case.utr.is_none() {
        findings.refer(
            rule("utr", &["/construction/applies"]),
            "The Construction Industry Scheme needs a unique taxpayer reference, and none is given.",
        );
        findings.ask("Ask the supplier for its unique taxpayer reference.");
    }
}

fn off_payroll(look: &Look<'_>, findings: &mut Findings) {
    let Some(work) = look.case.off_payroll.as_ref().filter(|work| work.personal_service) else { return };
    let rule = rule("off-payroll", &["/off_payroll"]);
    match work.determination {
        Some(crate::case::Determination::Outside) => findings.pass(rule, "The work was determined to be outside the off-payroll rules."),
        Some(crate::case::Determination::Inside) => {
            findings.refer(
                rule,
                "The work was determined to be inside the off-payroll rules: it is paid through the payroll, not to a supplier.",
            );
        }
        None => {
            findings.cannot_check(rule, "Nobody has determined whether the off-payroll rules apply.");
            findings.action("determine-status", "Human Resources", "Make a status determination for the person who does the work.", None);
        }
    }
}
