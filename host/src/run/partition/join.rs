//! What the partitions of a run came to, joined in the order of the input: byte for byte what one hub would have come to.
//!
//! Limits that are the run's and not a partition's are held here: rows and bytes of outputs, rejects, and what is kept of rows.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufReader};
use std::time::Instant;

use roaring::RoaringBitmap;

use super::result::{Damaged, PartitionResult};
use crate::connection::{ArtefactFile, Artefacts, Stored};
use crate::format::{Encoder, FormatError};
use crate::model::ids::Digest;
use crate::model::limits::{BATCH_ROWS, Limit, REJECT_ROWS_MAX, Usage, WARNINGS_KEPT_MAX};
use crate::model::manifest::AdapterShape;
use crate::model::outcome::Effect;
use crate::model::rows::PortShape;
use crate::model::totals::{ControlTotals, PortTotals};
use crate::run::process::aggregate::Aggregate;
use crate::run::process::book::count_skipped;
use crate::run::process::tally::Tally;
use crate::run::process::{FileForm, NotedRow, ProcessError, Processed, Room, Work, work_out};
use crate::sandbox::{CallError, Report};

/// Joins the results of all partitions.
pub(super) fn join(
    (work, shape): (&Work, &AdapterShape),
    (pieces, results): (&Artefacts, &[Digest]),
    began: Instant,
) -> Result<Processed, ProcessError> {
    let mut joined = Joined::new(work, shape, pieces)?;
    for digest in results {
        // Asks only whether to stop.
        work.progress.add(0)?;
        let result: PartitionResult =
            serde_json::from_reader(BufReader::new(pieces.read(digest)?)).map_err(|error| damaged(Damaged(error.to_string())))?;
        joined.add(result)?;
    }
    joined.finish(began)
}

struct Joined<'w> {
    work: &'w Work,
    shape: &'w AdapterShape,
    pieces: &'w Artefacts,
    totals: ControlTotals,
    /// Of each output the pieces so far.
    outputs: Vec<Vec<Stored>>,
    aggregates: Vec<Option<Aggregate>>,
    /// The inputs, for raw records.
    files: HashMap<String, ArtefactFile>,
    noted: Vec<NotedRow>,
    room: Room,
    warnings_kept: u64,
    warnings: u64,
    skipped: BTreeMap<String, u64>,
    report: Report,
    log_bytes: u64,
}

impl<'w> Joined<'w> {
    fn new(work: &'w Work, shape: &'w AdapterShape, pieces: &'w Artefacts) -> Result<Self, ProcessError> {
        let mut files = HashMap::new();
        for (port, input) in shape.inputs.iter().zip(&work.inputs) {
            if let Some(input) = input {
                files.insert(port.name.clone(), work.artefacts.read(&input.artefact)?);
            }
        }
        Ok(Self {
            work,
            shape,
            pieces,
            totals: ControlTotals::default(),
            outputs: shape.outputs.iter().map(|_| Vec::new()).collect(),
            aggregates: shape.outputs.iter().map(Aggregate::for_port).collect(),
            files,
            noted: Vec::new(),
            room: Room::new(),
            warnings_kept: 0,
            warnings: 0,
            skipped: BTreeMap::new(),
            report: Report::default(),
            log_bytes: 0,
        })
    }

    fn add(&mut self, mut result: PartitionResult) -> Result<(), ProcessError> {
        let totals = result.totals().map_err(damaged)?;
        add_ports(&mut self.totals.inputs, totals.inputs)?;
        add_ports(&mut self.totals.outputs, totals.outputs)?;
        let rejected: u64 = self.totals.inputs.iter().map(|input| input.rows.rejected).sum();
        if rejected > REJECT_ROWS_MAX {
            return Err(ProcessError::TooManyRejects { rejects_max: REJECT_ROWS_MAX });
        }
        for (output, piece) in self.outputs.iter_mut().zip(&result.pieces) {
            if let Some(piece) = piece {
                output.push(piece.stored().map_err(damaged)?);
            }
        }
        for (aggregate, groups) in self.aggregates.iter_mut().zip(std::mem::take(&mut result.groups)) {
            let Some((aggregate, groups)) = aggregate.as_mut().zip(groups) else { continue };
            for group in groups {
                let sums = group.sums().map_err(damaged)?;
                aggregate.add_group(group.key, &sums)?;
            }
        }
        self.note(&mut result)?;
        self.warnings += result.warnings;
        for (code, rows) in std::mem::take(&mut result.skipped) {
            count_skipped(&mut self.skipped, &code, rows);
        }
        self.add_report(result.report())
    }

    /// Keeps the rows that one hub would have kept, with their raw records.
    fn note(&mut self, result: &mut PartitionResult) -> Result<(), ProcessError> {
        for noted in std::mem::take(&mut result.noted) {
            let (input, place) = noted.place();
            let mut raw = Vec::new();
            if noted.kept {
                let file = self.files.get_mut(input).ok_or_else(|| damaged(Damaged(format!("there is no input {input:?}"))))?;
                raw = place.read_raw(file).map_err(|error| ProcessError::Input { input: input.to_owned(), error })?;
            } else {
                self.room.close();
            }
            let mut row = noted.into_row(raw);
            if row.effect == Effect::Warn {
                self.warnings_kept += 1;
                if self.warnings_kept > WARNINGS_KEPT_MAX {
                    continue;
                }
            }
            self.room.fit(&mut row);
            self.noted.push(row);
        }
        Ok(())
    }

    /// Adds up what is of the whole run, takes the most of the rest, and holds the limits of the whole.
    fn add_report(&mut self, mut report: Report) -> Result<(), ProcessError> {
        let limits = &self.work.setup.limits;
        for (limit, amount) in report.usage.iter() {
            let before = self.report.usage.get(limit).unwrap_or_default();
            let of_the_run = matches!(limit, Limit::OutputRows | Limit::OutputBytes);
            let used = if of_the_run { before.saturating_add(amount) } else { amount };
            self.report.usage.raise(limit, used);
            let allowed = limits.get(limit);
            if of_the_run && used > allowed {
                let plugin = self.work.setup.release.manifest.name.clone();
                return Err(CallError::LimitReached { plugin, limit, allowed, used: Some(used) }.into());
            }
        }
        for note in std::mem::take(&mut report.log) {
            self.log_bytes += note.message.len() as u64;
            if (self.report.log.len() as u64) < limits.get(Limit::LogLines) && self.log_bytes <= limits.get(Limit::LogBytes) {
                self.report.log.push(note);
            } else {
                report.log_dropped += 1;
            }
        }
        self.report.join(Report { usage: Usage::default(), ..report });
        Ok(())
    }

    fn finish(mut self, began: Instant) -> Result<Processed, ProcessError> {
        let mut outputs = Vec::new();
        for (place, shape) in self.shape.outputs.iter().enumerate() {
            let form = self.work.outputs[place].as_ref();
            let stored = match self.aggregates[place].take() {
                Some(aggregate) => {
                    let (stored, totals) = write_groups(self.work, (shape, form), aggregate)?;
                    self.totals.outputs[place] = totals;
                    stored
                }
                None => form.map(|_| self.concatenate(shape, &self.outputs[place])).transpose()?,
            };
            outputs.push(stored);
        }
        let balances = work_out(&self.work.setup.release.manifest.balances, &self.totals)?;
        Ok(Processed {
            totals: self.totals,
            balances,
            noted: self.noted,
            warnings: self.warnings,
            skipped: self.skipped,
            outputs,
            report: self.report,
            took: began.elapsed(),
            error: None,
        })
    }

    /// One piece behind the other; the first has the header.
    fn concatenate(&self, shape: &PortShape, pieces: &[Stored]) -> Result<Stored, ProcessError> {
        let unwritable = |error| ProcessError::Output { output: shape.name.clone(), error: FormatError::Write(error) };
        let mut whole = self.work.artefacts.writer()?;
        for piece in pieces {
            self.work.progress.add(0)?;
            let copied = io::copy(&mut self.pieces.read(&piece.digest)?, &mut whole).map_err(unwritable)?;
            if copied != piece.size {
                return Err(damaged(Damaged(format!("a piece of output {} has {copied} of {} bytes", shape.name, piece.size))));
            }
        }
        Ok(whole.commit()?)
    }
}

/// Writes the sums of all partitions.
fn write_groups(
    work: &Work,
    (shape, form): (&PortShape, Option<&FileForm>),
    aggregate: Aggregate,
) -> Result<(Option<Stored>, PortTotals), ProcessError> {
    let failed = |error| ProcessError::Output { output: shape.name.clone(), error };
    let mut sheet = match form {
        Some(FileForm::BuiltIn(format)) => Some(Encoder::open(format, shape, work.artefacts.writer()?).map_err(failed)?),
        Some(FileForm::Plugin(_)) => unreachable!("what a format plugin writes is not cut"),
        None => None,
    };
    let mut tally = Tally::new(shape);
    for batch in aggregate.into_batches(BATCH_ROWS)? {
        tally.add(&batch, &RoaringBitmap::new());
        if let Some(sheet) = &mut sheet {
            sheet.write(&batch).map_err(failed)?;
        }
    }
    let stored = match sheet {
        Some(sheet) => Some(sheet.finish().map_err(failed)?.0.commit()?),
        None => None,
    };
    Ok((stored, tally.totals()))
}

fn add_ports(sums: &mut Vec<PortTotals>, more: Vec<PortTotals>) -> Result<(), ProcessError> {
    if sums.is_empty() {
        *sums = more;
        return Ok(());
    }
    for (sum, port) in sums.iter_mut().zip(more) {
        sum.rows.read += port.rows.read;
        sum.rows.accepted += port.rows.accepted;
        sum.rows.rejected += port.rows.rejected;
        sum.rows.skipped += port.rows.skipped;
        for ((column, amount), (_, other)) in sum.sums.iter_mut().zip(port.sums) {
            let too_large = || ProcessError::SumTooLarge { output: sum.port.clone(), column: column.clone() };
            *amount = amount.checked_add(other).ok_or_else(too_large)?;
        }
    }
    Ok(())
}

/// The hub's own file is not what it was.
fn damaged(why: Damaged) -> ProcessError {
    ProcessError::Disk(io::Error::other(why))
}
