//! Rows of many forms in turns: whatever came before a row, its columns hold what it gave.

#![allow(clippy::unwrap_used, missing_docs)]

use std::cell::RefCell;
use std::fmt;

use bailiwick_sdk::testing::{Native, TestHub};
use bailiwick_sdk::wire::{Batch, Column, ColumnData, ColumnShape, ColumnType, Context as WireContext, Port, TextColumn};
use bailiwick_sdk::{Adapter, Context, Decimal, Done, Failure, Hub, Money, Out, Rows};
use proptest::prelude::*;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// What is written of a row of the input.
#[derive(Debug, Clone)]
struct Told {
    /// Passed on, passed on in part, made anew, displayed, or absent.
    form: u8,
    own: String,
    amount: Option<i64>,
    /// Fields in the other order.
    turned: bool,
    /// A row that cannot be written comes before.
    fault: bool,
}

#[derive(Serialize)]
struct There<'a> {
    text: Option<&'a str>,
    money: Option<Money>,
    truth: bool,
}

#[derive(Serialize)]
struct Turned<'a> {
    truth: bool,
    text: Option<Shown<'a>>,
    money: Option<Decimal>,
}

#[derive(Serialize)]
struct Wrong<'a> {
    text: &'a str,
    money: &'static str,
    truth: bool,
}

/// A text that is displayed.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| write!(f, "{character}"))
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Deserialize)]
struct In<'a> {
    #[serde(borrow)]
    text: Option<&'a str>,
}

thread_local! {
    static TOLD: RefCell<Vec<Told>> = const { RefCell::new(Vec::new()) };
}

struct Writes;

impl Adapter for Writes {
    type Settings = ();

    fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn push(&mut self, _: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        for (row, told) in rows.read::<In>().zip(TOLD.with_borrow(Clone::clone)) {
            let given = row.value.text.unwrap_or_default();
            let text = text_of(&told, given);
            if told.fault {
                let fault = out.write("rows", &Wrong { text: given, money: "much", truth: true }).unwrap_err();
                assert!(fault.to_string().contains("column money: the field gives text"), "{fault}");
            }
            if told.turned {
                let money = told.amount.map(|amount| Decimal::new(amount, 2));
                out.write("rows", &Turned { truth: told.fault, text: text.as_deref().map(Shown), money })?;
            } else {
                // The same address as before holds another text.
                let mut buffer = String::with_capacity(64);
                buffer.push_str(text.as_deref().unwrap_or_default());
                let money = told.amount.map(|amount| if amount % 2 == 0 { Money::new(amount, 2) } else { Money::new(amount * 10, 3) });
                let text = if told.form == 0 { row.value.text } else { text.as_ref().map(|_| buffer.as_str()) };
                out.write("rows", &There { text, money, truth: told.fault })?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Out<'_>) -> Result<Done, Failure> {
        Ok(Done::Yes)
    }
}

fn text_of(told: &Told, given: &str) -> Option<String> {
    match told.form {
        0 => Some(given.to_owned()),
        1 => Some(given.chars().skip(1).collect()),
        2 | 3 => Some(told.own.clone()),
        _ => None,
    }
}

fn open<A: Adapter>(columns: Vec<ColumnShape>) -> Native<A> {
    let port = |columns| Port { name: "rows".to_owned(), present: true, columns };
    let input = ColumnShape { name: "text".to_owned(), kind: ColumnType::Text, scale: 0 };
    let context = WireContext { partner: "p".into(), job: "j".into(), inputs: vec![port(vec![input])], outputs: vec![port(columns)] };
    Native::open(context, "{}", &TestHub::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lookups")).hub()).unwrap()
}

fn texts(texts: &[String]) -> Batch {
    let mut column = TextColumn { offsets: vec![0], content: String::new() };
    for text in texts {
        column.content += text;
        column.offsets.push(column.content.len() as u32);
    }
    Batch { first_row: 0, rows: texts.len() as u32, columns: vec![Column { validity: Vec::new(), data: ColumnData::Text(column) }] }
}

fn is_set(bits: &[u8], row: usize) -> bool {
    bits.is_empty() || bits[row / 8] >> (row % 8) & 1 == 1
}

fn told() -> impl Strategy<Value = Told> {
    let turned = prop::bool::weighted(0.1);
    let fault = prop::bool::weighted(0.05);
    let row = (0_u8..6, "\\PC{0,12}", any::<Option<i32>>(), turned, fault);
    row.prop_map(|(form, own, amount, turned, fault)| Told { form, own, amount: amount.map(i64::from), turned, fault })
}

proptest! {
    #[test]
    fn every_row_is_written_as_it_was_given(calls in prop::collection::vec(prop::collection::vec(("\\PC{0,12}", told()), 1..200), 1..3)) {
        let shape = |name: &str, kind, scale| ColumnShape { name: name.to_owned(), kind, scale };
        let columns = vec![shape("money", ColumnType::Decimal, 2), shape("truth", ColumnType::Boolean, 0), shape("text", ColumnType::Text, 0)];
        let mut native = open::<Writes>(columns);
        for rows in calls {
            let (given, all): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            TOLD.set(all.clone());
            let outcome = native.push(0, &texts(&given)).unwrap();
            let [money, truth, text] = &outcome.outputs[0].rows.columns[..] else { panic!("three columns") };
            let ColumnData::Decimals(amounts) = &money.data else { panic!("money") };
            let ColumnData::Booleans(truths) = &truth.data else { panic!("truth") };
            let ColumnData::Text(written) = &text.data else { panic!("text") };
            prop_assert_eq!(written.offsets.len(), all.len() + 1);
            prop_assert_eq!((amounts.coefficients.len(), truths.len()), (all.len(), all.len().div_ceil(8)));
            for (row, (told, given)) in all.iter().zip(&given).enumerate() {
                let wanted = text_of(told, given);
                let slice = &written.content[written.offsets[row] as usize..written.offsets[row + 1] as usize];
                prop_assert_eq!(is_set(&text.validity, row).then_some(slice), wanted.as_deref());
                prop_assert_eq!(slice.is_empty() || wanted.is_some(), true);
                prop_assert_eq!(is_set(&money.validity, row).then_some(amounts.coefficients[row]), told.amount);
                prop_assert_eq!(is_set(truths, row), told.fault);
            }
        }
    }
}

/// More columns than a word has bits, of which every third is absent in every second row.
struct Wide;

const WIDTH: usize = 150;

fn name(column: usize) -> &'static str {
    static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    &NAMES.get_or_init(|| (0..WIDTH).map(|column| format!("c{column}")).collect())[column]
}

struct WideRow(usize);

impl Serialize for WideRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("WideRow", WIDTH)?;
        for column in 0..WIDTH {
            let value = (!column.is_multiple_of(3) || self.0.is_multiple_of(2)).then_some(self.0 * WIDTH + column);
            row.serialize_field(name(column), &value)?;
        }
        row.end()
    }
}

impl Adapter for Wide {
    type Settings = ();

    fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn push(&mut self, _: &str, _: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        (0..200).try_for_each(|row| out.write("rows", &WideRow(row)))
    }

    fn finish(&mut self, _: &mut Out<'_>) -> Result<Done, Failure> {
        Ok(Done::Yes)
    }
}

#[test]
fn an_output_can_be_wide() {
    let shape = |column| ColumnShape { name: name(column).to_owned(), kind: ColumnType::Integer, scale: 0 };
    let outcome = open::<Wide>((0..WIDTH).rev().map(shape).collect()).push(0, &texts(&[])).unwrap();
    for (column, written) in (0..WIDTH).rev().zip(&outcome.outputs[0].rows.columns) {
        let ColumnData::Integers(values) = &written.data else { panic!("integers") };
        assert_eq!(values.len(), 200);
        for (row, value) in values.iter().enumerate() {
            let wanted = (!column.is_multiple_of(3) || row % 2 == 0).then_some((row * WIDTH + column) as i64);
            assert_eq!(is_set(&written.validity, row).then_some(*value), wanted, "{column} {row}");
        }
    }
}
