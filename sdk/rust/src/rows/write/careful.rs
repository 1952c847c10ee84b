//! A row into a block with a look at each field: columns are brought into the order of the fields, values to their columns' form.
//!
//! It is for the first row and for rows unlike the one before. It alone knows why a row cannot be written.

use std::fmt;

use serde::Serialize;
use serde::ser::{Impossible, SerializeStruct, Serializer};

use super::OutputWriter;
use super::block::{BOOLEAN, DATE, DECIMAL, INTEGER, ROWS, TEXT, tag};
use super::refuse::refuse;
use crate::rows::fault::Fault;
use crate::values::{self, MONEY, Money, Rounding, unpack};

/// Takes rows.
pub(super) struct CarefulRows<'o> {
    pub(super) output: &'o mut OutputWriter,
    pub(super) sources: &'o [&'o str],
}

/// Takes the fields of one row.
pub(super) struct CarefulRow<'o> {
    output: &'o mut OutputWriter,
    sources: &'o [&'o str],
    next: usize,
    absent: u64,
}

/// What a field gives, as its column's cell. None is no value.
type Cell = Option<u64>;

impl CarefulRow<'_> {
    /// Puts the column of the field `name` to the place of the next field, and says which that is.
    #[inline(never)]
    fn meet(&mut self, name: &'static str) -> Result<usize, Fault> {
        let at = self.next;
        self.next += 1;
        match self.output.columns.iter().position(|column| column.shape.name == name) {
            None => return Err(Fault::plugin(format!("the struct has a field {name}, which is no declared column"))),
            Some(place) if place < at => return Err(Fault::plugin(format!("the struct has two fields {name}"))),
            // Rows in the old order have to go out first, and this row is begun again.
            Some(place) if place > at && self.output.block.rest.rows > 0 => {
                self.output.reorders = true;
                return Err(Fault::plugin("the columns are not in the order of the fields yet"));
            }
            Some(place) => {
                self.output.columns.swap(place, at);
                self.output.block.fields.swap(place, at);
            }
        }
        let field = &mut self.output.block.fields[at];
        (field.name, field.tag) = (name.as_ptr() as usize, tag(name, self.output.columns[at].kind_and_scale()));
        Ok(at)
    }

    #[inline(never)]
    fn put(&mut self, at: usize, cell: Result<Cell, Fault>) -> Result<(), Fault> {
        let block = &mut self.output.block;
        let cell = cell.map_err(|fault| fault.at(self.output.columns[at].place as u32))?;
        if cell.is_none() {
            block.rest.note_absent(&mut self.absent, at);
        }
        block.cells[at * ROWS + block.rest.rows] = cell.unwrap_or(0) as i64;
        Ok(())
    }
}

impl SerializeStruct for CarefulRow<'_> {
    type Ok = ();
    type Error = Fault;

    #[inline(never)]
    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        let at = self.meet(name)?;
        let cell = value.serialize(CarefulPut::<false> { output: self.output, sources: self.sources, at });
        self.put(at, cell)
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), Fault> {
        let at = self.meet(name)?;
        self.put(at, Ok(None))
    }

    fn end(self) -> Result<(), Fault> {
        let OutputWriter { block, columns, .. } = self.output;
        if self.next == columns.len() {
            block.rest.end_row(self.absent);
            return Ok(());
        }
        let missing: Vec<&str> = columns.iter().skip(self.next).map(|column| column.shape.name.as_str()).collect();
        Err(Fault::plugin(format!("the struct lacks a field for {}", missing.join(", "))))
    }
}

impl CarefulRows<'_> {
    #[cold]
    fn refused(&self) -> Fault {
        Fault::plugin("a row is written as a struct with a field for each column; serde's flatten does not work here")
    }
}

impl<'o> Serializer for CarefulRows<'o> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Impossible<(), Fault>;
    type SerializeTuple = Impossible<(), Fault>;
    type SerializeTupleStruct = Impossible<(), Fault>;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = Impossible<(), Fault>;
    type SerializeStruct = CarefulRow<'o>;
    type SerializeStructVariant = Impossible<(), Fault>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<CarefulRow<'o>, Fault> {
        self.output.block.make_room();
        Ok(CarefulRow { output: self.output, sources: self.sources, next: 0, absent: 0 })
    }

    #[inline]
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<(), Fault> {
        Err(self.refused())
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

/// Takes one field's value. `PACKED` inside [`Money`] and [`Date`](crate::Date), whose numbers stand for more.
struct CarefulPut<'r, const PACKED: bool> {
    output: &'r mut OutputWriter,
    sources: &'r [&'r str],
    at: usize,
}

impl<const PACKED: bool> CarefulPut<'_, PACKED> {
    fn kind(&self) -> u64 {
        self.output.block.fields[self.at].kind()
    }

    fn of_kind(&self, kind: u64, cell: u64, given: &str) -> Result<Cell, Fault> {
        if self.kind() == kind { Ok(Some(cell)) } else { Err(self.mismatch(given)) }
    }

    #[inline(never)]
    fn integer(&self, value: Option<i64>) -> Result<Cell, Fault> {
        let value = value.ok_or_else(|| Fault::plugin("a whole number does not fit 64 bits"))?;
        self.of_kind(INTEGER, value as u64, "a whole number")
    }

    #[inline(never)]
    fn money(&self, coefficient: i64, scale: u8) -> Result<Cell, Fault> {
        let wanted = self.output.block.fields[self.at].scale();
        let coefficient = if self.kind() == DECIMAL { rescaled(coefficient, scale, wanted)? } else { coefficient };
        self.of_kind(DECIMAL, coefficient as u64, "money")
    }

    #[inline(never)]
    fn text(self, value: &str) -> Result<Cell, Fault> {
        match self.kind() {
            TEXT => {
                let block = &mut self.output.block;
                let cell = block.rest.text(&mut block.fields[self.at], value, self.sources);
                cell.map(Some).ok_or_else(|| Fault::plugin("a text is longer than a gibibyte"))
            }
            // A `Decimal` arrives as text.
            DECIMAL => {
                let decimal: rust_decimal::Decimal = value.parse().map_err(|_| self.mismatch("text"))?;
                let decimal = decimal.normalize();
                let too_fine = || Fault::plugin("a value does not fit the column's digits: round it first");
                let coefficient = i64::try_from(decimal.mantissa()).map_err(|_| too_fine())?;
                let scale = u8::try_from(decimal.scale()).ok().filter(|scale| *scale <= 18).ok_or_else(too_fine)?;
                self.money(coefficient, scale)
            }
            _ => Err(self.mismatch("text")),
        }
    }

    #[cold]
    #[inline(never)]
    fn mismatch(&self, given: &str) -> Fault {
        let declared = match self.kind() {
            INTEGER => "a whole number",
            DECIMAL => "money or a decimal",
            DATE => "a date",
            TEXT => "text",
            _ => "a truth value",
        };
        Fault::plugin(format!("the field gives {given}, and the manifest declares {declared}"))
    }

    #[cold]
    fn refused(&self) -> Fault {
        self.mismatch("what no column can hold")
    }
}

fn rescaled(coefficient: i64, scale: u8, wanted: u8) -> Result<i64, Fault> {
    let money = Money::new(coefficient, scale);
    let rescaled = money.rescale(wanted, Rounding::Down).map_err(|_| Fault::plugin("an amount does not fit 64 bits"))?;
    if rescaled == money {
        Ok(rescaled.coefficient())
    } else {
        Err(Fault::plugin(format!("an amount has more than the declared {wanted} digits after the point: round it first")))
    }
}

macro_rules! integers {
    ($($method:ident($number:ty))*) => {
        $(
            fn $method(self, value: $number) -> Result<Cell, Fault> {
                self.integer(value.try_into().ok())
            }
        )*
    };
}

impl<const PACKED: bool> Serializer for CarefulPut<'_, PACKED> {
    type Ok = Cell;
    type Error = Fault;
    type SerializeSeq = Impossible<Cell, Fault>;
    type SerializeTuple = Impossible<Cell, Fault>;
    type SerializeTupleStruct = Impossible<Cell, Fault>;
    type SerializeTupleVariant = Impossible<Cell, Fault>;
    type SerializeMap = Impossible<Cell, Fault>;
    type SerializeStruct = Impossible<Cell, Fault>;
    type SerializeStructVariant = Impossible<Cell, Fault>;

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    fn serialize_i32(self, value: i32) -> Result<Cell, Fault> {
        if PACKED { self.of_kind(DATE, value as u64, "a date") } else { self.integer(Some(i64::from(value))) }
    }

    fn serialize_i128(self, value: i128) -> Result<Cell, Fault> {
        if PACKED {
            let (coefficient, scale) = unpack(value);
            return self.money(coefficient, scale);
        }
        self.integer(value.try_into().ok())
    }

    fn serialize_bool(self, value: bool) -> Result<Cell, Fault> {
        self.of_kind(BOOLEAN, u64::from(value), "a truth value")
    }

    fn serialize_str(self, value: &str) -> Result<Cell, Fault> {
        self.text(value)
    }

    fn serialize_char(self, value: char) -> Result<Cell, Fault> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_none(self) -> Result<Cell, Fault> {
        Ok(None)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Cell, Fault> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Cell, Fault> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, name: &'static str, value: &T) -> Result<Cell, Fault> {
        if name == MONEY || name == values::DATE {
            value.serialize(CarefulPut::<true> { output: self.output, sources: self.sources, at: self.at })
        } else {
            value.serialize(self)
        }
    }

    fn collect_str<T: ?Sized + fmt::Display>(self, value: &T) -> Result<Cell, Fault> {
        self.text(&value.to_string())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Fault> {
        Err(self.refused())
    }

    refuse! { serialize_f32 serialize_f64 serialize_bytes serialize_unit compound }

    fn is_human_readable(&self) -> bool {
        false
    }
}
