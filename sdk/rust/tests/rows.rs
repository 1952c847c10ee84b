//! Rows through columns and back: nothing is lost, and what does not fit is told.

#![allow(clippy::unwrap_used, missing_docs)]

use bailiwick_sdk::testing::{Native, TestHub};
use bailiwick_sdk::wire::{
    Batch, Column, ColumnData, ColumnShape, ColumnType, Context as WireContext, DecimalColumn, Effect, Outcome, Port, TextColumn,
};
use bailiwick_sdk::{Adapter, Context, Date, Decimal, Done, Failure, Hub, Money, Out, Reason, Reject, Rows};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// Reads rows and writes them again with their fields in another order.
struct Copy;

#[derive(Deserialize)]
struct In<'a> {
    text: &'a str,
    money: Money,
    hours: Option<Decimal>,
    day: Option<Date>,
    number: i16,
    truth: Option<bool>,
    note: Option<String>,
}

#[derive(Serialize)]
struct Back<'a> {
    note: Option<String>,
    truth: Option<bool>,
    text: &'a str,
    money: Money,
    number: i16,
    day: Option<Date>,
    hours: Option<Decimal>,
}

impl Adapter for Copy {
    type Settings = ();

    fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn push(&mut self, _: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        for row in rows.read::<In>() {
            let In { text, money, hours, day, number, truth, note } = row.value;
            out.write("rows", &Back { note, truth, text, money, number, day, hours })?;
        }
        Ok(())
    }
}

const COLUMNS: [(&str, ColumnType, u8); 7] = [
    ("text", ColumnType::Text, 0),
    ("number", ColumnType::Integer, 0),
    ("money", ColumnType::Decimal, 2),
    ("hours", ColumnType::Decimal, 3),
    ("day", ColumnType::Date, 0),
    ("truth", ColumnType::Boolean, 0),
    ("note", ColumnType::Text, 0),
];

fn port(columns: &[(&str, ColumnType, u8)]) -> Port {
    let shape = |(name, kind, scale): &(&str, ColumnType, u8)| ColumnShape { name: (*name).to_owned(), kind: *kind, scale: *scale };
    Port { name: "rows".to_owned(), present: true, columns: columns.iter().map(shape).collect() }
}

fn open<A: Adapter>(columns: &[(&str, ColumnType, u8)]) -> Native<A> {
    let context = WireContext { partner: "p".into(), job: "j".into(), inputs: vec![port(columns)], outputs: vec![port(columns)] };
    Native::open(context, "{}", &hub()).unwrap()
}

fn hub() -> Hub {
    TestHub::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lookups")).hub()
}

type Values = (String, i16, i64, Option<i64>, Option<i32>, Option<bool>, Option<String>);

fn bits(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bits = Vec::new();
    for (row, value) in values.enumerate() {
        if row % 8 == 0 {
            bits.push(0);
        }
        bits[row / 8] |= u8::from(value) << (row % 8);
    }
    bits
}

fn validity(present: impl Iterator<Item = bool> + Clone) -> Vec<u8> {
    if present.clone().all(|present| present) { Vec::new() } else { bits(present) }
}

fn text<'a>(values: impl Iterator<Item = &'a str>) -> ColumnData {
    let mut text = TextColumn { offsets: vec![0], content: String::new() };
    for value in values {
        text.content += value;
        text.offsets.push(text.content.len() as u32);
    }
    ColumnData::Text(text)
}

fn batch(rows: &[Values]) -> Batch {
    let whole = |data| Column { validity: Vec::new(), data };
    let column = |validity, data| Column { validity, data };
    let columns = vec![
        whole(text(rows.iter().map(|row| row.0.as_str()))),
        whole(ColumnData::Integers(rows.iter().map(|row| i64::from(row.1)).collect())),
        whole(ColumnData::Decimals(DecimalColumn { scale: 2, coefficients: rows.iter().map(|row| row.2).collect() })),
        column(
            validity(rows.iter().map(|row| row.3.is_some())),
            ColumnData::Decimals(DecimalColumn { scale: 3, coefficients: rows.iter().map(|row| row.3.unwrap_or(0)).collect() }),
        ),
        column(validity(rows.iter().map(|row| row.4.is_some())), ColumnData::Dates(rows.iter().map(|row| row.4.unwrap_or(0)).collect())),
        column(validity(rows.iter().map(|row| row.5.is_some())), ColumnData::Booleans(bits(rows.iter().map(|row| row.5.unwrap_or(false))))),
        column(validity(rows.iter().map(|row| row.6.is_some())), text(rows.iter().map(|row| row.6.as_deref().unwrap_or("")))),
    ];
    Batch { first_row: 0, rows: rows.len() as u32, columns }
}

proptest! {
    #[test]
    fn rows_come_back_as_they_went(batches in prop::collection::vec(prop::collection::vec(
        (any::<String>(), any::<i16>(), any::<i64>(), any::<Option<i64>>(), prop::option::of(-700_000..700_000), any::<Option<bool>>(), any::<Option<String>>()),
        1..40,
    ), 1..4)) {
        let mut native = open::<Copy>(&COLUMNS);
        for rows in batches {
            let batch = batch(&rows);
            let outcome = native.push(0, &batch).unwrap();
            prop_assert!(outcome.findings.is_empty());
            prop_assert_eq!(outcome.outputs.len(), 1);
            let back = &outcome.outputs[0].rows;
            prop_assert_eq!(format!("{:?}", back.columns), format!("{:?}", batch.columns));
        }
        prop_assert!(native.end(0).unwrap().outputs.is_empty());
        prop_assert!(native.finish().unwrap().done);
    }
}

#[test]
fn a_value_that_does_not_fit_rejects_its_row_and_no_other() {
    let mut input = batch(&vec![("a".to_owned(), 1, 1, None, None, None, None); 3]);
    input.columns[1].data = ColumnData::Integers(vec![1, 40_000, 3]);
    input.first_row = 10;
    let outcome = open::<Copy>(&COLUMNS).push(0, &input).unwrap();
    let [finding] = &outcome.findings[..] else { panic!("{:?}", outcome.findings) };
    assert_eq!((finding.row, finding.effect, finding.input), (11, Effect::Reject, 0));
    assert_eq!((finding.reasons[0].code.as_str(), finding.reasons[0].column), ("value-out-of-range", Some(1)));
    assert_eq!(finding.reasons[0].message, "The value of number cannot be used here: it must be a whole number from -32,768 to 32,767.");
    assert_eq!(outcome.outputs[0].rows.rows, 2);
}

/// Does what a closure says, with a batch of one column `n` that holds 1, 2, 3.
struct Odd<const WHAT: usize>;

#[derive(Serialize, Deserialize)]
struct N<T> {
    n: T,
}

#[derive(Serialize, Deserialize)]
struct Other {
    m: i64,
}

#[derive(Serialize)]
struct Both {
    n: i64,
    m: i64,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Unsure {
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<i64>,
}

#[derive(Deserialize)]
enum Word {
    #[serde(rename = "one")]
    _One,
}

impl<const WHAT: usize> Adapter for Odd<WHAT> {
    type Settings = ();

    fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn push(&mut self, _: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        match WHAT {
            0 => drop(rows.read::<Other>().count()),
            1 => drop(rows.read::<N<&str>>().count()),
            2 => drop(rows.read::<N<Money>>().count()),
            3 => drop(rows.read::<N<f64>>().count()),
            4 => drop(rows.read::<N<Vec<i64>>>().count()),
            5 => drop(rows.read::<N<Word>>().count()),
            6 => drop(rows.read::<i64>().count()),
            7 => out.write("rows", &Other { m: 1 })?,
            8 => out.write("rows", &Both { n: 1, m: 1 })?,
            9 => out.write("rows", &Nothing {})?,
            10 => out.write("rows", &N { n: "text" })?,
            11 => out.write("rows", &N { n: 1.5_f64 })?,
            12 => out.write("rows", &N { n: u64::MAX })?,
            13 => out.write("elsewhere", &N { n: 1 })?,
            14 => out.write("rows", &5)?,
            15 => out.reject(1, Reject::new("c", "m").column("nowhere")),
            16 => out.reject_of("nowhere", 1, Reason::new("c", "m"))?,
            17 => out.write("rows", &N { n: Money::ZERO })?,
            _ => {
                out.write("rows", &Unsure { n: None })?;
                out.write("rows", &Unsure { n: Some(7) })?;
                out.skip(0, Reason::new("s", "m").column("n"));
                out.warn(1, Reject::new("w", "m").and(Reason::new("v", "m").column("n")));
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<Done, Failure> {
        out.write("rows", &N { n: 1 })?;
        Ok(if out.is_full() { Done::No } else { Done::Yes })
    }
}

fn odd<const WHAT: usize>() -> Result<Outcome, Failure> {
    let data = ColumnData::Integers(vec![1, 2, 3]);
    let batch = Batch { first_row: 0, rows: 3, columns: vec![Column { validity: Vec::new(), data }] };
    open::<Odd<WHAT>>(&[("n", ColumnType::Integer, 0)]).push(0, &batch)
}

#[test]
fn defects_are_named() {
    for (answer, told) in [
        (odd::<0>(), "field m, which is no declared column"),
        (odd::<1>(), "column n: the field wants text, and the column holds whole numbers"),
        (odd::<2>(), "column n: the field wants money"),
        (odd::<3>(), "never exact"),
        (odd::<4>(), "wants a list"),
        (odd::<5>(), "one of some words"),
        (odd::<6>(), "a row is read as a struct"),
        (odd::<7>(), "field m, which is no declared column"),
        (odd::<8>(), "field m, which is no declared column"),
        (odd::<9>(), "lacks a field for n"),
        (odd::<10>(), "gives text, and the manifest declares a whole number"),
        (odd::<11>(), "what no column can hold"),
        (odd::<12>(), "does not fit 64 bits"),
        (odd::<13>(), "no output elsewhere"),
        (odd::<14>(), "a row is written as a struct"),
        (odd::<15>(), "names column nowhere"),
        (odd::<16>(), "no input nowhere"),
        (odd::<17>(), "gives money, and the manifest declares a whole number"),
    ] {
        match answer {
            Err(failure @ Failure::PluginDefect(_)) => assert!(failure.to_string().contains(told), "{told:?} is not in: {failure}"),
            other => panic!("{told}: {other:?}"),
        }
    }
}

#[test]
fn skipped_fields_are_absent_and_findings_keep_their_order() {
    let outcome = odd::<18>().unwrap();
    let column = &outcome.outputs[0].rows.columns[0];
    assert_eq!(column.validity, [0b10]);
    assert!(matches!(&column.data, ColumnData::Integers(values) if values[1] == 7));
    let codes: Vec<_> =
        outcome.findings.iter().flat_map(|finding| &finding.reasons).map(|reason| (reason.code.as_str(), reason.column)).collect();
    assert_eq!(codes, [("s", Some(0)), ("w", None), ("v", Some(0))]);
}

#[test]
fn absent_values_need_an_option() {
    let data = ColumnData::Integers(vec![1, 0]);
    let batch = Batch { first_row: 0, rows: 2, columns: vec![Column { validity: vec![0b01], data }] };
    struct Plain;
    impl Adapter for Plain {
        type Settings = ();

        fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> {
            Ok(Self)
        }

        fn push(&mut self, _: &str, rows: &Rows<'_>, _: &mut Out<'_>) -> Result<(), Failure> {
            assert_eq!(rows.read::<N<Option<u8>>>().map(|row| row.value.n).collect::<Vec<_>>(), [Some(1), None]);
            assert_eq!(rows.read::<N<u8>>().count(), 1);
            Ok(())
        }
    }
    let outcome = open::<Plain>(&[("n", ColumnType::Integer, 0)]).push(0, &batch).unwrap();
    assert_eq!(outcome.findings[0].reasons[0].code, "value-missing");
}

#[test]
fn money_and_decimals_keep_every_digit_or_say_so() {
    #[derive(Serialize)]
    struct M<T> {
        m: T,
    }
    struct Writes;
    impl Adapter for Writes {
        type Settings = ();

        fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> {
            Ok(Self)
        }

        fn push(&mut self, _: &str, _: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
            out.write("rows", &M { m: Money::new(15, 1) })?;
            out.write("rows", &M { m: Money::new(1_500, 3) })?;
            out.write("rows", &M { m: Decimal::new(-15_000, 4) })?;
            assert!(out.write("rows", &M { m: Money::new(1_505, 3) }).unwrap_err().to_string().contains("round it first"));
            assert!(out.write("rows", &M { m: Decimal::new(1_505, 3) }).unwrap_err().to_string().contains("round it first"));
            Ok(())
        }
    }
    let batch = Batch { first_row: 0, rows: 0, columns: vec![] };
    let outcome = open::<Writes>(&[("m", ColumnType::Decimal, 2)]).push(0, &batch).unwrap();
    let ColumnData::Decimals(column) = &outcome.outputs[0].rows.columns[0].data else { panic!("decimals") };
    assert_eq!(column.coefficients, [150, 150, -150]);
}

#[test]
fn structs_with_their_fields_in_another_order_take_turns() {
    #[derive(Serialize)]
    struct There {
        n: i64,
        m: i64,
    }
    #[derive(Serialize)]
    struct Again {
        m: i64,
        n: i64,
    }
    #[derive(Serialize)]
    struct Twice {
        n: i64,
        #[serde(rename = "n")]
        m: i64,
    }
    struct Writes;
    impl Adapter for Writes {
        type Settings = ();

        fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> {
            Ok(Self)
        }

        fn push(&mut self, _: &str, _: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
            for number in 0..4 {
                out.write("rows", &There { n: number, m: -number })?;
                out.write("rows", &Again { m: number, n: -number })?;
            }
            assert!(out.write("rows", &Twice { n: 1, m: 1 }).unwrap_err().to_string().contains("two fields n"));
            Ok(())
        }
    }
    let batch = Batch { first_row: 0, rows: 0, columns: vec![] };
    let outcome = open::<Writes>(&[("m", ColumnType::Integer, 0), ("n", ColumnType::Integer, 0)]).push(0, &batch).unwrap();
    let held = |place: usize| match &outcome.outputs[0].rows.columns[place].data {
        ColumnData::Integers(values) => values[..8].to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!((held(0), held(1)), (vec![0, 0, -1, 1, -2, 2, -3, 3], vec![0, 0, 1, -1, 2, -2, 3, -3]));
}
