//! Exact values: money, rounding, civil dates. They know nothing of rows or the hub.

mod date;
mod money;
mod operators;
mod rounding;
mod text;

pub use date::{Date, NotADate};
pub use money::{Money, Overflow};
pub use rounding::Rounding;
pub use text::NotMoney;

pub(crate) use date::DATE;
pub(crate) use text::{MONEY, decimal_coefficient, decimal_text, pack, unpack};
