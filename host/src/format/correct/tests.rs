//! Rejected records out and corrected ones in: what is not changed comes back byte for byte, what cannot be taken is named by its line.

use proptest::prelude::*;

use super::*;
use crate::model::job::{Align, CsvFormat, DateStyle, Encoding, FixedField, FixedWidthFormat, JsonLinesFormat, LineEnd};

fn csv(encoding: Encoding, delimiter: u8) -> Format {
    Format::Csv(CsvFormat { encoding, delimiter, dates: DateStyle::Iso, headings: Vec::new(), other_columns_ignored: true })
}

/// What was read of a file.
#[derive(Debug)]
struct Back {
    content: Vec<u8>,
    rows: Vec<(u64, u64)>,
}

/// Gives its bytes a few at a time.
struct Pieces<'b>(&'b [u8]);

impl Read for Pieces<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = self.0.len().min(to.len()).min(1 + self.0.len() % 70_000);
        to[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

fn read_back(format: &Format, bytes: &[u8]) -> Result<Back, CorrectionError> {
    let mut content = Vec::new();
    read_corrected(format, Pieces(bytes), &mut content, 100_000).map(|corrected| Back { content, rows: corrected.rows })
}

fn exported(format: &Format, input: &[u8], records: &[(u64, &str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut records = records.iter().map(|(number, reason, raw)| Ok((*number, (*reason).to_owned(), raw.to_vec())));
    write_rejected(format, input, &mut records, &mut out).expect("memory does not fail");
    out
}

#[test]
fn a_csv_file_goes_out_and_comes_back() {
    let format = csv(Encoding::Windows1252, b',');
    let input = b"\n\"Pay, gross\",Name\r\n1,Ann\r\nx,\"Bob\nB\"\r\n";
    let out = exported(&format, input, &[(2, "pay: “x” is no amount, ✓", b"x,\"Bob\nB\""), (7, "a\nb", b"y,\xe9")]);
    let expect = b"reject,reason,\"Pay, gross\",Name\n2,\"pay: \x93x\x94 is no amount, ?\",x,\"Bob\nB\"\n7,\"a b\",y,\xe9\n";
    assert_eq!(out, expect, "{}", String::from_utf8_lossy(&out));
    let back = read_back(&format, &out).expect("it is as it was written");
    assert_eq!(back.content, b"\"Pay, gross\",Name\nx,\"Bob\nB\"\ny,\xe9\n");
    assert_eq!(back.rows, [(2, 18), (7, 28)]);

    // As spreadsheets save it: other line ends, quotation marks where none are needed, rows of nothing.
    let saved = b"\"Reject\",REASON ,Pay,Name\r\n 2 ,,5,\"Bob\"\r\n,,,\r\n\r\n\"7\",\"a,b\",,\r\n";
    let back = read_back(&format, saved).expect("it can be read");
    assert_eq!((back.content.as_slice(), &back.rows[..]), (&b"Pay,Name\n5,\"Bob\"\n,\n"[..], &[(2, 9), (7, 17)][..]));
}

#[test]
fn what_cannot_be_taken_is_named_by_its_line() {
    let format = csv(Encoding::Windows1252, b',');
    for (bytes, word) in [
        (&b"Pay,Name\n5,Bob\n"[..], "first two headings"),
        (b"reject;reason;Pay\n1;x;5\n", "with “,” between"),
        (b"\xef\xbb\xbfreject,reason,Pay\n1,x,5\n", "saved as UTF-8"),
        (b"reject,reason,Pay\n1,x,5\n\n,,6\n", "line 4: its first value is not the number"),
        (b"reject,reason,Pay\n1,\"x,5\n", "line 2: its quotation marks"),
        (b"reject,reason,Pay\n1,x\n", "line 2: nothing stands behind"),
        (b"reject,reason,Pay\n\n", "no rows"),
        (b"", "no rows"),
    ] {
        let error = read_back(&format, bytes).expect_err("it cannot be taken").to_string();
        assert!(error.contains(word), "{error} lacks {word}");
    }
    let lines = Format::JsonLines(JsonLinesFormat { dates: DateStyle::Iso });
    for (bytes, word) in
        [(&b"{\"a\":1}\n"[..], "line 1: it does not begin"), (b"1\tx\t{}\n2\tx\n", "line 2: nothing stands"), (b"\n", "no rows")]
    {
        let error = read_back(&lines, bytes).expect_err("it cannot be taken").to_string();
        assert!(error.contains(word), "{error} lacks {word}");
    }
}

#[test]
fn formats_of_one_record_a_line() {
    let fixed = FixedWidthFormat { encoding: Encoding::Utf8, dates: DateStyle::Iso, fields: Vec::new(), line_end: LineEnd::CrLf };
    for (format, end) in [(Format::JsonLines(JsonLinesFormat { dates: DateStyle::Iso }), "\n"), (Format::FixedWidth(fixed), "\r\n")] {
        let out = exported(&format, b"", &[(1, "no\tnumber", b"a\tb "), (12, "late", b"c")]);
        assert_eq!(out, format!("1\tno number\ta\tb {end}12\tlate\tc{end}").as_bytes());
        let back = read_back(&format, &out).expect("it is as it was written");
        assert_eq!(back.content, format!("a\tb {end}c{end}").as_bytes());
        assert_eq!(back.rows, [(1, 0), (12, 4 + end.len() as u64)]);
    }
}

#[test]
fn a_record_is_found_again_where_it_begins() {
    let format = csv(Encoding::Utf8, b';');
    assert_eq!(record_of(&format, b"a;\"b\n\";c\r\nd"), b"a;\"b\n\";c");
    assert_eq!(record_of(&format, b"a;\"b\"c\r\nd"), b"a;\"b\"c", "one with damaged marks is its line");
    assert_eq!(record_of(&format, b"a;\"b"), b"a;\"b");
}

proptest! {
    #[test]
    fn whatever_was_rejected_comes_back_byte_for_byte(cells in proptest::collection::vec(("[ab,;\" \n]{0,6}", "[x\"\n,]{0,4}"), 1..6)) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let rows: Vec<String> = cells.iter().map(|(one, other)| format!("{},{}", quoted(one), quoted(other))).collect();
        let format = csv(Encoding::Utf8, b',');
        let records: Vec<(u64, &str, &[u8])> = (1..).zip(&rows).map(|(number, row)| (number, "why, \"so\"", row.as_bytes())).collect();
        let back = read_back(&format, &exported(&format, b"a,b\n", &records)).expect("it is as it was written");
        prop_assert_eq!(String::from_utf8(back.content.clone()).expect("text"), format!("a,b\n{}\n", rows.join("\n")));
        for ((number, offset), row) in back.rows.iter().zip(&rows) {
            prop_assert_eq!(record_of(&format, &back.content[usize::try_from(*offset).expect("small")..]), row.as_bytes(), "{}", number);
        }
    }
}

#[test]
fn values_go_out_and_come_back_in_every_format() {
    let fixed = Format::FixedWidth(FixedWidthFormat {
        encoding: Encoding::Windows1252,
        dates: DateStyle::Iso,
        fields: [("ni_number", 1, 9, Align::Left, ' '), ("pence", 10, 6, Align::Right, '0')]
            .map(|(column, start, width, align, fill)| FixedField {
                column: column.to_owned(),
                start,
                width,
                align,
                fill,
                point_implied: true,
            })
            .to_vec(),
        line_end: LineEnd::Lf,
    });
    let json = Format::JsonLines(JsonLinesFormat { dates: DateStyle::Iso });
    let windows = csv(Encoding::Windows1252, b';');
    for (format, input, raw, cells, taken) in [
        (
            &windows,
            &b"Pay;Name\n"[..],
            &b"x;\"Chlo\xe9 \"\"C\"\"\"\n"[..],
            [("Pay", "x"), ("Name", "Chloé \"C\"")],
            &b"\"5\";\"Chlo\xe9 \"\"C\"\"\"\n"[..],
        ),
        (&fixed, b"", b"QQ12     000100", [("ni_number", "QQ12"), ("pence", "100")], b"5        000100\n"),
        (&json, b"", br#"{"a": 1, "b": "two"}"#, [("a", "1"), ("b", "two")], b"{\"a\":\"5\",\"b\":\"two\"}\n"),
    ] {
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        let out = exported(format, input, &[(7, "it is wrong", raw)]);
        let mut records = cells_of(format, &out).expect("it is as it was written");
        let expect = cells.map(|(heading, value)| (heading.to_owned(), value.to_owned())).to_vec();
        assert_eq!(records, [RecordCells { number: 7, cells: expect }]);
        records[0].cells[0].1 = "5".to_owned();
        let back = with_cells(format, &records).and_then(|written| read_back(format, &written)).expect("it can be read");
        let header = back.content.len() - taken.len();
        assert_eq!((&back.content[header..], back.rows[0]), (taken, (7, header as u64)), "{}", String::from_utf8_lossy(&back.content));
    }
    // What cannot stand in the file is told, not cut off.
    let long = RecordCells { number: 1, cells: vec![("ni_number".to_owned(), "0123456789".to_owned())] };
    assert!(matches!(with_cells(&fixed, &[long]), Err(CorrectionError::Line { line: 1, .. })));
    let foreign = RecordCells { number: 1, cells: vec![("Name".to_owned(), "✓".to_owned())] };
    assert!(matches!(with_cells(&windows, &[foreign]), Err(CorrectionError::Line { line: 2, .. })));
}

#[test]
fn a_file_of_any_length_comes_back_by_its_rows() {
    let (csv, json) = (csv(Encoding::Utf8, b','), Format::JsonLines(JsonLinesFormat { dates: DateStyle::Iso }));
    // Longer than what is held at one time, with a record that is nearly as long as one may be.
    let long = "n".repeat(RECORD_BYTES_MAX - 100);
    let records: Vec<String> =
        (0..60_000).map(|row| if row == 30_000 { format!("\"{long}\",2") } else { format!("\"a\n{row}\",2") }).collect();
    let numbered = || (1..).zip(&records);
    let file = numbered().fold("reject,reason,Pay,Name\n".to_owned(), |file, (number, record)| file + &format!("{number},why,{record}\n"));
    let came = read_back(&csv, file.as_bytes()).expect("it can be read");
    assert_eq!(came.content, format!("Pay,Name\n{}\n", records.join("\n")).into_bytes());
    assert_eq!(came.rows.len(), records.len());
    for (place, (number, offset)) in came.rows.iter().enumerate() {
        let from = &came.content[usize::try_from(*offset).expect("small")..];
        assert!(*number == place as u64 + 1 && from.starts_with(records[place].as_bytes()), "{number}");
    }
    // What is never closed is named where it begins, and is not held whole.
    let open = format!("reject,reason,Pay,Name\n1,why,a,b\n2,why,\"{long}{long}\n");
    assert!(matches!(read_back(&csv, open.as_bytes()), Err(CorrectionError::Line { line: 3, .. })));
    assert!(matches!(read_back(&json, format!("1\ta\t{{}}\n2\ta\t{long}{long}\n").as_bytes()), Err(CorrectionError::Line { line: 2, .. })));
    // More rows than were rejected are not counted to their end.
    let (mut out, rows) = (Vec::new(), numbered().fold(String::new(), |file, (number, _)| file + &format!("{number}\t\t{{}}\n")));
    let error = read_corrected(&json, Pieces(rows.as_bytes()), &mut out, 30).expect_err("there are more");
    assert!(matches!(error, CorrectionError::Line { line: 31, .. }), "{error}");
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    assert!(matches!(read_corrected(&json, Broken, &mut out, 30), Err(CorrectionError::Disk(_))));
}
