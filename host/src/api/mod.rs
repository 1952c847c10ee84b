//! The HTTP API: JSON over the same functions as the command line.
//!
//! ```text
//! GET  /health                                     is it there
//! GET  /api/v1/jobs                                jobs, with their last run
//! POST /api/v1/jobs/{job}/runs                     start a run; Idempotency-Key makes a repeat harmless
//! GET  /api/v1/runs                                runs, newest first; ?job= &state= &before= &limit=
//! GET  /api/v1/runs/{run}                          one run with totals, balances, deliveries, events
//! GET  /api/v1/runs/{run}/rejects                  its rejects; ?after= &limit=
//! GET  /api/v1/rejects                             rejects in quarantine; ?job= &run= &code= &owner= &older-than-days= &after= &limit=
//! GET  /api/v1/rejects/groups                      the same, counted by job and reason
//! POST /api/v1/runs/{run}/rejects/assign           say who sees to them: {"owner", "code", "numbers"}
//! POST /api/v1/runs/{run}/rejects/dismiss          take them out: {"reason", "code", "numbers"}
//! GET  /api/v1/runs/{run}/rejects/corrections      the rows as they stood in the file, for correction; ?input=
//! POST /api/v1/runs/{run}/resubmissions            the corrected file, as a run of its own; ?input= &afresh=
//! POST /api/v1/runs/{run}/deliveries/{output}/resend   send a delivered output again: {"reason", "as", "new-key"}
//! POST /api/v1/runs/{run}/deliveries/{output}/settle   say whether an uncertain delivery arrived: {"arrived", "reason"}
//! POST /api/v1/rule-sets/{name}/decisions          decide one case, or a list of them
//! ```
//!
//! Every call but `/health` has a bearer token, and every query is held to the token's partner.
//! Errors are problem+json (RFC 9457) with a stable `code`. Nothing here does work: it enqueues, reads, and asks the desk.

pub mod amend;
mod answer;
mod routes;
pub mod wire;

use axum::Router;

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
