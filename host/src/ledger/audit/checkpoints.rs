//! Checkpoints of the trail: how far it reached and with what hash, signed by a hub; and the keys that hubs sign with.
//!
//! Must not know how a signature is made, what a checkpoint's text says, or who may open a key.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{count, query, query_scalar, to_stored};
use crate::ledger::who::{By, HubId};

use super::{Act, Covered, CoveredKind, append_over};

/// A checkpoint to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheckpoint {
    /// One more than the last.
    pub number: u64,
    /// The last entry that it covers.
    pub seq: u64,
    /// What names the key.
    pub key_id: String,
    /// What was signed.
    pub content: String,
    /// The signature.
    pub signature: String,
}

/// A checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct Row {
    number: i64,
    seq: i64,
    hub: String,
    key_id: String,
    content: String,
    signature: String,
}

/// A checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// 1, 2, 3 over all hubs.
    pub number: u64,
    /// The last entry that it covers.
    pub seq: u64,
    /// Who signed.
    pub hub: HubId,
    /// What names the key.
    pub key_id: String,
    /// What was signed.
    pub content: String,
    /// The signature.
    pub signature: String,
}

/// A hub's key to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHubKey {
    /// What names it.
    pub key_id: String,
    /// The public half, as a line.
    pub public_key: String,
    /// What names the master key that the secret half is sealed under.
    pub master_key: String,
    /// The secret half, sealed.
    pub sealed: String,
}

/// A hub's key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHubKey {
    /// Whose.
    pub hub: HubId,
    /// The key.
    pub key: NewHubKey,
    /// When it was made.
    pub made_at_ms: i64,
}

impl Ledger {
    /// Checkpoints after one, oldest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, LedgerError> {
        let rows: Vec<Row> =
            query("SELECT number, seq, hub, key_id, content, signature FROM audit_checkpoints WHERE number > $1 ORDER BY number LIMIT $2")
                .bind(to_stored(after))
                .bind(i64::from(limit))
                .fetch_all(&self.store)
                .await?;
        Ok(rows.into_iter().map(StoredCheckpoint::from).collect())
    }

    /// The last checkpoint.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, LedgerError> {
        let last: Option<Row> =
            query("SELECT number, seq, hub, key_id, content, signature FROM audit_checkpoints ORDER BY number DESC LIMIT 1")
                .fetch_optional(&self.store)
                .await?;
        Ok(last.map(StoredCheckpoint::from))
    }

    /// Keeps a checkpoint. Answers false if another hub has made one of that number meanwhile.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn put_checkpoint(&self, new: &NewCheckpoint, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let written = query(
                    "INSERT INTO audit_checkpoints (number, seq, hub, key_id, content, signature) VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT DO NOTHING",
                )
                .bind(to_stored(new.number))
                .bind(to_stored(new.seq))
                .bind(by.hub.as_str())
                .bind(new.key_id.as_str())
                .bind(new.content.as_str())
                .bind(new.signature.as_str())
                .execute(&mut transaction)
                .await?;
                transaction.commit().await?;
                Ok(written == 1)
            })
            .await
    }

    /// The keys with which hubs sign, by hub.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn hub_keys(&self) -> Result<Vec<StoredHubKey>, LedgerError> {
        type Row = (String, String, String, String, String, i64);
        let rows: Vec<Row> = query("SELECT hub, key_id, public_key, master_key, sealed, made_at_ms FROM hub_keys ORDER BY hub")
            .fetch_all(&self.store)
            .await?;
        let key = |(hub, key_id, public_key, master_key, sealed, made_at_ms): Row| StoredHubKey {
            hub: HubId::new(hub),
            key: NewHubKey { key_id, public_key, master_key, sealed },
            made_at_ms,
        };
        Ok(rows.into_iter().map(key).collect())
    }

    /// Keeps the key of a hub that has none, and notes it in the trail. Answers false if it has one.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn put_hub_key(&self, new: &NewHubKey, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let written = query(
                    "INSERT INTO hub_keys (hub, key_id, public_key, master_key, sealed, made_at_ms) VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT DO NOTHING",
                )
                .bind(by.hub.as_str())
                .bind(new.key_id.as_str())
                .bind(new.public_key.as_str())
                .bind(new.master_key.as_str())
                .bind(new.sealed.as_str())
                .bind(by.now_ms)
                .execute(&mut transaction)
                .await?;
                if written == 1 {
                    let after = serde_json::json!({ "key": new.key_id, "public-key": new.public_key });
                    let subject = format!("hub:{}", by.hub);
                    let act = Act { partner: None, action: "hub.key", subject, before: None, after: Some(after) };
                    let covered = [Covered::of_hub(CoveredKind::HubKey, by.hub.as_str())];
                    append_over(&mut transaction, act, &covered, by).await?;
                }
                transaction.commit().await?;
                Ok(written == 1)
            })
            .await
    }

    /// Puts the same key, sealed under another master key, in the place of what was read. Answers whether it was.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn reseal_hub_key(&self, read: &StoredHubKey, (master_key, sealed): (&str, &str), by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let written = query("UPDATE hub_keys SET master_key = $3, sealed = $4 WHERE hub = $1 AND sealed = $2")
                    .bind(read.hub.as_str())
                    .bind(read.key.sealed.as_str())
                    .bind(master_key)
                    .bind(sealed)
                    .execute(&mut transaction)
                    .await?;
                if written == 1 {
                    let key = |name: &str| Some(serde_json::json!({ "master-key": name }));
                    let (subject, before) = (format!("hub:{}", read.hub), key(&read.key.master_key));
                    let act = Act { partner: None, action: "hub.key-reseal", subject, before, after: key(master_key) };
                    let covered = [Covered::of_hub(CoveredKind::HubKey, read.hub.as_str())];
                    append_over(&mut transaction, act, &covered, by).await?;
                }
                transaction.commit().await?;
                Ok(written == 1)
            })
            .await
    }

    /// Whether anything is sealed under a master key.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn has_sealed(&self) -> Result<bool, LedgerError> {
        let sealed: Option<i64> =
            query_scalar("SELECT CAST(1 AS BIGINT) FROM secrets UNION ALL SELECT CAST(1 AS BIGINT) FROM hub_keys UNION ALL SELECT CAST(1 AS BIGINT) FROM data_keys LIMIT 1")
                .fetch_optional(&self.store)
                .await?;
        Ok(sealed.is_some())
    }
}

impl From<Row> for StoredCheckpoint {
    fn from(row: Row) -> Self {
        let Row { number, seq, hub, key_id, content, signature } = row;
        Self { number: count(number), seq: count(seq), hub: HubId::new(hub), key_id, content, signature }
    }
}
