//! Rows in and rows out: structs of the plugin's own on one side, typed columns on the other.

mod fault;
mod findings;
mod out;
mod read;
mod value;
mod write;

pub use findings::{Reason, Reject};
pub use out::Out;
pub use read::{Read, Row, Rows};

pub(crate) use findings::Findings;
pub(crate) use write::OutputWriter;
