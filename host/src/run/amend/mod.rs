//! What a person puts right after a run: outputs sent again, rejected rows that come back corrected.

mod corrections;
mod deliveries;

pub use corrections::{Corrections, ForCorrection};
