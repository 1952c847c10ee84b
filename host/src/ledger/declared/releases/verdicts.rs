//! What people say of a release before the partner's runs may use it. Whoever handed it in does not say it.

use std::fmt;
use std::str::FromStr;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{query, query_scalar};
use crate::ledger::who::{Actor, By};

use super::{ReleaseKey, hands, keys, wire};
use crate::model::grant::Grant;

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The partner's runs may use it.
    Approved,
    /// They may not.
    Refused,
}

impl Standing {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Standing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Approved, Self::Refused]
            .into_iter()
            .find(|standing| standing.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no verdict"))
    }
}

/// What somebody said of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What.
    pub standing: Standing,
    /// The reason.
    pub why: String,
    /// When.
    pub at_ms: i64,
    /// Who.
    pub by: Actor,
    /// 1, 2, 3 among the verdicts on this release.
    pub number: u64,
    /// Of an approval, what was granted with it; none for all that is asked for.
    pub grant: Option<Grant>,
}

/// What somebody says of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement<'a> {
    /// What.
    pub standing: Standing,
    /// The reason.
    pub why: &'a str,
    /// Of an approval, what is granted with it; none for all that is asked for.
    pub grant: Option<Grant>,
    /// The review that the person had before them.
    pub review: Option<&'a str>,
}

impl Ledger {
    /// What a partner lends a release: what was granted with its approval, or all that it asks for.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn granted(&self, key: &ReleaseKey) -> Result<Grant, LedgerError> {
        let granted: Option<Option<String>> = query_scalar(
            "SELECT granted FROM release_verdicts WHERE partner = $1 AND plugin = $2 AND digest = $3 ORDER BY number DESC LIMIT 1",
        )
        .bind(key.partner.as_str())
        .bind(key.plugin.as_str())
        .bind(key.digest.to_string())
        .fetch_optional(&self.store)
        .await?;
        granted.flatten().as_deref().map(wire::grant_of).transpose().map(Option::unwrap_or_default)
    }

    /// Keeps what somebody says of a release; the last word counts. Answers false if that was its standing already.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchRelease`]; [`LedgerError::OwnWork`] if whoever added it, or brought its signature, approves it;
    /// [`LedgerError::NotVouchedFor`] if it is approved and the key that signed it was revoked.
    pub async fn judge_release(&self, key: &ReleaseKey, judgement: &Judgement<'_>, by: &By) -> Result<bool, LedgerError> {
        let standing = judgement.standing;
        let granted = judgement.grant.as_ref().map(wire::grant_text);
        let granted = granted.as_deref();
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let (partner, plugin, digest) = (key.partner.as_str(), key.plugin.as_str(), key.digest.to_string());
                if standing == Standing::Approved {
                    hands::refuse_whoever_handed_in(&mut transaction, key, by).await?;
                    keys::refuse_revoked(&mut transaction, key).await?;
                } else {
                    hands::lock(&mut transaction, key).await?;
                }
                let last: Option<(i64, String, Option<String>)> = query(
                    "SELECT number, verdict, granted FROM release_verdicts WHERE partner = $1 AND plugin = $2 AND digest = $3
                     ORDER BY number DESC LIMIT 1",
                )
                .bind(partner)
                .bind(plugin)
                .bind(digest.as_str())
                .fetch_optional(&mut transaction)
                .await?;
                if last.as_ref().is_some_and(|(_, verdict, before)| verdict == standing.as_str() && before.as_deref() == granted) {
                    return Ok(false);
                }
                query(
                    "INSERT INTO release_verdicts (partner, plugin, digest, number, verdict, why, at_ms, said_by, granted, reviewed)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                )
                .bind(partner)
                .bind(plugin)
                .bind(digest.as_str())
                .bind(last.as_ref().map_or(1, |(number, ..)| number + 1))
                .bind(standing.as_str())
                .bind(judgement.why)
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .bind(granted)
                .bind(judgement.review)
                .execute(&mut transaction)
                .await?;
                let act = Act {
                    partner: Some(&key.partner),
                    action: if standing == Standing::Approved { "release.approve" } else { "release.refuse" },
                    subject: format!("release:{digest}"),
                    before: last.map(|(_, verdict, _)| serde_json::json!({ "standing": verdict })),
                    after: Some(
                        serde_json::json!({ "standing": standing.as_str(), "plugin": plugin, "why": judgement.why, "granted": granted }),
                    ),
                };
                audit::append_over(&mut transaction, act, &[key.covered()], by).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }
}
