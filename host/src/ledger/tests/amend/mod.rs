//! What persons put right: deliveries settled and sent again, rejects in quarantine, rows that come back.

mod deliveries;
mod quarantine;

use super::*;
