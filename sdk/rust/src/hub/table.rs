//! Reference tables as a plugin sees them.

use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::backing::OneTable;
use super::lookup_failure;
use crate::failure::Failure;
use crate::values::{Date, Money};
use crate::wire;

/// Rows of one call to the hub.
const PAGE_ROWS: u32 = 1_024;

/// Which version of a reference table answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// Name of the table.
    pub table: String,
    /// Name of the version, as its keeper wrote it.
    pub version: String,
    /// First day on which it is in force.
    pub effective_from: Date,
    /// Last day on which it is in force; none while it has no end.
    pub effective_to: Option<Date>,
    /// The day on which its source published it, where known: what staleness is judged by.
    pub published: Option<Date>,
}

fn date(days: i32) -> Date {
    Date::from_days(days).expect("the hub's dates are within the years of the calendar")
}

impl From<wire::TableVersion> for TableVersion {
    fn from(version: wire::TableVersion) -> Self {
        Self {
            table: version.table,
            version: version.version,
            effective_from: date(version.effective_from),
            effective_to: version.effective_to.map(date),
            published: version.published.map(date),
        }
    }
}

impl From<TableVersion> for wire::TableVersion {
    fn from(version: TableVersion) -> Self {
        Self {
            table: version.table,
            version: version.version,
            effective_from: version.effective_from.days(),
            effective_to: version.effective_to.map(Date::days),
            published: version.published.map(Date::days),
        }
    }
}

/// One version of a reference table.
///
/// Each call goes to the hub. A small table that is asked for every row is best read once, in [`open`](crate::Adapter::open).
pub struct Table {
    table: OneTable,
    version: TableVersion,
    columns: Rc<[String]>,
}

impl Table {
    pub(crate) fn new(table: OneTable) -> Self {
        let version = table.version().into();
        let columns = table.columns().into();
        Self { table, version, columns }
    }

    /// Which version this is.
    #[must_use]
    pub const fn version(&self) -> &TableVersion {
        &self.version
    }

    /// The names of the columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.table.size()
    }

    /// Whether it has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every row, in order. Mind the memory limit with large tables: use [`find`](Table::find) there.
    #[must_use]
    pub fn read_all(&self) -> Vec<TableRow> {
        let size = self.len();
        let pages = (0..size).step_by(PAGE_ROWS as usize);
        pages.flat_map(|start| self.table.read(start, PAGE_ROWS)).map(|values| self.row(values)).collect()
    }

    /// The rows whose column holds exactly a value, in order.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such column, or more than 1,024 rows match.
    pub fn find(&self, column: &str, value: &str) -> Result<Vec<TableRow>, Failure> {
        self.rows(self.table.find(column, value))
    }

    /// The rows whose column contains a word as a whole word, whatever its case, in order.
    /// Words are runs of letters and digits.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such column, or more than 1,024 rows match.
    pub fn find_word(&self, column: &str, word: &str) -> Result<Vec<TableRow>, Failure> {
        self.rows(self.table.find_word(column, word))
    }

    fn rows(
        &self,
        found: Result<Vec<Vec<String>>, crate::bindings::adapter::bailiwick::plugin::lookup::LookupError>,
    ) -> Result<Vec<TableRow>, Failure> {
        let found = found.map_err(|error| lookup_failure(&self.version.table, error))?;
        Ok(found.into_iter().map(|values| self.row(values)).collect())
    }

    fn row(&self, values: Vec<String>) -> TableRow {
        TableRow { table: self.version.table.as_str().into(), columns: Rc::clone(&self.columns), values }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("version", &self.version).field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// A row of a reference table. Its values are text; each getter reads one as what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    table: Rc<str>,
    columns: Rc<[String]>,
    values: Vec<String>,
}

impl TableRow {
    /// The value of a column as text; none if it is empty or there is no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| name == column)?;
        self.values.get(place).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a column as text, which may be empty.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such column.
    pub fn text(&self, column: &str) -> Result<&str, Failure> {
        let place = self.columns.iter().position(|name| name == column);
        let value = place.and_then(|place| self.values.get(place));
        value
            .map(String::as_str)
            .ok_or_else(|| Failure::defect("table-column-missing", format!("Table {} has no column {column}.", self.table)))
    }

    /// The value of a column as money.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such column, or it holds something else.
    pub fn money(&self, column: &str) -> Result<Money, Failure> {
        self.parsed(column, "an amount of money")
    }

    /// The value of a column as a decimal.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such column, or it holds something else.
    pub fn decimal(&self, column: &str) -> Result<Decimal, Failure> {
        self.parsed(column, "a decimal number")
    }

    /// The value of a column as a date.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such column, or it holds something else.
    pub fn date(&self, column: &str) -> Result<Date, Failure> {
        self.parsed(column, "a date")
    }

    /// The value of a column as a whole number.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such column, or it holds something else.
    pub fn integer(&self, column: &str) -> Result<i64, Failure> {
        self.parsed(column, "a whole number")
    }

    /// The value of a column as a truth value, `true` or `false`.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if there is no such column, or it holds something else.
    pub fn boolean(&self, column: &str) -> Result<bool, Failure> {
        self.parsed(column, "true or false")
    }

    fn parsed<T: FromStr>(&self, column: &str, wanted: &str) -> Result<T, Failure> {
        let value = self.text(column)?;
        value.parse().map_err(|_| {
            let message = format!("Table {} holds {value:?} in column {column}, which is not {wanted}.", self.table);
            Failure::defect("table-value-unusable", message)
        })
    }
}
