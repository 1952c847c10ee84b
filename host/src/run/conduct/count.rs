//! Steps written down, and what is counted of them for whoever watches the hub.

use std::time::Duration;

use tracing::Instrument as _;

use crate::ledger::{Claim, Run, RunState, Step, Trigger};
use crate::model::limits::Limits;
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::telemetry::{Counted, RowsCounted};

/// Whose figures a run's are.
pub(super) fn counted(run: &Run) -> Counted<'_> {
    Counted { partner: run.partner().as_str(), of: run.job().as_str() }
}

impl Hub {
    /// Writes a step down, and counts what it came to.
    pub(super) async fn append(&self, claim: &Claim, step: Step) -> Result<RunState, RunError> {
        let (processed, delivered) = (matches!(step, Step::Processed(..)), matches!(step, Step::Delivered(_)));
        let closes = if matches!(step, Step::Closed(_)) { tracing::info_span!("close") } else { tracing::Span::none() };
        let run = self.ledger().append(&claim.lease, self.clock().now_ms(), step).instrument(closes).await?;
        if processed {
            self.count_rows(&run);
        }
        if delivered {
            self.figures().delivered(counted(&run));
        }
        Ok(run.state)
    }

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
    fn count_rows(&self, run: &Run) {
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
