//! What must hold for any bytes that reach the hub from outside, one function a boundary.
//!
//! Each takes bytes, panics when something does not hold, and answers nothing. libFuzzer calls them through `targets/`;
//! the suite calls them with every file of `corpus/`. They know the hub's public surface only.

mod answers;
mod bytes;
mod component;
mod config;
mod files;
mod manifest;
mod texts;

pub use answers::answers;
pub use component::component;
pub use config::config;
pub use files::{csv, fixed_width, json_lines};
pub use manifest::manifest;

/// A boundary: its name, as its target and its folder of the corpus have it, and what must hold.
pub type Target = (&'static str, fn(&[u8]));

/// Every boundary.
pub const TARGETS: &[Target] = &[
    ("answers", answers),
    ("component", component),
    ("config", config),
    ("csv", csv),
    ("fixed-width", fixed_width),
    ("json-lines", json_lines),
    ("manifest", manifest),
];
