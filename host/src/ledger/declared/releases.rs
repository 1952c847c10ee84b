//! Releases of plugins, and which of them is active.

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::{Actor, By, Scope};
use crate::model::ids::{Digest, PartnerName, PluginName};

use super::require_partner;

/// What names a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReleaseKey {
    /// Whose.
    pub partner: PartnerName,
    /// Of which plugin.
    pub plugin: PluginName,
    /// SHA-256 of the uploaded bytes.
    pub digest: Digest,
}

/// A release to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelease {
    /// What names it.
    pub key: ReleaseKey,
    /// Its version, for people.
    pub version: String,
    /// The text of its manifest.
    pub manifest: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// Where the bytes lie, within the hub's folder.
    pub artefact: String,
}

/// A release as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// What was kept.
    pub release: NewRelease,
    /// When it was added.
    pub added_at_ms: i64,
    /// By whom.
    pub added_by: Actor,
    /// Whether the partner's runs use it, and since when.
    pub active_since_ms: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct ReleaseRow {
    partner: String,
    plugin: String,
    digest: String,
    version: String,
    manifest: String,
    size_bytes: i64,
    artefact: String,
    added_at_ms: i64,
    added_by: String,
    activated_at_ms: Option<i64>,
}

impl TryFrom<ReleaseRow> for Release {
    type Error = LedgerError;

    fn try_from(row: ReleaseRow) -> Result<Self, LedgerError> {
        let key = ReleaseKey {
            partner: parsed(&row.partner, "partner")?,
            plugin: parsed(&row.plugin, "plugin")?,
            digest: parsed(&row.digest, "digest of a release")?,
        };
        let (version, manifest, artefact) = (row.version, row.manifest, row.artefact);
        Ok(Self {
            release: NewRelease { key, version, manifest, size_bytes: count(row.size_bytes), artefact },
            added_at_ms: row.added_at_ms,
            added_by: Actor::stored(row.added_by),
            active_since_ms: row.activated_at_ms,
        })
    }
}

impl Ledger {
    /// Keeps a release. Answers false if it is kept already: a release never changes.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such partner; or what the database failed of.
    pub async fn put_release(&self, new: &NewRelease, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let key = &new.key;
                require_partner(&mut transaction, &key.partner).await?;
                let written = query(
                    "INSERT INTO releases (partner, plugin, digest, version, manifest, size_bytes, artefact, added_at_ms, added_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
                )
                .bind(key.partner.as_str())
                .bind(key.plugin.as_str())
                .bind(key.digest.to_string())
                .bind(new.version.as_str())
                .bind(new.manifest.as_str())
                .bind(to_stored(new.size_bytes))
                .bind(new.artefact.as_str())
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                if written == 0 {
                    return Ok(false);
                }
                let after = serde_json::json!({ "plugin": key.plugin.as_str(), "version": new.version, "digest": key.digest.to_string() });
                let subject = format!("release:{}", key.digest);
                let act = Act { partner: Some(&key.partner), action: "release.add", subject, before: None, after: Some(after) };
                audit::append(&mut transaction, act, by);
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }

    /// Makes a release the one that the partner's runs use from their first claim on. An earlier one is rolled back to in the same way.
    /// Answers false if it was active already.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchRelease`], or what the database failed of.
    pub async fn activate(&self, key: &ReleaseKey, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let (partner, plugin, digest) = (key.partner.as_str(), key.plugin.as_str(), key.digest.to_string());
                let kept: Option<i64> = query_scalar("SELECT added_at_ms FROM releases WHERE partner = $1 AND plugin = $2 AND digest = $3")
                    .bind(partner)
                    .bind(plugin)
                    .bind(digest.as_str())
                    .fetch_optional(&mut transaction)
                    .await?;
                if kept.is_none() {
                    return Err(LedgerError::NoSuchRelease {
                        partner: key.partner.clone(),
                        plugin: key.plugin.clone(),
                        digest: key.digest,
                    });
                }
                let before: Option<String> = query_scalar("SELECT digest FROM active_releases WHERE partner = $1 AND plugin = $2")
                    .bind(partner)
                    .bind(plugin)
                    .fetch_optional(&mut transaction)
                    .await?;
                if before.as_deref() == Some(digest.as_str()) {
                    return Ok(false);
                }
                query(
                    "INSERT INTO active_releases (partner, plugin, digest, activated_at_ms, activated_by) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (partner, plugin) DO UPDATE
             SET digest = excluded.digest, activated_at_ms = excluded.activated_at_ms, activated_by = excluded.activated_by",
                )
                .bind(partner)
                .bind(plugin)
                .bind(digest.as_str())
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                let before = before.map(|before| serde_json::json!({ "digest": before }));
                let after = Some(serde_json::json!({ "digest": digest }));
                let act =
                    Act { partner: Some(&key.partner), action: "release.activate", subject: format!("plugin:{plugin}"), before, after };
                audit::append(&mut transaction, act, by);
                transaction.commit().await?;
                Ok(true)
            })
            .await
    }

    /// Releases by partner and plugin, those added last first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn releases(&self, scope: Scope<'_>) -> Result<Vec<Release>, LedgerError> {
        let rows: Vec<ReleaseRow> = query(
            "SELECT releases.*, active_releases.activated_at_ms FROM releases
             LEFT JOIN active_releases ON active_releases.partner = releases.partner AND active_releases.plugin = releases.plugin
               AND active_releases.digest = releases.digest
             WHERE $1 = '' OR releases.partner = $1
             ORDER BY releases.partner, releases.plugin, releases.added_at_ms DESC, releases.digest",
        )
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(Release::try_from).collect()
    }

    /// One release, active or not.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn release(&self, key: &ReleaseKey) -> Result<Option<Release>, LedgerError> {
        let found = self.releases(Scope::Partner(&key.partner)).await?;
        Ok(found.into_iter().find(|release| release.release.key == *key))
    }

    /// The release that a partner's runs of a plugin use.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn active_release(&self, partner: &PartnerName, plugin: &PluginName) -> Result<Option<Release>, LedgerError> {
        let found = self.releases(Scope::Partner(partner)).await?;
        Ok(found.into_iter().find(|release| release.release.key.plugin == *plugin && release.active_since_ms.is_some()))
    }
}
