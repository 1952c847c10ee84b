//! Files that are refused as a whole, and files that look odd and are in order.

use super::*;

#[test]
fn csv_files_that_cannot_be_trusted() {
    for (bytes, code, line, in_message) in [
        (&b""[..], "file-empty", None, "transfer failed"),
        (b"\xef\xbb\xbf", "file-empty", None, "empty"),
        (b"\n\r\n\n", "file-empty", None, "empty"),
        (b"PK\x03\x04rest", "file-is-workbook", Some(1), "CSV UTF-8"),
        (b"\xff\xfes\0u\0", "file-utf16", Some(1), "UTF-16"),
        (b"s\0u\0r\0n\0a\0m\0e\0", "file-utf16", Some(1), "UTF-16"),
        (b"surname,joined\nA,2026-01-01\n", "header-column-missing", Some(1), "“name”"),
        (b"surname,pay,joined,surname\n", "header-column-twice", Some(1), "values 1 and 4"),
        (b"name,pay,joined,Grade\n", "header-column-unexpected", Some(1), "“Grade”"),
        (b"name,pay,joined,\n", "header-column-unexpected", Some(1), "Value 4"),
        (b"name;pay;joined\n", "header-column-missing", Some(1), "semicolons"),
        (b"name,pa\0y,joined\n", "header-damaged", Some(1), "NUL"),
        (b"name,\"pay,joined\nA,1,2026-01-01\n", "header-damaged", Some(1), "quotation mark"),
        (b"name,pay,joined\rA,1,2026-01-01\r", "file-line-ends", Some(1), "carriage returns"),
        (b"n\xe9me,pay,joined\n", "file-encoding", Some(1), "0xe9"),
        (b"name,pay,joined\nA,1,\n\"B\nC\xa3\",2,\n", "file-encoding", Some(4), "Line 4, byte 2"),
        (b"name,pay,joined\nA,1,\nB,2", "file-truncated", Some(3), "2 values where the header has 3"),
        (b"name,pay,joined\nA,1,\n\"B", "file-truncated", Some(3), "quotation mark"),
        (b"name,pay,joined\nA,1,\nB,2,\"2026-", "file-truncated", Some(3), "send the file again"),
        (b"name,pay,joined\n\"A\n", "file-truncated", Some(2), "quotation mark"),
    ] {
        let mut columns = payroll();
        columns.columns[0].name = "name".to_owned();
        if code == "header-column-twice" {
            columns = payroll();
        }
        let refused = refused(&Format::Csv(csv()), &columns, bytes);
        assert_eq!((refused.code, refused.line), (code, line), "{refused}");
        assert!(refused.message.contains(in_message), "{in_message:?} in {:?}", refused.message);
    }
}

#[test]
fn an_encoding_error_names_the_byte_in_the_file() {
    let refused = refused(&Format::Csv(csv()), &payroll(), b"\xef\xbb\xbfsurname\nA\nBj\xf6rk\n");
    assert_eq!((refused.code, refused.line, refused.byte_offset), ("file-encoding", Some(3), Some(15)));
    assert!(refused.message.contains("windows-1252"));
}

#[test]
fn a_utf8_mark_contradicts_windows_1252() {
    let format = Format::Csv(CsvFormat { encoding: Encoding::Windows1252, ..csv() });
    assert_eq!(refused(&format, &payroll(), b"\xef\xbb\xbfsurname\nA\n").code, "file-encoding");
}

#[test]
fn other_formats() {
    let narrow = Format::FixedWidth(fixed(&[("surname", 5, Align::Left, ' ')]));
    for (format, bytes, code) in [
        (&json(), &b""[..], "file-empty"),
        (&json(), b"{\"surname\":\"A\"}\n{\"surname\":\"B", "file-truncated"),
        (&json(), b"{\"surname\":\"\xff\"}\n", "file-encoding"),
        (&narrow, b"", "file-empty"),
        (&narrow, b"ABCDE\nABC", "file-truncated"),
        (&narrow, b"ABCD\xff\n", "file-encoding"),
    ] {
        assert_eq!(refused(format, &payroll(), bytes).code, code, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn odd_files_that_are_in_order() {
    let one = r#"{"surname":"A","pay":"1.00","joined":"2026-01-02"}"#;
    for bytes in [
        &b"surname,pay,joined\nA,1,2026-01-02\n"[..],
        b"surname,pay,joined\nA,1,2026-01-02",
        b"\xef\xbb\xbfsurname,pay,joined\r\nA,1,2026-01-02\r\n",
        b"\n\nSURNAME , \"Pay\",Joined\n\nA,1,2026-01-02\n\r\n\n",
        b"joined,surname,pay\n2026-01-02,A,1\n",
        b"surname,pay,joined\n\" A \", 1.0 ,\"2026-01-02\"\n",
        b"surname,pay,joined\nA,1,2026-01-02\n\x1a",
    ] {
        let whole = read_all(&Format::Csv(csv()), &payroll(), bytes).unwrap();
        assert_eq!((whole.json_rows(&payroll()), whole.codes()), (vec![one.to_owned()], vec![]), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_header_alone_is_no_rows() {
    for bytes in [&b"surname,pay,joined"[..], b"surname,pay,joined\n", b"surname\n", b"surname,pay,joined\n\n\n"] {
        let whole = read_all(&Format::Csv(csv()), &payroll(), bytes).unwrap();
        assert_eq!((whole.rows, whole.rejects.len()), (0, 0));
    }
}

#[test]
fn headings_and_other_columns() {
    let headings = vec![("pay".to_owned(), "Gross Pay (£)".to_owned())];
    let format = Format::Csv(CsvFormat { headings, other_columns_ignored: true, delimiter: b';', ..csv() });
    let mut joined = payroll();
    joined.columns[2].name = "date_of_joining".to_owned();
    let bytes = "Grade;Surname;gross pay (£);Date-of joining;\nX;A;12.5;2026-01-02;\n";
    let whole = read_all(&format, &joined, bytes.as_bytes()).unwrap();
    assert_eq!(whole.json_rows(&joined), [r#"{"surname":"A","pay":"12.50","date_of_joining":"2026-01-02"}"#]);
}

#[test]
fn values_of_other_columns_have_names_of_their_own() {
    let headings = vec![("pay".to_owned(), "Gross".to_owned())];
    let format = Format::Csv(CsvFormat { headings, other_columns_ignored: true, ..csv() });
    let whole = read_all(&format, &payroll(), &b"surname,Gross,pay,,\nA,x,1,2,3\n"[..]).unwrap();
    let decoded = whole.rejects[0].decoded.as_deref();
    assert_eq!(decoded, Some(r#"{"surname":"A","pay":"x","value 3":"1","value 4":"2","value 5":"3"}"#), "none takes the place of another");
}

#[test]
fn windows_1252() {
    let format = Format::Csv(CsvFormat { encoding: Encoding::Windows1252, dates: DateStyle::DayMonthYear, ..csv() });
    let whole = read_all(&format, &payroll(), &b"surname,pay,joined\nO\x92Br\xeden,1,31/03/2026\n\"a\"\"\xa3\",2,\n"[..]).unwrap();
    let expect = [r#"{"surname":"O’Bríen","pay":"1.00","joined":"2026-03-31"}"#, r#"{"surname":"a\"£","pay":"2.00","joined":null}"#];
    assert_eq!(whole.json_rows(&payroll()), expect);
}

#[test]
fn formats_that_do_not_fit_are_refused_before_any_file() {
    use super::super::{Direction, check};
    let field = |column: &str, width, align, fill| Format::FixedWidth(fixed(&[(column, width, align, fill)]));
    let one = |kind| port(vec![shape("a", kind, true)]);
    let implied = |kind| {
        let mut format = fixed(&[("a", 9, Align::Right, '0')]);
        format.fields[0].point_implied = true;
        (Format::FixedWidth(format), one(kind))
    };
    let money = ColumnKind::Money { scale: 2 };
    let text_implied = implied(ColumnKind::Text);
    let overlapping = {
        let mut format = fixed(&[("surname", 5, Align::Left, ' '), ("pay", 5, Align::Right, ' ')]);
        format.fields[1].start = 5;
        Format::FixedWidth(format)
    };
    for (format, port, in_message) in [
        (&Format::Csv(CsvFormat { delimiter: b'"', ..csv() }), &payroll(), "parted"),
        (&Format::Csv(CsvFormat { headings: vec![("x".into(), "X".into())], ..csv() }), &payroll(), "column x"),
        (&Format::Csv(CsvFormat { headings: vec![("pay".into(), "Surname".into())], ..csv() }), &payroll(), "two columns"),
        (&field("b", 5, Align::Left, ' '), &one(ColumnKind::Text), "column b"),
        (&field("pay", 5, Align::Left, ' '), &payroll(), "column surname has no field"),
        (&field("a", 0, Align::Left, ' '), &one(ColumnKind::Text), "width"),
        (&field("a", 9, Align::Left, ' '), &one(ColumnKind::Date), "takes 10"),
        (&field("a", 9, Align::Left, '0'), &one(money), "would change"),
        (&field("a", 9, Align::Right, '1'), &one(ColumnKind::Integer), "would change"),
        (&text_implied.0, &text_implied.1, "no point"),
        (&overlapping, &payroll(), "overlap"),
    ] {
        let error = check(format, port, Direction::Decode).expect_err(in_message).to_string();
        assert!(error.contains(in_message), "{in_message:?} in {error:?}");
    }
    let (format, port) = implied(money);
    assert!(check(&format, &port, Direction::Decode).is_ok());
    let without_pay = Format::FixedWidth(fixed(&[("surname", 5, Align::Left, ' ')]));
    assert!(check(&without_pay, &payroll(), Direction::Decode).is_ok(), "an input may leave optional columns out");
    assert!(check(&without_pay, &payroll(), Direction::Encode).is_err(), "an output may not");
}
