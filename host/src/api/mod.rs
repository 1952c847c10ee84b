//! The HTTP API: JSON over the same functions as the command line.
//!
//! ```text
//! routes     the routes by families, each with its description     answer  what a call brings, and how it is answered
//! amend      what persons put right                                wire    the JSON, a promise
//! document   the OpenAPI document                                  docs    the same as a page
//! repeat     Idempotency-Key                                  refused what callers are refused, into the audit trail
//! ```
//!
//! Every call but `/health` has a bearer token, and every query is held to the token's partner.
//! Errors are problem+json (RFC 9457) with a stable `code`. Nothing here does work: it enqueues, reads, and asks the desk.

#![allow(unused_qualifications, reason = "what utoipa's macros make of a route names its types by their whole path")]

pub mod amend;
mod answer;
mod docs;
mod document;
mod refused;
mod repeat;
mod routes;
pub mod wire;

use axum::Router;
use secrecy::ExposeSecret as _;

pub use document::document;

use crate::access::{self, SCOPES_OF_TOKEN, TokenAsk};
use crate::ledger::{By, LedgerError};
use crate::model::ids::PartnerName;
use crate::run::Hub;

/// The API's routes, for a server or a test without a socket.
pub fn router(hub: Hub) -> Router {
    routes::router(hub)
}

/// Routes with all that the API has around its own: keys of repeats, headers, what becomes of a defect.
pub fn around(routes: Router<Hub>, hub: Hub) -> Router {
    routes::around(routes, hub)
}

/// Makes a token for a partner that may be used for [`SCOPES_OF_TOKEN`]. Only its hash is kept, so this is the one time that it can be shown.
///
/// # Errors
/// [`LedgerError::AlreadyThere`] if the partner has a token of that name.
pub async fn make_token(hub: &Hub, partner: &PartnerName, name: &str, by: &By) -> Result<String, LedgerError> {
    let ask = TokenAsk { partner, name, scopes: SCOPES_OF_TOKEN.into(), expires_at_ms: None };
    Ok(access::make_token(hub.ledger(), &ask, by).await?.expose_secret().to_owned())
}
