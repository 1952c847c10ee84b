//! The API's own pages: its OpenAPI document, and a page made from it that a person reads in any browser, without a script.
//!
//! It must not know what any route does: what is shown stands in the document.

mod schema;

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use super::document;

/// What the page may load: its own style and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The same for everybody, so it may be kept for a while.
const KEPT: &str = "public, max-age=300";

pub(super) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, KEPT)], document::document()).into_response()
}

pub(super) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, KEPT)], include_str!("docs.css")).into_response()
}

pub(super) async fn page() -> Response {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, KEPT), (CONTENT_SECURITY_POLICY, POLICY)];
    (headers, whole(document::whole()).into_string()).into_response()
}

fn whole(document: &Value) -> Markup {
    let tags = document["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Bailiwick API" }
                link rel="stylesheet" href="/api/v1/docs.css";
            }
            body {
                header {
                    h1 { "Bailiwick API" }
                    p { "Version " (text(&document["info"]["version"])) ". The same as " a href="/api/v1/openapi.json" { "an OpenAPI document" } "." }
                }
                nav aria-label="Families of routes" {
                    ul { @for tag in tags { li { a href={ "#" (text(&tag["name"])) } { (text(&tag["name"])) } } } li { a href="#schemas" { "schemas" } } }
                }
                main {
                    (about(text(&document["info"]["description"])))
                    @for tag in tags { (family(document, tag)) }
                    section id="schemas" {
                        h2 { "Schemas" }
                        (schema::all(document))
                    }
                }
            }
        }
    }
}

/// The description of the whole: paragraphs, and the table of codes.
fn about(description: &str) -> Markup {
    let (rows, paragraphs): (Vec<&str>, Vec<&str>) = description.lines().partition(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    html! {
        @for paragraph in paragraphs.into_iter().filter(|line| !line.is_empty()) { p { (marked(paragraph)) } }
        div.wide tabindex="0" role="region" aria-label="Codes of problems" {
            table {
                @for (place, row) in rows.into_iter().enumerate() {
                    @if place == 0 { thead { tr { @for cell in cells(row) { th scope="col" { (cell) } } } } }
                    @else if place > 1 { tr { @for cell in cells(row) { td { (marked(&cell)) } } } }
                }
            }
        }
    }
}

fn family(document: &Value, tag: &Value) -> Markup {
    let name = text(&tag["name"]);
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| item.as_object().into_iter().flatten().map(move |(method, what)| (path, method, what)));
    let of: Vec<_> = operations.filter(|(_, _, what)| what["tags"][0] == name).collect();
    html! {
        @if !of.is_empty() {
            section id=(name) {
                h2 { (name) }
                p { (marked(text(&tag["description"]))) }
                @for (path, method, what) in of { (operation(document, (path, method), what)) }
            }
        }
    }
}

fn operation(document: &Value, (path, method): (&str, &str), what: &Value) -> Markup {
    let parameters = what["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let body = what["requestBody"]["content"].as_object().into_iter().flatten().next();
    html! {
        details id=(text(&what["operationId"])) {
            summary { span.method { (method.to_uppercase()) } " " code { (path) } span.says { (marked(text(&what["summary"]))) } }
            @for paragraph in text(&what["description"]).split("\n\n").filter(|text| !text.is_empty()) { p { (marked(paragraph)) } }
            @if !parameters.is_empty() {
                h3 { "Parameters" }
                dl { @for parameter in parameters {
                    dt { code { (text(&parameter["name"])) } " " span.kind { (text(&parameter["in"])) @if parameter["required"] == true { ", required" } } }
                    dd { (marked(text(&parameter["description"]))) }
                } }
            }
            @if let Some((kind, content)) = body {
                h3 { "Body " span.kind { (kind) } }
                (schema::shown(document, &content["schema"]))
            }
            h3 { "Answers" }
            dl { @for (status, answer) in what["responses"].as_object().into_iter().flatten() {
                dt { code { (status) } }
                dd {
                    (marked(text(&answer["description"])))
                    @for (kind, content) in answer["content"].as_object().into_iter().flatten() {
                        @if kind != "application/problem+json" { " " span.kind { (kind) ": " (schema::named(&content["schema"])) } }
                    }
                }
            } }
            h3 { "Example" }
            pre tabindex="0" { (schema::curl(document, (path, method), what)) }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text with what stands between backticks as code.
fn marked(text: &str) -> Markup {
    html! { @for (place, part) in text.split('`').enumerate() { @if place % 2 == 1 { code { (part) } } @else { (part) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_on_the_page_with_an_example_and_nothing_is_loaded_from_elsewhere() {
        let page = whole(document::whole()).into_string();
        for (path, item) in document::whole()["paths"].as_object().expect("paths") {
            for what in item.as_object().expect("operations").values() {
                assert!(page.contains(&format!("<details id=\"{}\">", text(&what["operationId"]))), "{path}");
            }
        }
        assert!(
            page.matches("curl ").count()
                >= page.matches("<details id=").count() - document::whole()["components"]["schemas"].as_object().map_or(0, |all| all.len())
        );
        assert!(!page.contains("<script") && !page.contains("href=\"http") && !page.contains("style=\""), "{page}");
    }
}
