//! A row into a block, if it is like the one before: each field only makes sure that it is the one that stood in its place before,
//! and of the same kind, and stores its number.
//!
//! Where a struct's fields are known beforehand, places and room are decided once a row. What a value gives is answered and not
//! written by it, so that nothing of the row has an address and all of it can stay in registers, whatever is inlined.

use std::fmt;

use serde::Serialize;
use serde::ser::{Error, Impossible, SerializeStruct, Serializer};

use super::block::{BOOLEAN, Block, DATE, DECIMAL, Field, INTEGER, ROWS, Rest, TEXT, short, tag};
use super::refuse::refuse;
use crate::values::{self, MONEY, unpack};

/// The row is not like the one before, or at fault: it has to be looked at with care.
#[derive(Debug)]
pub(super) struct Unlike;

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row is not like the one before")
    }
}

impl std::error::Error for Unlike {}

impl Error for Unlike {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Takes rows.
pub(super) struct SwiftRows<'o> {
    pub(super) block: &'o mut Block,
    pub(super) sources: &'o [&'o str],
}

/// Takes the fields of one row.
pub(super) struct SwiftRow<'o> {
    fields: &'o mut [Field],
    /// From this row's first cell on.
    cells: &'o mut [i64],
    rest: &'o mut Rest,
    sources: &'o [&'o str],
    next: usize,
    absent: u64,
}

impl SerializeStruct for SwiftRow<'_> {
    type Ok = ();
    type Error = Unlike;

    #[inline(always)]
    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Unlike> {
        let at = self.next;
        self.next += 1;
        // Derived code says beforehand how many fields there are, so that this is decided before the row.
        let (Some(field), Some(cell)) = (self.fields.get_mut(at), self.cells.get_mut(at * ROWS)) else { return Err(Unlike) };
        let known = field.tag;
        if field.name != name.as_ptr() as usize {
            return Err(Unlike);
        }
        let given = value.serialize(SwiftPut::<false> { field, rest: self.rest, sources: self.sources })?;
        *cell = given.value as i64;
        // Nothing is told of what is absent but its name.
        let absent = given.kind_and_scale == ABSENT;
        if absent {
            self.rest.note_absent(&mut self.absent, at);
        }
        let unlike = known ^ tag(name, given.kind_and_scale);
        if (if absent { unlike >> 16 } else { unlike }) != 0 {
            return Err(Unlike);
        }
        Ok(())
    }

    #[inline(always)]
    fn skip_field(&mut self, name: &'static str) -> Result<(), Unlike> {
        self.serialize_field(name, &None::<()>)
    }

    #[inline(always)]
    fn end(self) -> Result<(), Unlike> {
        if self.next == self.fields.len() {
            self.rest.end_row(self.absent);
            return Ok(());
        }
        Err(Unlike)
    }
}

impl<'o> Serializer for SwiftRows<'o> {
    type Ok = ();
    type Error = Unlike;
    type SerializeSeq = Impossible<(), Unlike>;
    type SerializeTuple = Impossible<(), Unlike>;
    type SerializeTupleStruct = Impossible<(), Unlike>;
    type SerializeTupleVariant = Impossible<(), Unlike>;
    type SerializeMap = Impossible<(), Unlike>;
    type SerializeStruct = SwiftRow<'o>;
    type SerializeStructVariant = Impossible<(), Unlike>;

    #[inline(always)]
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<SwiftRow<'o>, Unlike> {
        let Block { fields, cells, rest } = self.block;
        // Where `len` is known beforehand, as in derived code, these are the last bounds that are checked for the row.
        if fields.len() != len {
            return Err(Unlike);
        }
        let cells = cells.get_mut(rest.rows..).and_then(|cells| cells.get_mut(..(len * ROWS).saturating_sub(ROWS - 1)));
        let (Some(fields), Some(cells)) = (fields.get_mut(..len), cells) else { return Err(Unlike) };
        Ok(SwiftRow { fields, cells, rest, sources: self.sources, next: 0, absent: 0 })
    }

    #[inline]
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Unlike> {
        value.serialize(self)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<(), Unlike> {
        Err(Unlike)
    }

    refuse! {
        serialize_bool serialize_i8 serialize_i16 serialize_i32 serialize_i64 serialize_u8 serialize_u16 serialize_u32 serialize_u64
        serialize_f32 serialize_f64 serialize_char serialize_str serialize_bytes serialize_none serialize_unit serialize_unit_variant
        compound
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl SwiftRows<'_> {
    const fn refused(&self) -> Unlike {
        Unlike
    }
}

/// Takes one field's value. `PACKED` inside [`Money`](crate::Money) and [`Date`](crate::Date), whose numbers stand for more.
struct SwiftPut<'r, const PACKED: bool> {
    field: &'r mut Field,
    rest: &'r mut Rest,
    sources: &'r [&'r str],
}

/// What a field gives.
struct Given {
    value: u64,
    kind_and_scale: u64,
}

/// In place of kind and scale: there is no value.
const ABSENT: u64 = 0xffff;

#[inline(always)]
const fn given(kind_and_scale: u64, value: u64) -> Result<Given, Unlike> {
    Ok(Given { value, kind_and_scale })
}

#[inline(always)]
fn integer<N: TryInto<i64>>(value: N) -> Result<Given, Unlike> {
    given(INTEGER, value.try_into().map_err(|_| Unlike)? as u64)
}

impl<const PACKED: bool> SwiftPut<'_, PACKED> {
    /// A [`Decimal`](crate::Decimal) arrives as text too.
    #[inline(never)]
    fn other_text(self, text: &str) -> Result<Given, Unlike> {
        match self.field.kind() {
            TEXT => given(TEXT, self.rest.text(self.field, text, self.sources).ok_or(Unlike)?),
            DECIMAL => given(self.field.kind_and_scale(), decimal(text, self.field.scale()).ok_or(Unlike)?),
            _ => Err(Unlike),
        }
    }

    #[inline(never)]
    fn display(self, value: &dyn fmt::Display) -> Result<Given, Unlike> {
        let (cell, text) = self.rest.display(value).ok_or(Unlike)?;
        match self.field.kind() {
            TEXT => given(TEXT, cell),
            DECIMAL => given(self.field.kind_and_scale(), decimal(text, self.field.scale()).ok_or(Unlike)?),
            _ => Err(Unlike),
        }
    }

    const fn refused(&self) -> Unlike {
        Unlike
    }
}

/// The cell of a decimal, if it fits its column.
fn decimal(text: &str, scale: u8) -> Option<u64> {
    values::decimal_coefficient(text, scale).map(|coefficient| coefficient as u64)
}

macro_rules! integers {
    ($($method:ident($number:ty))*) => {
        $(
            #[inline(always)]
            fn $method(self, value: $number) -> Result<Given, Unlike> {
                integer(value)
            }
        )*
    };
}

impl<const PACKED: bool> Serializer for SwiftPut<'_, PACKED> {
    type Ok = Given;
    type Error = Unlike;
    type SerializeSeq = Impossible<Given, Unlike>;
    type SerializeTuple = Impossible<Given, Unlike>;
    type SerializeTupleStruct = Impossible<Given, Unlike>;
    type SerializeTupleVariant = Impossible<Given, Unlike>;
    type SerializeMap = Impossible<Given, Unlike>;
    type SerializeStruct = Impossible<Given, Unlike>;
    type SerializeStructVariant = Impossible<Given, Unlike>;

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    #[inline(always)]
    fn serialize_i32(self, value: i32) -> Result<Given, Unlike> {
        if PACKED { given(DATE, value as u64) } else { integer(value) }
    }

    #[inline(always)]
    fn serialize_i128(self, value: i128) -> Result<Given, Unlike> {
        if PACKED {
            let (coefficient, scale) = unpack(value);
            return given(DECIMAL | u64::from(scale), coefficient as u64);
        }
        integer(value)
    }

    #[inline(always)]
    fn serialize_bool(self, value: bool) -> Result<Given, Unlike> {
        given(BOOLEAN, u64::from(value))
    }

    #[inline(always)]
    fn serialize_str(self, value: &str) -> Result<Given, Unlike> {
        if let Some(cell) = self.field.passed_on(value) {
            return given(TEXT, cell);
        }
        match short(value) {
            cell if cell != 0 && self.field.kind() == TEXT => given(TEXT, cell),
            _ => self.other_text(value),
        }
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<Given, Unlike> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline(always)]
    fn serialize_none(self) -> Result<Given, Unlike> {
        given(ABSENT, 0)
    }

    #[inline(always)]
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Given, Unlike> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Given, Unlike> {
        self.serialize_str(variant)
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, name: &'static str, value: &T) -> Result<Given, Unlike> {
        if name == MONEY || name == values::DATE {
            value.serialize(SwiftPut::<true> { field: self.field, rest: self.rest, sources: self.sources })
        } else {
            value.serialize(self)
        }
    }

    #[inline]
    fn collect_str<T: ?Sized + fmt::Display>(self, value: &T) -> Result<Given, Unlike> {
        self.display(&format_args!("{value}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unlike> {
        Err(Unlike)
    }

    refuse! { serialize_f32 serialize_f64 serialize_bytes serialize_unit compound }

    #[inline(always)]
    fn is_human_readable(&self) -> bool {
        false
    }
}
