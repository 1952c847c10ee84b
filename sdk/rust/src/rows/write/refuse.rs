//! The parts of serde's data model that rows and columns have no place for.

/// Writes the named methods of a `Serializer` so that each answers `self.refused()`.
macro_rules! refuse {
    ($($method:ident)*) => { $(refuse!(@ $method);)* };
    (@ compound) => {
        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Self::Error> {
            Err(self.refused())
        }

        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Self::Error> {
            Err(self.refused())
        }

        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Self::Error> {
            Err(self.refused())
        }

        fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self::SerializeTupleVariant, Self::Error> {
            Err(self.refused())
        }

        fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Self::Error> {
            Err(self.refused())
        }

        fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self::SerializeStructVariant, Self::Error> {
            Err(self.refused())
        }

        fn serialize_newtype_variant<T: ?Sized + Serialize>(self, _: &'static str, _: u32, _: &'static str, _: &T) -> Result<Self::Ok, Self::Error> {
            Err(self.refused())
        }

        fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, Self::Error> {
            Err(self.refused())
        }
    };
    (@ serialize_none) => { refuse!(@fn serialize_none()); };
    (@ serialize_unit) => { refuse!(@fn serialize_unit()); };
    (@ serialize_bool) => { refuse!(@fn serialize_bool(bool)); };
    (@ serialize_i8) => { refuse!(@fn serialize_i8(i8)); };
    (@ serialize_i16) => { refuse!(@fn serialize_i16(i16)); };
    (@ serialize_i32) => { refuse!(@fn serialize_i32(i32)); };
    (@ serialize_i64) => { refuse!(@fn serialize_i64(i64)); };
    (@ serialize_u8) => { refuse!(@fn serialize_u8(u8)); };
    (@ serialize_u16) => { refuse!(@fn serialize_u16(u16)); };
    (@ serialize_u32) => { refuse!(@fn serialize_u32(u32)); };
    (@ serialize_u64) => { refuse!(@fn serialize_u64(u64)); };
    (@ serialize_f32) => { refuse!(@fn serialize_f32(f32)); };
    (@ serialize_f64) => { refuse!(@fn serialize_f64(f64)); };
    (@ serialize_char) => { refuse!(@fn serialize_char(char)); };
    (@ serialize_str) => { refuse!(@fn serialize_str(&str)); };
    (@ serialize_bytes) => { refuse!(@fn serialize_bytes(&[u8])); };
    (@ serialize_unit_variant) => { refuse!(@fn serialize_unit_variant(&'static str, u32, &'static str)); };
    (@fn $method:ident($($argument:ty),*)) => {
        fn $method(self, $(_: $argument),*) -> Result<Self::Ok, Self::Error> {
            Err(self.refused())
        }
    };
}

pub(crate) use refuse;
