//! The OpenAPI document: what the routes say of themselves, and what is true of all of them, put in once here.
//!
//! It must not know what any route does.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::answer::{PAGE_ITEMS, Problem, TABLE};
use super::routes;
use crate::ledger::PAGE_ITEMS_MAX;

/// What stands in the document before any route is added.
#[derive(OpenApi)]
#[openapi(components(schemas(Problem)))]
pub(super) struct Base;

/// What the families of routes are about, in the order in which they are shown.
const TAGS: &[(&str, &str)] = &[
    ("configuration", "What the partner declares: read, planned, put in force."),
    ("jobs", "What may run, when it runs by itself, and starting it."),
    ("runs", "What ran, what came of every row and every pound, and how a person steers it."),
    ("rejects", "Rows that were refused: found, seen to, corrected, brought back."),
    ("deliveries", "What was sent, sent again, and settled where it is uncertain."),
    ("decisions", "Cases put to rule sets."),
    ("releases", "Plugins: handed in, looked at, tried, approved, activated, rolled back; and the keys that sign them."),
    ("connections", "Places outside: tried, and their credentials, which never come back."),
    ("webhooks", "The partner's own addresses that are told what happens: what they were sent, and whether one answers."),
    ("tables", "Reference tables and their versions."),
    ("access", "Who may call and sign in."),
    ("audit", "Who did what."),
    ("hub", "The hub itself."),
];

/// What a name in an address stands for.
const NAMES: &[(&str, &str)] = &[
    ("job", "The job's name."),
    ("run", "The run's id."),
    ("output", "The plugin's output, as the run names it."),
    ("name", "Its name."),
    ("release", "The release: the SHA-256 of its component."),
    ("plugin", "The plugin's name."),
    ("key", "The key's id."),
    ("side", "inputs or outputs."),
    ("port", "The plugin's input or output."),
    ("table", "The table's name."),
    ("version", "The version's name."),
    ("person", "The name under which they sign in."),
    ("role", "viewer, operator, approver or admin."),
];

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&*WHOLE).expect("a document is JSON");
    text.push('\n');
    text
});

static WHOLE: LazyLock<Value> = LazyLock::new(made);

/// The document, as it is served and kept in the repository.
#[must_use]
pub fn document() -> &'static str {
    &TEXT
}

/// The same, for whoever makes something else of it.
pub(super) fn whole() -> &'static Value {
    &WHOLE
}

fn made() -> Value {
    let described = routes::described().into_openapi();
    let mut whole = serde_json::to_value(described).expect("a document is JSON");
    whole["info"] =
        json!({ "title": "Bailiwick", "version": env!("CARGO_PKG_VERSION"), "description": about(), "license": { "name": "Apache-2.0" } });
    whole["servers"] = json!([{ "url": "/" }]);
    whole["security"] = json!([{ "token": [] }]);
    whole["components"]["securitySchemes"] = json!({ "token": { "type": "http", "scheme": "bearer",
        "description": "A token of one partner, made with `bailiwick token new` or POST /api/v1/tokens. It may do what its scopes say." } });
    whole["tags"] = TAGS.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect();
    let paths = whole["paths"].as_object_mut().expect("a document has paths");
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().expect("a path has operations") {
            complete(path, method, operation.as_object_mut().expect("an operation is an object"));
        }
    }
    whole
}

fn about() -> String {
    let mut text = format!(
        "Everything that the command line does at one partner, over HTTP. A token says who calls and at which partner; nothing of another \
partner is ever seen.\n\nLists come in pages: `limit` items at most (1 to {PAGE_ITEMS_MAX}, {PAGE_ITEMS} where nothing is said), and `next` is sent back as \
`cursor`. A single thing has an `ETag`: send it as `If-None-Match` to read it only if it changed, and as `If-Match` with an edit to make it only \
if it did not. A POST that carries an `Idempotency-Key` is done once: sent again within a day it has the first answer. \
Moments are RFC 3339 in UTC; money is text, so that no reader makes a float of it. Values of personal columns are masked unless the token has the \
scope `see-personal`.\n\nWhat cannot be done is told as `application/problem+json` (RFC 9457) with a `code` that does not change:\n\n\
| code | status | meaning |\n|---|---|---|\n"
    );
    for row in TABLE {
        text += &format!("| `{}` | {} | {} |\n", code_name(row), row.status, row.meaning);
    }
    text
}

/// The code's name as it stands in a problem.
pub(super) fn code_name(row: &super::answer::Row) -> String {
    serde_json::to_value(row.code).ok().and_then(|name| name.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

/// Adds to an operation what is true of every one like it.
fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let named: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    let mut parameters = operation.remove("parameters").and_then(|had| had.as_array().cloned()).unwrap_or_default();
    for name in named.iter().rev() {
        let about = NAMES.iter().find(|(known, _)| known == name).map_or("", |(_, about)| about);
        parameters.insert(0, json!({ "name": name, "in": "path", "required": true, "description": about, "schema": { "type": "string" } }));
    }
    parameters.iter_mut().for_each(describe);
    let has = |parameters: &[Value], name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
    let is_open = operation.get("security").is_some();
    let (posts, takes) = (method == "post" && !path.ends_with("/decisions"), operation.contains_key("requestBody"));
    let tagged = operation["responses"]["200"]["headers"].get("ETag").is_some();
    if tagged && method == "get" {
        parameters.push(header("If-None-Match", "The ETag that the caller has: 304 if it is still so."));
    }
    if posts {
        parameters.push(header("Idempotency-Key", "Makes a repeat harmless: within a day the first answer is told again."));
    }
    let asks = parameters.iter().any(|parameter| parameter["in"] == "query");
    let responses = operation["responses"].as_object_mut().expect("an operation has responses");
    if tagged && method == "get" {
        responses.insert("304".to_owned(), json!({ "description": "It is as the caller has it." }));
    }
    let conditions = [
        (asks || takes || posts || has(&parameters, "If-Match"), 400),
        (!is_open, 401),
        (!is_open, 403),
        (!named.is_empty(), 404),
        (takes, 408),
        (posts, 409),
        (has(&parameters, "If-Match"), 412),
        (takes, 413),
        (posts, 422),
        (!is_open, 429),
        (true, 500),
        (true, 503),
    ];
    for (_, status) in conditions.into_iter().filter(|(holds, _)| *holds) {
        responses.entry(status.to_string()).or_insert_with(|| json!({}));
    }
    for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])) {
        told(status, response);
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
}

/// Says of parameters that many routes have what they are.
fn describe(parameter: &mut Value) {
    match parameter["name"].as_str() {
        Some("limit") if parameter["in"] == "query" => {
            parameter["description"] = json!(format!("Items of the page, at most; {PAGE_ITEMS} where nothing is said."));
            parameter["schema"] = json!({ "type": "integer", "minimum": 1, "maximum": PAGE_ITEMS_MAX });
        }
        Some("cursor") if parameter["in"] == "query" => {
            parameter["description"] = json!("Where the list goes on: `next` of the page before.");
            parameter["schema"] = json!({ "type": "string" });
        }
        _ => {
            // What may be left out is left out: an address has no null.
            if let Some(kinds) = parameter["schema"]["type"].as_array() {
                let kind = kinds.iter().find(|kind| *kind != "null").cloned();
                parameter["schema"]["type"] = kind.unwrap_or_else(|| json!("string"));
            }
        }
    }
}

fn header(name: &str, about: &str) -> Value {
    json!({ "name": name, "in": "header", "required": false, "description": about, "schema": { "type": "string", "minLength": 1, "maxLength": 200 } })
}

/// A problem as an answer, with the codes that its status has.
fn told(status: &str, response: &mut Value) {
    let codes = TABLE.iter().filter(|row| row.status.to_string() == status).map(|row| format!("`{}`", code_name(row)));
    let codes = codes.collect::<Vec<_>>().join(", ");
    let said = response["description"].as_str().filter(|said| !said.is_empty()).map_or_else(String::new, |said| format!("{said} "));
    response["description"] = json!(format!("{said}Codes: {codes}."));
    response["content"] = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A change of the API is a change of this file, and is seen in review.
    #[test]
    fn the_document_in_the_repository_is_the_one_that_is_served() {
        let kept = include_str!("../../../docs/openapi.json");
        assert!(kept == document(), "docs/openapi.json is not what the code says: run `cargo xtask docs`, and look at what changed");
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_a_summary_and_a_family() {
        let mut names = BTreeSet::new();
        for (path, item) in whole()["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
                assert!(!name.is_empty() && names.insert(name.clone()), "{method} {path}: {name}");
                assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{method} {path}: {operation}");
                let tag = operation["tags"][0].as_str().unwrap_or_default();
                assert!(TAGS.iter().any(|(known, _)| *known == tag), "{method} {path}: {tag}");
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    assert!(parameter["description"].as_str().is_some_and(|about| !about.is_empty()), "{method} {path}: {parameter}");
                }
            }
        }
        assert!(names.len() > 10);
    }
}
