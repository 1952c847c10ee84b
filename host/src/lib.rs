//! Bailiwick: an integration hub for shared public services.
//!
//! The rooms, in the order in which data flows through them; what each must not know stands in `ARCHITECTURE.md`.

pub mod model;

pub mod clock;
pub mod telemetry;

pub mod config;
pub mod registry;
pub mod schedule;

pub mod connection;
pub mod format;
pub mod ledger;
pub mod sandbox;
pub mod vault;

pub mod access;
pub mod run;

pub mod api;
pub mod console;
pub mod server;

pub mod cli;
