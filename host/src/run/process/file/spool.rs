//! Rows that a format plugin has read, kept on disk: the plugin cannot be asked for one again, and a finding may come late.
//!
//! Sixteen bytes are held for each batch; the rest is in a file of the run's own, which goes with it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use crate::connection::ArtefactFile;
use crate::format::{Located, row_as_json};
use crate::model::rows::{Batch, Column, ColumnData, ColumnKind, ColumnShape, PortShape, RecordPlace, TextColumn, Validity};

/// The rows of one input.
#[derive(Debug)]
pub(in crate::run::process) struct Spool {
    file: BufWriter<File>,
    shapes: Vec<ColumnShape>,
    /// First row and first byte of each batch.
    batches: Vec<(u64, u64)>,
    rows: u64,
    end: u64,
}

impl Spool {
    pub(super) fn new(folder: &Path, port: &PortShape) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = BufWriter::new(tempfile::tempfile_in(folder)?);
        Ok(Self { file, shapes: port.columns.clone(), batches: Vec::new(), rows: 0, end: 0 })
    }

    /// Keeps a batch, which goes on where the one before it ended.
    pub(super) fn add(&mut self, batch: &Batch, places: &[RecordPlace]) -> io::Result<()> {
        if batch.rows == 0 {
            return Ok(());
        }
        self.batches.push((batch.first_row, self.end));
        self.rows = batch.first_row + batch.rows as u64;
        let mut out = Counted { to: &mut self.file, bytes: 0 };
        numbers(&mut out, [batch.rows as u64])?;
        for column in &batch.columns {
            put_bytes(&mut out, &column.validity.bits)?;
            put_column(&mut out, &column.data)?;
        }
        for place in places {
            numbers(&mut out, [place.line, place.byte_offset, place.byte_length])?;
        }
        self.end += out.bytes;
        Ok(())
    }

    /// Finds a row again, with its bytes in the input's own file.
    pub(super) fn locate(&mut self, row: u64, input: &ArtefactFile) -> io::Result<Option<Located>> {
        let after = self.batches.partition_point(|(first, _)| *first <= row);
        let Some((first_row, offset)) = after.checked_sub(1).map(|place| self.batches[place]).filter(|_| row < self.rows) else {
            return Ok(None);
        };
        self.file.flush()?;
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(offset))?;
        let found = self.read(first_row, row, &mut BufReader::new(file));
        file.seek(SeekFrom::Start(self.end))?;
        let (place, decoded) = found?;
        let raw = place.read_raw(&mut &*input).map_err(io::Error::other)?;
        Ok(Some(Located { row, place, raw, decoded }))
    }

    fn read(&self, first_row: u64, row: u64, from: &mut impl Read) -> io::Result<(RecordPlace, String)> {
        let rows = number(from)? as usize;
        let column = |shape: &ColumnShape| {
            let validity = Validity { bits: take_bytes(from)? };
            Ok(Column { validity, data: take_column(from, shape.kind, rows)? })
        };
        let columns = self.shapes.iter().map(column).collect::<io::Result<_>>()?;
        let batch = Batch { first_row, rows, columns };
        let within = usize::try_from(row - first_row).expect("a batch is far smaller than memory");
        let mut place = RecordPlace { line: 0, byte_offset: 0, byte_length: 0 };
        for _ in 0..=within {
            place = RecordPlace { line: number(from)?, byte_offset: number(from)?, byte_length: number(from)? };
        }
        Ok((place, row_as_json(&self.shapes, &batch, within)))
    }
}

struct Counted<'w, W> {
    to: &'w mut W,
    bytes: u64,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn numbers<const N: usize>(to: &mut impl Write, numbers: [u64; N]) -> io::Result<()> {
    numbers.iter().try_for_each(|number| to.write_all(&number.to_le_bytes()))
}

fn number(from: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn put_bytes(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    numbers(to, [bytes.len() as u64])?;
    to.write_all(bytes)
}

fn take_bytes(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; number(from)? as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn put_column(to: &mut impl Write, data: &ColumnData) -> io::Result<()> {
    match data {
        ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } => {
            values.iter().try_for_each(|value| to.write_all(&value.to_le_bytes()))
        }
        ColumnData::Dates(days) => days.iter().try_for_each(|day| to.write_all(&day.to_le_bytes())),
        ColumnData::Text(text) => {
            text.offsets.iter().try_for_each(|offset| to.write_all(&offset.to_le_bytes()))?;
            put_bytes(to, text.content.as_bytes())
        }
        ColumnData::Booleans(bits) => put_bytes(to, bits),
    }
}

fn take_column(from: &mut impl Read, kind: ColumnKind, rows: usize) -> io::Result<ColumnData> {
    let mut wide = || (0..rows).map(|_| number(from).map(|number| number as i64)).collect::<io::Result<Vec<i64>>>();
    Ok(match kind {
        ColumnKind::Integer => ColumnData::Integers(wide()?),
        ColumnKind::Decimal { scale } | ColumnKind::Money { scale } => ColumnData::Decimals { scale, coefficients: wide()? },
        ColumnKind::Date => ColumnData::Dates(narrow(from, rows)?.into_iter().map(u32::cast_signed).collect()),
        ColumnKind::Text => {
            let offsets = narrow(from, rows + 1)?;
            let content = String::from_utf8(take_bytes(from)?).map_err(io::Error::other)?;
            ColumnData::Text(TextColumn { offsets, content })
        }
        ColumnKind::Boolean => ColumnData::Booleans(take_bytes(from)?),
    })
}

fn narrow(from: &mut impl Read, count: usize) -> io::Result<Vec<u32>> {
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let mut bytes = [0; 4];
        from.read_exact(&mut bytes)?;
        values.push(u32::from_le_bytes(bytes));
    }
    Ok(values)
}
