//! One file through a format, from its first row or byte to its last, in one instance.

use std::sync::Arc;

use wasmtime::Store;

use super::super::instance::InstanceState;
use super::super::report::{Report, Setup};
use super::super::{begin_call, guarded};
use crate::model::manifest::{FormatShape, Kind};
use crate::model::rows::{Batch, FileRecords, UnwritableRow};
use crate::sandbox::contract::{CallFault, OpenReader, OpenWriter, ReadSoFar};
use crate::sandbox::error::CallError;

/// A file on its way out. After a call that failed it answers nothing more, and its report tells how far it came.
pub struct FileWriting {
    instance: Instance<OpenWriter>,
    rows: u64,
}

/// A file on its way in. After a call that failed it answers nothing more, and its report tells how far it came.
pub struct FileReading {
    instance: Instance<OpenReader>,
    bytes: u64,
}

/// What a writer gave: bytes, or the rows that cannot be written.
type Wrote<T> = Result<T, Vec<UnwritableRow>>;

impl FileWriting {
    pub(in crate::sandbox::worker) fn new(setup: Arc<Setup>, store: Store<InstanceState>, open: OpenWriter) -> Self {
        Self { instance: Instance { setup, store, open, spent: false }, rows: 0 }
    }

    /// Gives it some rows, which must hold what the manifest declares and be numbered on from those before. It answers with the
    /// bytes that are ready, or with the rows that cannot be written, which is the end of the file.
    ///
    /// # Errors
    /// Why the file cannot go on.
    pub fn write(&mut self, rows: &Batch) -> Result<Wrote<Vec<u8>>, CallError> {
        self.rows = rows.first_row + rows.rows as u64;
        self.instance.call(|open, store, shape| {
            let wrote = open.write(store, rows, shape)?;
            count(store, rows.rows as u64, wrote.as_ref().map_or(0, Vec::len))?;
            Ok(wrote)
        })
    }

    /// Asks for what is left, and whether that was all: to be called until it was.
    ///
    /// # Errors
    /// Why the file cannot go on.
    pub fn finish(&mut self) -> Result<Wrote<(Vec<u8>, bool)>, CallError> {
        let rows = self.rows;
        self.instance.call(|open, store, shape| {
            let wrote = open.finish(store, rows, shape)?;
            count(store, 0, wrote.as_ref().map_or(0, |(bytes, _)| bytes.len()))?;
            Ok(wrote)
        })
    }

    /// Ends the instance and tells what it used and logged, whether its calls succeeded or not.
    #[must_use]
    pub fn close(self) -> Report {
        self.instance.store.into_data().into_report()
    }
}

impl FileReading {
    pub(in crate::sandbox::worker) fn new(setup: Arc<Setup>, store: Store<InstanceState>, open: OpenReader) -> Self {
        Self { instance: Instance { setup, store, open, spent: false }, bytes: 0 }
    }

    /// Gives it the next bytes, at most 65,536, and takes the records that have ended in them. They have been checked: rows as
    /// the manifest declares them, places within the bytes that it was given, reasons about columns that exist.
    ///
    /// # Errors
    /// Why the file cannot go on.
    pub fn read(&mut self, bytes: &[u8]) -> Result<FileRecords, CallError> {
        self.bytes += bytes.len() as u64;
        let given = self.bytes;
        self.instance.call(|open, store, shape| {
            let records = open.read(store, bytes, ReadSoFar { shape, bytes: given })?;
            count(store, records_of(&records), records.rows.bytes())?;
            Ok(records)
        })
    }

    /// Asks for what is left, and whether that was all: to be called until it was.
    ///
    /// # Errors
    /// Why the file cannot go on.
    pub fn finish(&mut self) -> Result<(FileRecords, bool), CallError> {
        let given = self.bytes;
        self.instance.call(|open, store, shape| {
            let (records, done) = open.finish(store, ReadSoFar { shape, bytes: given })?;
            count(store, records_of(&records), records.rows.bytes())?;
            Ok((records, done))
        })
    }

    /// Ends the instance and tells what it used and logged, whether its calls succeeded or not.
    #[must_use]
    pub fn close(self) -> Report {
        self.instance.store.into_data().into_report()
    }
}

/// The instance that a file has for itself.
struct Instance<O> {
    setup: Arc<Setup>,
    store: Store<InstanceState>,
    open: O,
    spent: bool,
}

impl<O> Instance<O> {
    fn call<R>(&mut self, call: impl FnOnce(&O, &mut Store<InstanceState>, &FormatShape) -> Result<R, CallFault>) -> Result<R, CallError> {
        if self.spent {
            return Err(CallError::Spent { plugin: self.setup.release.manifest.name.clone() });
        }
        let Self { setup, store, open, .. } = self;
        let Kind::Format(shape) = &setup.release.manifest.kind else { unreachable!("only a format was opened") };
        let answer = begin_call(store).and_then(|()| guarded(|| call(open, store, shape)));
        answer.map_err(|fault| {
            self.spent = true;
            self.store.data_mut().judge(fault)
        })
    }
}

fn records_of(records: &FileRecords) -> u64 {
    (records.places.len() + records.refused.len()) as u64
}

fn count(store: &mut Store<InstanceState>, rows: u64, bytes: usize) -> Result<(), CallFault> {
    store.data_mut().count_output(rows, bytes as u64)
}
