//! Files on their way through plugins: made and read by formats, fetched and sent by connectors.

mod connector;
mod format;

pub(in crate::sandbox) use connector::{OpenFetching, OpenSending};
pub(in crate::sandbox) use format::{OpenReader, OpenWriter, ReadSoFar};
