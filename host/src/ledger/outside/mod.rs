//! What the ledger keeps for dealing with places outside.
//!
//! Must not know what a place is, nor what a sealed value holds.

mod begun;
mod marks;
mod secrets;

pub use marks::MarkOf;
pub use secrets::{NewSecret, StoredSecret};
