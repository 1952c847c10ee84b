//! A run as its events leave it: a fold over the log, and nothing else.
//!
//! Must not know the database, so that what is folded on the way and what is folded again after a crash cannot differ.

use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::who::HubId;
use crate::model::ids::{JobName, PartnerName, RunId};
use crate::model::totals::ControlTotals;

use super::event::{Enqueued, LoggedEvent, Outcome, Pins, Processed, Reason, Retried, RunEvent, Trigger};
use super::state::RunState;

/// The reason's code of a run of which a delivery may have arrived or not: a person asks its receiver.
pub const DELIVERY_UNCERTAIN: &str = "delivery-uncertain";

/// Rows of a run over all its inputs and outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunRows {
    /// Read from the inputs.
    pub read: u64,
    /// Of those, accepted.
    pub accepted: u64,
    /// Of those, rejected.
    pub rejected: u64,
    /// Of those, passed over.
    pub skipped: u64,
    /// Written to the outputs.
    pub written: u64,
}

impl From<&ControlTotals> for RunRows {
    fn from(totals: &ControlTotals) -> Self {
        let mut rows = Self::default();
        for input in &totals.inputs {
            rows.read += input.rows.read;
            rows.accepted += input.rows.accepted;
            rows.rejected += input.rows.rejected;
            rows.skipped += input.rows.skipped;
        }
        rows.written = totals.outputs.iter().map(|output| output.rows.accepted).sum();
        rows
    }
}

/// The processing that stands: the one whose outputs are, or will be, delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its event.
    pub event: u64,
    /// The lease under which its findings and log lines were written.
    pub lease: u64,
    /// Outputs staged.
    pub outputs: u64,
    /// Of them delivered.
    pub deliveries: u64,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it was enqueued as.
    pub enqueued: Enqueued,
    /// What its attempts work with; none until the first claim.
    pub pins: Option<Pins>,
    /// How it stands.
    pub state: RunState,
    /// Claims since it was enqueued, or since a person last sent it on its way.
    pub attempt: u64,
    /// The lease in force; 0 before the first.
    pub lease: u64,
    /// The hub that holds the lease, or held it last.
    pub hub: Option<HubId>,
    /// From when on a hub may claim it; none when there is nothing to be done.
    pub claimable_at_ms: Option<i64>,
    /// When it was enqueued.
    pub enqueued_at_ms: i64,
    /// When it was first claimed.
    pub started_at_ms: Option<i64>,
    /// When it ended, failed or was held.
    pub ended_at_ms: Option<i64>,
    /// Rows of the processing that stands.
    pub rows: RunRows,
    /// Warnings of the processing that stands.
    pub warnings: u64,
    /// The processing that stands.
    pub standing: Option<Standing>,
    /// Whether a person released it after it was held.
    pub released: bool,
    /// How it was closed.
    pub outcome: Option<Outcome>,
    /// Why it is held, failed, skipped, cancelled, or waits for its next attempt.
    pub reason: Option<Reason>,
    /// Whether it was not done when it should have been.
    pub overdue: bool,
    /// The last event that this takes in.
    pub last_event: u64,
}

impl Run {
    /// Its partner.
    #[must_use]
    pub const fn partner(&self) -> &PartnerName {
        &self.enqueued.partner
    }

    /// Its job.
    #[must_use]
    pub const fn job(&self) -> &JobName {
        &self.enqueued.job
    }

    /// Why it was enqueued.
    #[must_use]
    pub const fn trigger(&self) -> Trigger {
        self.enqueued.trigger
    }

    /// A run as its first event leaves it.
    pub(in crate::ledger) fn begin(id: RunId, first: &LoggedEvent) -> Result<Self, LedgerError> {
        let (1, RunEvent::Enqueued(enqueued)) = (first.seq, &first.event) else {
            return Err(corrupt(format!("the log of run {id}"), "it does not begin with the run being enqueued"));
        };
        Ok(Self {
            id,
            enqueued: (**enqueued).clone(),
            pins: enqueued.pins.clone(),
            state: RunState::Queued,
            attempt: 0,
            lease: 0,
            hub: None,
            claimable_at_ms: Some(first.at_ms),
            enqueued_at_ms: first.at_ms,
            started_at_ms: None,
            ended_at_ms: None,
            rows: RunRows::default(),
            warnings: 0,
            standing: None,
            released: false,
            outcome: None,
            reason: None,
            overdue: false,
            last_event: 1,
        })
    }

    /// A run as its whole log leaves it; none if the log is empty.
    pub(in crate::ledger) fn fold(id: RunId, events: &[LoggedEvent]) -> Result<Option<Self>, LedgerError> {
        let Some((first, rest)) = events.split_first() else { return Ok(None) };
        let mut run = Self::begin(id, first)?;
        rest.iter().try_for_each(|event| run.apply(event))?;
        Ok(Some(run))
    }

    /// Takes in what happened next.
    ///
    /// # Errors
    /// [`LedgerError::WrongState`] if that cannot happen to a run that stands as this one does.
    pub(in crate::ledger) fn apply(&mut self, next: &LoggedEvent) -> Result<(), LedgerError> {
        if next.seq != self.last_event + 1 {
            return Err(corrupt(format!("the log of run {}", self.id), &format!("event {} follows event {}", next.seq, self.last_event)));
        }
        self.permit(&next.event)?;
        self.last_event = next.seq;
        match &next.event {
            RunEvent::Enqueued(_) => unreachable!("permit refuses a second beginning"),
            RunEvent::Claimed(claimed) => {
                self.lease = next.lease;
                self.attempt += 1;
                self.hub = Some(HubId::new(claimed.hub.clone()));
                self.started_at_ms.get_or_insert(next.at_ms);
                self.pins = Some(claimed.pins.clone());
                self.claimable_at_ms = Some(claimed.until_ms);
                self.reason = None;
                self.state = self.at_work();
            }
            RunEvent::Pulled(_) | RunEvent::Partitioned(_) | RunEvent::ResendBegun(_) | RunEvent::Resent(_) => {}
            RunEvent::Processed(processed) => self.stage(next, processed),
            RunEvent::Delivered(_) => {
                self.state = RunState::Delivering;
                if let Some(standing) = &mut self.standing {
                    standing.deliveries += 1;
                }
            }
            RunEvent::Closed(closed) => {
                self.outcome = Some(closed.outcome);
                self.end(RunState::Closed, next.at_ms, None);
            }
            RunEvent::Held(reason) => self.end(RunState::Held, next.at_ms, Some(reason.clone())),
            RunEvent::Skipped(reason) => self.end(RunState::Skipped, next.at_ms, Some(reason.clone())),
            RunEvent::Cancelled(word) => {
                self.end(RunState::Cancelled, next.at_ms, Some(Reason { code: "cancelled".to_owned(), sentence: word.why.clone() }));
            }
            RunEvent::Failed(failed) => match failed.retry_at_ms {
                Some(at_ms) => {
                    self.state = RunState::Queued;
                    self.claimable_at_ms = Some(at_ms);
                    self.reason = Some(failed.reason.clone());
                    self.attempt -= u64::from(failed.waits);
                }
                None => self.end(RunState::Failed, next.at_ms, Some(failed.reason.clone())),
            },
            RunEvent::Released(_) => {
                self.released = true;
                self.requeue(next.at_ms);
            }
            RunEvent::Retried(retried) => self.retry(retried, next.at_ms),
            RunEvent::Overdue(_) => self.overdue = true,
            RunEvent::Settled(settled) => self.settle(settled.arrived.is_some(), next.at_ms),
        }
        Ok(())
    }

    /// Whether something can happen to a run that stands as this one does.
    fn permit(&self, event: &RunEvent) -> Result<(), LedgerError> {
        use RunState::{Delivering, Failed, Held, Queued, Running, Staged};
        let refused = |wanted: &str| Err(LedgerError::WrongState { run: self.id, state: self.state, wanted: wanted.to_owned() });
        let state = self.state;
        match event {
            RunEvent::Enqueued(_) => refused("it is in the queue once"),
            RunEvent::Claimed(_) if state != Queued && !state.is_leased() => refused("there is nothing left to claim"),
            RunEvent::Pulled(_) | RunEvent::Partitioned(_) | RunEvent::Processed(_) if state != Running => {
                refused("rows are processed while it is running")
            }
            RunEvent::Delivered(_) if self.enqueued.dry_run => refused("it is a dry run, which delivers nothing"),
            RunEvent::Delivered(_) if !matches!(state, Staged | Delivering) => refused("only what is staged is delivered"),
            RunEvent::Closed(_) if !matches!(state, Staged | Delivering) => refused("it closes after its rows were processed"),
            RunEvent::Closed(closed) => self.permit_close(closed.outcome),
            RunEvent::Held(_) | RunEvent::Failed(_) if !state.is_leased() => refused("nobody is at work on it"),
            RunEvent::Skipped(_) if !matches!(state, Queued | Running) => refused("what has begun is not skipped"),
            RunEvent::Released(_) if state != Held => refused("only a held run is released"),
            RunEvent::Retried(_) if !matches!(state, Held | Failed) => refused("only a held or failed run is retried"),
            RunEvent::Retried(Retried { afresh: true, .. }) if self.deliveries() > 0 => {
                refused("some of its outputs have been delivered: go on where it stopped, or cancel it")
            }
            RunEvent::Cancelled(_) if state.is_final() => refused("nothing of it is left to cancel"),
            RunEvent::Overdue(_) if self.overdue || self.claimable_at_ms.is_none() => refused("it is overdue once, while it is not done"),
            RunEvent::Settled(_) if !self.is_uncertain() => refused("no delivery of it is uncertain"),
            RunEvent::ResendBegun(_) if self.deliveries() == 0 || self.claimable_at_ms.is_some() => {
                refused("an output is sent again once it has been delivered and nobody is at work on the run")
            }
            _ => Ok(()),
        }
    }

    /// Whether it waits for a person to say whether a delivery arrived.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        self.state == RunState::Failed && self.reason.as_ref().is_some_and(|reason| reason.code == DELIVERY_UNCERTAIN)
    }

    fn permit_close(&self, outcome: Outcome) -> Result<(), LedgerError> {
        let standing = self.standing.unwrap_or_default();
        let wanted = match outcome {
            Outcome::Delivered if self.enqueued.dry_run => "it is a dry run, which closes as one".to_owned(),
            Outcome::Delivered if standing.deliveries < standing.outputs => {
                format!("{} of its {} outputs have been delivered: it closes when all have", standing.deliveries, standing.outputs)
            }
            Outcome::DryRun if !self.enqueued.dry_run => "it is no dry run".to_owned(),
            Outcome::Delivered | Outcome::DryRun => return Ok(()),
        };
        Err(LedgerError::WrongState { run: self.id, state: self.state, wanted })
    }

    /// Outputs delivered so far.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.standing.map_or(0, |standing| standing.deliveries)
    }

    fn at_work(&self) -> RunState {
        match self.standing {
            None => RunState::Running,
            Some(standing) if standing.deliveries == 0 => RunState::Staged,
            Some(_) => RunState::Delivering,
        }
    }

    fn stage(&mut self, event: &LoggedEvent, processed: &Processed) {
        self.state = RunState::Staged;
        self.rows = RunRows::from(&processed.totals);
        self.warnings = processed.warnings;
        self.standing = Some(Standing { event: event.seq, lease: event.lease, outputs: processed.outputs.len() as u64, deliveries: 0 });
    }

    fn end(&mut self, state: RunState, at_ms: i64, reason: Option<Reason>) {
        self.state = state;
        self.claimable_at_ms = None;
        self.ended_at_ms = Some(at_ms);
        self.reason = reason;
    }

    fn requeue(&mut self, at_ms: i64) {
        self.state = RunState::Queued;
        self.attempt = 0;
        self.claimable_at_ms = Some(at_ms);
        self.ended_at_ms = None;
        self.reason = None;
    }

    /// Sends it on: to its end with what arrived, or to the delivery that did not.
    fn settle(&mut self, arrived: bool, at_ms: i64) {
        if let Some(standing) = &mut self.standing {
            standing.deliveries += u64::from(arrived);
        }
        self.requeue(at_ms);
    }

    fn retry(&mut self, retried: &Retried, at_ms: i64) {
        self.requeue(at_ms);
        if retried.afresh {
            // A replay stays pinned to what its origin used: that is what it is for.
            self.pins.clone_from(&self.enqueued.pins);
            self.rows = RunRows::default();
            self.warnings = 0;
            self.standing = None;
            self.released = false;
        }
    }
}
