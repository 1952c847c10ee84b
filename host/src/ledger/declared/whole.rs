//! A whole configuration made the one in force at once: what partners declare, and the releases and tables that their jobs run with.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, query};
use crate::ledger::who::By;
use crate::model::ids::PluginName;
use crate::model::job::ReleaseChoice;

use super::apply::{Applied, Declaration, DeclaredJob, declare};
use super::releases::{self, NewRelease, ReleaseKey};
use super::tables::{self, NewTable};

/// All that is to be in force for one partner.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// What it declares.
    pub declaration: &'a Declaration,
    /// Releases that are kept.
    pub releases: &'a [NewRelease],
    /// Releases that are made the active ones; each is kept, or among those that are to be.
    pub activate: &'a [ReleaseKey],
    /// Versions of tables that are kept.
    pub tables: &'a [NewTable],
}

/// What changed for one partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedWhole {
    /// Of what it declares.
    pub declared: Applied,
    /// The releases that were not the active ones before.
    pub activated: Vec<ReleaseKey>,
    /// Of each version of a table, whether it is new.
    pub added: Vec<bool>,
}

impl Ledger {
    /// Makes all of it the one in force, or, if one part cannot be or the hub is killed meanwhile, none of it: a job never runs with
    /// its new settings on its old release.
    ///
    /// # Errors
    /// [`LedgerError::NotVouchedFor`] if a job names a release that could not be put in use; and as for [`Ledger::apply`], [`Ledger::put_release`], [`Ledger::activate`] and [`Ledger::put_table`].
    pub async fn apply_all(&self, wholes: &[Whole<'_>], by: &By) -> Result<Vec<AppliedWhole>, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut all = Vec::new();
                for whole in wholes {
                    all.push(put_whole(&mut transaction, whole, (releases::How::Declared, by)).await?);
                }
                transaction.commit().await?;
                Ok(all)
            })
            .await
    }

    /// What [`Ledger::apply_all`] would change. It is done and taken back, so that it cannot differ, nor be refused otherwise; only who may put
    /// a release in use is not asked, as whoever plans need not be who applies.
    ///
    /// # Errors
    /// As for [`Ledger::apply_all`].
    pub async fn plan_all(&self, wholes: &[Whole<'_>], by: &By) -> Result<Vec<AppliedWhole>, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let mut all = Vec::new();
                for whole in wholes {
                    all.push(put_whole(&mut transaction, whole, (releases::How::Planned, by)).await?);
                }
                transaction.rollback().await?;
                Ok(all)
            })
            .await
    }
}

/// Makes what one partner declares the one in force, with its releases and tables, within a transaction.
pub(super) async fn put_whole(
    transaction: &mut Transaction,
    whole: &Whole<'_>,
    (how, by): (releases::How, &By),
) -> Result<AppliedWhole, LedgerError> {
    let named = newly_named(transaction, whole.declaration).await?;
    let declared = declare(transaction, whole.declaration, by).await?;
    let mut applied = AppliedWhole { declared, activated: Vec::new(), added: Vec::new() };
    for release in whole.releases {
        releases::keep(transaction, release, by).await?;
    }
    for key in whole.activate {
        match releases::activate(transaction, key, (how, by)).await {
            Ok(true) => applied.activated.push(key.clone()),
            Ok(false) => {}
            // Of all releases of a configuration, whose and which it is belongs to the refusal.
            Err(error @ (LedgerError::OwnWork { .. } | LedgerError::NotAPerson { .. })) => return Err(key.lacks(error.to_string())),
            Err(error) => return Err(error),
        }
    }
    for (plugin, choice) in named {
        releases::may_all_be_named(transaction, (&whole.declaration.partner.name, plugin), choice).await?;
    }
    for table in whole.tables {
        applied.added.push(tables::keep(transaction, table, by).await?);
    }
    Ok(applied)
}

/// Of the jobs whose file names one release, those whose file did not before: each plugin, and what is chosen.
async fn newly_named<'a>(
    transaction: &mut Transaction,
    declaration: &'a Declaration,
) -> Result<Vec<(&'a PluginName, &'a ReleaseChoice)>, LedgerError> {
    let stored: Vec<(String, String, String)> =
        query("SELECT job, plugin, release_choice FROM jobs WHERE partner = $1 AND removed_at_ms IS NULL")
            .bind(declaration.partner.name.as_str())
            .fetch_all(transaction)
            .await?;
    let new = |job: &&DeclaredJob| {
        let stands = (job.name.to_string(), job.plugin.to_string(), job.release.to_string());
        matches!(job.release, ReleaseChoice::One(_)) && !stored.contains(&stands)
    };
    Ok(declaration.jobs.iter().filter(new).map(|job| (&job.plugin, &job.release)).collect())
}
