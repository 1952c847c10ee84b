//! The figures of a hub as Prometheus reads them: what it has counted, and how things stand in the ledger now.

use std::sync::Arc;
use std::time::Instant;

use crate::ledger::{LedgerError, OfJob};
use crate::run::Hub;
use crate::telemetry::{Figures, Gauges, PerJob};

impl Hub {
    /// What this hub counts.
    #[must_use]
    pub fn figures(&self) -> &Arc<Figures> {
        &self.shared.figures
    }

    /// Everything, as Prometheus reads it.
    ///
    /// # Errors
    /// What the ledger failed of.
    pub async fn figures_text(&self) -> Result<String, LedgerError> {
        let asked = Instant::now();
        let ready = self.readiness().await.into_iter().map(|one| (one.what, one.why_not.is_none())).collect();
        let now_ms = self.clock().now_ms();
        let stand = self.ledger().standing(now_ms).await?;
        let seconds = |since_ms: i64| now_ms.saturating_sub(since_ms).max(0) / 1_000;
        let waiting = self.ledger().rejects_waiting().await?;
        let each = |of: fn(&OfJob) -> i64| summed(stand.open.iter().map(|each| per_job(each, of(each))));
        let mut leases = stand.leases.clone();
        if leases.iter().all(|(hub, _)| hub != self.id().as_str()) {
            leases.push((self.id().as_str().to_owned(), 0));
        }
        let gauges = Gauges {
            hub: self.id().as_str().to_owned(),
            ready,
            open: stand.open.iter().map(|of| per_job(of, of.runs)).collect(),
            uncertain: each(|of| of.uncertain),
            overdue: each(|of| of.overdue),
            queue: (stand.claimable, stand.claimable_since_ms.map_or(0, seconds)),
            leases,
            leases_expired: stand.leases_expired,
            quarantine: waiting.iter().map(|of| per_job(of, of.runs)).collect(),
            quarantine_oldest: waiting.iter().map(|of| per_job(of, seconds(of.since_ms))).collect(),
            webhooks_waiting: self.ledger().webhooks_waiting().await?,
            connections: self.ledger().connections_open(),
            disk_free_bytes: self.disk_free_bytes().and_then(|free| i64::try_from(free).ok()),
            took: asked.elapsed(),
        };
        Ok(self.shared.figures.text(&gauges))
    }
}

fn per_job(of: &OfJob, number: i64) -> PerJob {
    PerJob { partner: of.partner.clone(), job: of.job.clone(), state: of.state.clone(), number }
}

/// The same over all states.
fn summed(each: impl Iterator<Item = PerJob>) -> Vec<PerJob> {
    let mut sums: Vec<PerJob> = Vec::new();
    for one in each {
        match sums.iter_mut().find(|sum| (&sum.partner, &sum.job) == (&one.partner, &one.job)) {
            Some(sum) => sum.number += one.number,
            None => sums.push(PerJob { state: String::new(), ..one }),
        }
    }
    sums
}
