//! What persons put right after a run: outputs sent again, rejects that wait and come back corrected.

mod deliveries;
mod quarantine;
