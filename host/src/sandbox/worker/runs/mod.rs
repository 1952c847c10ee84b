//! What an instance does over several calls: a run of an adapter, a file through a format.

mod adapter;
mod file;

pub use adapter::AdapterRun;
pub use file::{FileReading, FileWriting};
