//! Credentials, sealed before they come here. The ledger sees no value and no key.

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::declared::require_partner;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{parsed, query};
use crate::ledger::who::{Actor, By, Scope};
use crate::model::ids::{PartnerName, SecretName};

/// A secret to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// Whose.
    pub partner: PartnerName,
    /// Its name.
    pub name: SecretName,
    /// The master key that it is sealed under.
    pub key_id: String,
    /// The sealed value.
    pub sealed: String,
}

/// A secret as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// Whose.
    pub partner: PartnerName,
    /// Its name.
    pub name: SecretName,
    /// The master key that it is sealed under.
    pub key_id: String,
    /// The sealed value.
    pub sealed: String,
    /// When its value was last set.
    pub set_at_ms: i64,
    /// By whom.
    pub set_by: Actor,
}

#[derive(sqlx::FromRow)]
struct SecretRow {
    partner: String,
    secret: String,
    key_id: String,
    sealed: String,
    set_at_ms: i64,
    set_by: String,
}

impl TryFrom<SecretRow> for StoredSecret {
    type Error = LedgerError;

    fn try_from(row: SecretRow) -> Result<Self, LedgerError> {
        Ok(Self {
            partner: parsed(&row.partner, "partner")?,
            name: parsed(&row.secret, "secret")?,
            key_id: row.key_id,
            sealed: row.sealed,
            set_at_ms: row.set_at_ms,
            set_by: Actor::stored(row.set_by),
        })
    }
}

impl Ledger {
    /// Keeps a secret, in place of one of the same name. Answers whether there was one.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such partner.
    pub async fn put_secret(&self, new: &NewSecret, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                require_partner(&mut transaction, &new.partner).await?;
                let before: Option<(String,)> = query("SELECT key_id FROM secrets WHERE partner = $1 AND secret = $2")
                    .bind(new.partner.as_str())
                    .bind(new.name.as_str())
                    .fetch_optional(&mut transaction)
                    .await?;
                query(
                    "INSERT INTO secrets (partner, secret, key_id, sealed, set_at_ms, set_by) VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (partner, secret) DO UPDATE
                     SET key_id = excluded.key_id, sealed = excluded.sealed, set_at_ms = excluded.set_at_ms, set_by = excluded.set_by",
                )
                .bind(new.partner.as_str())
                .bind(new.name.as_str())
                .bind(new.key_id.as_str())
                .bind(new.sealed.as_str())
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                let key = |id: &str| serde_json::json!({ "key": id });
                let act = Act {
                    partner: Some(&new.partner),
                    action: "secret.set",
                    subject: subject(&new.name),
                    before: before.as_ref().map(|(id,)| key(id)),
                    after: Some(key(&new.key_id)),
                };
                let covered = [Covered::named(CoveredKind::Secret, &new.partner, new.name.as_str())];
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await?;
                Ok(before.is_some())
            })
            .await
    }

    /// Puts the same value, sealed under another key, in the place of what was read; unless it was set or removed since.
    /// Answers whether it was put.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn reseal_secret(&self, read: &StoredSecret, key_id: &str, sealed: &str, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let written = query("UPDATE secrets SET key_id = $4, sealed = $5 WHERE partner = $1 AND secret = $2 AND sealed = $3")
                    .bind(read.partner.as_str())
                    .bind(read.name.as_str())
                    .bind(read.sealed.as_str())
                    .bind(key_id)
                    .bind(sealed)
                    .execute(&mut transaction)
                    .await?;
                if written == 0 {
                    return Ok(false);
                }
                let act = Act {
                    partner: Some(&read.partner),
                    action: "secret.reseal",
                    subject: subject(&read.name),
                    before: Some(serde_json::json!({ "key": read.key_id })),
                    after: Some(serde_json::json!({ "key": key_id })),
                };
                let covered = [Covered::named(CoveredKind::Secret, &read.partner, read.name.as_str())];
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }

    /// Forgets a secret.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is none of that name.
    pub async fn remove_secret(&self, partner: &PartnerName, name: &SecretName, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let removed = query("DELETE FROM secrets WHERE partner = $1 AND secret = $2")
                    .bind(partner.as_str())
                    .bind(name.as_str())
                    .execute(&mut transaction)
                    .await?;
                if removed == 0 {
                    return Err(LedgerError::NotFound { what: "secret", name: format!("{partner} {name}") });
                }
                let act = Act { partner: Some(partner), action: "secret.remove", subject: subject(name), before: None, after: None };
                let covered = [Covered::named(CoveredKind::Secret, partner, name.as_str())];
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }

    /// Secrets, by partner and name.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn secrets(&self, scope: Scope<'_>) -> Result<Vec<StoredSecret>, LedgerError> {
        let rows: Vec<SecretRow> = query(
            "SELECT partner, secret, key_id, sealed, set_at_ms, set_by FROM secrets
             WHERE $1 = '' OR partner = $1 ORDER BY partner, secret",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(StoredSecret::try_from).collect()
    }
}

fn subject(name: &SecretName) -> String {
    format!("secret:{name}")
}
