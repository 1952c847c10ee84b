//! Files larger than what is held of them.

use std::io::Cursor;

use super::super::Located;
use super::*;

/// 5,000 good rows, with one line of two sorts of damage after every hundredth.
fn file() -> Vec<u8> {
    let mut text = "surname,pay,joined\n".to_owned();
    for row in 0..5_000 {
        text.push_str(&format!("N{row},{row}.25,2026-01-02\n"));
        if row % 100 == 0 {
            text.push_str("\"two\nlines\",bad,\nstray\"x\n");
        }
    }
    text.into_bytes()
}

#[test]
fn batches_are_bounded_and_rejects_are_in_order() {
    let whole = read_all(&Format::Csv(csv()), &payroll(), &file()[..]).unwrap();
    assert_eq!((whole.rows, whole.rejects.len()), (5_000, 100));
    assert!(whole.batches.iter().all(|decoded| decoded.batch.rows <= crate::model::limits::BATCH_ROWS));
    assert!(whole.rejects.is_sorted_by_key(|reject| reject.byte_offset));
    assert!(whole.rejects.is_sorted_by_key(|reject| reject.line));
}

#[test]
fn long_texts_close_a_batch_early() {
    let notes = port(vec![shape("note", ColumnKind::Text, true)]);
    let text = format!("note\n{}", format!("{}\n", "é".repeat(50_000)).repeat(100));
    let whole = read_all(&Format::Csv(csv()), &notes, text.as_bytes()).unwrap();
    assert_eq!(whole.rows, 100);
    assert!(whole.batches.iter().all(|decoded| decoded.batch.bytes() < 1_300_000), "{:?}", whole.batches.len());
}

#[test]
fn rejects_close_a_batch_early() {
    let text = format!("surname,pay,joined\n{}", format!("{},x,\n", "n".repeat(100_000)).repeat(100));
    let whole = read_all(&Format::Csv(csv()), &payroll(), text.as_bytes()).unwrap();
    assert_eq!((whole.rows, whole.rejects.len()), (0, 100));
    assert!(whole.batches.len() > 10);
}

#[test]
fn rows_are_found_again() {
    let bytes = file();
    let mut decoder = Decoder::open(&Format::Csv(csv()), &payroll(), Cursor::new(bytes.clone())).unwrap();
    let mut places = Vec::new();
    while let Some(decoded) = decoder.next_batch().unwrap() {
        places.extend(decoded.places);
    }
    let locator = decoder.locator();
    let mut source = Cursor::new(bytes.clone());
    for row in [0, 1, 1_023, 1_024, 2_500, 4_999] {
        let Located { place, raw, decoded, row: found } = locator.locate(row, &mut source).unwrap().expect("it was read");
        assert_eq!((found, place), (row, places[row as usize]));
        assert_eq!(raw, format!("N{row},{row}.25,2026-01-02").as_bytes());
        assert_eq!(raw, bytes[place.byte_offset as usize..][..place.byte_length as usize]);
        let line = bytes[..place.byte_offset as usize].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        assert_eq!(place.line, line);
        assert_eq!(decoded, format!("{{\"surname\":\"N{row}\",\"pay\":\"{row}.25\",\"joined\":\"2026-01-02\"}}"));
    }
    assert_eq!(locator.locate(5_000, &mut source).unwrap(), None);

    let wanted: Vec<u64> = (0..5_000).step_by(7).chain([4_999, 6_000]).collect();
    let mut found = Vec::new();
    locator.locate_each(&wanted, &mut source, |located| found.push((located.row, located.place))).unwrap();
    assert_eq!(found, wanted[..wanted.len() - 1].iter().map(|row| (*row, places[*row as usize])).collect::<Vec<_>>());
}

#[test]
fn rows_of_other_formats_are_found_again() {
    let lines: String = (0..3_000).map(|row| format!("{{\"surname\":\"N{row}\"}}\n")).collect();
    let mut decoder = Decoder::open(&json(), &payroll(), lines.as_bytes()).unwrap();
    while decoder.next_batch().unwrap().is_some() {}
    let located = decoder.locator().locate(2_222, &mut Cursor::new(&lines)).unwrap().expect("it was read");
    assert_eq!((located.place.line, located.raw), (2_223, b"{\"surname\":\"N2222\"}".to_vec()));
}
