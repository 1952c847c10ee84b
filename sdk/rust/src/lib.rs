//! Write plugins for the Bailiwick integration hub: adapters, which turn rows into rows, rule sets, which decide cases,
//! formats, which turn rows into files and files into rows, and connectors, which fetch files from a provider's API and send them.
//!
//! A plugin is a crate of its own that implements [`Adapter`], [`RuleSet`], [`Format`] or [`Connector`] and says [`register!`]. It is plain Rust:
//! `cargo test` runs it natively, and `bailiwick plugin build` makes it a component for the sandbox.
//!
//! ```
//! use bailiwick_sdk::{Adapter, Context, Failure, Hub, Money, Out, Reject, Rows, register};
//! use serde::{Deserialize, Serialize};
//!
//! struct Expenses;
//!
//! #[derive(Deserialize)]
//! struct Claim<'a> {
//!     claimant: &'a str,
//!     amount: Money,
//! }
//!
//! #[derive(Serialize)]
//! struct Payment<'a> {
//!     payee: &'a str,
//!     amount: Money,
//! }
//!
//! impl Adapter for Expenses {
//!     type Settings = ();
//!
//!     fn open(_: &Context, (): (), _: &Hub) -> Result<Self, Failure> {
//!         Ok(Self)
//!     }
//!
//!     fn push(&mut self, _: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
//!         for row in rows.read::<Claim>() {
//!             let claim = row.value;
//!             if claim.amount.is_negative() {
//!                 out.reject(row.number, Reject::new("amount-negative", "A claim cannot be below nothing.").column("amount"));
//!             } else {
//!                 out.write("payments", &Payment { payee: claim.claimant, amount: claim.amount })?;
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! register!(adapter Expenses);
//! # fn main() {}
//! ```
//!
//! What happens to rows: [`Rows`] and [`Out`]. Exact values: [`Money`], [`Decimal`], [`Date`]. What the hub lends: [`Hub`].
//! Tests: [`testing`], natively only.

#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod bindings;

mod adapter;
mod connector;
mod failure;
mod format;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
mod hub;
mod register;
mod rows;
mod rule_set;
mod values;

#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod wire;

pub use rust_decimal::Decimal;
pub use time::Weekday;

pub use adapter::{Adapter, Context, Done};
pub use connector::{Connector, Fetching, FileSession, Http, HttpError, HttpRequest, HttpResponse, Page, Sending, Sent, Trouble};
pub use failure::{Failure, Problem};
pub use format::{FileContext, FileOut, FileReader, FileWriter, Format, Line, Lines, OneWay, Place, Records};
pub use hub::{Hub, Instant, Level, StateError, Table, TableRow, TableVersion};
pub use rows::{Out, Read, Reason, Reject, Row, Rows};
pub use rule_set::{Action, Decision, RuleReason, RuleSet, Verdict};
pub use values::{Date, Money, NotADate, NotMoney, Overflow, Rounding};
