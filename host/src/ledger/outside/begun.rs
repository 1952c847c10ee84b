//! Deliveries that were begun and of whose end nothing is known yet, to receivers that would not recognise a repeat.

use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, query};
use crate::ledger::{Lease, Ledger};

impl Ledger {
    /// Notes, before anything is sent, that a run begins to deliver an output. Answers whether an earlier attempt had begun too.
    /// The first attempt after a person sent the run on its way is told of none: the person has decided.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn begin_delivery(&self, lease: &Lease, port: &str, attempt: u64) -> Result<bool, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                if attempt <= 1 {
                    forget(&mut transaction, lease, port).await?;
                }
                let begun = query("INSERT INTO begun_deliveries (run, port) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                    .bind(lease.run.to_string())
                    .bind(port)
                    .execute(&mut transaction)
                    .await?;
                transaction.commit().await?;
                Ok(begun == 0)
            })
            .await
    }

    /// Notes that what was begun did not reach its receiver, or is known to have been refused.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn forget_delivery(&self, lease: &Lease, port: &str) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                forget(&mut transaction, lease, port).await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }
}

async fn forget(transaction: &mut Transaction, lease: &Lease, port: &str) -> Result<(), LedgerError> {
    query("DELETE FROM begun_deliveries WHERE run = $1 AND port = $2").bind(lease.run.to_string()).bind(port).execute(transaction).await?;
    Ok(())
}
