//! Where rows go that a plugin makes: counted, added up, encoded, staged.

use std::sync::Arc;

use super::aggregate::Aggregate;
use super::file::{Files, Sheet, Slice};
use super::tally::Tally;
use super::{ProcessError, Work};
use crate::connection::Stored;
use crate::model::limits::BATCH_ROWS;
use crate::model::rows::{Batch, PortShape};
use crate::model::totals::PortTotals;
use roaring::RoaringBitmap;

/// The outputs of one run.
pub(super) struct Outlets {
    outlets: Vec<Outlet>,
    /// The part of the run that they are of, if it is not the whole.
    slice: Option<Arc<Slice>>,
}

struct Outlet {
    tally: Tally,
    aggregate: Option<Aggregate>,
    /// None where the job does not use the output: it is counted all the same, as balances speak of it.
    sheet: Option<Sheet>,
}

impl Outlets {
    /// Opens a staged artefact for each output that the job uses.
    pub(super) fn open(files: &Files<'_>, work: &Work, shapes: &[PortShape]) -> Result<Self, ProcessError> {
        let open = |(shape, form): (&PortShape, &Option<_>)| {
            let sheet = form.as_ref().map(|form| files.sheet(form, shape)).transpose()?;
            Ok(Outlet { tally: Tally::new(shape), aggregate: Aggregate::for_port(shape), sheet })
        };
        let outlets = shapes.iter().zip(&work.outputs).map(open).collect::<Result<_, ProcessError>>()?;
        Ok(Self { outlets, slice: work.slice().cloned() })
    }

    /// Takes some rows for an output.
    pub(super) fn write(&mut self, output: usize, batch: &Batch) -> Result<(), ProcessError> {
        let outlet = &mut self.outlets[output];
        match &mut outlet.aggregate {
            Some(aggregate) => aggregate.add(batch),
            None => outlet.pass_on(batch),
        }
    }

    /// Writes the groups of aggregate outputs, ends every file and stores it. Groups of a part of a run are kept for those of the others.
    pub(super) fn finish(mut self) -> Result<(Vec<Option<Stored>>, Vec<PortTotals>), ProcessError> {
        if let Some(slice) = self.slice {
            slice.keep(self.outlets.iter_mut().map(Outlet::take_groups).collect());
        }
        let mut stored = Vec::new();
        let mut totals = Vec::new();
        for mut outlet in self.outlets {
            if let Some(aggregate) = outlet.aggregate.take() {
                for batch in aggregate.into_batches(BATCH_ROWS)? {
                    outlet.pass_on(&batch)?;
                }
            }
            totals.push(outlet.tally.totals());
            stored.push(outlet.sheet.map(Sheet::finish).transpose()?);
        }
        Ok((stored, totals))
    }
}

impl Outlet {
    /// The groups of an aggregate output, of which then nothing is written.
    fn take_groups(&mut self) -> Option<Aggregate> {
        let groups = self.aggregate.take()?;
        self.sheet = None;
        Some(groups)
    }

    fn pass_on(&mut self, batch: &Batch) -> Result<(), ProcessError> {
        self.tally.add(batch, &RoaringBitmap::new());
        self.sheet.as_mut().map_or(Ok(()), |sheet| sheet.write(batch))
    }
}
