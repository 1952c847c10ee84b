//! Who may take a run up, and when: the queue in order, within what may be under way at one time; and keeping what was taken.

use std::collections::HashMap;

use super::{Claim, Lease, cut_last, what_stands};
use crate::ledger::Ledger;
use crate::ledger::declared::choose;
use crate::ledger::error::LedgerError;
use crate::ledger::runs::event::{Claimed, Pins, RunEvent};
use crate::ledger::runs::record::{events_of, record};
use crate::ledger::runs::row::RunRow;
use crate::ledger::runs::run::Run;
use crate::ledger::store::{Transaction, count, parsed, query, to_stored};
use crate::ledger::who::{By, HubId};

/// Runs of the queue, in their order, that may be claimed: each one's job, its partner and its connections have room for it, as long as
/// none of the others is claimed.
///
/// What is under way is counted over all hubs, so on PostgreSQL they claim one after the other, and whoever writes to a run at
/// this moment keeps it. Where there is room for more than is under way altogether (`$3`), nothing is counted for each run again.
///
/// The limit is cast, as SQLite makes a new plan for each number that it is told before it plans, which here takes longer than the rest.
const CLAIMABLE: &str = "
SELECT runs.*, jobs.runs_max AS job_max, partners.runs_max AS partner_max,
  jobs.definition AS job_definition, jobs.plugin AS job_plugin, jobs.release_choice AS job_choice,
  CAST(CASE WHEN EXISTS (
    SELECT 1 FROM job_connections
    JOIN connections ON connections.partner = job_connections.partner AND connections.connection = job_connections.connection
    WHERE job_connections.partner = runs.partner AND job_connections.job = runs.job AND connections.runs_max IS NOT NULL)
    THEN 1 ELSE 0 END AS BIGINT) AS shares_connections
FROM runs
JOIN jobs ON jobs.partner = runs.partner AND jobs.job = runs.job
JOIN partners ON partners.partner = runs.partner
WHERE runs.claimable_at_ms IS NOT NULL AND runs.claimable_at_ms <= $1
  AND (jobs.runs_max > $3 OR jobs.runs_max > (
    SELECT COUNT(*) FROM runs AS other
    WHERE other.partner = runs.partner AND other.job = runs.job AND other.run <> runs.run
      AND other.state IN ('running', 'staged', 'delivering')))
  AND (partners.runs_max IS NULL OR partners.runs_max > $3 OR partners.runs_max > (
    SELECT COUNT(*) FROM runs AS other
    WHERE other.partner = runs.partner AND other.run <> runs.run AND other.state IN ('running', 'staged', 'delivering')))
  AND NOT EXISTS (
    SELECT 1 FROM job_connections
    JOIN connections ON connections.partner = job_connections.partner AND connections.connection = job_connections.connection
    WHERE job_connections.partner = runs.partner AND job_connections.job = runs.job
      AND connections.runs_max IS NOT NULL AND connections.runs_max <= (
        SELECT COUNT(*) FROM job_connections AS used
        JOIN runs AS other ON other.partner = used.partner AND other.job = used.job
        WHERE used.partner = connections.partner AND used.connection = connections.connection
          AND other.run <> runs.run AND other.state IN ('running', 'staged', 'delivering')))
ORDER BY runs.rank_ms, runs.run
LIMIT CAST($2 AS BIGINT)";

/// Most runs that are looked at together.
const TOGETHER: usize = 256;

/// A run that may be claimed.
#[derive(sqlx::FromRow)]
struct Candidate {
    #[sqlx(flatten)]
    run: RunRow,
    job_definition: String,
    job_plugin: String,
    job_choice: String,
    /// How many runs of its job may be under way at one time.
    job_max: i64,
    /// The same of its partner.
    partner_max: Option<i64>,
    /// Whether the job uses a connection that not everyone may use at one time.
    shares_connections: i64,
}

/// What is under way, over all hubs, while more is taken up. Others may end what is counted here; nobody else takes up more.
#[derive(Default)]
struct UnderWay {
    of_jobs: HashMap<(String, String), i64>,
    of_partners: HashMap<String, i64>,
    altogether: i64,
}

/// Whether a candidate may be taken after those before it were.
enum Fits {
    Yes,
    /// Its job or its partner has no more room.
    No,
    /// Only the ledger can tell, once those before it are written.
    Unknown,
}

impl UnderWay {
    async fn now(transaction: &mut Transaction) -> Result<Self, LedgerError> {
        let counted: Vec<(String, String, i64)> = query(
            "SELECT partner, job, CAST(COUNT(*) AS BIGINT) FROM runs WHERE state IN ('running', 'staged', 'delivering') GROUP BY partner, job",
        )
        .fetch_all(transaction)
        .await?;
        let mut all = Self::default();
        for (partner, job, runs) in counted {
            all.altogether += runs;
            *all.of_partners.entry(partner.clone()).or_default() += runs;
            all.of_jobs.insert((partner, job), runs);
        }
        Ok(all)
    }

    /// Looks whether there is room for a candidate, and takes it up. `first` says that none has been taken since the ledger was asked.
    fn take(&mut self, candidate: &Candidate, first: bool) -> Fits {
        // Which of the runs before it share a connection with it is a question for the ledger.
        if candidate.shares_connections != 0 && !first {
            return Fits::Unknown;
        }
        // One whose holder's lease has run out is counted already, and takes no more room than it had.
        let more = i64::from(!candidate.run.is_under_way());
        let (partner, job) = candidate.run.of();
        let of_partner = self.of_partners.entry(partner.clone()).or_default();
        let of_job = self.of_jobs.entry((partner, job)).or_default();
        if *of_job + more > candidate.job_max || candidate.partner_max.is_some_and(|most| *of_partner + more > most) {
            return Fits::No;
        }
        *of_job += more;
        *of_partner += more;
        self.altogether += more;
        Fits::Yes
    }
}

impl Ledger {
    /// Takes up the first run in the queue: one whose time has come, or one whose holder's lease has run out.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn claim(&self, hub: &HubId, now_ms: i64, lease_for_ms: i64) -> Result<Option<Claim>, LedgerError> {
        Ok(self.claim_some(hub, now_ms, lease_for_ms, 1).await?.into_iter().next())
    }

    /// Takes up the first few at once, for one commit.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn claim_some(&self, hub: &HubId, now_ms: i64, lease_for_ms: i64, most: usize) -> Result<Vec<Claim>, LedgerError> {
        // A look by a reader first, so that an idle hub does not keep others from writing.
        let waiting: Option<RunRow> = query(CLAIMABLE).bind(now_ms).bind(1).bind(i64::MAX).fetch_optional(&self.store).await?;
        if waiting.is_none() || most == 0 {
            return Ok(Vec::new());
        }
        let until_ms = now_ms.saturating_add(lease_for_ms);
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin_claim().await?;
                let mut under_way = UnderWay::now(&mut transaction).await?;
                let mut claims = Vec::new();
                while claims.len() < most {
                    let some = (most - claims.len()).min(TOGETHER);
                    let claimed = claim_together(&mut transaction, (&mut under_way, some), &By::hub(hub, now_ms), until_ms).await?;
                    if claimed.is_empty() {
                        break;
                    }
                    claims.extend(claimed);
                }
                transaction.commit().await?;
                Ok(claims)
            })
            .await
    }

    /// Renews a lease. Answers false if it is lost: the holder stops at once.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn heartbeat(&self, lease: &Lease, now_ms: i64, lease_for_ms: i64) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let renewed = query(
                    "UPDATE runs SET rank_ms = rank_ms + ($4 - claimable_at_ms), claimable_at_ms = $4
                     WHERE run = $1 AND lease = $2 AND hub = $3 AND state IN ('running', 'staged', 'delivering')",
                )
                .bind(lease.run.to_string())
                .bind(to_stored(lease.number))
                .bind(lease.hub.as_str())
                .bind(now_ms.saturating_add(lease_for_ms))
                .execute(&mut transaction)
                .await?;
                transaction.commit().await?;
                Ok(renewed == 1)
            })
            .await
    }

    /// Lets go of every lease that a hub holds, so that its runs can be claimed at once. For a hub that starts again
    /// under its name: whatever it held before, it is not at it any more. Answers how many there were.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn forget_leases(&self, hub: &HubId, now_ms: i64) -> Result<u64, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let forgotten = query(
                    "UPDATE runs SET rank_ms = rank_ms + ($2 - claimable_at_ms), claimable_at_ms = $2
                     WHERE hub = $1 AND state IN ('running', 'staged', 'delivering') AND claimable_at_ms > $2",
                )
                .bind(hub.as_str())
                .bind(now_ms)
                .execute(&mut transaction)
                .await?;
                query("UPDATE partitions SET claimable_at_ms = $2 WHERE hub = $1 AND state = 'running' AND claimable_at_ms > $2")
                    .bind(hub.as_str())
                    .bind(now_ms)
                    .execute(&mut transaction)
                    .await?;
                transaction.commit().await?;
                if forgotten > 0 {
                    self.store.bell().ring();
                }
                Ok(forgotten)
            })
            .await
    }
}

/// Takes up the first runs of the queue that fit, as if one after the other.
async fn claim_together(
    transaction: &mut Transaction,
    (under_way, most): (&mut UnderWay, usize),
    by: &By,
    until_ms: i64,
) -> Result<Vec<Claim>, LedgerError> {
    let first = query(CLAIMABLE).bind(by.now_ms).bind(to_stored(most as u64)).bind(under_way.altogether).locked_unless_taken();
    let mut claims = Vec::new();
    for candidate in first.fetch_all::<Candidate>(&mut *transaction).await? {
        match under_way.take(&candidate, claims.is_empty()) {
            Fits::Yes => claims.push(take_up(transaction, candidate, by, until_ms).await?),
            Fits::No => {}
            Fits::Unknown => break,
        }
    }
    Ok(claims)
}

async fn take_up(transaction: &mut Transaction, candidate: Candidate, by: &By, until_ms: i64) -> Result<Claim, LedgerError> {
    let Candidate { run: row, job_definition, job_plugin, job_choice, .. } = candidate;
    let mut run = Run::try_from(row)?;
    let pins = match &run.pins {
        Some(pins) => pins.clone(),
        None => pins_now(transaction, &run, (&job_definition, &job_plugin, &job_choice)).await?,
    };
    let claimed = Claimed { hub: by.hub.as_str().to_owned(), until_ms, pins: pins.clone() };
    record(transaction, &mut run, RunEvent::Claimed(claimed), by).await?;
    // The first attempt finds nothing of an earlier one.
    let events = if run.lease == 1 { Vec::new() } else { events_of(transaction, run.id).await? };
    let lease = Lease { run: run.id, number: run.lease, hub: by.hub.clone() };
    let cutting = cut_last(&events);
    let (pulled, processed, delivered) = what_stands(&run, events);
    Ok(Claim { lease, run, pins, until_ms, pulled, cutting, processed, delivered })
}

/// What a run's attempts will work with: what is in force now, by what its job's row says.
async fn pins_now(transaction: &mut Transaction, run: &Run, (definition, plugin, choice): (&str, &str, &str)) -> Result<Pins, LedgerError> {
    let through = query("SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) FROM table_versions WHERE partner = $1");
    let through: Vec<(i64,)> = through.bind(run.partner().as_str()).fetch_known(&mut *transaction).await?;
    let (tables_through,) = through.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    let release = match run.enqueued.release {
        Some(asked) => Some(asked),
        None => choose(transaction, run, (&parsed(plugin, "plugin")?, &parsed(choice, "choice of a release")?)).await?,
    };
    Ok(Pins { definition: parsed(definition, "digest of a definition")?, release, tables_through: count(tables_through) })
}
