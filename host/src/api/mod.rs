//! The HTTP API: JSON over the same functions as the command line.
//!
//! ```text
//! routes     the routes by families, each with its description     answer  what a call brings, and how it is answered
//! amend      what persons put right                                wire    the JSON, a promise
//! document   the OpenAPI document                                  docs    the same as a page
//! repeat     Idempotency-Key
//! ```
//!
//! Every call but `/health` has a bearer token, and every query is held to the token's partner.
//! Errors are problem+json (RFC 9457) with a stable `code`. Nothing here does work: it enqueues, reads, and asks the desk.

#![allow(unused_qualifications, reason = "what utoipa's macros make of a route names its types by their whole path")]

pub mod amend;
mod answer;
mod docs;
mod document;
mod repeat;
mod routes;
pub mod wire;

use axum::Router;

pub use document::document;

use crate::ledger::{By, LedgerError, NewToken};
use crate::model::ids::{Digest, PartnerName};
use crate::run::Hub;

/// Chance in a token, in bytes.
const TOKEN_BYTES: usize = 32;

/// The API's routes, for a server or a test without a socket.
pub fn router(hub: Hub) -> Router {
    routes::router(hub)
}

/// Makes a token for a partner. Only its hash is kept, so this is the one time that it can be shown.
///
/// # Errors
/// [`LedgerError::AlreadyThere`] if the partner has a token of that name.
pub async fn make_token(hub: &Hub, partner: &PartnerName, name: &str, by: &By) -> Result<String, LedgerError> {
    let mut chance = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut chance).expect("the system gives random numbers");
    let token = format!("bwk_{}", Digest::new(chance));
    let scopes = vec!["read".to_owned(), "run".to_owned(), "decide".to_owned()];
    let new = NewToken { partner: partner.clone(), name: name.to_owned(), hash: Digest::of(token.as_bytes()), scopes, expires_at_ms: None };
    hub.ledger().create_token(&new, by).await?;
    Ok(token)
}
