//! Counts, names, ids and digests as they are stored.

use std::fmt::Display;
use std::str::FromStr;

use crate::ledger::error::{LedgerError, corrupt};

/// A count as the database holds it. Counts beyond nine quintillion do not come up.
pub(in crate::ledger) fn to_stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as it was stored.
pub(in crate::ledger) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A name, id or digest as it was stored.
pub(in crate::ledger) fn parsed<T: FromStr<Err: Display>>(text: &str, what: &str) -> Result<T, LedgerError> {
    text.parse().map_err(|why: T::Err| corrupt(format!("{what} {text:?}"), &why))
}

/// The same where there may be none.
pub(in crate::ledger) fn parsed_option<T: FromStr<Err: Display>>(text: Option<&str>, what: &str) -> Result<Option<T>, LedgerError> {
    text.map(|text| parsed(text, what)).transpose()
}
