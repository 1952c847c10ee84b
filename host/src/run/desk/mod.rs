//! What is answered at once, with nothing kept: decisions, and rehearsals of a plugin's own cases.

mod decide;
mod rehearse;

pub use decide::{Decided, Question};
pub use rehearse::{CaseOutcome, Rehearsal, rehearse};
