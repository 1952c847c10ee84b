//! Keys of partners, sealed before they come here, and who saw what they protect. The ledger sees no key.

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::{Actor, By, Scope};
use crate::model::ids::{PartnerName, RunId};

const HOUR_MS: i64 = 3_600_000;

/// A key of a partner, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDataKey {
    /// Whose.
    pub partner: PartnerName,
    /// 1, 2, 3: the last of a partner is in force.
    pub generation: u64,
    /// The master key that it is sealed under.
    pub key_id: String,
    /// The sealed key.
    pub sealed: String,
    /// When it was made.
    pub made_at_ms: i64,
    /// By whom.
    pub made_by: Actor,
}

type Row = (String, i64, String, String, i64, String);

impl Ledger {
    /// The keys of partners, by partner and generation.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn data_keys(&self, scope: Scope<'_>) -> Result<Vec<StoredDataKey>, LedgerError> {
        let rows: Vec<Row> = query(
            "SELECT partner, generation, key_id, sealed, made_at_ms, made_by FROM data_keys
             WHERE $1 = '' OR partner = $1 ORDER BY partner, generation",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        let key = |(partner, generation, key_id, sealed, made_at_ms, made_by): Row| {
            let partner = parsed(&partner, "partner")?;
            Ok(StoredDataKey { partner, generation: count(generation), key_id, sealed, made_at_ms, made_by: Actor::stored(made_by) })
        };
        rows.into_iter().map(key).collect()
    }

    /// Keeps a new key of a partner, unless there is one of that generation: then another hub was first. Answers whether it was kept.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such partner.
    pub async fn put_data_key(
        &self,
        (partner, generation): (&PartnerName, u64),
        (key_id, sealed): (&str, &str),
        by: &By,
    ) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                alone(&mut transaction, partner).await?;
                let covered = Covered::partner(CoveredKind::DataKeys, partner).found_before(&mut transaction).await?;
                let written = query(
                    "INSERT INTO data_keys (partner, generation, key_id, sealed, made_at_ms, made_by)
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                )
                .bind(partner.as_str())
                .bind(to_stored(generation))
                .bind(key_id)
                .bind(sealed)
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                if written == 0 {
                    return Ok(false);
                }
                let act = Act {
                    partner: Some(partner),
                    action: "data-key.make",
                    subject: format!("data-key:{generation}"),
                    before: None,
                    after: Some(serde_json::json!({ "key": key_id })),
                };
                audit::append_over(&mut transaction, act, &[covered], by).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }

    /// Puts the same key, sealed under another master key, in the place of what was read; unless that was done meanwhile. Answers
    /// whether it was put.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn reseal_data_key(&self, read: &StoredDataKey, (key_id, sealed): (&str, &str), by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                alone(&mut transaction, &read.partner).await?;
                let covered = Covered::partner(CoveredKind::DataKeys, &read.partner).found_before(&mut transaction).await?;
                let written = query("UPDATE data_keys SET key_id = $4, sealed = $5 WHERE partner = $1 AND generation = $2 AND sealed = $3")
                    .bind(read.partner.as_str())
                    .bind(to_stored(read.generation))
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
                    action: "data-key.reseal",
                    subject: format!("data-key:{}", read.generation),
                    before: Some(serde_json::json!({ "key": read.key_id })),
                    after: Some(serde_json::json!({ "key": key_id })),
                };
                audit::append_over(&mut transaction, act, &[covered], by).await?;
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }

    /// Notes that somebody sees personal values of a run as they are: one entry of the audit trail for each person, run and hour.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn note_sight(&self, partner: &PartnerName, run: RunId, by: &By) -> Result<(), LedgerError> {
        let (subject, hour) = (&format!("run:{run}"), by.now_ms.div_euclid(HOUR_MS));
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let written = query("INSERT INTO sights (partner, actor, subject, hour) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                    .bind(partner.as_str())
                    .bind(by.actor.as_str())
                    .bind(subject.as_str())
                    .bind(hour)
                    .execute(&mut transaction)
                    .await?;
                if written == 0 {
                    return Ok(());
                }
                // They are only there so that one hour has one entry.
                query("DELETE FROM sights WHERE hour < $1").bind(hour - 24).execute(&mut transaction).await?;
                let act = Act { partner: Some(partner), action: "personal.see", subject: subject.clone(), before: None, after: None };
                let key = format!("{}/{subject}/{hour}", by.actor);
                audit::append_over(&mut transaction, act, &[Covered::named(CoveredKind::Sight, partner, &key)], by).await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }
}

/// Keeps others from the keys of a partner until the transaction ends: what is found of them is what the act before left.
async fn alone(transaction: &mut Transaction, partner: &PartnerName) -> Result<(), LedgerError> {
    let known: Option<i64> = query_scalar("SELECT applied_at_ms FROM partners WHERE partner = $1")
        .bind(partner.as_str())
        .locked()
        .fetch_optional(transaction)
        .await?;
    known.map(|_| ()).ok_or_else(|| LedgerError::NotFound { what: "partner", name: partner.to_string() })
}
