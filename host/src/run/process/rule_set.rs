//! Cases through a rule set: each line a case, each case in a fresh sandbox, each decision a line.

use std::time::Instant;

use serde_json::Value;

use super::tally::{CaseTally, NotAdded};
use super::{NotedRow, ProcessError, Processed, Room, Work, work_out};
use crate::connection::{StagedWriter, Stored};
use crate::format::{CaseLine, CaseReader, DecisionWriter};
use crate::model::limits::Limit;
use crate::model::manifest::RuleSetShape;
use crate::model::outcome::{Decision, Effect, PluginFailure, Reason};
use crate::model::totals::ControlTotals;
use crate::registry::cases::decision_json;
use crate::registry::schema::Violation;
use crate::sandbox::{CallError, Report, Worker};

/// Decides the work's cases.
pub(super) fn process(worker: &Worker, work: &Work, shape: &RuleSetShape) -> Processed {
    let began = Instant::now();
    let (tally, noted, room) = (CaseTally::new(shape), Vec::new(), Room::new());
    let mut desk = Desk { worker, work, shape, began, tally, noted, room, report: Report::default() };
    let result = desk.run().and_then(|output| {
        let totals = desk.tally.totals();
        let balances = work_out(&work.setup.release.manifest.balances, &totals)?;
        Ok((vec![output], totals, balances))
    });
    let unfinished = || ControlTotals { outputs: Vec::new(), ..desk.tally.totals() };
    let ((outputs, totals, balances), error) = match result {
        Ok(finished) => (finished, None),
        Err(error) => ((Vec::new(), unfinished(), Vec::new()), Some(error)),
    };
    Processed {
        totals,
        balances,
        noted: desk.noted,
        warnings: 0,
        skipped: std::collections::BTreeMap::new(),
        outputs,
        report: desk.report,
        took: began.elapsed(),
        error,
    }
}

struct Desk<'a> {
    worker: &'a Worker,
    work: &'a Work,
    shape: &'a RuleSetShape,
    began: Instant,
    tally: CaseTally,
    noted: Vec<NotedRow>,
    room: Room,
    report: Report,
}

impl Desk<'_> {
    fn run(&mut self) -> Result<Option<Stored>, ProcessError> {
        let unreadable = |error| ProcessError::Input { input: "case".to_owned(), error };
        let unwritable = |error| ProcessError::Output { output: "decision".to_owned(), error };
        let Some(Some(input)) = self.work.inputs.first() else { return Ok(None) };
        let mut cases = CaseReader::open(self.work.artefacts.read(&input.artefact)?).map_err(unreadable)?;
        let mut sink: Option<DecisionWriter<StagedWriter>> = match self.work.outputs.first() {
            Some(Some(_)) => Some(DecisionWriter::open(self.work.artefacts.writer()?)),
            _ => None,
        };
        while let Some(line) = cases.next_case().map_err(unreadable)? {
            self.work.progress.add(1)?;
            self.check_wall()?;
            self.tally.rows.read += 1;
            match line {
                CaseLine::Reject(reject) => self.refuse(super::adapter::unread(reject))?,
                CaseLine::Case { row, place, text } => match self.decide(row, &text)? {
                    Ok(decided) => {
                        if let Some(sink) = &mut sink {
                            sink.write(&decided).map_err(unwritable)?;
                        }
                    }
                    Err(reasons) => self.refuse(NotedRow {
                        input: String::new(),
                        effect: Effect::Reject,
                        row: Some(row),
                        line: place.line,
                        byte_offset: place.byte_offset,
                        byte_length: place.byte_length,
                        raw: text.clone().into_bytes(),
                        decoded: Some(text),
                        reasons,
                    })?,
                },
            }
        }
        match sink {
            Some(sink) => Ok(Some(sink.finish().map_err(unwritable)?.0.commit()?)),
            None => Ok(None),
        }
    }

    /// Every case has an instance of its own, and that a clock of its own: the time of the whole run is kept here.
    fn check_wall(&mut self) -> Result<(), ProcessError> {
        let used = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (limit, setup) = (Limit::WallMs, &self.work.setup);
        self.report.usage.raise(limit, used);
        let allowed = setup.limits.get(limit);
        if used <= allowed {
            return Ok(());
        }
        Err(CallError::LimitReached { plugin: setup.release.manifest.name.clone(), limit, allowed, used: Some(used) }.into())
    }

    /// The decision as a line, or why the case is refused.
    fn decide(&mut self, row: u64, text: &str) -> Result<Result<String, Vec<Reason>>, ProcessError> {
        let case: Value = serde_json::from_str(text).expect("the reader gives JSON only");
        let refused =
            |code: &str, message: String, column: Option<String>| Ok(Err(vec![Reason { column, code: code.to_owned(), message }]));
        let schema = self.work.case_schema.as_deref().expect("a rule set's work has its schema");
        let violations = schema.violations(&case);
        if !violations.is_empty() {
            let reason = |violation: Violation| Reason {
                column: Some(violation.pointer),
                code: "case-does-not-fit-schema".to_owned(),
                message: violation.message,
            };
            return Ok(Err(violations.into_iter().map(reason).collect()));
        }
        let (decision, report) = match self.worker.decide(&self.work.setup, text) {
            Ok(decided) => decided,
            Err(failed) => {
                self.report.join(failed.report);
                return match failed.error {
                    // The case's own fault, or of one date that it speaks of: the others go on.
                    CallError::Failed(failure @ PluginFailure::TableMissing { .. }) => refused("table-missing", failure.to_string(), None),
                    CallError::Failed(PluginFailure::InputUnusable { code, message }) => refused(&code, message, None),
                    error => Err(error.into()),
                };
            }
        };
        self.report.join(report);
        self.check(&decision)?;
        match self.tally.add(&case, &decision) {
            Ok(()) => {}
            Err(NotAdded::Amount(pointer)) => {
                return refused("amount-unreadable", format!("{pointer} is not an amount such as 1234.56"), Some(pointer));
            }
            Err(NotAdded::Figure(column)) => return Err(ProcessError::SumTooLarge { output: "decision".to_owned(), column }),
        }
        let reference = case.pointer(&self.shape.reference).cloned().unwrap_or(Value::Null);
        Ok(Ok(line(row, &reference, &decision)))
    }

    fn check(&self, decision: &Decision) -> Result<(), ProcessError> {
        if !self.shape.outcomes.contains(&decision.outcome) {
            return Err(ProcessError::NotDeclared { what: format!("the outcome {:?}", decision.outcome) });
        }
        match decision.figures.iter().find(|(name, _)| !self.shape.figures.contains(name)) {
            Some((name, _)) => Err(ProcessError::NotDeclared { what: format!("the figure {name:?}") }),
            None => Ok(()),
        }
    }

    fn refuse(&mut self, mut noted: NotedRow) -> Result<(), ProcessError> {
        "case".clone_into(&mut noted.input);
        self.room.fit(&mut noted);
        self.noted.push(noted);
        self.tally.rows.rejected += 1;
        let rejects_max = crate::model::limits::REJECT_ROWS_MAX;
        if self.tally.rows.rejected > rejects_max { Err(ProcessError::TooManyRejects { rejects_max }) } else { Ok(()) }
    }
}

/// A decision as a line of the output: which case, then what was decided.
fn line(row: u64, reference: &Value, decision: &Decision) -> String {
    let mut line = serde_json::Map::new();
    line.insert("row".to_owned(), row.into());
    line.insert("reference".to_owned(), reference.clone());
    if let Value::Object(decided) = decision_json(decision) {
        line.extend(decided);
    }
    Value::Object(line).to_string()
}
