//! What the hub lends to plugins, a file an interface: bounded, and the same on every replay of a run.
//!
//! It must not reach outside the hub: no file, no socket, no clock. All it gives comes from the run's `Setup`; a connector's
//! requests go through the line that stands there.

mod clock;
mod http;
mod log;
mod lookup;
mod random;
mod settings;
mod state;

pub use http::{HttpBounds, HttpLine};
pub use log::{LogLevel, LogNote};

pub(super) use http::HttpUse;
pub(super) use log::LogBook;
#[allow(unreachable_pub, reason = "bindgen re-exports it")]
pub use lookup::OpenTable;
pub(super) use lookup::OpenTables;
pub(super) use random::RandomStream;
pub(super) use state::KeptState;
