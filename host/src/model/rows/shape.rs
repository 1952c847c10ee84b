//! What a plugin's manifest declares of its inputs and outputs.

use std::fmt;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Whole numbers of 64 bits.
    Integer,
    /// Exact decimals with `scale` digits after the point, that are not money.
    Decimal {
        /// 0 to 18.
        scale: u8,
    },
    /// Money in pounds sterling, with `scale` digits after the point.
    Money {
        /// 0 to 18; 2 unless the manifest says otherwise.
        scale: u8,
    },
    /// Civil dates.
    Date,
    /// Text.
    Text,
    /// Truth values.
    Boolean,
}

impl ColumnKind {
    /// Digits after the point; 0 where the type has none.
    #[must_use]
    pub const fn scale(self) -> u8 {
        match self {
            Self::Decimal { scale } | Self::Money { scale } => scale,
            Self::Integer | Self::Date | Self::Text | Self::Boolean => 0,
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Integer => "whole number",
            Self::Decimal { .. } => "decimal number",
            Self::Money { .. } => "money",
            Self::Date => "date",
            Self::Text => "text",
            Self::Boolean => "yes or no",
        })
    }
}

/// One declared column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnShape {
    /// Its name: lower-case letters, digits and underscores. File headers are matched to it.
    pub name: String,
    /// Its type.
    pub kind: ColumnKind,
    /// Whether every row must have a value. The hub rejects a row without one.
    pub required: bool,
    /// Whether it holds personal data, to be masked in logs, errors and screens.
    pub personal: bool,
    /// Longest text in characters, where the type is text.
    pub length_max: Option<u32>,
    /// What it means, for people.
    pub about: String,
}

/// One declared input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortShape {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub about: String,
    /// Whether a job may leave it out. Only inputs can be optional.
    pub optional: bool,
    /// Its columns, in order.
    pub columns: Vec<ColumnShape>,
    /// Sets of columns whose values together appear once only; the hub rejects the later rows.
    pub unique: Vec<Vec<usize>>,
    /// For an aggregate output, the columns that name a group: the hub adds the other columns up.
    /// None where rows are passed on as they are.
    pub aggregate_by: Option<Vec<usize>>,
}

impl PortShape {
    /// The place of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}
