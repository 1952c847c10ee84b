//! Which release a partner's runs use: activation, and the way back to the one before.

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, parsed, query, query_scalar};
use crate::ledger::who::By;
use crate::model::ids::{PartnerName, PluginName};
use crate::model::job::{ReleaseChoice, ReleasePolicy};

use super::{ReleaseKey, Standing, candidates, hands, keys, proof};

impl Ledger {
    /// Makes a release the one that the partner's runs use from their first claim on. If it stood beside the active one, it does so no longer.
    /// Answers false if it was active already.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchRelease`]; [`LedgerError::NotVouchedFor`] if it lacks what its partner asks of releases, or is older than the active
    /// one and was never active.
    pub async fn activate(&self, key: &ReleaseKey, by: &By) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let activated = activate(&mut transaction, key, (How::ByHand, by)).await?;
                if activated {
                    transaction.commit().await?;
                }
                Ok(activated)
            })
            .await
    }

    /// Makes the release that was active before the one that is, active again; and answers it.
    /// A release that was refused or given up since, or lacks what its partner asks by now, is passed over.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is none to go back to.
    pub async fn roll_back(&self, (partner, plugin): (&PartnerName, &PluginName), by: &By) -> Result<ReleaseKey, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                // Those of another name that were active before the one that is first became so, the last first.
                let earlier: Vec<String> = query_scalar(
                    "SELECT earlier.digest FROM activations AS earlier
                     JOIN active_releases AS active ON active.partner = earlier.partner AND active.plugin = earlier.plugin
                     WHERE earlier.partner = $1 AND earlier.plugin = $2 AND earlier.digest <> active.digest
                       AND earlier.number < (SELECT MIN(number) FROM activations
                         WHERE partner = $1 AND plugin = $2 AND digest = active.digest)
                     GROUP BY earlier.digest ORDER BY MAX(earlier.number) DESC",
                )
                .bind(partner.as_str())
                .bind(plugin.as_str())
                .fetch_all(&mut transaction)
                .await?;
                let mut usable = None;
                for digest in earlier {
                    let digest = parsed(&digest, "digest of a release")?;
                    let key = ReleaseKey { partner: partner.clone(), plugin: plugin.clone(), digest };
                    match vouched_for(&mut transaction, &key).await {
                        Ok(_) => {
                            usable = Some(key);
                            break;
                        }
                        Err(LedgerError::NotVouchedFor { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                let missing = || LedgerError::NotFound { what: "earlier release to go back to, of plugin", name: plugin.to_string() };
                let key = usable.ok_or_else(missing)?;
                activate(&mut transaction, &key, (How::Back, by)).await?;
                transaction.commit().await?;
                Ok(key)
            })
            .await
    }
}

/// How a release comes to be active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger::declared) enum How {
    /// A person says so.
    ByHand,
    /// A configuration that is applied names it.
    Declared,
    /// The same, which is taken back.
    Planned,
    /// The one before is taken back.
    Back,
}

impl ReleaseKey {
    /// Its rows, which every act on it leaves in the audit trail as a digest.
    pub(super) fn covered(&self) -> Covered {
        Covered::named(CoveredKind::Release, &self.partner, &self.digest.to_string())
    }

    pub(super) fn missing(&self) -> LedgerError {
        LedgerError::NoSuchRelease { partner: self.partner.clone(), plugin: self.plugin.clone(), digest: self.digest }
    }

    pub(in crate::ledger::declared) fn lacks(&self, lacks: String) -> LedgerError {
        LedgerError::NotVouchedFor { plugin: self.plugin.clone(), digest: self.digest, partner: self.partner.clone(), lacks }
    }
}

/// Activates a release within a transaction. Answers false if it was active already.
pub(in crate::ledger::declared) async fn activate(
    transaction: &mut Transaction,
    key: &ReleaseKey,
    (how, by): (How, &By),
) -> Result<bool, LedgerError> {
    let (partner, plugin, digest) = (key.partner.as_str(), key.plugin.as_str(), key.digest.to_string());
    let before = active(transaction, key).await?;
    if matches!(how, How::Declared | How::Planned) && before.as_deref() == Some(digest.as_str()) {
        // Nothing is put in use, so nothing is asked: a partner that refused what is active is told so, and keeps nobody from the rest.
        return Ok(false);
    }
    let policy = vouched_for(transaction, key).await?;
    if before.as_deref() == Some(digest.as_str()) {
        return Ok(false);
    }
    // The way back is not held to a third person: it is taken in an emergency, to what was put in use before.
    if !matches!(how, How::Back | How::Planned) {
        third_person(transaction, key, (policy, by)).await?;
    }
    let mut back = how == How::Back;
    if let Some(before) = before.as_deref().filter(|_| !back) {
        if was_active(transaction, key).await? {
            back = older(transaction, key, before).await?.is_some();
        } else {
            takes_its_place(transaction, (key, before), (policy, how)).await?;
        }
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
    .execute(&mut *transaction)
    .await?;
    query(
        "INSERT INTO activations (partner, plugin, number, digest, at_ms, done_by)
         SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5 FROM activations WHERE partner = $1 AND plugin = $2",
    )
    .bind(partner)
    .bind(plugin)
    .bind(digest.as_str())
    .bind(by.now_ms)
    .bind(by.actor.as_str())
    .execute(&mut *transaction)
    .await?;
    let action = if back { "release.roll-back" } else { "release.activate" };
    let before = before.map(|before| serde_json::json!({ "digest": before }));
    let after = Some(serde_json::json!({ "digest": digest }));
    let act = Act { partner: Some(&key.partner), action, subject: format!("plugin:{plugin}"), before, after };
    audit::append_over(transaction, act, &[Covered::named(CoveredKind::Active, &key.partner, plugin)], by).await?;
    candidates::end_open(transaction, (&key.partner, &key.plugin), "another release became active", by).await?;
    Ok(true)
}

/// Refuses a release that was never active, if it could not take the place of the one that is.
async fn takes_its_place(
    transaction: &mut Transaction,
    (key, active): (&ReleaseKey, &str),
    (policy, how): (ReleasePolicy, How),
) -> Result<(), LedgerError> {
    match older(transaction, key, active).await? {
        // Whoever declares the configuration of an open partner is trusted with it.
        Some(lacks) if policy != ReleasePolicy::Open || how == How::ByHand => Err(key.lacks(lacks)),
        _ => proof::proven(transaction, key).await,
    }
}

/// Refuses a release that a job would run because its file names it, and that could not be put in use: naming it goes past nothing that
/// activation asks. What was active once was asked then.
pub(super) async fn may_be_named(transaction: &mut Transaction, key: &ReleaseKey) -> Result<(), LedgerError> {
    let policy = vouched_for(transaction, key).await?;
    if was_active(transaction, key).await? {
        return Ok(());
    }
    if policy == ReleasePolicy::ThreePersons {
        let lacks = "it was never active, and its partner asks for a third person to put a release in use, who activates it";
        return Err(key.lacks(lacks.to_owned()));
    }
    match active(transaction, key).await? {
        Some(active) => takes_its_place(transaction, (key, &active), (policy, How::Declared)).await,
        None => Ok(()),
    }
}

/// Refuses that a job names releases of which one could not be put in use. What is not kept yet is judged when a run is to have it.
pub(in crate::ledger::declared) async fn may_all_be_named(
    transaction: &mut Transaction,
    (partner, plugin): (&PartnerName, &PluginName),
    choice: &ReleaseChoice,
) -> Result<(), LedgerError> {
    let kept: Vec<(String, String)> = query("SELECT digest, version FROM releases WHERE partner = $1 AND plugin = $2 ORDER BY digest")
        .bind(partner.as_str())
        .bind(plugin.as_str())
        .fetch_all(&mut *transaction)
        .await?;
    for (digest, version) in kept {
        let digest = parsed(&digest, "digest of a release")?;
        let key = ReleaseKey { partner: partner.clone(), plugin: plugin.clone(), digest };
        if choice.takes(&version, digest) && !was_active(transaction, &key).await? {
            may_be_named(transaction, &key).await?;
        }
    }
    Ok(())
}

/// The release that is active now in place of, or beside, another.
async fn active(transaction: &mut Transaction, key: &ReleaseKey) -> Result<Option<String>, LedgerError> {
    let active = query_scalar("SELECT digest FROM active_releases WHERE partner = $1 AND plugin = $2")
        .bind(key.partner.as_str())
        .bind(key.plugin.as_str())
        .fetch_optional(transaction)
        .await?;
    Ok(active)
}

async fn was_active(transaction: &mut Transaction, key: &ReleaseKey) -> Result<bool, LedgerError> {
    let number: Option<i64> =
        query_scalar("SELECT number FROM activations WHERE partner = $1 AND plugin = $2 AND digest = $3 ORDER BY number LIMIT 1")
            .bind(key.partner.as_str())
            .bind(key.plugin.as_str())
            .bind(key.digest.to_string())
            .fetch_optional(transaction)
            .await?;
    Ok(number.is_some())
}

/// Why a release is older than the active one, if it is. It may have a defect that a later one mended, and its signature is as good as ever:
/// only the way back leads to it.
async fn older(transaction: &mut Transaction, key: &ReleaseKey, active: &str) -> Result<Option<String>, LedgerError> {
    let versions: Vec<(String, String)> =
        query("SELECT digest, version FROM releases WHERE partner = $1 AND plugin = $2 AND (digest = $3 OR digest = $4)")
            .bind(key.partner.as_str())
            .bind(key.plugin.as_str())
            .bind(key.digest.to_string())
            .bind(active)
            .fetch_all(transaction)
            .await?;
    let version = |of: &str| versions.iter().find(|(digest, _)| digest == of).and_then(|(_, text)| semver::Version::parse(text).ok());
    let pair = version(&key.digest.to_string()).zip(version(active)).filter(|(wanted, active)| wanted < active);
    Ok(pair.map(|(wanted, active)| format!("it is version {wanted}, older than {active}, which is active, and was never active itself")))
}

/// Refuses a release that may not be used for deliveries beside the active one, or in its place: the ledger's whole word on it.
pub(super) async fn may_follow(transaction: &mut Transaction, key: &ReleaseKey, by: &By) -> Result<(), LedgerError> {
    let policy = vouched_for(transaction, key).await?;
    third_person(transaction, key, (policy, by)).await?;
    let active = active(transaction, key).await?;
    let active = active.ok_or_else(|| key.lacks("no release is active beside which it could stand".to_owned()))?;
    if let Some(lacks) = older(transaction, key, &active).await? {
        return Err(key.lacks(lacks));
    }
    proof::proven(transaction, key).await
}

/// Refuses that somebody puts in use what they handed in or have approved, where their partner asks for a third person.
async fn third_person(transaction: &mut Transaction, key: &ReleaseKey, (policy, by): (ReleasePolicy, &By)) -> Result<(), LedgerError> {
    if policy != ReleasePolicy::ThreePersons {
        return Ok(());
    }
    if !by.actor.is_person() {
        return Err(LedgerError::NotAPerson { actor: by.actor.clone() });
    }
    hands::refuse_whoever_handed_in(transaction, key, by).await?;
    hands::refuse_whoever_approved(transaction, key, by).await
}

/// What is known of a release before it is used.
#[derive(sqlx::FromRow)]
struct ForUse {
    signed_by: Option<String>,
    revoked_at_ms: Option<i64>,
    releases: String,
    retired_at_ms: Option<i64>,
}

/// Refuses a release that is not kept, was refused or given up, or lacks what its partner asks of releases. Answers what that is.
pub(super) async fn vouched_for(transaction: &mut Transaction, key: &ReleaseKey) -> Result<ReleasePolicy, LedgerError> {
    let digest = key.digest.to_string();
    let found: Option<ForUse> = query(
        "SELECT releases.signed_by, signing_keys.revoked_at_ms, partners.releases, releases.retired_at_ms FROM releases
         JOIN partners ON partners.partner = releases.partner
         LEFT JOIN signing_keys ON signing_keys.partner = releases.partner AND signing_keys.key_id = releases.signed_by
         WHERE releases.partner = $1 AND releases.plugin = $2 AND releases.digest = $3",
    )
    .bind(key.partner.as_str())
    .bind(key.plugin.as_str())
    .bind(digest.as_str())
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(ForUse { signed_by, revoked_at_ms: revoked_at, releases: policy, retired_at_ms: retired_at }) = found else {
        return Err(key.missing());
    };
    let policy: ReleasePolicy = parsed(&policy, "rule for releases")?;
    let verdict: Option<String> = query_scalar(
        "SELECT verdict FROM release_verdicts WHERE partner = $1 AND plugin = $2 AND digest = $3 ORDER BY number DESC LIMIT 1",
    )
    .bind(key.partner.as_str())
    .bind(key.plugin.as_str())
    .bind(digest.as_str())
    .fetch_optional(&mut *transaction)
    .await?;
    let standing: Option<Standing> = verdict.map(|verdict| parsed(&verdict, "verdict on a release")).transpose()?;
    let lacks = match (standing, signed_by) {
        _ if retired_at.is_some() => Some("it was given up".to_owned()),
        (Some(Standing::Refused), _) => Some("it was refused".to_owned()),
        (_, None) if policy != ReleasePolicy::Open => Some("it is not signed".to_owned()),
        (_, Some(signer)) if policy != ReleasePolicy::Open && revoked_at.is_some() => Some(keys::revoked_key(&signer)),
        (None, _) if policy.asks_approval() => Some("nobody has approved it".to_owned()),
        _ => None,
    };
    match lacks {
        None => Ok(policy),
        Some(lacks) => Err(key.lacks(lacks)),
    }
}
