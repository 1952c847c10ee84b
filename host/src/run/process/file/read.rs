//! An input that a format plugin reads: bytes to the plugin a stretch at a time, its rows in the port's own columns.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::map::{ColumnMap, unfit_rows};
use super::spool::Spool;
use super::{Gathered, of_file};
use crate::connection::ArtefactFile;
use crate::format::{Decoded, FormatError, RowReject};
use crate::model::limits::BATCH_ROWS;
use crate::model::manifest::Kind;
use crate::model::outcome::Reason;
use crate::model::rows::{Batch, FileRecords, PortShape, RecordPlace};
use crate::run::process::ProcessError;
use crate::sandbox::{FileReading, Setup};

/// Bytes that the plugin is given at once, as the contract says.
const READ_BYTES: usize = 64 << 10;

/// The rows of an input.
pub(in crate::run::process) struct PluginRows {
    setup: Arc<Setup>,
    shape: PortShape,
    columns: ColumnMap,
    bytes: ArtefactFile,
    /// The same file, for the raw bytes of records that are refused.
    again: ArtefactFile,
    buffer: Vec<u8>,
    /// Whether all bytes were given, and whether the plugin has said that it is done.
    ended: (bool, bool),
    ready: VecDeque<Decoded>,
    rows: u64,
    spool: Arc<Mutex<Spool>>,
    reading: Option<FileReading>,
    report: Gathered,
}

impl PluginRows {
    pub(super) fn new(
        (setup, shape): (&Arc<Setup>, &PortShape),
        (bytes, again): (ArtefactFile, ArtefactFile),
        spool: Spool,
        (reading, report): (FileReading, Gathered),
    ) -> Self {
        let Kind::Format(format) = &setup.release.manifest.kind else { unreachable!("a reader was opened on it") };
        Self {
            setup: Arc::clone(setup),
            columns: ColumnMap::new(&shape.columns, &format.columns),
            shape: shape.clone(),
            bytes,
            again,
            buffer: vec![0; READ_BYTES],
            ended: (false, false),
            ready: VecDeque::new(),
            rows: 0,
            spool: Arc::new(Mutex::new(spool)),
            reading: Some(reading),
            report,
        }
    }

    pub(super) fn spool(&self) -> Arc<Mutex<Spool>> {
        Arc::clone(&self.spool)
    }

    pub(super) fn next_batch(&mut self) -> Result<Option<Decoded>, ProcessError> {
        loop {
            if let Some(decoded) = self.ready.pop_front() {
                return Ok(Some(decoded));
            }
            let records = match self.ended {
                (_, true) => return Ok(None),
                (false, _) => self.read()?,
                (true, _) => self.finish()?,
            };
            self.settle(records)?;
        }
    }

    fn read(&mut self) -> Result<FileRecords, ProcessError> {
        let mut filled = 0;
        while filled < READ_BYTES {
            match self.bytes.read(&mut self.buffer[filled..]).map_err(|error| self.unreadable(error))? {
                0 => {
                    self.ended.0 = true;
                    break;
                }
                count => filled += count,
            }
        }
        if filled == 0 {
            return self.finish();
        }
        let reading = self.reading.as_mut().expect("it is there until this is dropped");
        reading.read(&self.buffer[..filled]).map_err(|error| of_file(&self.setup, &self.shape.name, error))
    }

    fn finish(&mut self) -> Result<FileRecords, ProcessError> {
        let reading = self.reading.as_mut().expect("it is there until this is dropped");
        let (records, done) = reading.finish().map_err(|error| of_file(&self.setup, &self.shape.name, error))?;
        self.ended.1 = done;
        Ok(records)
    }

    /// Puts what was read into the port's columns. A row that lacks what the port requires is refused as other records are.
    fn settle(&mut self, records: FileRecords) -> Result<(), ProcessError> {
        let FileRecords { rows, places, refused } = records;
        let mut rejects = Vec::new();
        for record in refused {
            rejects.push(self.reject(record.place, record.reasons)?);
        }
        let batch = self.columns.batch(&rows, 0);
        let mut start = 0;
        for (row, faults) in unfit_rows(&batch, &self.shape.columns) {
            self.push(&batch, &places, (start, row), std::mem::take(&mut rejects))?;
            rejects.push(self.reject(places[row], faults)?);
            start = row + 1;
        }
        self.push(&batch, &places, (start, batch.rows), rejects)
    }

    /// Makes rows from `start` to before `end` ready, in batches that are not too large, the first with some rejects.
    fn push(
        &mut self,
        batch: &Batch,
        places: &[RecordPlace],
        (start, end): (usize, usize),
        mut rejects: Vec<RowReject>,
    ) -> Result<(), ProcessError> {
        let mut from = start;
        while from < end || !rejects.is_empty() {
            let to = (from + BATCH_ROWS).min(end);
            let piece = Batch { first_row: self.rows, ..batch.slice(from, to) };
            self.rows += piece.rows as u64;
            self.spool.lock().unwrap_or_else(PoisonError::into_inner).add(&piece, &places[from..to])?;
            let places = places[from..to].to_vec();
            self.ready.push_back(Decoded { batch: piece, places, rejects: std::mem::take(&mut rejects) });
            from = to;
        }
        Ok(())
    }

    fn reject(&mut self, place: RecordPlace, reasons: Vec<Reason>) -> Result<RowReject, ProcessError> {
        let raw = place.read_raw(&mut self.again).map_err(|error| ProcessError::Input { input: self.shape.name.clone(), error })?;
        let RecordPlace { line, byte_offset, byte_length } = place;
        Ok(RowReject { line, byte_offset, byte_length, raw, reasons, decoded: None })
    }

    fn unreadable(&self, error: std::io::Error) -> ProcessError {
        ProcessError::Input { input: self.shape.name.clone(), error: FormatError::Read(error) }
    }
}

impl Drop for PluginRows {
    /// What the plugin used and logged is told, however the file ended.
    fn drop(&mut self) {
        if let Some(reading) = self.reading.take() {
            self.report.join(reading.close());
        }
    }
}
