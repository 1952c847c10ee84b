//! What is counted of a run, for whoever watches the hub.

use std::time::Duration;

use crate::ledger::{Claim, Run, Trigger};
use crate::model::limits::Limits;
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::telemetry::{Counted, RowsCounted};

/// Whose figures a run's are.
pub(super) fn counted(run: &Run) -> Counted<'_> {
    Counted { partner: run.partner().as_str(), of: run.job().as_str() }
}

impl Hub {
    /// How long a run waited for its first claim.
    pub(super) fn count_claim(&self, claim: &Claim) {
        if claim.lease.number > 1 {
            return;
        }
        let now_ms = self.clock().now_ms();
        let since = |ms: i64| Duration::from_millis(u64::try_from(now_ms.saturating_sub(ms)).unwrap_or(0));
        let lag = (claim.run.trigger() == Trigger::Schedule).then(|| since(claim.run.enqueued.logical_ms));
        self.figures().claimed(since(claim.run.enqueued_at_ms), lag);
    }

    /// What a run's rows came to.
    pub(super) fn count_rows(&self, run: &Run) {
        let rows = run.rows;
        let (read, accepted, rejected, skipped, written) = (rows.read, rows.accepted, rows.rejected, rows.skipped, rows.written);
        self.figures().processed(counted(run), RowsCounted { read, accepted, rejected, skipped, written });
    }

    /// Whether a limit of the sandbox ended a run: its name is the reason's code then.
    pub(super) fn count_limit(&self, claim: &Claim, error: &RunError) {
        if Limits::named(error.code()).is_some() {
            self.figures().stopped_by(counted(&claim.run), error.code());
        }
    }
}
