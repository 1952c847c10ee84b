//! One value of a column, on its way into a field.

use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Visitor};

use super::fault::Fault;
use crate::values::{DATE, Date, MONEY, decimal_text, pack};
use crate::wire;

/// A column as it is read: everything borrowed, so that a value costs an index.
#[derive(Debug)]
pub(crate) struct ColumnView<'b> {
    /// Its place among the declared columns.
    pub(crate) place: u32,
    validity: &'b [u8],
    data: DataView<'b>,
}

#[derive(Debug)]
enum DataView<'b> {
    Integers(&'b [i64]),
    Decimals { scale: u8, coefficients: &'b [i64] },
    Dates(&'b [i32]),
    Text { offsets: &'b [u32], content: &'b str },
    Booleans(&'b [u8]),
}

impl<'b> ColumnView<'b> {
    pub(crate) fn new(place: u32, column: &'b wire::Column) -> Self {
        let data = match &column.data {
            wire::ColumnData::Integers(values) => DataView::Integers(values),
            wire::ColumnData::Decimals(decimals) => DataView::Decimals { scale: decimals.scale, coefficients: &decimals.coefficients },
            wire::ColumnData::Dates(values) => DataView::Dates(values),
            wire::ColumnData::Text(text) => DataView::Text { offsets: &text.offsets, content: &text.content },
            wire::ColumnData::Booleans(bits) => DataView::Booleans(bits),
        };
        Self { place, validity: &column.validity, data }
    }
}

/// The value of one row of a column.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'b, 'r> {
    pub(crate) column: &'r ColumnView<'b>,
    pub(crate) row: usize,
}

#[cold]
#[inline(never)]
fn missing() -> Fault {
    Fault::value("value-missing", "given")
}

#[inline(always)]
fn bit(bits: &[u8], row: usize) -> bool {
    bits[row / 8] >> (row % 8) & 1 == 1
}

impl<'b> Cell<'b, '_> {
    #[inline(always)]
    fn is_present(&self) -> bool {
        self.column.validity.is_empty() || bit(self.column.validity, self.row)
    }

    #[inline(always)]
    fn required(&self) -> Result<(), Fault> {
        if self.is_present() { Ok(()) } else { Err(missing()) }
    }

    #[inline(always)]
    fn integer<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.required()?;
        match self.column.data {
            DataView::Integers(values) => visitor.visit_i64(values[self.row]),
            _ => Err(self.mismatch("a whole number")),
        }
    }

    #[inline(always)]
    fn text<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.required()?;
        match self.column.data {
            DataView::Text { .. } => visitor.visit_borrowed_str(self.borrowed()),
            _ => self.decimal_as_text(visitor),
        }
    }

    /// A [`Decimal`](crate::Decimal) is read from text.
    #[inline(never)]
    fn decimal_as_text<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.column.data {
            DataView::Decimals { scale, coefficients } => visitor.visit_str(decimal_text(coefficients[self.row], scale).as_str()),
            _ => Err(self.mismatch("text")),
        }
    }

    #[inline(always)]
    fn borrowed(&self) -> &'b str {
        match self.column.data {
            DataView::Text { offsets, content } => &content[offsets[self.row] as usize..offsets[self.row + 1] as usize],
            _ => "",
        }
    }

    #[cold]
    #[inline(never)]
    fn mismatch(&self, wanted: &str) -> Fault {
        let holds = match self.column.data {
            DataView::Integers(_) => "whole numbers",
            DataView::Decimals { .. } => "money or decimals: use Money or Decimal",
            DataView::Dates(_) => "dates: use Date",
            DataView::Text { .. } => "text",
            DataView::Booleans(_) => "truth values",
        };
        Fault::plugin(format!("the field wants {wanted}, and the column holds {holds}"))
    }
}

macro_rules! integers {
    ($($method:ident)*) => {
        $(
            #[inline(always)]
            fn $method<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
                self.integer(visitor)
            }
        )*
    };
}

macro_rules! unfit {
    ($($method:ident($($argument:ty),*): $wanted:literal)*) => {
        $(
            fn $method<V: Visitor<'b>>(self, $(_: $argument,)* _: V) -> Result<V::Value, Fault> {
                Err(self.mismatch($wanted))
            }
        )*
    };
}

impl<'b> Deserializer<'b> for Cell<'b, '_> {
    type Error = Fault;

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    unfit! {
        deserialize_f32(): "a float, which is never exact: use Money or Decimal"
        deserialize_f64(): "a float, which is never exact: use Money or Decimal"
        deserialize_bytes(): "bytes"
        deserialize_byte_buf(): "bytes"
        deserialize_unit(): "nothing"
        deserialize_unit_struct(&'static str): "nothing"
        deserialize_seq(): "a list"
        deserialize_tuple(usize): "a list"
        deserialize_tuple_struct(&'static str, usize): "a list"
        deserialize_map(): "a map"
        deserialize_struct(&'static str, &'static [&'static str]): "a struct"
    }

    #[inline(always)]
    fn deserialize_bool<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.required()?;
        match self.column.data {
            DataView::Booleans(bits) => visitor.visit_bool(bit(bits, self.row)),
            _ => Err(self.mismatch("a truth value")),
        }
    }

    #[inline(always)]
    fn deserialize_str<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    #[inline(always)]
    fn deserialize_string<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_char<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    #[inline(always)]
    fn deserialize_option<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_present() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    #[inline(always)]
    fn deserialize_newtype_struct<V: Visitor<'b>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        if name == MONEY {
            self.required()?;
            return match self.column.data {
                DataView::Decimals { scale, coefficients } => visitor.visit_i128(pack(coefficients[self.row], scale)),
                _ => Err(self.mismatch("money")),
            };
        }
        if name == DATE {
            self.required()?;
            return match self.column.data {
                DataView::Dates(days) => visitor.visit_i32(days[self.row]),
                _ => Err(self.mismatch("a date")),
            };
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'b>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.required()?;
        match self.column.data {
            DataView::Text { .. } => visitor.visit_enum(StrDeserializer::new(self.borrowed())),
            _ => Err(self.mismatch("one of some words")),
        }
    }

    fn deserialize_any<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        if !self.is_present() {
            return visitor.visit_none();
        }
        match self.column.data {
            DataView::Integers(values) => visitor.visit_i64(values[self.row]),
            DataView::Booleans(bits) => visitor.visit_bool(bit(bits, self.row)),
            DataView::Text { .. } | DataView::Decimals { .. } => self.text(visitor),
            DataView::Dates(days) => match Date::from_days(days[self.row]) {
                Some(date) => visitor.visit_string(date.to_string()),
                None => Err(Fault::value("value-out-of-range", "a date of the years 1 to 9999")),
            },
        }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    #[inline(always)]
    fn is_human_readable(&self) -> bool {
        false
    }
}
