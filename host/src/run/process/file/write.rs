//! An output that a format plugin writes: batches in, bytes to the staged artefact as they come.

use std::io::Write as _;
use std::sync::Arc;

use super::map::ColumnMap;
use super::{Gathered, of_file};
use crate::connection::{StagedWriter, Stored};
use crate::format::FormatError;
use crate::model::limits::BATCH_ROWS;
use crate::model::manifest::Kind;
use crate::model::rows::{Batch, PortShape, UnwritableRow};
use crate::run::process::ProcessError;
use crate::sandbox::{CallError, FileWriting, Setup};

/// The file of an output.
pub(in crate::run::process) struct PluginSheet {
    setup: Arc<Setup>,
    output: String,
    columns: ColumnMap,
    sink: Option<StagedWriter>,
    rows: u64,
    writing: Option<FileWriting>,
    report: Gathered,
}

impl PluginSheet {
    pub(super) fn new((setup, shape): (&Arc<Setup>, &PortShape), sink: StagedWriter, (writing, report): (FileWriting, Gathered)) -> Self {
        let Kind::Format(format) = &setup.release.manifest.kind else { unreachable!("a writer was opened on it") };
        Self {
            setup: Arc::clone(setup),
            output: shape.name.clone(),
            columns: ColumnMap::new(&format.columns, &shape.columns),
            sink: Some(sink),
            rows: 0,
            writing: Some(writing),
            report,
        }
    }

    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), ProcessError> {
        for start in (0..batch.rows).step_by(BATCH_ROWS) {
            let end = (start + BATCH_ROWS).min(batch.rows);
            let piece = if end - start == batch.rows { self.columns.batch(batch, self.rows) } else { self.piece(batch, start, end) };
            self.rows += piece.rows as u64;
            let wrote = self.call(|writing| writing.write(&piece))?;
            self.put(&wrote)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Stored, ProcessError> {
        loop {
            let (bytes, done) = self.call(FileWriting::finish)?;
            self.put(&bytes)?;
            if done {
                break;
            }
        }
        let sink = self.sink.take().expect("it is taken here alone");
        Ok(sink.commit()?)
    }

    fn piece(&self, batch: &Batch, start: usize, end: usize) -> Batch {
        self.columns.batch(&batch.slice(start, end), self.rows)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ProcessError> {
        let sink = self.sink.as_mut().expect("it is there until the file has ended");
        sink.write_all(bytes).map_err(|error| ProcessError::Output { output: self.output.clone(), error: FormatError::Write(error) })
    }

    fn call<R>(
        &mut self,
        call: impl FnOnce(&mut FileWriting) -> Result<Result<R, Vec<UnwritableRow>>, CallError>,
    ) -> Result<R, ProcessError> {
        let writing = self.writing.as_mut().expect("it is there until this is dropped");
        match call(writing) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(rows)) => {
                Err(ProcessError::Unwritable { output: self.output.clone(), plugin: self.setup.release.manifest.name.clone(), rows })
            }
            Err(error) => Err(of_file(&self.setup, &self.output, error)),
        }
    }
}

impl Drop for PluginSheet {
    /// What the plugin used and logged is told, however the file ended.
    fn drop(&mut self) {
        if let Some(writing) = self.writing.take() {
            self.report.join(writing.close());
        }
    }
}
