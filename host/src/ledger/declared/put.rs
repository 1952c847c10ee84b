//! Writing what is declared, part by part, and noting how each differs from what was in force.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::error::LedgerError;
use crate::ledger::runs::{RunEvent, RunState, Word, load, record};
use crate::ledger::store::{Transaction, parsed, query, query_scalar};
use crate::ledger::who::By;
use crate::model::ids::{Digest, RunId};
use crate::model::job::{Partner, Retention};

use super::apply::{Applied, Change, Changed, Declaration, DeclaredConnection, DeclaredJob, DeclaredWebhook, Source};
use super::releases::proofs_text;

/// Makes a declaration the one in force.
pub(super) async fn put_in_force(transaction: &mut Transaction, declaration: &Declaration, by: &By) -> Result<Applied, LedgerError> {
    let digests: Vec<Digest> = declaration.sources.iter().map(|source| Digest::of(source.text.as_bytes())).collect();
    let connections = declaration.connections.iter().map(|connection| (connection.name.as_str(), connection.definition));
    let jobs = declaration.jobs.iter().map(|job| (job.name.as_str(), job.definition));
    let webhooks = declaration.webhooks.iter().map(|webhook| (webhook.name.as_str(), webhook.definition));
    if let Some((name, _)) = connections.chain(jobs).chain(webhooks).find(|(_, definition)| !digests.contains(definition)) {
        return Err(LedgerError::NotFound { what: "source file that declares", name: name.to_owned() });
    }
    let mut applied = Applied::default();
    put_partner(transaction, &declaration.partner, by, &mut applied).await?;
    let partner = declaration.partner.name.as_str();
    let mut writing = Writing { transaction, partner, by, applied: &mut applied, files: BTreeMap::new(), told: BTreeSet::new() };
    writing.sources(&declaration.sources).await?;
    writing.connections(&declaration.connections).await?;
    writing.webhooks(&declaration.webhooks).await?;
    let gone = writing.jobs(&declaration.jobs).await?;
    for job in gone {
        writing.cancel_waiting(&job).await?;
    }
    // A file that declares what has been named already is the same change once more.
    let told = writing.told;
    applied.changes.retain(|change| change.what != "source" || !told.contains(&change.name));
    Ok(applied)
}

async fn put_partner(transaction: &mut Transaction, partner: &Partner, by: &By, applied: &mut Applied) -> Result<(), LedgerError> {
    type Row = (String, String, String, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<String>);
    let Retention { artefacts_days, rejects_days, events_days } = partner.retention;
    let [runs_max, artefacts, rejects, events] =
        [partner.runs_at_once, artefacts_days, rejects_days, events_days].map(|number| number.map(i64::from));
    let [releases, changes] = [partner.releases.as_str(), partner.changes.as_str()].map(str::to_owned);
    let declared: Row = (partner.title.clone(), releases, changes, runs_max, artefacts, rejects, events, proofs_text(&partner.proofs));
    let stored: Option<Row> = query(
        "SELECT title, releases, changes, runs_max, keep_artefacts_days, keep_rejects_days, keep_events_days, proofs FROM partners WHERE partner = $1",
    )
    .bind(partner.name.as_str())
    // Of two applications for one partner, one waits for the other.
    .locked()
    .fetch_optional(&mut *transaction)
    .await?;
    if stored.as_ref() == Some(&declared) {
        return Ok(());
    }
    let how = if stored.is_none() { Changed::Added } else { Changed::Changed };
    applied.changes.push(Change { what: "partner", name: partner.name.to_string(), how });
    query(
        "INSERT INTO partners
           (partner, title, releases, changes, runs_max, keep_artefacts_days, keep_rejects_days, keep_events_days, applied_at_ms, proofs)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (partner) DO UPDATE SET title = excluded.title, releases = excluded.releases, changes = excluded.changes,
           runs_max = excluded.runs_max, keep_artefacts_days = excluded.keep_artefacts_days, keep_rejects_days = excluded.keep_rejects_days,
           keep_events_days = excluded.keep_events_days, proofs = excluded.proofs, applied_at_ms = excluded.applied_at_ms",
    )
    .bind(partner.name.as_str())
    .bind(declared.0)
    .bind(declared.1)
    .bind(declared.2)
    .bind(runs_max)
    .bind(artefacts)
    .bind(rejects)
    .bind(events)
    .bind(by.now_ms)
    .bind(declared.7)
    .execute(transaction)
    .await?;
    Ok(())
}

/// An application under way.
struct Writing<'a> {
    transaction: &'a mut Transaction,
    partner: &'a str,
    by: &'a By,
    applied: &'a mut Applied,
    /// The files that differ, by the digest of their text; of those that are gone, by the one that they had.
    files: BTreeMap<String, String>,
    /// Those of them that declare something which differs too.
    told: BTreeSet<String>,
}

impl Writing<'_> {
    /// Notes how a thing differs from what is in force, and answers whether it does.
    fn note<T: PartialEq>(&mut self, what: &'static str, name: &str, (declared, stored): (&T, Option<&T>)) -> bool {
        let how = match stored {
            None => Changed::Added,
            Some(stored) if stored != declared => Changed::Changed,
            Some(_) => return false,
        };
        self.applied.changes.push(Change { what, name: name.to_owned(), how });
        true
    }

    fn gone(&mut self, what: &'static str, name: &str) {
        self.applied.changes.push(Change { what, name: name.to_owned(), how: Changed::Removed });
    }

    /// Notes that a file's change has been told by what it declares.
    fn tell(&mut self, definition: &str) {
        self.told.extend(self.files.get(definition).cloned());
    }

    async fn sources(&mut self, declared: &[Source]) -> Result<(), LedgerError> {
        let rows: Vec<(String, String)> =
            query("SELECT source, definition FROM sources WHERE partner = $1").bind(self.partner).fetch_all(&mut *self.transaction).await?;
        let mut stored: BTreeMap<_, _> = rows.into_iter().collect();
        for source in declared {
            let digest = Digest::of(source.text.as_bytes()).to_string();
            if !self.note("source", &source.name, (&digest, stored.remove(&source.name).as_ref())) {
                continue;
            }
            self.files.insert(digest.clone(), source.name.clone());
            query("INSERT INTO definitions (partner, digest, content, stored_at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                .bind(self.partner)
                .bind(digest.as_str())
                .bind(source.text.as_str())
                .bind(self.by.now_ms)
                .execute(&mut *self.transaction)
                .await?;
            query(
                "INSERT INTO sources (partner, source, definition) VALUES ($1, $2, $3)
                 ON CONFLICT (partner, source) DO UPDATE SET definition = excluded.definition",
            )
            .bind(self.partner)
            .bind(source.name.as_str())
            .bind(digest)
            .execute(&mut *self.transaction)
            .await?;
        }
        for (name, digest) in &stored {
            self.gone("source", name);
            self.files.insert(digest.clone(), name.clone());
            query("DELETE FROM sources WHERE partner = $1 AND source = $2")
                .bind(self.partner)
                .bind(name.as_str())
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    async fn connections(&mut self, declared: &[DeclaredConnection]) -> Result<(), LedgerError> {
        let rows: Vec<(String, String)> =
            query("SELECT connection, definition FROM connections WHERE partner = $1 AND removed_at_ms IS NULL")
                .bind(self.partner)
                .fetch_all(&mut *self.transaction)
                .await?;
        let mut stored: BTreeMap<_, _> = rows.into_iter().collect();
        for connection in declared {
            let (name, digest) = (connection.name.as_str(), connection.definition.to_string());
            if !self.note("connection", name, (&digest, stored.remove(name).as_ref())) {
                continue;
            }
            self.tell(&digest);
            query(
                "INSERT INTO connections (partner, connection, definition, runs_max, applied_at_ms) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (partner, connection) DO UPDATE SET definition = excluded.definition, runs_max = excluded.runs_max,
                   applied_at_ms = excluded.applied_at_ms, removed_at_ms = NULL",
            )
            .bind(self.partner)
            .bind(name)
            .bind(digest)
            .bind(connection.runs_at_once.map(i64::from))
            .bind(self.by.now_ms)
            .execute(&mut *self.transaction)
            .await?;
        }
        for (name, digest) in &stored {
            self.gone("connection", name);
            self.tell(digest);
            query("UPDATE connections SET removed_at_ms = $3 WHERE partner = $1 AND connection = $2")
                .bind(self.partner)
                .bind(name.as_str())
                .bind(self.by.now_ms)
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    async fn webhooks(&mut self, declared: &[DeclaredWebhook]) -> Result<(), LedgerError> {
        let rows: Vec<(String, String)> = query("SELECT webhook, definition FROM webhooks WHERE partner = $1 AND removed_at_ms IS NULL")
            .bind(self.partner)
            .fetch_all(&mut *self.transaction)
            .await?;
        let mut stored: BTreeMap<_, _> = rows.into_iter().collect();
        for webhook in declared {
            let (name, digest) = (webhook.name.as_str(), webhook.definition.to_string());
            if !self.note("webhook", name, (&digest, stored.remove(name).as_ref())) {
                continue;
            }
            self.tell(&digest);
            query(
                "INSERT INTO webhooks (partner, webhook, definition, events, applied_at_ms) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (partner, webhook) DO UPDATE SET definition = excluded.definition, events = excluded.events,
                   applied_at_ms = excluded.applied_at_ms, removed_at_ms = NULL",
            )
            .bind(self.partner)
            .bind(name)
            .bind(digest)
            .bind(webhook.events.iter().map(|event| format!(" {} ", event.as_str())).collect::<String>())
            .bind(self.by.now_ms)
            .execute(&mut *self.transaction)
            .await?;
        }
        for (name, digest) in &stored {
            self.gone("webhook", name);
            self.tell(digest);
            query("UPDATE webhooks SET removed_at_ms = $3 WHERE partner = $1 AND webhook = $2")
                .bind(self.partner)
                .bind(name.as_str())
                .bind(self.by.now_ms)
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    /// Answers the jobs that are gone.
    async fn jobs(&mut self, declared: &[DeclaredJob]) -> Result<Vec<String>, LedgerError> {
        type Particulars = (String, String, String, Option<String>);
        let rows: Vec<(String, String, String, String, Option<String>)> =
            query("SELECT job, title, plugin, definition, schedule FROM jobs WHERE partner = $1 AND removed_at_ms IS NULL")
                .bind(self.partner)
                .fetch_all(&mut *self.transaction)
                .await?;
        let mut stored: BTreeMap<String, Particulars> =
            rows.into_iter().map(|(job, title, plugin, definition, schedule)| (job, (title, plugin, definition, schedule))).collect();
        for job in declared {
            let particulars: Particulars = (job.title.clone(), job.plugin.to_string(), job.definition.to_string(), job.schedule.clone());
            let before = stored.remove(job.name.as_str());
            if self.note("job", job.name.as_str(), (&particulars, before.as_ref())) {
                self.tell(&particulars.2);
                let same_schedule = before.is_some_and(|before| before.3 == job.schedule);
                self.job(job, same_schedule).await?;
            }
        }
        for (name, (_, _, definition, _)) in &stored {
            self.gone("job", name);
            self.tell(definition);
            query("UPDATE jobs SET removed_at_ms = $3 WHERE partner = $1 AND job = $2")
                .bind(self.partner)
                .bind(name.as_str())
                .bind(self.by.now_ms)
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(stored.into_keys().collect())
    }

    async fn job(&mut self, job: &DeclaredJob, same_schedule: bool) -> Result<(), LedgerError> {
        query(
            "INSERT INTO jobs (partner, job, title, plugin, definition, schedule, runs_max, priority, overlap, overdue_after_ms,
               rejects_overdue_days, notices, scheduled_through_ms, applied_at_ms, release_choice)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $13, $14, $11, $11, $15)
             ON CONFLICT (partner, job) DO UPDATE SET title = excluded.title, plugin = excluded.plugin, definition = excluded.definition,
               schedule = excluded.schedule, runs_max = excluded.runs_max, priority = excluded.priority, overlap = excluded.overlap,
               overdue_after_ms = excluded.overdue_after_ms, rejects_overdue_days = excluded.rejects_overdue_days,
               notices = excluded.notices, release_choice = excluded.release_choice, applied_at_ms = excluded.applied_at_ms, removed_at_ms = NULL, next_due_ms = 0,
               scheduled_through_ms = CASE WHEN $12 = 1 THEN jobs.scheduled_through_ms ELSE excluded.scheduled_through_ms END",
        )
        .bind(self.partner)
        .bind(job.name.as_str())
        .bind(job.title.as_str())
        .bind(job.plugin.as_str())
        .bind(job.definition.to_string())
        .bind(job.schedule.as_deref())
        .bind(i64::from(job.queue.runs_at_once))
        .bind(job.queue.priority.as_str())
        .bind(job.queue.overlap.as_str())
        .bind(job.queue.overdue_minutes.map(|minutes| i64::from(minutes) * 60_000))
        .bind(self.by.now_ms)
        .bind(i64::from(same_schedule))
        .bind(i64::from(job.rejects_overdue_days))
        .bind(job.notices.iter().map(|told| format!(" {} ", told.as_str())).collect::<String>())
        .bind(job.release.to_string())
        .execute(&mut *self.transaction)
        .await?;
        query("DELETE FROM job_connections WHERE partner = $1 AND job = $2")
            .bind(self.partner)
            .bind(job.name.as_str())
            .execute(&mut *self.transaction)
            .await?;
        for connection in &job.connections {
            query("INSERT INTO job_connections (partner, job, connection) VALUES ($1, $2, $3)")
                .bind(self.partner)
                .bind(job.name.as_str())
                .bind(connection.as_str())
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    /// What has begun is brought to its end by what it is pinned to; what only waits has lost its purpose.
    async fn cancel_waiting(&mut self, job: &str) -> Result<(), LedgerError> {
        let waiting: Vec<String> = query_scalar("SELECT run FROM runs WHERE partner = $1 AND job = $2 AND state = 'queued' ORDER BY run")
            .bind(self.partner)
            .bind(job)
            .fetch_all(&mut *self.transaction)
            .await?;
        for run in waiting {
            let id: RunId = parsed(&run, "run id")?;
            // A hub may have taken it up since it was listed.
            if let Some(mut run) = load(self.transaction, id).await?.filter(|run| run.state == RunState::Queued) {
                let word = Word { why: "its job is no longer declared".to_owned() };
                record(self.transaction, &mut run, RunEvent::Cancelled(word), self.by).await?;
                self.applied.cancelled.push(id);
            }
        }
        Ok(())
    }
}
