//! From the plugin's structs to the columns of an output.
//!
//! A row first goes to a block of a few rows, a number for each field ([`block`]), as long as it is like the row before ([`swift`]).
//! Where it is not, it is written again with a look at each field ([`careful`]): there columns are put into the order of the fields,
//! values are brought to their columns' form, and faults are named. A full block is turned into columns ([`column`]).

mod block;
mod careful;
mod column;
mod refuse;
mod swift;

use serde::Serialize;

use super::fault::{Fault, Kind};
use crate::failure::Failure;
use crate::wire;
use block::Block;
use careful::CarefulRows;
use column::ColumnWriter;
use swift::{SwiftRows, Unlike};

/// One output that is being written.
#[derive(Debug)]
pub(crate) struct OutputWriter {
    name: String,
    /// In the order of the fields of the struct that was written last.
    columns: Vec<ColumnWriter>,
    /// The last rows, which are not in the columns yet.
    block: Block,
    /// Rows, with those in the block.
    rows: u32,
    /// The fields of a row are in another order than the columns, and the block is not empty.
    reorders: bool,
}

impl OutputWriter {
    pub(crate) fn new(port: &wire::Port) -> Self {
        let columns: Vec<_> = port.columns.iter().enumerate().map(|(place, shape)| ColumnWriter::new(place, shape)).collect();
        Self { name: port.name.clone(), block: Block::new(columns.len()), columns, rows: 0, reorders: false }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn rows(&self) -> u32 {
        self.rows
    }

    /// Writes one row. `sources` are the texts of the batch that the rows are made of.
    #[inline]
    pub(crate) fn write<T: Serialize>(&mut self, row: &T, sources: &[&str]) -> Result<(), Failure> {
        if self.block.is_full() {
            self.flush(sources);
        }
        match row.serialize(SwiftRows { block: &mut self.block, sources }) {
            Ok(()) => {
                self.rows += 1;
                Ok(())
            }
            Err(Unlike) => self.write_carefully(row, sources),
        }
    }

    #[cold]
    #[inline(never)]
    fn write_carefully<T: Serialize>(&mut self, row: &T, sources: &[&str]) -> Result<(), Failure> {
        self.block.rest.forget_row();
        let mut written = row.serialize(CarefulRows { output: self, sources });
        if std::mem::take(&mut self.reorders) {
            self.flush(sources);
            written = row.serialize(CarefulRows { output: self, sources });
        }
        match written {
            Ok(()) => {
                self.rows += 1;
                Ok(())
            }
            Err(fault) => {
                self.block.rest.forget_row();
                Err(self.failure(fault))
            }
        }
    }

    /// Turns the block into columns, before the texts go that rows were made of: those of the calls of `write`.
    #[inline(never)]
    pub(crate) fn settle(&mut self, sources: &[&str]) {
        self.flush(sources);
        self.block.forget_sources();
    }

    /// What was written and settled since the last time; none if nothing was.
    pub(crate) fn take(&mut self) -> Option<wire::Batch> {
        if self.rows == 0 {
            return None;
        }
        let rows = std::mem::take(&mut self.rows);
        let mut columns: Vec<_> = self.columns.iter_mut().map(|column| (column.place, column.take(rows))).collect();
        columns.sort_unstable_by_key(|(place, _)| *place);
        Some(wire::Batch { first_row: 0, rows, columns: columns.into_iter().map(|(_, column)| column).collect() })
    }

    #[inline(never)]
    fn flush(&mut self, sources: &[&str]) {
        if self.block.rest.rows > 0 {
            self.columns.iter_mut().zip(self.block.columns(sources)).for_each(|(column, block)| column.append(&block));
        }
        self.block.clear();
    }

    #[cold]
    fn failure(&self, fault: Fault) -> Failure {
        let (column, kind) = fault.into_parts();
        let at = column.map_or_else(String::new, |place| format!(", column {}", self.name_of(place as usize)));
        let message = match kind {
            Kind::Plugin(message) | Kind::Value { wanted: message, .. } => message,
        };
        Failure::defect("row-struct-unfit", format!("Writing output {}{at}: {message}.", self.name))
    }

    fn name_of(&self, place: usize) -> &str {
        self.columns.iter().find(|column| column.place == place).map_or("", |column| column.shape.name.as_str())
    }
}
