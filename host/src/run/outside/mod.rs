//! Connections and their credentials, as a person sees to them.

mod check;
mod notify;
mod secrets;

pub use check::Checkup;
pub use secrets::Rotation;
