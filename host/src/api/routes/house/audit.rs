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
use crate::ledger::{AuditSought, AuditWords};
use crate::run::Hub;

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
    /// Only what was done at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<jiff::Timestamp>,
    /// Only what was done before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<jiff::Timestamp>,
    cursor: Option<String>,
    limit: Option<u32>,
}

impl AuditQuery {
    fn sought(&self) -> AuditSought {
        let words = |text: &Option<String>, how: fn(String) -> AuditWords| text.clone().map_or(AuditWords::Any, how);
        AuditSought {
            actor: words(&self.actor, AuditWords::Are),
            action: words(&self.action, AuditWords::Begin),
            subject: words(&self.subject, AuditWords::Are),
            from_ms: self.from.map(jiff::Timestamp::as_millisecond),
            until_ms: self.to.map(jiff::Timestamp::as_millisecond),
        }
    }
}

/// Lists who did what at the partner, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "Entries.", body = Page<AuditJson>))
)]
async fn audit(State(hub): State<Hub>, Bearer(caller): Bearer, Asked(query): Asked<AuditQuery>) -> Result<Json<Page<AuditJson>>, Problem> {
    caller.may(Action::ReadAudit)?;
    let wanted = Wanted::new(query.cursor.as_deref(), query.limit)?;
    let page = hub.ledger().audit_sought(caller.scope(), &query.sought(), wanted.after()?, wanted.limit).await?;
    Ok(Json(Page::of(&page, AuditJson::new)))
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
