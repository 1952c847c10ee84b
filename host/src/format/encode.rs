//! Writes a file batch by batch. The format is matched once a batch.

use std::io::Write;

use super::cell::Fault;
use super::error::FormatError;
use super::{Direction, csv, fixed_width, json_lines};
use crate::model::job::Format;
use crate::model::rows::{Batch, ColumnData, ColumnShape, PortShape, TextColumn};

/// Bytes gathered before they are passed on.
const FLUSH_BYTES: usize = 256 << 10;

/// Writes one file.
pub struct Encoder<W> {
    sink: W,
    buffer: Vec<u8>,
    writer: Writer,
    port: String,
    shapes: Vec<ColumnShape>,
    written: Written,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows, or lines; a header is none.
    pub rows: u64,
    /// Bytes, the header included.
    pub bytes: u64,
}

enum Writer {
    Csv(csv::Writer),
    JsonLines(json_lines::Writer),
    FixedWidth(fixed_width::Writer),
}

impl<W: Write> Encoder<W> {
    /// Begins a file, with its header if the format has one.
    ///
    /// # Errors
    /// [`FormatError::Layout`] if the job's format does not fit the port.
    pub fn open(format: &Format, port: &PortShape, sink: W) -> Result<Self, FormatError> {
        super::check(format, port, Direction::Encode)?;
        let mut buffer = Vec::with_capacity(FLUSH_BYTES * 2);
        let writer = match format {
            Format::Csv(options) => Writer::Csv(csv::Writer::open(options, port, &mut buffer).map_err(|(place, fault)| {
                let message = format!("the heading of column {}: {}", port.columns[place].name, fault.message("", &port.columns[place]));
                FormatError::Layout { port: port.name.clone(), message }
            })?),
            Format::JsonLines(options) => Writer::JsonLines(json_lines::Writer::new(*options, &port.columns)),
            Format::FixedWidth(options) => Writer::FixedWidth(fixed_width::Writer::new(options, port)?),
        };
        Ok(Self { sink, buffer, writer, port: port.name.clone(), shapes: port.columns.clone(), written: Written::default() })
    }

    /// Goes on with a file that others have begun: without its header.
    ///
    /// # Errors
    /// As [`Encoder::open`].
    pub fn open_behind(format: &Format, port: &PortShape, sink: W) -> Result<Self, FormatError> {
        let mut encoder = Self::open(format, port, sink)?;
        encoder.buffer.clear();
        Ok(encoder)
    }

    /// Writes some rows. The batch must be sound for the port: [`Batch::check`].
    ///
    /// # Errors
    /// [`FormatError::Value`] if a value does not fit the file, with the row counted over all that was written;
    /// [`FormatError::Write`] if the sink fails. After an error the file is of no use.
    pub fn write(&mut self, batch: &Batch) -> Result<(), FormatError> {
        let done = match &self.writer {
            Writer::Csv(writer) => writer.write(batch, &self.shapes, &mut self.buffer),
            Writer::JsonLines(writer) => writer.write(batch, &self.shapes, &mut self.buffer),
            Writer::FixedWidth(writer) => writer.write(batch, &self.shapes, &mut self.buffer),
        };
        done.map_err(|(row, column, fault)| self.misfit(batch, (row, column), fault))?;
        self.written.rows += batch.rows as u64;
        if self.buffer.len() >= FLUSH_BYTES { self.pass_on() } else { Ok(()) }
    }

    /// Ends the file and gives the sink back.
    ///
    /// # Errors
    /// [`FormatError::Write`] if the sink fails.
    pub fn finish(mut self) -> Result<(W, Written), FormatError> {
        self.pass_on()?;
        self.sink.flush().map_err(FormatError::Write)?;
        Ok((self.sink, self.written))
    }

    fn pass_on(&mut self) -> Result<(), FormatError> {
        self.sink.write_all(&self.buffer).map_err(FormatError::Write)?;
        self.written.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    #[cold]
    fn misfit(&self, batch: &Batch, (row, column): (usize, usize), fault: Fault) -> FormatError {
        let shape = &self.shapes[column];
        let value = match &batch.columns[column].data {
            ColumnData::Text(text) => TextColumn::value(text, row).to_owned(),
            ColumnData::Integers(values) => values[row].to_string(),
            ColumnData::Decimals { scale, coefficients } => crate::model::rows::Amount::new(coefficients[row], *scale).to_string(),
            ColumnData::Dates(_) | ColumnData::Booleans(_) => "the value".to_owned(),
        };
        let value = if batch.columns[column].validity.has(row) { value } else { String::new() };
        FormatError::Value {
            port: self.port.clone(),
            row: self.written.rows + row as u64 + 1,
            column: shape.name.clone(),
            code: fault.code(),
            message: fault.message(&value, shape),
        }
    }
}
