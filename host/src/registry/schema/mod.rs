//! JSON Schemas of settings and cases: compiled without a network, patterns that cannot run away.

mod order;
mod unfold;
mod words;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

pub use order::names_in_order;

/// Largest schema, in bytes.
pub const SCHEMA_BYTES_MAX: usize = 1 << 20;

/// Memory that one pattern of a schema may compile to.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Violations that are told of one value; more do not help a person.
const VIOLATIONS_MAX: usize = 50;

/// One place where a value does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer into the value; empty for the value as a whole.
    pub pointer: String,
    /// What is wrong there. It quotes no value, as that may be personal.
    pub message: String,
    /// The name of what is not there, where that is what is wrong: the pointer then leads to what lacks it.
    pub missing: Option<String>,
}

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the JSON Schema cannot be used: {why}{}", .pointer.as_ref().map(|p| format!(" at {p}")).unwrap_or_default())]
pub struct UnusableSchema {
    /// What is wrong with it.
    pub why: String,
    /// JSON Pointer to what is wrong, where known.
    pub pointer: Option<String>,
}

/// A schema that values are held against.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    /// As it was written, for the words of its author.
    written: Value,
}

impl Schema {
    /// Compiles a schema: JSON Schema 2020-12 unless it says otherwise. `format` is checked.
    ///
    /// References lead to places inside it and never in a circle, and patterns have no look-around and no back-references, so that they take linear time.
    ///
    /// # Errors
    /// [`UnusableSchema`] if it is no schema, or does not begin with `"type": "object"`.
    pub fn compile(schema: &Value) -> Result<Self, UnusableSchema> {
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(UnusableSchema { why: "it does not say \"type\": \"object\"".to_owned(), pointer: None });
        }
        unfold::check(schema)?;
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX))
            .build(schema)
            .map_err(|error| {
                let pointer = error.instance_path().to_string();
                UnusableSchema { why: error.to_string(), pointer: (!pointer.is_empty()).then_some(pointer) }
            })?;
        Ok(Self { validator, written: schema.clone() })
    }

    /// Where a value does not fit, the first fifty places.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        // Which takes a fraction of the time that looking for places does.
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let mut formats = Vec::new();
        let told = self.validator.iter_errors(value).filter(|error| match error.kind() {
            ValidationErrorKind::Format { .. } | ValidationErrorKind::Pattern { .. } => {
                // A date often has both, and they say the same.
                let known = formats.contains(error.instance_path());
                formats.push(error.instance_path().clone());
                !known
            }
            _ => true,
        });
        let told = told.take(VIOLATIONS_MAX);
        told.map(|error| {
            let missing = match error.kind() {
                ValidationErrorKind::Required { property } => property.as_str().map(ToOwned::to_owned),
                _ => None,
            };
            Violation { pointer: error.instance_path().to_string(), message: words::message(&error, &self.written), missing }
        })
        .collect()
    }
}

/// Whether a text is a JSON Pointer after RFC 6901.
#[must_use]
pub fn is_pointer(text: &str) -> bool {
    let escapes = |part: &str| part.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.is_empty() || (text.starts_with('/') && escapes(text))
}

/// Whether a pointer can lead to something in a value that fits the schema.
///
/// It says no only where an object lists its properties and admits no others; references and choices are taken to admit all.
#[must_use]
pub fn admits(schema: &Value, pointer: &str) -> bool {
    let mut place = schema;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let closed = place.get("additionalProperties") == Some(&Value::Bool(false));
        let open = ["$ref", "$dynamicRef", "oneOf", "anyOf", "allOf", "if", "patternProperties"];
        match place.get("properties").and_then(|properties| properties.get(&step)) {
            Some(next) => place = next,
            None => return !closed || open.iter().any(|key| place.get(key).is_some()),
        }
    }
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_is_fetched_and_no_pattern_runs_away() {
        for bad in [
            json!({"type": "object", "properties": {"a": {"$ref": "https://example.invalid/s.json"}}}),
            json!({"type": "object", "properties": {"a": {"$ref": "file:///etc/hostname"}}}),
            json!({"type": "object", "properties": {"a": {"pattern": "(a)\\1"}}}),
            json!({"type": "object", "properties": {"a": {"pattern": "((a{1000}){1000}){1000}"}}}),
            json!({"type": "object", "properties": {"a": {"type": "wat"}}}),
            json!({"type": "array"}),
            json!({}),
            json!(true),
        ] {
            assert!(Schema::compile(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn violations_point_and_do_not_quote() {
        let schema = Schema::compile(&json!({"type": "object", "required": ["b"], "additionalProperties": false, "properties": {
            "a": {"type": "object", "properties": {"day": {"type": "string", "format": "date"}}}, "b": {"maxLength": 3}}}))
        .unwrap();
        let found = schema.violations(&json!({"a": {"day": "31/12/2026"}, "b": "QQ123456C"}));
        let places: Vec<_> = found.iter().map(|violation| violation.pointer.as_str()).collect();
        assert_eq!(places, ["/a/day", "/b"]);
        assert!(found.iter().all(|violation| !violation.message.contains("QQ123456C")), "{found:?}");
        let missing = schema.violations(&json!({}));
        assert_eq!((missing.len(), missing[0].missing.as_deref()), (1, Some("b")));
        assert!(schema.violations(&json!({"b": "1"})).is_empty());
    }

    #[test]
    fn pointers() {
        for good in ["", "/", "/a/b", "/a~1b/~0", "/0"] {
            assert!(is_pointer(good), "{good}");
        }
        for bad in ["a", "a/b", "/~", "/~2", "/a~"] {
            assert!(!is_pointer(bad), "{bad}");
        }
        let schema = json!({"additionalProperties": false, "properties": {"a": {"additionalProperties": false, "properties": {"b": {}}}, "c": {"$ref": "#/$defs/c"}}});
        for (pointer, admitted) in [("", true), ("/a/b", true), ("/a/b/any", true), ("/a/x", false), ("/x", false), ("/c/d", true)] {
            assert_eq!(admits(&schema, pointer), admitted, "{pointer}");
        }
    }
}
