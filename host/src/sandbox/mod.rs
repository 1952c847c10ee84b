//! The sandbox: the only room that knows the WebAssembly runtime.
//!
//! A release is a component whose imports are its permission list. It is compiled once, in a child process that is
//! held to memory and time, and mapped by each worker thread from an authenticated cache. Every decision and every
//! run of an adapter has an instance of its own, which nothing else has used and nothing uses afterwards.
//!
//! ```text
//! install   inspect → initialise and compile (child process) → link → seal in the cache        → Release
//! worker    prepared release → store with limits → instance → call → validated answer + Report
//! contract  bindgen's types ⇄ model        lend  what the hub lends: log, clock, random, lookup, state, http
//! ```
//!
//! It must not know what a run, a job file, a database or a connection is, and it reads no clock but the monotonic one.

mod contract;
mod error;
mod inspect;
mod install;
mod lend;
mod runtime;
mod worker;

pub use contract::CONTRACTS;
#[doc(hidden)]
pub use contract::answers::{MadeDecision, MadeFinding, judge_decision, judge_outcome};
pub use error::{CallError, FailedCall, SandboxError};
pub use inspect::{Inspection, MANIFEST_SECTION, World, componentise, embed_section, inspect, read_section};
pub use install::{Release, Sandbox, SandboxOptions, asked_for, compile_component, snapshot_started};
pub use lend::{HttpBounds, HttpLine, LogLevel, LogNote};
pub(crate) use worker::thread_stack_bytes;
pub use worker::{AdapterRun, Fetching, FileReading, FileWriting, Report, Sending, Setup, Worker};
