//! The hub as a whole, with its real parts: plugins built and compiled, a ledger on disk, folders to take from and deliver to.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test that fails says where by itself")]

mod support;

mod access;
mod again;
mod amend;
mod api;
mod at_rest;
mod audit;
mod bad_input;
mod book;
mod changes;
mod chaos;
mod cli;
mod connectors;
mod console;
mod contract;
mod determinism;
mod example;
mod faults;
mod formats;
mod fuzz;
mod hubs;
mod isolation;
mod kills;
mod long_runs;
mod oci;
mod operating;
mod outside;
mod pages;
mod partitions;
mod pauses;
mod plugin_bench;
mod promises;
mod promotion;
mod recovery;
mod releases;
mod replayable;
mod sandbox;
mod schedule;
mod secrets;
mod server;
mod ten_minutes;
