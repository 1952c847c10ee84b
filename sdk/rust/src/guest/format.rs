//! The exports of a format.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::{grow, settings};
use crate::bindings::format::Guest as FormatWorld;
use crate::bindings::format::exports::bailiwick::plugin0_2_0::formats;
use crate::format::{Format, ReaderRun, Unwritten, WriterRun};
use crate::hub::Hub;
use crate::wire;

/// What a format's first batch takes of memory, more or less: 1,024 rows and as many lines.
const FORMAT_BYTES: usize = 1 << 20;

/// The exports of a format.
#[derive(Debug)]
pub struct FormatGuest<F>(PhantomData<F>);

impl<F: Format> FormatWorld for FormatGuest<F> {
    fn initialize() {
        grow(FORMAT_BYTES);
    }
}

impl<F: Format> formats::Guest for FormatGuest<F> {
    type Writer = Writing<F>;
    type Reader = Reading<F>;
}

/// A file on its way out that the hub holds by a handle.
#[derive(Debug)]
pub struct Writing<F: Format>(RefCell<WriterRun<F>>);

impl<F: Format> formats::GuestWriter for Writing<F> {
    fn open(context: formats::Context) -> Result<formats::Writer, wire::Failure> {
        let run = WriterRun::<F>::open(context, settings::get, &Hub::of_guest())?;
        Ok(formats::Writer::new(Self(RefCell::new(run))))
    }

    fn write(&self, rows: wire::Batch) -> Result<Vec<u8>, formats::WriteFailure> {
        Ok(self.0.borrow_mut().write(&rows)?)
    }

    fn finish(&self) -> Result<formats::LastBytes, formats::WriteFailure> {
        let (bytes, done) = self.0.borrow_mut().finish()?;
        Ok(formats::LastBytes { bytes, done })
    }
}

/// A file on its way in that the hub holds by a handle.
#[derive(Debug)]
pub struct Reading<F: Format>(RefCell<ReaderRun<F>>);

impl<F: Format> formats::GuestReader for Reading<F> {
    fn open(context: formats::Context) -> Result<formats::Reader, wire::Failure> {
        let run = ReaderRun::<F>::open(context, settings::get, &Hub::of_guest())?;
        Ok(formats::Reader::new(Self(RefCell::new(run))))
    }

    fn read(&self, bytes: Vec<u8>) -> Result<formats::Records, wire::Failure> {
        Ok(self.0.borrow_mut().read(&bytes)?)
    }

    fn finish(&self) -> Result<formats::LastRecords, wire::Failure> {
        Ok(self.0.borrow_mut().finish()?)
    }
}

impl From<Unwritten> for formats::WriteFailure {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Failed(failure) => Self::Failed(failure.into()),
            Unwritten::Rows(findings) => Self::Rows(findings.into_iter().map(unwritable).collect()),
        }
    }
}

fn unwritable(finding: wire::Finding) -> formats::UnwritableRow {
    let fault = |reason: wire::Reason| formats::Fault { column: reason.column, code: reason.code, message: reason.message };
    formats::UnwritableRow { row: finding.row, faults: finding.reasons.into_iter().map(fault).collect() }
}
