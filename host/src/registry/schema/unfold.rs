//! Follows the references of a schema, to refuse one that would keep a validator busy without end. It checks nothing else.

use serde_json::Value;

use super::{UnusableSchema, is_pointer};

/// Places of a schema, each counted as often as it is referred to. The largest of the reference plugins has 400.
const PLACES_MAX: usize = 10_000;

/// Whether every reference leads to a place inside the schema, none in a circle, and all of them to an end soon.
pub(super) fn check(schema: &Value) -> Result<(), UnusableSchema> {
    let unusable = |why: String| UnusableSchema { why, pointer: None };
    // There `id` changes where references lead.
    if schema.get("$schema").and_then(Value::as_str).is_some_and(|draft| draft.contains("draft-04")) {
        return Err(unusable("it is of draft 4: write it for 2020-12".to_owned()));
    }
    let mut left = PLACES_MAX;
    unfold(schema, &mut Vec::new(), (schema, &mut left)).map_err(unusable)
}

/// Follows every reference as often as a validator would, to see that it comes to an end soon. A few lines can make a
/// schema that checks one value 2^40 times, and no validator can be told to stop.
fn unfold<'a>(place: &'a Value, within: &mut Vec<&'a str>, (schema, left): (&'a Value, &mut usize)) -> Result<(), String> {
    *left = left.checked_sub(1).ok_or_else(|| format!("it unfolds to more than {PLACES_MAX} places: let it refer less often"))?;
    match place {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("$ref", Value::String(to)) => refer(to, within, (schema, left))?,
                    ("$dynamicRef" | "$recursiveRef", Value::String(_)) => return Err(format!("it uses {key}: use $ref")),
                    ("$id", Value::String(_)) if !std::ptr::eq(place, schema) => {
                        return Err("it has an $id inside it: only the whole schema may have one".to_owned());
                    }
                    _ => unfold(value, within, (schema, left))?,
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| unfold(item, within, (schema, left))),
        _ => Ok(()),
    }
}

fn refer<'a>(to: &'a str, within: &mut Vec<&'a str>, (schema, left): (&'a Value, &mut usize)) -> Result<(), String> {
    let pointer = to.strip_prefix('#').filter(|pointer| is_pointer(pointer));
    let target =
        pointer.and_then(|pointer| schema.pointer(pointer)).ok_or_else(|| format!("the $ref {to:?} leads to no place inside it"))?;
    if to == "#" || within.contains(&to) {
        return Err(format!("it refers to itself at {to:?}: what it describes would have no end"));
    }
    within.push(to);
    unfold(target, within, (schema, left))?;
    within.pop();
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::registry::schema::Schema;
    use serde_json::json;

    #[test]
    fn no_schema_multiplies_itself() {
        // Each level asks for the next one twice: 2^40 checks of one value.
        let mut levels: serde_json::Map<String, Value> = (0..40)
            .map(|level| {
                let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
                (format!("d{level}"), json!({"allOf": [next, next]}))
            })
            .collect();
        levels.insert("d40".to_owned(), json!({"required": ["a"]}));
        for (bad, why) in [
            (json!({"type": "object", "$ref": "#/$defs/d0", "$defs": levels}), "unfolds to more than 10000"),
            (
                json!({"type": "object", "allOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]}),
                "refers to itself",
            ),
            (
                json!({"type": "object", "not": {"$ref": "#/$defs/a~1b"}, "$defs": {"a/b": {"not": {"$ref": "#/$defs/a~1b"}}}}),
                "refers to itself",
            ),
            (json!({"type": "object", "$dynamicAnchor": "x", "if": {"$dynamicRef": "#x"}}), "$dynamicRef"),
            (json!({"type": "object", "not": {"$ref": "#x"}, "$defs": {"x": {"$anchor": "x"}}}), "\"#x\""),
            (json!({"type": "object", "$defs": {"x": {"$id": "http://a.invalid/"}}}), "$id"),
        ] {
            let refused = Schema::compile(&bad).unwrap_err().to_string();
            assert!(refused.contains(why), "{bad}: {refused}");
        }
        let twice = json!({"$ref": "#/$defs/day"});
        let good =
            json!({"type": "object", "properties": {"from": twice, "to": twice}, "$defs": {"day": {"type": "string", "format": "date"}}});
        assert!(!Schema::compile(&good).unwrap().violations(&json!({"from": "2026-11-22", "to": "x"})).is_empty());
    }
}
