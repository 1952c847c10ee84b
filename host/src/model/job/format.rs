//! How a job's files are read and written.

use crate::model::ids::PluginName;

/// How a file is read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFormat {
    /// By the hub itself.
    BuiltIn(Format),
    /// By a plugin of the partner's.
    Plugin(FilePlugin),
}

/// A file format that is built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values after RFC 4180.
    Csv(CsvFormat),
    /// One JSON object a line.
    JsonLines(JsonLinesFormat),
    /// Every column at its place in the line.
    FixedWidth(FixedWidthFormat),
}

/// A plugin of the partner's that a file goes through: a format that makes or reads it, a connector that fetches or sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlugin {
    /// The plugin.
    pub plugin: PluginName,
    /// Its settings for this file: a JSON object.
    pub settings: serde_json::Value,
    /// The line of the job's file that names it.
    pub line: usize,
}

/// How characters are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// Windows-1252, as payroll systems on Windows write it.
    Windows1252,
}

/// How dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStyle {
    /// 2026-03-31.
    Iso,
    /// 31/03/2026.
    DayMonthYear,
    /// 20260331.
    Compact,
}

/// Options of CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFormat {
    /// How characters are coded.
    pub encoding: Encoding,
    /// Between values; a comma unless declared.
    pub delimiter: u8,
    /// How dates are written.
    pub dates: DateStyle,
    /// Headings in the file that differ from the columns' names: (column, heading).
    pub headings: Vec<(String, String)>,
    /// Whether columns of the file that the plugin does not declare are passed over; else the file is refused.
    pub other_columns_ignored: bool,
}

/// Options of JSON lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLinesFormat {
    /// How dates are written.
    pub dates: DateStyle,
}

/// Options of fixed width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedWidthFormat {
    /// How characters are coded.
    pub encoding: Encoding,
    /// How dates are written.
    pub dates: DateStyle,
    /// The columns and their places.
    pub fields: Vec<FixedField>,
    /// Between lines.
    pub line_end: LineEnd,
}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    CrLf,
}

/// One column of a fixed width line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedField {
    /// The column.
    pub column: String,
    /// Its first character, counted from 1.
    pub start: usize,
    /// How many characters.
    pub width: usize,
    /// On which side it is filled up.
    pub align: Align,
    /// With what it is filled up.
    pub fill: char,
    /// Whether a decimal is written without its point, as pence.
    pub point_implied: bool,
}

/// Which side a value stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text, usually.
    Left,
    /// Numbers, usually.
    Right,
}
