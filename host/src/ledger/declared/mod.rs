//! What was declared: partners, their connections and jobs, the releases that jobs run, the tables that these look things up in.

mod apply;
mod changes;
mod deciding;
mod jobs;
mod put;
mod releases;
mod tables;
mod whole;

use super::error::LedgerError;
use crate::ledger::store::{Transaction, query_scalar};
use crate::model::ids::PartnerName;

pub use apply::{Applied, Change, Changed, Declaration, DeclaredConnection, DeclaredJob, DeclaredWebhook, Source};
pub use changes::{ChangeState, NewChange, StoredChange};
pub use deciding::DecidesBy;
pub(super) use deciding::Deciding;
pub use jobs::{Paused, StoredConnection, StoredJob};
pub use releases::{
    Bounds, Candidate, Explanation, Judgement, NewCandidate, NewRelease, NewSigningKey, NewTrial, ProofState, Release, ReleaseKey,
    ReleaseSignature, Retired, SigningKey, Standing, Trial, TrialOutcome, Verdict, Way,
};
pub(super) use releases::{choose, follow, tried_with};
pub use tables::{NewTable, StoredTable};
pub use whole::{AppliedWhole, Whole};

/// A partner must have been declared before anything is kept for it.
pub(super) async fn require_partner(transaction: &mut Transaction, partner: &PartnerName) -> Result<(), LedgerError> {
    let known: Option<i64> =
        query_scalar("SELECT applied_at_ms FROM partners WHERE partner = $1").bind(partner.as_str()).fetch_optional(transaction).await?;
    known.map(|_| ()).ok_or_else(|| LedgerError::NotFound { what: "partner", name: partner.to_string() })
}
