//! Files of a run, in and out: by a format that is built in, or by one that is a plugin and has an instance for each file.
//!
//! Either way, what is held is one batch, however long the file is.

mod map;
mod read;
mod slice;
mod spool;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{InputFile, ProcessError, Work};
use crate::connection::{ArtefactFile, StagedWriter, Stored};
use crate::format::{Decoded, Decoder, Encoder, FormatError, Located, Locator};
use crate::model::job::Format;
use crate::model::rows::{Batch, PortShape};
use crate::sandbox::{Report, Setup, Worker};

pub(crate) use slice::{Repeats, Slice};

use read::PluginRows;
use spool::Spool;
use write::PluginSheet;

/// How a file is read or written.
#[derive(Debug, Clone)]
pub(crate) enum FileForm {
    /// By a format that is built in.
    BuiltIn(Format),
    /// By a format that is a plugin: all that it may know.
    Plugin(Arc<Setup>),
}

/// What opens the files of a run, and gathers what their plugins used and logged.
pub(super) struct Files<'a> {
    worker: &'a Worker,
    work: &'a Work,
    report: Gathered,
}

/// What the plugins of a run's files used and logged, gathered as each of them ends.
#[derive(Clone, Default)]
struct Gathered(Arc<Mutex<Report>>);

impl Gathered {
    fn join(&self, report: Report) {
        self.held().join(report);
    }

    fn take(&self) -> Report {
        std::mem::take(&mut *self.held())
    }

    fn held(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Files<'a> {
    pub(super) fn new(worker: &'a Worker, work: &'a Work) -> Self {
        Self { worker, work, report: Gathered::default() }
    }

    /// Begins a file that is read.
    pub(super) fn rows(&self, input: &InputFile, shape: &PortShape) -> Result<InputRows, ProcessError> {
        let bytes = self.work.artefacts.read(&input.artefact)?;
        match &input.form {
            FileForm::BuiltIn(format) => {
                let opened = match &input.slice {
                    Some(slice) => Decoder::open_stretch(format, shape, bytes, slice.stretch()),
                    None => Decoder::open(format, shape, bytes),
                };
                Ok(InputRows::BuiltIn(opened.map_err(|error| unreadable(shape, error))?))
            }
            FileForm::Plugin(setup) => {
                let again = self.work.artefacts.read(&input.artefact)?;
                let reading = self.worker.open_reader(setup).map_err(|failed| self.failed(setup, shape, *failed))?;
                let spool = Spool::new(&self.work.spill, shape)?;
                Ok(InputRows::Plugin(Box::new(PluginRows::new((setup, shape), (bytes, again), spool, (reading, self.report.clone())))))
            }
        }
    }

    /// Begins a file that is written.
    pub(super) fn sheet(&self, form: &FileForm, shape: &PortShape) -> Result<Sheet, ProcessError> {
        let slice = self.work.slice();
        let sink = slice.map_or(&self.work.artefacts, |slice| slice.staging()).writer()?;
        match form {
            FileForm::BuiltIn(format) => {
                let begun = slice.is_some_and(|slice| slice.is_later());
                let opened = if begun { Encoder::open_behind(format, shape, sink) } else { Encoder::open(format, shape, sink) };
                let opened = opened.map_err(|error| unwritable(shape, error))?;
                Ok(Sheet::BuiltIn(Box::new((opened, shape.name.clone()))))
            }
            FileForm::Plugin(setup) => {
                let writing = self.worker.open_writer(setup).map_err(|failed| self.failed(setup, shape, *failed))?;
                Ok(Sheet::Plugin(Box::new(PluginSheet::new((setup, shape), sink, (writing, self.report.clone())))))
            }
        }
    }

    /// What all plugins of files used and logged, once they have ended.
    pub(super) fn into_report(self) -> Report {
        self.report.take()
    }

    fn failed(&self, setup: &Setup, shape: &PortShape, failed: crate::sandbox::FailedCall) -> ProcessError {
        self.report.join(failed.report);
        of_file(setup, &shape.name, failed.error)
    }
}

/// A plugin failed at a file.
fn of_file(setup: &Setup, port: &str, error: crate::sandbox::CallError) -> ProcessError {
    ProcessError::File { port: port.to_owned(), plugin: setup.release.manifest.name.clone(), error }
}

fn unreadable(shape: &PortShape, error: FormatError) -> ProcessError {
    ProcessError::Input { input: shape.name.clone(), error }
}

fn unwritable(shape: &PortShape, error: FormatError) -> ProcessError {
    ProcessError::Output { output: shape.name.clone(), error }
}

/// The rows of an input, batch by batch.
pub(super) enum InputRows {
    BuiltIn(Decoder<'static>),
    Plugin(Box<PluginRows>),
}

impl InputRows {
    /// Reads some rows; none when the file has ended. Every record becomes a row or a reject.
    pub(super) fn next_batch(&mut self, shape: &PortShape) -> Result<Option<Decoded>, ProcessError> {
        match self {
            Self::BuiltIn(decoder) => decoder.next_batch().map_err(|error| unreadable(shape, error)),
            Self::Plugin(rows) => rows.next_batch(),
        }
    }

    /// Finds rows again that were read, now or later, even when this is long gone or on another thread.
    pub(super) fn finder(&self) -> Finder {
        match self {
            Self::BuiltIn(decoder) => Finder::BuiltIn(decoder.locator()),
            Self::Plugin(rows) => Finder::Plugin(rows.spool()),
        }
    }
}

/// Finds rows again that were read.
#[derive(Clone)]
pub(super) enum Finder {
    BuiltIn(Locator),
    Plugin(Arc<Mutex<Spool>>),
}

impl Finder {
    /// Finds one row. None if no row of that number was read.
    pub(super) fn locate(&self, row: u64, file: &ArtefactFile) -> Result<Option<Located>, FormatError> {
        match self {
            Self::BuiltIn(locator) => locator.locate(row, &mut &*file),
            Self::Plugin(spool) => spool.lock().unwrap_or_else(PoisonError::into_inner).locate(row, file).map_err(FormatError::Read),
        }
    }
}

/// The file of an output.
pub(super) enum Sheet {
    BuiltIn(Box<(Encoder<StagedWriter>, String)>),
    Plugin(Box<PluginSheet>),
}

impl Sheet {
    /// Writes some rows.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), ProcessError> {
        match self {
            Self::BuiltIn(sheet) => {
                let (encoder, output) = &mut **sheet;
                encoder.write(batch).map_err(|error| ProcessError::Output { output: output.clone(), error })
            }
            Self::Plugin(sheet) => sheet.write(batch),
        }
    }

    /// Ends the file and stores it.
    pub(super) fn finish(self) -> Result<Stored, ProcessError> {
        match self {
            Self::BuiltIn(sheet) => {
                let (encoder, output) = *sheet;
                let (sink, _) = encoder.finish().map_err(|error| ProcessError::Output { output, error })?;
                Ok(sink.commit()?)
            }
            Self::Plugin(sheet) => sheet.finish(),
        }
    }
}
