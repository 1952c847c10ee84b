//! One value: from the characters of a file into a column, and back.
//!
//! It knows types and sentences for clerks, and nothing of records, files or formats.

mod boolean;
mod date;
mod fault;
mod number;
mod text;

pub(super) use boolean::parse_boolean;
pub(super) use date::{DATE_BYTES_MAX, WrittenDate, parse_date, write_date};
pub(super) use fault::Fault;
pub(super) use number::{NUMBER_BYTES_MAX, parse_fixed_point, put_fixed_point, write_fixed_point};
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

/// A value, and what stands around it: short values are read in steps of known length, which may reach beyond them.
#[derive(Clone, Copy)]
pub(super) struct Within<'a> {
    pub(super) around: &'a [u8],
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> Within<'a> {
    /// The value.
    #[inline(always)]
    fn bytes(self) -> &'a [u8] {
        &self.around[self.start..self.end]
    }

    /// The same as text; none of it where it is none.
    fn text(self) -> &'a str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }
}

/// Puts a value of printable ASCII into its column; whether it could. Nothing is said of what is wrong with it: [`push`] does
/// that, and takes what this takes to the same.
#[inline(always)]
pub(super) fn push_plain(mut value: Within<'_>, shape: &ColumnShape, dates: DateStyle, to: &mut ColumnBuilder) -> bool {
    while let [b' ', ..] = value.bytes() {
        value.start += 1;
    }
    while let [.., b' '] = value.bytes() {
        value.end -= 1;
    }
    if value.start == value.end {
        if !shape.required {
            to.push_absent();
        }
        return !shape.required;
    }
    match shape.kind {
        ColumnKind::Text => {
            let fits = shape.length_max.is_none_or(|max| value.end - value.start <= max as usize);
            if fits {
                to.push_utf8(value.around, value.start, value.end);
            }
            fits
        }
        ColumnKind::Money { scale } | ColumnKind::Decimal { scale } => {
            pushed(plain_fixed_point(value, scale), |number| to.push_number(number))
        }
        ColumnKind::Integer => pushed(plain_fixed_point(value, 0), |number| to.push_number(number)),
        ColumnKind::Date => match date::usual_date(value.bytes(), dates) {
            Some(days) => pushed(Some(days), |days| to.push_date(days)),
            None => pushed(parse_date(value.text(), dates).ok(), |days| to.push_date(days)),
        },
        ColumnKind::Boolean => pushed(parse_boolean(value.text()).ok(), |truth| to.push_boolean(truth)),
    }
}

#[inline(always)]
fn plain_fixed_point(value: Within<'_>, scale: u8) -> Option<i64> {
    number::usual_fixed_point(value, scale).or_else(|| parse_fixed_point(value.text(), scale).ok())
}

#[inline(always)]
fn pushed<T>(value: Option<T>, push: impl FnOnce(T)) -> bool {
    value.map(push).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rows::BatchBuilder;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_usual_way_comes_to_the_same(
            text in "[ -~]{0,12}|-?[0-9]{0,9}\\.?[0-9]{0,4}|[0-9]{4}-[01][0-9]-[0-3][0-9]|[0-3][0-9]/[01][0-9]/[0-9]{4}|[0-9]{8}",
            kind in prop::sample::select(vec![
                ColumnKind::Text, ColumnKind::Integer, ColumnKind::Date, ColumnKind::Boolean,
                ColumnKind::Money { scale: 2 }, ColumnKind::Decimal { scale: 4 }, ColumnKind::Decimal { scale: 18 },
            ]),
            dates in prop::sample::select(vec![DateStyle::Iso, DateStyle::DayMonthYear, DateStyle::Compact]),
            required in any::<bool>(),
            before in "[0-9.]{0,12}",
            after in "[0-9.]{0,20}",
        ) {
            let shape = ColumnShape { name: "n".to_owned(), kind, required, personal: false, length_max: Some(9), about: String::new() };
            let around = format!("{before}{text}{after}");
            let value = Within { around: around.as_bytes(), start: before.len(), end: before.len() + text.len() };
            let (mut usual, mut any) = (BatchBuilder::new(std::slice::from_ref(&shape)), BatchBuilder::new(std::slice::from_ref(&shape)));
            if push_plain(value, &shape, dates, &mut usual.columns[0]) {
                let trimmed = trimmed(&text, true);
                prop_assert_eq!(push(trimmed, &shape, Reading { dates, plain: true }, &mut any.columns[0]), Ok(()));
                usual.end_row();
                any.end_row();
                prop_assert_eq!(usual.take(0), any.take(0));
            }
        }
    }
}
