//! One JSON object a line. Money and decimals are texts, so that no reader turns them into floats.
//!
//! Read: keys are column names; numbers may be JSON numbers and are taken digit by digit; null is absent.
//! Written: every key, in declared order; null where a value is absent.

mod read;
mod write;

pub(super) use read::{Reader, not_an_object, refuse_long};
pub(super) use write::{Writer, texts_as_json};

pub use write::row_as_json;
