//! What a person puts right after a run: outputs sent again, rejected rows that come back corrected; and what is given up in time.

mod corrections;
mod deliveries;
mod incoming;
mod retain;

pub use corrections::{Corrections, ForCorrection};
pub use incoming::FileIn;
pub use retain::Retained;
