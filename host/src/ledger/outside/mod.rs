//! What the ledger keeps for dealing with places outside.
//!
//! Must not know what a place is, nor what a sealed value holds.

pub(in crate::ledger) mod begun;
mod exchanges;
mod keys;
mod marks;
mod notices;
mod secrets;
mod webhooks;

pub use begun::BegunDelivery;
pub use exchanges::{Exchange, SessionOf};
pub use keys::StoredDataKey;
pub use marks::MarkOf;
pub use notices::Notice;
pub use secrets::{NewSecret, StoredSecret};
pub use webhooks::{MessagePlace, MessageState, MessagesSought, WebhookMessage};

pub(in crate::ledger) use notices::note;
pub(in crate::ledger) use webhooks::{tell_of_release, tell_of_run};
