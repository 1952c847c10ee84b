//! The audit trail: read newest first, and worked out again.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Action;
use crate::api::answer::{Asked, Bearer, Page, Problem, Wanted};
use crate::api::wire::AuditJson;
use crate::ledger::{AuditEntry, PAGE_ITEMS_MAX};
use crate::run::Hub;

/// Entries that one call looks through for those that are asked for: a call ends, and `next` goes on.
const LOOKED_AT_MAX: u32 = 20 * PAGE_ITEMS_MAX;

pub(super) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(audit)).routes(routes!(verify_audit))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only what this actor did, such as person:j.smith.
    actor: Option<String>,
    /// Only acts whose name begins so, such as release. or run.cancel.
    action: Option<String>,
    /// Only acts on this, such as run:0199….
    subject: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

impl AuditQuery {
    fn fits(&self, entry: &AuditEntry) -> bool {
        self.actor.as_ref().is_none_or(|actor| entry.actor.as_str() == actor)
            && self.action.as_ref().is_none_or(|action| entry.action.starts_with(action.as_str()))
            && self.subject.as_ref().is_none_or(|subject| entry.subject == *subject)
    }
}

/// Lists who did what at the partner, newest first.
///
/// A page may have fewer items than were asked for, and none, and yet go on: the trail is long, and a call looks through a part of it.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "Entries.", body = Page<AuditJson>))
)]
async fn audit(State(hub): State<Hub>, Bearer(caller): Bearer, Asked(query): Asked<AuditQuery>) -> Result<Json<Page<AuditJson>>, Problem> {
    caller.may(Action::ReadAudit)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let (mut before, mut looked_at, mut items) = (wanted.after::<u64>()?, 0, Vec::new());
    loop {
        let page = hub.ledger().audit(caller.scope(), before, PAGE_ITEMS_MAX).await?;
        looked_at += PAGE_ITEMS_MAX;
        let mut entries = page.items.iter();
        for entry in entries.by_ref() {
            before = Some(entry.seq);
            if query.fits(entry) {
                items.push(AuditJson::new(entry));
            }
            if items.len() == wanted.limit as usize {
                break;
            }
        }
        let more = entries.next().is_some() || page.next.is_some();
        if !more {
            return Ok(Json(Page::with(items, None::<&u64>)));
        }
        if items.len() == wanted.limit as usize || looked_at >= LOOKED_AT_MAX {
            return Ok(Json(Page::with(items, before.as_ref())));
        }
    }
}

#[derive(Serialize, ToSchema)]
struct VerifiedJson {
    /// Whether nothing was changed or taken away.
    fits: bool,
    /// Entries that fit, of all partners.
    entries: u64,
    /// The hash of the last one that fits. Noted elsewhere, it shows later that nothing up to it was rewritten.
    head: String,
    /// The first entry that does not fit.
    broken: Option<String>,
}

/// Works the whole chain of the audit trail out again, and names the first entry that was tampered with.
#[utoipa::path(
    get, path = "/api/v1/audit/verification", tag = "audit",
    responses((status = 200, description = "What came of it.", body = VerifiedJson))
)]
async fn verify_audit(State(hub): State<Hub>, Bearer(caller): Bearer) -> Result<Json<VerifiedJson>, Problem> {
    caller.may(Action::ReadAudit)?;
    let check = hub.ledger().verify_audit().await?;
    Ok(Json(VerifiedJson {
        fits: check.broken.is_none(),
        entries: check.entries,
        head: check.head.to_string(),
        broken: check.broken.map(|broken| broken.to_string()),
    }))
}
