//! The public keys of a partner's signers. What a signature is, the ledger does not know.

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::declared::require_partner;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, parsed, query, query_scalar};
use crate::ledger::who::{Actor, By, Scope};
use crate::model::ids::PartnerName;

use super::ReleaseKey;

/// A key to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSigningKey {
    /// Whose signers have it.
    pub partner: PartnerName,
    /// What names it: 16 hexadecimal digits.
    pub id: String,
    /// The public key as one line.
    pub public_key: String,
    /// Whose it is, for people.
    pub owner: String,
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// What was kept.
    pub key: NewSigningKey,
    /// When it was added.
    pub added_at_ms: i64,
    /// By whom.
    pub added_by: Actor,
    /// When it was revoked, and why.
    pub revoked: Option<(i64, String)>,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    partner: String,
    key_id: String,
    public_key: String,
    owner: String,
    added_at_ms: i64,
    added_by: String,
    revoked_at_ms: Option<i64>,
    revoked_why: Option<String>,
}

impl TryFrom<KeyRow> for SigningKey {
    type Error = LedgerError;

    fn try_from(row: KeyRow) -> Result<Self, LedgerError> {
        let partner = parsed(&row.partner, "partner")?;
        Ok(Self {
            key: NewSigningKey { partner, id: row.key_id, public_key: row.public_key, owner: row.owner },
            added_at_ms: row.added_at_ms,
            added_by: Actor::stored(row.added_by),
            revoked: row.revoked_at_ms.map(|at| (at, row.revoked_why.unwrap_or_default())),
        })
    }
}

impl Ledger {
    /// Keeps a key.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`] if the partner has, or had, it; [`LedgerError::NotFound`] if there is no such partner.
    pub async fn add_signing_key(&self, new: &NewSigningKey, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                require_partner(&mut transaction, &new.partner).await?;
                let written = query(
                    "INSERT INTO signing_keys (partner, key_id, public_key, owner, added_at_ms, added_by)
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                )
                .bind(new.partner.as_str())
                .bind(new.id.as_str())
                .bind(new.public_key.as_str())
                .bind(new.owner.as_str())
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                if written == 0 {
                    return Err(LedgerError::AlreadyThere { what: "signing key, in use or revoked,", name: new.id.clone() });
                }
                let after = Some(serde_json::json!({ "owner": new.owner, "public-key": new.public_key }));
                let act = Act { partner: Some(&new.partner), action: "key.add", subject: subject(&new.id), before: None, after };
                let covered = [Covered::named(CoveredKind::SigningKey, &new.partner, &new.id)];
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await
            })
            .await
    }

    /// Keys of signers, the revoked ones too.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn signing_keys(&self, scope: Scope<'_>) -> Result<Vec<SigningKey>, LedgerError> {
        let rows: Vec<KeyRow> = query(
            "SELECT partner, key_id, public_key, owner, added_at_ms, added_by, revoked_at_ms, revoked_why FROM signing_keys
             WHERE $1 = '' OR partner = $1 ORDER BY partner, added_at_ms, key_id",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(SigningKey::try_from).collect()
    }

    /// Trusts a key no longer. What it signed before and is active stays so, until somebody rolls it back.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such key that was not revoked before.
    pub async fn revoke_signing_key(&self, (partner, id): (&PartnerName, &str), why: &str, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let covered = [Covered::named(CoveredKind::SigningKey, partner, id).found_before(&mut transaction).await?];
                let revoked = query(
                    "UPDATE signing_keys SET revoked_at_ms = $3, revoked_by = $4, revoked_why = $5
                     WHERE partner = $1 AND key_id = $2 AND revoked_at_ms IS NULL",
                )
                .bind(partner.as_str())
                .bind(id)
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .bind(why)
                .execute(&mut transaction)
                .await?;
                if revoked == 0 {
                    return Err(LedgerError::NotFound { what: "signing key in use", name: id.to_owned() });
                }
                let after = Some(serde_json::json!({ "why": why }));
                let act = Act { partner: Some(partner), action: "key.revoke", subject: subject(id), before: None, after };
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await
            })
            .await
    }
}

/// Refuses a release that was signed by a key which was revoked since.
pub(super) async fn refuse_revoked(transaction: &mut Transaction, key: &ReleaseKey) -> Result<(), LedgerError> {
    let revoked: Option<String> = query_scalar(
        "SELECT signing_keys.key_id FROM releases
         JOIN signing_keys ON signing_keys.partner = releases.partner AND signing_keys.key_id = releases.signed_by
         WHERE releases.partner = $1 AND releases.plugin = $2 AND releases.digest = $3 AND signing_keys.revoked_at_ms IS NOT NULL",
    )
    .bind(key.partner.as_str())
    .bind(key.plugin.as_str())
    .bind(key.digest.to_string())
    .fetch_optional(transaction)
    .await?;
    revoked.map_or(Ok(()), |signer| Err(key.lacks(revoked_key(&signer))))
}

/// What a release lacks whose signer's key was revoked.
pub(super) fn revoked_key(signer: &str) -> String {
    format!("the key {signer} that signed it was revoked")
}

fn subject(id: &str) -> String {
    format!("signing-key:{id}")
}
