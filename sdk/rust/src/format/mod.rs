//! What a format is: rows into the bytes of one file, and the bytes of one file into rows.

mod lines;
mod out;
mod records;
mod run;

use std::convert::Infallible;

use serde::de::DeserializeOwned;

pub use lines::{Line, Lines};
pub use out::FileOut;
pub use records::{Place, Records};

pub(crate) use run::{ReaderRun, Unwritten, WriterRun};

use crate::adapter::Done;
use crate::failure::Failure;
use crate::hub::Hub;
use crate::rows::Rows;
use crate::wire;

/// A plugin that turns rows into the bytes of a file, or the bytes of a file into rows, or both.
///
/// The manifest declares the columns and the ways that it goes. A format with one way takes [`OneWay`] for the other.
pub trait Format: Sized + 'static {
    /// The job's settings of this file, read from JSON that the hub has validated against the schema in the manifest;
    /// `()` where there are none.
    type Settings: DeserializeOwned + 'static;

    /// A file on its way out.
    type Writer: FileWriter;

    /// A file on its way in.
    type Reader: FileReader;

    /// Begins a file that is written. `hub` can be cloned and kept.
    ///
    /// # Errors
    /// Whatever makes the whole file senseless: [`Failure::settings`] if settings contradict each other, or a missing table.
    fn writer(context: &FileContext, settings: Self::Settings, hub: &Hub) -> Result<Self::Writer, Failure> {
        let _ = (context, settings, hub);
        Err(no_such_way("write"))
    }

    /// Begins a file that is read. `hub` can be cloned and kept.
    ///
    /// # Errors
    /// As [`Format::writer`].
    fn reader(context: &FileContext, settings: Self::Settings, hub: &Hub) -> Result<Self::Reader, Failure> {
        let _ = (context, settings, hub);
        Err(no_such_way("read"))
    }
}

/// One file that is being written.
pub trait FileWriter: 'static {
    /// Takes some rows. Bytes that are ready go to [`FileOut::put`]; a row that cannot be written goes to [`FileOut::refuse`],
    /// and then there is no file: it is never delivered short.
    ///
    /// # Errors
    /// Only what must end the file.
    fn write(&mut self, rows: &Rows<'_>, file: &mut FileOut<'_>) -> Result<(), Failure>;

    /// Writes what is left, once there are no more rows. A format with much left answers [`Done::No`]
    /// as soon as [`FileOut::is_full`], and is called again.
    ///
    /// # Errors
    /// Only what must end the file.
    fn finish(&mut self, file: &mut FileOut<'_>) -> Result<Done, Failure>;
}

/// One file that is being read.
pub trait FileReader: 'static {
    /// Takes the next bytes of the file, which may begin and end within a record: see [`Lines`].
    /// What has ended in them goes to [`Records::row`] or [`Records::refuse`].
    ///
    /// # Errors
    /// Only what must end the file: [`Failure::input`] if it cannot be trusted as a whole.
    fn read(&mut self, bytes: &[u8], records: &mut Records<'_>) -> Result<(), Failure>;

    /// Gives what is left, once the file has ended, and checks what the file says of itself.
    ///
    /// # Errors
    /// Only what must end the file: [`Failure::input`] if its totals do not agree with its records, or it ends too early.
    fn finish(&mut self, records: &mut Records<'_>) -> Result<Done, Failure>;
}

/// The way that a format or a connector does not go. There is no value of it.
#[derive(Debug)]
pub struct OneWay(pub(crate) Infallible);

impl FileWriter for OneWay {
    fn write(&mut self, _: &Rows<'_>, _: &mut FileOut<'_>) -> Result<(), Failure> {
        match self.0 {}
    }

    fn finish(&mut self, _: &mut FileOut<'_>) -> Result<Done, Failure> {
        match self.0 {}
    }
}

impl FileReader for OneWay {
    fn read(&mut self, _: &[u8], _: &mut Records<'_>) -> Result<(), Failure> {
        match self.0 {}
    }

    fn finish(&mut self, _: &mut Records<'_>) -> Result<Done, Failure> {
        match self.0 {}
    }
}

/// What a file is about.
#[derive(Debug)]
pub struct FileContext {
    wire: wire::format::Context,
}

impl FileContext {
    pub(crate) const fn new(wire: wire::format::Context) -> Self {
        Self { wire }
    }

    /// The partner that owns the job.
    #[must_use]
    pub fn partner(&self) -> &str {
        &self.wire.partner
    }

    /// The job's name.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.wire.job
    }

    /// Whether the job has a column. Only one that the manifest does not require can be absent: then no row has a value of it.
    #[must_use]
    pub fn has_column(&self, name: &str) -> bool {
        self.wire.columns.iter().any(|column| column.name == name && column.present)
    }

    /// The columns as a port of the name `rows`: what the SDK's readers and writers of rows work on.
    fn port(&self) -> wire::Port {
        let columns = self.wire.columns.iter().map(|column| wire::ColumnShape {
            name: column.name.clone(),
            kind: kind(column.kind),
            scale: column.scale,
        });
        wire::Port { name: "rows".to_owned(), present: true, columns: columns.collect() }
    }
}

const fn kind(kind: wire::format::ColumnType) -> wire::ColumnType {
    match kind {
        wire::format::ColumnType::Integer => wire::ColumnType::Integer,
        wire::format::ColumnType::Decimal => wire::ColumnType::Decimal,
        wire::format::ColumnType::Date => wire::ColumnType::Date,
        wire::format::ColumnType::Text => wire::ColumnType::Text,
        wire::format::ColumnType::Boolean => wire::ColumnType::Boolean,
    }
}

fn no_such_way(way: &str) -> Failure {
    Failure::defect("way-unknown", format!("The format does not {way} files, and plugin.toml says that it does."))
}
