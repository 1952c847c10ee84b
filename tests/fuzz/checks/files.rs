//! Files from providers: every record is a row or a reject, and what was read can be written and read again.

use std::io::{Cursor, Read};

use bailiwick::format::{Decoded, Decoder, Encoder, FormatError, Locator, row_as_json};
use bailiwick::model::job::{Align, CsvFormat, DateStyle, Encoding, FixedField, FixedWidthFormat, Format, JsonLinesFormat, LineEnd};
use bailiwick::model::limits::{BATCH_ROWS, REJECT_RAW_BYTES_MAX};
use bailiwick::model::rows::{Batch, ColumnKind, ColumnShape, PortShape};

/// Headings of the columns, for inputs that would rather begin with the first record.
const HEADER: &[u8] = b"t,m,d,i,j,b\n";

/// Longest sentence about a record: a reason that repeats what the record holds must cut it.
const MESSAGE_BYTES_MAX: usize = 1_000;

/// The first byte chooses the options, the second the size in which bytes arrive; the rest is the file.
pub fn csv(input: &[u8]) {
    let [options, size, file @ ..] = input else { return };
    let delimiter = if options & 4 == 0 { b',' } else { b';' };
    let format = Format::Csv(CsvFormat {
        encoding: encoding(*options),
        delimiter,
        dates: dates(*options),
        headings: Vec::new(),
        other_columns_ignored: options & 8 != 0,
    });
    let header: Vec<u8> = HEADER.iter().map(|byte| if *byte == b',' { delimiter } else { *byte }).collect();
    let start = if options & 0x40 == 0 { &header[..] } else { b"" };
    let file = [start, file].concat();
    check(&Checked { format: &format, port: &port(options & 0x80 != 0), file: &file, size: *size, lines: Lines::Joined });
}

/// As [`csv`].
pub fn json_lines(input: &[u8]) {
    let [options, size, file @ ..] = input else { return };
    let format = Format::JsonLines(JsonLinesFormat { dates: dates(*options) });
    check(&Checked { format: &format, port: &port(options & 0x80 != 0), file, size: *size, lines: Lines::Blank });
}

/// As [`csv`]. Half of the layouts have text at the end of the line, where lost spaces are.
pub fn fixed_width(input: &[u8]) {
    let [options, size, file @ ..] = input else { return };
    let format = Format::FixedWidth(layout(*options));
    check(&Checked { format: &format, port: &port(options & 0x80 != 0), file, size: *size, lines: Lines::Plain });
}

fn encoding(options: u8) -> Encoding {
    if options & 1 == 0 { Encoding::Utf8 } else { Encoding::Windows1252 }
}

fn dates(options: u8) -> DateStyle {
    [DateStyle::Iso, DateStyle::DayMonthYear, DateStyle::Compact, DateStyle::Iso][usize::from(options >> 4 & 3)]
}

fn port(required: bool) -> PortShape {
    let columns = [
        ("t", ColumnKind::Text),
        ("m", ColumnKind::Money { scale: 2 }),
        ("d", ColumnKind::Decimal { scale: 18 }),
        ("i", ColumnKind::Integer),
        ("j", ColumnKind::Date),
        ("b", ColumnKind::Boolean),
    ];
    let shape = |(name, kind): (&str, ColumnKind)| ColumnShape {
        name: name.to_owned(),
        kind,
        required,
        personal: false,
        length_max: (kind == ColumnKind::Text).then_some(12),
        about: String::new(),
    };
    let columns = columns.into_iter().map(shape).collect();
    PortShape { name: "lines".to_owned(), about: String::new(), optional: false, columns, unique: Vec::new(), aggregate_by: None }
}

fn layout(options: u8) -> FixedWidthFormat {
    let numbers = if options & 4 == 0 { '0' } else { ' ' };
    let text = if options & 8 == 0 { ' ' } else { '*' };
    let widths = [
        ("m", 7, Align::Right, numbers),
        ("d", 5, Align::Right, ' '),
        ("i", 4, Align::Right, numbers),
        ("j", 10, Align::Left, ' '),
        ("b", 5, Align::Left, ' '),
        ("t", 6, Align::Left, text),
    ];
    let mut start = 1;
    let fields = widths.map(|(column, width, align, fill)| {
        let point_implied = column == "m" && options & 2 != 0;
        let field = FixedField { column: column.to_owned(), start, width, align, fill, point_implied };
        start += width;
        field
    });
    let line_end = if options & 0x40 == 0 { LineEnd::Lf } else { LineEnd::CrLf };
    FixedWidthFormat { encoding: encoding(options), dates: dates(options), fields: fields.to_vec(), line_end }
}

/// How records and lines go together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// A record is a line, and a line without a byte is none.
    Plain,
    /// A record is a line, and a line of spaces is none.
    Blank,
    /// A record may have line ends in quotation marks.
    Joined,
}

struct Checked<'a> {
    format: &'a Format,
    port: &'a PortShape,
    file: &'a [u8],
    size: u8,
    lines: Lines,
}

fn check(checked: &Checked<'_>) {
    let at_once = read(checked, checked.file);
    let in_parts = read(checked, Parts { bytes: checked.file, size: usize::from(checked.size) + 1 });
    let (pages, locator) = match (at_once, in_parts) {
        (Ok(whole), Ok((parts, _))) => {
            assert_eq!(format!("{:?}", whole.0), format!("{parts:?}"), "it matters how the bytes arrive");
            whole
        }
        (Err(whole), Err(parts)) => return assert_eq!(refused(&whole), refused(&parts), "it matters how the bytes arrive"),
        (whole, parts) => panic!("it matters how the bytes arrive: {:?} and {:?}", whole.err(), parts.err()),
    };
    all_is_accounted_for(checked, &pages);
    rows_are_found_again(checked, &pages, &locator);
    for page in &pages {
        what_is_written_is_read(checked, checked.format, &page.batch);
        what_is_written_is_read(checked, &Format::JsonLines(JsonLinesFormat { dates: DateStyle::Iso }), &page.batch);
    }
}

/// A file may be refused for what stands in it; these formats fit the port, and reading memory does not fail.
fn refused(error: &FormatError) -> String {
    let FormatError::File(refused) = error else { panic!("{error:?}") };
    assert!(!refused.message.is_empty() && refused.message.len() <= MESSAGE_BYTES_MAX, "{} bytes of message", refused.message.len());
    format!("{refused:?}")
}

type Pages = (Vec<Decoded>, Locator);

fn read(checked: &Checked<'_>, source: impl Read + Send) -> Result<Pages, FormatError> {
    let mut decoder = Decoder::open(checked.format, checked.port, source)?;
    let (mut pages, mut rows) = (Vec::new(), 0);
    while let Some(page) = decoder.next_batch()? {
        assert_eq!(page.batch.check(&checked.port.columns), Ok(()));
        assert_eq!((page.batch.first_row, page.places.len()), (rows, page.batch.rows));
        assert!(page.batch.rows <= BATCH_ROWS);
        rows += page.batch.rows as u64;
        pages.push(page);
    }
    assert_eq!(decoder.rows(), rows);
    Ok((pages, decoder.locator()))
}

/// Rows and rejects together are the whole file but for what is between records.
fn all_is_accounted_for(checked: &Checked<'_>, pages: &[Decoded]) {
    let file = checked.file;
    let rows = pages.iter().flat_map(|page| &page.places).map(|place| (place.byte_offset, place.byte_length, place.line));
    let rejects = pages.iter().flat_map(|page| &page.rejects);
    for reject in rejects.clone() {
        assert!(!reject.reasons.is_empty());
        assert!(reject.reasons.iter().all(|reason| reason.message.len() <= MESSAGE_BYTES_MAX), "a long message: {:?}", reject.reasons);
        let at = usize::try_from(reject.byte_offset).expect("within the file");
        let length = usize::try_from(reject.byte_length).expect("within the file").min(REJECT_RAW_BYTES_MAX);
        assert_eq!(reject.raw, &file[at..at + length], "a reject shows other bytes than it was read from");
    }
    let mut spans: Vec<_> = rows.chain(rejects.map(|reject| (reject.byte_offset, reject.byte_length, reject.line))).collect();
    spans.sort_unstable();
    let mut at = spans.first().map_or(0, |(offset, ..)| *offset);
    for (offset, length, line) in &spans {
        assert!(*offset >= at, "two records share bytes at {offset}");
        is_between_records(checked, at, *offset);
        let before = &file[..usize::try_from(*offset).expect("within the file")];
        assert_eq!(*line, 1 + count(before, b'\n'), "the line of the record at byte {offset}");
        at = offset + length;
    }
    if !spans.is_empty() {
        is_between_records(checked, at, file.len() as u64);
    }
    if checked.lines != Lines::Joined {
        let mut lines = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        lines = lines.strip_suffix(b"\x1a").unwrap_or(lines);
        let ends = |line: &&[u8]| match line.strip_suffix(b"\r").unwrap_or(line) {
            line if checked.lines == Lines::Blank => !String::from_utf8_lossy(line).trim().is_empty(),
            line => !line.is_empty(),
        };
        assert_eq!(spans.len(), lines.split(|byte| *byte == b'\n').filter(ends).count(), "records and lines");
    }
}

fn is_between_records(checked: &Checked<'_>, from: u64, to: u64) {
    let [from, to] = [from, to].map(|at| usize::try_from(at).expect("within the file"));
    let between = String::from_utf8_lossy(&checked.file[from..to]);
    let blank = |text: &str| match checked.lines {
        Lines::Blank => text.trim().is_empty(),
        Lines::Plain | Lines::Joined => text.bytes().all(|byte| matches!(byte, b'\r' | b'\n')),
    };
    let mark_of_end = to == checked.file.len();
    let kept = if mark_of_end { between.strip_suffix('\u{1a}').unwrap_or(&between) } else { &between };
    assert!(blank(kept), "no record has {between:?} at byte {from}");
}

fn count(bytes: &[u8], wanted: u8) -> u64 {
    bytes.iter().filter(|byte| **byte == wanted).count() as u64
}

fn rows_are_found_again(checked: &Checked<'_>, pages: &[Decoded], locator: &Locator) {
    let mut rows = pages.iter().flat_map(|page| page.places.iter().enumerate().map(move |(within, place)| (page, within, place)));
    let all: Vec<u64> = (0..pages.iter().map(|page| page.batch.rows as u64).sum()).collect();
    let each = |found: bailiwick::format::Located| {
        let (page, within, place) = rows.next().expect("no more rows are found than were read");
        assert_eq!(found.place, *place);
        assert_eq!(found.row, page.batch.first_row + within as u64);
        assert_eq!(found.decoded, row_as_json(&checked.port.columns, &page.batch, within));
        assert!(serde_json::from_str::<serde_json::Value>(&found.decoded).is_ok_and(|row| row.is_object()));
    };
    locator.locate_each(&all, &mut Cursor::new(checked.file), each).expect("the same file is read the same");
    assert!(rows.next().is_none(), "a row was not found again");
}

/// Rows that were read fit the file that they came from and JSON lines; what is written of them reads back as they are.
fn what_is_written_is_read(checked: &Checked<'_>, format: &Format, batch: &Batch) {
    if batch.rows == 0 {
        return;
    }
    let bytes = match encode(format, checked.port, batch) {
        Ok(bytes) => bytes,
        // `5` fits a field in which `5.00` does not, and `-* ` says that its star is no filling.
        Err(FormatError::Value { code: "value-too-wide" | "value-like-filling", .. }) if matches!(format, Format::FixedWidth(_)) => return,
        Err(error) => panic!("what was read cannot be written: {error}"),
    };
    let again = Checked { format, file: &bytes, ..*checked };
    let (pages, _) = read(&again, &bytes[..]).unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&bytes)));
    let rejects: Vec<_> = pages.iter().flat_map(|page| &page.rejects).collect();
    assert!(rejects.is_empty(), "{rejects:?} in {:?}", String::from_utf8_lossy(&bytes));
    let [page] = &pages[..] else { panic!("{} pages from one", pages.len()) };
    assert_eq!(page.batch.columns, batch.columns, "{:?}", String::from_utf8_lossy(&bytes));
    assert_eq!(encode(format, checked.port, &page.batch).expect("it was written before"), bytes);
}

fn encode(format: &Format, port: &PortShape, batch: &Batch) -> Result<Vec<u8>, FormatError> {
    let mut encoder = Encoder::open(format, port, Vec::new())?;
    encoder.write(batch)?;
    let (bytes, written) = encoder.finish()?;
    assert_eq!((written.rows, written.bytes), (batch.rows as u64, bytes.len() as u64));
    Ok(bytes)
}

/// Hands out a few bytes at a time.
struct Parts<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Parts<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.size.min(into.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(size);
        into[..size].copy_from_slice(now);
        self.bytes = later;
        Ok(size)
    }
}
