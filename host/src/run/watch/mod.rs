//! How a hub is watched: whether it has what it needs, and how things stand.

mod ready;
mod scrape;

pub use ready::Readiness;
