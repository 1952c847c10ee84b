//! Finds where a CSV record and its values end. It looks at bytes only, and allocates nothing for a record.

/// One value of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) struct Cell {
    /// Its first byte within the record, its quotation mark left out.
    pub(in crate::format) start: u32,
    /// After its last byte.
    pub(in crate::format) end: u32,
    /// Whether doubled quotation marks in it stand for one.
    pub(super) doubled: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Found {
    /// A record of `length` bytes; the next one begins after `step` bytes and `lines` line ends.
    Record { length: usize, step: usize, lines: u64 },
    /// The bytes end within a record. `quoted` says that a quotation mark is open.
    Open { quoted: bool },
    /// Something follows a closing quotation mark that must not.
    Damaged,
}

/// Where the values of records are noted: used again for each.
pub(super) struct Cells {
    /// For the quick way: as many as the header has, and one more.
    room: Vec<Cell>,
    /// For the careful one.
    list: Vec<Cell>,
}

impl Cells {
    /// For records that should have so many values.
    pub(super) fn new(values: usize) -> Self {
        Self { room: vec![Cell { start: 0, end: 0, doubled: false }; values + 1], list: Vec::new() }
    }
}

/// Splits the record at the beginning of `bytes`. `complete` says that the file ends where they end.
#[inline(always)]
pub(super) fn scan<'c>(bytes: &[u8], delimiter: u8, complete: bool, cells: &'c mut Cells) -> (Found, &'c [Cell]) {
    match quick(bytes, delimiter, &mut cells.room) {
        Some((found, count)) => (found, &cells.room[..count]),
        None => (careful(bytes, delimiter, complete, &mut cells.list), &cells.list),
    }
}

/// The way of most records: no quotation mark, no more values than there is room for, and not among the last bytes in sight.
#[inline(always)]
fn quick(bytes: &[u8], delimiter: u8, cells: &mut [Cell]) -> Option<(Found, usize)> {
    let delimiters = LOW * u64::from(delimiter);
    let (mut start, mut count) = (0, 0);
    for (place, word) in bytes.chunks_exact(8).enumerate() {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        let ends = zeros(word ^ LINE_FEEDS);
        if zeros(word ^ QUOTES) != 0 {
            return None;
        }
        // Delimiters before the line's end.
        let mut hits = zeros(word ^ delimiters) & ends.wrapping_sub(1) & !ends;
        while hits != 0 {
            let stop = place * 8 + (hits.trailing_zeros() / 8) as usize;
            hits &= hits - 1;
            *cells.get_mut(count)? = Cell { start: start as u32, end: stop as u32, doubled: false };
            count += 1;
            start = stop + 1;
        }
        if ends != 0 {
            let stop = place * 8 + (ends.trailing_zeros() / 8) as usize;
            let end = if stop > start && bytes[stop - 1] == b'\r' { stop - 1 } else { stop };
            *cells.get_mut(count)? = Cell { start: start as u32, end: end as u32, doubled: false };
            return Some((Found::Record { length: end, step: stop + 1, lines: 1 }, count + 1));
        }
    }
    None
}

/// The way of all records.
pub(in crate::format) fn careful(bytes: &[u8], delimiter: u8, complete: bool, cells: &mut Vec<Cell>) -> Found {
    cells.clear();
    let mut marks = Marks::new(bytes, delimiter);
    let mut lines = 0;
    let mut start = 0;
    loop {
        let mut cell = Cell { start: place(start), end: 0, doubled: false };
        let mut quoted = false;
        if matches!(bytes.get(start), Some(b'"' | b' ')) {
            match quoted_cell(bytes, start, delimiter) {
                Quoted::Not => {}
                Quoted::Cell { cell: found, after, lines: within } => {
                    cell = found;
                    quoted = true;
                    lines += within;
                    marks.seek(after);
                }
                Quoted::Open => return Found::Open { quoted: true },
                Quoted::Damaged => return Found::Damaged,
            }
        }
        let stop = match marks.next() {
            Some(stop) => stop,
            None if complete => bytes.len(),
            None => return Found::Open { quoted: false },
        };
        let at_delimiter = bytes.get(stop) == Some(&delimiter);
        let end = if !at_delimiter && stop > start && bytes[stop - 1] == b'\r' { stop - 1 } else { stop };
        if !quoted {
            cell.end = place(end);
        }
        cells.push(cell);
        if !at_delimiter {
            let ended = usize::from(stop < bytes.len());
            return Found::Record { length: end, step: stop + ended, lines: lines + ended as u64 };
        }
        start = stop + 1;
    }
}

enum Quoted {
    /// The value has no quotation mark around it.
    Not,
    /// The value, and where its delimiter or line end stands.
    Cell {
        cell: Cell,
        after: usize,
        lines: u64,
    },
    Open,
    Damaged,
}

/// A value in quotation marks; spaces around them are passed over.
fn quoted_cell(bytes: &[u8], start: usize, delimiter: u8) -> Quoted {
    let Some(open) = bytes[start..].iter().position(|byte| *byte != b' ').map(|spaces| start + spaces) else { return Quoted::Not };
    if bytes[open] != b'"' {
        return Quoted::Not;
    }
    let mut cell = Cell { start: place(open + 1), end: 0, doubled: false };
    let mut from = open + 1;
    let close = loop {
        let Some(mark) = memchr::memchr(b'"', &bytes[from..]).map(|mark| from + mark) else { return Quoted::Open };
        if bytes.get(mark + 1) != Some(&b'"') {
            break mark;
        }
        cell.doubled = true;
        from = mark + 2;
    };
    cell.end = place(close);
    let mut after = close + 1;
    while bytes.get(after) == Some(&b' ') {
        after += 1;
    }
    match (bytes.get(after), bytes.get(after + 1)) {
        // Whether another mark follows cannot be seen yet; at the end of the file, nothing does.
        (None, _) => {}
        (Some(b'\n'), _) | (Some(b'\r'), Some(b'\n') | None) => {}
        (Some(byte), _) if *byte == delimiter => {}
        _ => return Quoted::Damaged,
    }
    let lines = memchr::memchr_iter(b'\n', &bytes[open..close]).count() as u64;
    Quoted::Cell { cell, after, lines }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("a view is far smaller than 4 GiB")
}

/// Goes from delimiter or line feed to the next, eight bytes at a step.
struct Marks<'b> {
    bytes: &'b [u8],
    delimiters: u64,
    /// Where the word in hand begins.
    base: usize,
    /// The high bit of each byte of the word that is a mark not yet answered.
    hits: u64,
}

const LOW: u64 = 0x0101_0101_0101_0101;
const REST: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const LINE_FEEDS: u64 = LOW * b'\n' as u64;
const QUOTES: u64 = LOW * b'"' as u64;

impl<'b> Marks<'b> {
    fn new(bytes: &'b [u8], delimiter: u8) -> Self {
        let mut marks = Self { bytes, delimiters: LOW * u64::from(delimiter), base: 0, hits: 0 };
        marks.hits = marks.load();
        marks
    }

    /// Goes on from a place.
    fn seek(&mut self, to: usize) {
        self.base = to;
        self.hits = self.load();
    }

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.hits == 0 {
            self.base += 8;
            if self.base >= self.bytes.len() {
                return None;
            }
            self.hits = self.load();
        }
        let place = self.base + (self.hits.trailing_zeros() / 8) as usize;
        self.hits &= self.hits - 1;
        Some(place)
    }

    #[inline]
    fn load(&self) -> u64 {
        let word = match self.bytes.get(self.base..self.base + 8) {
            Some(bytes) => u64::from_le_bytes(bytes.try_into().expect("eight bytes")),
            None => self.load_last(),
        };
        zeros(word ^ self.delimiters) | zeros(word ^ LINE_FEEDS)
    }

    /// The last, shorter word, filled up with what is no mark.
    #[cold]
    fn load_last(&self) -> u64 {
        let rest = &self.bytes[self.base.min(self.bytes.len())..];
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        u64::from_le_bytes(word)
    }
}

/// The high bit of each byte that is zero, exactly.
#[inline(always)]
const fn zeros(word: u64) -> u64 {
    !(((word & REST) + REST) | word | REST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str, complete: bool) -> (Found, Vec<String>) {
        let mut cells = Vec::new();
        let found = careful(text.as_bytes(), b',', complete, &mut cells);
        let texts = cells.iter().map(|cell| text[cell.start as usize..cell.end as usize].to_owned()).collect();
        (found, texts)
    }

    #[test]
    fn records() {
        for (text, expect, step, lines) in [
            ("a,b\nc", &["a", "b"][..], 4, 1),
            ("a,b\r\nc", &["a", "b"], 5, 1),
            ("a,,\n", &["a", "", ""], 4, 1),
            ("\n", &[""], 1, 1),
            ("\"a,b\",\"c\nd\"\ne", &["a,b", "c\nd"], 12, 2),
            ("\"a\"\"b\",c\r\n", &["a\"\"b", "c"], 10, 1),
            (" \"a\" , b\n", &["a", " b"], 9, 1),
            ("5\" pipe,Fred \"Bob\" Smith\n", &["5\" pipe", "Fred \"Bob\" Smith"], 25, 1),
            ("\"\"\n", &[""], 3, 1),
            ("0,1,2,3\r\nxxxxxxxx", &["0", "1", "2", "3"], 9, 1),
            ("0123456789,0123456789,0123456789\nx", &["0123456789", "0123456789", "0123456789"], 33, 1),
        ] {
            let (found, cells) = split(text, false);
            assert!(matches!(found, Found::Record { step: s, lines: l, .. } if s == step && l == lines), "{text:?}: {found:?}");
            assert_eq!(cells, expect, "{text:?}");
        }
    }

    #[test]
    fn open_and_damaged() {
        assert_eq!(split("a,b", false).0, Found::Open { quoted: false });
        assert_eq!(split("a,b", true).0, Found::Record { length: 3, step: 3, lines: 0 });
        assert_eq!(split("a,\"b", true).0, Found::Open { quoted: true });
        assert_eq!(split("a,\"b\"", false).0, Found::Open { quoted: false });
        assert_eq!(split("a,\"b\"", true), (Found::Record { length: 5, step: 5, lines: 0 }, vec!["a".into(), "b".into()]));
        assert_eq!(split("a,\"b\"\r", false).0, Found::Open { quoted: false });
        assert_eq!(split("a,\"b\"c\n", false).0, Found::Damaged);
        assert_eq!(split("a,\"b\n1,\"c\",2\n", false).0, Found::Damaged);
    }

    proptest! {
        #[test]
        fn both_ways_agree(text in "[ab,\"\r\n]{0,40}", complete in any::<bool>()) {
            let (mut first, mut second) = (Cells::new(6).room, Vec::new());
            if let Some((found, count)) = quick(text.as_bytes(), b',', &mut first) {
                prop_assert_eq!(careful(text.as_bytes(), b',', complete, &mut second), found);
                prop_assert_eq!(&first[..count], &second[..]);
            }
        }
    }
}
