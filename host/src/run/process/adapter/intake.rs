//! An input on its way to the plugin: read, and looked at for keys that were seen before. A long one is read ahead on a
//! thread of its own.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use super::belt::{Loader, Room, Unloader, belt};
use crate::format::Decoded;
use crate::model::limits::UNIQUE_KEYS_IN_MEMORY;
use crate::model::rows::{Batch, PortShape};
use crate::run::process::file::{Files, Finder, InputRows, Slice};
use crate::run::process::unique::Unique;
use crate::run::process::{InputFile, ProcessError, Work};
use crate::sandbox::thread_stack_bytes;

/// Batches that are read ahead. Two, so that one is ready while the next is read.
const AHEAD: Room = Room { things: 2, bytes: 8 << 20 };

/// Some rows of an input.
pub(super) struct Given {
    pub(super) decoded: Decoded,
    /// The rows whose key was seen before, ascending, each with the first rule that it breaks.
    pub(super) repeated: Vec<(usize, usize)>,
}

/// An input.
pub(super) enum Intake<'scope> {
    /// Read when rows are asked for.
    AsAsked(Box<Reading>),
    /// Read on a thread of its own.
    Ahead(Ahead<'scope>),
}

/// Reads an input.
pub(super) struct Reading {
    rows: InputRows,
    shape: PortShape,
    uniques: Vec<Unique>,
    /// Which rows repeat an earlier one is known of a part that is read apart from what is before it.
    slice: Option<Arc<Slice>>,
}

pub(super) struct Ahead<'scope> {
    /// Both there until this is dropped.
    belt: Option<Unloader<Result<Given, ProcessError>>>,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope> Intake<'scope> {
    /// Begins an input, and tells how rows of it are found again.
    pub(super) fn open(files: &Files<'_>, work: &Work, shape: &PortShape, input: &InputFile) -> Result<(Self, Finder), ProcessError> {
        let rows = files.rows(input, shape)?;
        let finder = rows.finder();
        let reading = Reading { rows, shape: shape.clone(), uniques: uniques(work, shape), slice: input.slice.clone() };
        Ok((Self::AsAsked(Box::new(reading)), finder))
    }

    /// Goes on reading on a thread of its own.
    pub(super) fn ahead<'env>(self, scope: &'scope Scope<'scope, 'env>) -> Result<Self, ProcessError> {
        match self {
            Self::AsAsked(reading) => {
                let (loader, unloader) = belt(AHEAD);
                let thread = Builder::new().name("run-reading".to_owned()).stack_size(thread_stack_bytes());
                let thread = thread.spawn_scoped(scope, move || read_on(*reading, &loader)).map_err(ProcessError::Thread)?;
                Ok(Self::Ahead(Ahead { belt: Some(unloader), thread: Some(thread) }))
            }
            Self::Ahead(_) => Ok(self),
        }
    }

    /// The next rows; none when the input has ended.
    pub(super) fn next(&mut self) -> Result<Option<Given>, ProcessError> {
        match self {
            Self::AsAsked(reading) => reading.next(),
            Self::Ahead(ahead) => ahead.next(),
        }
    }
}

/// Puts all that is left on the belt, up to the first error, or until nobody wants it.
fn read_on(mut reading: Reading, belt: &Loader<Result<Given, ProcessError>>) {
    while let Some(given) = reading.next().transpose() {
        let failed = given.is_err();
        let bytes = given.as_ref().map_or(0, Given::bytes);
        if belt.put(given, bytes).is_err() || failed {
            return;
        }
    }
}

impl Reading {
    fn next(&mut self) -> Result<Option<Given>, ProcessError> {
        let Some(decoded) = self.rows.next_batch(&self.shape)? else { return Ok(None) };
        let repeated = match &self.slice {
            Some(slice) => slice.repeated(&decoded.batch),
            None => repeated(&mut self.uniques, &decoded.batch)?,
        };
        Ok(Some(Given { decoded, repeated }))
    }
}

impl Ahead<'_> {
    fn next(&mut self) -> Result<Option<Given>, ProcessError> {
        let belt = self.belt.as_ref().expect("it is there until this is dropped");
        match belt.take() {
            Some(given) => given.map(Some),
            None => {
                // The input has ended, unless the thread has panicked.
                self.thread.take().map_or(Ok(()), ScopedJoinHandle::join).unwrap_or_else(|panic| resume_unwind(panic));
                Ok(None)
            }
        }
    }
}

impl Drop for Ahead<'_> {
    /// What is not wanted is not read, and what a plugin of the file used has been told when this is gone.
    fn drop(&mut self) {
        self.belt = None;
        // Rows are left only where the run has failed already: that is what is told.
        let _ = self.thread.take().map(ScopedJoinHandle::join);
    }
}

impl Given {
    fn bytes(&self) -> usize {
        let rejects = self.decoded.rejects.iter().map(|reject| reject.raw.len() + reject.decoded.as_ref().map_or(0, String::len));
        self.decoded.batch.bytes() + rejects.sum::<usize>()
    }
}

/// The uniqueness rules of an input, none of whose keys has been seen.
pub(in crate::run) fn uniques(work: &Work, shape: &PortShape) -> Vec<Unique> {
    let key: [u8; 16] = *work.setup.seed.first_chunk().expect("a seed has 32 bytes");
    let unique = |columns: &Vec<usize>| Unique::new(columns.clone(), &key, UNIQUE_KEYS_IN_MEMORY, &work.spill);
    shape.unique.iter().map(unique).collect()
}

/// The rows of a batch whose key was seen before, ascending, each with the first rule that it breaks.
pub(in crate::run) fn repeated(uniques: &mut [Unique], batch: &Batch) -> Result<Vec<(usize, usize)>, ProcessError> {
    let mut repeated = BTreeMap::new();
    for (place, unique) in uniques.iter_mut().enumerate() {
        for row in unique.repeated(batch)? {
            repeated.entry(row).or_insert(place);
        }
    }
    Ok(repeated.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::format::{Decoder, FormatError};
    use crate::model::job::{CsvFormat, DateStyle, Encoding, Format};
    use crate::model::rows::{ColumnKind, ColumnShape};

    fn reading(text: String) -> Intake<'static> {
        let column = ColumnShape {
            name: "n".to_owned(),
            kind: ColumnKind::Integer,
            required: true,
            personal: false,
            length_max: None,
            about: String::new(),
        };
        let shape = PortShape {
            name: "lines".to_owned(),
            columns: vec![column],
            optional: false,
            unique: vec![vec![0]],
            aggregate_by: None,
            about: String::new(),
        };
        let csv = CsvFormat {
            encoding: Encoding::Utf8,
            delimiter: b',',
            dates: DateStyle::Iso,
            headings: Vec::new(),
            other_columns_ignored: false,
        };
        let rows = InputRows::BuiltIn(Decoder::open(&Format::Csv(csv), &shape, std::io::Cursor::new(text.into_bytes())).expect("it opens"));
        let unique = Unique::new(vec![0], &[7; 16], UNIQUE_KEYS_IN_MEMORY, &std::env::temp_dir());
        Intake::AsAsked(Box::new(Reading { rows, shape, uniques: vec![unique], slice: None }))
    }

    fn numbers(count: u32) -> String {
        (0..count).fold("n\n".to_owned(), |text, number| text + &format!("{}\n", number % 15_000))
    }

    /// First row, rows, repeated rows of each batch.
    fn taken(intake: &mut Intake<'_>) -> (Vec<(u64, usize, usize)>, Option<ProcessError>) {
        let mut batches = Vec::new();
        loop {
            match intake.next() {
                Ok(Some(given)) => batches.push((given.decoded.batch.first_row, given.decoded.batch.rows, given.repeated.len())),
                Ok(None) => return (batches, None),
                Err(error) => return (batches, Some(error)),
            }
        }
    }

    #[test]
    fn rows_read_ahead_are_the_same_rows() {
        let (in_turns, none) = taken(&mut reading(numbers(20_000)));
        assert!(none.is_none() && in_turns.iter().map(|batch| batch.2).sum::<usize>() == 5_000);
        let ahead = thread::scope(|scope| {
            let mut intake = reading(numbers(20_000));
            let first = intake.next().expect("it reads").expect("there are rows").decoded.batch;
            assert_eq!((first.first_row, first.rows), (in_turns[0].0, in_turns[0].1));
            taken(&mut intake.ahead(scope).expect("it starts")).0
        });
        assert_eq!(ahead, in_turns[1..]);
    }

    #[test]
    fn a_fault_comes_after_the_rows_before_it() {
        let text = numbers(20_000) + "\"1";
        let (in_turns, fault) = taken(&mut reading(text.clone()));
        assert!(matches!(fault, Some(ProcessError::Input { error: FormatError::File(_), .. })), "{fault:?}");
        let (ahead, met) = thread::scope(|scope| taken(&mut reading(text).ahead(scope).expect("it starts")));
        assert_eq!((ahead, format!("{met:?}")), (in_turns, format!("{fault:?}")));
    }

    #[test]
    fn an_input_that_nobody_wants_any_more_is_let_be() {
        thread::scope(|scope| {
            let mut intake = reading(numbers(200_000)).ahead(scope).expect("it starts");
            assert!(intake.next().expect("it reads").is_some());
        });
    }
}
