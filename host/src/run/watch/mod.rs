//! How a hub is watched: whether it has what it needs, and how things stand.

mod present;
mod ready;
mod scrape;

pub use present::GONE_MS;
pub use ready::Readiness;
