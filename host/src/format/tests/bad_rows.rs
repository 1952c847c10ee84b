//! Records that are refused alone, while the file goes on.

use super::*;
use crate::model::limits::{RECORD_BYTES_MAX, REJECT_RAW_BYTES_MAX};

/// One bad line between two good ones.
fn one_bad_line(format: &Format, port: &PortShape, (head, good): (&str, &str), bad: &[u8]) -> RowReject {
    let mut bytes = format!("{head}{good}\n").into_bytes();
    let offset = bytes.len();
    bytes.extend_from_slice(bad);
    bytes.extend_from_slice(format!("\n{good}\n").as_bytes());
    let whole = read_all(format, port, &bytes[..]).unwrap();
    assert_eq!((whole.rows, whole.rejects.len()), (2, 1), "{:?}: {:?}", String::from_utf8_lossy(bad), whole.rejects);
    let reject = whole.rejects[0].clone();
    assert_eq!(reject.byte_offset, offset as u64);
    assert_eq!(reject.line, 2 + u64::from(!head.is_empty()));
    assert_eq!(reject.byte_length, bad.len() as u64);
    assert_eq!(reject.raw, bad[..bad.len().min(REJECT_RAW_BYTES_MAX)]);
    reject
}

#[test]
fn csv_lines() {
    for (line, expect) in [
        (&b"A,1"[..], &[("record-too-few-values", None, "2 values where the header has 3")][..]),
        (b"A,1,234.56,2026-01-02", &[("record-too-many-values", None, "4 values")]),
        (b"\"A,1,2026-01-02", &[("record-quotes-damaged", None, "never closed")]),
        (b"\"A\"x,1,2026-01-02", &[("record-quotes-damaged", None, "twice")]),
        (b",,", &[("record-blank", None, "delete the line")]),
        (b",1,2026-01-02", &[("value-missing", Some("surname"), "every row must have one")]),
        (b"  ,1,2026-01-02", &[("value-missing", Some("surname"), "fill in")]),
        (b"ABCDEFGHIJK,1,", &[("text-too-long", Some("surname"), "11 characters and may have 10")]),
        (b"A\0B,1,", &[("nul-character", Some("surname"), "NUL")]),
        (b"A\x07B,1,", &[("control-character", Some("surname"), "U+0007")]),
        ("A\u{202e}B,1,".as_bytes(), &[("direction-mark", Some("surname"), "U+202E")]),
        ("A\u{200b}B,1,".as_bytes(), &[("invisible-character", Some("surname"), "cannot be seen")]),
        ("A\u{fffd}B,1,".as_bytes(), &[("character-lost", Some("surname"), "lost")]),
        ("A,£12.50,".as_bytes(), &[("number-currency-sign", Some("pay"), "“£12.50”")]),
        (b"A,\"1,234.50\",", &[("number-thousands-comma", Some("pay"), "without them")]),
        (b"A,12%,", &[("number-percent-sign", Some("pay"), "per cent")]),
        (b"A,(12.50),", &[("number-minus-style", Some("pay"), "-12.50")]),
        (b"A,12.505,", &[("number-too-many-decimals", Some("pay"), "more than 2 digits")]),
        (b"A,1.5E+3,", &[("number-exponent", Some("pay"), "scientific")]),
        (b"A,99999999999999999.99,", &[("number-too-large", Some("pay"), "92,233,720,368,547,758.07")]),
        (b"A,n/a,", &[("number-invalid", Some("pay"), "not a number")]),
        (b"A,1\0,", &[("nul-character", Some("pay"), "NUL")]),
        (b"A,.5,", &[("number-point-alone", Some("pay"), "0.50")]),
        (b"A,1,31/02/2026", &[("date-style", Some("joined"), "2026-03-31")]),
        (b"A,1,2026-02-31", &[("date-not-in-calendar", Some("joined"), "February 2026 has no such day")]),
        (b"A,1,2026-31-02", &[("date-not-in-calendar", Some("joined"), "no month 31")]),
        (
            b",12%,x",
            &[("value-missing", Some("surname"), ""), ("number-percent-sign", Some("pay"), ""), ("date-style", Some("joined"), "")],
        ),
    ] {
        let reject = one_bad_line(&Format::Csv(csv()), &payroll(), ("surname,pay,joined\n", "A,1,2026-01-02"), line);
        assert_eq!(reject.reasons.len(), expect.len(), "{:?}", reject.reasons);
        for (reason, (code, column, in_message)) in reject.reasons.iter().zip(expect) {
            assert_eq!((reason.code.as_str(), reason.column.as_deref()), (*code, *column));
            assert!(reason.message.contains(in_message), "{in_message:?} in {:?}", reason.message);
        }
    }
}

#[test]
fn what_was_read_is_kept_for_correction() {
    let reject = one_bad_line(&Format::Csv(csv()), &payroll(), ("surname,pay,joined\n", "A,1,"), b" B ,\"1,5\",x");
    assert_eq!(reject.decoded.as_deref(), Some(r#"{"surname":"B","pay":"1,5","joined":"x"}"#));
}

#[test]
fn day_month_year() {
    let format = Format::Csv(CsvFormat { dates: DateStyle::DayMonthYear, ..csv() });
    for (date, code) in
        [("31/02/2026", "date-not-in-calendar"), ("31/03/26", "date-style"), ("2026-03-31", "date-style"), ("46112", "date-style")]
    {
        let line = format!("A,1,{date}");
        let reject = one_bad_line(&format, &payroll(), ("surname,pay,joined\n", "A,1,1/3/2026"), line.as_bytes());
        assert_eq!(reject.reasons[0].code, code, "{date}");
    }
}

#[test]
fn personal_values_are_in_no_message() {
    let mut secret = payroll();
    secret.columns.iter_mut().for_each(|column| column.personal = true);
    for line in ["SECRETSECRETSECRET,1,", "A,SECRET,", "A,£777,", "A,7777.777,", "A,1,SECRET", "A,1,7777-02-31", "A,1,0777-77-01"] {
        let reject = one_bad_line(&Format::Csv(csv()), &secret, ("surname,pay,joined\n", "A,1,"), line.as_bytes());
        assert!(!reject.reasons[0].message.contains("SECRET") && !reject.reasons[0].message.contains("77"), "{:?}", reject.reasons);
    }
}

#[test]
fn json_lines() {
    for (line, code, in_message) in [
        (&b"{\"surname\":\"A\""[..], "record-not-json", "character"),
        (b"{\"surname\":\"A\"} {}", "record-not-json", "nothing after it"),
        (b"[1]", "record-not-an-object", "no object"),
        (b"12", "record-not-an-object", "no object"),
        (b"{\"surname\":\"A\",\"surname\":\"B\"}", "key-twice", "\"surname\""),
        (b"{\"surname\":\"A\",\"grade\":1}", "key-unexpected", "\"grade\""),
        (b"{\"pay\":1}", "value-missing", "fill in"),
        (b"{\"surname\":null}", "value-missing", "fill in"),
        (b"{\"surname\":12}", "value-kind", "a number where text"),
        (b"{\"surname\":\"A\",\"pay\":true}", "value-kind", "true or false where a number"),
        (b"{\"surname\":\"A\",\"pay\":{\"x\":1}}", "value-kind", "an object"),
        (b"{\"surname\":\"A\",\"pay\":1e3}", "number-exponent", "scientific"),
        (b"{\"surname\":\"A\",\"pay\":0.001}", "number-too-many-decimals", "2 digits"),
        (b"{\"surname\":\"A\",\"pay\":\"\xc2\xa31\"}", "number-currency-sign", "currency"),
        (b"{\"surname\":\"A\",\"joined\":\"31/02/2026\"}", "date-style", "2026-03-31"),
        (b"{\"surname\":\"A\\u0000\"}", "nul-character", "NUL"),
        (b"{\"surname\":\"\\ud800\"}", "character-lost", "lost"),
    ] {
        let reject = one_bad_line(&json(), &payroll(), ("", "{\"surname\":\"A\"}"), line);
        assert_eq!(reject.reasons[0].code, code, "{:?}: {:?}", String::from_utf8_lossy(line), reject.reasons);
        assert!(reject.reasons[0].message.contains(in_message), "{in_message:?} in {:?}", reject.reasons);
    }
}

#[test]
fn json_numbers_are_taken_digit_by_digit() {
    let exact = port(vec![shape("pay", ColumnKind::Money { scale: 2 }, true), shape("n", ColumnKind::Integer, true)]);
    let whole =
        read_all(&json(), &exact, &b"{\"pay\":90071992547409.93,\"n\":9007199254740993}\n{\"n\":\"7\",\"pay\":\"-0.1\"}\n"[..]).unwrap();
    assert_eq!(whole.json_rows(&exact), [r#"{"pay":"90071992547409.93","n":9007199254740993}"#, r#"{"pay":"-0.10","n":7}"#]);
}

#[test]
fn fixed_width_lines() {
    let format =
        Format::FixedWidth(fixed(&[("surname", 6, Align::Left, ' '), ("pay", 8, Align::Right, '0'), ("joined", 10, Align::Left, ' ')]));
    for (line, code) in [
        ("Short 000", "record-too-narrow"),
        ("Smith 00012.502026-01-02x", "record-too-wide"),
        ("                        ", "record-blank"),
        ("      00012.502026-01-02", "value-missing"),
        ("Smith 0001,502026-01-02", "record-too-narrow"),
        ("Smith 0001x.502026-01-02", "number-invalid"),
        ("Smith 00012.502026-02-31", "date-not-in-calendar"),
        ("Núñez 00012.502026-02-31", "date-not-in-calendar"),
    ] {
        let reject = one_bad_line(&format, &payroll(), ("", "Núñez 00012.502026-01-02  "), line.as_bytes());
        assert_eq!(reject.reasons[0].code, code, "{line:?}: {:?}", reject.reasons);
    }
}

#[test]
fn booleans_in_any_case() {
    let flags = port(vec![shape("casual", ColumnKind::Boolean, false)]);
    let text = "casual\ntrue\nFALSE\nYes\nno\nY\nn\n1\n0\n\"\"\nmaybe\n";
    let whole = read_all(&Format::Csv(csv()), &flags, text.as_bytes()).unwrap();
    let values: Vec<String> = whole.json_rows(&flags);
    let expect = ["true", "false", "true", "false", "true", "false", "true", "false", "null"];
    assert_eq!(values, expect.map(|value| format!("{{\"casual\":{value}}}")));
    assert_eq!(whole.codes(), ["yes-no-invalid"]);
}

#[test]
fn a_stray_quotation_mark_does_not_swallow_the_file() {
    let mut bytes = b"surname,pay,joined\nA,\"1,2026-01-02\n".to_vec();
    for _ in 0..200_000 {
        bytes.extend_from_slice(b"B,2,2026-01-02\n");
    }
    assert!(bytes.len() > 2 * RECORD_BYTES_MAX);
    let whole = read_all(&Format::Csv(csv()), &payroll(), &bytes[..]).unwrap();
    assert_eq!((whole.rows, whole.codes()), (200_000, vec!["record-quotes-damaged"]));
    assert_eq!((whole.rejects[0].line, whole.rejects[0].raw.as_slice()), (2, &b"A,\"1,2026-01-02"[..]));

    // Where a later mark seems to close it, or the file ends first, the same holds.
    for rest in ["B,\"2\",2026-01-02\n", "B,2,2026-01-02\n"] {
        let text = format!("surname,pay,joined\nA,\"1,2026-01-02\n{rest}{rest}");
        let whole = read_all(&Format::Csv(csv()), &payroll(), text.as_bytes()).unwrap();
        assert_eq!((whole.rows, whole.codes()), (2, vec!["record-quotes-damaged"]), "{rest}");
    }
}

#[test]
fn long_lines_are_refused_alone() {
    let long = vec![b'x'; 10 << 20];
    for (format, head, good) in [
        (Format::Csv(csv()), "surname,pay,joined\n", "A,1,2026-01-02"),
        (json(), "", "{\"surname\":\"A\"}"),
        (Format::FixedWidth(fixed(&[("surname", 5, Align::Left, ' ')])), "", "Smith"),
    ] {
        let reject = one_bad_line(&format, &payroll(), (head, good), &long);
        assert_eq!(reject.reasons[0].code, "record-too-long");
        assert!(reject.reasons[0].message.contains("10485760 bytes"));
    }
    // With a mark open in it, too.
    let mut quoted = long;
    quoted[0] = b'"';
    assert_eq!(one_bad_line(&Format::Csv(csv()), &payroll(), ("surname,pay,joined\n", "A,1,"), &quoted).reasons[0].code, "record-too-long");
}

#[test]
fn the_longest_record_is_read_and_one_more_byte_is_not() {
    let notes = port(vec![shape("note", ColumnKind::Text, true)]);
    for end in ["\n", "\r\n", ""] {
        for (length, codes) in [(RECORD_BYTES_MAX, &[][..]), (RECORD_BYTES_MAX + 1, &["record-too-long"])] {
            let bytes = format!("note\n{}{end}", "x".repeat(length));
            let whole = read_all(&Format::Csv(csv()), &notes, bytes.as_bytes()).unwrap();
            assert_eq!((whole.codes(), whole.rows), (codes.to_vec(), u64::from(codes.is_empty())), "{length} and {end:?}");
            if let [reject] = &whole.rejects[..] {
                assert_eq!(reject.byte_length, length as u64, "{end:?}");
            }
        }
    }
}
