//! The JSON of the audit trail.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment;
use crate::ledger::AuditEntry;

/// An entry of the audit trail, with the hash that chains it to the one before.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AuditJson {
    seq: u64,
    at: String,
    at_ms: i64,
    partner: Option<String>,
    actor: String,
    from: Option<String>,
    action: String,
    subject: String,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
    hash: String,
}

impl AuditJson {
    /// An entry as it stands in the trail.
    #[must_use]
    pub fn new(entry: &AuditEntry) -> Self {
        let value = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self {
            seq: entry.seq,
            at: moment(entry.at_ms),
            at_ms: entry.at_ms,
            partner: entry.partner.as_ref().map(ToString::to_string),
            actor: entry.actor.to_string(),
            from: entry.from.clone(),
            action: entry.action.clone(),
            subject: entry.subject.clone(),
            before: value(&entry.before),
            after: value(&entry.after),
            hash: entry.hash.to_string(),
        }
    }
}
