//! What persons put right: deliveries settled and sent again, rejects in quarantine, rows that come back; what expires.

mod deliveries;
mod quarantine;
mod retention;

use super::*;
