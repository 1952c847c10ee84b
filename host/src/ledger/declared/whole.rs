//! A whole configuration made the one in force at once: what partners declare, and the releases and tables that their jobs run with.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::who::By;

use super::apply::{Applied, Declaration, declare};
use super::releases::{self, NewRelease};
use super::tables::{self, NewTable};

/// All that is to be in force for one partner.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// What it declares.
    pub declaration: &'a Declaration,
    /// Releases that are kept and made the active ones.
    pub releases: &'a [NewRelease],
    /// Versions of tables that are kept.
    pub tables: &'a [NewTable],
}

/// What changed for one partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedWhole {
    /// Of what it declares.
    pub declared: Applied,
    /// Of each release, whether it was not the active one.
    pub activated: Vec<bool>,
    /// Of each version of a table, whether it is new.
    pub added: Vec<bool>,
}

impl Ledger {
    /// Makes all of it the one in force, or, if one part cannot be or the hub is killed meanwhile, none of it: a job never runs with
    /// its new settings on its old release.
    ///
    /// # Errors
    /// As for [`Ledger::apply`], [`Ledger::put_release`], [`Ledger::activate`] and [`Ledger::put_table`].
    pub async fn apply_all(&self, wholes: &[Whole<'_>], by: &By) -> Result<Vec<AppliedWhole>, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut all = Vec::new();
                for whole in wholes {
                    let declared = declare(&mut transaction, whole.declaration, by).await?;
                    let mut applied = AppliedWhole { declared, activated: Vec::new(), added: Vec::new() };
                    for release in whole.releases {
                        releases::keep(&mut transaction, release, by).await?;
                        applied.activated.push(releases::activate(&mut transaction, &release.key, (releases::How::Declared, by)).await?);
                    }
                    for table in whole.tables {
                        applied.added.push(tables::keep(&mut transaction, table, by).await?);
                    }
                    all.push(applied);
                }
                transaction.commit().await?;
                Ok(all)
            })
            .await
    }
}
