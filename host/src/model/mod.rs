//! The hub's own words: names, rows, findings, decisions, limits, totals.
//!
//! Nothing here does input or output, waits, or knows the time, the database or the sandbox.

pub mod grant;
pub mod http;
pub mod ids;
pub mod job;
pub mod limits;
pub mod manifest;
pub mod outcome;
pub mod personal;
pub mod rows;
pub mod table;
pub mod totals;
