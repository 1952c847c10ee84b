//! Bailiwick: an integration hub for shared public services.

pub mod model;
