//! A few rows as they are written: one number a cell, column after column.
//!
//! Money is its coefficient at its column's scale, a date its days, a truth value 0 or 1; a text says where it is to be found.
//! It does not know how rows come into it nor what becomes of the columns.

use std::fmt::{Display, Write as _};

/// Rows of a block: as many as a word has bits, and few enough for the nearest cache.
pub(super) const ROWS: usize = 64;

/// Columns whose absent values a row notes in one word.
const NEAR: usize = u64::BITS as usize;

/// The kinds of columns, as a [`Field::tag`] has them.
pub(super) const INTEGER: u64 = 0;
pub(super) const DECIMAL: u64 = 1 << 8;
pub(super) const DATE: u64 = 2 << 8;
pub(super) const TEXT: u64 = 3 << 8;
pub(super) const BOOLEAN: u64 = 4 << 8;

const SCALE_BITS: u64 = 0xff;
const KIND_BITS: u64 = 0xff00;

/// Where a text is, in the upper two bits of its cell: in the batch that is read, beside the block, in the cell itself.
const SOURCE: u64 = 0;
const ASIDE: u64 = 1 << 62;
const INLINE: u64 = 2 << 62;
const WHERE_BITS: u64 = 3 << 62;

/// Bytes that a cell itself can hold.
const INLINE_MAX: usize = 7;
const INLINE_LEN_SHIFT: u32 = 56;

/// Texts beyond this are no texts of a row.
const TEXT_END: usize = 1 << 30;

/// What a field of the struct is compared with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Field {
    /// Address of the field's name; 0 before there was one.
    pub(super) name: usize,
    /// Length of the name, kind and scale of the column, as [`tag`] puts them together.
    pub(super) tag: u64,
    /// Where the text lies that this column was found to be copied from.
    base: usize,
    len: usize,
    source: usize,
    searched: bool,
}

/// Length of a field's name, kind and scale in one number.
#[inline(always)]
pub(super) const fn tag(name: &str, kind_and_scale: u64) -> u64 {
    (name.len() as u64) << 16 | kind_and_scale
}

impl Field {
    pub(super) const fn scale(&self) -> u8 {
        (self.tag & SCALE_BITS) as u8
    }

    pub(super) const fn kind(&self) -> u64 {
        self.tag & KIND_BITS
    }

    pub(super) const fn kind_and_scale(&self) -> u64 {
        self.tag & (KIND_BITS | SCALE_BITS)
    }

    /// The cell of a text that is part of the text that this column was copied from before.
    #[inline(always)]
    pub(super) fn passed_on(&self, text: &str) -> Option<u64> {
        let start = (text.as_ptr() as usize).wrapping_sub(self.base);
        // A text that begins inside another one also ends inside it: one piece of memory holds one thing.
        (start < self.len && text.len() < TEXT_END).then_some(SOURCE | (text.len() as u64) << 32 | start as u64)
    }
}

/// The rows.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) fields: Vec<Field>,
    /// For each column a place for each row.
    pub(super) cells: Vec<i64>,
    pub(super) rest: Rest,
}

/// What a block has besides its cells.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) rows: usize,
    /// For each row, which of the first columns have no value.
    absent: [u64; ROWS],
    /// The row and column of other values that are absent.
    absent_beyond: Vec<(usize, usize)>,
    /// Texts that are neither short nor part of the batch that is read.
    aside: String,
}

impl Block {
    pub(super) fn new(columns: usize) -> Self {
        let rest = Rest { rows: 0, absent: [0; ROWS], absent_beyond: Vec::new(), aside: String::new() };
        Self { fields: vec![Field::default(); columns], cells: Vec::new(), rest }
    }

    #[inline(always)]
    pub(super) const fn is_full(&self) -> bool {
        self.rest.rows == ROWS
    }

    /// Makes room for cells; that this is done late keeps outputs small that nothing is written to.
    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&mut self) {
        self.cells.resize(ROWS * self.fields.len(), 0);
    }

    pub(super) fn clear(&mut self) {
        self.rest.rows = 0;
        self.rest.absent_beyond.clear();
        self.rest.aside.clear();
    }

    /// The texts that columns were copied from are gone.
    pub(super) fn forget_sources(&mut self) {
        for field in &mut self.fields {
            (field.base, field.len, field.searched) = (0, 0, false);
        }
    }

    /// The columns, in the order of the fields.
    pub(super) fn columns<'b>(&'b self, sources: &'b [&'b str]) -> impl Iterator<Item = BlockColumn<'b>> {
        let rows = self.rest.rows;
        let ever_absent = self.rest.absent[..rows].iter().fold(0, |all, row| all | row);
        self.fields.iter().enumerate().map(move |(at, field)| {
            let absent = match at {
                0..NEAR if ever_absent >> at & 1 == 0 => 0,
                0..NEAR => (0..).zip(&self.rest.absent[..rows]).fold(0, |absent, (row, columns)| absent | (columns >> at & 1) << row),
                _ => {
                    let of_column = self.rest.absent_beyond.iter().filter(|(_, column)| *column == at);
                    of_column.fold(0, |absent, (row, _)| absent | 1 << row)
                }
            };
            let source = sources.get(field.source).copied().unwrap_or("");
            BlockColumn { cells: &self.cells[at * ROWS..][..rows], absent, texts: Texts { source, aside: &self.rest.aside } }
        })
    }
}

impl Rest {
    /// The row that is being written is whole.
    #[inline(always)]
    pub(super) fn end_row(&mut self, absent: u64) {
        if let Some(row) = self.absent.get_mut(self.rows) {
            *row = absent;
            self.rows += 1;
        }
    }

    /// Notes a column as absent in `absent`, or beyond it.
    #[inline(always)]
    pub(super) fn note_absent(&mut self, absent: &mut u64, at: usize) {
        if at < NEAR { *absent |= 1 << at } else { self.note_absent_beyond(at) }
    }

    #[cold]
    #[inline(never)]
    fn note_absent_beyond(&mut self, at: usize) {
        self.absent_beyond.push((self.rows, at));
    }

    /// The row that is being written is not written after all.
    #[cold]
    #[inline(never)]
    pub(super) fn forget_row(&mut self) {
        let rows = self.rows;
        self.absent_beyond.retain(|(row, _)| *row != rows);
    }

    /// The cell of a text, wherever it is from; none if it is far too long.
    pub(super) fn text(&mut self, field: &mut Field, text: &str, sources: &[&str]) -> Option<u64> {
        let cell = short(text);
        if cell != 0 {
            return Some(cell);
        }
        if !field.searched {
            // Once for each batch: a column is mostly copied from one column, or from none.
            field.searched = true;
            let within = |source: &&str| (text.as_ptr() as usize).wrapping_sub(source.as_ptr() as usize) < source.len();
            if let Some(source) = sources.iter().position(within)
                && u32::try_from(sources[source].len()).is_ok()
            {
                (field.source, field.base, field.len) = (source, sources[source].as_ptr() as usize, sources[source].len());
                return field.passed_on(text);
            }
        }
        let start = self.aside.len();
        self.aside.push_str(text);
        self.aside_from(start)
    }

    /// As [`text`](Rest::text), of something that is displayed; and what is displayed.
    pub(super) fn display(&mut self, value: &dyn Display) -> Option<(u64, &str)> {
        let start = self.aside.len();
        write!(self.aside, "{value}").ok()?;
        Some((self.aside_from(start)?, &self.aside[start..]))
    }

    fn aside_from(&self, start: usize) -> Option<u64> {
        let len = self.aside.len() - start;
        (start < TEXT_END && len < TEXT_END).then_some(ASIDE | (len as u64) << 32 | start as u64)
    }
}

/// The cell of a text that it can hold; 0, which no such cell is, of a longer one.
/// The bytes are read in few overlapping pieces, which is faster than one by one.
#[inline(never)]
pub(super) fn short(text: &str) -> u64 {
    let (bytes, len) = (text.as_bytes(), text.len());
    let bytes = match (len, bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (0, ..) => 0,
        (1..4, ..) => u64::from(bytes[0]) | u64::from(bytes[len / 2]) << (len / 2 * 8) | u64::from(bytes[len - 1]) << ((len - 1) * 8),
        (4..=INLINE_MAX, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << ((len - 4) * 8)
        }
        _ => return 0,
    };
    INLINE | (len as u64) << INLINE_LEN_SHIFT | bytes
}

/// One column of a block.
pub(super) struct BlockColumn<'b> {
    /// The cells, from the first row on; 0 where there is no value.
    pub(super) cells: &'b [i64],
    /// The rows that have no value, a bit each.
    pub(super) absent: u64,
    texts: Texts<'b>,
}

/// What the cells of texts are about.
struct Texts<'b> {
    source: &'b str,
    aside: &'b str,
}

impl<'b> BlockColumn<'b> {
    /// What all texts have in common.
    pub(super) fn texts(&self) -> Alike<'b> {
        let first = self.cells.first().map_or(0, |cell| *cell as u64);
        let (mut places, mut gaps, mut end) = (0, 0, first as u32);
        for cell in self.cells.iter().map(|cell| *cell as u64) {
            places |= cell ^ INLINE;
            gaps |= cell as u32 ^ end | (cell >> 62) as u32;
            end = end.wrapping_add((cell >> 32) as u32);
        }
        if gaps == 0 && self.absent == 0 {
            Alike::Passed(&self.texts.source[first as u32 as usize..end as usize])
        } else if places & WHERE_BITS == 0 && self.absent == 0 {
            Alike::Short
        } else {
            Alike::Nothing
        }
    }

    /// The text of a cell.
    pub(super) fn text<'c>(&'c self, cell: &'c [u8; 8]) -> &'c str {
        let number = u64::from_le_bytes(*cell);
        let (start, len) = (number as u32 as usize, length(number as i64));
        match number & WHERE_BITS {
            SOURCE => &self.texts.source[start..start + len],
            ASIDE => &self.texts.aside[start..start + len],
            _ => std::str::from_utf8(&cell[..short_length(number as i64)]).expect("they are the bytes of a whole text"),
        }
    }
}

/// What the texts of a column of a block have in common.
pub(super) enum Alike<'b> {
    /// They follow each other in the batch that is read.
    Passed(&'b str),
    /// All are short.
    Short,
    /// Nothing that would help.
    Nothing,
}

/// The length of a text that is not in its cell.
#[inline(always)]
pub(super) const fn length(cell: i64) -> usize {
    (cell >> 32) as usize & (TEXT_END - 1)
}

/// The length of a text that is in its cell.
#[inline(always)]
pub(super) const fn short_length(cell: i64) -> usize {
    (cell >> INLINE_LEN_SHIFT) as usize & INLINE_MAX
}
