//! Deliveries that were begun and of whose end nothing is known yet, to places of every kind. What is here was perhaps sent: a
//! receipt, a refusal that is certain or a person's word takes it away, and nothing else does.

use crate::ledger::error::LedgerError;
use crate::ledger::runs::{Run, RunState, fenced};
use crate::ledger::store::{Transaction, parsed_option, query, query_scalar, to_stored};
use crate::ledger::{Lease, Ledger};
use crate::model::ids::Digest;

/// A delivery that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunDelivery {
    /// The output.
    pub port: String,
    /// SHA-256 of what is sent; none of what was begun before that was kept.
    pub digest: Option<Digest>,
    /// The hidden name that a file has until it is given its own; none at places without such.
    pub hidden: Option<String>,
}

impl Ledger {
    /// What an earlier attempt began to deliver of an output, if nothing is known of its end.
    ///
    /// # Errors
    /// [`LedgerError::LeaseLost`] if the run has been claimed anew or ended since; or what the database failed of.
    pub async fn begun_delivery(&self, lease: &Lease, port: &str) -> Result<Option<BegunDelivery>, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let run = fenced(&mut transaction, lease).await?;
                let begun = begun(&mut transaction, &run, port).await?;
                transaction.rollback().await?;
                Ok(begun)
            })
            .await
    }

    /// Notes, before a receiver could see anything, that a run begins to deliver an output.
    ///
    /// # Errors
    /// [`LedgerError::LeaseLost`] if the run has been claimed anew or ended since, and [`LedgerError::WrongState`] if something else
    /// was begun for the output: nothing may be sent then.
    pub async fn begin_delivery(&self, lease: &Lease, now_ms: i64, begins: &BegunDelivery) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let run = fenced(&mut transaction, lease).await?;
                let earlier = begun(&mut transaction, &run, &begins.port).await?.and_then(|earlier| earlier.digest);
                if earlier.is_some() && earlier != begins.digest {
                    let wanted = format!("other content of its output {} may have been delivered", begins.port);
                    return Err(LedgerError::WrongState { run: run.id, state: run.state, wanted });
                }
                query(
                    "INSERT INTO begun_deliveries (partner, run, port, digest, hidden, lease, begun_at_ms)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)
                     ON CONFLICT (run, port) DO UPDATE SET digest = excluded.digest, hidden = excluded.hidden, lease = excluded.lease,
                       begun_at_ms = excluded.begun_at_ms",
                )
                .bind(run.partner().as_str())
                .bind(run.id.to_string())
                .bind(begins.port.as_str())
                .bind(begins.digest.map(|digest| digest.to_string()))
                .bind(begins.hidden.as_deref())
                .bind(to_stored(lease.number))
                .bind(now_ms)
                .execute(&mut transaction)
                .await?;
                transaction.commit().await
            })
            .await
    }

    /// Notes that what was begun did not reach its receiver, or is known to have been refused.
    ///
    /// # Errors
    /// As for [`Ledger::begun_delivery`].
    pub async fn forget_delivery(&self, lease: &Lease, port: &str) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let run = fenced(&mut transaction, lease).await?;
                forget(&mut transaction, &run, port).await?;
                transaction.commit().await
            })
            .await
    }
}

/// Whether something of a run may have been sent, though no receipt says so.
pub(in crate::ledger) async fn may_have_sent(transaction: &mut Transaction, run: &Run) -> Result<bool, LedgerError> {
    let begun: i64 = query_scalar("SELECT COUNT(*) FROM begun_deliveries WHERE partner = $1 AND run = $2")
        .bind(run.partner().as_str())
        .bind(run.id.to_string())
        .fetch_one(transaction)
        .await?;
    Ok(begun > 0)
}

/// What was begun of an output has come to an end.
pub(in crate::ledger) async fn forget(transaction: &mut Transaction, run: &Run, port: &str) -> Result<(), LedgerError> {
    query("DELETE FROM begun_deliveries WHERE partner = $1 AND run = $2 AND port = $3")
        .bind(run.partner().as_str())
        .bind(run.id.to_string())
        .bind(port)
        .execute(transaction)
        .await?;
    Ok(())
}

/// A person has asked the receiver, and sends the run on its way.
pub(in crate::ledger) async fn settled_by_word(transaction: &mut Transaction, run: &Run) -> Result<(), LedgerError> {
    query("DELETE FROM begun_deliveries WHERE partner = $1 AND run = $2")
        .bind(run.partner().as_str())
        .bind(run.id.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Why a run that may have sent something is neither begun afresh nor, while it sends, cancelled.
pub(in crate::ledger) fn not_while_begun(run: &Run, afresh: bool) -> Result<(), LedgerError> {
    let wanted = match run.state {
        _ if afresh => "one of its outputs may have been delivered: `bailiwick retry` it where it stopped, or cancel it",
        RunState::Running | RunState::Staged | RunState::Delivering => {
            "one of its outputs is being sent: wait until it is known whether that arrived, and cancel it then"
        }
        _ => return Ok(()),
    };
    Err(LedgerError::WrongState { run: run.id, state: run.state, wanted: wanted.to_owned() })
}

async fn begun(transaction: &mut Transaction, run: &Run, port: &str) -> Result<Option<BegunDelivery>, LedgerError> {
    let row: Option<(Option<String>, Option<String>)> =
        query("SELECT digest, hidden FROM begun_deliveries WHERE partner = $1 AND run = $2 AND port = $3")
            .bind(run.partner().as_str())
            .bind(run.id.to_string())
            .bind(port)
            .fetch_optional(transaction)
            .await?;
    let Some((digest, hidden)) = row else { return Ok(None) };
    let digest = parsed_option(digest.as_deref(), "digest of a delivery")?;
    Ok(Some(BegunDelivery { port: port.to_owned(), digest, hidden }))
}
