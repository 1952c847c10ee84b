//! Who fails to sign in, and how long they wait: in the ledger, so that it is the same at every hub.
//!
//! An attempt counts as failed before it is judged, so that many at one moment do not all pass; it is taken back when it was right.

use serde_json::json;

use crate::ledger::Ledger;
use crate::ledger::audit::Act;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, query};
use crate::ledger::who::By;
use crate::model::ids::PersonName;
use crate::model::limits::access::Throttle;

/// Something by which attempts are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// What: an address, or the hash of a name that was typed. Of a name itself nothing is kept: people type passwords there.
    pub what: String,
    /// How failures slow the next attempt.
    pub throttle: Throttle,
}

/// What came of counting an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// It may be judged. So many failures there are now by each of the guesses, this one with them.
    Judge(Vec<u32>),
    /// It is not looked at, and not counted; the next is in so many milliseconds.
    Wait(i64),
}

#[derive(sqlx::FromRow)]
struct FailuresRow {
    failures: i64,
    since_ms: i64,
    waits_until_ms: i64,
}

impl Ledger {
    /// Counts an attempt by each of some guesses, or says how long to wait.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn count_guess(&self, guesses: &[Guess], now_ms: i64) -> Result<Counted, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut counted = Vec::with_capacity(guesses.len());
                for guess in guesses {
                    match count(&mut transaction, guess, now_ms).await? {
                        Counted::Judge(failures) => counted.extend(failures),
                        wait @ Counted::Wait(_) => {
                            transaction.rollback().await?;
                            return Ok(wait);
                        }
                    }
                }
                transaction.commit().await?;
                Ok(Counted::Judge(counted))
            })
            .await
    }

    /// Takes an attempt back that was right: the first guess loses this one failure, the others all of theirs. So somebody who has a
    /// password of their own does not make themselves room to guess those of others.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn guessed_right(&self, guesses: &[Guess], now_ms: i64) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                for (place, guess) in guesses.iter().enumerate() {
                    let right = if place == 0 {
                        query("UPDATE sign_in_failures SET failures = failures - 1, waits_until_ms = $2 WHERE what = $1 AND failures > 0")
                    } else {
                        query("DELETE FROM sign_in_failures WHERE what = $1 OR forgotten_at_ms <= $2")
                    };
                    right.bind(guess.what.as_str()).bind(now_ms).execute(&mut transaction).await?;
                }
                transaction.commit().await
            })
            .await
    }

    /// Notes an attempt that was wrong, where it makes somebody wait. So the audit trail grows no faster than the waits allow.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn guessed_wrong(
        &self,
        guesses: &[Guess],
        failures: &[u32],
        of: (Option<&PersonName>, &str),
        by: &By,
    ) -> Result<(), LedgerError> {
        if guesses.iter().zip(failures).all(|(guess, failures)| guess.throttle.wait_ms(*failures) == 0) {
            return Ok(());
        }
        let (person, from) = of;
        let subject = person.map_or_else(|| "person:unknown".to_owned(), super::subject);
        let waits_ms = guesses.iter().zip(failures).map(|(guess, failures)| guess.throttle.wait_ms(*failures)).max();
        let after = Some(json!({ "from": from, "failures": failures.iter().max(), "waits-ms": waits_ms }));
        self.note(Act { partner: None, action: "session.refuse", subject, before: None, after }, by).await
    }
}

async fn count(transaction: &mut Transaction, guess: &Guess, now_ms: i64) -> Result<Counted, LedgerError> {
    let Guess { what, throttle } = guess;
    query(
        "INSERT INTO sign_in_failures (what, failures, since_ms, waits_until_ms, forgotten_at_ms) VALUES ($1, 0, $2, 0, $2)
         ON CONFLICT (what) DO UPDATE SET what = excluded.what",
    )
    .bind(what.as_str())
    .bind(now_ms)
    .execute(&mut *transaction)
    .await?;
    let before: FailuresRow = query("SELECT failures, since_ms, waits_until_ms FROM sign_in_failures WHERE what = $1")
        .bind(what.as_str())
        .locked()
        .fetch_one(&mut *transaction)
        .await?;
    if now_ms < before.waits_until_ms {
        return Ok(Counted::Wait(before.waits_until_ms - now_ms));
    }
    let forgiven = ((now_ms - before.since_ms).max(0) / throttle.forgives_every_ms).min(before.failures);
    // What has passed towards the next that is forgiven counts on; where none is left, it begins now.
    let since_ms = if forgiven == before.failures { now_ms } else { before.since_ms + forgiven * throttle.forgives_every_ms };
    let failures = (before.failures - forgiven + 1).min(i64::from(throttle.failures_max()));
    let counted = u32::try_from(failures).expect("it is at most failures_max");
    query("UPDATE sign_in_failures SET failures = $2, since_ms = $3, waits_until_ms = $4, forgotten_at_ms = $5 WHERE what = $1")
        .bind(what.as_str())
        .bind(failures)
        .bind(since_ms)
        .bind(now_ms + throttle.wait_ms(counted))
        .bind(since_ms + failures * throttle.forgives_every_ms)
        .execute(transaction)
        .await?;
    Ok(Counted::Judge(vec![counted]))
}
