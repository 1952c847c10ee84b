//! Where the last input of a run is cut, if it is: between two batches of the whole, so that every partition gives the plugin the very
//! batches that one hub would give it.
//!
//! The pass that finds the places also finds the rows that repeat an earlier one, which no partition could see by itself.

use std::sync::Arc;

use crate::connection::Artefacts;
use crate::format::{Decoder, Mark, Stretch};
use crate::ledger::{Cut, Cutting};
use crate::model::job::{Format, Partitions};
use crate::model::limits::{PARTITION_BYTES, PARTITIONED_FROM_BYTES, PARTITIONS_MAX, REJECT_ROWS_MAX};
use crate::model::manifest::{Kind, Manifest};
use crate::model::rows::PortShape;
use crate::run::process::{FileForm, InputFile, ProcessError, Repeats, Slice, Work, repeated, uniques};

/// How large partitions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Records that each has at least, the last one aside.
    records: u64,
    /// Bytes that each has at least, the last one aside.
    bytes: u64,
}

/// An input that is to be cut.
pub(super) struct ToCut<'w> {
    work: &'w Work,
    pub(super) shape: &'w PortShape,
    file: &'w InputFile,
    format: &'w Format,
}

/// Where it is cut, and what repeats.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) marks: Vec<Mark>,
    pub(super) repeats: Repeats,
}

impl<'w> ToCut<'w> {
    /// The last input of a run whose rows are independent; none where a run cannot be cut: what its plugin remembers or draws by lot
    /// would come out otherwise, and a file that a format plugin reads or writes is of one piece.
    pub(super) fn of(work: &'w Work) -> Option<Self> {
        let manifest: &Manifest = &work.setup.release.manifest;
        let Kind::Adapter(adapter) = &manifest.kind else { return None };
        if !manifest.may_be_cut() || work.outputs.iter().flatten().any(|form| matches!(form, FileForm::Plugin(_))) {
            return None;
        }
        let file = work.inputs.last()?.as_ref()?;
        let FileForm::BuiltIn(format) = &file.form else { return None };
        Some(Self { work, shape: adapter.inputs.last()?, file, format })
    }

    /// Reads the input through.
    pub(super) fn cut(&self, size: Size) -> Result<Found, ProcessError> {
        let unreadable = |error| ProcessError::Input { input: self.shape.name.clone(), error };
        let bytes = self.work.artefacts.read(&self.file.artefact)?;
        let mut decoder = Decoder::open(self.format, self.shape, bytes).map_err(unreadable)?;
        let mut uniques = uniques(self.work, self.shape);
        let mut found = Found { marks: Vec::new(), repeats: Repeats::new() };
        let (mut records, mut refused) = (0, 0);
        loop {
            let mark = decoder.mark();
            let Some(decoded) = decoder.next_batch().map_err(unreadable)? else { return Ok(found) };
            // Asks only whether to stop: the rows are counted when they are processed.
            self.work.progress.add(0)?;
            let is_due = |last: &Mark| records >= size.records && mark.byte_offset - last.byte_offset >= size.bytes;
            if found.marks.last().is_none_or(is_due) {
                found.marks.push(mark);
                records = 0;
            }
            let repeated = repeated(&mut uniques, &decoded.batch)?;
            records += (decoded.batch.rows + decoded.rejects.len()) as u64;
            refused += (repeated.len() + decoded.rejects.len()) as u64;
            if refused > REJECT_ROWS_MAX {
                return Err(ProcessError::TooManyRejects { rejects_max: REJECT_ROWS_MAX });
            }
            found.repeats.extend(repeated.into_iter().map(|(row, rule)| (decoded.batch.first_row + row as u64, rule)));
        }
    }
}

/// How large the partitions of an input of some bytes are; none where it is not cut.
pub(super) fn size(wanted: Partitions, input_bytes: u64) -> Option<Size> {
    let least = input_bytes.div_ceil(PARTITIONS_MAX);
    match wanted {
        Partitions::Automatic if input_bytes < PARTITIONED_FROM_BYTES => None,
        Partitions::Automatic => Some(Size { records: 0, bytes: least.max(PARTITION_BYTES) }),
        Partitions::AtMost(0 | 1) => None,
        Partitions::AtMost(most) => Some(Size { records: 0, bytes: least.max(input_bytes.div_ceil(most)) }),
        Partitions::Rows(rows) => Some(Size { records: rows, bytes: least }),
    }
}

/// The work on one partition: the run's own, on part of the last input.
pub(super) fn slice_of(mut work: Work, (cutting, number): (&Cutting, u64), (repeats, pieces): (Repeats, &Artefacts)) -> (Work, Arc<Slice>) {
    let place = usize::try_from(number - 1).expect("a run has few partitions");
    let mark = |cut: &Cut| Mark { first_row: cut.first_row, byte_offset: cut.byte_offset, line: cut.line };
    let until_offset = cutting.at.cuts.get(place + 1).map(|next| next.byte_offset);
    let stretch = Stretch { from: mark(&cutting.at.cuts[place]), until_offset };
    let slice = Arc::new(Slice::new(stretch, place > 0, repeats, pieces.clone()));
    if let Some(Some(input)) = work.inputs.last_mut() {
        input.slice = Some(Arc::clone(&slice));
    }
    (work, slice)
}

/// The places as the run's log has them.
pub(super) fn cuts(marks: &[Mark]) -> Vec<Cut> {
    marks.iter().map(|mark| Cut { first_row: mark.first_row, byte_offset: mark.byte_offset, line: mark.line }).collect()
}
