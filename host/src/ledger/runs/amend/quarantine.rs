//! Quarantine: rejects that wait until somebody corrects or dismisses them, with how long they have waited and who sees to them.

use serde_json::json;

use crate::ledger::Ledger;
use crate::ledger::audit::{Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::runs::event::Trigger;
use crate::ledger::runs::found::{FINDING_COLUMNS, FindingId, FindingRow, StoredFinding};
use crate::ledger::runs::run::Run;
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::who::{Actor, By, Page, Scope, page_items};
use crate::model::ids::{JobName, PartnerName, RunId};

use super::deliveries::{note, seen};

/// Numbers of rejects that one statement names.
const NUMBERS_AT_ONCE: usize = 500;

const DAY_MS: i64 = 86_400_000;

/// Which rejects to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// Of one partner.
    pub partner: Option<PartnerName>,
    /// Of one job.
    pub job: Option<JobName>,
    /// Of one run.
    pub run: Option<RunId>,
    /// With this first reason.
    pub code: Option<String>,
    /// Seen to by this person; an empty name for those that nobody sees to.
    pub owner: Option<String>,
    /// Waiting since this moment or before.
    pub since_ms: Option<i64>,
}

/// A reject in quarantine.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The reject.
    pub finding: StoredFinding,
    /// Whose.
    pub partner: PartnerName,
    /// Of which job.
    pub job: JobName,
    /// When it was to be out of quarantine.
    pub due_ms: i64,
}

/// Rejects of one job with one first reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingGroup {
    /// Whose.
    pub partner: PartnerName,
    /// Of which job.
    pub job: JobName,
    /// The first reason's code.
    pub code: String,
    /// How many.
    pub rows: u64,
    /// Of them, those to which nobody sees.
    pub unowned: u64,
    /// Since when the oldest has waited.
    pub since_ms: i64,
    /// When the oldest was to be out of quarantine.
    pub due_ms: i64,
}

/// What became of a run's rejects. A run that has not closed has none in quarantine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quarantined {
    /// They wait.
    pub waiting: u64,
    /// Of those, in a run that is under way.
    pub resubmitted: u64,
    /// Somebody dismissed them.
    pub dismissed: u64,
    /// They came back as rows of another run.
    pub superseded: u64,
}

/// Which of a run's rejects are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// With this first reason; none for any.
    pub code: Option<String>,
    /// By their numbers; none for all.
    pub numbers: Option<Vec<u64>>,
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    #[sqlx(flatten)]
    finding: FindingRow,
    partner: String,
    job: String,
    due_ms: i64,
}

const WAITING: &str = "
FROM findings
JOIN runs ON runs.run = findings.run
JOIN jobs ON jobs.partner = runs.partner AND jobs.job = runs.job
WHERE findings.waiting_since_ms IS NOT NULL AND findings.left_how IS NULL";

impl Ledger {
    /// Rejects in quarantine, by run and number. `after` is the last that was seen, as the page before gave it.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn waiting(
        &self,
        scope: Scope<'_>,
        filter: &QuarantineFilter,
        after: Option<FindingId>,
        limit: u32,
    ) -> Result<Page<Waiting, FindingId>, LedgerError> {
        let limit = page_items(limit);
        let mut query = query("SELECT findings.partner, runs.job,");
        query.push(" findings.waiting_since_ms + jobs.rejects_overdue_days * 86400000 AS due_ms, NULL AS superseded_by, ");
        query.push(FINDING_COLUMNS).push(WAITING);
        narrow(&mut query, scope, filter);
        // Within a run in the order of the index, so that no page looks at what the pages before had.
        let order = if filter.run.is_some() { "findings.lease, findings.number" } else { "findings.run, findings.number" };
        if let Some(after) = after {
            query.push(" AND (").push(order).push(") > (");
            match filter.run {
                Some(_) => query.push_bind(to_stored(after.lease)),
                None => query.push_bind(after.run.to_string()),
            };
            query.push(", ").push_bind(to_stored(after.number)).push(")");
        }
        query.push(" ORDER BY ").push(order).push(" LIMIT ").push_bind(i64::from(limit) + 1);
        let rows: Vec<WaitingRow> = query.fetch_all(&self.store).await?;
        let items: Vec<Waiting> = rows.into_iter().map(Waiting::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(items, limit, |last| last.finding.id))
    }

    /// The same, counted by job and first reason, the longest waiting first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn waiting_groups(&self, scope: Scope<'_>, filter: &QuarantineFilter) -> Result<Vec<WaitingGroup>, LedgerError> {
        let mut query = query("SELECT findings.partner, runs.job, findings.code, CAST(COUNT(*) AS BIGINT),");
        query.push(" CAST(COALESCE(SUM(CASE WHEN findings.owner IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT),");
        query.push(" MIN(findings.waiting_since_ms), MIN(jobs.rejects_overdue_days)").push(WAITING);
        narrow(&mut query, scope, filter);
        query.push(" GROUP BY findings.partner, runs.job, findings.code ORDER BY MIN(findings.waiting_since_ms), 1, 2, 3");
        let rows: Vec<(String, String, String, i64, i64, i64, i64)> = query.fetch_all(&self.store).await?;
        let group = |(partner, job, code, rows, unowned, since_ms, days): (String, String, String, i64, i64, i64, i64)| {
            let (partner, job) = (parsed(&partner, "partner")?, parsed(&job, "job")?);
            Ok(WaitingGroup {
                partner,
                job,
                code,
                rows: count(rows),
                unowned: count(unowned),
                since_ms,
                due_ms: since_ms.saturating_add(days.saturating_mul(DAY_MS)),
            })
        };
        rows.into_iter().map(group).collect()
    }

    /// What became of a run's rejects.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn quarantined(&self, scope: Scope<'_>, run: RunId) -> Result<Quarantined, LedgerError> {
        let rows: Vec<(Option<String>, i64, i64)> = query(
            "SELECT left_how, CAST(COUNT(*) AS BIGINT), CAST(COUNT(resubmitted_by) AS BIGINT) FROM findings
             WHERE run = $1 AND ($2 = '' OR partner = $2) AND waiting_since_ms IS NOT NULL GROUP BY left_how",
        )
        .bind(run.to_string())
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        let mut all = Quarantined::default();
        for (how, rows, resubmitted) in rows {
            match how.as_deref() {
                None => (all.waiting, all.resubmitted) = (count(rows), count(resubmitted)),
                Some("dismissed") => all.dismissed = count(rows),
                Some(_) => all.superseded = count(rows),
            }
        }
        Ok(all)
    }

    /// Says who sees to some of a run's rejects; an empty name for nobody. Answers how many there were.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such run, or none of the rejects waits.
    pub async fn assign_rejects(
        &self,
        scope: Scope<'_>,
        (run, chosen): (RunId, &Chosen),
        owner: &str,
        by: &By,
    ) -> Result<u64, LedgerError> {
        let change = Change { sets: "owner = NULLIF($1, '') WHERE ($2 = '' OR owner IS NULL OR owner <> $2)", values: [owner, owner, ""] };
        self.change(scope, (run, chosen), (&change, ("reject.assign", json!({ "owner": owner }))), by).await
    }

    /// Takes some of a run's rejects out of quarantine: nothing more is to be done about them. Those that are coming back by a run
    /// of their own stay. Answers how many there were.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is no such run, or none of the rejects waits.
    pub async fn dismiss_rejects(&self, scope: Scope<'_>, (run, chosen): (RunId, &Chosen), why: &str, by: &By) -> Result<u64, LedgerError> {
        let at = by.now_ms.to_string();
        let change = Change {
            sets: "left_how = 'dismissed', left_by = $1, left_why = $2, left_at_ms = CAST($3 AS BIGINT)
             WHERE (resubmitted_by IS NULL
               OR EXISTS (SELECT 1 FROM runs AS back WHERE back.run = findings.resubmitted_by AND back.state = 'cancelled'))",
            values: [by.actor.as_str(), why, &at],
        };
        self.change(scope, (run, chosen), (&change, ("reject.dismiss", json!({ "why": why }))), by).await
    }

    /// Notes that rejects of a run were written out with all that stands in them.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn note_export(&self, run: &Run, (port, rows): (&str, u64), by: &By) -> Result<(), LedgerError> {
        let (subject, after) = (format!("run:{}", run.id), Some(json!({ "input": port, "rows": rows })));
        let act = Act { partner: Some(run.partner()), action: "reject.export", subject, before: None, after };
        self.note(act, by).await
    }

    async fn change(
        &self,
        scope: Scope<'_>,
        (run, chosen): (RunId, &Chosen),
        (change, (action, after)): (&Change<'_>, (&str, serde_json::Value)),
        by: &By,
    ) -> Result<u64, LedgerError> {
        let after = &after;
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let run = seen(&mut transaction, scope, run).await?;
                let fates = Covered::run(CoveredKind::Fates, run.id).found_before(&mut transaction).await?;
                let mut changed = 0;
                match &chosen.numbers {
                    None => changed = change.of(&run, chosen, &[]).execute(&mut transaction).await?,
                    Some(numbers) => {
                        for some in numbers.chunks(NUMBERS_AT_ONCE) {
                            changed += change.of(&run, chosen, some).execute(&mut transaction).await?;
                        }
                    }
                }
                if changed == 0 {
                    return Err(LedgerError::NotFound { what: "reject that waits for this among those of run", name: run.id.to_string() });
                }
                let mut after = after.clone();
                after["rows"] = json!(changed);
                after["code"] = json!(chosen.code);
                after["numbers"] = json!(chosen.numbers.as_deref().map(ranges));
                note(&mut transaction, &run, (action, after), (vec![fates], by)).await?;
                transaction.commit().await?;
                Ok(changed)
            })
            .await
    }
}

/// What is set of which rejects.
struct Change<'a> {
    /// The assignments, and the beginning of the condition.
    sets: &'static str,
    values: [&'a str; 3],
}

impl Change<'_> {
    fn of(&self, run: &Run, chosen: &Chosen, numbers: &[u64]) -> crate::ledger::store::Query {
        let mut query = query("UPDATE findings SET ");
        query.push(self.sets);
        // PostgreSQL is told what a value is by its use, so each of them is used.
        let mut query = self.values.iter().fold(query, |query, value| query.bind(*value));
        query.push(" AND (CAST($3 AS TEXT) IS NOT NULL) AND waiting_since_ms IS NOT NULL AND left_how IS NULL AND run = ");
        query.push_bind(run.id.to_string());
        if let Some(code) = &chosen.code {
            query.push(" AND code = ").push_bind(code.as_str());
        }
        if !numbers.is_empty() {
            query.push(" AND number IN (");
            for (place, number) in numbers.iter().enumerate() {
                query.push(if place == 0 { "" } else { ", " });
                query.push_bind(to_stored(*number));
            }
            query.push(")");
        }
        query
    }
}

fn narrow(query: &mut crate::ledger::store::Query, scope: Scope<'_>, filter: &QuarantineFilter) {
    if let Scope::Partner(partner) = scope {
        query.push(" AND findings.partner = ").push_bind(partner.as_str());
    }
    if let Some(partner) = &filter.partner {
        query.push(" AND findings.partner = ").push_bind(partner.as_str());
    }
    if let Some(job) = &filter.job {
        query.push(" AND runs.job = ").push_bind(job.as_str());
    }
    if let Some(run) = filter.run {
        query.push(" AND findings.run = ").push_bind(run.to_string());
    }
    if let Some(code) = &filter.code {
        query.push(" AND findings.code = ").push_bind(code.as_str());
    }
    match filter.owner.as_deref() {
        None => {}
        Some("") => drop(query.push(" AND findings.owner IS NULL")),
        Some(owner) => drop(query.push(" AND findings.owner = ").push_bind(owner)),
    }
    if let Some(since_ms) = filter.since_ms {
        query.push(" AND findings.waiting_since_ms <= ").push_bind(since_ms);
    }
}

/// Numbers as people write them: `1-3, 7`.
fn ranges(numbers: &[u64]) -> String {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    let mut stretches: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match stretches.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => stretches.push((number, number)),
        }
    }
    let stretch = |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    stretches.iter().map(stretch).collect::<Vec<_>>().join(", ")
}

impl TryFrom<WaitingRow> for Waiting {
    type Error = LedgerError;

    fn try_from(row: WaitingRow) -> Result<Self, LedgerError> {
        Ok(Self {
            finding: StoredFinding::try_from(row.finding)?,
            partner: parsed(&row.partner, "partner")?,
            job: parsed(&row.job, "job")?,
            due_ms: row.due_ms,
        })
    }
}

/// Puts the rejects of a run that closes into quarantine, and takes out those that it brought back corrected.
pub(in crate::ledger::runs) async fn closes(
    transaction: &mut Transaction,
    run: &Run,
    at_ms: i64,
    actor: &Actor,
) -> Result<(), LedgerError> {
    let brings_back = matches!(run.trigger(), Trigger::Resubmission(_));
    if let Some(standing) = run.standing.filter(|_| run.rows.rejected > 0) {
        // What such a run reads besides, its origin has read before it, and rejected.
        let waits = "UPDATE findings SET waiting_since_ms = $3
             WHERE run = $1 AND lease = $2 AND effect = 'reject' AND ($4 = 0 OR supersedes IS NOT NULL)";
        query(waits)
            .bind(run.id.to_string())
            .bind(to_stored(standing.lease))
            .bind(at_ms)
            .bind(i64::from(brings_back))
            .execute(&mut *transaction)
            .await?;
    }
    if let Trigger::Resubmission(origin) = run.trigger() {
        // What a person does meanwhile to other rejects of the same run comes before or after, so that each digest has the other.
        let _: Option<String> = query_scalar("SELECT state FROM runs WHERE run = $1")
            .bind(origin.to_string())
            .locked()
            .fetch_optional(&mut *transaction)
            .await?;
        query("UPDATE findings SET left_how = 'superseded', left_at_ms = $2, left_by = $3 WHERE resubmitted_by = $1 AND left_how IS NULL")
            .bind(run.id.to_string())
            .bind(at_ms)
            .bind(actor.as_str())
            .execute(transaction)
            .await?;
    }
    Ok(())
}

/// Gives back the rejects that a run was to bring back corrected, as it is ended before anything of it was sent.
pub(in crate::ledger::runs) async fn gives_back(transaction: &mut Transaction, run: &Run) -> Result<(), LedgerError> {
    query("UPDATE findings SET resubmitted_by = NULL, resubmitted_offset = NULL WHERE resubmitted_by = $1 AND left_how IS NULL")
        .bind(run.id.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}
