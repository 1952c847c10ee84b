//! Connections and their credentials, as a person sees to them.

mod check;
mod notify;
mod secrets;
mod webhooks;

pub use check::{CheckFailure, Checkup, ConnectionUse};
pub use secrets::Rotation;
pub use webhooks::TestAnswer;
