//! Marks: what a place says with a file, so that the next pull goes on from there. A mark counts once its run has taken the file.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::query;
use crate::model::ids::{ConnectionName, JobName, PartnerName, RunId};

/// What a mark belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkOf<'a> {
    /// Whose.
    pub partner: &'a PartnerName,
    /// The job that pulls.
    pub job: &'a JobName,
    /// From where.
    pub connection: &'a ConnectionName,
    /// What it asks for, as it stands in the job.
    pub file: &'a str,
}

impl Ledger {
    /// Notes what came with a file that a run is about to take.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn note_mark(&self, of: MarkOf<'_>, run: RunId, mark: &str) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                query(
                    "INSERT INTO pull_marks (partner, job, connection, file, run, mark) VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (partner, job, connection, file, run) DO UPDATE SET mark = excluded.mark",
                )
                .bind(of.partner.as_str())
                .bind(of.job.as_str())
                .bind(of.connection.as_str())
                .bind(of.file)
                .bind(run.to_string())
                .bind(mark)
                .execute(&mut transaction)
                .await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }

    /// The mark of the last run before this one that took such a file.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn mark(&self, of: MarkOf<'_>, run: RunId) -> Result<Option<String>, LedgerError> {
        let row: Option<(String,)> = query(
            "SELECT mark FROM pull_marks
             WHERE partner = $1 AND job = $2 AND connection = $3 AND file = $4 AND run <> $5
               AND EXISTS (SELECT 1 FROM taken_files
                           WHERE taken_files.run = pull_marks.run AND taken_files.connection = pull_marks.connection)
             ORDER BY run DESC LIMIT 1",
        )
        .bind(of.partner.as_str())
        .bind(of.job.as_str())
        .bind(of.connection.as_str())
        .bind(of.file)
        .bind(run.to_string())
        .fetch_optional(&self.store)
        .await?;
        Ok(row.map(|(mark,)| mark))
    }
}
