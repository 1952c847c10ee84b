//! The JSON of releases.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment;
use crate::ledger::Release;
use crate::run::{Ask, Bound, Review};

/// A release, and how it stands with its partner.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReleaseJson {
    pub(crate) partner: String,
    pub(crate) plugin: String,
    /// As its author calls it.
    pub(crate) version: String,
    /// SHA-256 of its component, which names it.
    pub(crate) digest: String,
    pub(crate) bytes: u64,
    pub(crate) added_at: String,
    pub(crate) added_by: String,
    /// The key that signed it.
    pub(crate) signed_by: Option<String>,
    /// What the signer says of it.
    pub(crate) signer_says: Option<String>,
    /// approved or refused; none while nobody has said.
    pub(crate) standing: Option<String>,
    pub(crate) judged_by: Option<String>,
    pub(crate) why: Option<String>,
    /// Since when runs use it.
    pub(crate) active_since: Option<String>,
    /// What it asks for and its approval keeps back, each a sentence.
    pub(crate) kept_back: Vec<String>,
    /// From when on no run begins with it.
    pub(crate) retired_at: Option<String>,
    pub(crate) retired_by: Option<String>,
}

/// A release as whoever approves it sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReviewJson {
    /// What names this review: an approval sends it, and holds for nothing else.
    review: String,
    release: ReleaseJson,
    /// The one that runs use, if another.
    active: Option<ReleaseJson>,
    /// What it may do, each a sentence.
    may_do: Vec<String>,
    /// What it asks for beyond rows and settings. An approval may grant less.
    pub(crate) asks_for: Vec<AskJson>,
    /// Its limits. An approval may make them smaller.
    pub(crate) limits: Vec<BoundJson>,
    /// What is different from the active one, each a sentence.
    changes: Vec<String>,
    /// Jobs that do not fit it, so that it cannot be activated.
    jobs_that_do_not_fit: Vec<String>,
}

/// Something that a release asks for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AskJson {
    /// log, clock, random, state, http or table:NAME.
    pub(crate) what: String,
    /// What it does with it.
    pub(crate) about: String,
    /// Whether it cannot work without: an approval that keeps this back is refused.
    pub(crate) needed: bool,
    /// Whether the operator of the hub lends it to no plugin.
    pub(crate) kept_back: bool,
}

/// A limit of a release.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct BoundJson {
    pub(crate) limit: String,
    /// What the release asks for; the usual amount where its manifest does not name the limit.
    pub(crate) asked: u64,
    /// The most that an approval may name.
    pub(crate) most: u64,
    /// Whether its manifest names the limit.
    pub(crate) named: bool,
}

impl From<Ask> for AskJson {
    fn from(ask: Ask) -> Self {
        Self { what: ask.what.to_string(), about: ask.about, needed: ask.needed, kept_back: ask.kept_back }
    }
}

impl From<Bound> for BoundJson {
    fn from(bound: Bound) -> Self {
        Self { limit: bound.limit.to_string(), asked: bound.asked, most: bound.most, named: bound.named }
    }
}

impl From<&Release> for ReleaseJson {
    fn from(release: &Release) -> Self {
        let (kept, verdict) = (&release.release, release.verdict.as_ref());
        Self {
            partner: kept.key.partner.to_string(),
            plugin: kept.key.plugin.to_string(),
            version: kept.version.clone(),
            digest: kept.key.digest.to_string(),
            bytes: kept.size_bytes,
            added_at: moment(release.added_at_ms),
            added_by: release.added_by.to_string(),
            signed_by: kept.signature.as_ref().map(|signature| signature.key.clone()),
            signer_says: kept.signature.as_ref().map(|signature| signature.comment.clone()),
            standing: verdict.map(|verdict| verdict.standing.to_string()),
            judged_by: verdict.map(|verdict| verdict.by.to_string()),
            why: verdict.map(|verdict| verdict.why.clone()),
            active_since: release.active_since_ms.map(moment),
            kept_back: kept_back(release),
            retired_at: release.retired.as_ref().map(|retired| moment(retired.at_ms)),
            retired_by: release.retired.as_ref().map(|retired| retired.by.to_string()),
        }
    }
}

impl From<Review> for ReviewJson {
    fn from(review: Review) -> Self {
        Self {
            review: review.code,
            release: ReleaseJson::from(&review.release),
            active: review.active.as_ref().map(ReleaseJson::from),
            may_do: review.may_do,
            asks_for: review.asks.into_iter().map(AskJson::from).collect(),
            limits: review.bounds.into_iter().map(BoundJson::from).collect(),
            changes: review.changes,
            jobs_that_do_not_fit: review.unfit,
        }
    }
}

fn kept_back(release: &Release) -> Vec<String> {
    let grant = release.grant();
    let without = grant.without.iter().map(|lent| format!("It is not lent {lent}."));
    without.chain(grant.limits.iter().map(|(limit, most)| format!("Its limit {limit} is at most {most}."))).collect()
}
