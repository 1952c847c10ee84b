//! Rows through an adapter: each input to its end, batch by batch, then what is left, until done.

use std::borrow::Cow;
use std::fs::File;
use std::time::Instant;

use super::book::Book;
use super::file::{Files, Finder};
use super::outlet::Outlets;
use super::unique::Unique;
use super::{InputFile, NotedRow, ProcessError, Processed, Work, work_out};
use crate::format::{Decoded, Located, RowReject, row_as_json};
use crate::model::limits::UNIQUE_KEYS_IN_MEMORY;
use crate::model::manifest::AdapterShape;
use crate::model::outcome::{Effect, Finding, Outcome, Reason};
use crate::model::rows::{Batch, PortShape};
use crate::model::totals::ControlTotals;
use crate::sandbox::{AdapterRun, Report, Worker};

/// Runs the adapter over the work's inputs.
pub(super) fn process(worker: &Worker, work: &Work, shape: &AdapterShape) -> Processed {
    let began = Instant::now();
    let files = Files::new(worker, work);
    let mut flow = Flow { work, files: &files, shape, book: Book::new(&shape.inputs), done: Vec::new() };
    let mut report = Report::default();
    let result = Outlets::open(&files, work, &shape.outputs).and_then(|mut outlets| {
        let mut run = worker.open_adapter(&work.setup).inspect_err(|failed| report = failed.report.clone())?;
        let through = flow.run(&mut run, &mut outlets);
        report = run.close();
        through?;
        let (outputs, written) = outlets.finish()?;
        let totals = ControlTotals { inputs: flow.book.tallies().map(super::tally::Tally::totals).collect(), outputs: written };
        let balances = work_out(&work.setup.release.manifest.balances, &totals)?;
        Ok((outputs, totals, balances))
    });
    let unfinished = || ControlTotals { inputs: flow.book.tallies().map(super::tally::Tally::totals).collect(), outputs: Vec::new() };
    let ((outputs, totals, balances), error) = match result {
        Ok(finished) => (finished, None),
        Err(error) => ((Vec::new(), unfinished(), Vec::new()), Some(error)),
    };
    let Book { noted, skipped, warnings, .. } = flow.book;
    report.join(files.into_report());
    Processed { totals, balances, noted, warnings, skipped, outputs, report, took: began.elapsed(), error }
}

/// What is needed to find a row again.
struct Source<'a> {
    input: usize,
    file: &'a File,
    /// The batch that the plugin has just been given.
    at_hand: Option<(&'a Decoded, &'a Batch)>,
    shape: &'a PortShape,
    finder: &'a dyn Fn() -> Finder,
}

struct Flow<'a> {
    work: &'a Work,
    files: &'a Files<'a>,
    shape: &'a AdapterShape,
    book: Book,
    /// Inputs that have come to their end, for findings that come late.
    done: Vec<Option<(Finder, File)>>,
}

impl Flow<'_> {
    fn run(&mut self, run: &mut AdapterRun, outlets: &mut Outlets) -> Result<(), ProcessError> {
        for (place, input) in self.work.inputs.iter().enumerate() {
            match input {
                Some(input) => self.input(place, input, run, outlets)?,
                None => self.done.push(None),
            }
            let outcome = run.end(place)?;
            self.settle(None, outcome, outlets, &mut |_, _| Ok(None))?;
        }
        loop {
            let (outcome, done) = run.finish()?;
            self.settle(None, outcome, outlets, &mut |_, _| Ok(None))?;
            self.work.progress.add(0)?;
            if done {
                return Ok(());
            }
        }
    }

    fn input(&mut self, place: usize, input: &InputFile, run: &mut AdapterRun, outlets: &mut Outlets) -> Result<(), ProcessError> {
        let shape = &self.shape.inputs[place];
        let again = self.work.artefacts.read(&input.artefact)?;
        let mut rows = self.files.rows(&input.form, shape, &input.artefact)?;
        let mut uniques = uniques(self.work, shape);
        while let Some(decoded) = rows.next_batch(shape)? {
            self.work.progress.add((decoded.batch.rows + decoded.rejects.len()) as u64)?;
            self.book.read(place, (decoded.batch.rows + decoded.rejects.len()) as u64);
            for reject in &decoded.rejects {
                self.book.refuse(place, unread(reject))?;
            }
            let repeated = repeated(&mut uniques, &decoded.batch)?;
            let given = pieces(&decoded.batch, &repeated);
            let mut source = Source { input: place, file: &again, at_hand: None, shape, finder: &|| rows.finder() };
            for (row, unique) in &repeated {
                let noted = repeat(&mut source, (&decoded, *row), &uniques[*unique])?;
                self.book.refuse(place, noted)?;
            }
            for piece in &given {
                let outcome = run.push(place, piece)?;
                source.at_hand = Some((&decoded, piece));
                self.settle(Some((place, piece)), outcome, outlets, &mut |input, row| source.find(input, row))?;
            }
        }
        self.done.push(Some((rows.finder(), again)));
        Ok(())
    }

    /// Enters an outcome in the book and passes its rows on.
    fn settle(
        &mut self,
        pushed: Option<(usize, &Batch)>,
        outcome: Outcome,
        outlets: &mut Outlets,
        find: &mut dyn FnMut(usize, u64) -> Result<Option<Located>, ProcessError>,
    ) -> Result<(), ProcessError> {
        for (output, batch) in &outcome.outputs {
            outlets.write(*output, batch)?;
        }
        let findings: Vec<Finding> = outcome.findings;
        let (done, inputs) = (&mut self.done, &self.shape.inputs);
        self.book.enter(pushed, findings, &mut |input, row| {
            let nowhere =
                || ProcessError::NoSuchRow { input: inputs.get(input).map_or_else(|| input.to_string(), |shape| shape.name.clone()), row };
            if let Some(located) = find(input, row)? {
                return Ok(located);
            }
            let (locator, file) = done.get_mut(input).and_then(Option::as_mut).ok_or_else(nowhere)?;
            locator.locate(row, file).map_err(|error| ProcessError::Input { input: inputs[input].name.clone(), error })?.ok_or_else(nowhere)
        })
    }
}

impl Source<'_> {
    /// A row of the input that is being read; none where another input is meant.
    fn find(&mut self, input: usize, row: u64) -> Result<Option<Located>, ProcessError> {
        if input != self.input {
            return Ok(None);
        }
        let unreadable = |error| ProcessError::Input { input: self.shape.name.clone(), error };
        if let Some((decoded, _)) = self.at_hand.filter(|(_, piece)| row >= piece.first_row && row < piece.first_row + piece.rows as u64) {
            return self.located(decoded, row).map(Some);
        }
        (self.finder)().locate(row, self.file).map_err(unreadable)
    }

    fn located(&mut self, decoded: &Decoded, row: u64) -> Result<Located, ProcessError> {
        let within = usize::try_from(row - decoded.batch.first_row).expect("a batch is far smaller than memory");
        let place = decoded.places[within];
        let raw = place.read_raw(&mut &*self.file).map_err(|error| ProcessError::Input { input: self.shape.name.clone(), error })?;
        Ok(Located { row, place, raw, decoded: row_as_json(&self.shape.columns, &decoded.batch, within) })
    }
}

fn uniques(work: &Work, shape: &PortShape) -> Vec<Unique> {
    let key: [u8; 16] = *work.setup.seed.first_chunk().expect("a seed has 32 bytes");
    shape.unique.iter().map(|columns| Unique::new(columns.clone(), &key, UNIQUE_KEYS_IN_MEMORY, &work.spill)).collect()
}

/// The rows of a batch whose key was seen before, ascending, each with the rule that it breaks.
fn repeated(uniques: &mut [Unique], batch: &Batch) -> Result<Vec<(usize, usize)>, ProcessError> {
    let mut repeated = Vec::new();
    if uniques.is_empty() {
        return Ok(repeated);
    }
    for row in 0..batch.rows {
        let mut broken = None;
        for (place, unique) in uniques.iter_mut().enumerate() {
            if !unique.insert(&batch.columns, row)? && broken.is_none() {
                broken = Some(place);
            }
        }
        repeated.extend(broken.map(|place| (row, place)));
    }
    Ok(repeated)
}

/// The batch without the repeated rows: itself, or what lies between them.
fn pieces<'a>(batch: &'a Batch, repeated: &[(usize, usize)]) -> Vec<Cow<'a, Batch>> {
    if repeated.is_empty() && batch.rows > 0 {
        return vec![Cow::Borrowed(batch)];
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    for end in repeated.iter().map(|(row, _)| *row).chain([batch.rows]) {
        if end > start {
            pieces.push(Cow::Owned(batch.slice(start, end)));
        }
        start = end + 1;
    }
    pieces
}

pub(super) fn unread(reject: &RowReject) -> NotedRow {
    NotedRow {
        input: String::new(),
        effect: Effect::Reject,
        row: None,
        line: reject.line,
        byte_offset: reject.byte_offset,
        byte_length: reject.byte_length,
        raw: reject.raw.clone(),
        decoded: reject.decoded.clone(),
        reasons: reject.reasons.clone(),
    }
}

fn repeat(source: &mut Source<'_>, (decoded, row): (&Decoded, usize), unique: &Unique) -> Result<NotedRow, ProcessError> {
    let names: Vec<&str> = unique.columns.iter().map(|place| source.shape.columns[*place].name.as_str()).collect();
    let message = format!("An earlier row has the same {}. Remove one of them.", names.join(" and "));
    let column = names.first().map(ToString::to_string);
    let located = source.located(decoded, decoded.batch.first_row + row as u64)?;
    Ok(NotedRow {
        input: String::new(),
        effect: Effect::Reject,
        row: Some(located.row),
        line: located.place.line,
        byte_offset: located.place.byte_offset,
        byte_length: located.place.byte_length,
        raw: located.raw,
        decoded: Some(located.decoded),
        reasons: vec![Reason { column, code: "duplicate-row".to_owned(), message }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rows::{Column, ColumnData, Validity};

    #[test]
    fn pieces_lie_between_repeated_rows() {
        let column = Column { validity: Validity::default(), data: ColumnData::Integers((0..6).collect()) };
        let batch = Batch { first_row: 10, rows: 6, columns: vec![column] };
        let spans = |repeated: &[usize]| {
            let repeated: Vec<_> = repeated.iter().map(|row| (*row, 0)).collect();
            pieces(&batch, &repeated).iter().map(|piece| (piece.first_row, piece.rows)).collect::<Vec<_>>()
        };
        assert_eq!(spans(&[]), [(10, 6)]);
        assert_eq!(spans(&[0, 3]), [(11, 2), (14, 2)]);
        assert_eq!(spans(&[4, 5]), [(10, 4)]);
        assert_eq!(spans(&[0, 1, 2, 3, 4, 5]), []);
    }
}
