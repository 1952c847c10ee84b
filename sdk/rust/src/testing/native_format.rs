//! A format driven natively, with rows as structs: what a plugin's own tests call.

use std::cell::RefCell;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TestHub;
use super::manifest::Manifest;
use crate::failure::Failure;
use crate::format::{Format, Place, ReaderRun, Unwritten, WriterRun};
use crate::hub::Hub;
use crate::rows::{Findings, OutputWriter, Rows};
use crate::values::Date;
use crate::wire;

/// Rows of a batch, as in the hub.
const BATCH_ROWS: usize = 1_024;

/// Bytes that a reader is given at once, as in the hub.
const READ_BYTES: usize = 64 << 10;

/// Writes and reads files of a format natively.
///
/// ```no_run
/// # use bailiwick_sdk::{Date, Format, testing::NativeFormat};
/// # fn example<F: Format>() {
/// let format = NativeFormat::new(env!("CARGO_MANIFEST_DIR")).today(Date::new(2026, 10, 19)).settings(r#"{ "owner": "STAFFS" }"#);
/// # }
/// ```
#[derive(Debug)]
pub struct NativeFormat {
    manifest: Manifest,
    hub: TestHub,
    settings: String,
    read_bytes: usize,
}

/// Why a file could not be written.
#[derive(Debug)]
pub enum NotWritten {
    /// Rows that cannot be: (row, column, code) of each reason.
    Rows(Vec<(u64, Option<String>, String)>),
    /// The file as a whole.
    Failed(Failure),
}

/// What was read of a file.
#[derive(Debug)]
pub struct FileRead<T> {
    /// The rows, each with its place.
    pub rows: Vec<(Place, T)>,
    /// The records that are none: place, column and code of each reason.
    pub refused: Vec<(Place, Option<String>, String)>,
}

impl NativeFormat {
    /// The format in a folder, `env!("CARGO_MANIFEST_DIR")`, without settings.
    ///
    /// # Panics
    /// If `plugin.toml` or a table cannot be read, with what is wrong.
    #[must_use]
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        let manifest = Manifest::read(folder).unwrap_or_else(|error| panic!("{error}"));
        Self { manifest, hub: TestHub::new(folder), settings: "{}".to_owned(), read_bytes: READ_BYTES }
    }

    /// Sets the settings, a JSON object.
    #[must_use]
    pub fn settings(mut self, settings: impl Into<String>) -> Self {
        self.settings = settings.into();
        self
    }

    /// Sets the logical date of the run.
    #[must_use]
    pub fn today(mut self, today: Date) -> Self {
        self.hub = self.hub.today(today);
        self
    }

    /// Sets how many bytes a reader is given at once: few of them show whether it minds where they are cut.
    #[must_use]
    pub const fn read_at_once(mut self, bytes: usize) -> Self {
        self.read_bytes = bytes;
        self
    }

    /// A hub such as files are written and read with: see [`TestHub::logged`].
    #[must_use]
    pub fn hub(&self) -> Hub {
        self.hub.hub()
    }

    /// Writes a file of rows, and logs to a hub.
    ///
    /// # Errors
    /// Why there is no file.
    pub fn write<F: Format>(&self, rows: &[impl Serialize], hub: &Hub) -> Result<Vec<u8>, NotWritten> {
        let port = &self.manifest.rows_port();
        let mut writer = OutputWriter::new(port);
        let mut batches = Vec::new();
        for (place, some) in rows.chunks(BATCH_ROWS).enumerate() {
            some.iter().try_for_each(|row| writer.write(row, &[]))?;
            writer.settle(&[]);
            batches.extend(writer.take().map(|batch| wire::Batch { first_row: (place * BATCH_ROWS) as u64, ..batch }));
        }
        self.write_batches::<F>(&batches, hub).map_err(|why| self.told(why))
    }

    /// Reads a file, and logs to a hub.
    ///
    /// # Errors
    /// What the format answers.
    pub fn read<F: Format, T: DeserializeOwned>(&self, file: &[u8], hub: &Hub) -> Result<FileRead<T>, Failure> {
        let port = &self.manifest.rows_port();
        let mut found = FileRead { rows: Vec::new(), refused: Vec::new() };
        for records in self.read_records::<F>(file, hub)? {
            let findings = RefCell::new(Findings::default());
            let values = Rows::new(&records.rows, 0, port, &findings).read::<T>().map(|row| row.value).collect::<Vec<_>>();
            let findings = findings.into_inner();
            if let Some(defect) = findings.defect {
                return Err(defect);
            }
            found.rows.extend(records.places.into_iter().map(Place::from).zip(values));
            for refused in records.refused {
                let place = Place::from(refused.place);
                found.refused.extend(refused.faults.into_iter().map(|fault| (place, self.column(fault.column), fault.code)));
            }
        }
        Ok(found)
    }

    pub(super) fn of(manifest: Manifest, hub: TestHub, settings: String) -> Self {
        Self { manifest, hub, settings, read_bytes: READ_BYTES }
    }

    pub(super) fn write_batches<F: Format>(&self, batches: &[wire::Batch], hub: &Hub) -> Result<Vec<u8>, Unwritten> {
        let mut run = WriterRun::<F>::open(self.manifest.file_context(), || self.settings.clone(), hub)?;
        let mut file = Vec::new();
        for batch in batches {
            file.extend(run.write(batch)?);
        }
        loop {
            let (bytes, done) = run.finish()?;
            file.extend(bytes);
            if done {
                return Ok(file);
            }
        }
    }

    pub(super) fn read_records<F: Format>(&self, file: &[u8], hub: &Hub) -> Result<Vec<wire::format::Records>, Failure> {
        let mut run = ReaderRun::<F>::open(self.manifest.file_context(), || self.settings.clone(), hub)?;
        let mut found = file.chunks(self.read_bytes).map(|bytes| run.read(bytes)).collect::<Result<Vec<_>, _>>()?;
        loop {
            let last = run.finish()?;
            found.push(last.records);
            if last.done {
                return Ok(found);
            }
        }
    }

    fn told(&self, why: Unwritten) -> NotWritten {
        match why {
            Unwritten::Failed(failure) => NotWritten::Failed(failure),
            Unwritten::Rows(findings) => {
                let reasons = |finding: wire::Finding| {
                    let row = finding.row;
                    finding.reasons.into_iter().map(move |reason| (row, self.column(reason.column), reason.code))
                };
                NotWritten::Rows(findings.into_iter().flat_map(reasons).collect())
            }
        }
    }

    pub(super) fn column(&self, place: Option<u32>) -> Option<String> {
        place.map(|place| self.manifest.columns[place as usize].name.clone())
    }
}

impl From<Failure> for NotWritten {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<wire::format::Place> for Place {
    fn from(place: wire::format::Place) -> Self {
        Self { line: place.line, offset: place.offset, length: place.length }
    }
}
