//! What the hub lends to plugins, a file an interface: bounded, and the same on every replay of a run.
//!
//! It must not reach outside the hub: no file, no socket, no clock. All it gives comes from the run's `Setup`.

mod clock;
mod log;
mod lookup;
mod random;
mod settings;
mod state;

pub use log::{LogLevel, LogNote};

pub(super) use log::LogBook;
#[allow(unreachable_pub, reason = "bindgen re-exports it")]
pub use lookup::OpenTable;
pub(super) use lookup::OpenTables;
pub(super) use random::RandomStream;
pub(super) use state::KeptState;
