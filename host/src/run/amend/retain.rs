//! Retention: what is older than a partner keeps it is given up, piece by piece, by the hub's clock or at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::connection::Artefacts;
use crate::ledger::{By, Keeping, Scope};
use crate::model::ids::{Digest, PartnerName};
use crate::model::job::Retention;
use crate::run::Hub;
use crate::run::failure::RunError;

const DAY_MS: i64 = 86_400_000;

/// How many days a message to a partner's own address is kept after it was taken or given up, unless events go sooner.
const MESSAGES_DAYS_DEFAULT: u32 = 90;

/// How often a hub looks for what may go.
const EVERY_MS: i64 = 3_600_000;

/// Batches of runs that the clock's work takes in one go, so that schedules do not wait for it.
const BATCHES_OF_CLOCK: usize = 10;

/// Artefacts that are looked at in one go.
const ARTEFACTS_AT_ONCE: u32 = 500;

/// How long an artefact must lie before it is removed: a run that is under way may have written the same bytes again, and not said so yet.
const SETTLED: Duration = Duration::from_secs(24 * 3_600);

/// What was given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retained {
    /// Runs whose files expired.
    pub runs: u64,
    /// Runs whose rejects were cleared.
    pub rejects: u64,
    /// Runs whose log was trimmed.
    pub logs: u64,
    /// Files removed.
    pub artefacts: u64,
    /// Their bytes.
    pub artefact_bytes: u64,
    /// Whether there is more.
    pub more: bool,
}

impl Hub {
    /// Gives up all that is older than its partner keeps it. Files that were written in the last day stay until the next time.
    ///
    /// # Errors
    /// [`RunError::Ledger`] and [`RunError::Store`]; what was given up by then stays given up, and the next time goes on from there.
    pub async fn retain(&self, by: &By) -> Result<Retained, RunError> {
        let mut all = Retained::default();
        loop {
            let some = self.retain_some(usize::MAX, by).await?;
            all.runs += some.runs;
            all.rejects += some.rejects;
            all.logs += some.logs;
            all.artefacts += some.artefacts;
            all.artefact_bytes += some.artefact_bytes;
            if !some.more {
                return Ok(all);
            }
        }
    }

    /// The same of one partner, a piece at a time: where it says that there is more, it is asked for again.
    ///
    /// # Errors
    /// As for [`Hub::retain`].
    pub async fn retain_of(&self, partner: &PartnerName, by: &By) -> Result<Retained, RunError> {
        let mut some = Retained::default();
        let all = self.ledger().partners(Scope::Partner(partner)).await?;
        for of in all {
            self.give_up(&of.name, of.retention, (BATCHES_OF_CLOCK, &mut some), by).await?;
        }
        self.remove_artefacts(Scope::Partner(partner), &mut some).await?;
        Ok(some)
    }

    /// The same as a duty of the clock: once an hour, and a piece at a time.
    pub(in crate::run) async fn retain_in_time(&self) -> Result<(), RunError> {
        let now_ms = self.clock().now_ms();
        if now_ms < self.shared.retain_at_ms.load(Ordering::Relaxed) {
            return Ok(());
        }
        let some = self.retain_some(BATCHES_OF_CLOCK, &By::hub(self.id(), now_ms)).await?;
        if some != Retained::default() {
            tracing::info!(runs = some.runs, rejects = some.rejects, logs = some.logs, artefacts = some.artefacts, "retention applied");
        }
        if !some.more {
            self.shared.retain_at_ms.store(now_ms.saturating_add(EVERY_MS), Ordering::Relaxed);
        }
        Ok(())
    }

    async fn retain_some(&self, batches: usize, by: &By) -> Result<Retained, RunError> {
        let mut some = Retained::default();
        for (partner, retention) in self.ledger().retentions().await? {
            self.give_up(&partner, retention, (batches, &mut some), by).await?;
        }
        self.forget_messages(by.now_ms).await?;
        self.remove_artefacts(Scope::Hub, &mut some).await?;
        let (artefacts, now_ms) = (self.shared.store.clone(), self.clock().now_ms());
        tokio::task::spawn_blocking(move || artefacts.remove_copies(now_ms, SETTLED)).await.expect("removing does not panic")?;
        if some.rejects + some.logs > 0 {
            self.ledger().give_back_space().await?;
        }
        Ok(some)
    }

    /// Forgets messages to partners' own addresses that have ended: with the events that they told of, or after a while.
    async fn forget_messages(&self, now_ms: i64) -> Result<(), RunError> {
        for partner in self.ledger().partners(Scope::Hub).await? {
            let days = partner.retention.events_days.unwrap_or(MESSAGES_DAYS_DEFAULT).min(MESSAGES_DAYS_DEFAULT);
            let before_ms = now_ms.saturating_sub(i64::from(days) * DAY_MS);
            while self.ledger().forget_webhook_messages(&partner.name, before_ms).await? > 0 {}
        }
        Ok(())
    }

    async fn give_up(
        &self,
        partner: &PartnerName,
        retention: Retention,
        (batches, some): (usize, &mut Retained),
        by: &By,
    ) -> Result<(), RunError> {
        let Retention { artefacts_days, rejects_days, events_days } = retention;
        for (what, days) in [(Keeping::Artefacts, artefacts_days), (Keeping::Rejects, rejects_days), (Keeping::Log, events_days)] {
            let Some(days) = days else { continue };
            let before_ms = by.now_ms.saturating_sub(i64::from(days) * DAY_MS);
            let mut left = batches;
            loop {
                if left == 0 {
                    some.more = true;
                    break;
                }
                left -= 1;
                let runs = self.ledger().expire(what, partner, before_ms, by).await?.len() as u64;
                match what {
                    Keeping::Artefacts => some.runs += runs,
                    Keeping::Rejects => some.rejects += runs,
                    Keeping::Log => some.logs += runs,
                }
                if runs == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Removes files that no run uses any more.
    async fn remove_artefacts(&self, scope: Scope<'_>, some: &mut Retained) -> Result<(), RunError> {
        let mut after: Option<(Digest, PartnerName)> = None;
        loop {
            let going = self.ledger().artefacts_going(after.as_ref(), ARTEFACTS_AT_ONCE).await?;
            let Some(last) = going.last() else { return Ok(()) };
            after = Some(last.clone());
            for (digest, partner) in going.into_iter().filter(|(_, partner)| scope.covers(partner)) {
                if self.ledger().artefact_is_used(Scope::Partner(&partner), digest).await? {
                    self.ledger().artefact_gone(digest, &partner).await?;
                    continue;
                }
                // What an earlier version of the hub kept is one file for all partners: it goes with the last of them.
                let last = !self.ledger().artefact_is_used(Scope::Hub, digest).await?;
                let stores = [Some(self.shared.store.removable(&partner)), last.then(|| self.shared.store.clone())];
                let now_ms = self.clock().now_ms();
                let removal = move || {
                    let remove = |store: Artefacts| store.remove_settled(&digest, now_ms, SETTLED);
                    stores.into_iter().flatten().map(remove).collect::<Result<Vec<_>, _>>()
                };
                let removed = tokio::task::spawn_blocking(removal).await.expect("removing does not panic")?;
                let gone = removed.iter().all(Option::is_some);
                for bytes in removed.into_iter().flatten().flatten() {
                    some.artefacts += 1;
                    some.artefact_bytes += bytes;
                }
                if gone {
                    self.ledger().artefact_gone(digest, &partner).await?;
                }
            }
        }
    }
}
