//! A hub's word to the others, and to whoever looks, that it is there.

use std::sync::atomic::Ordering;

use crate::ledger::{LedgerError, Scope, StoredHub};
use crate::run::Hub;
use crate::sandbox::CONTRACTS;

/// How often a hub gives word.
const EVERY_MS: i64 = 5_000;

/// From when on a hub counts as gone that gives none.
pub const GONE_MS: i64 = 30_000;

impl Hub {
    /// Gives word, if it is time to.
    pub(in crate::run) async fn say_present(&self) -> Result<(), LedgerError> {
        let now_ms = self.clock().now_ms();
        if !self.works() || now_ms < self.shared.present_at_ms.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.shared.present_at_ms.store(now_ms.saturating_add(EVERY_MS), Ordering::Relaxed);
        self.ledger().say_hub(self.id(), env!("CARGO_PKG_VERSION"), (self.shared.opened_at_ms, now_ms)).await
    }

    /// The hubs that there are, by name, each with how many runs it is at of those that may be seen.
    ///
    /// # Errors
    /// What the ledger failed of.
    pub async fn hubs(&self, scope: Scope<'_>) -> Result<Vec<StoredHub>, LedgerError> {
        self.ledger().hubs(scope).await
    }

    /// The versions of the contract that plugins may be written to.
    #[must_use]
    pub const fn contracts(&self) -> &'static [&'static str] {
        &CONTRACTS
    }
}
