//! How releases did beside the active one: trials, what people said of their differences, and whether that is enough.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::runs::{Lease, Run, fenced, load};
use crate::ledger::store::{Transaction, parsed, query, query_scalar};
use crate::ledger::who::{Actor, By};
use crate::model::ids::{Digest, PluginName, RunId};
use crate::model::job::Proof;

use super::candidates::through;
use super::{ReleaseKey, hands, wire};

/// Digits of what names trials.
const CODE_DIGITS: usize = 16;

/// What a trial came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialOutcome {
    /// To the same bytes and totals.
    Same,
    /// To something else.
    Differs,
    /// To no end.
    Failed,
}

impl TrialOutcome {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for TrialOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TrialOutcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Same, Self::Differs, Self::Failed].into_iter().find(|outcome| outcome.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no outcome of a trial"))
    }
}

/// A trial to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTrial {
    /// What it came to.
    pub outcome: TrialOutcome,
    /// The kinds of difference, such as `return.employee_expected`.
    pub kinds: Vec<String>,
    /// What is told of them, as JSON, with nothing personal in it.
    pub differences: Option<String>,
}

/// A trial as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The run that tried the release.
    pub run: RunId,
    /// The run that it did again.
    pub origin: RunId,
    /// What was kept.
    pub trial: NewTrial,
    /// When.
    pub at_ms: i64,
    /// Whether a person has explained every kind of its differences since.
    pub explained: bool,
    /// Whether it counts: the run that it did again delivered, with another release. Done again with its own, any release comes to the same.
    pub proves: bool,
}

/// A person's word on a kind of difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The kind.
    pub kind: String,
    /// The word.
    pub why: String,
    /// When. It holds for the trials that there were.
    pub at_ms: i64,
    /// Whose.
    pub by: Actor,
}

/// What is asked of a release, and what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofState {
    /// What its partner asks.
    pub asked: Proof,
    /// Every trial, oldest first.
    pub trials: Vec<Trial>,
    /// What people said.
    pub explanations: Vec<Explanation>,
    /// Runs on which it came to the same, or to differences that are explained where that counts.
    pub clean: u32,
    /// What is lacking, as a sentence without its beginning; none if it is enough.
    pub lacks: Option<String>,
}

impl ProofState {
    /// What names the trials that came to something else, as they are now: what a person says of them holds for these and no others.
    #[must_use]
    pub fn code(&self) -> String {
        let others = self.trials.iter().filter(|trial| trial.trial.outcome != TrialOutcome::Same);
        let told = |trial: &Trial| {
            let (run, came) = (trial.run.to_string(), &trial.trial);
            serde_json::json!([run, trial.at_ms, came.outcome.as_str(), came.kinds, came.differences])
        };
        let whole = serde_json::Value::Array(others.map(told).collect());
        Digest::of(whole.to_string().as_bytes()).to_string()[..CODE_DIGITS].to_owned()
    }
}

#[derive(sqlx::FromRow)]
struct TrialRow {
    run: String,
    origin: String,
    outcome: String,
    kinds: String,
    differences: Option<String>,
    at_ms: i64,
    origin_release: Option<String>,
    origin_outcome: Option<String>,
}

impl Ledger {
    /// Keeps what a trial came to, under the lease of its run. Of a run that was done again, the last counts.
    ///
    /// # Errors
    /// [`LedgerError::LeaseLost`]; or what the database failed of.
    pub async fn record_trial(&self, lease: &Lease, now_ms: i64, new: &NewTrial) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let run = fenced(&mut transaction, lease).await?;
                keep_trial(&mut transaction, &run, new, &By::hub(&lease.hub, now_ms)).await?;
                transaction.commit().await
            })
            .await
    }

    /// How a release did, against what its partner asks.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn proof(&self, key: &ReleaseKey) -> Result<ProofState, LedgerError> {
        let mut reader = self.store.read().await?;
        state(&mut reader, key).await
    }

    /// Keeps a person's word on a kind of difference of a release, for the trials that there are: one that comes later is later than this
    /// word, whatever the clock of its hub says. Whoever handed the release in does not say it.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchRelease`]; [`LedgerError::OwnWork`]; [`LedgerError::NotFound`] if no trial differs in that way.
    pub async fn explain(&self, key: &ReleaseKey, (kind, why): (&str, &str), by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let (partner, plugin, digest) = (key.partner.as_str(), key.plugin.as_str(), key.digest.to_string());
                hands::refuse_whoever_handed_in(&mut transaction, key, by).await?;
                let known = state(&mut transaction, key).await?;
                if !known.trials.iter().any(|trial| trial.trial.kinds.iter().any(|known| known == kind)) {
                    return Err(LedgerError::NotFound { what: "difference of this release of the kind", name: kind.to_owned() });
                }
                let said_at_ms = known.trials.iter().map(|trial| trial.at_ms).fold(by.now_ms, i64::max);
                query(
                    "INSERT INTO trial_explanations (partner, plugin, digest, number, kind, why, at_ms, said_by)
                     SELECT $1, $2, $3, COALESCE(MAX(number), 0) + 1, $4, $5, $6, $7 FROM trial_explanations
                     WHERE partner = $1 AND plugin = $2 AND digest = $3",
                )
                .bind(partner)
                .bind(plugin)
                .bind(digest.as_str())
                .bind(kind)
                .bind(why)
                .bind(said_at_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                let after = Some(serde_json::json!({ "plugin": plugin, "difference": kind, "why": why }));
                let subject = format!("release:{digest}");
                let act = Act { partner: Some(&key.partner), action: "trial.explain", subject, before: None, after };
                let covered = [Covered::named(CoveredKind::Explanations, &key.partner, &digest)];
                audit::append_over(&mut transaction, act, &covered, by).await?;
                transaction.commit().await
            })
            .await
    }
}

/// Keeps a trial within a transaction. A release that the partner does not keep has none: then the run was a replay and no more.
pub(super) async fn keep_trial(transaction: &mut Transaction, run: &Run, new: &NewTrial, by: &By) -> Result<(), LedgerError> {
    let (Some(release), Some(origin)) = (run.enqueued.release, run.trigger().origin()) else { return Ok(()) };
    let plugin: Option<String> = query_scalar("SELECT plugin FROM releases WHERE partner = $1 AND digest = $2")
        .bind(run.partner().as_str())
        .bind(release.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(plugin) = plugin else { return Ok(()) };
    if run.pins.as_ref().and_then(|pins| pins.release) != Some(release) && !of_another(transaction, (&plugin, release), origin).await? {
        return Ok(());
    }
    let key = ReleaseKey { partner: run.partner().clone(), plugin: parsed(&plugin, "plugin")?, digest: release };
    // Whoever explains a difference waits for this, or this for them: no word covers a trial that nobody had seen.
    hands::lock(transaction, &key).await?;
    let said_at_ms: Option<i64> =
        query_scalar("SELECT MAX(at_ms) FROM trial_explanations WHERE partner = $1 AND plugin = $2 AND digest = $3")
            .bind(key.partner.as_str())
            .bind(plugin.as_str())
            .bind(release.to_string())
            .fetch_one(&mut *transaction)
            .await?;
    let at_ms = said_at_ms.map_or(by.now_ms, |said| by.now_ms.max(said + 1));
    query(
        "INSERT INTO trials (partner, run, plugin, digest, origin, outcome, kinds, differences, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (run) DO UPDATE SET outcome = excluded.outcome, kinds = excluded.kinds, differences = excluded.differences,
           at_ms = excluded.at_ms",
    )
    .bind(run.partner().as_str())
    .bind(run.id.to_string())
    .bind(plugin.as_str())
    .bind(release.to_string())
    .bind(origin.to_string())
    .bind(new.outcome.as_str())
    .bind(new.kinds.join("\n"))
    .bind(new.differences.as_deref())
    .bind(at_ms)
    .execute(&mut *transaction)
    .await?;
    let (subject, origin) = (format!("release:{release}"), origin.to_string());
    let after = serde_json::json!({
        "plugin": plugin, "run": run.id.to_string(), "origin": origin, "outcome": new.outcome.as_str(), "differences": new.kinds,
    });
    let act = Act { partner: Some(run.partner()), action: "trial.record", subject, before: None, after: Some(after) };
    audit::append_over(transaction, act, &[Covered::run(CoveredKind::Trial, run.id)], by).await
}

/// Whether the files of a run went through another release of a format or connector. On its own runs a release proves nothing, nor on those
/// that knew no such plugin; and by then nothing else of the trial could tell.
async fn of_another(transaction: &mut Transaction, (plugin, tried): (&str, Digest), origin: RunId) -> Result<bool, LedgerError> {
    let Some(origin) = load(transaction, origin).await? else { return Ok(false) };
    let used = through(transaction, &origin).await?;
    Ok(used.iter().any(|format| format.plugin.as_str() == plugin && format.release != tried))
}

/// Refuses a release that has not shown what its partner asks.
pub(super) async fn proven(transaction: &mut Transaction, key: &ReleaseKey) -> Result<(), LedgerError> {
    match state(transaction, key).await?.lacks {
        None => Ok(()),
        Some(lacks) => Err(key.lacks(lacks)),
    }
}

async fn state(transaction: &mut Transaction, key: &ReleaseKey) -> Result<ProofState, LedgerError> {
    let (partner, plugin, digest) = (key.partner.as_str(), key.plugin.as_str(), key.digest.to_string());
    let asked: Option<Option<String>> =
        query_scalar("SELECT proofs FROM partners WHERE partner = $1").bind(partner).fetch_optional(&mut *transaction).await?;
    let asked = wire::proofs_of(asked.flatten().as_deref())?.of(&key.plugin);
    let rows: Vec<TrialRow> = query(
        "SELECT trials.run, trials.origin, trials.outcome, trials.kinds, trials.differences, trials.at_ms,
           runs.release_digest AS origin_release, runs.outcome AS origin_outcome FROM trials
         JOIN runs ON runs.run = trials.origin AND runs.partner = trials.partner
         WHERE trials.partner = $1 AND trials.plugin = $2 AND trials.digest = $3 ORDER BY trials.at_ms, trials.run",
    )
    .bind(partner)
    .bind(plugin)
    .bind(digest.as_str())
    .fetch_all(&mut *transaction)
    .await?;
    let said: Vec<(String, String, i64, String)> = query(
        "SELECT kind, why, at_ms, said_by FROM trial_explanations WHERE partner = $1 AND plugin = $2 AND digest = $3 ORDER BY number",
    )
    .bind(partner)
    .bind(plugin)
    .bind(digest.as_str())
    .fetch_all(&mut *transaction)
    .await?;
    let said = said.into_iter().map(|(kind, why, at_ms, by)| Explanation { kind, why, at_ms, by: Actor::stored(by) });
    let explanations: Vec<Explanation> = said.collect();
    let trials = rows.into_iter().map(|row| trial(row, &digest, &explanations)).collect::<Result<Vec<_>, _>>()?;
    let (clean, lacks) = enough(asked, &trials, (&key.plugin, key.digest));
    Ok(ProofState { asked, trials, explanations, clean, lacks })
}

fn trial(row: TrialRow, tried: &str, explanations: &[Explanation]) -> Result<Trial, LedgerError> {
    let kinds: Vec<String> = row.kinds.lines().map(str::to_owned).collect();
    // Nobody can have explained what they had not seen.
    let explained = |kind: &String| explanations.iter().any(|said| said.kind == *kind && said.at_ms >= row.at_ms);
    Ok(Trial {
        run: parsed(&row.run, "run id")?,
        origin: parsed(&row.origin, "run id")?,
        at_ms: row.at_ms,
        explained: !kinds.is_empty() && kinds.iter().all(explained),
        proves: row.origin_outcome.as_deref() == Some("delivered") && row.origin_release.is_some_and(|release| release != tried),
        trial: NewTrial { outcome: parsed(&row.outcome, "outcome of a trial")?, kinds, differences: row.differences },
    })
}

/// On how many runs a release came through, and what is lacking. Of trials on the same run the last counts.
fn enough(asked: Proof, trials: &[Trial], (plugin, digest): (&PluginName, Digest)) -> (u32, Option<String>) {
    let last: BTreeMap<RunId, &Trial> = trials.iter().filter(|trial| trial.proves).map(|trial| (trial.origin, trial)).collect();
    let clean = |trial: &&&Trial| match trial.trial.outcome {
        TrialOutcome::Same => true,
        TrialOutcome::Differs => asked.explained && trial.explained,
        TrialOutcome::Failed => false,
    };
    let count = u32::try_from(last.values().filter(clean).count()).unwrap_or(u32::MAX);
    if asked.is_nothing() {
        return (count, None);
    }
    let lacks = match last.values().find(|trial| !clean(trial)) {
        Some(trial) if trial.trial.outcome == TrialOutcome::Failed => Some(format!("run {}, done again with it, failed", trial.origin)),
        Some(trial) if asked.explained => Some(format!(
            "it differs on run {} in ways that nobody has explained; see `bailiwick plugin trials {}`",
            trial.origin,
            digest.short()
        )),
        Some(trial) => Some(format!("it differs on run {}, and {plugin} asks for runs without differences", trial.origin)),
        None if count < asked.clean_runs => {
            Some(format!("it is clean on {count} runs beside the active one, and {} are asked for", asked.clean_runs))
        }
        None => None,
    };
    (count, lacks)
}
