//! Where rows go that a plugin makes: counted, added up, encoded, staged.

use super::aggregate::Aggregate;
use super::tally::Tally;
use super::{ProcessError, Work};
use crate::connection::{StagedWriter, Stored};
use crate::format::{Encoder, FormatError};
use crate::model::limits::BATCH_ROWS;
use crate::model::rows::{Batch, PortShape};
use crate::model::totals::PortTotals;
use roaring::RoaringBitmap;

/// The outputs of one run.
pub(super) struct Outlets {
    outlets: Vec<Outlet>,
}

struct Outlet {
    name: String,
    tally: Tally,
    aggregate: Option<Aggregate>,
    /// None where the job does not use the output: it is counted all the same, as balances speak of it.
    encoder: Option<Encoder<StagedWriter>>,
}

impl Outlets {
    /// Opens a staged artefact for each output that the job uses.
    pub(super) fn open(work: &Work, shapes: &[PortShape]) -> Result<Self, ProcessError> {
        let open = |(shape, format): (&PortShape, &Option<_>)| {
            let encoder = match format {
                Some(format) => {
                    let sink = work.artefacts.writer()?;
                    Some(Encoder::open(format, shape, sink).map_err(|error| unwritable(&shape.name, error))?)
                }
                None => None,
            };
            Ok(Outlet { name: shape.name.clone(), tally: Tally::new(shape), aggregate: Aggregate::for_port(shape), encoder })
        };
        Ok(Self { outlets: shapes.iter().zip(&work.outputs).map(open).collect::<Result<_, ProcessError>>()? })
    }

    /// Takes some rows for an output.
    pub(super) fn write(&mut self, output: usize, batch: &Batch) -> Result<(), ProcessError> {
        let outlet = &mut self.outlets[output];
        match &mut outlet.aggregate {
            Some(aggregate) => aggregate.add(batch),
            None => outlet.pass_on(batch),
        }
    }

    /// Writes the groups of aggregate outputs, ends every file and stores it.
    pub(super) fn finish(self) -> Result<(Vec<Option<Stored>>, Vec<PortTotals>), ProcessError> {
        let mut stored = Vec::new();
        let mut totals = Vec::new();
        for mut outlet in self.outlets {
            if let Some(aggregate) = outlet.aggregate.take() {
                for batch in aggregate.into_batches(BATCH_ROWS)? {
                    outlet.pass_on(&batch)?;
                }
            }
            totals.push(outlet.tally.totals());
            stored.push(match outlet.encoder {
                Some(encoder) => {
                    let (sink, _) = encoder.finish().map_err(|error| unwritable(&outlet.name, error))?;
                    Some(sink.commit()?)
                }
                None => None,
            });
        }
        Ok((stored, totals))
    }
}

impl Outlet {
    fn pass_on(&mut self, batch: &Batch) -> Result<(), ProcessError> {
        self.tally.add(batch, &RoaringBitmap::new());
        match &mut self.encoder {
            Some(encoder) => encoder.write(batch).map_err(|error| unwritable(&self.name, error)),
            None => Ok(()),
        }
    }
}

fn unwritable(output: &str, error: FormatError) -> ProcessError {
    ProcessError::Output { output: output.to_owned(), error }
}
