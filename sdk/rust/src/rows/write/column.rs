//! One column that is being written: blocks in, a column of a batch out.

use super::block::{Alike, BOOLEAN, BlockColumn, DATE, DECIMAL, INTEGER, ROWS, TEXT, length, short_length};
use crate::wire::{self, ColumnData};

/// One column that is being written.
#[derive(Debug)]
pub(super) struct ColumnWriter {
    /// Its place among the declared columns.
    pub(super) place: usize,
    pub(super) shape: wire::ColumnShape,
    data: ColumnData,
    /// The rows without a value; it ends with the last of them.
    absent: Vec<u64>,
    rows: usize,
}

impl ColumnWriter {
    pub(super) fn new(place: usize, shape: &wire::ColumnShape) -> Self {
        Self { place, shape: shape.clone(), data: empty(shape, 0, 0), absent: Vec::new(), rows: 0 }
    }

    /// Its kind and scale, as fields are tagged with them.
    pub(super) const fn kind_and_scale(&self) -> u64 {
        match self.shape.kind {
            wire::ColumnType::Integer => INTEGER,
            wire::ColumnType::Decimal => DECIMAL | self.shape.scale as u64,
            wire::ColumnType::Date => DATE,
            wire::ColumnType::Text => TEXT,
            wire::ColumnType::Boolean => BOOLEAN,
        }
    }

    /// Adds the rows of a block.
    pub(super) fn append(&mut self, block: &BlockColumn<'_>) {
        match &mut self.data {
            ColumnData::Integers(values) => values.extend_from_slice(block.cells),
            ColumnData::Decimals(decimals) => decimals.coefficients.extend_from_slice(block.cells),
            ColumnData::Dates(days) => days.extend(block.cells.iter().map(|cell| *cell as i32)),
            ColumnData::Text(text) => append_texts(text, block),
            ColumnData::Booleans(bits) => {
                for (row, cell) in (self.rows..).zip(block.cells) {
                    if row % 8 == 0 {
                        bits.push(0);
                    }
                    bits[row / 8] |= (*cell as u8 & 1) << (row % 8);
                }
            }
        }
        if block.absent != 0 {
            self.note_absent(block.absent);
        }
        self.rows += block.cells.len();
    }

    /// What was written, leaving room for about as much again.
    pub(super) fn take(&mut self, rows: u32) -> wire::Column {
        let text_bytes = if let ColumnData::Text(text) = &self.data { text.content.len() } else { 0 };
        let next = empty(&self.shape, rows as usize, text_bytes);
        let data = std::mem::replace(&mut self.data, next);
        let mut validity = Vec::new();
        if !self.absent.is_empty() {
            validity = vec![0xff; (rows as usize).div_ceil(8)];
            if let (Some(last), 1..) = (validity.last_mut(), rows % 8) {
                *last = (1 << (rows % 8)) - 1;
            }
            let absent = self.absent.drain(..).flat_map(u64::to_le_bytes);
            validity.iter_mut().zip(absent).for_each(|(valid, absent)| *valid &= !absent);
        }
        self.rows = 0;
        wire::Column { validity, data }
    }

    fn note_absent(&mut self, rows: u64) {
        let (word, shift) = (self.rows / ROWS, self.rows % ROWS);
        self.absent.resize(word + 1, 0);
        self.absent[word] |= rows << shift;
        if shift > 0 && rows >> (ROWS - shift) != 0 {
            self.absent.push(rows >> (ROWS - shift));
        }
    }
}

/// Adds texts, mostly all at once.
fn append_texts(text: &mut wire::TextColumn, block: &BlockColumn<'_>) {
    let mut end = text.content.len() as u32;
    let mut ends = |len: usize| {
        end += len as u32;
        end
    };
    match block.texts() {
        Alike::Passed(all) => {
            text.offsets.extend(block.cells.iter().map(|cell| ends(length(*cell))));
            text.content.push_str(all);
        }
        Alike::Short => {
            text.offsets.extend(block.cells.iter().map(|cell| ends(short_length(*cell))));
            append_short(&mut text.content, block);
        }
        Alike::Nothing => {
            for (row, cell) in block.cells.iter().enumerate() {
                let cell = cell.to_le_bytes();
                let piece = if block.absent >> row & 1 == 0 { block.text(&cell) } else { "" };
                text.content.push_str(piece);
                text.offsets.push(ends(piece.len()));
            }
        }
    }
}

/// Short texts are put together before they are copied.
fn append_short(content: &mut String, block: &BlockColumn<'_>) {
    let (mut bytes, mut len) = ([0; ROWS * 8], 0);
    for cell in block.cells {
        // All eight are written, which costs less, and the next ones go over those that are not of the text.
        if let Some(room) = bytes.get_mut(len..len + 8) {
            room.copy_from_slice(&cell.to_le_bytes());
            len += short_length(*cell);
        }
    }
    content.push_str(std::str::from_utf8(&bytes[..len]).expect("they are the bytes of whole texts"));
}

fn empty(shape: &wire::ColumnShape, rows: usize, text_bytes: usize) -> ColumnData {
    match shape.kind {
        wire::ColumnType::Integer => ColumnData::Integers(Vec::with_capacity(rows)),
        wire::ColumnType::Decimal => {
            ColumnData::Decimals(wire::DecimalColumn { scale: shape.scale, coefficients: Vec::with_capacity(rows) })
        }
        wire::ColumnType::Date => ColumnData::Dates(Vec::with_capacity(rows)),
        wire::ColumnType::Text => {
            let mut offsets = Vec::with_capacity(rows + 1);
            offsets.push(0);
            ColumnData::Text(wire::TextColumn { offsets, content: String::with_capacity(text_bytes) })
        }
        wire::ColumnType::Boolean => ColumnData::Booleans(Vec::with_capacity(rows.div_ceil(8))),
    }
}
