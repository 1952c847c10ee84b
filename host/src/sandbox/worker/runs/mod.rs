//! What an instance does over several calls: a run of an adapter, a file through a format, a session with a provider.

mod adapter;
mod connector;
mod file;

pub use adapter::AdapterRun;
pub use connector::{Fetching, Sending};
pub use file::{FileReading, FileWriting};
