//! Schemas on the page: fields by name, and examples made from them.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{marked, text};

/// How deep an example goes into a schema that names others.
const DEPTH_MAX: usize = 6;

/// Every named schema, each with its fields.
pub(super) fn all(document: &Value) -> Markup {
    html! {
        @for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            details id={ "schema-" (name) } {
                summary { code { (name) } }
                (shown(document, schema))
            }
        }
    }
}

/// A schema's fields, or what else it is.
pub(super) fn shown(document: &Value, schema: &Value) -> Markup {
    let schema = resolved(document, schema);
    let parts: Vec<&Value> = match schema["allOf"].as_array() {
        Some(parts) => parts.iter().collect(),
        None => vec![schema],
    };
    html! {
        @if let Some(about) = schema["description"].as_str() { p { (marked(about)) } }
        @for part in parts {
            @if let Some(name) = reference(part) {
                p { "All of " (link(name)) ", and:" }
            } @else if let Some(fields) = part["properties"].as_object() {
                (listed(part, fields))
            } @else if let Some(values) = part["enum"].as_array() {
                p { "One of " @for (place, value) in values.iter().enumerate() { @if place > 0 { ", " } code { (text(value)) } } "." }
            } @else if let Some(either) = part["oneOf"].as_array() {
                p { "Either of:" }
                @for one in either { (shown(document, one)) }
            } @else {
                p { (named(part)) }
            }
        }
    }
}

fn listed(schema: &Value, fields: &Map<String, Value>) -> Markup {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    html! {
        dl { @for (name, field) in fields {
            dt { code { (name) } " " span.kind { (named(field)) @if required(name) { ", always" } } }
            dd { (marked(text(&field["description"]))) }
        } }
    }
}

/// What a schema is, in a word, with a link where it has a name.
pub(super) fn named(schema: &Value) -> Markup {
    if let Some(name) = reference(schema) {
        return link(name);
    }
    if let Some(items) = schema.get("items") {
        return html! { "list of " (named(items)) };
    }
    if let Some(either) = schema["oneOf"].as_array() {
        let some: Vec<&Value> = either.iter().filter(|one| one["type"] != "null").collect();
        return html! { @for (place, one) in some.iter().enumerate() { @if place > 0 { " or " } (named(one)) } };
    }
    let kind = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    html! { (kind) }
}

fn link(name: &str) -> Markup {
    html! { a href={ "#schema-" (name) } { (name) } }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    reference(schema).map_or(schema, |name| &document["components"]["schemas"][name])
}

/// A command line that calls a route.
pub(super) fn curl(document: &Value, (path, method): (&str, &str), what: &Value) -> String {
    let mut command = "curl".to_owned();
    if method != "get" {
        command += &format!(" -X {}", method.to_uppercase());
    }
    command += &format!(" \"$HUB{}\"", path.replace('{', "$").replace('}', ""));
    if what["security"].is_null() {
        command += " \\\n  -H \"Authorization: Bearer $TOKEN\"";
    }
    if what["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["name"] == "Idempotency-Key") {
        command += " \\\n  -H 'Idempotency-Key: any text of your own'";
    }
    match what["requestBody"]["content"].as_object().into_iter().flatten().next() {
        Some((kind, content)) if kind == "application/json" => {
            command += &format!(" \\\n  -d '{}'", sample(document, &content["schema"], 0));
        }
        Some((kind, content)) if kind == "multipart/form-data" => {
            let schema = resolved(document, &content["schema"]);
            for name in schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
                command += &format!(" \\\n  -F {name}=@FILE");
            }
        }
        Some(_) => command += " \\\n  --data-binary @FILE",
        None => {}
    }
    command
}

/// Something that fits a schema: required fields only.
fn sample(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)).or_else(|| schema["enum"].get(0)) {
        return example.clone();
    }
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(either) = schema["oneOf"].as_array() {
        return either.iter().find(|one| one["type"] != "null").map_or(Value::Null, |one| sample(document, one, depth + 1));
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").map_or("", text),
        kind => text(kind),
    };
    match kind {
        "string" if schema["format"] == "date" => json!("2026-09-01"),
        "string" => json!("…"),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "array" => json!([sample(document, &schema["items"], depth + 1)]),
        "object" => {
            let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            let fields = required.iter().map(text).map(|name| (name.to_owned(), sample(document, &schema["properties"][name], depth + 1)));
            Value::Object(fields.collect())
        }
        _ => json!({}),
    }
}
