//! From the plugin's structs to the columns of an output.
//!
//! The fields of a struct are matched to columns by name once, and after that by the address of their names alone.

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
    columns: Vec<ColumnWriter>,
    /// For each field of the struct that was written last: its name, and the place of its column.
    plan: Vec<(&'static str, usize)>,
    rows: u32,
}

impl OutputWriter {
    pub(crate) fn new(port: &wire::Port) -> Self {
        Self { name: port.name.clone(), columns: port.columns.iter().map(ColumnWriter::new).collect(), plan: Vec::new(), rows: 0 }
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
        Some(wire::Batch { first_row: 0, rows, columns: self.columns.iter_mut().map(|column| column.take(rows)).collect() })
    }

    #[cold]
    fn failure(&self, fault: Fault) -> Failure {
        let (column, kind) = fault.into_parts();
        let at = column.map_or_else(String::new, |place| format!(", column {}", self.columns[place as usize].name));
        let message = match kind {
            Kind::Plugin(message) | Kind::Value { wanted: message, .. } => message,
        };
        Failure::defect("row-struct-unfit", format!("Writing output {}{at}: {message}.", self.name))
    }

    /// The column of the field `name`, which is the struct's field at `at`; remembers it.
    #[cold]
    #[inline(never)]
    fn locate(&mut self, at: usize, name: &'static str) -> Result<usize, Fault> {
        let place = self.columns.iter().position(|column| column.name == name);
        let place = place.ok_or_else(|| Fault::plugin(format!("the struct has a field {name}, which is no declared column")))?;
        self.plan.truncate(at);
        if self.plan.iter().any(|(_, other)| *other == place) {
            return Err(Fault::plugin(format!("the struct has two fields {name}")));
        }
        self.plan.push((name, place));
        Ok(place)
    }

    #[cold]
    #[inline(never)]
    fn missing(&self, fields: usize) -> Fault {
        let written = |place: usize| self.plan.iter().take(fields).any(|(_, other)| *other == place);
        let missing = self.columns.iter().enumerate().filter(|(place, _)| !written(*place)).map(|(_, column)| column.name.as_str());
        let missing: Vec<&str> = missing.collect();
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
    fn column(&mut self, name: &'static str) -> Result<usize, Fault> {
        let at = self.next;
        self.next += 1;
        match self.output.plan.get(at) {
            Some((planned, place)) if std::ptr::eq(*planned, name) => Ok(*place),
            _ => self.output.locate(at, name),
        }
    }
}

impl SerializeStruct for FieldWriter<'_> {
    type Ok = ();
    type Error = Fault;

    #[inline(always)]
    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        let place = self.column(name)?;
        value.serialize(Put::<false>(&mut self.output.columns[place])).map_err(|fault| fault.at(place as u32))
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), Fault> {
        let place = self.column(name)?;
        self.output.columns[place].put_absent();
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
