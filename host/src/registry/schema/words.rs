//! What is wrong with a value, in words for whoever wrote the value and has never seen a schema.
//!
//! No value is quoted, as it may be personal; titles and descriptions of the schema are its author's own words and are.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// One sentence without its full stop.
pub(super) fn message(error: &ValidationError<'_>, schema: &Value) -> String {
    let about = About::of(error, schema);
    let what = wrong(error.kind(), about.form).unwrap_or_else(|| error.masked_with("the value").to_string());
    match about.title {
        Some(title) => format!("{title}: {what}"),
        None => what,
    }
}

/// What the schema's author says of the place.
struct About<'s> {
    title: Option<&'s str>,
    /// How it is written: the description beside the rule that was broken.
    form: Option<&'s str>,
}

impl<'s> About<'s> {
    fn of(error: &ValidationError<'_>, schema: &'s Value) -> Self {
        let text = |place: &'s Value, key: &str| place.get(key).and_then(Value::as_str);
        let parent = |path: &str| path.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned());
        let rule = schema.pointer(&parent(error.schema_path().as_str()));
        // Where a field borrows its rule from `$defs`, its title stands where it borrows.
        let path = error.evaluation_path().as_str();
        let field = match path.rsplit_once("/$ref/") {
            Some((field, _)) => schema.pointer(field),
            None => schema.pointer(&parent(path)),
        };
        let title = field.and_then(|field| text(field, "title"));
        Self { title, form: rule.and_then(|rule| text(rule, "description")) }
    }
}

fn wrong(kind: &ValidationErrorKind, form: Option<&str>) -> Option<String> {
    use ValidationErrorKind as Kind;
    Some(match kind {
        Kind::Required { property } => format!("{} is missing", name(property)),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("nothing here is called {}: take it out, or look at the spelling", unexpected.join(", "))
        }
        Kind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            format!("it must be one of {}", options.iter().map(name).collect::<Vec<_>>().join(", "))
        }
        Kind::Constant { expected_value } => format!("it must be {}", name(expected_value)),
        Kind::Type { kind: TypeKind::Single(wanted) } => format!("it must be {}", of_type(*wanted)),
        Kind::Format { format } if format == "date" => "it must be a day that exists, written as 2026-03-31".to_owned(),
        Kind::Pattern { pattern } => match form {
            Some(form) => format!("it is not written as it must be. {}", form.trim_end_matches('.')),
            None => format!("it does not have the form {pattern}"),
        },
        Kind::MinLength { limit: 1 } => "it is empty".to_owned(),
        Kind::MinLength { limit } => format!("it has fewer than {limit} characters"),
        Kind::MaxLength { limit } => format!("it has more than {limit} characters"),
        Kind::Minimum { limit } => format!("it is below {limit}"),
        Kind::Maximum { limit } => format!("it is above {limit}"),
        Kind::MinItems { limit } => format!("it has fewer than {limit} entries"),
        Kind::MaxItems { limit } => format!("it has more than {limit} entries"),
        Kind::UniqueItems => "the same stands in it twice".to_owned(),
        _ => return None,
    })
}

/// A name or a word without quotation marks.
fn name(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

const fn of_type(wanted: JsonType) -> &'static str {
    match wanted {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "a group of fields",
        JsonType::String => "text in quotation marks",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Schema;
    use serde_json::json;

    #[test]
    fn each_is_told_in_plain_words() {
        let schema = Schema::compile(&json!({
            "type": "object", "additionalProperties": false, "required": ["reference"],
            "properties": {
                "reference": { "title": "Reference", "minLength": 1, "maxLength": 4 },
                "loss": { "title": "Expected loss", "description": "What it will cost.", "$ref": "#/$defs/money" },
                "day": { "type": "string", "format": "date" },
                "class": { "title": "Class", "enum": ["motor", "property"] },
                "count": { "type": "integer", "minimum": 0, "maximum": 600 },
                "code": { "pattern": "^[A-Z]{2}$" },
            },
            "$defs": { "money": { "type": "string", "description": "Pounds and pence, such as 1250.00.", "pattern": "^[0-9]+\\.[0-9]{2}$" } },
        }))
        .unwrap();
        for (value, pointer, message) in [
            (json!({}), "", "reference is missing"),
            (json!({"reference": ""}), "/reference", "Reference: it is empty"),
            (json!({"reference": "12345"}), "/reference", "Reference: it has more than 4 characters"),
            (json!({"reference": "1", "los": "1.00"}), "", "nothing here is called los: take it out, or look at the spelling"),
            (
                json!({"reference": "1", "loss": "£1"}),
                "/loss",
                "Expected loss: it is not written as it must be. Pounds and pence, such as 1250.00",
            ),
            (json!({"reference": "1", "loss": 1}), "/loss", "Expected loss: it must be text in quotation marks"),
            (json!({"reference": "1", "day": "31/12/2026"}), "/day", "it must be a day that exists, written as 2026-03-31"),
            (json!({"reference": "1", "class": "boat"}), "/class", "Class: it must be one of motor, property"),
            (json!({"reference": "1", "count": -1}), "/count", "it is below 0"),
            (json!({"reference": "1", "count": 601}), "/count", "it is above 600"),
            (json!({"reference": "1", "count": "1"}), "/count", "it must be a whole number"),
            (json!({"reference": "1", "code": "abc"}), "/code", "it does not have the form ^[A-Z]{2}$"),
        ] {
            let found = schema.violations(&value);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].pointer.as_str(), found[0].message.as_str()), (pointer, message));
        }
    }
}
