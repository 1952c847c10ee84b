//! Answers that are kept for a day, so that a request which is repeated under its key does nothing and is told the same.
//!
//! What an answer means is not known here.

use super::Ledger;
use super::error::LedgerError;
use super::store::query;
use super::who::{Actor, By};
use crate::model::ids::{Digest, PartnerName};

/// How long an answer is kept, and its key with it.
const KEPT_MS: i64 = 86_400_000;

/// After that a request is under way no more, whatever became of the hub that answered it: longer than any takes.
const UNDER_WAY_MS: i64 = 900_000;

/// A request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Whose.
    pub partner: PartnerName,
    /// Who sent it: keys of two callers have nothing to do with each other.
    pub caller: Actor,
    /// The key.
    pub key: String,
    /// What was asked for: another request under the same key is none.
    pub digest: Digest,
    /// A word that this process of the hub made up when it started: what another life of the hub began, it does not end.
    pub life: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON; none if it holds what may be shown once only.
    pub body: Option<String>,
}

/// How a request with a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeat {
    /// It was not sent before: it is answered now.
    First,
    /// It was answered before.
    Answered(KeptAnswer),
    /// Another request had the key.
    Other,
    /// It is being answered.
    UnderWay,
}

#[derive(sqlx::FromRow)]
struct KeptRow {
    request: String,
    hub: String,
    life: String,
    begun_at_ms: i64,
    status: Option<i64>,
    body: Option<String>,
}

impl Ledger {
    /// Begins to answer a request, unless it was answered, is being answered, or another had its key. What a hub began that ended
    /// before its answer was kept, is begun again.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn begin_answer(&self, request: &KeyedRequest, by: &By) -> Result<Repeat, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                query("DELETE FROM kept_answers WHERE partner = $1 AND begun_at_ms < $2")
                    .bind(request.partner.as_str())
                    .bind(by.now_ms.saturating_sub(KEPT_MS))
                    .execute(&mut transaction)
                    .await?;
                let written = query(
                    "INSERT INTO kept_answers (partner, caller, request_key, request, hub, life, begun_at_ms)
                     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                )
                .bind(request.partner.as_str())
                .bind(request.caller.as_str())
                .bind(request.key.as_str())
                .bind(request.digest.to_string())
                .bind(by.hub.as_str())
                .bind(request.life.as_str())
                .bind(by.now_ms)
                .execute(&mut transaction)
                .await?;
                let stands = if written > 0 {
                    Repeat::First
                } else {
                    let row: KeptRow = query(
                        "SELECT request, hub, life, begun_at_ms, status, body FROM kept_answers
                         WHERE partner = $1 AND caller = $2 AND request_key = $3",
                    )
                    .bind(request.partner.as_str())
                    .bind(request.caller.as_str())
                    .bind(request.key.as_str())
                    .locked()
                    .fetch_one(&mut transaction)
                    .await?;
                    stands(row, request, by)
                };
                if stands == Repeat::First && written == 0 {
                    query(
                        "UPDATE kept_answers SET hub = $4, life = $5, begun_at_ms = $6
                         WHERE partner = $1 AND caller = $2 AND request_key = $3",
                    )
                    .bind(request.partner.as_str())
                    .bind(request.caller.as_str())
                    .bind(request.key.as_str())
                    .bind(by.hub.as_str())
                    .bind(request.life.as_str())
                    .bind(by.now_ms)
                    .execute(&mut transaction)
                    .await?;
                }
                transaction.commit().await?;
                Ok(stands)
            })
            .await
    }

    /// Keeps the answer of a request that was begun; without one, its key is free again, as nothing was done.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn end_answer(&self, request: &KeyedRequest, answer: Option<&KeptAnswer>) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let change = match answer {
                    Some(answer) => query(
                        "UPDATE kept_answers SET status = $5, body = $6
                         WHERE partner = $1 AND caller = $2 AND request_key = $3 AND life = $4",
                    )
                    .bind(request.partner.as_str())
                    .bind(request.caller.as_str())
                    .bind(request.key.as_str())
                    .bind(request.life.as_str())
                    .bind(i64::from(answer.status))
                    .bind(answer.body.clone()),
                    None => query(
                        "DELETE FROM kept_answers
                         WHERE partner = $1 AND caller = $2 AND request_key = $3 AND life = $4 AND status IS NULL",
                    )
                    .bind(request.partner.as_str())
                    .bind(request.caller.as_str())
                    .bind(request.key.as_str())
                    .bind(request.life.as_str()),
                };
                change.execute(&mut transaction).await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }
}

fn stands(row: KeptRow, request: &KeyedRequest, by: &By) -> Repeat {
    if row.request != request.digest.to_string() {
        return Repeat::Other;
    }
    if let Some(status) = row.status {
        return Repeat::Answered(KeptAnswer { status: u16::try_from(status).unwrap_or(200), body: row.body });
    }
    let ended = row.hub == by.hub.as_str() && row.life != request.life;
    if ended || row.begun_at_ms < by.now_ms.saturating_sub(UNDER_WAY_MS) { Repeat::First } else { Repeat::UnderWay }
}
