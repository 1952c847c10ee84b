//! Webhooks: partners' own addresses are told of runs and releases. What is told waits in the ledger until its receiver has taken it; it
//! is tried again, less and less often, for a day, and then given up.
//!
//! Each address is told by a task of its own, and a partner has few of them: a receiver that is slow holds up nobody else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::Sha256;
use tokio::task::JoinHandle;

use crate::connection::{self, Post, PostError};
use crate::ledger::WebhookMessage;
use crate::model::http::HttpHeader;
use crate::model::ids::{PartnerName, WebhookName};
use crate::model::job::Webhook;
use crate::run::Hub;
use crate::run::failure::{RunError, pause_after};

/// How long a receiver may take.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// How long messages are left to the hub that has taken them: longer than a few slow receivers take.
const TAKEN_FOR: Duration = Duration::from_secs(90);

/// How long a message is tried.
const TRIED_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Addresses that a hub tells something at one time, and of them a partner's.
const AT_WORK_MAX: usize = 32;
const AT_WORK_OF_PARTNER_MAX: usize = 4;

/// What an address answered to a message that only tries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestAnswer {
    /// Its status, or why there is none.
    pub answered: Result<u16, String>,
    /// How long that took.
    pub took: Duration,
    /// The number that the message had.
    pub id: String,
}

impl TestAnswer {
    /// Whether its receiver took it.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        is_taken(&self.answered)
    }
}

/// Whether a receiver took what it was sent.
fn is_taken(answered: &Result<u16, String>) -> bool {
    answered.as_ref().is_ok_and(|status| (200..300).contains(status))
}

/// That an address is being told something, until this is dropped.
struct AtWork {
    hub: Hub,
    address: (PartnerName, WebhookName),
}

impl AtWork {
    /// None if it is already, or too many are.
    fn begin(hub: &Hub, address: (PartnerName, WebhookName)) -> Option<Self> {
        let mut at_work = hub.shared.webhooks_at_work.lock().expect("nobody panics while holding who is told something");
        let of_partner = at_work.iter().filter(|(partner, _)| *partner == address.0).count();
        if at_work.len() >= AT_WORK_MAX || of_partner >= AT_WORK_OF_PARTNER_MAX || !at_work.insert(address.clone()) {
            return None;
        }
        Some(Self { hub: hub.clone(), address })
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.hub.shared.webhooks_at_work.lock().expect("nobody panics while holding who is told something").remove(&self.address);
        // More may wait for it.
        self.hub.ledger().wake();
    }
}

impl Hub {
    /// Begins to send what waits, each address by a task of its own.
    pub(in crate::run) async fn send_webhooks(&self, tasks: &mut Vec<JoinHandle<()>>) -> Result<(), RunError> {
        for address in self.ledger().webhooks_due(self.clock().now_ms()).await? {
            let Some(at_work) = AtWork::begin(self, address) else { continue };
            // Bounded by who may be at work, and ended with the hub's duties.
            tasks.push(tokio::spawn(async move {
                let (partner, webhook) = &at_work.address;
                if let Err(error) = at_work.hub.tell(partner, webhook).await {
                    tracing::error!(%partner, %webhook, %error, "a webhook could not be told what waits for it");
                }
            }));
        }
        Ok(())
    }

    /// Sends an address some of what waits for it.
    async fn tell(&self, partner: &PartnerName, webhook: &WebhookName) -> Result<(), RunError> {
        let for_ms = i64::try_from(TAKEN_FOR.as_millis()).unwrap_or(i64::MAX);
        let taken = self.ledger().take_webhook_messages((partner, webhook), self.clock().now_ms(), for_ms).await?;
        let declared = self.webhook(partner, webhook).await;
        for message in taken {
            let asked = Instant::now();
            let answered = match &declared {
                Ok(Some((declared, secret))) => self.put(declared, secret, &message).await,
                Ok(None) => {
                    let why = Some("its webhook is no longer declared".to_owned());
                    let ended_at_ms = Some(self.clock().now_ms());
                    let gone = WebhookMessage { next_at_ms: None, ended_at_ms, status: None, took_ms: None, outcome: why, ..message };
                    self.ledger().settle_webhook_message(&gone).await?;
                    continue;
                }
                Err(error) => Err(error.to_string()),
            };
            let settled = self.settled(message, answered, asked.elapsed());
            self.ledger().settle_webhook_message(&settled).await?;
        }
        Ok(())
    }

    /// What becomes of a message that was tried.
    fn settled(&self, message: WebhookMessage, answered: Result<u16, String>, took: Duration) -> WebhookMessage {
        let (now_ms, partner) = (self.clock().now_ms(), message.partner.as_str());
        let (status, took_ms) = (answered.as_ref().ok().copied(), u64::try_from(took.as_millis()).ok());
        if is_taken(&answered) {
            self.figures().told(partner, "taken");
            let (taken_at_ms, ended_at_ms) = (Some(now_ms), Some(now_ms));
            return WebhookMessage { next_at_ms: None, taken_at_ms, ended_at_ms, status, took_ms, outcome: None, ..message };
        }
        let why = match answered {
            Ok(status) => format!("the receiver answered {status}"),
            Err(why) => why,
        };
        let pause = pause_after(message.attempts, message.at_ms.unsigned_abs());
        let next_at_ms = now_ms.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
        let last_at_ms = message.at_ms.saturating_add(i64::try_from(TRIED_FOR.as_millis()).unwrap_or(i64::MAX));
        // Gone, says the receiver, and for good.
        let given_up = next_at_ms > last_at_ms || status == Some(410);
        self.figures().told(partner, if given_up { "given-up" } else { "failed" });
        tracing::warn!(partner, webhook = %message.webhook, again = !given_up, why, "a webhook was not taken");
        WebhookMessage {
            next_at_ms: (!given_up).then_some(next_at_ms),
            ended_at_ms: given_up.then_some(now_ms),
            status,
            took_ms,
            outcome: Some(why),
            ..message
        }
    }

    /// Sends a message that says nothing, and answers what came of it.
    ///
    /// # Errors
    /// [`RunError::NoWebhook`]; [`RunError::NoSecret`] or [`RunError::Vault`] if what signs it cannot be opened.
    pub async fn test_webhook(&self, partner: &PartnerName, name: &WebhookName) -> Result<TestAnswer, RunError> {
        let missing = || RunError::NoWebhook { partner: partner.clone(), webhook: name.clone() };
        let (webhook, secret) = self.webhook(partner, name).await?.ok_or_else(missing)?;
        let id = format!("whm_{}", uuid::Uuid::now_v7().simple());
        let at = self.clock().now();
        let message = WebhookMessage {
            id: id.clone(),
            partner: partner.clone(),
            webhook: name.clone(),
            event: "webhook.test".to_owned(),
            subject: String::new(),
            at_ms: at.as_millisecond(),
            body: json!({ "id": id, "event": "webhook.test", "at": at.to_string(), "partner": partner.as_str() }).to_string(),
            attempts: 1,
            next_at_ms: None,
            taken_at_ms: None,
            ended_at_ms: None,
            status: None,
            took_ms: None,
            outcome: None,
        };
        let asked = Instant::now();
        let answered = self.put(&webhook, &secret, &message).await;
        Ok(TestAnswer { answered, took: asked.elapsed(), id })
    }

    /// The webhooks of a partner that are in force.
    ///
    /// # Errors
    /// [`RunError`] if what is in force cannot be read.
    pub async fn webhooks(&self, partner: &PartnerName) -> Result<Vec<Webhook>, RunError> {
        Ok(self.in_force(partner).await?.webhooks)
    }

    /// One that is in force, with what signs its messages.
    async fn webhook(&self, partner: &PartnerName, name: &WebhookName) -> Result<Option<(Arc<Webhook>, SecretString)>, RunError> {
        let Some(webhook) = self.webhooks(partner).await?.into_iter().find(|webhook| webhook.name == *name) else { return Ok(None) };
        let secret = self.secret(partner, &webhook.signing_secret).await?;
        Ok(Some((Arc::new(webhook), secret)))
    }

    /// Sends a message once.
    async fn put(&self, webhook: &Arc<Webhook>, secret: &SecretString, message: &WebhookMessage) -> Result<u16, String> {
        let header = |name: &str, value: String| HttpHeader { name: name.to_owned(), value };
        let seconds = self.clock().now().as_second();
        let headers = [
            header("content-type", "application/json".to_owned()),
            header("bailiwick-event", message.event.clone()),
            header("bailiwick-delivery", message.id.clone()),
            header("bailiwick-signature", sign(secret, seconds, message.body.as_bytes())),
        ];
        let (webhook, body) = (Arc::clone(webhook), message.body.clone());
        let send = move || {
            connection::post(&Post {
                url: &webhook.url,
                headers: &headers,
                body: body.as_bytes(),
                allow_private: webhook.allow_private,
                ca_file: webhook.ca_file.as_deref(),
                time: ANSWER_TIME,
            })
        };
        let answered = tokio::task::spawn_blocking(send).await.expect("sending does not panic");
        answered.map_err(|error: PostError| error.to_string())
    }
}

/// A signature over a moment and what is sent at it, so that what was heard once cannot be played again much later.
fn sign(secret: &SecretString, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("a key may have any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_a_receiver_works_out() {
        // printf '1700000000.{"id":"whm_1"}' | openssl dgst -sha256 -hmac correct-horse
        let signed = sign(&SecretString::from("correct-horse"), 1_700_000_000, br#"{"id":"whm_1"}"#);
        assert_eq!(signed, "t=1700000000,v1=641ed310fa89cf41893a96f115ae38a2969fb74630c4ab1477b6a3754f4accda");
    }
}
