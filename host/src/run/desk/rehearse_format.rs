//! The cases of a format in the real sandbox: rows into its file, and its file into rows.

use std::fs::File;
use std::sync::Arc;

use super::rehearse::{CaseOutcome, Rehearsal, Stage, case_format, plugin_failure, unwritable};
use crate::format::{Decoder, Encoder, FormatError};
use crate::model::limits::Usage;
use crate::model::manifest::FormatShape;
use crate::model::rows::{FileRecords, PortShape, UnwritableRow};
use crate::registry::cases::{self, FormatCase, FormatHappened, FormatWay};
use crate::run::failure::RunError;
use crate::run::process::ProcessError;
use crate::sandbox::{FileWriting, Setup, Worker};

/// Bytes that a reader is given at once, as in a run.
const READ_BYTES: usize = 64 << 10;

impl Stage {
    pub(super) fn format_cases(&self, worker: &Worker, shape: &FormatShape, cases: &[FormatCase]) -> Result<Rehearsal, RunError> {
        let mut rehearsal = Rehearsal::default();
        let port = PortShape {
            name: "rows".to_owned(),
            about: String::new(),
            optional: false,
            columns: shape.columns.clone(),
            unique: Vec::new(),
            aggregate_by: None,
        };
        for case in cases {
            self.in_time()?;
            let setup = Arc::new(self.setup((case.today, &case.settings), &case.tables, (vec![true; shape.columns.len()], Vec::new())));
            let mut differences = Vec::new();
            for way in &case.ways {
                let mut happened = FormatHappened::default();
                let done = match way {
                    FormatWay::Write => write(worker, (&setup, &port, case), (&mut happened, &mut rehearsal.usage)),
                    FormatWay::Read => read(worker, (&setup, &port, case), (&mut happened, &mut rehearsal.usage)),
                };
                if let Err(error) = done {
                    happened.failure = Some(plugin_failure(error)?);
                }
                differences.extend(cases::compare_format(case, *way, &happened));
            }
            rehearsal.cases.push(CaseOutcome { name: case.name.clone(), differences });
        }
        Ok(rehearsal)
    }
}

type Told<'a> = (&'a mut FormatHappened, &'a mut Usage);

fn write(
    worker: &Worker,
    (setup, port, case): (&Arc<Setup>, &PortShape, &FormatCase),
    (happened, usage): Told<'_>,
) -> Result<(), RunError> {
    let unreadable = |error: FormatError| RunError::from(ProcessError::Input { input: port.name.clone(), error });
    let mut writing = worker.open_writer(setup).map_err(|failed| failed.error)?;
    let mut decoder = Decoder::open(&case_format(), port, File::open(&case.rows)?).map_err(unreadable)?;
    while let Some(decoded) = decoder.next_batch().map_err(unreadable)? {
        if let Some(reject) = decoded.rejects.first() {
            let why = reject.reasons.first().map_or("", |reason| reason.message.as_str());
            return Err(RunError::CaseUnreadable { file: case.rows.display().to_string(), line: reject.line, why: why.to_owned() });
        }
        match writing.write(&decoded.batch)? {
            Ok(bytes) => happened.bytes.extend(bytes),
            Err(rows) => return end(writing, rows, (happened, usage)),
        }
    }
    loop {
        match writing.finish()? {
            Ok((bytes, done)) => {
                happened.bytes.extend(bytes);
                if done {
                    return end(writing, Vec::new(), (happened, usage));
                }
            }
            Err(rows) => return end(writing, rows, (happened, usage)),
        }
    }
}

fn end(writing: FileWriting, rows: Vec<UnwritableRow>, (happened, usage): Told<'_>) -> Result<(), RunError> {
    happened.refused = rows.into_iter().map(|row| (row.row, row.reasons)).collect();
    writing.close().usage.iter().for_each(|(limit, amount)| usage.raise(limit, amount));
    Ok(())
}

fn read(worker: &Worker, (setup, port, case): (&Arc<Setup>, &PortShape, &FormatCase), (happened, usage): Told<'_>) -> Result<(), RunError> {
    let mut reading = worker.open_reader(setup).map_err(|failed| failed.error)?;
    let mut encoder = Encoder::open(&case_format(), port, Vec::new()).expect("plain CSV fits every port");
    let mut take = |records: FileRecords| -> Result<(), RunError> {
        happened.refused.extend(records.refused.into_iter().map(|record| (record.place.line, record.reasons)));
        encoder.write(&records.rows).map_err(unwritable)
    };
    for bytes in case.file.as_deref().unwrap_or_default().chunks(READ_BYTES) {
        take(reading.read(bytes)?)?;
    }
    loop {
        let (records, done) = reading.finish()?;
        take(records)?;
        if done {
            break;
        }
    }
    happened.bytes = encoder.finish().map_err(unwritable)?.0;
    reading.close().usage.iter().for_each(|(limit, amount)| usage.raise(limit, amount));
    Ok(())
}
