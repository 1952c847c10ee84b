//! Whose hands a release went through: who added it, who brought its signature, who approved it. None of them is a second person to
//! themselves, nor through a token that they made.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, query_scalar};
use crate::ledger::tokens::refuse_own;
use crate::ledger::who::{Actor, By};

use super::{Release, ReleaseKey, Standing};

/// How the trail calls it that a signature came to a release which was kept already.
pub(super) const SIGN: &str = "release.sign";

impl Ledger {
    /// Why somebody leaves it to others to approve a release or to explain what it differs in, if they handed it in themselves.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn own_work(&self, release: &Release, by: &By) -> Result<Option<LedgerError>, LedgerError> {
        let mut reader = self.store.read().await?;
        match refuse_hands(&mut reader, (&release.release.key, &release.added_by), by).await {
            Err(own @ LedgerError::OwnWork { .. }) => Ok(Some(own)),
            found => found.map(|()| None),
        }
    }
}

/// Refuses whoever added a release, or brought its signature later; of two who speak of it, one waits for the other.
pub(super) async fn refuse_whoever_handed_in(transaction: &mut Transaction, key: &ReleaseKey, by: &By) -> Result<(), LedgerError> {
    let added_by = lock(transaction, key).await?;
    refuse_hands(transaction, (key, &added_by), by).await
}

async fn refuse_hands(transaction: &mut Transaction, (key, added_by): (&ReleaseKey, &Actor), by: &By) -> Result<(), LedgerError> {
    refuse_own(transaction, (added_by, "added this release"), by).await?;
    // Who signed is read where it cannot be changed, and whoever brought an earlier signature stays one of those who handed it in.
    let signed_by: Vec<String> = query_scalar("SELECT DISTINCT actor FROM audit WHERE partner = $1 AND subject = $2 AND action = $3")
        .bind(key.partner.as_str())
        .bind(format!("release:{}", key.digest))
        .bind(SIGN)
        .fetch_all(&mut *transaction)
        .await?;
    for signed_by in signed_by {
        refuse_own(transaction, (&Actor::stored(signed_by), "brought the signature of this release"), by).await?;
    }
    Ok(())
}

/// Refuses whoever approved a release.
pub(super) async fn refuse_whoever_approved(transaction: &mut Transaction, key: &ReleaseKey, by: &By) -> Result<(), LedgerError> {
    let said_by: Vec<String> =
        query_scalar("SELECT DISTINCT said_by FROM release_verdicts WHERE partner = $1 AND plugin = $2 AND digest = $3 AND verdict = $4")
            .bind(key.partner.as_str())
            .bind(key.plugin.as_str())
            .bind(key.digest.to_string())
            .bind(Standing::Approved.as_str())
            .fetch_all(&mut *transaction)
            .await?;
    for said_by in said_by {
        refuse_own(transaction, (&Actor::stored(said_by), "approved this release"), by).await?;
    }
    Ok(())
}

/// Has others who speak of a release wait, as the trail has a digest of all that was said; and answers who added it.
pub(super) async fn lock(transaction: &mut Transaction, key: &ReleaseKey) -> Result<Actor, LedgerError> {
    let added_by: Option<String> = query_scalar("SELECT added_by FROM releases WHERE partner = $1 AND plugin = $2 AND digest = $3")
        .bind(key.partner.as_str())
        .bind(key.plugin.as_str())
        .bind(key.digest.to_string())
        .locked()
        .fetch_optional(transaction)
        .await?;
    added_by.map(Actor::stored).ok_or_else(|| key.missing())
}
