//! A file as the body of a request: to the disk as it comes, sealed, and never more of it in memory than a piece.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures_util::StreamExt as _;

use super::{Code, Problem};
use crate::access::Caller;
use crate::model::limits::CORRECTED_BYTES_MAX;
use crate::run::{Handed, Hub, RunError};

/// The file that a request brings; the one that was taken before, where a layer had to know it.
pub(in crate::api) async fn file_of(hub: &Hub, caller: &Caller, request: Request) -> Result<Arc<Handed>, Problem> {
    let (parts, body) = request.into_parts();
    match parts.extensions.get::<Arc<Handed>>() {
        Some(handed) => Ok(Arc::clone(handed)),
        None => take_file(hub, caller, (&parts.headers, body)).await,
    }
}

/// Takes a file from a body, piece by piece. Broken off, or refused, nothing of it is left.
pub(in crate::api) async fn take_file(hub: &Hub, caller: &Caller, (headers, body): (&HeaderMap, Body)) -> Result<Arc<Handed>, Problem> {
    let told = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > CORRECTED_BYTES_MAX) {
        return Err(RunError::FileTooLarge { bytes_max: CORRECTED_BYTES_MAX }.into());
    }
    let mut file = hub.begin_file(caller.partner()).await?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|_| Problem::new(Code::BadRequest, "the body broke off before its end: nothing was done, send it again"))?;
        file.take(&piece).await?;
    }
    Ok(Arc::new(file.whole().await?))
}
