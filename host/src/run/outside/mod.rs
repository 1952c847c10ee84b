//! Connections and their credentials, as a person sees to them, and the keys under which credentials and rows lie.

mod check;
mod keys;
mod notify;
mod secrets;
mod webhooks;

pub use check::{CheckFailure, Checkup, ConnectionUse};
pub use secrets::Rotation;
pub use webhooks::TestAnswer;
