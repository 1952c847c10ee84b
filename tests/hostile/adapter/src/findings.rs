//! Findings about rows, inputs and columns that do not exist, and reasons that mislead their readers.

use crate::bailiwick::plugin::types::Batch;
use crate::exports::bailiwick::plugin::rows::{Effect, Finding, Reason};
use crate::misdeeds::{Finds, MISLEADING};

/// The findings that a misdeed makes about the first row of a batch.
pub fn about(misdeed: Finds, rows: &Batch) -> Vec<Finding> {
    let mut finding = one(0, rows.first_row);
    match misdeed {
        Finds::RejectOne => {}
        Finds::RowNotGiven => finding.row += u64::from(rows.rows),
        Finds::RowBeforeTheFirst => finding.row = finding.row.wrapping_sub(1),
        Finds::NoSuchInput => finding.input = 9,
        Finds::NoReason => finding.reasons.clear(),
        Finds::NoSuchColumn => finding.reasons[0].column = Some(5),
        Finds::CodeIsASentence => finding.reasons[0].code = "This is <b>not</b> a code".to_owned(),
        Finds::MisleadingMessage => finding.reasons[0].message = "Pay \u{202e}05.1\u{202c}\0 is\u{1b}[31m wrong\n".to_owned(),
        Finds::EndlessMessage => finding.reasons[0].message = "é".repeat(100_000),
        Finds::RejectTwice => return vec![one(0, rows.first_row), finding],
        Finds::CodeMisleading => finding.reasons[0].code = format!("pay-negative{MISLEADING}"),
        Finds::SpeakOfAbsentInput => return Vec::new(),
    }
    vec![finding]
}

/// A finding that is in order.
pub fn one(input: u32, row: u64) -> Finding {
    let reason = Reason { column: Some(1), code: "pay-negative".to_owned(), message: "The pay is below zero.".to_owned() };
    Finding { input, row, effect: Effect::Reject, reasons: vec![reason] }
}
