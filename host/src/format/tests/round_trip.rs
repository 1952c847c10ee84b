//! What is written reads back; whatever is read is accounted for; and it does not matter how the bytes arrive.

use proptest::prelude::*;

use super::super::{Encoder, Written};
use super::*;
use crate::model::rows::{BatchBuilder, ColumnBuilder, days_of_date};

fn all_kinds(required: bool) -> PortShape {
    port(vec![
        shape("t", ColumnKind::Text, required),
        shape("m", ColumnKind::Money { scale: 2 }, required),
        shape("d", ColumnKind::Decimal { scale: 18 }, required),
        shape("i", ColumnKind::Integer, required),
        shape("j", ColumnKind::Date, required),
        shape("b", ColumnKind::Boolean, required),
    ])
}

type Row = (Option<String>, Option<i64>, Option<i64>, Option<i64>, Option<i32>, Option<bool>);

fn rows(text: &'static str) -> impl Strategy<Value = Vec<Row>> {
    let (first, last) = (days_of_date(jiff::civil::date(1, 1, 1)), days_of_date(jiff::civil::date(9999, 12, 31)));
    let number = || prop_oneof![any::<i64>(), -1_000_i64..1_000];
    let text = text.prop_map(|text: String| text.trim().to_owned()).prop_filter("empty is absent", |text| !text.is_empty());
    let row = (
        prop::option::of(text),
        prop::option::of(number()),
        prop::option::of(number()),
        prop::option::of(number()),
        prop::option::of(first..=last),
        prop::option::of(any::<bool>()),
    );
    prop::collection::vec(row, 1..40)
}

fn put<T>(column: &mut ColumnBuilder, value: Option<T>, push: impl Fn(&mut ColumnBuilder, T)) {
    match value {
        Some(value) => push(column, value),
        None => column.push_absent(),
    }
}

fn batch(port: &PortShape, rows: &[Row]) -> Batch {
    let mut builder = BatchBuilder::new(&port.columns);
    for (t, m, d, i, j, b) in rows {
        let [ct, cm, cd, ci, cj, cb] = &mut builder.columns[..] else { unreachable!() };
        put(ct, t.as_deref(), ColumnBuilder::push_text);
        put(cm, *m, ColumnBuilder::push_number);
        put(cd, *d, ColumnBuilder::push_number);
        put(ci, *i, ColumnBuilder::push_number);
        put(cj, *j, ColumnBuilder::push_date);
        put(cb, *b, ColumnBuilder::push_boolean);
        builder.end_row();
    }
    builder.take(0)
}

fn encode(format: &Format, port: &PortShape, batch: &Batch) -> Result<Vec<u8>, FormatError> {
    let mut encoder = Encoder::open(format, port, Vec::new())?;
    encoder.write(batch)?;
    let (bytes, written) = encoder.finish()?;
    assert_eq!(written, Written { rows: batch.rows as u64, bytes: bytes.len() as u64 });
    Ok(bytes)
}

fn comes_back(format: &Format, port: &PortShape, batch: &Batch) {
    let bytes = encode(format, port, batch).unwrap();
    let whole = read_all(format, port, &bytes[..]).unwrap();
    assert_eq!(whole.rejects, [], "{:?}", String::from_utf8_lossy(&bytes));
    assert_eq!(whole.batches.len(), 1);
    assert_eq!(&whole.batches[0].batch, batch, "{:?}", String::from_utf8_lossy(&bytes));
}

fn dates() -> impl Strategy<Value = DateStyle> {
    prop_oneof![Just(DateStyle::Iso), Just(DateStyle::DayMonthYear), Just(DateStyle::Compact)]
}

fn fixed_for_all(encoding: Encoding, dates: DateStyle, point_implied: bool, line_end: LineEnd) -> Format {
    let mut format = fixed(&[
        ("t", 30, Align::Left, '*'),
        ("m", 22, Align::Right, '0'),
        ("d", 22, Align::Right, ' '),
        ("i", 20, Align::Right, '0'),
        ("j", 10, Align::Left, ' '),
        ("b", 1, Align::Left, ' '),
    ]);
    format.fields[3].start += 5;
    format.fields[4].start += 6;
    format.fields[5].start += 6;
    format.fields.swap(0, 5);
    format
        .fields
        .iter_mut()
        .filter(|field| matches!(field.column.as_str(), "m" | "d"))
        .for_each(|field| field.point_implied = point_implied);
    Format::FixedWidth(FixedWidthFormat { encoding, dates, line_end, ..format })
}

proptest! {
    #[test]
    fn csv_comes_back(rows in rows("[ -~£é’👮\n\t\",;]{1,12}"), dates in dates(), delimiter in prop::sample::select(&b",;\t|"[..])) {
        let port = all_kinds(false);
        comes_back(&Format::Csv(CsvFormat { dates, delimiter, ..csv() }), &port, &batch(&port, &rows));
    }

    #[test]
    fn csv_in_windows_1252_comes_back(rows in rows("[ -~£é’€\n\"]{1,12}")) {
        let port = all_kinds(false);
        comes_back(&Format::Csv(CsvFormat { encoding: Encoding::Windows1252, ..csv() }), &port, &batch(&port, &rows));
    }

    #[test]
    fn json_lines_come_back(rows in rows("[ -~£é’👮\n\t\"\\\\]{1,12}"), dates in dates()) {
        let port = all_kinds(false);
        comes_back(&Format::JsonLines(JsonLinesFormat { dates }), &port, &batch(&port, &rows));
    }

    #[test]
    fn fixed_width_comes_back(
        rows in rows("[ -)+-~£é’]{1,30}"),
        dates in dates(),
        (implied, crlf, utf8) in any::<(bool, bool, bool)>(),
    ) {
        let port = all_kinds(false);
        let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Windows1252 };
        comes_back(&fixed_for_all(encoding, dates, implied, if crlf { LineEnd::CrLf } else { LineEnd::Lf }), &port, &batch(&port, &rows));
    }

    #[test]
    fn every_record_is_a_row_or_a_reject(lines in prop::collection::vec("[ab\"\u{202e}\0é1., £-]{1,20}", 0..30), quoted in any::<bool>()) {
        // Without quotation marks, records are lines; with them, none may be lost all the same: what is not in a row is in a reject.
        let unquoted = |line: String| if quoted { line } else { line.replace('"', "") };
        let lines: Vec<String> = lines.into_iter().map(unquoted).filter(|line| !line.is_empty()).collect();
        let text = format!("surname,pay,joined\n{}", lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        match read_all(&Format::Csv(csv()), &payroll(), text.as_bytes()) {
            Ok(whole) => {
                let places = whole.batches.iter().flat_map(|decoded| &decoded.places);
                let mut spans: Vec<(u64, u64)> = places.map(|place| (place.byte_offset, place.byte_length)).collect();
                spans.extend(whole.rejects.iter().map(|reject| (reject.byte_offset, reject.byte_length)));
                spans.sort_unstable();
                if !quoted {
                    prop_assert_eq!(spans.len(), lines.len());
                }
                // Records and the line feeds between them are the whole file.
                let mut at = 19;
                for (offset, length) in spans {
                    prop_assert_eq!(offset, at);
                    at = offset + length + 1;
                }
                prop_assert_eq!(at, text.len() as u64);
            }
            Err(FormatError::File(refused)) => prop_assert_eq!(refused.code, "file-truncated"),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn arrival_does_not_matter(
        bytes in prop::collection::vec(prop_oneof![4 => prop::sample::select(&b"a1\",\n\r.-{}:"[..]), 1 => any::<u8>()], 0..400),
        size in 1_usize..50,
        kind in 0..4,
    ) {
        let port = payroll();
        let (format, mut file) = match kind {
            0 => (Format::Csv(csv()), b"surname,pay,joined\n".to_vec()),
            1 => (Format::Csv(CsvFormat { encoding: Encoding::Windows1252, ..csv() }), b"pay,joined,surname\n".to_vec()),
            2 => (json(), Vec::new()),
            _ => (Format::FixedWidth(fixed(&[("surname", 3, Align::Left, ' '), ("pay", 4, Align::Right, '0')])), Vec::new()),
        };
        file.extend_from_slice(&bytes);
        let told = |whole: Result<Whole, FormatError>| match whole {
            Ok(whole) => format!("{:?}", whole.batches),
            Err(error) => format!("{error:?}"),
        };
        let at_once = told(read_all(&format, &port, &file[..]));
        prop_assert_eq!(told(read_all(&format, &port, Chunks { bytes: &file, size })), at_once);
    }
}

#[test]
fn a_record_across_any_border_of_what_is_read() {
    for padding in (256 << 10) - 30..(256 << 10) + 3 {
        let bytes = format!("surname,pay,joined\n\"{}\",1,2026-01-02\nB,2,2026-01-03\r\n\"C\"\"\",3,\n", "x".repeat(padding));
        let mut wide = payroll();
        wide.columns[0].length_max = None;
        let whole = read_all(&Format::Csv(csv()), &wide, bytes.as_bytes()).unwrap();
        assert_eq!((whole.rows, whole.rejects.len()), (3, 0), "{padding}");
        assert_eq!(whole.json_rows(&wide)[2], r#"{"surname":"C\"","pay":"3.00","joined":null}"#);
    }
}

#[test]
fn bytes_are_exactly_these() {
    let port = all_kinds(false);
    let rows: [Row; 3] = [
        (Some("O'Brien, Ann".into()), Some(-5), Some(1), Some(7), Some(20_000), Some(true)),
        (Some("say \"é\"".into()), None, None, None, None, None),
        (None, Some(123_450), None, Some(i64::MIN), None, Some(false)),
    ];
    let batch = batch(&port, &rows);
    let text = |format: &Format| String::from_utf8_lossy(&encode(format, &port, &batch).unwrap()).into_owned();
    assert_eq!(
        text(&Format::Csv(csv())),
        "t,m,d,i,j,b\n\"O'Brien, Ann\",-0.05,0.000000000000000001,7,2024-10-04,true\n\"say \"\"é\"\"\",,,,,\n,1234.50,,-9223372036854775808,,false\n"
    );
    assert_eq!(
        text(&json()).lines().next(),
        Some(r#"{"t":"O'Brien, Ann","m":"-0.05","d":"0.000000000000000001","i":7,"j":"2024-10-04","b":true}"#)
    );
    let fixed = text(&fixed_for_all(Encoding::Utf8, DateStyle::Compact, true, LineEnd::CrLf));
    assert_eq!(
        fixed.lines().next(),
        Some("O'Brien, Ann******************-000000000000000000005                     1     00000000000000000007 20241004  Y")
    );
    assert_eq!(fixed.lines().nth(1).unwrap().trim_end(), "say \"é\"***********************");
    assert!(fixed.ends_with("N\r\n"));
}

#[test]
fn one_absent_value_is_still_a_record() {
    let port = port(vec![shape("t", ColumnKind::Text, false)]);
    let mut builder = BatchBuilder::new(&port.columns);
    builder.columns[0].push_absent();
    builder.end_row();
    let batch = builder.take(0);
    assert_eq!(encode(&Format::Csv(csv()), &port, &batch).unwrap(), b"t\n\"\"\n");
    comes_back(&Format::Csv(csv()), &port, &batch);
}

#[test]
fn what_does_not_fit_is_named_and_nothing_is_cut_off() {
    let mut port = all_kinds(false);
    port.columns[0].length_max = Some(12);
    let row = |text: &str, money: i64, days: i32| {
        vec![(None, None, None, None, None, None), (Some(text.into()), Some(money), None, None, Some(days), None)]
    };
    let narrow = |align, fill| {
        Format::FixedWidth(fixed(&[
            ("t", 5, align, fill),
            ("m", 6, Align::Right, '0'),
            ("d", 9, Align::Right, ' '),
            ("i", 9, Align::Right, ' '),
            ("j", 10, Align::Left, ' '),
            ("b", 5, Align::Left, ' '),
        ]))
    };
    let (left, right, noughts) = (narrow(Align::Left, '*'), narrow(Align::Right, '*'), narrow(Align::Left, '0'));
    let narrow = narrow(Align::Left, ' ');
    let latin = Format::Csv(CsvFormat { encoding: Encoding::Windows1252, ..csv() });
    for (format, text, money, days, column, code) in [
        (&narrow, "Featherstone", 1, 1, "t", "value-too-wide"),
        (&left, "-*", 1, 1, "t", "value-like-filling"),
        (&right, "*-", 1, 1, "t", "value-like-filling"),
        (&noughts, "10", 1, 1, "t", "value-like-filling"),
        (&narrow, "two\nl", 1, 1, "t", "line-end-in-value"),
        (&narrow, "A", 12_345_678, 1, "m", "value-too-wide"),
        (&narrow, "A", -123_456, 1, "m", "value-too-wide"),
        (&Format::Csv(csv()), "A", 1, i32::MAX, "j", "date-year-outside"),
        (&Format::Csv(csv()), "A\0", 1, 1, "t", "nul-character"),
        (&json(), "A\u{202e}", 1, 1, "t", "direction-mark"),
        (&json(), "thirteen char", 1, 1, "t", "text-too-long"),
        (&latin, "ŵ", 1, 1, "t", "character-not-in-encoding"),
    ] {
        match encode(format, &port, &batch(&port, &row(text, money, days))) {
            Err(FormatError::Value { row: 2, column: found, code: found_code, message, .. }) => {
                assert_eq!((found.as_str(), found_code), (column, code), "{message}");
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
}
