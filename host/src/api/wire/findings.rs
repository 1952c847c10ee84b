//! The JSON of rows that were rejected or warned about.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment;
use crate::ledger::{LeftQuarantine, Quarantine, StoredFinding};
use crate::run::{RunError, View};

/// A row that was rejected or warned about. Values that are personal, or that no manifest declares, are masked unless they were asked
/// for by somebody who may see them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FindingJson {
    id: String,
    effect: &'static str,
    input: String,
    row: Option<u64>,
    line: Option<u64>,
    byte_offset: Option<u64>,
    reasons: Vec<FindingReasonJson>,
    #[schema(value_type = Option<Object>)]
    values: Option<serde_json::Value>,
    /// How it stands in quarantine; absent before its run has closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<QuarantineJson>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct QuarantineJson {
    since: String,
    owner: Option<String>,
    resubmitted_by: Option<String>,
    left: Option<LeftJson>,
}

#[derive(Debug, Serialize, ToSchema)]
struct LeftJson {
    how: String,
    at: String,
    by: String,
    reason: Option<String>,
}

fn quarantine(stands: &Quarantine) -> Option<QuarantineJson> {
    let left =
        |left: &LeftQuarantine| LeftJson { how: left.how.clone(), at: moment(left.at_ms), by: left.by.clone(), reason: left.why.clone() };
    stands.since_ms.map(|since_ms| QuarantineJson {
        since: moment(since_ms),
        owner: stands.owner.clone(),
        resubmitted_by: stands.resubmitted_by.map(|run| run.to_string()),
        left: stands.left.as_ref().map(left),
    })
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct FindingReasonJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    code: String,
    message: String,
}

impl FindingJson {
    /// A finding as somebody may see it.
    ///
    /// # Errors
    /// [`RunError::Vault`] if what is kept of it cannot be opened.
    pub fn new(finding: &StoredFinding, view: &View) -> Result<Self, RunError> {
        let found = &finding.found;
        let reasons = found.reasons.iter().map(|reason| FindingReasonJson {
            column: reason.column.clone(),
            code: reason.code.clone(),
            message: reason.message.clone(),
        });
        Ok(Self {
            id: finding.id.to_string(),
            effect: found.effect.as_str(),
            input: found.port.clone(),
            row: found.row,
            line: found.line,
            byte_offset: found.byte_offset,
            reasons: reasons.collect(),
            values: view.row(finding)?,
            quarantine: quarantine(&finding.quarantine),
        })
    }
}
