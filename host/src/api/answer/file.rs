//! A file as the body of a request, to the disk as it comes, sealed; or of an answer, as it is taken. Never more of it is in memory than
//! a piece or two.

use std::io::Read;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures_util::{StreamExt as _, stream};

use super::{Code, Problem};
use crate::access::Caller;
use crate::model::limits::CORRECTED_BYTES_MAX;
use crate::run::{Handed, Hub, RunError};

/// Bytes of a file that are read at once.
const PIECE_BYTES: usize = 64 << 10;

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

/// A body that is read from the disk piece by piece, each when the one before was taken: a slow reader keeps no thread.
pub(in crate::api) fn streamed(source: Box<dyn Read + Send>) -> Body {
    Body::from_stream(stream::try_unfold(source, |mut source| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            source.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece).map(|_| (piece, source))
        });
        let (piece, source) = read.await.expect("reading does not panic")?;
        Ok::<_, std::io::Error>((!piece.is_empty()).then(|| (Bytes::from(piece), source)))
    }))
}
