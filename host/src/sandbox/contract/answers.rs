//! What a plugin might answer, as plain values: for checks that make answers up, where compiling a guest for each would
//! take too long. It goes through the same lifting as a real one; nothing else in the hub uses it.

use super::CallFault;
use super::lift::{self, PushedRows};
use super::v0_1::adapter::bailiwick::plugin::types as wire;
use super::v0_1::adapter::exports::bailiwick::plugin::rows as answer;
use super::v0_1::rule_set::exports::bailiwick::plugin::decisions;
use crate::model::manifest::{AdapterShape, RuleSetShape};
use crate::model::outcome::{Decision, Effect, Outcome, Verdict};
use crate::model::rows::{Batch, Column, ColumnData};

/// One finding: the place of the input, the row, the effect, and for each reason the column's place, code and message.
pub type MadeFinding = (u32, u64, Effect, Vec<(Option<u32>, String, String)>);

/// A decision as a rule set answers it.
#[derive(Debug, Default)]
pub struct MadeDecision {
    /// The outcome.
    pub outcome: String,
    /// Rule, verdict, text and evidence of each reason.
    pub reasons: Vec<(String, Verdict, String, Vec<String>)>,
    /// Kind, party, text and due day of each action.
    pub actions: Vec<(String, String, String, Option<i32>)>,
    /// Name, coefficient and scale of each figure.
    pub figures: Vec<(String, i64, u8)>,
    /// Table, version, and the days from which and to which it is in force.
    pub tables: Vec<(String, String, i32, Option<i32>)>,
}

/// Judges what an adapter answered: batches, each for an output's place, and findings. `rows` are those pushed of each input.
///
/// # Errors
/// Why it cannot be.
pub fn judge_outcome(
    shape: &AdapterShape,
    rows: &[(u64, u64)],
    outputs: Vec<(u32, Batch)>,
    findings: Vec<MadeFinding>,
) -> Result<Outcome, String> {
    let outputs = outputs.into_iter().map(|(output, batch)| answer::OutputBatch { output, rows: lower(batch) }).collect();
    let findings = findings.into_iter().map(finding).collect();
    lift::outcome(answer::Outcome { outputs, findings }, PushedRows { shape, rows }, &mut 0).map_err(told)
}

/// Judges what a rule set answered.
///
/// # Errors
/// Why it cannot be.
pub fn judge_decision(shape: &RuleSetShape, made: MadeDecision) -> Result<Decision, String> {
    let reasons = made.reasons.into_iter().map(|(rule, verdict, text, evidence)| {
        let verdict = match verdict {
            Verdict::Pass => decisions::Verdict::Pass,
            Verdict::Refer => decisions::Verdict::Refer,
            Verdict::Fail => decisions::Verdict::Fail,
            Verdict::CannotCheck => decisions::Verdict::CannotCheck,
            Verdict::Applies => decisions::Verdict::Applies,
        };
        decisions::Reason { rule, verdict, text, evidence }
    });
    let actions = made.actions.into_iter().map(|(kind, party, text, due)| decisions::Action { kind, party, text, due });
    let figures = made.figures.into_iter();
    let figures = figures.map(|(name, coefficient, scale)| decisions::Figure { name, amount: wire::Decimal { coefficient, scale } });
    let tables = made.tables.into_iter().map(|(table, version, effective_from, effective_to)| wire::TableVersion {
        table,
        version,
        effective_from,
        effective_to,
        published: None,
    });
    let decision = decisions::Decision {
        outcome: made.outcome,
        reasons: reasons.collect(),
        actions: actions.collect(),
        figures: figures.collect(),
        tables: tables.collect(),
    };
    lift::decision(decision, shape, &mut 0).map_err(told)
}

fn lower(batch: Batch) -> wire::BatchResult {
    let rows = u32::try_from(batch.rows).expect("the contract counts rows in 32 bits");
    wire::BatchResult { first_row: batch.first_row, rows, columns: batch.columns.into_iter().map(column).collect() }
}

fn column(column: Column) -> wire::ColumnResult {
    let data = match column.data {
        ColumnData::Integers(values) => wire::ColumnDataResult::Integers(values),
        ColumnData::Decimals { scale, coefficients } => wire::ColumnDataResult::Decimals(wire::DecimalColumnResult { scale, coefficients }),
        ColumnData::Dates(days) => wire::ColumnDataResult::Dates(days),
        ColumnData::Text(text) => wire::ColumnDataResult::Text(wire::TextColumnResult { offsets: text.offsets, content: text.content }),
        ColumnData::Booleans(bits) => wire::ColumnDataResult::Booleans(bits),
    };
    wire::ColumnResult { validity: column.validity.bits, data }
}

fn finding((input, row, effect, reasons): MadeFinding) -> answer::Finding {
    let effect = match effect {
        Effect::Reject => answer::Effect::Reject,
        Effect::Skip => answer::Effect::Skip,
        Effect::Warn => answer::Effect::Warn,
    };
    let reasons = reasons.into_iter().map(|(column, code, message)| answer::Reason { column, code, message }).collect();
    answer::Finding { input, row, effect, reasons }
}

fn told(fault: CallFault) -> String {
    match fault {
        CallFault::Unsound(detail) => detail,
        CallFault::Wasm(_) | CallFault::Failed(_) | CallFault::Hub(_) => unreachable!("no guest was called"),
    }
}
