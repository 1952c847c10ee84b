//! Model values as the contract's, on their way into a plugin. Columns are borrowed: the only copy is the one into the
//! plugin's memory.

use super::super::worker::Setup;
use super::v0_1::adapter::bailiwick::plugin::types::{BatchParam, ColumnDataParam, ColumnParam, DecimalColumnParam, TextColumnParam};
use super::v0_1::adapter::exports::bailiwick::plugin::rows::{ColumnShape as WireShape, ColumnType, Context, Port};
use crate::model::manifest::AdapterShape;
use crate::model::rows::{Batch, Column, ColumnData, ColumnKind, ColumnShape, PortShape};

/// The place of a port as it crosses.
pub(super) fn place(port: usize) -> u32 {
    u32::try_from(port).expect("a manifest has few ports")
}

/// The columns of a batch.
pub(super) fn columns(rows: &Batch) -> Vec<ColumnParam<'_>> {
    rows.columns.iter().map(column).collect()
}

/// A batch of columns that were lowered.
pub(super) fn batch<'a>(rows: &Batch, columns: &'a [ColumnParam<'a>]) -> BatchParam<'a> {
    BatchParam { first_row: rows.first_row, rows: u32::try_from(rows.rows).expect("a batch has few rows"), columns }
}

fn column(column: &Column) -> ColumnParam<'_> {
    let data = match &column.data {
        ColumnData::Integers(values) => ColumnDataParam::Integers(values),
        ColumnData::Decimals { scale, coefficients } => ColumnDataParam::Decimals(DecimalColumnParam { scale: *scale, coefficients }),
        ColumnData::Dates(days) => ColumnDataParam::Dates(days),
        ColumnData::Text(text) => ColumnDataParam::Text(TextColumnParam { offsets: &text.offsets, content: &text.content }),
        ColumnData::Booleans(bits) => ColumnDataParam::Booleans(bits),
    };
    ColumnParam { validity: &column.validity.bits, data }
}

/// Calls with what a run is about.
pub(super) fn with_context<R>(setup: &Setup, shape: &AdapterShape, call: impl FnOnce(Context<'_>) -> R) -> R {
    let (input_columns, output_columns) = (shapes(&shape.inputs), shapes(&shape.outputs));
    let inputs = ports(&shape.inputs, &setup.inputs_present, &input_columns);
    let outputs = ports(&shape.outputs, &setup.outputs_present, &output_columns);
    call(Context { partner: setup.partner.as_str(), job: setup.job.as_str(), inputs: &inputs, outputs: &outputs })
}

fn shapes(ports: &[PortShape]) -> Vec<Vec<WireShape<'_>>> {
    ports.iter().map(|port| port.columns.iter().map(shape).collect()).collect()
}

fn shape(column: &ColumnShape) -> WireShape<'_> {
    WireShape { name: &column.name, kind: column_type(column.kind), scale: column.kind.scale() }
}

fn ports<'a>(ports: &'a [PortShape], present: &[bool], columns: &'a [Vec<WireShape<'a>>]) -> Vec<Port<'a>> {
    ports
        .iter()
        .zip(columns)
        .enumerate()
        .map(|(place, (port, columns))| Port { name: &port.name, present: present.get(place).copied().unwrap_or(false), columns })
        .collect()
}

fn column_type(kind: ColumnKind) -> ColumnType {
    match kind {
        ColumnKind::Integer => ColumnType::Integer,
        ColumnKind::Decimal { .. } | ColumnKind::Money { .. } => ColumnType::Decimal,
        ColumnKind::Date => ColumnType::Date,
        ColumnKind::Text => ColumnType::Text,
        ColumnKind::Boolean => ColumnType::Boolean,
    }
}
