//! From a batch's columns to the plugin's structs, a row at a time, without allocation.
//!
//! The fields of a struct are matched to columns by name once a batch, and after that by place alone.

use std::cell::RefCell;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::fault::{Fault, Kind};
use super::findings::{Findings, Reason};
use super::value::{Cell, ColumnView};
use crate::failure::Failure;
use crate::wire;

/// Some consecutive rows of an input.
#[derive(Debug)]
pub struct Rows<'b> {
    batch: &'b wire::Batch,
    place: u32,
    port: &'b wire::Port,
    findings: &'b RefCell<Findings>,
}

/// A row and its number.
#[derive(Debug, Clone, Copy)]
pub struct Row<T> {
    /// Its number in its input, from 0: what findings name it by.
    pub number: u64,
    /// Its values.
    pub value: T,
}

impl<'b> Rows<'b> {
    pub(crate) fn new(batch: &'b wire::Batch, place: u32, port: &'b wire::Port, findings: &'b RefCell<Findings>) -> Self {
        Self { batch, place, port, findings }
    }

    /// How many rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.batch.rows as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of the first row in its input.
    #[must_use]
    pub const fn first_number(&self) -> u64 {
        self.batch.first_row
    }

    /// The rows as structs whose fields have the names of columns. A struct need not have a field for every column.
    ///
    /// | column | field |
    /// |---|---|
    /// | text | `&str`, `String`, an enum of unit variants |
    /// | money | [`Money`](crate::Money) |
    /// | decimal | [`Decimal`](crate::Decimal), or [`Money`](crate::Money) where it is an exact number in a hot place |
    /// | date | [`Date`](crate::Date) |
    /// | integer | any integer type |
    /// | boolean | `bool` |
    /// | with `required = false` | `Option` of the above |
    ///
    /// A row with a value that does not fit its field, such as 300 in a `u8`, is rejected by the SDK and does not appear here.
    /// A field that is no declared column, or whose type can hold no value of its column, is a defect of the plugin:
    /// no row appears here, and the call fails with [`Failure::PluginDefect`], whatever the plugin answers.
    #[inline]
    pub fn read<T: Deserialize<'b>>(&self) -> Read<'b, T> {
        Read {
            batch: self.batch,
            place: self.place,
            port: self.port,
            findings: self.findings,
            row: 0,
            bound: Bound::default(),
            of: PhantomData,
        }
    }
}

/// Iterates over rows as structs: see [`Rows::read`].
#[derive(Debug)]
pub struct Read<'b, T> {
    batch: &'b wire::Batch,
    place: u32,
    port: &'b wire::Port,
    findings: &'b RefCell<Findings>,
    row: usize,
    bound: Bound<'b>,
    of: PhantomData<fn() -> T>,
}

impl<'b, T: Deserialize<'b>> Iterator for Read<'b, T> {
    type Item = Row<T>;

    #[inline]
    fn next(&mut self) -> Option<Row<T>> {
        while self.row < self.batch.rows as usize {
            let row = self.row;
            self.row += 1;
            let number = self.batch.first_row + row as u64;
            match T::deserialize(RowDeserializer { batch: self.batch, port: self.port, bound: &mut self.bound, row }) {
                Ok(value) => return Some(Row { number, value }),
                Err(fault) => self.note(number, fault),
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.batch.rows as usize - self.row))
    }
}

impl<T> Read<'_, T> {
    #[cold]
    fn note(&mut self, number: u64, fault: Fault) {
        let mut findings = self.findings.borrow_mut();
        let (column, kind) = fault.into_parts();
        let column = column.and_then(|place| self.port.columns.get(place as usize)).map(|column| column.name.clone());
        match kind {
            Kind::Value { code, wanted } => {
                let of = column.as_deref().map_or_else(String::new, |name| format!(" of {name}"));
                let message = format!("The value{of} cannot be used here: it must be {wanted}.");
                let reason = Reason { code: code.into(), message: message.into(), column: column.map(Into::into) };
                findings.add((self.place, self.port), number, wire::Effect::Reject, vec![reason]);
            }
            Kind::Plugin(message) => {
                let at = column.map_or_else(String::new, |name| format!(", column {name}"));
                findings.defect(Failure::defect("row-struct-unfit", format!("Reading input {}{at}: {message}.", self.port.name)));
                self.row = self.batch.rows as usize;
            }
        }
    }
}

/// The columns that a struct's fields stand for.
#[derive(Debug, Default)]
struct Bound<'b> {
    fields: Option<&'static [&'static str]>,
    columns: Vec<ColumnView<'b>>,
}

impl<'b> Bound<'b> {
    #[cold]
    #[inline(never)]
    fn bind(&mut self, fields: &'static [&'static str], batch: &'b wire::Batch, port: &wire::Port) -> Result<(), Fault> {
        self.columns.clear();
        for field in fields {
            let place = port.columns.iter().position(|column| column.name == *field);
            let place = place.ok_or_else(|| Fault::plugin(format!("the struct has a field {field}, which is no declared column")))?;
            let column = batch.columns.get(place).ok_or_else(|| Fault::plugin(format!("the batch has no column {field}")))?;
            self.columns.push(ColumnView::new(place as u32, column));
        }
        self.fields = Some(fields);
        Ok(())
    }
}

struct RowDeserializer<'b, 'r> {
    batch: &'b wire::Batch,
    port: &'r wire::Port,
    bound: &'r mut Bound<'b>,
    row: usize,
}

impl<'b> Deserializer<'b> for RowDeserializer<'b, '_> {
    type Error = Fault;

    #[inline(always)]
    fn deserialize_struct<V: Visitor<'b>>(self, _: &'static str, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        if !self.bound.fields.is_some_and(|bound| std::ptr::eq(bound, fields)) {
            self.bound.bind(fields, self.batch, self.port)?;
        }
        visitor.visit_seq(Fields { columns: self.bound.columns.iter(), row: self.row })
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'b>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'b>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::plugin("a row is read as a struct with a field for each column; serde's flatten does not work here"))
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        <V: Visitor<'b>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

struct Fields<'b, 'r> {
    columns: std::slice::Iter<'r, ColumnView<'b>>,
    row: usize,
}

impl<'b> SeqAccess<'b> for Fields<'b, '_> {
    type Error = Fault;

    #[inline(always)]
    fn next_element_seed<S: DeserializeSeed<'b>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some(column) = self.columns.next() else { return Ok(None) };
        match seed.deserialize(Cell { column, row: self.row }) {
            Ok(value) => Ok(Some(value)),
            Err(fault) => Err(fault.at(column.place)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.columns.len())
    }
}
