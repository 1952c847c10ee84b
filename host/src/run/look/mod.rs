//! What people look at of a run: its files row by row, masked; another run beside it; its rejects value by value, judged before they come back.
//!
//! Nothing here changes a run. What is shown is masked here, not where it is shown.

mod compare;
mod file;
mod row;

pub use file::{Preview, PreviewColumn, RunFile, Side};
pub use row::{RejectRows, Verdict};
