//! Runs: their queue, their leases, their log and what can be read of them.
//!
//! What happens to a run is an event ([`RunEvent`]); how it stands ([`Run`]) is the fold of its events. Every write goes one way:
//! the row is read, the event is permitted or refused by how the run stands, written, folded in, and the row is saved,
//! all in one transaction (`record`). The same fold rebuilds a row from the log alone.

mod amend;
mod event;
mod found;
mod lease;
mod look;
mod partition;
mod queue;
mod read;
mod record;
mod row;
mod run;
mod state;

pub use amend::{Chosen, Keeping, NewResubmission, QuarantineFilter, Quarantined, ResendAsk, Resubmitted, Waiting, WaitingGroup};
pub use event::{
    Claimed, Closed, Cut, Delivered, DuplicateOf, Enqueued, Failed, FormatUsed, LimitUse, LoggedEvent, Outcome, Overdue, Partitioned, Pins,
    Processed, Pulled, PulledFile, Reason, ResendBegun, Resent, Retried, RunEvent, Session, Settled, StagedOutput, StateChange, TableUsed,
    Trigger, Word,
};
pub use found::{FindingId, Found, FoundEffect, LeftQuarantine, LogLine, NewFinding, NotAFindingId, Quarantine, StoredFinding};
pub use lease::{Claim, Instruction, Lease, Step};
pub use look::{RunTotals, StateCount};
pub use partition::{Cutting, Partition, PartitionClaim, PartitionEnd, PartitionLease};
pub use queue::{Due, DueSlot, NewRun, Queued};
pub use read::{FileQuestion, Receipt, RunFilter, TakenFile};
pub use run::{DELIVERY_UNCERTAIN, Run, RunRows, Standing};
pub use state::{NotAState, RunState};

pub(super) use amend::uses;
pub(super) use lease::{Steps, fenced, steps};
pub(super) use partition::{follow, forget};
pub(super) use queue::{Arrivals, arrivals, id_at, run_of_slot};
pub(super) use record::{begin, events_of, files_and_receipts, record, state_changes};
pub(super) use row::{load, save};
