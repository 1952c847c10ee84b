//! What is not kept for ever: artefacts, what rejects held, the small events of runs. Digests, totals and the words of persons stay.
//!
//! Only what has ended well is touched: a run that is held, failed, uncertain or under way keeps everything, and so does one whose
//! rejects wait, or that another run still reads from.

use std::collections::BTreeSet;

use serde_json::json;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::runs::event::{LoggedEvent, Processed, RunEvent};
use crate::ledger::runs::record::{events_of, write};
use crate::ledger::runs::row::load;
use crate::ledger::runs::run::Run;
use crate::ledger::store::{Transaction, parsed, parsed_option, query, query_scalar};
use crate::ledger::who::{By, Scope};
use crate::model::ids::{Digest, PartnerName, RunId};
use crate::model::job::Retention;

/// Runs of one transaction.
const RUNS_AT_ONCE: i64 = 100;

/// What is given up of runs that ended long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Their files: inputs, outputs, corrected rows.
    Artefacts,
    /// What their rejects held, their warnings, and what their plugins noted.
    Rejects,
    /// Events that say nothing which the run's row, its totals and its receipts do not say.
    Log,
}

impl Keeping {
    /// The word for it, as shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Artefacts => "artefacts",
            Self::Rejects => "rejects",
            Self::Log => "log",
        }
    }

    /// Which runs are next.
    const fn next(self) -> &'static str {
        match self {
            Self::Artefacts => " AND runs.artefacts_expired_at_ms IS NULL",
            Self::Rejects => " AND runs.rejects_expired_at_ms IS NULL",
            Self::Log => " AND runs.log_trimmed_at_ms IS NULL AND runs.artefacts_expired_at_ms IS NOT NULL",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Artefacts => "UPDATE runs SET artefacts_expired_at_ms = $2 WHERE run = $1",
            Self::Rejects => "UPDATE runs SET rejects_expired_at_ms = $2 WHERE run = $1",
            Self::Log => "UPDATE runs SET log_trimmed_at_ms = $2 WHERE run = $1",
        }
    }
}

const ENDED: &str = "
SELECT runs.run FROM runs
WHERE runs.partner = $1 AND runs.state IN ('closed', 'cancelled') AND runs.ended_at_ms <= $2
  AND NOT EXISTS (
    SELECT 1 FROM findings WHERE findings.partner = runs.partner AND findings.run = runs.run
      AND findings.waiting_since_ms IS NOT NULL AND findings.left_how IS NULL)
  AND NOT EXISTS (
    SELECT 1 FROM runs AS later WHERE later.origin_run = runs.run AND later.state NOT IN ('closed', 'skipped', 'cancelled'))";

impl Ledger {
    /// How long each partner keeps what, of those that do not keep everything.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn retentions(&self) -> Result<Vec<(PartnerName, Retention)>, LedgerError> {
        let partners = self.partners(Scope::Hub).await?.into_iter();
        Ok(partners.map(|partner| (partner.name, partner.retention)).filter(|(_, retention)| *retention != Retention::default()).collect())
    }

    /// Gives something up of the next runs of a partner that ended before a moment, and notes it in the audit trail. Answers which
    /// runs; none when there are no more.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn expire(&self, what: Keeping, partner: &PartnerName, before_ms: i64, by: &By) -> Result<Vec<RunId>, LedgerError> {
        // A look by a reader first, so that a hub with nothing to do does not keep others from writing.
        if ended(what, partner, before_ms).fetch_optional::<(String,)>(&self.store).await?.is_none() {
            return Ok(Vec::new());
        }
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                // Kept from changing: a replay that is asked for now comes before or after.
                let runs: Vec<(String,)> = ended(what, partner, before_ms).locked().fetch_all(&mut transaction).await?;
                let runs: Vec<RunId> = runs.iter().map(|(run,)| parsed(run, "run id")).collect::<Result<_, _>>()?;
                let mut covered = Vec::new();
                for run in &runs {
                    query(what.done()).bind(run.to_string()).bind(by.now_ms).execute(&mut transaction).await?;
                    match what {
                        Keeping::Artefacts => give_up_artefacts(&mut transaction, partner, *run).await?,
                        Keeping::Rejects => clear_rejects(&mut transaction, *run).await?,
                        Keeping::Log => trim(&mut transaction, *run).await?,
                    }
                    // The trail says of what is left what it said of the whole.
                    covered.extend(match what {
                        Keeping::Artefacts => None,
                        Keeping::Rejects => Some(Covered::run(CoveredKind::Rejects, *run)),
                        Keeping::Log => Some(Covered::run(CoveredKind::Log, *run)),
                    });
                }
                if !runs.is_empty() {
                    let after = json!({ "what": what.as_str(), "runs": runs.len(), "ended-before-ms": before_ms });
                    let subject = format!("partner:{partner}");
                    let act = Act { partner: Some(partner), action: "retention.apply", subject, before: None, after: Some(after) };
                    audit::append_over(&mut transaction, act, &covered, by).await?;
                }
                transaction.commit().await?;
                Ok(runs)
            })
            .await
    }

    /// When a run's files expired; none while they are kept.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn expired_at_ms(&self, scope: Scope<'_>, run: RunId) -> Result<Option<i64>, LedgerError> {
        let row: Option<(Option<i64>,)> = query("SELECT artefacts_expired_at_ms FROM runs WHERE run = $1 AND ($2 = '' OR partner = $2)")
            .bind(run.to_string())
            .bind(scope.text())
            .fetch_optional(&self.store)
            .await?;
        Ok(row.and_then(|(at_ms,)| at_ms))
    }

    /// Artefacts that no run of their partner uses any more, and that are still to be removed, after one of them.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn artefacts_going(
        &self,
        after: Option<&(Digest, PartnerName)>,
        limit: u32,
    ) -> Result<Vec<(Digest, PartnerName)>, LedgerError> {
        let (digest, partner) = after.map_or_else(Default::default, |(digest, partner)| (digest.to_string(), partner.to_string()));
        let going: Vec<(String, String)> = query(
            "SELECT digest, partner FROM artefacts_going WHERE digest > $1 OR (digest = $1 AND partner > $2)
             ORDER BY digest, partner LIMIT $3",
        )
        .bind(digest)
        .bind(partner)
        .bind(i64::from(limit))
        .fetch_all(&self.store)
        .await?;
        going.iter().map(|(digest, partner)| Ok((parsed(digest, "digest of an artefact")?, parsed(partner, "partner")?))).collect()
    }

    /// Notes that an artefact of a partner was stored for a moment only: it goes with the rest, unless a run uses it.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn artefact_passes(&self, digest: Digest, partner: &PartnerName) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                goes(&mut transaction, digest, partner).await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }

    /// Whether a run uses an artefact.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn artefact_is_used(&self, scope: Scope<'_>, digest: Digest) -> Result<bool, LedgerError> {
        let used: Option<(String,)> = query("SELECT run FROM artefacts_used WHERE digest = $1 AND ($2 = '' OR partner = $2) LIMIT 1")
            .bind(digest.to_string())
            .bind(scope.text())
            .fetch_optional(&self.store)
            .await?;
        Ok(used.is_some())
    }

    /// Notes that an artefact of a partner has been removed, or is used again.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn artefact_gone(&self, digest: Digest, partner: &PartnerName) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                query("DELETE FROM artefacts_going WHERE digest = $1 AND partner = $2")
                    .bind(digest.to_string())
                    .bind(partner.as_str())
                    .execute(&mut transaction)
                    .await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }

    /// Gives the space of what was removed back to the disk, where the database does not do so by itself.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn give_back_space(&self) -> Result<(), LedgerError> {
        self.store.give_back_space().await
    }
}

fn ended(what: Keeping, partner: &PartnerName, before_ms: i64) -> crate::ledger::store::Query {
    let mut query = query(ENDED);
    query.push(what.next()).push(" ORDER BY runs.ended_at_ms, runs.run LIMIT $3");
    query.bind(partner.as_str()).bind(before_ms).bind(RUNS_AT_ONCE)
}

/// Lets go of a run's files. Those that no other run of the partner uses are to be removed.
async fn give_up_artefacts(transaction: &mut Transaction, partner: &PartnerName, run: RunId) -> Result<(), LedgerError> {
    let mut digests: BTreeSet<Digest> = events_of(transaction, run).await?.iter().flat_map(digests_of).collect();
    let corrected: Option<String> =
        query_scalar("SELECT artefact FROM resubmissions WHERE run = $1").bind(run.to_string()).fetch_optional(&mut *transaction).await?;
    digests.extend(parsed_option::<Digest>(corrected.as_deref(), "digest of corrected rows")?);
    for digest in digests {
        query("DELETE FROM artefacts_used WHERE digest = $1 AND run = $2")
            .bind(digest.to_string())
            .bind(run.to_string())
            .execute(&mut *transaction)
            .await?;
        goes(transaction, digest, partner).await?;
    }
    Ok(())
}

/// Notes that an artefact is to be removed, unless a run of its partner uses it.
async fn goes(transaction: &mut Transaction, digest: Digest, partner: &PartnerName) -> Result<(), LedgerError> {
    query(
        "INSERT INTO artefacts_going (digest, partner) SELECT $1, $2
         WHERE NOT EXISTS (SELECT 1 FROM artefacts_used WHERE artefacts_used.digest = $1 AND artefacts_used.partner = $2)
         ON CONFLICT DO NOTHING",
    )
    .bind(digest.to_string())
    .bind(partner.as_str())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Keeps of rejects where they stood, why they were refused and what became of them; and nothing of what they held.
async fn clear_rejects(transaction: &mut Transaction, run: RunId) -> Result<(), LedgerError> {
    for clears in [
        "UPDATE findings SET raw = NULL, decoded = NULL, sealed = NULL WHERE run = $1 AND effect = 'reject'",
        "DELETE FROM findings WHERE run = $1 AND effect = 'warn'",
        "DELETE FROM log_lines WHERE run = $1",
    ] {
        query(clears).bind(run.to_string()).execute(&mut *transaction).await?;
    }
    Ok(())
}

/// Keeps of a run's log what was read and what came of it, what its plugin remembers, and what persons did. How it was enqueued is in
/// its row, and what was delivered in its receipts.
///
/// What stays is written anew, behind all else, so that the pages in which it stood between what goes are free as a whole.
async fn trim(transaction: &mut Transaction, run: RunId) -> Result<(), LedgerError> {
    let Some(run) = load(transaction, run).await? else { return Ok(()) };
    let events = events_of(transaction, run.id).await?;
    query("DELETE FROM run_events WHERE run = $1").bind(run.id.to_string()).execute(&mut *transaction).await?;
    for logged in events {
        let event = match logged.event {
            RunEvent::Enqueued(_) | RunEvent::Claimed(_) | RunEvent::Delivered(_) => continue,
            RunEvent::Failed(_) | RunEvent::Held(_) | RunEvent::Overdue(_) => continue,
            RunEvent::Processed(processed) => RunEvent::Processed(Box::new(Processed { limits: Vec::new(), ..*processed })),
            event => event,
        };
        write(transaction, &run, &LoggedEvent { event, ..logged });
    }
    Ok(())
}

/// The files that an event names.
fn digests_of(logged: &LoggedEvent) -> Vec<Digest> {
    match &logged.event {
        RunEvent::Pulled(pulled) => pulled.inputs.iter().map(|file| file.digest).collect(),
        RunEvent::Processed(processed) => processed.outputs.iter().map(|output| output.artefact).collect(),
        _ => Vec::new(),
    }
}

/// Notes which files a run uses from an event on.
pub(in crate::ledger) async fn uses(transaction: &mut Transaction, run: &Run, logged: &LoggedEvent) -> Result<(), LedgerError> {
    use_artefacts(transaction, (run.partner(), run.id), &digests_of(logged)).await
}

/// Notes that a run uses some files.
pub(super) async fn use_artefacts(
    transaction: &mut Transaction,
    (partner, run): (&PartnerName, RunId),
    digests: &[Digest],
) -> Result<(), LedgerError> {
    if digests.is_empty() {
        return Ok(());
    }
    let mut insert = query("INSERT INTO artefacts_used (digest, run, partner)");
    insert.push_rows(digests, |digest| [digest.to_string().into(), run.to_string().into(), partner.as_str().into()]);
    insert.push(" ON CONFLICT DO NOTHING").execute(transaction).await?;
    Ok(())
}
