//! The stylesheet, the script and the mark, each at an address that names its content, so that browsers keep them for ever.
//!
//! It must not know any page.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::model::ids::Digest;
use crate::run::Hub;

/// Digits of a digest in an address: enough that no two contents share one.
const DIGITS: usize = 16;

/// A file of the console.
pub(super) struct Asset {
    /// Where it is.
    pub(super) address: String,
    media_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(name: &str, media_type: &'static str, content: &'static str) -> Self {
        let digest = Digest::of(content.as_bytes()).to_string();
        let (stem, extension) = name.split_once('.').expect("a file of the console has an extension");
        Self { address: format!("/assets/{stem}-{}.{extension}", &digest[..DIGITS]), media_type, content }
    }
}

/// How every page looks.
pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console.css", "text/css; charset=utf-8", include_str!("console.css")));

/// What makes pages quicker to use, where scripts run.
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console.js", "text/javascript; charset=utf-8", include_str!("console.js")));

/// The mark in a browser's tab.
pub(super) static MARK: LazyLock<Asset> = LazyLock::new(|| Asset::new("mark.svg", "image/svg+xml", include_str!("mark.svg")));

pub(super) fn routes() -> Router<Hub> {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    let address = format!("/assets/{name}");
    let Some(found) = [&*STYLE, &*SCRIPT, &*MARK].into_iter().find(|asset| asset.address == address) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [(CONTENT_TYPE, found.media_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, found.content).into_response()
}
