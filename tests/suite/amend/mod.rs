//! What persons put right after a run: outputs sent again, rejects that wait and come back corrected; and what is not kept for ever.

mod deliveries;
mod quarantine;
mod retention;
