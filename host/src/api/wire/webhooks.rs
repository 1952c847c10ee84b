//! The JSON of webhooks and of what they were sent. An address may itself be a key, so who may not configure is told whom it is of, and
//! not the whole of it. What signs is named, and never told.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment;
use crate::ledger::WebhookMessage;
use crate::model::http::Origin;
use crate::model::job::Webhook;
use crate::run::TestAnswer;

/// An address of the partner's own that is told of runs and releases.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WebhookJson {
    partner: String,
    name: String,
    /// Whom it is of: the address up to its path.
    origin: String,
    /// The whole address; only for a token with the scope configure, as an address may itself be a key.
    url: Option<String>,
    /// What it is told.
    events: Vec<&'static str>,
    /// The name of the credential that signs what is sent.
    signing_secret: String,
    /// Whether it may be an address of a private network.
    allow_private: bool,
}

impl WebhookJson {
    /// As somebody sees it who may see the whole address, or may not.
    #[must_use]
    pub fn new(webhook: &Webhook, whole: bool) -> Self {
        Self {
            partner: webhook.partner.to_string(),
            name: webhook.name.to_string(),
            origin: Origin::of(&webhook.url).map(|(origin, _)| origin.url()).unwrap_or_default(),
            url: whole.then(|| webhook.url.clone()),
            events: webhook.events.iter().map(|event| event.as_str()).collect(),
            signing_secret: webhook.signing_secret.to_string(),
            allow_private: webhook.allow_private,
        }
    }
}

/// What an address was sent, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WebhookDeliveryJson {
    /// Its number, which the receiver knows repeats by.
    id: String,
    partner: String,
    webhook: String,
    event: String,
    /// What it tells of: run:… or release:….
    subject: String,
    /// When that happened.
    at: String,
    /// waits, taken or given-up.
    state: &'static str,
    /// How often it was tried.
    attempts: u64,
    /// What the receiver answered the last time; none where it did not.
    status: Option<u16>,
    /// How long the last attempt took.
    took_ms: Option<u64>,
    /// Why it was not taken the last time.
    why: Option<String>,
    /// When it is tried next; none where it is not tried again.
    next_at: Option<String>,
}

impl From<&WebhookMessage> for WebhookDeliveryJson {
    fn from(message: &WebhookMessage) -> Self {
        Self {
            id: message.id.clone(),
            partner: message.partner.to_string(),
            webhook: message.webhook.to_string(),
            event: message.event.clone(),
            subject: message.subject.clone(),
            at: moment(message.at_ms),
            state: message.state().as_str(),
            attempts: message.attempts,
            status: message.status,
            took_ms: message.took_ms,
            why: message.outcome.clone(),
            next_at: message.next_at_ms.map(moment),
        }
    }
}

/// What an address answered to a message that says nothing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WebhookTestJson {
    /// The number that the message had.
    id: String,
    /// Whether it was taken: answered with a status from 200 to 299.
    taken: bool,
    /// What the receiver answered; none where it did not.
    status: Option<u16>,
    took_ms: u64,
    /// Why there is no answer.
    why: Option<String>,
}

impl From<TestAnswer> for WebhookTestJson {
    fn from(answer: TestAnswer) -> Self {
        Self {
            taken: answer.is_taken(),
            took_ms: u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
            status: answer.answered.as_ref().ok().copied(),
            why: answer.answered.err(),
            id: answer.id,
        }
    }
}
