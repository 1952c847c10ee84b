//! A release beside the active one: done again after every run (parallel), or for a share of the runs (canary), which is taken back by
//! itself when it does badly.

mod follow;
mod through;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::{Actor, By, Scope};
use crate::model::ids::{Digest, PartnerName, PluginName};

use super::{ReleaseKey, activate, keys};

pub(in crate::ledger) use follow::{choose, follow, tried_with};
pub(super) use through::{of_two_plugins, through};

/// How a release stands beside the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Every run is done again with it, and delivers nothing.
    Parallel,
    /// A share of the runs is done with it, and delivers.
    Canary(Bounds),
}

/// How many runs a canary does, and what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of ten thousand runs.
    pub share: u32,
    /// Failed runs that it may have.
    pub failures_max: u32,
    /// Held runs that it may have.
    pub held_max: u32,
    /// Longest time for the rows of a run, in milliseconds; none where none is said.
    pub took_ms_max: Option<u64>,
}

/// A release to stand beside the active one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCandidate {
    /// Which.
    pub key: ReleaseKey,
    /// How.
    pub way: Way,
    /// By what slots choose; random, so that nobody can choose a slot for it.
    pub choice_key: Digest,
}

/// A release that stands, or stood, beside the active one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub key: ReleaseKey,
    /// 1, 2, 3 for each plugin.
    pub number: u64,
    /// How.
    pub way: Way,
    /// Since when.
    pub begun_at_ms: i64,
    /// By whom.
    pub begun_by: Actor,
    /// Until when, by whom and why.
    pub ended: Option<(i64, Actor, String)>,
    /// Of a canary: runs that closed, were held, and failed.
    pub runs: (u64, u64, u64),
}

#[derive(Clone, sqlx::FromRow)]
struct CandidateRow {
    partner: String,
    plugin: String,
    number: i64,
    digest: String,
    way: String,
    share: i64,
    choice_key: String,
    failures_max: i64,
    held_max: i64,
    took_ms_max: Option<i64>,
    begun_at_ms: i64,
    begun_by: String,
    ended_at_ms: Option<i64>,
    ended_by: Option<String>,
    ended_why: Option<String>,
    closed: i64,
    held: i64,
    failed: i64,
}

impl TryFrom<CandidateRow> for Candidate {
    type Error = LedgerError;

    fn try_from(row: CandidateRow) -> Result<Self, LedgerError> {
        let small = |stored: i64| u32::try_from(stored).unwrap_or_default();
        let way = if row.way == "parallel" {
            Way::Parallel
        } else {
            Way::Canary(Bounds {
                share: small(row.share),
                failures_max: small(row.failures_max),
                held_max: small(row.held_max),
                took_ms_max: row.took_ms_max.map(count),
            })
        };
        let key = ReleaseKey {
            partner: parsed(&row.partner, "partner")?,
            plugin: parsed(&row.plugin, "plugin")?,
            digest: parsed(&row.digest, "digest of a release")?,
        };
        Ok(Self {
            key,
            number: count(row.number),
            way,
            begun_at_ms: row.begun_at_ms,
            begun_by: Actor::stored(row.begun_by),
            ended: row.ended_at_ms.map(|at_ms| {
                let (by, why) = (row.ended_by.unwrap_or_default(), row.ended_why.unwrap_or_default());
                (at_ms, Actor::stored(by), why)
            }),
            runs: (count(row.closed), count(row.held), count(row.failed)),
        })
    }
}

/// What is read of candidates, of those that some words tell.
macro_rules! candidates {
    ($which:literal) => {
        concat!(
            "SELECT candidates.*,
               (SELECT COUNT(*) FROM canary_runs AS done WHERE done.partner = candidates.partner AND done.plugin = candidates.plugin
                  AND done.number = candidates.number AND done.ended = 'closed') AS closed,
               (SELECT COUNT(*) FROM canary_runs AS done WHERE done.partner = candidates.partner AND done.plugin = candidates.plugin
                  AND done.number = candidates.number AND done.ended = 'held') AS held,
               (SELECT COUNT(*) FROM canary_runs AS done WHERE done.partner = candidates.partner AND done.plugin = candidates.plugin
                  AND done.number = candidates.number AND done.ended = 'failed') AS failed
             FROM candidates WHERE ",
            $which
        )
    };
}

const ALL: &str = candidates!(
    "($1 = '' OR candidates.partner = $1) AND ($2 = '' OR candidates.plugin = $2)
     ORDER BY candidates.partner, candidates.plugin, candidates.number DESC"
);

const OPEN: &str = candidates!("candidates.partner = $1 AND candidates.plugin = $2 AND candidates.ended_at_ms IS NULL");

const OPEN_OF_PARTNER: &str = candidates!("candidates.partner = $1 AND candidates.ended_at_ms IS NULL ORDER BY candidates.plugin");

impl Ledger {
    /// Lets a release stand beside the active one, in place of any other that does. A canary delivers, so it needs what an activation needs.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchRelease`]; [`LedgerError::NotVouchedFor`] if it is active, given up, refused, or lacks what a canary needs.
    pub async fn begin_candidate(&self, new: &NewCandidate, by: &By) -> Result<u64, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                permitted(&mut transaction, new, by).await?;
                let (partner, plugin) = (&new.key.partner, &new.key.plugin);
                end_open(&mut transaction, (partner, plugin), "another candidate took its place", by).await?;
                let last: Option<i64> =
                    query_scalar("SELECT number FROM candidates WHERE partner = $1 AND plugin = $2 ORDER BY number DESC LIMIT 1")
                        .bind(partner.as_str())
                        .bind(plugin.as_str())
                        .fetch_optional(&mut transaction)
                        .await?;
                let number = last.unwrap_or_default() + 1;
                let (way, bounds) = match new.way {
                    Way::Parallel => ("parallel", Bounds { share: 0, failures_max: 0, held_max: 0, took_ms_max: None }),
                    Way::Canary(bounds) => ("canary", bounds),
                };
                query(
                    "INSERT INTO candidates (partner, plugin, number, digest, way, share, choice_key, failures_max, held_max, took_ms_max,
                       begun_at_ms, begun_by)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                )
                .bind(partner.as_str())
                .bind(plugin.as_str())
                .bind(number)
                .bind(new.key.digest.to_string())
                .bind(way)
                .bind(i64::from(bounds.share))
                .bind(new.choice_key.to_string())
                .bind(i64::from(bounds.failures_max))
                .bind(i64::from(bounds.held_max))
                .bind(bounds.took_ms_max.map(to_stored))
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                let after = serde_json::json!({
                    "digest": new.key.digest.to_string(), "way": way, "share-of-ten-thousand": bounds.share,
                    "failures-max": bounds.failures_max, "held-max": bounds.held_max, "took-ms-max": bounds.took_ms_max,
                });
                let subject = format!("plugin:{plugin}");
                let act = Act { partner: Some(partner), action: "candidate.begin", subject, before: None, after: Some(after) };
                let covered = [Covered::named(CoveredKind::Candidates, partner, plugin.as_str())];
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await?;
                Ok(count(number))
            })
            .await
    }

    /// Ends it: no further run is done with the release that stands beside a plugin's active one. Answers which that was, and how it did.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if none does; [`LedgerError::OtherStands`] if it is another than the one that is meant, where one is.
    pub async fn end_candidate(
        &self,
        of: (&PartnerName, &PluginName),
        (meant, why): (Option<Digest>, &str),
        by: &By,
    ) -> Result<Candidate, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let missing = || LedgerError::NotFound { what: "candidate beside the active release of plugin", name: of.1.to_string() };
                let row = open(&mut transaction, of).await?.ok_or_else(missing)?;
                let mut ended = Candidate::try_from(row.clone())?;
                let stands = ended.key.digest;
                if let Some(meant) = meant.filter(|meant| *meant != stands) {
                    return Err(LedgerError::OtherStands { plugin: of.1.clone(), meant, stands });
                }
                end(&mut transaction, &row, ("candidate.end", why), by).await?;
                transaction.commit().await?;
                ended.ended = Some((by.now_ms, by.actor.clone(), why.to_owned()));
                Ok(ended)
            })
            .await
    }

    /// Releases that stand or stood beside active ones, by partner and plugin, the last first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn candidates(&self, scope: Scope<'_>, plugin: Option<&PluginName>) -> Result<Vec<Candidate>, LedgerError> {
        let rows: Vec<CandidateRow> =
            query(ALL).bind(scope.text()).bind(plugin.map_or("", PluginName::as_str)).fetch_all(&self.store).await?;
        rows.into_iter().map(Candidate::try_from).collect()
    }
}

async fn permitted(transaction: &mut Transaction, new: &NewCandidate, by: &By) -> Result<(), LedgerError> {
    let key = &new.key;
    let known: Option<(Option<i64>, Option<String>, Option<String>)> = query(
        "SELECT releases.retired_at_ms, active.digest, said.verdict FROM releases
         LEFT JOIN active_releases AS active ON active.partner = releases.partner AND active.plugin = releases.plugin
         LEFT JOIN release_verdicts AS said ON said.partner = releases.partner AND said.plugin = releases.plugin
           AND said.digest = releases.digest AND said.number = (SELECT MAX(number) FROM release_verdicts
             WHERE partner = releases.partner AND plugin = releases.plugin AND digest = releases.digest)
         WHERE releases.partner = $1 AND releases.plugin = $2 AND releases.digest = $3",
    )
    .bind(key.partner.as_str())
    .bind(key.plugin.as_str())
    .bind(key.digest.to_string())
    .fetch_optional(&mut *transaction)
    .await?;
    let (retired, active, verdict) = known.ok_or_else(|| key.missing())?;
    let lacks = match active {
        None => Some("no release is active beside which it could stand"),
        Some(active) if active == key.digest.to_string() => Some("it is active itself"),
        Some(_) if retired.is_some() => Some("it was given up"),
        Some(_) if verdict.as_deref() == Some("refused") => Some("it was refused"),
        Some(_) => None,
    };
    match (lacks, new.way) {
        (Some(lacks), _) => Err(key.lacks(lacks.to_owned())),
        // Its deliveries are none, and its code runs on real rows all the same.
        (None, Way::Parallel) => keys::refuse_revoked(transaction, key).await,
        (None, Way::Canary(_)) => activate::may_follow(transaction, key, by).await,
    }
}

/// Ends the candidate of a plugin within a transaction. Answers false if there is none.
pub(super) async fn end_open(
    transaction: &mut Transaction,
    (partner, plugin): (&PartnerName, &PluginName),
    why: &str,
    by: &By,
) -> Result<bool, LedgerError> {
    let Some(open) = open(transaction, (partner, plugin)).await? else { return Ok(false) };
    end(transaction, &open, ("candidate.end", why), by).await.map(|()| true)
}

async fn open(transaction: &mut Transaction, (partner, plugin): (&PartnerName, &PluginName)) -> Result<Option<CandidateRow>, LedgerError> {
    Ok(query(OPEN).bind(partner.as_str()).bind(plugin.as_str()).fetch_optional(transaction).await?)
}

async fn end(transaction: &mut Transaction, row: &CandidateRow, (action, why): (&str, &str), by: &By) -> Result<(), LedgerError> {
    query("UPDATE candidates SET ended_at_ms = $4, ended_by = $5, ended_why = $6 WHERE partner = $1 AND plugin = $2 AND number = $3")
        .bind(row.partner.as_str())
        .bind(row.plugin.as_str())
        .bind(row.number)
        .bind(by.now_ms)
        .bind(by.actor.as_str())
        .bind(why)
        .execute(&mut *transaction)
        .await?;
    let partner: PartnerName = parsed(&row.partner, "partner")?;
    let before = Some(serde_json::json!({ "digest": row.digest, "way": row.way }));
    let after = Some(serde_json::json!({ "why": why, "closed": row.closed, "held": row.held, "failed": row.failed }));
    let act = Act { partner: Some(&partner), action, subject: format!("plugin:{}", row.plugin), before, after };
    audit::append_over(transaction, act, &[Covered::named(CoveredKind::Candidates, &partner, &row.plugin)], by).await
}
