//! The order in which a schema's author lists what an object holds, which a JSON value does not keep.
//!
//! It must not know what a schema means: it hears of objects under `properties` and of nothing else.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The names of every object under `properties`, in the order of the text. Nothing for a text that is no JSON.
#[must_use]
pub fn names_in_order(text: &str) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Listing { lists: &mut lists, listed: false }.deserialize(&mut reader);
    if read.is_err() {
        return Vec::new();
    }
    lists
}

/// A value that is read for its names alone.
struct Listing<'a> {
    lists: &'a mut Vec<Vec<String>>,
    /// Whether its own names are a list: it stands under `properties`.
    listed: bool,
}

impl<'de> DeserializeSeed<'de> for Listing<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Listing<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut names: Vec<String> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            // A property may itself be called "properties": it is then a schema, and not a list of names.
            let listed = !self.listed && name == "properties";
            map.next_value_seed(Listing { lists: &mut *self.lists, listed })?;
            names.push(name);
        }
        if self.listed {
            self.lists.push(names);
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut entries: S) -> Result<(), S::Error> {
        while entries.next_element_seed(Listing { lists: &mut *self.lists, listed: false })?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_as_they_are_written() {
        let text = r#"{"type": "object", "required": ["b"], "properties": {
            "z": {"type": "string", "enum": [1, -1, 1.5, true, null]},
            "b": {"properties": {"y": {}, "properties": {"properties": {"inner": {}, "a": {}}}}},
            "a": {"items": [{"properties": {"second": {}, "first": {}}}]}}}"#;
        let lists = names_in_order(text);
        assert_eq!(lists, [vec!["inner", "a"], vec!["y", "properties"], vec!["second", "first"], vec!["z", "b", "a"]]);
        assert!(names_in_order("{\"properties\": {\"a\"").is_empty());
    }
}
