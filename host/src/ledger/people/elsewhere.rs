//! Signing in at a provider of identities, from leaving the hub to coming back; and whose account there is whose here.
//!
//! It must not know what a provider is.

use super::{found, nobody, subject};
use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{query, query_scalar};
use crate::ledger::who::By;
use crate::model::ids::{Digest, PersonName};
use crate::model::limits::access::SIGN_IN_ELSEWHERE_MS_MAX;

/// A sign-in that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSignIn {
    /// SHA-256 of what the provider will send back.
    pub hash: Digest,
    /// SHA-256 of what the browser holds.
    pub browser: Digest,
    /// Where to go afterwards.
    pub next: String,
}

impl Ledger {
    /// Keeps a sign-in that begins, and forgets those that nobody came back from.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn begin_sign_in(&self, new: &NewSignIn, now_ms: i64) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                query("DELETE FROM sign_ins_begun WHERE ends_at_ms <= $1").bind(now_ms).execute(&mut transaction).await?;
                query("INSERT INTO sign_ins_begun (hash, browser, next, ends_at_ms) VALUES ($1, $2, $3, $4)")
                    .bind(new.hash.to_string())
                    .bind(new.browser.to_string())
                    .bind(new.next.as_str())
                    .bind(now_ms + SIGN_IN_ELSEWHERE_MS_MAX)
                    .execute(&mut transaction)
                    .await?;
                transaction.commit().await
            })
            .await
    }

    /// Takes a sign-in up again that this browser began, and answers where to go afterwards: once, and in time.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn end_sign_in(&self, hash: Digest, browser: Digest, now_ms: i64) -> Result<Option<String>, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let next: Option<String> =
                    query_scalar("SELECT next FROM sign_ins_begun WHERE hash = $1 AND browser = $2 AND ends_at_ms > $3")
                        .bind(hash.to_string())
                        .bind(browser.to_string())
                        .bind(now_ms)
                        .fetch_optional(&mut transaction)
                        .await?;
                // Of two at one moment, one removes it.
                let removed = query("DELETE FROM sign_ins_begun WHERE hash = $1 AND browser = $2")
                    .bind(hash.to_string())
                    .bind(browser.to_string())
                    .execute(&mut transaction)
                    .await?;
                transaction.commit().await?;
                Ok(next.filter(|_| removed == 1))
            })
            .await
    }

    /// Whether an account at a provider is a person's: the first that they sign in with is theirs from then on.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such person.
    pub async fn account_is(&self, person: &PersonName, account: &str, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let known: Option<(Option<String>,)> = query("SELECT account FROM people WHERE person = $1")
                    .bind(person.as_str())
                    .locked()
                    .fetch_optional(&mut transaction)
                    .await?;
                match known {
                    None => Err(nobody(person)),
                    Some((Some(theirs),)) => Ok(theirs == account),
                    Some((None,)) => {
                        let covered = found(&mut transaction, person).await?;
                        query("UPDATE people SET account = $2 WHERE person = $1")
                            .bind(person.as_str())
                            .bind(account)
                            .execute(&mut transaction)
                            .await?;
                        let after = Some(serde_json::json!({ "account": account }));
                        let act = Act { partner: None, action: "person.account", subject: subject(person), before: None, after };
                        audit::append_over(&mut transaction, act, &[covered], by).await?;
                        transaction.commit().await?;
                        Ok(true)
                    }
                }
            })
            .await
    }
}
