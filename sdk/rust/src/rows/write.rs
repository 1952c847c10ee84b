//! From the plugin's structs to the columns of an output.
//!
//! The fields of a struct are matched to columns by name once: the columns are put into the order of the fields.
//! After that, each field only finds that the next column is the one that bears the address of its name.

use serde::Serialize;
use serde::ser::{Impossible, SerializeStruct, Serializer};

use super::fault::{Fault, Kind};
use super::put::{ColumnWriter, Put};
use super::refuse::refuse;
use crate::failure::Failure;
use crate::wire;

/// One output that is being written.
#[derive(Debug)]
pub(crate) struct OutputWriter {
    name: String,
    /// In the order of the fields of the struct that was written last.
    columns: Vec<ColumnWriter>,
    rows: u32,
}

impl OutputWriter {
    pub(crate) fn new(port: &wire::Port) -> Self {
        let columns = port.columns.iter().enumerate().map(|(place, shape)| ColumnWriter::new(place, shape)).collect();
        Self { name: port.name.clone(), columns, rows: 0 }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn rows(&self) -> u32 {
        self.rows
    }

    /// Writes one row.
    #[inline]
    pub(crate) fn write<T: Serialize>(&mut self, row: &T) -> Result<(), Failure> {
        match row.serialize(RowSerializer { output: self }) {
            Ok(()) => {
                self.rows += 1;
                Ok(())
            }
            Err(fault) => Err(self.failure(fault)),
        }
    }

    /// What was written since the last time; none if nothing was.
    pub(crate) fn take(&mut self) -> Option<wire::Batch> {
        if self.rows == 0 {
            return None;
        }
        let rows = std::mem::take(&mut self.rows);
        let mut columns: Vec<_> = self.columns.iter_mut().map(|column| (column.place, column.take(rows))).collect();
        columns.sort_unstable_by_key(|(place, _)| *place);
        Some(wire::Batch { first_row: 0, rows, columns: columns.into_iter().map(|(_, column)| column).collect() })
    }

    #[cold]
    fn failure(&self, fault: Fault) -> Failure {
        let (column, kind) = fault.into_parts();
        let at = column.map_or_else(String::new, |place| format!(", column {}", self.name_of(place as usize)));
        let message = match kind {
            Kind::Plugin(message) | Kind::Value { wanted: message, .. } => message,
        };
        Failure::defect("row-struct-unfit", format!("Writing output {}{at}: {message}.", self.name))
    }

    fn name_of(&self, place: usize) -> &str {
        self.columns.iter().find(|column| column.place == place).map_or("", |column| column.name.as_str())
    }

    /// Puts the column of the field `name` to `at`, which is the field's place in its struct.
    #[cold]
    #[inline(never)]
    fn locate(&mut self, at: usize, name: &'static str) -> Result<(), Fault> {
        match self.columns.iter().position(|column| column.name == name) {
            None => Err(Fault::plugin(format!("the struct has a field {name}, which is no declared column"))),
            Some(place) if place < at => Err(Fault::plugin(format!("the struct has two fields {name}"))),
            Some(place) => {
                self.columns.swap(at, place);
                self.columns[at].field = name;
                Ok(())
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn missing(&self, fields: usize) -> Fault {
        let missing: Vec<&str> = self.columns.iter().skip(fields).map(|column| column.name.as_str()).collect();
        Fault::plugin(format!("the struct lacks a field for {}", missing.join(", ")))
    }
}

struct RowSerializer<'o> {
    output: &'o mut OutputWriter,
}

/// Writes the fields of one row.
struct FieldWriter<'o> {
    output: &'o mut OutputWriter,
    next: usize,
}

impl FieldWriter<'_> {
    #[inline(always)]
    fn column(&mut self, name: &'static str) -> Result<&mut ColumnWriter, Fault> {
        let at = self.next;
        self.next += 1;
        if !self.output.columns.get(at).is_some_and(|column| std::ptr::eq(column.field, name)) {
            self.output.locate(at, name)?;
        }
        Ok(&mut self.output.columns[at])
    }
}

impl SerializeStruct for FieldWriter<'_> {
    type Ok = ();
    type Error = Fault;

    #[inline(always)]
    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        let column = self.column(name)?;
        match value.serialize(Put::<false>(column)) {
            Ok(()) => Ok(()),
            Err(fault) => Err(fault.at(column.place as u32)),
        }
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), Fault> {
        self.column(name)?.put_absent();
        Ok(())
    }

    #[inline(always)]
    fn end(self) -> Result<(), Fault> {
        if self.next == self.output.columns.len() { Ok(()) } else { Err(self.output.missing(self.next)) }
    }
}

impl RowSerializer<'_> {
    #[cold]
    fn refused(&self) -> Fault {
        Fault::plugin("a row is written as a struct with a field for each column; serde's flatten does not work here")
    }
}

impl<'o> Serializer for RowSerializer<'o> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Impossible<(), Fault>;
    type SerializeTuple = Impossible<(), Fault>;
    type SerializeTupleStruct = Impossible<(), Fault>;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = Impossible<(), Fault>;
    type SerializeStruct = FieldWriter<'o>;
    type SerializeStructVariant = Impossible<(), Fault>;

    #[inline(always)]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<FieldWriter<'o>, Fault> {
        Ok(FieldWriter { output: self.output, next: 0 })
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
