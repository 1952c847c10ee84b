//! Files that a run read and wrote: listed with their digests, shown in part with dots for what is personal, and taken whole by those
//! who may see it all; and a run beside another.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::look::{PageQuery, own};
use super::run_id;
use crate::access::{Action, Caller};
use crate::api::answer::{Asked, Bearer, Named, Page, Problem, Wanted, bad_request, streamed};
use crate::api::wire::{DifferencesJson, moment};
use crate::ledger::RunEvent;
use crate::run::{Hub, Look, RunFile, Side};

/// Rows of a preview, where nobody says; and at most.
const ROWS: u32 = 20;
const ROWS_MAX: u32 = 200;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(run_artefacts)).routes(routes!(preview)).routes(routes!(content)).routes(routes!(comparison))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct ArtefactJson {
    /// inputs or outputs.
    side: &'static str,
    /// The plugin's input or output.
    port: String,
    /// What it was called outside.
    name: String,
    connection: String,
    /// SHA-256 of its bytes.
    digest: String,
    bytes: u64,
    /// Of an output.
    rows: Option<u64>,
    /// When the files of the run were given up; none while they are kept.
    expired_at: Option<String>,
}

/// Lists the files that a run read and wrote.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/artefacts", tag = "runs", params(PageQuery),
    responses((status = 200, description = "Files, by side and port.", body = Page<ArtefactJson>))
)]
async fn run_artefacts(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<ArtefactJson>>, Problem> {
    caller.may(Action::Read)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let id = own(&hub, &caller, &run).await?;
    let expired_at = hub.ledger().expired_at_ms(caller.scope(), id).await?.map(moment);
    let mut all = Vec::new();
    let events = hub.ledger().events(caller.scope(), id, 0).await?;
    let pulled = events.into_iter().rev().find_map(|logged| if let RunEvent::Pulled(pulled) = logged.event { Some(pulled) } else { None });
    for file in pulled.map(|pulled| pulled.inputs).unwrap_or_default() {
        all.push(ArtefactJson {
            side: "inputs",
            port: file.port,
            name: file.path,
            connection: file.connection.to_string(),
            digest: file.digest.to_string(),
            bytes: file.size_bytes,
            rows: None,
            expired_at: expired_at.clone(),
        });
    }
    for output in hub.ledger().processed(caller.scope(), id).await?.map(|processed| processed.outputs).unwrap_or_default() {
        all.push(ArtefactJson {
            side: "outputs",
            port: output.port,
            name: output.target,
            connection: output.connection.to_string(),
            digest: output.artefact.to_string(),
            bytes: output.size_bytes,
            rows: Some(output.rows),
            expired_at: expired_at.clone(),
        });
    }
    Ok(Json(Page::cut(all, &wanted, |file| format!("{}/{}", file.side, file.port))?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreviewQuery {
    /// How many rows: 20 where nothing is said, 200 at most.
    #[param(minimum = 1, maximum = 200)]
    rows: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct PreviewJson {
    name: String,
    /// SHA-256 of the whole file.
    digest: String,
    bytes: u64,
    columns: Vec<PreviewColumnJson>,
    /// Values in the order of the columns; dots for what is personal.
    rows: Vec<Vec<String>>,
    /// Whether there are more.
    more: bool,
    /// Why none are shown.
    not_shown: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PreviewColumnJson {
    name: String,
    /// Whether it holds numbers.
    number: bool,
}

async fn file(hub: &Hub, caller: &Caller, (run, side, port): &(String, String, String)) -> Result<RunFile, Problem> {
    let side = match side.as_str() {
        "inputs" => Side::Input,
        "outputs" => Side::Output,
        _ => return Err(Problem::not_found("side of a run: inputs or outputs")),
    };
    let found = hub.file_of(caller.scope(), run_id(run)?, (side, port)).await?;
    found.ok_or_else(|| Problem::not_found("file of this run"))
}

/// Shows the first rows of a file of a run, with dots for what is personal and for what the plugin does not declare.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/artefacts/{side}/{port}", tag = "runs", params(PreviewQuery),
    responses((status = 200, description = "The file and its first rows.", body = PreviewJson), (status = 410, description = "The files were given up."))
)]
async fn preview(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(of): Named<(String, String, String)>,
    Asked(query): Asked<PreviewQuery>,
) -> Result<Json<PreviewJson>, Problem> {
    caller.may(Action::Read)?;
    let rows = query.rows.unwrap_or(ROWS);
    if !(1..=ROWS_MAX).contains(&rows) {
        return Err(bad_request(&format!("a preview has 1 to {ROWS_MAX} rows: rows is {rows}")));
    }
    let file = file(&hub, &caller, &of).await?;
    let shown = hub.preview(&file, rows as usize).await?;
    Ok(Json(PreviewJson {
        name: file.name,
        digest: file.digest.to_string(),
        bytes: file.size_bytes,
        columns: shown.columns.into_iter().map(|column| PreviewColumnJson { name: column.name, number: column.number }).collect(),
        rows: shown.rows,
        more: shown.more,
        not_shown: shown.not_shown,
    }))
}

/// The bytes of a file of a run, personal data and all: for a token with the scope see-personal. That it was taken is in the audit trail.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/artefacts/{side}/{port}/content", tag = "runs",
    responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream", headers(("ETag" = String, description = "The SHA-256 of the file, for If-None-Match."))), (status = 410, description = "The files were given up."))
)]
async fn content(State(hub): State<Hub>, Bearer(caller): Bearer, Named(of): Named<(String, String, String)>) -> Result<Response, Problem> {
    caller.may(Action::SeePersonal)?;
    let file = file(&hub, &caller, &of).await?;
    let source = hub.take_file(&file, &caller.by(hub.id(), hub.clock().now_ms())).await?;
    let mut response = streamed(source).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(file.size_bytes));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", file.digest)) {
        headers.insert(ETAG, tag);
    }
    Ok(response)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ComparisonQuery {
    /// The other run, of the same job: what this one is held against.
    with: String,
    /// Whether personal values are wanted as they are: for a token with the scope see-personal. That they were shown is in the audit trail.
    #[serde(default)]
    personal: bool,
}

/// Tells where a run came to something else than another of the same job. Values of personal columns are masked.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/comparison", tag = "runs", params(ComparisonQuery),
    responses((status = 200, description = "Differences; empty lists where there are none.", body = DifferencesJson), (status = 409, description = "They are of two jobs, or one has processed nothing."), (status = 410, description = "The files were given up."))
)]
async fn comparison(
    State(hub): State<Hub>,
    Bearer(caller): Bearer,
    Named(run): Named,
    Asked(query): Asked<ComparisonQuery>,
) -> Result<Json<DifferencesJson>, Problem> {
    caller.may(Action::Read)?;
    let sight = caller.sight(query.personal)?;
    let (now, before) = (own(&hub, &caller, &run).await?, own(&hub, &caller, &query.with).await?);
    let by = caller.by(hub.id(), hub.clock().now_ms());
    Ok(Json(DifferencesJson::new(&hub.compare_runs((before, now), Look { scope: caller.scope(), sight, by: &by }).await?)))
}
