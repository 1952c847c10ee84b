//! Releases of plugins: kept, vouched for, and which of them is active.

mod activate;
mod candidates;
mod hands;
mod keys;
mod proof;
mod retire;
mod verdicts;
mod wire;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act};
use crate::ledger::error::LedgerError;
use crate::ledger::outside;
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::{Actor, By, Scope};
use crate::model::grant::Grant;
use crate::model::ids::{Digest, PartnerName, PluginName};

use super::require_partner;

pub(super) use activate::{How, activate, may_all_be_named};
pub use candidates::{Bounds, Candidate, NewCandidate, Way};
pub(in crate::ledger) use candidates::{choose, follow, tried_with};
pub use keys::{NewSigningKey, SigningKey};
pub use proof::{Explanation, NewTrial, ProofState, Trial, TrialOutcome};
pub use retire::Retired;
pub use verdicts::{Judgement, Standing, Verdict};
pub(super) use wire::{proofs_of, proofs_text};

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
    /// The signature that it came with, checked by the caller.
    pub signature: Option<ReleaseSignature>,
}

/// A signature under a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseSignature {
    /// The key that it was made with.
    pub key: String,
    /// As it was read.
    pub text: String,
    /// What the signer said.
    pub comment: String,
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
    /// What people said of it, last.
    pub verdict: Option<Verdict>,
    /// Whether it was given up.
    pub retired: Option<Retired>,
}

impl Release {
    /// What the partner lends it; all that it asks for, where nobody has said.
    #[must_use]
    pub fn grant(&self) -> Grant {
        self.verdict.as_ref().and_then(|verdict| verdict.grant.clone()).unwrap_or_default()
    }
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
    signed_by: Option<String>,
    signature: Option<String>,
    signature_comment: Option<String>,
    verdict: Option<String>,
    verdict_why: Option<String>,
    verdict_at_ms: Option<i64>,
    verdict_by: Option<String>,
    verdict_number: Option<i64>,
    granted: Option<String>,
    retired_at_ms: Option<i64>,
    retired_by: Option<String>,
    retired_why: Option<String>,
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
        let signature = match (row.signed_by, row.signature) {
            (Some(key), Some(text)) => Some(ReleaseSignature { key, text, comment: row.signature_comment.unwrap_or_default() }),
            _ => None,
        };
        let verdict = match (row.verdict, row.verdict_at_ms, row.verdict_by) {
            (Some(standing), Some(at_ms), Some(by)) => Some(Verdict {
                standing: parsed(&standing, "verdict on a release")?,
                why: row.verdict_why.unwrap_or_default(),
                at_ms,
                by: Actor::stored(by),
                number: count(row.verdict_number.unwrap_or_default()),
                grant: row.granted.as_deref().map(wire::grant_of).transpose()?,
            }),
            _ => None,
        };
        let retired = row.retired_at_ms.map(|at_ms| Retired {
            at_ms,
            by: Actor::stored(row.retired_by.unwrap_or_default()),
            why: row.retired_why.unwrap_or_default(),
        });
        Ok(Self {
            release: NewRelease { key, version, manifest, size_bytes: count(row.size_bytes), artefact, signature },
            added_at_ms: row.added_at_ms,
            added_by: Actor::stored(row.added_by),
            active_since_ms: row.activated_at_ms,
            verdict,
            retired,
        })
    }
}

/// Releases, each with how it stands.
const RELEASES: &str = "SELECT releases.*, active_releases.activated_at_ms,
               said.verdict, said.why AS verdict_why, said.at_ms AS verdict_at_ms, said.said_by AS verdict_by,
               said.number AS verdict_number, said.granted
             FROM releases
             LEFT JOIN active_releases ON active_releases.partner = releases.partner AND active_releases.plugin = releases.plugin
               AND active_releases.digest = releases.digest
             LEFT JOIN release_verdicts AS said ON said.partner = releases.partner AND said.plugin = releases.plugin
               AND said.digest = releases.digest AND said.number = (
                 SELECT MAX(number) FROM release_verdicts
                 WHERE partner = releases.partner AND plugin = releases.plugin AND digest = releases.digest)
             WHERE ";

impl Ledger {
    /// Keeps a release. Answers false if it is kept already: a release never changes.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such partner; or what the database failed of.
    pub async fn put_release(&self, new: &NewRelease, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let added = keep(&mut transaction, new, by).await?;
                transaction.commit().await?;
                Ok(added)
            })
            .await
    }

    /// Releases by partner and plugin, those added last first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn releases(&self, scope: Scope<'_>) -> Result<Vec<Release>, LedgerError> {
        let mut found = query(RELEASES);
        if let Scope::Partner(partner) = scope {
            found.push("releases.partner = ").push_bind(partner.as_str());
        } else {
            found.push("TRUE");
        }
        found.push(" ORDER BY releases.partner, releases.plugin, releases.added_at_ms DESC, releases.digest");
        let rows: Vec<ReleaseRow> = found.fetch_all(&self.store).await?;
        rows.into_iter().map(Release::try_from).collect()
    }

    /// One release, active or not.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn release(&self, key: &ReleaseKey) -> Result<Option<Release>, LedgerError> {
        let mut found = query(RELEASES);
        found.push("releases.partner = ").push_bind(key.partner.as_str());
        found.push(" AND releases.plugin = ").push_bind(key.plugin.as_str());
        let row: Option<ReleaseRow> =
            found.push(" AND releases.digest = ").push_bind(key.digest.to_string()).fetch_optional(&self.store).await?;
        row.map(Release::try_from).transpose()
    }

    /// The release that a partner's runs of a plugin use.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn active_release(&self, partner: &PartnerName, plugin: &PluginName) -> Result<Option<Release>, LedgerError> {
        let mut found = query(RELEASES);
        found.push("active_releases.partner = ").push_bind(partner.as_str());
        let row: Option<ReleaseRow> =
            found.push(" AND active_releases.plugin = ").push_bind(plugin.as_str()).fetch_optional(&self.store).await?;
        row.map(Release::try_from).transpose()
    }
}

/// Keeps a release within a transaction. Answers false if it is kept already.
pub(super) async fn keep(transaction: &mut Transaction, new: &NewRelease, by: &By) -> Result<bool, LedgerError> {
    let key = &new.key;
    require_partner(transaction, &key.partner).await?;
    let written = query(
                    "INSERT INTO releases
               (partner, plugin, digest, version, manifest, size_bytes, artefact, added_at_ms, added_by, signed_by, signature, signature_comment)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
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
                .bind(new.signature.as_ref().map(|signature| signature.key.clone()))
                .bind(new.signature.as_ref().map(|signature| signature.text.clone()))
                .bind(new.signature.as_ref().map(|signature| signature.comment.clone()))
                .execute(&mut *transaction)
                .await?;
    if written == 0 {
        return sign(transaction, new, by).await.map(|()| false);
    }
    let after = serde_json::json!({
        "plugin": key.plugin.as_str(), "version": new.version, "digest": key.digest.to_string(),
        "signed-by": new.signature.as_ref().map(|signature| signature.key.as_str()),
    });
    let subject = format!("release:{}", key.digest);
    let act = Act { partner: Some(&key.partner), action: "release.add", subject, before: None, after: Some(after) };
    audit::append_over(transaction, act, &[key.covered()], by).await?;
    outside::tell_of_release(transaction, key, &new.version, by).await?;
    Ok(true)
}

/// Adds the signature to a release that is kept without one, or with one by a key that was revoked since. Any other stays as it is.
async fn sign(transaction: &mut Transaction, new: &NewRelease, by: &By) -> Result<(), LedgerError> {
    let Some(signature) = &new.signature else { return Ok(()) };
    let key = &new.key;
    let before: Option<Option<String>> = query_scalar(
        "SELECT releases.signed_by FROM releases
         LEFT JOIN signing_keys ON signing_keys.partner = releases.partner AND signing_keys.key_id = releases.signed_by
         WHERE releases.partner = $1 AND releases.plugin = $2 AND releases.digest = $3
           AND (releases.signed_by IS NULL OR (signing_keys.revoked_at_ms IS NOT NULL AND releases.signed_by <> $4))",
    )
    .bind(key.partner.as_str())
    .bind(key.plugin.as_str())
    .bind(key.digest.to_string())
    .bind(signature.key.as_str())
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(before) = before else { return Ok(()) };
    // Whoever approved it would come to have handed it in.
    hands::lock(transaction, key).await?;
    hands::refuse_whoever_approved(transaction, key, by).await?;
    query("UPDATE releases SET signed_by = $4, signature = $5, signature_comment = $6 WHERE partner = $1 AND plugin = $2 AND digest = $3")
        .bind(key.partner.as_str())
        .bind(key.plugin.as_str())
        .bind(key.digest.to_string())
        .bind(signature.key.as_str())
        .bind(signature.text.as_str())
        .bind(signature.comment.as_str())
        .execute(&mut *transaction)
        .await?;
    let before = before.map(|before| serde_json::json!({ "signed-by": before }));
    let after = Some(serde_json::json!({ "signed-by": signature.key }));
    let act = Act { partner: Some(&key.partner), action: hands::SIGN, subject: format!("release:{}", key.digest), before, after };
    audit::append_over(transaction, act, &[key.covered()], by).await
}
