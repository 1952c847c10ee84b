//! Packages: what a plugin says of itself, the tables it brings, and the cases that it is tested with.
//!
//! It must not know the sandbox, the ledger or the network.

pub mod carried;
pub mod cases;
pub mod manifest;
pub mod masking;
pub mod package;
pub mod review;
pub mod schema;
pub mod signature;
pub mod source;
pub mod tables;
