//! Findings about rows, inputs and columns that do not exist, and reasons that mislead their readers.

use crate::bailiwick::plugin::types::Batch;
use crate::exports::bailiwick::plugin::rows::{Effect, Finding, Reason};

/// The finding that a misbehaviour makes about the first row of a batch.
pub fn about(what: &str, rows: &Batch) -> Option<Finding> {
    let mut finding = one(0, rows.first_row);
    match what {
        "reject-one" => {}
        "row-not-given" => finding.row += u64::from(rows.rows),
        "row-before-the-first" => finding.row = finding.row.wrapping_sub(1),
        "no-such-input" => finding.input = 9,
        "no-reason" => finding.reasons.clear(),
        "no-such-column" => finding.reasons[0].column = Some(5),
        "code-is-a-sentence" => finding.reasons[0].code = "This is <b>not</b> a code".to_owned(),
        "misleading-message" => finding.reasons[0].message = "Pay \u{202e}05.1\u{202c}\0 is\u{1b}[31m wrong\n".to_owned(),
        "endless-message" => finding.reasons[0].message = "é".repeat(100_000),
        _ => return None,
    }
    Some(finding)
}

/// A finding that is in order.
pub fn one(input: u32, row: u64) -> Finding {
    let reason = Reason { column: Some(1), code: "pay-negative".to_owned(), message: "The pay is below zero.".to_owned() };
    Finding { input, row, effect: Effect::Reject, reasons: vec![reason] }
}
