//! What people may see of a stored row or case: what the manifest declares and does not call personal.
//!
//! A file holds more than a plugin knows of: a column that the job ignores, a key that is misspelt. Nobody has said that
//! those are harmless, so they are dots. It must not know where rows are kept or who looks: `run::View` is what people look through.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::manifest::Kind;

/// What stands for a value that is not shown.
pub const DOTS: &str = "••••••";

/// Characters that a value has at least which is looked for in sentences.
const HIDDEN_CHARS_MIN: usize = 3;

/// How the rows of one run's inputs are masked. The default shows no value at all.
#[derive(Debug, Clone, Default)]
pub struct Masking {
    declared: Declared,
}

/// A place that is declared, with the places in it.
#[derive(Debug, Clone, Default)]
struct Declared {
    fields: BTreeMap<String, Self>,
    /// What each entry of a list is.
    each: Option<Box<Self>>,
    personal: bool,
}

impl Masking {
    /// Of the rows or cases that a plugin takes.
    #[must_use]
    pub fn of(kind: &Kind) -> Self {
        let mut declared = Declared::default();
        match kind {
            Kind::Adapter(shape) => {
                for column in shape.inputs.iter().flat_map(|port| &port.columns) {
                    declared.fields.entry(column.name.clone()).or_default();
                }
                // A column of one name holds the same, whichever port calls it personal.
                for column in shape.inputs.iter().chain(&shape.outputs).flat_map(|port| &port.columns).filter(|column| column.personal) {
                    declared.fields.entry(column.name.clone()).or_default().personal = true;
                }
            }
            Kind::RuleSet(shape) => {
                declared.describe(&shape.case_schema, &shape.case_schema);
                for pointer in &shape.personal {
                    declared.call_personal(pointer);
                }
            }
            Kind::Format(_) | Kind::Connector(_) => {}
        }
        Self { declared }
    }

    /// Puts dots for values of a row or case that are personal, and for those that the manifest does not declare.
    pub fn mask(&self, row: &mut Value) {
        Declared::mask(Some(&self.declared), row);
    }

    /// A sentence about a row or case, with dots for what is not shown of it. A value of a letter or two, which any sentence may hold,
    /// stays.
    #[must_use]
    pub fn mask_within(&self, sentence: &str, row: &Value) -> String {
        let mut hidden = Vec::new();
        Declared::hidden(Some(&self.declared), row, &mut hidden);
        // The longest first: one may be part of another.
        hidden.sort_by_key(|value| std::cmp::Reverse(value.len()));
        hidden.iter().fold(sentence.to_owned(), |sentence, value| sentence.replace(value.as_str(), DOTS))
    }

    /// Whether a column of rows is declared and not personal.
    #[must_use]
    pub fn shows(&self, column: &str) -> bool {
        self.declared.fields.get(column).is_some_and(|place| !place.personal)
    }
}

impl Declared {
    /// Adds what a schema lists. What it admits without listing it by name is not declared.
    /// References end, and soon: a schema in which they do not is refused at upload.
    fn describe(&mut self, schema: &Value, whole: &Value) {
        let referred = schema.get("$ref").and_then(Value::as_str).and_then(|to| whole.pointer(to.strip_prefix('#')?));
        let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
        for part in referred.into_iter().chain(lists).chain(["then", "else"].into_iter().filter_map(|key| schema.get(key))) {
            self.describe(part, whole);
        }
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.fields.entry(name.clone()).or_default().describe(field, whole);
        }
        let first = schema.get("prefixItems").and_then(Value::as_array).into_iter().flatten();
        for entry in first.chain(schema.get("items").filter(|items| items.is_object())) {
            self.each.get_or_insert_default().describe(entry, whole);
        }
    }

    /// Calls what is at a JSON Pointer personal; an entry of a list stands for all of them.
    fn call_personal(&mut self, pointer: &str) {
        let mut place = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let entry = place.each.is_some() && step.bytes().all(|byte| byte.is_ascii_digit());
            place = if entry { place.each.get_or_insert_default() } else { place.fields.entry(step).or_default() };
        }
        place.personal = true;
    }

    /// Gathers the texts that [`Self::mask`] puts dots for.
    fn hidden(place: Option<&Self>, value: &Value, found: &mut Vec<String>) {
        let within = place.filter(|place| !place.personal);
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Object(fields) => {
                fields.iter().for_each(|(name, field)| Self::hidden(within.and_then(|place| place.fields.get(name)), field, found));
            }
            Value::Array(entries) => {
                entries.iter().for_each(|entry| Self::hidden(within.and_then(|place| place.each.as_deref()), entry, found));
            }
            _ if within.is_some_and(|place| place.fields.is_empty() && place.each.is_none()) => {}
            Value::String(text) => found.extend((text.chars().count() >= HIDDEN_CHARS_MIN).then(|| text.clone())),
            Value::Number(number) => found.extend(Some(number.to_string()).filter(|text| text.len() >= HIDDEN_CHARS_MIN)),
        }
    }

    fn mask(place: Option<&Self>, value: &mut Value) {
        match (place, value) {
            (_, Value::Null) => {}
            (Some(place), Value::Object(fields)) if !place.personal => {
                fields.iter_mut().for_each(|(name, field)| Self::mask(place.fields.get(name), field));
            }
            (Some(place), Value::Array(entries)) if !place.personal => {
                entries.iter_mut().for_each(|entry| Self::mask(place.each.as_deref(), entry));
            }
            // One value where a group of them is declared may hold any of the group.
            (Some(place), _) if !place.personal && place.fields.is_empty() && place.each.is_none() => {}
            (_, value) => *value = DOTS.into(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::manifest::{AdapterShape, RuleSetShape};
    use crate::model::rows::{ColumnKind, ColumnShape, PortShape};
    use serde_json::json;

    fn shown(masking: &Masking, row: &Value) -> Value {
        let mut row = row.clone();
        masking.mask(&mut row);
        row
    }

    fn port(columns: &[(&str, bool)]) -> PortShape {
        let column = |(name, personal): &(&str, bool)| ColumnShape {
            name: (*name).to_owned(),
            kind: ColumnKind::Text,
            required: false,
            personal: *personal,
            length_max: None,
            about: String::new(),
        };
        PortShape {
            name: "rows".to_owned(),
            about: String::new(),
            optional: false,
            columns: columns.iter().map(column).collect(),
            unique: Vec::new(),
            aggregate_by: None,
        }
    }

    #[test]
    fn of_a_row_only_declared_columns_are_shown() {
        let masking = Masking::of(&Kind::Adapter(AdapterShape {
            inputs: vec![port(&[("ni_number", true), ("pay", false), ("surname", false)])],
            outputs: vec![port(&[("surname", true), ("total", false)])],
            independent_rows: false,
        }));
        let row = json!({"ni_number": "JJ123123D", "pay": "1.00", "surname": "Baker", "Home Address": "1 High Street", "ni_nmber": "JJ123123D",
            "total": 1, "other": null});
        let seen = json!({"ni_number": DOTS, "pay": "1.00", "surname": DOTS, "Home Address": DOTS, "ni_nmber": DOTS, "total": DOTS,
            "other": null});
        assert_eq!(shown(&masking, &row), seen);
        // A group where a value is declared is not what was declared.
        assert_eq!(shown(&masking, &json!({"pay": {"ni_number": "JJ123123D"}})), json!({"pay": {"ni_number": DOTS}}));
        assert_eq!(shown(&masking, &json!({"pay": ["JJ123123D"]})), json!({"pay": [DOTS]}));
        let said = "Baker (JJ123123D, see JJ123123D) of 1 High Street has 1.00.";
        assert_eq!(masking.mask_within(said, &row), format!("{DOTS} ({DOTS}, see {DOTS}) of {DOTS} has 1.00."));
        assert!(masking.shows("pay") && !["ni_number", "surname", "Home Address"].iter().any(|column| masking.shows(column)));
        assert_eq!(shown(&Masking::default(), &json!({"pay": "1.00"})), json!({"pay": DOTS}));
    }

    #[test]
    fn of_a_case_only_what_the_schema_lists_is_shown() {
        let schema = json!({
            "type": "object",
            "properties": {
                "reference": {"type": "string"},
                "claimant": {"$ref": "#/$defs/person"},
                "passengers": {"type": "array", "items": {"$ref": "#/$defs/person"}},
                "notes": {"type": "object"},
                "vehicle": {"oneOf": [{"properties": {"registration": {}}}, {"properties": {"fleet": {}}}]},
            },
            "$defs": {"person": {"properties": {"name": {}, "age": {"type": "integer"}}}},
        });
        let masking = Masking::of(&Kind::RuleSet(RuleSetShape {
            case_schema: schema,
            case_order: Vec::new(),
            reference: "/reference".to_owned(),
            amounts: Vec::new(),
            personal: ["/claimant/name", "/passengers/0/name", "/vehicle/registration"].map(ToOwned::to_owned).to_vec(),
            outcomes: Vec::new(),
            figures: Vec::new(),
        }));
        for (case, seen) in [
            (json!({"reference": "SP-1"}), json!({"reference": "SP-1"})),
            (json!({"claimant": {"name": "A", "age": 30}}), json!({"claimant": {"name": DOTS, "age": 30}})),
            (json!({"claimant": "A"}), json!({"claimant": DOTS})),
            (json!({"claiment": {"name": "A"}}), json!({"claiment": DOTS})),
            (json!({"claimant": {"nmae": "A"}}), json!({"claimant": {"nmae": DOTS}})),
            (
                json!({"passengers": [{"name": "A", "age": 1}, {"name": "B"}, "C"]}),
                json!({"passengers": [{"name": DOTS, "age": 1}, {"name": DOTS}, DOTS]}),
            ),
            (json!({"notes": {"of": "A"}}), json!({"notes": {"of": DOTS}})),
            (json!({"vehicle": {"registration": "AB12", "fleet": "F1"}}), json!({"vehicle": {"registration": DOTS, "fleet": "F1"}})),
            (json!("A"), json!(DOTS)),
        ] {
            assert_eq!(shown(&masking, &case), seen);
        }
    }
}
