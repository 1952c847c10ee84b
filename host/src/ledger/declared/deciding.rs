//! What decisions of a rule set rest on, as it stands now.

use std::sync::Arc;

use super::Release;
use crate::ledger::error::LedgerError;
use crate::ledger::{Ledger, alike::Alike};
use crate::model::ids::{PartnerName, PluginName};

/// What was declared of a partner's rule set and of the hub, as far as decisions rest on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidesBy {
    /// The release that decides.
    pub release: Release,
    /// The text of the operator's `hub.toml` for this partner, if there is one.
    pub hub_toml: Option<String>,
    /// The number of the partner's last version of a table.
    pub tables_through: u64,
}

/// Readings of it, by whose and which.
pub(in crate::ledger) type Deciding = Alike<(PartnerName, PluginName), Option<Arc<DecidesBy>>>;

impl Ledger {
    /// What decisions of a rule set rest on; none if it has no active release. Those who ask at the same time share one reading,
    /// which begins after all of them have asked, or is of what still stands.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn decides_by(&self, partner: &PartnerName, plugin: &PluginName) -> Result<Option<Arc<DecidesBy>>, LedgerError> {
        let read = async {
            let Some(release) = self.active_release(partner, plugin).await? else { return Ok(None) };
            let hub_toml = self.source(partner, "hub.toml").await?;
            let tables_through = self.tables_through(partner).await?;
            Ok(Some(Arc::new(DecidesBy { release, hub_toml, tables_through })))
        };
        self.deciding.ask((partner.clone(), plugin.clone()), || self.store.version(), read).await
    }
}
