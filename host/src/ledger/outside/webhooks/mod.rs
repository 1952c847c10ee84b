//! Messages to partners' own addresses: each comes with its event and waits until it is taken or given up. Whoever tries to send one
//! takes it for a while, by a number that later writes must match.
//!
//! A message names a run or a release, says how it stands, and counts rows. No row, file, amount or person stands in it.

mod log;

use serde_json::{Value, json};

pub use log::{MessagePlace, MessageState, MessagesSought};

use crate::ledger::Ledger;
use crate::ledger::declared::ReleaseKey;
use crate::ledger::error::LedgerError;
use crate::ledger::runs::{LoggedEvent, Outcome, Run, RunEvent};
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::By;
use crate::model::ids::{Digest, PartnerName, WebhookName};
use crate::model::job::{ReleasePolicy, WebhookEvent};

/// Messages of one address that are taken at once.
const TAKEN_MAX: i64 = 5;

/// Addresses that are looked at in one go.
const ADDRESSES_MAX: i64 = 200;

/// Messages of one transaction that are forgotten.
const FORGOTTEN_MAX: i64 = 1_000;

/// A message to a partner's own address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookMessage {
    /// Its number, which a receiver knows repeats by.
    pub id: String,
    /// Whose address.
    pub partner: PartnerName,
    /// Which.
    pub webhook: WebhookName,
    /// What happened.
    pub event: String,
    /// To what: `run:…`, `release:…`.
    pub subject: String,
    /// When it happened.
    pub at_ms: i64,
    /// What is sent.
    pub body: String,
    /// How often it has been tried, this time included.
    pub attempts: u64,
    /// When it is tried next; none once it is taken, or given up.
    pub next_at_ms: Option<i64>,
    /// When the receiver took it.
    pub taken_at_ms: Option<i64>,
    /// When it was taken or given up.
    pub ended_at_ms: Option<i64>,
    /// What the receiver answered the last time.
    pub status: Option<u16>,
    /// How long the last attempt took.
    pub took_ms: Option<u64>,
    /// Why it was not taken the last time.
    pub outcome: Option<String>,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    message: String,
    partner: String,
    webhook: String,
    event: String,
    subject: String,
    at_ms: i64,
    body: String,
    attempts: i64,
    next_at_ms: Option<i64>,
    taken_at_ms: Option<i64>,
    ended_at_ms: Option<i64>,
    status: Option<i64>,
    took_ms: Option<i64>,
    outcome: Option<String>,
}

impl TryFrom<MessageRow> for WebhookMessage {
    type Error = LedgerError;

    fn try_from(row: MessageRow) -> Result<Self, LedgerError> {
        Ok(Self {
            id: row.message,
            partner: parsed(&row.partner, "partner")?,
            webhook: parsed(&row.webhook, "webhook")?,
            event: row.event,
            subject: row.subject,
            at_ms: row.at_ms,
            body: row.body,
            attempts: count(row.attempts),
            next_at_ms: row.next_at_ms,
            taken_at_ms: row.taken_at_ms,
            ended_at_ms: row.ended_at_ms,
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            took_ms: row.took_ms.map(count),
            outcome: row.outcome,
        })
    }
}

/// Puts messages beside an event of a run, one for each address that is told of such events.
pub(in crate::ledger) async fn tell_of_run(transaction: &mut Transaction, run: &Run, logged: &LoggedEvent) -> Result<(), LedgerError> {
    let event = match &logged.event {
        RunEvent::Closed(_) => WebhookEvent::RunClosed,
        RunEvent::Held(_) => WebhookEvent::RunHeld,
        RunEvent::Failed(failed) if failed.retry_at_ms.is_none() => WebhookEvent::RunFailed,
        RunEvent::Skipped(_) => WebhookEvent::RunSkipped,
        RunEvent::Overdue(_) => WebhookEvent::RunOverdue,
        _ => return Ok(()),
    };
    let told = told_of(transaction, run.partner(), event).await?;
    if told.is_empty() {
        return Ok(());
    }
    let rows = run.rows;
    let about = json!({ "run": {
        "id": run.id.to_string(),
        "job": run.job().as_str(),
        "state": run.state.as_str(),
        "outcome": run.outcome.map(|outcome| if outcome == Outcome::Delivered { "delivered" } else { "dry-run" }),
        "reason": run.reason.as_ref().map(|reason| reason.code.as_str()),
        "rows": { "read": rows.read, "accepted": rows.accepted, "rejected": rows.rejected, "skipped": rows.skipped, "written": rows.written },
        "deliveries": run.deliveries(),
    }});
    let happened = Happened { event, subject: format!("run:{}", run.id), seq: logged.seq, at_ms: logged.at_ms, about };
    tell(transaction, run.partner(), (told, happened)).await
}

/// The same of a release that waits for somebody's approval.
pub(in crate::ledger) async fn tell_of_release(
    transaction: &mut Transaction,
    key: &ReleaseKey,
    version: &str,
    by: &By,
) -> Result<(), LedgerError> {
    let asks: Option<String> = query_scalar("SELECT releases FROM partners WHERE partner = $1")
        .bind(key.partner.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
    if !asks.and_then(|word| word.parse::<ReleasePolicy>().ok()).is_some_and(ReleasePolicy::asks_approval) {
        return Ok(());
    }
    let about = json!({ "release": { "digest": key.digest.to_string(), "plugin": key.plugin.as_str(), "version": version } });
    let event = WebhookEvent::ReleaseAwaitingApproval;
    let happened = Happened { event, subject: format!("release:{}", key.digest), seq: 0, at_ms: by.now_ms, about };
    let told = told_of(transaction, &key.partner, event).await?;
    tell(transaction, &key.partner, (told, happened)).await
}

struct Happened {
    event: WebhookEvent,
    subject: String,
    seq: u64,
    at_ms: i64,
    about: Value,
}

/// Which addresses of a partner are told of such events.
async fn told_of(transaction: &mut Transaction, partner: &PartnerName, event: WebhookEvent) -> Result<Vec<String>, LedgerError> {
    let all: Vec<(String, String)> =
        query("SELECT webhook, events FROM webhooks WHERE partner = $1 AND removed_at_ms IS NULL ORDER BY webhook")
            .bind(partner.as_str())
            .fetch_known(transaction)
            .await?;
    let wants = |words: &str| words.split(' ').any(|word| word == event.as_str());
    Ok(all.into_iter().filter(|(_, words)| wants(words)).map(|(webhook, _)| webhook).collect())
}

async fn tell(transaction: &mut Transaction, partner: &PartnerName, (told, happened): (Vec<String>, Happened)) -> Result<(), LedgerError> {
    let Happened { event, subject, seq, at_ms, about } = happened;
    for webhook in told {
        // The same for the same event, so that one that is written again after a lost connection is no other.
        let id = Digest::of(format!("{partner}/{webhook}/{subject}/{seq}/{}", event.as_str()).as_bytes()).to_string();
        let id = format!("whm_{}", &id[..32]);
        query(
            "INSERT INTO webhook_messages (message, partner, webhook, event, subject, at_ms, body, next_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $6) ON CONFLICT DO NOTHING",
        )
        .bind(id.as_str())
        .bind(partner.as_str())
        .bind(webhook.as_str())
        .bind(event.as_str())
        .bind(subject.as_str())
        .bind(at_ms)
        .bind(body(&id, (event.as_str(), at_ms), partner, &about))
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

/// What is sent.
fn body(id: &str, (event, at_ms): (&str, i64), partner: &PartnerName, about: &Value) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).map(|at| at.to_string()).unwrap_or_default();
    let mut body = json!({ "id": id, "event": event, "at": at, "partner": partner.as_str() });
    if let (Some(body), Some(about)) = (body.as_object_mut(), about.as_object()) {
        body.extend(about.clone());
    }
    body.to_string()
}

impl Ledger {
    /// The addresses for which messages wait that are to be sent by now, the one that has waited longest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn webhooks_due(&self, now_ms: i64) -> Result<Vec<(PartnerName, WebhookName)>, LedgerError> {
        let due: Vec<(String, String)> = query(
            "SELECT partner, webhook FROM webhook_messages WHERE next_at_ms <= $1
             GROUP BY partner, webhook ORDER BY MIN(next_at_ms), partner, webhook LIMIT CAST($2 AS BIGINT)",
        )
        .bind(now_ms)
        .bind(ADDRESSES_MAX)
        .fetch_all(&self.store)
        .await?;
        due.iter().map(|(partner, webhook)| Ok((parsed(partner, "partner")?, parsed(webhook, "webhook")?))).collect()
    }

    /// Takes the messages of an address that are to be sent by now, for so long that nobody else tries them too.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn take_webhook_messages(
        &self,
        (partner, webhook): (&PartnerName, &WebhookName),
        now_ms: i64,
        for_ms: i64,
    ) -> Result<Vec<WebhookMessage>, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let due: Vec<MessageRow> = query(
                    "SELECT * FROM webhook_messages WHERE partner = $1 AND webhook = $2 AND next_at_ms <= $3
                     ORDER BY next_at_ms, at_ms, message LIMIT $4",
                )
                .bind(partner.as_str())
                .bind(webhook.as_str())
                .bind(now_ms)
                .bind(TAKEN_MAX)
                .locked()
                .fetch_all(&mut transaction)
                .await?;
                let mut taken = Vec::new();
                for row in due {
                    let message = WebhookMessage::try_from(row)?;
                    let next_at_ms = Some(now_ms.saturating_add(for_ms));
                    query("UPDATE webhook_messages SET attempts = attempts + 1, next_at_ms = $2 WHERE message = $1")
                        .bind(message.id.as_str())
                        .bind(next_at_ms)
                        .execute(&mut transaction)
                        .await?;
                    taken.push(WebhookMessage { attempts: message.attempts + 1, next_at_ms, ..message });
                }
                transaction.commit().await?;
                Ok(taken)
            })
            .await
    }

    /// Writes down what became of a message that was taken: that its receiver took it, when it is tried again, or that it is given up.
    /// Answers whether it was still taken by whoever asks.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn settle_webhook_message(&self, settled: &WebhookMessage) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let written = query(
                    "UPDATE webhook_messages SET attempts = $2, next_at_ms = $4, taken_at_ms = $5, ended_at_ms = $6, status = $7,
                       took_ms = $8, outcome = $9
                     WHERE message = $1 AND attempts = $3 AND ended_at_ms IS NULL",
                )
                .bind(settled.id.as_str())
                .bind(to_stored(settled.attempts))
                .bind(to_stored(settled.attempts))
                .bind(settled.next_at_ms)
                .bind(settled.taken_at_ms)
                .bind(settled.ended_at_ms)
                .bind(settled.status.map(i64::from))
                .bind(settled.took_ms.map(to_stored))
                .bind(settled.outcome.clone())
                .execute(&mut transaction)
                .await?;
                transaction.commit().await?;
                Ok(written == 1)
            })
            .await
    }

    /// How many messages wait, by partner.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn webhooks_waiting(&self) -> Result<Vec<(String, i64)>, LedgerError> {
        let waiting =
            query("SELECT partner, COUNT(*) FROM webhook_messages WHERE next_at_ms IS NOT NULL GROUP BY partner ORDER BY partner");
        Ok(waiting.fetch_all(&self.store).await?)
    }

    /// Forgets some messages of a partner that were taken or given up before a moment. Answers how many; none when there are no more.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn forget_webhook_messages(&self, partner: &PartnerName, before_ms: i64) -> Result<u64, LedgerError> {
        const OLD: &str = "SELECT message FROM webhook_messages WHERE partner = $1 AND ended_at_ms <= $2 ORDER BY ended_at_ms LIMIT $3";
        // A look by a reader first, so that a hub with nothing to do does not keep others from writing.
        let old: Option<String> = query_scalar(OLD).bind(partner.as_str()).bind(before_ms).bind(1_i64).fetch_optional(&self.store).await?;
        if old.is_none() {
            return Ok(0);
        }
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let forgotten = query(
                    "DELETE FROM webhook_messages WHERE message IN (
                       SELECT message FROM webhook_messages WHERE partner = $1 AND ended_at_ms <= $2 ORDER BY ended_at_ms LIMIT $3)",
                )
                .bind(partner.as_str())
                .bind(before_ms)
                .bind(FORGOTTEN_MAX)
                .execute(&mut transaction)
                .await?;
                transaction.commit().await?;
                Ok(forgotten)
            })
            .await
    }
}
