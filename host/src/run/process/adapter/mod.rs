//! Rows through an adapter: each input to its end, batch by batch, then what is left, until done.
//!
//! ```text
//! intake   read, looked at for repeats  ══belt══▶  plugin, book  ══belt══▶  outflow   encoded, hashed, staged
//! ```
//! A short run does all of it in turns. A long one has a thread for each end where the machine has cores for them, and holds
//! little more: a belt with too much on it makes its thread wait. What comes out is the same to the byte, and an error is the
//! one that doing everything in turns would have met first. Threads end before the run does, however it ends.

mod belt;
mod find;
mod intake;
mod outflow;

use std::borrow::Cow;
use std::thread::{self, Scope};
use std::time::Instant;

use super::book::Book;
use super::file::{Files, Finder};
use super::outlet::Outlets;
use super::{InputFile, ProcessError, Processed, Work, work_out};
use crate::connection::ArtefactFile;
use crate::format::Located;
use crate::model::manifest::AdapterShape;
use crate::model::outcome::Outcome;
use crate::model::rows::Batch;
use crate::model::totals::ControlTotals;
use crate::sandbox::{AdapterRun, Report, Worker};
use find::Source;
use intake::{Given, Intake};
use outflow::Outflow;

pub(super) use find::unread;
pub(in crate::run) use intake::{repeated, uniques};

/// Batches after which a run is long: a thread costs less than a hundredth of what they took.
const LONG_BATCHES: u64 = 4;

/// Runs the adapter over the work's inputs.
pub(super) fn process(worker: &Worker, work: &Work, shape: &AdapterShape) -> Processed {
    let began = Instant::now();
    let files = Files::new(worker, work);
    let mut book = Book::new(&shape.inputs);
    let mut report = Report::default();
    let result = Outlets::open(&files, work, &shape.outputs).and_then(|outlets| {
        let mut run = worker.open_adapter(&work.setup).inspect_err(|failed| report = failed.report.clone())?;
        let ended = thread::scope(|scope| {
            let outflow = Outflow::new(outlets);
            let mut flow = Flow { scope, work, files: &files, shape, book: &mut book, done: Vec::new(), outflow, pace: Pace::default() };
            let through = flow.run(&mut run);
            flow.outflow.finish(through)
        });
        report = run.close();
        let (outputs, written) = ended?;
        let totals = ControlTotals { inputs: book.totals(), outputs: written };
        let balances = work_out(&work.setup.release.manifest.balances, &totals)?;
        Ok((outputs, totals, balances))
    });
    let ((outputs, totals, balances), error) = match result {
        Ok(finished) => (finished, None),
        Err(error) => ((Vec::new(), ControlTotals { inputs: book.totals(), outputs: Vec::new() }, Vec::new()), Some(error)),
    };
    let Book { noted, skipped, warnings, .. } = book;
    report.join(files.into_report());
    Processed { totals, balances, noted, warnings, skipped, outputs, report, took: began.elapsed(), error }
}

struct Flow<'scope, 'env, 'a> {
    scope: &'scope Scope<'scope, 'env>,
    work: &'a Work,
    files: &'a Files<'a>,
    shape: &'a AdapterShape,
    book: &'a mut Book,
    /// Inputs that have come to their end, for findings that come late.
    done: Vec<Option<(Finder, ArtefactFile)>>,
    outflow: Outflow<'scope>,
    pace: Pace,
}

/// How long a run is so far, and how many cores it may have.
#[derive(Default)]
struct Pace {
    batches: u64,
    cores: Option<usize>,
}

impl Pace {
    /// Whether threads of its own would make the run quicker.
    fn is_for_threads(&mut self) -> bool {
        self.batches >= LONG_BATCHES && *self.cores.get_or_insert_with(|| thread::available_parallelism().map_or(1, usize::from)) > 1
    }
}

impl Flow<'_, '_, '_> {
    fn run(&mut self, run: &mut AdapterRun) -> Result<(), ProcessError> {
        for (place, input) in self.work.inputs.iter().enumerate() {
            match input {
                Some(input) => self.input(place, input, run)?,
                None => self.done.push(None),
            }
            let outcome = run.end(place)?;
            self.settle(None, outcome, &mut |_, _| Ok(None))?;
        }
        loop {
            let (outcome, done) = run.finish()?;
            self.settle(None, outcome, &mut |_, _| Ok(None))?;
            self.work.progress.add(0)?;
            if done {
                return Ok(());
            }
        }
    }

    fn input(&mut self, place: usize, input: &InputFile, run: &mut AdapterRun) -> Result<(), ProcessError> {
        let shape = &self.shape.inputs[place];
        if input.slice.as_ref().is_some_and(|slice| slice.is_later()) {
            // What the inputs before it gave is the first slice's to tell.
            *self.book = Book::new(&self.shape.inputs);
            self.outflow.start_over(Outlets::open(self.files, self.work, &self.shape.outputs)?)?;
        }
        let again = self.work.artefacts.read(&input.artefact)?;
        let (mut intake, finder) = Intake::open(self.files, self.work, shape, input)?;
        let source = Source { input: place, shape, file: &again, finder: &finder };
        loop {
            if self.pace.is_for_threads() {
                intake = intake.ahead(self.scope)?;
                self.outflow.behind(self.scope)?;
            }
            let Some(given) = intake.next()? else { break };
            self.pace.batches += 1;
            self.give(given, &source, run)?;
        }
        self.done.push(Some((finder, again)));
        Ok(())
    }

    /// Notes what the hub refuses of some rows, and gives the others to the plugin.
    fn give(&mut self, given: Given, source: &Source<'_>, run: &mut AdapterRun) -> Result<(), ProcessError> {
        let Given { mut decoded, repeated } = given;
        let place = source.input;
        let records = (decoded.batch.rows + decoded.rejects.len()) as u64;
        self.work.progress.add(records)?;
        self.book.read(place, records);
        for reject in decoded.rejects.drain(..) {
            self.book.refuse(place, unread(reject))?;
        }
        for (row, rule) in &repeated {
            self.book.refuse(place, source.repeat(&decoded, *row, &source.shape.unique[*rule])?)?;
        }
        for piece in pieces(&decoded.batch, &repeated) {
            let outcome = run.push(place, &piece)?;
            self.settle(Some((place, &piece)), outcome, &mut |input, row| source.find(input, row, (&decoded, &piece)))?;
        }
        Ok(())
    }

    /// Passes the rows of an outcome on and enters the rest in the book.
    fn settle(
        &mut self,
        pushed: Option<(usize, &Batch)>,
        outcome: Outcome,
        find: &mut dyn FnMut(usize, u64) -> Result<Option<Located>, ProcessError>,
    ) -> Result<(), ProcessError> {
        for (output, batch) in outcome.outputs {
            self.outflow.write(output, batch)?;
        }
        let (done, inputs) = (&mut self.done, &self.shape.inputs);
        self.book.enter(pushed, outcome.findings, &mut |input, row| {
            let nowhere =
                || ProcessError::NoSuchRow { input: inputs.get(input).map_or_else(|| input.to_string(), |shape| shape.name.clone()), row };
            if let Some(located) = find(input, row)? {
                return Ok(located);
            }
            let (finder, file) = done.get_mut(input).and_then(Option::as_mut).ok_or_else(nowhere)?;
            finder.locate(row, file).map_err(|error| ProcessError::Input { input: inputs[input].name.clone(), error })?.ok_or_else(nowhere)
        })
    }
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
