//! What a plugin answered, checked and as model values. Whatever passes is within the manifest: no later part of the
//! hub checks it again.

use super::CallFault;
use super::text::clean;
use super::v0_1::adapter::bailiwick::plugin::types::{
    BatchResult, ColumnDataResult, ColumnResult, Decimal, Failure, Problem, TableVersion as WireVersion,
};
use super::v0_1::adapter::exports::bailiwick::plugin::rows::{
    Effect as WireEffect, Finding as WireFinding, Outcome as WireOutcome, OutputBatch, Reason as WireReason,
};
use super::v0_1::rule_set::exports::bailiwick::plugin::decisions::{
    Action as WireAction, Decision as WireDecision, Reason as WireRuleReason, Verdict as WireVerdict,
};
use crate::model::ids::{NAME_BYTES_MAX, is_name};
use crate::model::limits::{EVIDENCE_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::model::manifest::{AdapterShape, RuleSetShape};
use crate::model::outcome::{Action, Decision, Effect, Finding, Outcome, PluginFailure, Reason, RuleReason, Verdict, misleads};
use crate::model::rows::{Amount, Batch, Column, ColumnData, ColumnShape, PortShape, TextColumn, Validity, date_of_days};
use crate::model::table::TableVersion;

/// The most digits after the point that the contract allows.
const SCALE_MAX: u8 = 18;

/// Which rows a run knows, so that findings can be about no others.
#[derive(Clone, Copy)]
pub(in crate::sandbox) struct PushedRows<'a> {
    /// The declared ports.
    pub(in crate::sandbox) shape: &'a AdapterShape,
    /// For each input the first row that was pushed and the one after the last.
    pub(in crate::sandbox) rows: &'a [(u64, u64)],
}

/// What a call of an adapter produced.
pub(super) fn outcome(wire: WireOutcome, known: PushedRows<'_>, stripped: &mut u64) -> Result<Outcome, CallFault> {
    let outputs = wire.outputs.into_iter().map(|batch| output(batch, known.shape)).collect::<Result<_, _>>()?;
    let findings = wire.findings.into_iter().map(|wire| finding(wire, known, stripped)).collect::<Result<_, _>>()?;
    Ok(Outcome { outputs, findings })
}

fn output(wire: OutputBatch, shape: &AdapterShape) -> Result<(usize, Batch), CallFault> {
    let place = wire.output as usize;
    let Some(port) = shape.outputs.get(place) else {
        return Err(unsound(format!("it has rows for output {place}, and the manifest declares {}", shape.outputs.len())));
    };
    Ok((place, batch_of(&format!("output {}", port.name), wire.rows, &port.columns)?))
}

/// A batch that holds what some declared columns may hold.
pub(super) fn batch_of(what: &str, wire: BatchResult, columns: &[ColumnShape]) -> Result<Batch, CallFault> {
    let batch = batch(wire);
    batch.check(columns).map_err(|contradiction| unsound(format!("{what}: {contradiction}")))?;
    check_dates(what, &batch, columns)?;
    Ok(batch)
}

fn batch(wire: BatchResult) -> Batch {
    Batch { first_row: 0, rows: wire.rows as usize, columns: wire.columns.into_iter().map(column).collect() }
}

fn column(wire: ColumnResult) -> Column {
    let data = match wire.data {
        ColumnDataResult::Integers(values) => ColumnData::Integers(values),
        ColumnDataResult::Decimals(decimals) => ColumnData::Decimals { scale: decimals.scale, coefficients: decimals.coefficients },
        ColumnDataResult::Dates(days) => ColumnData::Dates(days),
        ColumnDataResult::Text(text) => ColumnData::Text(TextColumn { offsets: text.offsets, content: text.content }),
        ColumnDataResult::Booleans(bits) => ColumnData::Booleans(bits),
    };
    Column { validity: Validity { bits: wire.validity }, data }
}

/// A number of days that is no date would surface only when the output is written.
fn check_dates(what: &str, batch: &Batch, columns: &[ColumnShape]) -> Result<(), CallFault> {
    for (column, shape) in batch.columns.iter().zip(columns) {
        let ColumnData::Dates(days) = &column.data else { continue };
        let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else { continue };
        if calendar_date(*first).is_none() || calendar_date(*last).is_none() {
            return Err(unsound(format!("{what}: column {} holds a day outside the years 1 to 9999", shape.name)));
        }
    }
    Ok(())
}

fn finding(wire: WireFinding, known: PushedRows<'_>, stripped: &mut u64) -> Result<Finding, CallFault> {
    let input = wire.input as usize;
    let (Some(port), Some((first, end))) = (known.shape.inputs.get(input), known.rows.get(input)) else {
        return Err(unsound(format!("a finding is about input {input}, and the manifest declares {}", known.shape.inputs.len())));
    };
    if !(*first..*end).contains(&wire.row) {
        return Err(unsound(format!("a finding is about row {} of input {}, which was not given to it", wire.row, port.name)));
    }
    if wire.reasons.is_empty() {
        return Err(unsound(format!("the finding about row {} of input {} gives no reason", wire.row, port.name)));
    }
    let reasons = wire.reasons.into_iter().map(|wire| reason(wire, port, stripped)).collect::<Result<_, _>>()?;
    let effect = match wire.effect {
        WireEffect::Reject => Effect::Reject,
        WireEffect::Skip => Effect::Skip,
        WireEffect::Warn => Effect::Warn,
    };
    Ok(Finding { input, row: wire.row, effect, reasons })
}

fn reason(wire: WireReason, port: &PortShape, stripped: &mut u64) -> Result<Reason, CallFault> {
    reason_of((wire.column, wire.code, wire.message), (&format!("of input {}", port.name), &port.columns), stripped)
}

/// A reason: the place of the column that it concerns, its code, its message.
pub(super) fn reason_of(
    (column, code_given, message): (Option<u32>, String, String),
    (of, columns): (&str, &[ColumnShape]),
    stripped: &mut u64,
) -> Result<Reason, CallFault> {
    let column = match column {
        None => None,
        Some(place) => match columns.get(place as usize) {
            Some(column) => Some(column.name.clone()),
            None => return Err(unsound(format!("a reason names column {place} {of}, which has {} columns", columns.len()))),
        },
    };
    Ok(Reason { column, code: code("a reason's code", code_given)?, message: clean(message, MESSAGE_BYTES_MAX, stripped) })
}

/// What was decided about a case.
pub(super) fn decision(wire: WireDecision, shape: &RuleSetShape, stripped: &mut u64) -> Result<Decision, CallFault> {
    if !shape.outcomes.contains(&wire.outcome) {
        return Err(unsound(format!("the manifest declares no outcome {:?}", excerpt(&wire.outcome))));
    }
    let reasons = wire.reasons.into_iter().map(|wire| rule_reason(wire, stripped)).collect::<Result<_, _>>()?;
    let actions = wire.actions.into_iter().map(|wire| action(wire, stripped)).collect::<Result<_, _>>()?;
    let mut figures: Vec<(String, Amount)> = Vec::with_capacity(wire.figures.len());
    for figure in wire.figures {
        if !shape.figures.contains(&figure.name) {
            return Err(unsound(format!("the manifest declares no figure {:?}", excerpt(&figure.name))));
        }
        if figures.iter().any(|(name, _)| *name == figure.name) {
            return Err(unsound(format!("the figure {} is fixed twice", figure.name)));
        }
        figures.push((figure.name, amount(figure.amount)?));
    }
    let tables = wire.tables.into_iter().map(|wire| table_version(wire, stripped)).collect::<Result<_, _>>()?;
    Ok(Decision { outcome: wire.outcome, reasons, actions, figures, tables })
}

fn rule_reason(wire: WireRuleReason, stripped: &mut u64) -> Result<RuleReason, CallFault> {
    if let Some(pointer) = wire.evidence.iter().find(|pointer| !is_pointer(pointer)) {
        return Err(unsound(format!("the evidence {:?} is no JSON Pointer", excerpt(pointer))));
    }
    let verdict = match wire.verdict {
        WireVerdict::Pass => Verdict::Pass,
        WireVerdict::Refer => Verdict::Refer,
        WireVerdict::Fail => Verdict::Fail,
        WireVerdict::CannotCheck => Verdict::CannotCheck,
        WireVerdict::Applies => Verdict::Applies,
    };
    Ok(RuleReason {
        rule: code("a rule's name", wire.rule)?,
        verdict,
        text: clean(wire.text, MESSAGE_BYTES_MAX, stripped),
        evidence: wire.evidence,
    })
}

fn action(wire: WireAction, stripped: &mut u64) -> Result<Action, CallFault> {
    let due = wire.due.map(|days| date("an action is due", days)).transpose()?;
    Ok(Action {
        kind: code("an action's kind", wire.kind)?,
        party: clean(wire.party, MESSAGE_BYTES_MAX, stripped),
        text: clean(wire.text, MESSAGE_BYTES_MAX, stripped),
        due,
    })
}

fn table_version(wire: WireVersion, stripped: &mut u64) -> Result<TableVersion, CallFault> {
    Ok(TableVersion {
        table: clean(wire.table, NAME_BYTES_MAX, stripped),
        version: clean(wire.version, MESSAGE_BYTES_MAX, stripped),
        effective_from: date("a table is in force from", wire.effective_from)?,
        effective_to: wire.effective_to.map(|days| date("a table is in force to", days)).transpose()?,
        published: wire.published.map(|days| date("a table was published", days)).transpose()?,
    })
}

/// What a plugin answers when a whole call fails. Its text is bounded and never a reason to refuse it: the failure matters more.
pub(super) fn failure(wire: Failure, stripped: &mut u64) -> PluginFailure {
    match wire {
        Failure::SettingsUnusable(wire) => {
            let (code, message) = problem(wire, stripped);
            PluginFailure::SettingsUnusable { code, message }
        }
        Failure::TableMissing(missing) => PluginFailure::TableMissing {
            table: clean(missing.table, NAME_BYTES_MAX, stripped),
            on: date_of_days(missing.on).map_or_else(|| format!("day {}", missing.on), |date| date.to_string()),
        },
        Failure::InputUnusable(wire) => {
            let (code, message) = problem(wire, stripped);
            PluginFailure::InputUnusable { code, message }
        }
        Failure::PluginDefect(wire) => {
            let (code, message) = problem(wire, stripped);
            PluginFailure::PluginDefect { code, message }
        }
    }
}

/// Code and sentence of what is wrong.
pub(super) fn problem(wire: Problem, stripped: &mut u64) -> (String, String) {
    (clean(wire.code, NAME_BYTES_MAX, stripped), clean(wire.message, MESSAGE_BYTES_MAX, stripped))
}

fn code(what: &str, text: String) -> Result<String, CallFault> {
    if is_name(&text) {
        return Ok(text);
    }
    let shown = excerpt(&text);
    Err(unsound(format!(
        "{what} is {shown:?}: 1 to {NAME_BYTES_MAX} lower-case letters, digits and single hyphens, beginning with a letter"
    )))
}

fn amount(wire: Decimal) -> Result<Amount, CallFault> {
    if wire.scale > SCALE_MAX {
        return Err(unsound(format!("a figure has {} digits after the point, and {SCALE_MAX} are allowed", wire.scale)));
    }
    Ok(Amount::new(wire.coefficient, wire.scale))
}

fn date(what: &str, days: i32) -> Result<jiff::civil::Date, CallFault> {
    calendar_date(days).ok_or_else(|| unsound(format!("{what} on day {days}, which lies outside the years 1 to 9999")))
}

/// The date of a day that a file can hold: years have four digits there, and no sign.
fn calendar_date(days: i32) -> Option<jiff::civil::Date> {
    date_of_days(days).filter(|date| date.year() >= 1)
}

/// RFC 6901, section 3: empty, or parts each begun by a slash, in which a tilde is followed by 0 or 1.
fn is_pointer(text: &str) -> bool {
    text.len() <= EVIDENCE_BYTES_MAX
        && (text.is_empty() || text.starts_with('/'))
        && text.split('~').skip(1).all(|after| after.starts_with(['0', '1']))
        && !text.contains(misleads)
}

/// The beginning of a text that a plugin gave where it should not, for an error message.
fn excerpt(text: &str) -> String {
    clean(text.chars().take(NAME_BYTES_MAX).collect(), NAME_BYTES_MAX, &mut 0)
}

pub(super) fn unsound(detail: String) -> CallFault {
    CallFault::Unsound(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers() {
        for good in ["", "/", "/claimant/name", "/a~1b/~0c", "/lines/0"] {
            assert!(is_pointer(good), "{good}");
        }
        for bad in ["claimant", "/a~", "/a~2", "/\u{7}", "/\u{202e}", &"/a".repeat(EVIDENCE_BYTES_MAX)] {
            assert!(!is_pointer(bad), "{bad}");
        }
    }
}
