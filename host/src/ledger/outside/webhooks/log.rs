//! What partners' addresses were sent, and what became of it: read page by page, newest first.

use std::fmt;
use std::str::FromStr;

use super::{MessageRow, WebhookMessage};
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::query;
use crate::ledger::who::{Page, Scope, page_items};
use crate::model::ids::WebhookName;
use crate::model::job::WebhookEvent;

/// How a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It is tried, now or later.
    Waits,
    /// Its receiver took it.
    Taken,
    /// Nobody took it, and it is not tried again.
    GivenUp,
}

impl MessageState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waits, Self::Taken, Self::GivenUp];

    /// As it is written and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Taken => "taken",
            Self::GivenUp => "given-up",
        }
    }
}

impl FromStr for MessageState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == word);
        known.ok_or_else(|| format!("{word:?} is no state of a delivery: write one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl WebhookMessage {
    /// How it stands.
    #[must_use]
    pub const fn state(&self) -> MessageState {
        match (self.taken_at_ms, self.next_at_ms) {
            (Some(_), _) => MessageState::Taken,
            (None, Some(_)) => MessageState::Waits,
            (None, None) => MessageState::GivenUp,
        }
    }
}

/// Which messages are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessagesSought {
    /// To this address.
    pub webhook: Option<WebhookName>,
    /// Of this event.
    pub event: Option<WebhookEvent>,
    /// That stand so.
    pub state: Option<MessageState>,
}

/// Where a message stands in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePlace {
    at_ms: i64,
    id: String,
}

impl fmt::Display for MessagePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at_ms, self.id)
    }
}

impl FromStr for MessagePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (at_ms, id) = text.rsplit_once('-')?;
            let is_number = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            is_number.then_some(Self { at_ms: at_ms.parse().ok()?, id: id.to_owned() })
        };
        read().ok_or_else(|| format!("{text:?} is no place in a list of deliveries"))
    }
}

impl Ledger {
    /// Some messages, newest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn webhook_messages(
        &self,
        scope: Scope<'_>,
        sought: &MessagesSought,
        after: Option<&MessagePlace>,
        limit: u32,
    ) -> Result<Page<WebhookMessage, MessagePlace>, LedgerError> {
        let limit = page_items(limit);
        // Put together from fixed pieces, so that each combination finds its index.
        let mut query = query("SELECT * FROM webhook_messages WHERE 1 = 1");
        if let Scope::Partner(partner) = scope {
            query.push(" AND partner = ").push_bind(partner.as_str());
        }
        if let Some(webhook) = &sought.webhook {
            query.push(" AND webhook = ").push_bind(webhook.as_str());
        }
        if let Some(event) = sought.event {
            query.push(" AND event = ").push_bind(event.as_str());
        }
        match sought.state {
            Some(MessageState::Taken) => query.push(" AND taken_at_ms IS NOT NULL"),
            Some(MessageState::Waits) => query.push(" AND taken_at_ms IS NULL AND next_at_ms IS NOT NULL"),
            Some(MessageState::GivenUp) => query.push(" AND taken_at_ms IS NULL AND next_at_ms IS NULL"),
            None => &mut query,
        };
        if let Some(after) = after {
            // The first of the two says what the second does, so that the index finds where to begin.
            query.push(" AND at_ms <= ").push_bind(after.at_ms);
            query.push(" AND (at_ms < ").push_bind(after.at_ms).push(" OR message > ").push_bind(after.id.as_str()).push(")");
        }
        query.push(" ORDER BY at_ms DESC, message LIMIT ").push_bind(i64::from(limit) + 1);
        let rows: Vec<MessageRow> = query.fetch_all(&self.store).await?;
        let messages = rows.into_iter().map(WebhookMessage::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(messages, limit, |last| MessagePlace { at_ms: last.at_ms, id: last.id.clone() }))
    }
}
