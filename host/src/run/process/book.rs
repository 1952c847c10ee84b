//! The book of a run's rows: which were accepted, rejected, skipped or warned about, and what they add up to.
//!
//! Every row that is read ends in exactly one of the first three. A plugin that says otherwise is found out here.

use std::collections::BTreeMap;

use roaring::{RoaringBitmap, RoaringTreemap};

use super::tally::Tally;
use super::{NotedRow, ProcessError, Room};
use crate::format::Located;
use crate::model::limits::{REJECT_ROWS_MAX, SKIP_CODES_MAX, WARNINGS_KEPT_MAX};
use crate::model::outcome::{Effect, Finding};
use crate::model::rows::{Batch, PortShape};
use crate::model::totals::PortTotals;

/// Finds a row of an input again: by the place of the input and the row's number.
pub(super) type Find<'a> = &'a mut dyn FnMut(usize, u64) -> Result<Located, ProcessError>;

/// One input's page.
#[derive(Debug)]
struct Page {
    shape: PortShape,
    tally: Tally,
    decided: RoaringTreemap,
}

/// The book.
#[derive(Debug)]
pub(super) struct Book {
    pages: Vec<Page>,
    /// Rejects and warnings, in the order in which they were found.
    pub(super) noted: Vec<NotedRow>,
    /// How many rows were skipped, by the code of their first reason; those of further codes together, as `other`.
    pub(super) skipped: BTreeMap<String, u64>,
    /// Rows warned about, those not kept included.
    pub(super) warnings: u64,
    room: Room,
}

impl Book {
    /// An empty book for some inputs.
    pub(super) fn new(inputs: &[PortShape]) -> Self {
        let page = |shape: &PortShape| Page { shape: shape.clone(), tally: Tally::new(shape), decided: RoaringTreemap::new() };
        Self { pages: inputs.iter().map(page).collect(), noted: Vec::new(), skipped: BTreeMap::new(), warnings: 0, room: Room::new() }
    }

    /// Counts records that were read from an input's file.
    pub(super) fn read(&mut self, input: usize, records: u64) {
        self.pages[input].tally.rows.read += records;
    }

    /// Notes a record that the hub refused before any plugin saw it.
    pub(super) fn refuse(&mut self, input: usize, mut noted: NotedRow) -> Result<(), ProcessError> {
        if let Some(row) = noted.row {
            self.pages[input].decided.insert(row);
        }
        noted.effect = Effect::Reject;
        noted.input.clone_from(&self.pages[input].shape.name);
        self.room.fit(&mut noted);
        self.noted.push(noted);
        self.count_reject(input)
    }

    /// Enters the rows of a batch that the plugin was given, with what it found. Findings may be about earlier rows too.
    pub(super) fn enter(&mut self, pushed: Option<(usize, &Batch)>, findings: Vec<Finding>, find: Find<'_>) -> Result<(), ProcessError> {
        let mut left_out = RoaringBitmap::new();
        for finding in findings {
            let (input, row, effect) = (finding.input, finding.row, finding.effect);
            let page = self.pages.get_mut(input).ok_or_else(|| ProcessError::NoSuchRow { input: input.to_string(), row })?;
            if effect == Effect::Warn {
                self.warnings += 1;
                if self.warnings > WARNINGS_KEPT_MAX {
                    continue;
                }
            } else if !page.decided.insert(row) {
                return Err(ProcessError::DecidedTwice { input: page.shape.name.clone(), row });
            }
            let within = pushed.filter(|(to, _)| *to == input).and_then(|(_, batch)| place_in(batch, row));
            if effect == Effect::Skip {
                page.tally.rows.skipped += 1;
                let code = finding.reasons.first().map_or("", |reason| reason.code.as_str());
                count_skipped(&mut self.skipped, code, 1);
                if let Some(within) = within {
                    // The usual case, and there may be millions: no need to find the row again.
                    left_out.insert(within);
                    continue;
                }
            }
            let located = find(input, row)?;
            match within {
                _ if effect == Effect::Warn => {}
                Some(within) => drop(left_out.insert(within)),
                None => self.pages[input].tally.take_back(&located.decoded),
            }
            if effect != Effect::Skip {
                self.note(finding, located)?;
            }
        }
        if let Some((input, batch)) = pushed {
            self.pages[input].tally.add(batch, &left_out);
        }
        Ok(())
    }

    /// Totals of every input.
    pub(super) fn totals(&self) -> Vec<PortTotals> {
        self.pages.iter().map(|page| page.tally.totals()).collect()
    }

    fn note(&mut self, finding: Finding, located: Located) -> Result<(), ProcessError> {
        let mut noted = NotedRow {
            input: self.pages[finding.input].shape.name.clone(),
            effect: finding.effect,
            row: Some(finding.row),
            line: located.place.line,
            byte_offset: located.place.byte_offset,
            byte_length: located.place.byte_length,
            raw: located.raw,
            decoded: Some(located.decoded),
            reasons: finding.reasons,
        };
        self.room.fit(&mut noted);
        self.noted.push(noted);
        if finding.effect == Effect::Reject { self.count_reject(finding.input) } else { Ok(()) }
    }

    fn count_reject(&mut self, input: usize) -> Result<(), ProcessError> {
        self.pages[input].tally.rows.rejected += 1;
        let rejected: u64 = self.pages.iter().map(|page| page.tally.rows.rejected).sum();
        if rejected > REJECT_ROWS_MAX { Err(ProcessError::TooManyRejects { rejects_max: REJECT_ROWS_MAX }) } else { Ok(()) }
    }
}

/// Counts skipped rows under their code, or with the others of which there are too many.
pub(in crate::run) fn count_skipped(skipped: &mut BTreeMap<String, u64>, code: &str, rows: u64) {
    // The usual case, without a copy of the code.
    if let Some(known) = skipped.get_mut(code) {
        *known += rows;
        return;
    }
    let code = if skipped.len() < SKIP_CODES_MAX { code } else { "other" };
    *skipped.entry(code.to_owned()).or_default() += rows;
}

/// The place of a row in a batch, if it is one of its rows.
fn place_in(batch: &Batch, row: u64) -> Option<u32> {
    let within = row.checked_sub(batch.first_row).filter(|within| *within < batch.rows as u64)?;
    u32::try_from(within).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::Reason;
    use crate::model::rows::BatchBuilder;

    #[test]
    fn codes_of_skipped_rows_are_bounded_and_no_row_is_lost() {
        let shape = PortShape {
            name: "rows".to_owned(),
            about: String::new(),
            optional: false,
            columns: Vec::new(),
            unique: Vec::new(),
            aggregate_by: None,
        };
        let mut book = Book::new(&[shape]);
        for first_row in (0..50_000).step_by(1_000) {
            let mut batch = BatchBuilder::new(&[]);
            let skip = |row: u64| Finding {
                input: 0,
                row,
                effect: Effect::Skip,
                reasons: vec![Reason { column: None, code: format!("code-{row}"), message: "Not of this job.".to_owned() }],
            };
            let findings = (first_row..first_row + 1_000).map(skip).collect();
            (0..1_000).for_each(|_| batch.end_row());
            let entered =
                book.enter(Some((0, &batch.take(first_row))), findings, &mut |_, _| unreachable!("a skipped row is not looked for"));
            entered.expect("the findings are sound");
        }
        assert_eq!(book.skipped.len(), SKIP_CODES_MAX + 1);
        assert_eq!((book.skipped["code-0"], book.skipped["other"]), (1, 50_000 - SKIP_CODES_MAX as u64));
        assert_eq!(book.skipped.values().sum::<u64>(), 50_000);
    }
}
