//! What the ledger keeps for dealing with places outside.
//!
//! Must not know what a place is, nor what a sealed value holds.

mod secrets;

pub use secrets::{NewSecret, StoredSecret};
