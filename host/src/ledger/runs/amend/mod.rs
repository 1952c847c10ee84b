//! What is put right after the fact, by persons: deliveries settled or sent again, rejects in quarantine, rows that come back corrected; and what is not kept for ever.
//!
//! Each is an event of the run, or a fact beside it, and an entry in the audit trail, in one transaction.

mod deliveries;
mod quarantine;
mod resubmit;
mod retain;

pub use deliveries::ResendAsk;
pub use quarantine::{Chosen, QuarantineFilter, Quarantined, Waiting, WaitingGroup};
pub use resubmit::{NewResubmission, Resubmitted};
pub use retain::Keeping;

pub(super) use quarantine::{closes, gives_back};
pub(in crate::ledger) use retain::uses;
