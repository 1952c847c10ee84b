//! Runs a plugin natively: its `cases/` in `cargo test`, and anything else that wants it without a sandbox. No part of a plugin.
//!
//! ```no_run
//! # use bailiwick_sdk::{Adapter, Context, Failure, Hub, Out, Rows, register};
//! # struct Mileage;
//! # impl Adapter for Mileage {
//! #     type Settings = ();
//! #     fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> { Ok(Self) }
//! #     fn push(&mut self, _: &str, _: &Rows<'_>, _: &mut Out<'_>) -> Result<(), Failure> { Ok(()) }
//! # }
//! # register!(adapter Mileage);
//! #[test]
//! fn cases() {
//!     bailiwick_sdk::testing::run_cases::<Mileage>(env!("CARGO_MANIFEST_DIR"));
//! }
//! ```
//!
//! The hub's own work is done as far as cases need it: reading and writing CSV, and adding up aggregate outputs.
//! Schemas and limits are not checked here: `bailiwick plugin test` runs the same cases in the real sandbox.

mod adapter_cases;
mod case_files;
mod connector_cases;
mod csv_rows;
mod format_cases;
mod manifest;
mod native;
mod native_format;
mod rule_set_cases;
mod sums;
mod tables;
mod test_hub;

use std::fmt::Write as _;
use std::path::Path;

pub use native::{Native, context, decide};
pub use native_format::{FileRead, NativeFormat, NotWritten};
pub use test_hub::TestHub;

pub use adapter_cases::run_adapter_cases;
pub(crate) use connector_cases::Script;
pub use connector_cases::run_connector_cases;
pub use format_cases::run_format_cases;
pub use rule_set_cases::run_rule_set_cases;

/// A plugin whose cases can be run: whatever is [`register!`](crate::register)ed.
pub trait Cases {
    /// Runs the cases in a plugin's folder.
    fn run_cases(folder: &str);
}

/// Runs every case in `cases/` of a plugin's folder, `env!("CARGO_MANIFEST_DIR")`.
///
/// # Panics
/// If any case comes out otherwise than expected, with every difference; and if there is no case.
pub fn run_cases<P: Cases>(folder: &str) {
    P::run_cases(folder);
}

/// Panics with everything that is wrong, so that one run of the tests shows all of it.
fn report(folder: &Path, cases: usize, wrong: &[(String, String)]) {
    assert!(cases > 0, "{} holds no case: a plugin shows by its cases what it does", folder.join("cases").display());
    if wrong.is_empty() {
        return;
    }
    let mut text = String::new();
    for (case, what) in wrong {
        let _ = write!(text, "\n── case {case} ──\n{}\n", what.trim_end());
    }
    panic!("{} of {cases} cases came out otherwise than expected\n{text}", wrong.len());
}
