//! One value: from the characters of a file into a column, and back.
//!
//! It knows types and sentences for clerks, and nothing of records, files or formats.

mod boolean;
mod date;
mod fault;
mod number;
mod text;

pub(super) use boolean::parse_boolean;
pub(super) use date::{parse_date, write_date};
pub(super) use fault::Fault;
pub(super) use number::{parse_fixed_point, write_fixed_point};
pub(super) use text::{Windows1252, check_text, is_plain, trimmed};

use crate::model::job::DateStyle;
use crate::model::rows::{ColumnBuilder, ColumnKind, ColumnShape};

/// How the values of a file are to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// How dates are written.
    pub(super) dates: DateStyle,
    /// Whether the record is printable ASCII throughout, so that no text of it needs another look.
    pub(super) plain: bool,
}

/// Puts a value, already trimmed, into its column. An empty one is absent.
#[inline(always)]
pub(super) fn push(value: &str, shape: &ColumnShape, reading: Reading, to: &mut ColumnBuilder) -> Result<(), Fault> {
    if value.is_empty() {
        if shape.required {
            return Err(Fault::Missing);
        }
        to.push_absent();
        return Ok(());
    }
    match shape.kind {
        ColumnKind::Text => {
            check_text(value, reading.plain, shape.length_max)?;
            to.push_text(value);
        }
        ColumnKind::Money { scale } | ColumnKind::Decimal { scale } => to.push_number(parse_fixed_point(value, scale)?),
        ColumnKind::Integer => to.push_number(parse_fixed_point(value, 0)?),
        ColumnKind::Date => to.push_date(parse_date(value, reading.dates)?),
        ColumnKind::Boolean => to.push_boolean(parse_boolean(value)?),
    }
    Ok(())
}
