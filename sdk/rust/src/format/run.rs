//! One file, out or in: what stands between the contract's calls and the plugin's methods.

use std::cell::RefCell;
use std::fmt;

use super::{FileContext, FileOut, FileReader, FileWriter, Format, Records};
use crate::adapter::{Done, read_settings};
use crate::failure::Failure;
use crate::hub::Hub;
use crate::rows::{Findings, OutputWriter, Rows};
use crate::wire;

/// Why there is no file.
#[derive(Debug)]
pub(crate) enum Unwritten {
    /// These rows cannot be written.
    Rows(Vec<wire::Finding>),
    /// The call failed as a whole.
    Failed(Failure),
}

impl From<Failure> for Unwritten {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A file on its way out.
pub(crate) struct WriterRun<F: Format> {
    writer: F::Writer,
    port: wire::Port,
    findings: RefCell<Findings>,
}

impl<F: Format> WriterRun<F> {
    pub(crate) fn open(context: wire::format::Context, settings: impl FnOnce() -> String, hub: &Hub) -> Result<Self, Failure> {
        let context = FileContext::new(context);
        let writer = F::writer(&context, read_settings(settings)?, hub)?;
        Ok(Self { writer, port: context.port(), findings: RefCell::default() })
    }

    pub(crate) fn write(&mut self, batch: &wire::Batch) -> Result<Vec<u8>, Unwritten> {
        let mut bytes = Vec::new();
        let rows = Rows::new(batch, 0, &self.port, &self.findings);
        self.writer.write(&rows, &mut FileOut::new(&mut bytes, &self.port, &self.findings))?;
        self.settled(bytes)
    }

    pub(crate) fn finish(&mut self) -> Result<(Vec<u8>, bool), Unwritten> {
        let mut bytes = Vec::new();
        let done = self.writer.finish(&mut FileOut::new(&mut bytes, &self.port, &self.findings))?;
        Ok((self.settled(bytes)?, done == Done::Yes))
    }

    /// What a call gave, unless a row turned out not to be writable.
    fn settled(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, Unwritten> {
        let findings = std::mem::take(self.findings.get_mut());
        match findings.defect {
            Some(defect) => Err(defect.into()),
            None if findings.list.is_empty() => Ok(bytes),
            None => Err(Unwritten::Rows(findings.list)),
        }
    }
}

/// A file on its way in.
pub(crate) struct ReaderRun<F: Format> {
    reader: F::Reader,
    port: wire::Port,
    rows: OutputWriter,
}

impl<F: Format> ReaderRun<F> {
    pub(crate) fn open(context: wire::format::Context, settings: impl FnOnce() -> String, hub: &Hub) -> Result<Self, Failure> {
        let context = FileContext::new(context);
        let reader = F::reader(&context, read_settings(settings)?, hub)?;
        let port = context.port();
        Ok(Self { reader, rows: OutputWriter::new(&port), port })
    }

    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<wire::format::Records, Failure> {
        self.call(|reader, records| reader.read(bytes, records)).map(|(records, ())| records)
    }

    pub(crate) fn finish(&mut self) -> Result<wire::format::LastRecords, Failure> {
        let (records, done) = self.call(|reader, records| reader.finish(records))?;
        Ok(wire::format::LastRecords { records, done: done == Done::Yes })
    }

    fn call<R>(
        &mut self,
        call: impl FnOnce(&mut F::Reader, &mut Records<'_>) -> Result<R, Failure>,
    ) -> Result<(wire::format::Records, R), Failure> {
        let (mut places, mut refused) = (Vec::new(), Vec::new());
        let mut records = Records { port: &self.port, rows: &mut self.rows, places: &mut places, refused: &mut refused };
        let answer = call(&mut self.reader, &mut records)?;
        self.rows.settle(&[]);
        let rows = self.rows.take().unwrap_or_else(|| no_rows(&self.port));
        Ok((wire::format::Records { rows, places, refused }, answer))
    }
}

/// A batch of the port's columns without rows.
fn no_rows(port: &wire::Port) -> wire::Batch {
    let empty = |shape: &wire::ColumnShape| match shape.kind {
        wire::ColumnType::Integer => wire::ColumnData::Integers(Vec::new()),
        wire::ColumnType::Decimal => wire::ColumnData::Decimals(wire::DecimalColumn { scale: shape.scale, coefficients: Vec::new() }),
        wire::ColumnType::Date => wire::ColumnData::Dates(Vec::new()),
        wire::ColumnType::Text => wire::ColumnData::Text(wire::TextColumn { offsets: vec![0], content: String::new() }),
        wire::ColumnType::Boolean => wire::ColumnData::Booleans(Vec::new()),
    };
    let columns = port.columns.iter().map(|shape| wire::Column { validity: Vec::new(), data: empty(shape) }).collect();
    wire::Batch { first_row: 0, rows: 0, columns }
}

impl<F: Format> fmt::Debug for WriterRun<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterRun").finish_non_exhaustive()
    }
}

impl<F: Format> fmt::Debug for ReaderRun<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderRun").finish_non_exhaustive()
    }
}
