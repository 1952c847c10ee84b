//! What can be wrong with a value: a stable code, and a sentence that says what to do.

use crate::model::job::DateStyle;
use crate::model::outcome::Reason;
use crate::model::rows::{Amount, ColumnKind, ColumnShape};

/// Longest value that is shown in a message, in characters.
const SHOWN_CHARS_MAX: usize = 40;

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Fault {
    Missing,
    Nul,
    Control(char),
    DirectionMark(char),
    Invisible(char),
    Replacement,
    TextTooLong { length: usize, max: u32 },
    NotANumber,
    CurrencySign,
    ThousandsComma,
    PercentSign,
    MinusStyle,
    Exponent,
    PointAlone,
    TooManyDecimals { scale: u8 },
    TooLarge { scale: u8 },
    DateStyle { style: DateStyle },
    NotInCalendar { year: u16, month: u16 },
    YearOutside,
    NotABoolean,
    JsonKind { found: &'static str },
    NotInWindows1252(char),
    TooWide { length: usize, width: usize },
    LikeFilling(char),
    LineEnd,
}

/// A value as a message may show it: cut, made visible, and not at all where it is personal.
fn shown(value: &str, personal: bool) -> String {
    if personal {
        return "the value (not shown: personal)".to_owned();
    }
    let mut text: String = value.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN_CHARS_MAX).is_some() {
        text.push('…');
    }
    format!("“{text}”")
}

impl Fault {
    /// A NUL explains itself better than whatever it broke.
    pub(super) fn nul_or(text: &str, other: Self) -> Self {
        if text.contains('\0') { Self::Nul } else { other }
    }

    /// Short and stable.
    pub(in crate::format) const fn code(self) -> &'static str {
        match self {
            Self::Missing => "value-missing",
            Self::Nul => "nul-character",
            Self::Control(_) => "control-character",
            Self::DirectionMark(_) => "direction-mark",
            Self::Invisible(_) => "invisible-character",
            Self::Replacement => "character-lost",
            Self::TextTooLong { .. } => "text-too-long",
            Self::NotANumber => "number-invalid",
            Self::CurrencySign => "number-currency-sign",
            Self::ThousandsComma => "number-thousands-comma",
            Self::PercentSign => "number-percent-sign",
            Self::MinusStyle => "number-minus-style",
            Self::Exponent => "number-exponent",
            Self::PointAlone => "number-point-alone",
            Self::TooManyDecimals { .. } => "number-too-many-decimals",
            Self::TooLarge { .. } => "number-too-large",
            Self::DateStyle { .. } => "date-style",
            Self::NotInCalendar { .. } => "date-not-in-calendar",
            Self::YearOutside => "date-year-outside",
            Self::NotABoolean => "yes-no-invalid",
            Self::JsonKind { .. } => "value-kind",
            Self::NotInWindows1252(_) => "character-not-in-encoding",
            Self::TooWide { .. } => "value-too-wide",
            Self::LikeFilling(_) => "value-like-filling",
            Self::LineEnd => "line-end-in-value",
        }
    }

    /// What is wrong, and what to do.
    pub(in crate::format) fn message(self, value: &str, shape: &ColumnShape) -> String {
        let kind = shape.kind;
        let value = shown(value, shape.personal);
        match self {
            Self::Missing => format!("There is no value, and every row must have one: fill in the {kind}."),
            Self::Nul => "The value holds a NUL character, as damaged files do: export the file again.".to_owned(),
            Self::Control(character) => {
                format!("The value holds a control character (U+{:04X}): delete it or type the value again.", u32::from(character))
            }
            Self::DirectionMark(character) => format!(
                "The value holds a hidden mark that changes the direction of writing (U+{:04X}): type the value again.",
                u32::from(character)
            ),
            Self::Invisible(character) => {
                format!("The value holds a character that cannot be seen (U+{:04X}): type the value again.", u32::from(character))
            }
            Self::Replacement => "A character of the value was lost when it was exported (it shows as �): type the value again.".to_owned(),
            Self::TextTooLong { length, max } => {
                format!("{value} has {length} characters and may have {max}: shorten it.")
            }
            Self::NotANumber if matches!(kind, ColumnKind::Integer) => {
                format!("{value} is not a whole number: write digits only, such as 1234.")
            }
            Self::NotANumber => format!("{value} is not a number: write digits and at most one point, such as 1234.56."),
            Self::CurrencySign => format!("{value} has a currency sign: write the amount as digits and a point only, such as 1234.56."),
            Self::ThousandsComma => format!("{value} has commas: write it without them, such as 1234.56."),
            Self::PercentSign => format!("{value} has a per cent sign: write the number without it."),
            Self::MinusStyle => format!("{value}: write a negative amount with a minus sign before it, such as -12.50."),
            Self::Exponent => {
                format!("{value} is in scientific notation, so digits may be lost: format the column as a number and export again.")
            }
            Self::PointAlone => format!("{value} has no digit on one side of its point: write it such as 0.50."),
            Self::TooManyDecimals { scale: 0 } => format!("{value} is not a whole number: this column takes no digits after a point."),
            Self::TooManyDecimals { scale } => {
                format!("{value} has more than {scale} digits after the point: round it and correct it, for nothing is rounded here.")
            }
            Self::TooLarge { scale } => {
                format!("{value} is too large: the largest number that can be held is {:#}.", Amount::new(i64::MAX, scale))
            }
            Self::DateStyle { style } => format!("{value} is not a date as this file writes them: write it like {}.", example(style)),
            Self::NotInCalendar { .. } if shape.personal => "The date is not in the calendar: correct it.".to_owned(),
            Self::NotInCalendar { year, month } => not_in_calendar(&value, year, month),
            Self::YearOutside => "The date lies outside the years 1 to 9999, which no file can hold.".to_owned(),
            Self::NotABoolean => format!("{value} is neither yes nor no: write true or false, yes or no, y or n, 1 or 0."),
            Self::JsonKind { found } => format!("The value is {found} where {} is expected.", expected(kind)),
            Self::NotInWindows1252(character) => {
                format!("The value holds the character {character:?}, which Windows-1252 does not have: use UTF-8, or another spelling.")
            }
            Self::TooWide { length, width } => {
                format!(
                    "{value} takes {length} characters and the field has {width}: nothing is cut off, so shorten the value or widen the field."
                )
            }
            Self::LikeFilling(fill) => format!(
                "{value} has {fill:?} where the field is filled up with it, so a reader would lose it: fill the field with another character."
            ),
            Self::LineEnd => "The value has more than one line, and a line of this file cannot hold that.".to_owned(),
        }
    }

    /// The same for a reject.
    pub(in crate::format) fn reason(self, value: &str, shape: &ColumnShape) -> Reason {
        Reason { column: Some(shape.name.clone()), code: self.code().to_owned(), message: self.message(value, shape) }
    }
}

fn not_in_calendar(value: &str, year: u16, month: u16) -> String {
    const MONTHS: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    match MONTHS.get(usize::from(month).wrapping_sub(1)) {
        Some(name) if year > 0 => format!("{value} is not in the calendar: {name} {year} has no such day. Correct the date."),
        Some(_) => format!("{value} is not in the calendar: there is no year 0. Correct the date."),
        None => format!("{value} is not in the calendar: there is no month {month}. Look whether day and month changed places."),
    }
}

const fn example(style: DateStyle) -> &'static str {
    match style {
        DateStyle::Iso => "2026-03-31",
        DateStyle::DayMonthYear => "31/03/2026",
        DateStyle::Compact => "20260331",
    }
}

const fn expected(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Integer => "a whole number",
        ColumnKind::Decimal { .. } | ColumnKind::Money { .. } => "a number or a text such as \"1234.56\"",
        ColumnKind::Date => "a date in quotation marks",
        ColumnKind::Text => "text in quotation marks",
        ColumnKind::Boolean => "true or false",
    }
}
