//! What `claim-routing` needs of the SDK: its values and words as they are, and a hub of a peer's making.
//!
//! The rule's sources are compiled against it without a change. Its tables are lent by the host, as they are to a plugin of
//! Bailiwick, or lie in the plugin, which no hub could then keep up to date: what Extism is quickest with, and all that
//! `wasmtime serve` has.

pub mod answer;
pub mod tables;

mod hub;

use serde::de::DeserializeOwned;

pub use hub::{Hub, Table, TableRow, Tables};
pub use real::{Action, Date, Decimal, Decision, Failure, Money, Rounding, RuleReason, Verdict};

/// As in the SDK, with the hub of this crate.
pub trait RuleSet: Sized + 'static {
    /// The job's settings.
    type Settings: DeserializeOwned + 'static;
    /// A case.
    type Case: DeserializeOwned + 'static;

    /// Decides a case.
    fn decide(case: &Self::Case, settings: &Self::Settings, hub: &Hub) -> Result<Decision, Failure>;
}

/// Exports are written by the plugin.
#[macro_export]
macro_rules! register {
    (rule_set $plugin:ty) => {};
}
