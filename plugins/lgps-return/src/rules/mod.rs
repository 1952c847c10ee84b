//! The rules as pure functions of money, dates and text. They know nothing of rows, findings or the hub.

mod assumed_pay;
mod bands;
mod contribution;
mod ni_number;
mod words;

pub use assumed_pay::{ReducedPay, average_of_three};
pub use bands::{Band, BandTable, BandTableUnusable, Rate};
pub use contribution::{Tolerance, accrued, percent_of_one};
pub use ni_number::{NiNumberFault, Suffix, check_ni_number};
pub use words::{BreakReason, Hours, Reduction, Scheme, Section, Status};
