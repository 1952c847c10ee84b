//! Releases that are given up: not used again, while what has begun with them goes on.

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{query, query_scalar};
use crate::ledger::who::{Actor, By};
use crate::model::job::ReleaseChoice;

use super::ReleaseKey;

/// That a release was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub why: String,
}

impl Ledger {
    /// Gives a release up. Answers false if it was given up before.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchRelease`]; [`LedgerError::StillUsed`] while it is active, a candidate, or a job names it.
    pub async fn retire(&self, key: &ReleaseKey, why: &str, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let (partner, plugin, digest) = (key.partner.as_str(), key.plugin.as_str(), key.digest.to_string());
                let retired: Option<Option<i64>> =
                    query_scalar("SELECT retired_at_ms FROM releases WHERE partner = $1 AND plugin = $2 AND digest = $3")
                        .bind(partner)
                        .bind(plugin)
                        .bind(digest.as_str())
                        .locked()
                        .fetch_optional(&mut transaction)
                        .await?;
                if retired.ok_or_else(|| key.missing())?.is_some() {
                    return Ok(false);
                }
                let used = |how: String| LedgerError::StillUsed { plugin: key.plugin.clone(), digest: key.digest, how };
                let at_work: Option<String> = query_scalar(
                    "SELECT 'it is active' FROM active_releases WHERE partner = $1 AND plugin = $2 AND digest = $3
                     UNION ALL SELECT 'it is a candidate beside the active one' FROM candidates
                     WHERE partner = $1 AND plugin = $2 AND digest = $3 AND ended_at_ms IS NULL",
                )
                .bind(partner)
                .bind(plugin)
                .bind(digest.as_str())
                .fetch_optional(&mut transaction)
                .await?;
                if let Some(how) = at_work {
                    return Err(used(how));
                }
                let choices: Vec<(String, String)> = query(
                    "SELECT job, release_choice FROM jobs
                     WHERE partner = $1 AND plugin = $2 AND removed_at_ms IS NULL AND release_choice LIKE 'sha256:%' ORDER BY job",
                )
                .bind(partner)
                .bind(plugin)
                .fetch_all(&mut transaction)
                .await?;
                let names = |choice: &str| matches!(choice.parse(), Ok(ReleaseChoice::One(digits)) if digest.starts_with(&digits));
                if let Some((job, _)) = choices.iter().find(|(_, choice)| names(choice)) {
                    return Err(used(format!("the file of job {job} names it")));
                }
                query("UPDATE releases SET retired_at_ms = $4, retired_by = $5, retired_why = $6 WHERE partner = $1 AND plugin = $2 AND digest = $3")
                    .bind(partner)
                    .bind(plugin)
                    .bind(digest.as_str())
                    .bind(by.now_ms)
                    .bind(by.actor.as_str())
                    .bind(why)
                    .execute(&mut transaction)
                    .await?;
                let after = Some(serde_json::json!({ "plugin": plugin, "why": why }));
                let subject = format!("release:{digest}");
                let act = Act { partner: Some(&key.partner), action: "release.retire", subject, before: None, after };
                let covered = [Covered::named(CoveredKind::Retired, &key.partner, &digest)];
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }
}
