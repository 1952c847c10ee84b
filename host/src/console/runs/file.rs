//! A file that a run read or wrote: its first rows, masked, and the file itself for those who may see personal data.

use std::io::Read;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use maud::html;

use super::run_of;
use crate::access::Action;
use crate::console::look::{Column, Summary, Table, Weight, button, form, inset, words};
use crate::console::visit::{At, Fault, Posted};
use crate::model::limits::console::PREVIEW_ROWS;
use crate::run::{Hub, Preview, RunFile, Side};

/// Bytes of a file that are read at once.
const CHUNK_BYTES: usize = 64 << 10;

type Named = Path<(String, String, String, String)>;

async fn file_of(hub: &Hub, at: &At, (run, side, port): (&str, &str, String)) -> Result<RunFile, Fault> {
    let side = match side {
        "in" => Side::Input,
        "out" => Side::Output,
        _ => return Err(Fault::NotFound),
    };
    let run = run_of(hub, at, run).await?;
    hub.file_of(at.scope(), run.id, (side, &port)).await?.ok_or(Fault::NotFound)
}

pub(super) async fn preview(State(hub): State<Hub>, at: At, Path((_, run, side, port)): Named) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let file = file_of(&hub, &at, (&run, &side, port.clone())).await?;
    let preview = hub.preview(&file, PREVIEW_ROWS).await?;
    let home = at.href(format_args!("runs/{run}"));
    let action = at.href(format_args!("runs/{run}/files/{side}/{port}"));
    let personal = at.caller.can(Action::SeePersonal);
    let body = html! {
        (Summary::new()
            .row(if side == "in" { "Input" } else { "Output" }, &*port)
            .row("Size", words::size(file.size_bytes))
            .row("SHA-256", html! { code { (file.digest) } }))
        p { "Personal data is shown as dots, and so is what the plugin does not declare." }
        (rows(&preview))
        @if personal {
            h2 { "The file itself" }
            p { "It has everything that stands in it, personal data too. That you took it is noted in the audit trail." }
            (form(&action, at.csrf(), button(Weight::Second, "Download the file")))
        }
    };
    Ok(at.page(&*file.name).caption("File of a run").section("runs").crumb(at.href("runs"), "Runs").crumb(home, "Run").body(body))
}

fn rows(preview: &Preview) -> maud::Markup {
    if let Some(why) = &preview.not_shown {
        return inset(html! { p { (why) } });
    }
    let columns =
        preview.columns.iter().map(|column| if column.number { Column::number(&*column.name) } else { Column::words(&*column.name) });
    let caption = html! {
        "The first " (words::counted(preview.rows.len() as u64, "row", "rows"))
        @if preview.more { span class="quiet" { "There are more." } }
    };
    let mut table = Table::new(caption, std::iter::once(Column::number("Row")).chain(columns)).scrolls().empty("It has no rows.");
    for (place, row) in preview.rows.iter().enumerate() {
        table.push(std::iter::once(html! { (place + 1) }).chain(row.iter().map(|cell| html! { (cell) })));
    }
    html! { (table) }
}

pub(super) async fn download(
    State(hub): State<Hub>,
    at: At,
    Path((_, run, side, port)): Named,
    _posted: Posted,
) -> Result<Response, Fault> {
    at.may(Action::SeePersonal)?;
    let file = file_of(&hub, &at, (&run, &side, port)).await?;
    let content = hub.take_file(&file, &at.by(&hub)).await?;
    Ok(attachment(&file.name, streamed(content)))
}

/// A file as it is read, so that a large one is never in memory as a whole.
pub(in crate::console) fn streamed(source: Box<dyn Read + Send>) -> Body {
    Body::from_stream(stream::unfold(Some(source), |source| async move {
        let mut source = source?;
        let read = move || {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = source.read(&mut chunk);
            (read.map(|length| (chunk.truncate(length), chunk).1), source)
        };
        match tokio::task::spawn_blocking(read).await.expect("reading does not panic") {
            (Ok(chunk), _) if chunk.is_empty() => None,
            (Ok(chunk), source) => Some((Ok(chunk), Some(source))),
            (Err(error), _) => Some((Err(error), None)),
        }
    }))
}

/// A file for the browser to keep, never to show.
pub(in crate::console) fn attachment(name: &str, body: Body) -> Response {
    // What is no plain name could end the header's value early.
    let plain: String = name.chars().map(|each| if each.is_ascii_alphanumeric() || ".-_".contains(each) { each } else { '_' }).collect();
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    let value = HeaderValue::try_from(format!("attachment; filename=\"{plain}\"")).expect("plain characters are fit for a header");
    headers.insert(CONTENT_DISPOSITION, value);
    response
}
