//! The release that a run is pinned to, and what follows from a run's end for the release that stands beside the active one.
//!
//! It must not know who began or ends a candidate.

use super::{CandidateRow, OPEN, OPEN_OF_PARTNER, end, of_two_plugins, open, through};
use crate::ledger::declared::releases::proof::{NewTrial, TrialOutcome, keep_trial};
use crate::ledger::declared::releases::{ReleaseKey, activate};
use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::runs::{Closed, Enqueued, LoggedEvent, Outcome, Pins, Run, RunEvent, Trigger, begin, id_at, run_of_slot};
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::By;
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::model::job::{Priority, ReleaseChoice};

/// What a share is counted in.
const WHOLE: u64 = 10_000;

/// The release that a run is pinned to at its first claim, by what its job chooses; none if there is none that it may use.
pub(in crate::ledger) async fn choose(
    transaction: &mut Transaction,
    run: &Run,
    (plugin, choice): (&PluginName, &ReleaseChoice),
) -> Result<Option<Digest>, LedgerError> {
    let partner = run.partner();
    match choice {
        ReleaseChoice::Active => {
            if let Some(canary) = canary(transaction, run, plugin).await? {
                return Ok(Some(canary));
            }
            let active: Vec<(String,)> = query("SELECT digest FROM active_releases WHERE partner = $1 AND plugin = $2")
                .bind(partner.as_str())
                .bind(plugin.as_str())
                .fetch_known(transaction)
                .await?;
            active.first().map(|(digest,)| parsed(digest, "digest of a release")).transpose()
        }
        ReleaseChoice::Versions(_) => {
            let were: Vec<(String, String)> = query(
                "SELECT releases.digest, releases.version FROM activations
                 JOIN releases ON releases.partner = activations.partner AND releases.plugin = activations.plugin
                   AND releases.digest = activations.digest
                 WHERE activations.partner = $1 AND activations.plugin = $2 ORDER BY activations.number DESC",
            )
            .bind(partner.as_str())
            .bind(plugin.as_str())
            .fetch_all(&mut *transaction)
            .await?;
            first_usable(transaction, (partner, plugin), choice, were).await
        }
        ReleaseChoice::One(_) => {
            let kept: Vec<(String, String)> =
                query("SELECT digest, version FROM releases WHERE partner = $1 AND plugin = $2 ORDER BY added_at_ms, digest")
                    .bind(partner.as_str())
                    .bind(plugin.as_str())
                    .fetch_all(&mut *transaction)
                    .await?;
            first_usable(transaction, (partner, plugin), choice, kept).await
        }
    }
}

/// What follows for candidates from what happened to a run: it is done again, or counts for a canary, which may end by it.
pub(in crate::ledger) async fn follow(transaction: &mut Transaction, run: &Run, logged: &LoggedEvent, by: &By) -> Result<(), LedgerError> {
    let ended = match &logged.event {
        RunEvent::Closed(Closed { outcome: Outcome::Delivered, .. }) => "closed",
        RunEvent::Held(_) => "held",
        RunEvent::Failed(failed) if failed.retry_at_ms.is_none() => "failed",
        _ => return Ok(()),
    };
    if matches!(run.trigger(), Trigger::Replay(_)) && ended == "failed" {
        let failed = NewTrial { outcome: TrialOutcome::Failed, kinds: Vec::new(), differences: None };
        return keep_trial(transaction, run, &failed, by).await;
    }
    if !is_own(run) {
        return Ok(());
    }
    let open: Vec<CandidateRow> = query(OPEN_OF_PARTNER).bind(run.partner().as_str()).fetch_all(&mut *transaction).await?;
    if open.is_empty() {
        return Ok(());
    }
    let used = used(transaction, run).await?;
    for row in open {
        let Some((_, release)) = used.iter().find(|(plugin, _)| *plugin == row.plugin) else { continue };
        let candidate: Digest = parsed(&row.digest, "digest of a release")?;
        match (row.way.as_str(), *release == Some(candidate)) {
            ("parallel", false) if ended == "closed" => enqueue_trial(transaction, run, candidate, by).await?,
            ("canary", true) => count_canary(transaction, (run, ended), &row, by).await?,
            _ => {}
        }
    }
    Ok(())
}

/// The plugins that a run was done with, its job's and those of its files, each with the release.
async fn used(transaction: &mut Transaction, run: &Run) -> Result<Vec<(String, Option<Digest>)>, LedgerError> {
    let of_job: Option<String> = query_scalar("SELECT plugin FROM jobs WHERE partner = $1 AND job = $2")
        .bind(run.partner().as_str())
        .bind(run.job().as_str())
        .fetch_optional(&mut *transaction)
        .await?;
    let of_job = of_job.map(|plugin| (plugin, run.pins.as_ref().and_then(|pins| pins.release)));
    let of_files = through(transaction, run).await?.into_iter().map(|format| (format.plugin.to_string(), Some(format.release)));
    Ok(of_job.into_iter().chain(of_files).collect())
}

/// Whether a run is one of the job's own, which delivers.
fn is_own(run: &Run) -> bool {
    !run.enqueued.dry_run && matches!(run.trigger(), Trigger::Schedule | Trigger::CatchUp | Trigger::Request | Trigger::Backfill)
}

async fn first_usable(
    transaction: &mut Transaction,
    (partner, plugin): (&PartnerName, &PluginName),
    choice: &ReleaseChoice,
    kept: Vec<(String, String)>,
) -> Result<Option<Digest>, LedgerError> {
    for (digest, version) in kept {
        let digest = parsed(&digest, "digest of a release")?;
        if !choice.takes(&version, digest) {
            continue;
        }
        let key = ReleaseKey { partner: partner.clone(), plugin: plugin.clone(), digest };
        match activate::may_be_named(transaction, &key).await {
            Ok(()) => return Ok(Some(digest)),
            Err(LedgerError::NotVouchedFor { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The release of a canary, if the run's slot chooses it. It chooses the same however often it is asked.
async fn canary(transaction: &mut Transaction, run: &Run, plugin: &PluginName) -> Result<Option<Digest>, LedgerError> {
    if !is_own(run) {
        return Ok(None);
    }
    // Whoever claims ends no candidate.
    let open = query(OPEN).bind(run.partner().as_str()).bind(plugin.as_str());
    let open: Option<CandidateRow> = open.fetch_known(transaction).await?.into_iter().next();
    let Some(row) = open.filter(|row| row.way == "canary") else { return Ok(None) };
    let slot = run.enqueued.slot.clone().unwrap_or_else(|| run.id.to_string());
    // A key of a fixed length before what it keys.
    let hash = Digest::of(format!("{} {} {slot}", row.choice_key, run.job()).as_bytes());
    let (first, _) = hash.bytes().split_first_chunk().expect("a digest has 32 bytes");
    if u64::from_be_bytes(*first) % WHOLE >= count(row.share) {
        return Ok(None);
    }
    query(
        "INSERT INTO canary_runs (partner, run, plugin, number) VALUES ($1, $2, $3, $4)
         ON CONFLICT (run) DO UPDATE SET number = excluded.number, ended = NULL, took_ms = NULL",
    )
    .bind(run.partner().as_str())
    .bind(run.id.to_string())
    .bind(plugin.as_str())
    .bind(row.number)
    .execute(transaction)
    .await?;
    parsed(&row.digest, "digest of a release").map(Some)
}

/// What a run is pinned to that does another again with a release that is tried. That of a format or connector takes the place of the one
/// that the other's files went through, and its rows go through what they went through then.
pub(in crate::ledger) async fn tried_with(
    transaction: &mut Transaction,
    partner: &PartnerName,
    (pins, tried): (Pins, Digest),
) -> Result<Pins, LedgerError> {
    if let Some(release) = pins.release
        && of_two_plugins(transaction, partner, (release, tried)).await?
    {
        return Ok(pins);
    }
    Ok(Pins { release: Some(tried), ..pins })
}

/// Puts a run in the queue that does another again with a release that is tried, behind what is waited for. Once for each run.
async fn enqueue_trial(transaction: &mut Transaction, origin: &Run, release: Digest, by: &By) -> Result<(), LedgerError> {
    let slot = format!("trial:{}:{}", release.short(), origin.id);
    if run_of_slot(transaction, origin.partner(), origin.job(), &slot).await?.is_some() {
        return Ok(());
    }
    let pins = match origin.pins.clone() {
        Some(pins) => Some(tried_with(transaction, origin.partner(), (pins, release)).await?),
        None => None,
    };
    let enqueued = Enqueued {
        slot: Some(slot),
        trigger: Trigger::Replay(origin.id),
        dry_run: true,
        release: Some(release),
        pins,
        priority: Priority::Low,
        overdue_at_ms: None,
        ..origin.enqueued.clone()
    };
    begin(transaction, id_at(by.now_ms), enqueued, by).map(|_| ())
}

/// Counts a run of a canary, and takes the canary back if it did worse than it may.
async fn count_canary(transaction: &mut Transaction, (run, ended): (&Run, &str), row: &CandidateRow, by: &By) -> Result<(), LedgerError> {
    let took_ms = took_ms(transaction, run).await?;
    query("UPDATE canary_runs SET ended = $2, took_ms = $3 WHERE run = $1")
        .bind(run.id.to_string())
        .bind(ended)
        .bind(took_ms.map(to_stored))
        .execute(&mut *transaction)
        .await?;
    let plugin: PluginName = parsed(&row.plugin, "plugin")?;
    let Some(now) = open(transaction, (run.partner(), &plugin)).await? else { return Ok(()) };
    let slow = took_ms.zip(now.took_ms_max.map(count)).filter(|(took, most)| took > most);
    let why = match (now.failed > now.failures_max, now.held > now.held_max, slow) {
        (true, ..) => format!("{} of its runs failed, and {} may", now.failed, now.failures_max),
        (_, true, _) => format!("{} of its runs were held, and {} may be", now.held, now.held_max),
        (_, _, Some((took, most))) => format!("run {} took {took} ms for its rows, and {most} ms are allowed", run.id),
        _ => return Ok(()),
    };
    tracing::warn!(partner = %run.partner(), %plugin, release = %now.digest, "a canary was taken back: {why}");
    end(transaction, &now, ("canary.roll-back", &why), by).await
}

/// How long the rows of a run took, in the processing that stands.
async fn took_ms(transaction: &mut Transaction, run: &Run) -> Result<Option<u64>, LedgerError> {
    let Some(standing) = run.standing else { return Ok(None) };
    let body: Option<String> = query_scalar("SELECT body FROM run_events WHERE run = $1 AND seq = $2 AND kind = 'processed'")
        .bind(run.id.to_string())
        .bind(to_stored(standing.event))
        .fetch_optional(transaction)
        .await?;
    let Some(body) = body else { return Ok(None) };
    match RunEvent::read("processed", &body).map_err(|why| corrupt(format!("an event of run {}", run.id), &why))? {
        RunEvent::Processed(processed) => Ok(Some(processed.took_ms)),
        _ => Ok(None),
    }
}
