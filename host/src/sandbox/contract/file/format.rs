//! A file on its way through a format: model values in, checked model values out.

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::model::manifest::FormatShape;
use crate::model::outcome::Reason;
use crate::model::rows::{Batch, ColumnKind, FileRecords, RecordPlace, RefusedRecord, UnwritableRow};
use crate::sandbox::contract::v0_2::format::exports::bailiwick::plugin0_2_0::formats as wire;
use crate::sandbox::contract::v0_2::format::{Format, FormatPre};
use crate::sandbox::contract::{CallFault, lift, lower};
use crate::sandbox::worker::{InstanceState, Setup};

/// What a call of a writer came to.
pub(in crate::sandbox) type Wrote<T> = Result<T, Vec<UnwritableRow>>;

/// A writer inside its instance.
pub(in crate::sandbox) struct OpenWriter {
    exports: Format,
    writer: ResourceAny,
}

impl OpenWriter {
    /// Makes the instance and begins the file.
    pub(in crate::sandbox) fn open(
        linked: &FormatPre<InstanceState>,
        store: &mut Store<InstanceState>,
        setup: &Setup,
        shape: &FormatShape,
    ) -> Result<Self, CallFault> {
        let exports = linked.instantiate(&mut *store)?;
        let columns = columns(setup, shape);
        let context = context(setup, &columns);
        let answer = exports.bailiwick_plugin0_2_0_formats().writer().call_open(&mut *store, context)?;
        let writer = answer.map_err(|failure| CallFault::Failed(lift::failure(failure, &mut store.data_mut().stripped)))?;
        Ok(Self { exports, writer })
    }

    /// Gives it rows; answers with the bytes that are ready. The rows begin at a number, from which those that are refused are told.
    pub(in crate::sandbox) fn write(
        &self,
        store: &mut Store<InstanceState>,
        rows: &Batch,
        shape: &FormatShape,
    ) -> Result<Wrote<Vec<u8>>, CallFault> {
        let lowered = lower::columns(rows);
        let batch = lower::batch(rows, &lowered);
        let answer = self.exports.bailiwick_plugin0_2_0_formats().writer().call_write(&mut *store, self.writer, batch)?;
        settled(answer, rows.first_row + rows.rows as u64, (store, shape))
    }

    /// Asks for what is left, and whether that was all.
    pub(in crate::sandbox) fn finish(
        &self,
        store: &mut Store<InstanceState>,
        written: u64,
        shape: &FormatShape,
    ) -> Result<Wrote<(Vec<u8>, bool)>, CallFault> {
        let answer = self.exports.bailiwick_plugin0_2_0_formats().writer().call_finish(&mut *store, self.writer)?;
        Ok(settled(answer, written, (store, shape))?.map(|last| (last.bytes, last.done)))
    }
}

/// A reader inside its instance.
pub(in crate::sandbox) struct OpenReader {
    exports: Format,
    reader: ResourceAny,
}

/// What a reader may speak of: columns that are declared, and bytes that it was given and has not spoken of yet.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct ReadSoFar<'s> {
    pub(in crate::sandbox) shape: &'s FormatShape,
    /// Bytes that it was given.
    pub(in crate::sandbox) bytes: u64,
}

impl OpenReader {
    /// Makes the instance and begins the file.
    pub(in crate::sandbox) fn open(
        linked: &FormatPre<InstanceState>,
        store: &mut Store<InstanceState>,
        setup: &Setup,
        shape: &FormatShape,
    ) -> Result<Self, CallFault> {
        let exports = linked.instantiate(&mut *store)?;
        let columns = columns(setup, shape);
        let context = context(setup, &columns);
        let answer = exports.bailiwick_plugin0_2_0_formats().reader().call_open(&mut *store, context)?;
        let reader = answer.map_err(|failure| CallFault::Failed(lift::failure(failure, &mut store.data_mut().stripped)))?;
        Ok(Self { exports, reader })
    }

    /// Gives it the next bytes; answers with the records that have ended in them.
    pub(in crate::sandbox) fn read(
        &self,
        store: &mut Store<InstanceState>,
        bytes: &[u8],
        known: ReadSoFar<'_>,
    ) -> Result<FileRecords, CallFault> {
        let answer = self.exports.bailiwick_plugin0_2_0_formats().reader().call_read(&mut *store, self.reader, bytes)?;
        let stripped = &mut store.data_mut().stripped;
        records(answer.map_err(|failure| CallFault::Failed(lift::failure(failure, stripped)))?, known, stripped)
    }

    /// Asks for what is left, and whether that was all.
    pub(in crate::sandbox) fn finish(
        &self,
        store: &mut Store<InstanceState>,
        known: ReadSoFar<'_>,
    ) -> Result<(FileRecords, bool), CallFault> {
        let answer = self.exports.bailiwick_plugin0_2_0_formats().reader().call_finish(&mut *store, self.reader)?;
        let stripped = &mut store.data_mut().stripped;
        let last = answer.map_err(|failure| CallFault::Failed(lift::failure(failure, stripped)))?;
        Ok((records(last.records, known, stripped)?, last.done))
    }
}

fn columns<'a>(setup: &Setup, shape: &'a FormatShape) -> Vec<wire::ColumnShape<'a>> {
    let column = |(place, column): (usize, &'a crate::model::rows::ColumnShape)| wire::ColumnShape {
        name: &column.name,
        kind: column_type(column.kind),
        scale: column.kind.scale(),
        present: setup.inputs_present.get(place).copied().unwrap_or(true),
    };
    shape.columns.iter().enumerate().map(column).collect()
}

fn context<'a>(setup: &'a Setup, columns: &'a [wire::ColumnShape<'a>]) -> wire::Context<'a> {
    wire::Context { partner: setup.partner.as_str(), job: setup.job.as_str(), columns }
}

const fn column_type(kind: ColumnKind) -> wire::ColumnType {
    match kind {
        ColumnKind::Integer => wire::ColumnType::Integer,
        ColumnKind::Decimal { .. } | ColumnKind::Money { .. } => wire::ColumnType::Decimal,
        ColumnKind::Date => wire::ColumnType::Date,
        ColumnKind::Text => wire::ColumnType::Text,
        ColumnKind::Boolean => wire::ColumnType::Boolean,
    }
}

/// What a writer answered; rows before `end` are those that it knows.
fn settled<T>(
    answer: Result<T, wire::WriteFailure>,
    end: u64,
    (store, shape): (&mut Store<InstanceState>, &FormatShape),
) -> Result<Wrote<T>, CallFault> {
    let stripped = &mut store.data_mut().stripped;
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(wire::WriteFailure::Failed(failure)) => Err(CallFault::Failed(lift::failure(failure, stripped))),
        Err(wire::WriteFailure::Rows(rows)) => {
            if rows.is_empty() {
                return Err(lift::unsound("it says that rows cannot be written, and names none".to_owned()));
            }
            let row = |row: wire::UnwritableRow| {
                if row.row >= end {
                    return Err(lift::unsound(format!("it speaks of row {}, which was not given to it", row.row)));
                }
                Ok(UnwritableRow { row: row.row, reasons: faults(row.faults, shape, stripped)? })
            };
            Ok(Err(rows.into_iter().map(row).collect::<Result<_, _>>()?))
        }
    }
}

fn records(wire: wire::Records, known: ReadSoFar<'_>, stripped: &mut u64) -> Result<FileRecords, CallFault> {
    let rows = lift::batch_of("its rows", wire.rows, &known.shape.columns)?;
    if wire.places.len() != rows.rows {
        return Err(lift::unsound(format!("it read {} rows and tells the places of {}", rows.rows, wire.places.len())));
    }
    let place = |place: wire::Place| {
        let end = place.offset.checked_add(u64::from(place.length));
        if end.is_none_or(|end| end > known.bytes) {
            return Err(lift::unsound(format!(
                "a record stands at byte {} and has {}, beyond what it was given",
                place.offset, place.length
            )));
        }
        Ok(RecordPlace { line: place.line, byte_offset: place.offset, byte_length: u64::from(place.length) })
    };
    let places = wire.places.into_iter().map(place).collect::<Result<_, _>>()?;
    let refused = wire
        .refused
        .into_iter()
        .map(|refused| Ok(RefusedRecord { place: place(refused.place)?, reasons: faults(refused.faults, known.shape, stripped)? }));
    Ok(FileRecords { rows, places, refused: refused.collect::<Result<_, CallFault>>()? })
}

fn faults(wire: Vec<wire::Fault>, shape: &FormatShape, stripped: &mut u64) -> Result<Vec<Reason>, CallFault> {
    if wire.is_empty() {
        return Err(lift::unsound("a record is refused without a reason".to_owned()));
    }
    let fault =
        |fault: wire::Fault| lift::reason_of((fault.column, fault.code, fault.message), ("of the format", &shape.columns), stripped);
    wire.into_iter().map(fault).collect()
}
