//! Part of a run's work: a stretch of its last input, and what the hub that joins the parts needs of each besides its files.
//!
//! It knows neither how an input is cut nor how parts are joined.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::connection::Artefacts;
use crate::format::Stretch;
use crate::model::rows::Batch;
use crate::run::process::aggregate::Aggregate;

/// Row numbers that repeat an earlier row of the whole input, each with the uniqueness rule that it breaks.
pub(crate) type Repeats = BTreeMap<u64, usize>;

/// A stretch of an input, processed apart from the others.
#[derive(Debug)]
pub(crate) struct Slice {
    /// Where it lies in the file.
    stretch: Stretch,
    /// Whether another goes before it: then its outputs go on with files that are begun, and what earlier inputs give is left to that one.
    later: bool,
    /// Found out over the whole input, as a slice cannot see the rows before it.
    repeats: Repeats,
    /// Where its outputs are staged: pieces of the run's.
    staging: Artefacts,
    /// Sums of the aggregate outputs, which are written when those of all slices are added up; none for any other output.
    aggregates: Mutex<Vec<Option<Aggregate>>>,
}

impl Slice {
    pub(crate) fn new(stretch: Stretch, later: bool, repeats: Repeats, staging: Artefacts) -> Self {
        Self { stretch, later, repeats, staging, aggregates: Mutex::default() }
    }

    /// Where it lies in the file.
    pub(crate) const fn stretch(&self) -> Stretch {
        self.stretch
    }

    /// Whether another goes before it.
    pub(crate) const fn is_later(&self) -> bool {
        self.later
    }

    /// Where its outputs are staged.
    pub(crate) const fn staging(&self) -> &Artefacts {
        &self.staging
    }

    /// The rows of a batch that repeat an earlier one, ascending by their place in it, each with the rule that it breaks.
    pub(crate) fn repeated(&self, batch: &Batch) -> Vec<(usize, usize)> {
        let rows = batch.first_row..batch.first_row + batch.rows as u64;
        let within = |row: u64| usize::try_from(row - batch.first_row).expect("a batch is far smaller than memory");
        self.repeats.range(rows).map(|(row, rule)| (within(*row), *rule)).collect()
    }

    /// Keeps what was added up.
    pub(crate) fn keep(&self, aggregates: Vec<Option<Aggregate>>) {
        *self.aggregates.lock().expect("nobody panics while holding the sums") = aggregates;
    }

    /// Gives it away.
    pub(crate) fn take(&self) -> Vec<Option<Aggregate>> {
        std::mem::take(&mut *self.aggregates.lock().expect("nobody panics while holding the sums"))
    }
}
