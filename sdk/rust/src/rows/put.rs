//! One column that is being written, and a field's value on its way into it.

use std::fmt::{self, Write as _};

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::fault::Fault;
use super::refuse::refuse;
use crate::values::{DATE, MONEY, Money, Rounding, unpack};
use crate::wire::{self, ColumnData};

/// One column that is being written.
#[derive(Debug)]
pub(crate) struct ColumnWriter {
    pub(crate) name: String,
    /// Its place among the declared columns.
    pub(crate) place: usize,
    /// The name of the field that was written to it last: told by address, so this is not the same as its own name.
    pub(crate) field: &'static str,
    shape: wire::ColumnShape,
    data: ColumnData,
    /// Rows without a value.
    absent: Vec<u32>,
    /// Rows of a column of truth values; the others know from their data.
    booleans: u32,
}

impl ColumnWriter {
    pub(crate) fn new(place: usize, shape: &wire::ColumnShape) -> Self {
        Self { name: shape.name.clone(), place, field: "", shape: shape.clone(), data: empty(shape, 0, 0), absent: Vec::new(), booleans: 0 }
    }

    /// What was written, leaving room for about as much again.
    pub(crate) fn take(&mut self, rows: u32) -> wire::Column {
        let text_bytes = if let ColumnData::Text(text) = &self.data { text.content.len() } else { 0 };
        let next = empty(&self.shape, rows as usize, text_bytes);
        let data = std::mem::replace(&mut self.data, next);
        let mut validity = Vec::new();
        if !self.absent.is_empty() {
            validity = vec![0xff; (rows as usize).div_ceil(8)];
            if let (Some(last), 1..) = (validity.last_mut(), rows % 8) {
                *last = (1 << (rows % 8)) - 1;
            }
            for row in self.absent.drain(..) {
                validity[row as usize / 8] &= !(1 << (row % 8));
            }
        }
        self.booleans = 0;
        wire::Column { validity, data }
    }

    /// A row has no value here.
    pub(crate) fn put_absent(&mut self) {
        let row = match &mut self.data {
            ColumnData::Integers(values) => push(values, 0),
            ColumnData::Decimals(decimals) => push(&mut decimals.coefficients, 0),
            ColumnData::Dates(values) => push(values, 0),
            ColumnData::Text(text) => push(&mut text.offsets, text.content.len() as u32) - 1,
            ColumnData::Booleans(bits) => push_bit(bits, &mut self.booleans, false),
        };
        self.absent.push(row as u32);
    }

    #[inline(always)]
    fn put_integer(&mut self, value: i64) -> Result<(), Fault> {
        match &mut self.data {
            ColumnData::Integers(values) => {
                values.push(value);
                Ok(())
            }
            _ => Err(self.mismatch("a whole number")),
        }
    }

    #[inline(always)]
    fn put_money(&mut self, coefficient: i64, scale: u8) -> Result<(), Fault> {
        match &mut self.data {
            ColumnData::Decimals(decimals) => {
                let coefficient = if scale == decimals.scale { coefficient } else { rescaled(coefficient, scale, decimals.scale)? };
                decimals.coefficients.push(coefficient);
                Ok(())
            }
            _ => Err(self.mismatch("money")),
        }
    }

    #[inline(always)]
    fn put_days(&mut self, days: i32) -> Result<(), Fault> {
        match &mut self.data {
            ColumnData::Dates(values) => {
                values.push(days);
                Ok(())
            }
            _ => Err(self.mismatch("a date")),
        }
    }

    #[inline(always)]
    fn put_text(&mut self, value: &str) -> Result<(), Fault> {
        match &mut self.data {
            ColumnData::Text(text) => {
                text.content.push_str(value);
                text.offsets.push(text.content.len() as u32);
                Ok(())
            }
            ColumnData::Decimals(_) => self.put_decimal_text(value),
            _ => Err(self.mismatch("text")),
        }
    }

    /// A [`Decimal`](crate::Decimal) arrives as text.
    #[inline(never)]
    fn put_decimal_text(&mut self, value: &str) -> Result<(), Fault> {
        let decimal: rust_decimal::Decimal = value.parse().map_err(|_| self.mismatch("text"))?;
        let decimal = decimal.normalize();
        let too_fine = || Fault::plugin("a value does not fit the column's digits: round it first");
        let coefficient = i64::try_from(decimal.mantissa()).map_err(|_| too_fine())?;
        let scale = u8::try_from(decimal.scale()).ok().filter(|scale| *scale <= 18).ok_or_else(too_fine)?;
        self.put_money(coefficient, scale)
    }

    #[inline(always)]
    fn put_boolean(&mut self, value: bool) -> Result<(), Fault> {
        match &mut self.data {
            ColumnData::Booleans(bits) => {
                push_bit(bits, &mut self.booleans, value);
                Ok(())
            }
            _ => Err(self.mismatch("a truth value")),
        }
    }

    #[cold]
    #[inline(never)]
    fn mismatch(&self, given: &str) -> Fault {
        let declared = match self.data {
            ColumnData::Integers(_) => "a whole number",
            ColumnData::Decimals(_) => "money or a decimal",
            ColumnData::Dates(_) => "a date",
            ColumnData::Text(_) => "text",
            ColumnData::Booleans(_) => "a truth value",
        };
        Fault::plugin(format!("the field gives {given}, and the manifest declares {declared}"))
    }
}

fn empty(shape: &wire::ColumnShape, rows: usize, text_bytes: usize) -> ColumnData {
    match shape.kind {
        wire::ColumnType::Integer => ColumnData::Integers(Vec::with_capacity(rows)),
        wire::ColumnType::Decimal => {
            ColumnData::Decimals(wire::DecimalColumn { scale: shape.scale, coefficients: Vec::with_capacity(rows) })
        }
        wire::ColumnType::Date => ColumnData::Dates(Vec::with_capacity(rows)),
        wire::ColumnType::Text => {
            let mut offsets = Vec::with_capacity(rows + 1);
            offsets.push(0);
            ColumnData::Text(wire::TextColumn { offsets, content: String::with_capacity(text_bytes) })
        }
        wire::ColumnType::Boolean => ColumnData::Booleans(Vec::with_capacity(rows.div_ceil(8))),
    }
}

#[cold]
fn rescaled(coefficient: i64, scale: u8, wanted: u8) -> Result<i64, Fault> {
    let money = Money::new(coefficient, scale);
    let rescaled = money.rescale(wanted, Rounding::Down).map_err(|_| Fault::plugin("an amount does not fit 64 bits"))?;
    if rescaled == money {
        Ok(rescaled.coefficient())
    } else {
        Err(Fault::plugin(format!("an amount has more than the declared {wanted} digits after the point: round it first")))
    }
}

/// Returns the place at which the value stands.
fn push<T>(values: &mut Vec<T>, value: T) -> usize {
    values.push(value);
    values.len() - 1
}

#[inline(always)]
fn push_bit(bits: &mut Vec<u8>, rows: &mut u32, value: bool) -> usize {
    let row = *rows as usize;
    if row.is_multiple_of(8) {
        bits.push(0);
    }
    bits[row / 8] |= u8::from(value) << (row % 8);
    *rows += 1;
    row
}

/// A field's value on its way into a column. `PACKED` inside [`Money`] and [`Date`](crate::Date), whose numbers stand for more.
pub(crate) struct Put<'c, const PACKED: bool>(pub(crate) &'c mut ColumnWriter);

impl<const PACKED: bool> Put<'_, PACKED> {
    #[cold]
    fn refused(&self) -> Fault {
        self.0.mismatch("what no column can hold")
    }
}

macro_rules! integers {
    ($($method:ident($number:ty))*) => {
        $(
            #[inline(always)]
            fn $method(self, value: $number) -> Result<(), Fault> {
                match i64::try_from(value) {
                    Ok(value) => self.0.put_integer(value),
                    Err(_) => Err(Fault::plugin("a whole number does not fit 64 bits")),
                }
            }
        )*
    };
}

impl<const PACKED: bool> Serializer for Put<'_, PACKED> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Impossible<(), Fault>;
    type SerializeTuple = Impossible<(), Fault>;
    type SerializeTupleStruct = Impossible<(), Fault>;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = Impossible<(), Fault>;
    type SerializeStruct = Impossible<(), Fault>;
    type SerializeStructVariant = Impossible<(), Fault>;

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    #[inline(always)]
    fn serialize_i32(self, value: i32) -> Result<(), Fault> {
        if PACKED { self.0.put_days(value) } else { self.0.put_integer(i64::from(value)) }
    }

    #[inline(always)]
    fn serialize_i128(self, value: i128) -> Result<(), Fault> {
        if PACKED {
            let (coefficient, scale) = unpack(value);
            return self.0.put_money(coefficient, scale);
        }
        match i64::try_from(value) {
            Ok(value) => self.0.put_integer(value),
            Err(_) => Err(Fault::plugin("a whole number does not fit 64 bits")),
        }
    }

    #[inline(always)]
    fn serialize_bool(self, value: bool) -> Result<(), Fault> {
        self.0.put_boolean(value)
    }

    #[inline(always)]
    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        self.0.put_text(value)
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.0.put_text(value.encode_utf8(&mut [0; 4]))
    }

    #[inline(always)]
    fn serialize_none(self) -> Result<(), Fault> {
        self.0.put_absent();
        Ok(())
    }

    #[inline(always)]
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Fault> {
        self.0.put_text(variant)
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, name: &'static str, value: &T) -> Result<(), Fault> {
        if name == MONEY || name == DATE { value.serialize(Put::<true>(self.0)) } else { value.serialize(self) }
    }

    #[inline]
    fn collect_str<T: ?Sized + fmt::Display>(self, value: &T) -> Result<(), Fault> {
        match &mut self.0.data {
            ColumnData::Text(text) => {
                write!(text.content, "{value}").map_err(|_| Fault::plugin("a value cannot be displayed"))?;
                text.offsets.push(text.content.len() as u32);
                Ok(())
            }
            _ => self.0.put_text(&value.to_string()),
        }
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Fault> {
        Err(self.refused())
    }

    refuse! { serialize_f32 serialize_f64 serialize_bytes serialize_unit compound }

    #[inline(always)]
    fn is_human_readable(&self) -> bool {
        false
    }
}
