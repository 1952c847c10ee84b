//! Notices: each comes with its event and waits until it is sent. Whoever tries to send one takes it for a while, by a number that
//! later writes must match.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::runs::{LoggedEvent, Run, RunEvent};
use crate::ledger::store::{Insert, Transaction, count, parsed, query, to_stored};
use crate::ledger::who::Scope;
use crate::model::ids::{PartnerName, RunId};
use crate::model::job::Told;

/// Notices that are taken at once.
const TAKEN_MAX: usize = 20;

/// Something that people are to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whose run.
    pub partner: PartnerName,
    /// The run.
    pub run: RunId,
    /// The event of the run.
    pub seq: u64,
    /// What is told.
    pub told: Told,
    /// When it happened.
    pub at_ms: i64,
    /// How often it has been tried, this time included.
    pub attempts: u64,
    /// When it is tried next; none once it is sent, or given up.
    pub next_at_ms: Option<i64>,
    /// When it was sent.
    pub sent_at_ms: Option<i64>,
    /// What the server said, or why it was not sent the last time.
    pub outcome: Option<String>,
}

#[derive(sqlx::FromRow)]
struct NoticeRow {
    partner: String,
    run: String,
    seq: i64,
    told: String,
    at_ms: i64,
    attempts: i64,
    next_at_ms: Option<i64>,
    sent_at_ms: Option<i64>,
    outcome: Option<String>,
}

impl TryFrom<NoticeRow> for Notice {
    type Error = LedgerError;

    fn try_from(row: NoticeRow) -> Result<Self, LedgerError> {
        Ok(Self {
            partner: parsed(&row.partner, "partner")?,
            run: parsed(&row.run, "run id")?,
            seq: count(row.seq),
            told: parsed(&row.told, "kind of notice")?,
            at_ms: row.at_ms,
            attempts: count(row.attempts),
            next_at_ms: row.next_at_ms,
            sent_at_ms: row.sent_at_ms,
            outcome: row.outcome,
        })
    }
}

/// Puts a notice beside an event, if the run's job wants people to be told.
pub(in crate::ledger) async fn note(transaction: &mut Transaction, run: &Run, logged: &LoggedEvent) -> Result<(), LedgerError> {
    let told = match &logged.event {
        RunEvent::Held(_) => Told::Held,
        RunEvent::Failed(failed) if failed.retry_at_ms.is_none() => Told::Failed,
        RunEvent::Closed(_) if run.deliveries() > 0 => Told::Delivered,
        RunEvent::Skipped(_) => Told::Skipped,
        RunEvent::Overdue(_) => Told::Overdue,
        _ => return Ok(()),
    };
    let wanted = query("SELECT notices FROM jobs WHERE partner = $1 AND job = $2").bind(run.partner().as_str()).bind(run.job().as_str());
    let wanted: Vec<(String,)> = wanted.fetch_known(transaction).await?;
    if !wanted.iter().any(|(words,)| words.split(' ').any(|word| word == told.as_str())) {
        return Ok(());
    }
    let row = vec![
        run.partner().as_str().into(),
        run.id.to_string().into(),
        to_stored(logged.seq).into(),
        told.as_str().into(),
        logged.at_ms.into(),
        logged.at_ms.into(),
    ];
    transaction.insert(&NOTE, row);
    Ok(())
}

static NOTE: Insert = Insert { head: "INSERT INTO notices (partner, run, seq, told, at_ms, next_at_ms)", tail: "", keyed: false };

impl Ledger {
    /// Takes the notices that are to be sent by now, for so long that nobody else tries them too.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn take_notices(&self, now_ms: i64, for_ms: i64) -> Result<Vec<Notice>, LedgerError> {
        let due: Vec<NoticeRow> = query(
            "SELECT partner, run, seq, told, at_ms, attempts, next_at_ms, sent_at_ms, outcome FROM notices
             WHERE next_at_ms <= $1 ORDER BY next_at_ms, run, seq LIMIT CAST($2 AS BIGINT)",
        )
        .bind(now_ms)
        .bind(to_stored(TAKEN_MAX as u64))
        .fetch_all(&self.store)
        .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let due = due.into_iter().map(Notice::try_from).collect::<Result<Vec<_>, _>>()?;
        let due = &due;
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut taken = Vec::new();
                for notice in due {
                    let next_at_ms = Some(now_ms.saturating_add(for_ms));
                    // Unless another hub was faster.
                    let mine = query("UPDATE notices SET attempts = attempts + 1, next_at_ms = $4 WHERE run = $1 AND seq = $2 AND attempts = $3 AND next_at_ms <= $5")
                        .bind(notice.run.to_string())
                        .bind(to_stored(notice.seq))
                        .bind(to_stored(notice.attempts))
                        .bind(next_at_ms)
                        .bind(now_ms)
                        .execute(&mut transaction)
                        .await?;
                    if mine == 1 {
                        taken.push(Notice { attempts: notice.attempts + 1, next_at_ms, ..notice.clone() });
                    }
                }
                transaction.commit().await?;
                Ok(taken)
            })
            .await
    }

    /// Writes down what became of a notice that was taken: when it was sent, or when it is tried again; or neither, if it is given up.
    /// Answers whether it was still taken by whoever asks.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn settle_notice(&self, settled: &Notice) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let written = query(
                    "UPDATE notices SET sent_at_ms = $4, next_at_ms = $5, outcome = $6
                     WHERE run = $1 AND seq = $2 AND attempts = $3 AND sent_at_ms IS NULL",
                )
                .bind(settled.run.to_string())
                .bind(to_stored(settled.seq))
                .bind(to_stored(settled.attempts))
                .bind(settled.sent_at_ms)
                .bind(settled.next_at_ms)
                .bind(settled.outcome.clone())
                .execute(&mut transaction)
                .await?;
                transaction.commit().await?;
                Ok(written == 1)
            })
            .await
    }

    /// The notices of a run, oldest first.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn notices(&self, scope: Scope<'_>, run: RunId) -> Result<Vec<Notice>, LedgerError> {
        let rows: Vec<NoticeRow> = query(
            "SELECT partner, run, seq, told, at_ms, attempts, next_at_ms, sent_at_ms, outcome FROM notices
             WHERE run = $1 AND ($2 = '' OR partner = $2) ORDER BY seq",
        )
        .bind(run.to_string())
        .bind(scope.text())
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(Notice::try_from).collect()
    }
}
