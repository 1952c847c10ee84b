//! What is answered at once, with nothing kept: decisions, rehearsals of a plugin's own cases, and how long they take.

mod bench;
mod decide;
mod judge;
mod offer;
mod rehearse;
mod rehearse_connector;
mod rehearse_format;

pub use bench::{BenchInput, BenchRounds, Benched, BenchedCase, LimitShare, bench};
pub(super) use decide::AllStanding;
pub use decide::{Decided, Question};
pub use offer::RuleSetOffer;
pub use rehearse::{CaseOutcome, Rehearsal, rehearse};
